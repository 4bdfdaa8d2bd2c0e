"""Runaway scripts: interrupts a script call that lasts longer than its budget.

A watcher thread sends the main thread a signal whose handler raises inside the
script. A script that catches ``Exception`` cannot swallow it; it is raised again
after each further budget until the call is over.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from workstation.model.errors import ScriptError, ScriptTimeout
from workstation.strategy.row import Row
from workstation.strategy.script import ScriptFunction, describe, line_of

__all__ = ["ScriptGuard"]

# How often the watcher looks while calls are made; idle, it sleeps for good.
_LOOK_S = 0.02
_SIGNAL = signal.SIGUSR1


class ScriptInterrupt(BaseException):
    """Raised inside the script; a BaseException so that no script catches it."""


class ScriptGuard:
    """Calls scripts within ``budget_ms`` of wall time each.

    ``planned`` holds (seq, strategy, instrument) of calls that were interrupted in
    the run being replayed: those are not made at all. Outside the main thread nothing
    can be interrupted and calls are made unguarded.
    """

    def __init__(self, budget_ms: int, *, seq: Callable[[], int]) -> None:
        self.budget_ms = budget_ms
        self.planned: set[tuple[int, str, str]] = set()
        self.on_interrupt: Callable[[str, str], None] = lambda strategy, row: None
        self._seq = seq
        self._armed = 0
        self._calls = 0
        self._busy = threading.Event()
        self._closed = False
        self._watcher: threading.Thread | None = None
        self._main = threading.main_thread().ident

    def __call__(
        self, strategy: str, instrument: str, function: ScriptFunction, row: Row
    ) -> object:
        """Return the script's answer.

        Raises ScriptTimeout when it ran too long, ScriptError when it raised.
        """
        code = getattr(function, "__code__", None)
        path = Path(code.co_filename if code is not None else "script")
        if self.planned and (self._seq(), strategy, instrument) in self.planned:
            raise self._timed_out(path, row, None)
        if self._watcher is None:
            self._start()
        if not self._busy.is_set():
            self._busy.set()
        self._calls += 1
        self._armed = time.monotonic_ns()
        try:
            answer = function(row.market, row.context, row.indicators)
            self._armed = 0
            return answer
        except ScriptInterrupt as interrupt:
            self._armed = 0
            self.on_interrupt(strategy, instrument)
            raise self._timed_out(path, row, line_of(interrupt, path)) from None
        except Exception as error:  # whatever a user's script raises
            self._armed = 0
            raise ScriptError(
                path.name, describe(error), line_of(error, path)
            ) from error
        finally:
            self._armed = 0

    def close(self) -> None:
        """End the watcher."""
        self._closed = True
        self._busy.set()

    def _timed_out(self, path: Path, row: Row, line: int | None) -> ScriptTimeout:
        # What a half-finished call left in the context could not be had again.
        row.context.clear()
        return ScriptTimeout(
            path.name,
            f"did not return within {self.budget_ms} ms on {row.market.symbol}; "
            "its strategy is stopped",
            line,
        )

    def _start(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            self._watcher = threading.current_thread()
            return
        signal.signal(_SIGNAL, self._raise)
        self._watcher = threading.Thread(
            target=self._watch, name="script-guard", daemon=True
        )
        self._watcher.start()

    def _raise(self, number: int, frame: FrameType | None) -> None:
        if self._armed:
            raise ScriptInterrupt

    def _watch(self) -> None:
        assert self._main is not None
        budget_ns = self.budget_ms * 1_000_000
        seen = -1
        while not self._closed:
            self._busy.wait()
            time.sleep(_LOOK_S)
            armed = self._armed
            if armed and time.monotonic_ns() - armed > budget_ns:
                signal.pthread_kill(self._main, _SIGNAL)
            elif not armed:
                if self._calls == seen:
                    self._busy.clear()
                seen = self._calls
