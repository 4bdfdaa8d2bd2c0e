"""Runaway scripts: interrupts a load or call that lasts longer than its budget.

A watcher thread sends the main thread a signal whose handler raises inside the
script. A script that catches ``Exception`` cannot swallow it; it is raised again
every few milliseconds until the call is over.
"""

from __future__ import annotations

import ast
import signal
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from types import FrameType
from typing import ClassVar, TypeVar

from workstation.engine.call_times import CallTimes
from workstation.engine.journalled import Interrupt
from workstation.model.errors import ScriptError, ScriptTimeout
from workstation.strategy.row import Row
from workstation.strategy.script import (
    ScriptFunction,
    describe,
    is_the_scripts,
    line_of,
)

__all__ = ["ScriptGuard"]

T = TypeVar("T")

# How often the watcher looks while calls are made; idle, it sleeps for good.
_LOOK_S = 0.02
_SIGNAL = signal.SIGUSR1
# A replay makes only calls that came back once: a slow machine may take its time.
_REPLAY_PATIENCE = 40
# A script that waits instead of working gets this many budgets of wall time.
_WAITING = 4
# A load may import a library for the first time: 2 s at the default budget of a call.
_LOAD_BUDGETS = 8
_MS = 1_000_000


class ScriptInterrupt(BaseException):
    """Raised inside the script; a BaseException so that no script catches it."""

    passes_scripts: ClassVar[bool] = True


class ScriptGuard:
    """Calls scripts within ``budget_ms`` of the main thread's CPU time each.

    CPU time, because on a busy machine a call that was not given the processor has
    not run away; one that only waits is ended after four budgets of wall time.

    ``planned`` holds, by (seq, strategy, instrument), the calls that were interrupted
    in the run being replayed: those are not made at all. It is None in any other run.
    Outside the main thread nothing can be interrupted and calls are made unguarded.
    ``times`` is how long each strategy's last calls took.
    """

    # A process has one handler of the signal: it asks whose call is being made.
    _calling: ClassVar[ScriptGuard | None] = None

    def __init__(
        self,
        budget_ms: int,
        *,
        seq: Callable[[], int],
        load_budgets: int = _LOAD_BUDGETS,
    ) -> None:
        self.budget_ms = budget_ms
        self._load_budgets = load_budgets
        self.planned: Mapping[tuple[int, str, str], Interrupt] | None = None
        self.on_interrupt: Callable[[Interrupt], None] = lambda interrupt: None
        self.times = CallTimes()
        self._seq = seq
        self._armed = 0
        self._allowed_ns = 0
        self._over = 0
        self._calls = 0
        self._busy = threading.Event()
        self._closed = False
        self._watcher: threading.Thread | None = None
        self._main = threading.main_thread().ident or 0

    def __call__(
        self, strategy: str, instrument: str, function: ScriptFunction, row: Row
    ) -> object:
        """Return the script's answer.

        Raises ScriptTimeout when it ran too long, ScriptError when it raised.
        """
        if self.planned:
            planned = self.planned.get((self._seq(), strategy, instrument))
            if planned is not None:
                row.indicators.ask_again(planned.asked)
                raise self._timed_out(_path(function), row, planned.line)
        known = len(row.indicators)
        began = 0
        try:
            # The outer try: an interrupt may come while the inner one is left.
            try:
                self._arm(self.budget_ms)
                began = perf_counter_ns()
                return function(row.market, row.context, row.indicators)
            finally:
                self._armed = 0
                self.times[strategy].append(perf_counter_ns() - began)
        except ScriptInterrupt as interrupt:
            self._armed = 0
            path = _path(function)
            line = line_of(interrupt, path)
            asked = row.indicators.asked()[known:]
            self.on_interrupt(Interrupt(strategy, instrument, line, asked))
            raise self._timed_out(path, row, line) from None
        except BaseException as error:  # whatever a user's script raises
            if not is_the_scripts(error):
                raise
            path = _path(function)
            raise ScriptError(
                path.name, self._told(error), line_of(error, path)
            ) from error

    def process(
        self,
        call: str,
        instrument: str,
        function: ScriptFunction,
        arguments: tuple[object, ...],
    ) -> object:
        """Return what a processor's function returns; as ``__call__`` otherwise.

        ``call`` is the script's name and the number of the call.
        """
        path = _path(function)
        if self.planned:
            planned = self.planned.get((self._seq(), call, instrument))
            if planned is not None:
                raise self._too_long(path, instrument, planned.line)
        try:
            return self._guarded(self.budget_ms, partial(function, *arguments))
        except ScriptInterrupt as interrupt:
            line = line_of(interrupt, path)
            self.on_interrupt(Interrupt(call, instrument, line))
            raise self._too_long(path, instrument, line) from None
        except BaseException as error:  # whatever a user's script raises
            if not is_the_scripts(error):
                raise
            raise ScriptError(
                path.name, self._told(error), line_of(error, path)
            ) from error

    def _too_long(self, path: Path, instrument: str, line: int | None) -> ScriptTimeout:
        said = f"did not return within {self.budget_ms} ms on {instrument}"
        return ScriptTimeout(path.name, said, line)

    def load(self, path: Path, source: bytes, load: Callable[[], T]) -> T:
        """Return what ``load`` returns, which runs the module code of a script.

        ``source`` is its text, which need not be the file's any more.

        Raises ScriptTimeout when it ran longer than ``load_budgets`` of a call. No
        replay is told of it: a run goes on without a script that loads so slowly.
        """
        budget_ms = self.budget_ms * self._load_budgets
        try:
            return self._guarded(budget_ms, load)
        except ScriptInterrupt as interrupt:
            raise ScriptTimeout(
                path.name,
                f"did not finish loading within {budget_ms} ms",
                _statement_line(source, line_of(interrupt, path)),
            ) from None

    def _told(self, error: BaseException) -> str:
        """Return what the error says, which is the script's code again."""
        try:
            return self._guarded(self.budget_ms, lambda: describe(error))
        except ScriptInterrupt:
            return type(error).__name__

    def _guarded(self, budget_ms: int, function: Callable[[], T]) -> T:
        try:
            # The outer try: an interrupt may come while the inner one is left.
            try:
                self._arm(budget_ms)
                return function()
            finally:
                self._armed = 0
        except ScriptInterrupt:
            self._armed = 0
            raise

    def close(self) -> None:
        """End the watcher."""
        self._closed = True
        self._busy.set()

    def _timed_out(self, path: Path, row: Row, line: int | None) -> ScriptTimeout:
        # What a half-finished call left in the context could not be had again.
        row.context.clear()
        return self._too_long(path, row.market.symbol, line)

    def _arm(self, budget_ms: int) -> None:
        if threading.get_ident() != self._main:
            return
        if self._watcher is None:
            self._start()
        if not self._busy.is_set():
            self._busy.set()
        self._calls += 1
        ScriptGuard._calling = self
        self._allowed_ns = budget_ms * _MS
        self._armed = time.monotonic_ns()

    def _start(self) -> None:
        signal.signal(_SIGNAL, _interrupt)
        self._watcher = threading.Thread(
            target=self._watch, name="script-guard", daemon=True
        )
        self._watcher.start()

    def is_over(self) -> bool:
        """Tell whether the call being made was found to be over its budget."""
        return bool(self._armed) and self._over == self._calls

    def _watch(self) -> None:
        clock = time.pthread_getcpuclockid(self._main)
        seen = watched = -1
        used_before = 0
        while not self._closed:
            self._busy.wait()
            time.sleep(_LOOK_S)
            calls, armed = self._calls, self._armed
            if armed:
                used = time.clock_gettime_ns(clock)
                if calls != watched:
                    # Counted from the first look: a call gets that much more.
                    watched, used_before = calls, used
                if self._is_spent(used - used_before, time.monotonic_ns() - armed):
                    self._over = calls
                    signal.pthread_kill(self._main, _SIGNAL)
                continue
            if calls == seen:
                self._busy.clear()
                # A call that began meanwhile found it set and will not set it.
                if self._calls != seen or self._closed:
                    self._busy.set()
            seen = calls

    def _is_spent(self, cpu_ns: int, wall_ns: int) -> bool:
        allowed_ns = self._allowed_ns
        if self.planned is not None:
            allowed_ns *= _REPLAY_PATIENCE
        return cpu_ns > allowed_ns or wall_ns > allowed_ns * _WAITING


def _statement_line(source: bytes, line: int | None) -> int | None:
    """Return where the module's statement begins: the same wherever it was caught."""
    if line is None:
        return None
    for statement in ast.parse(source).body:
        if statement.lineno <= line <= (statement.end_lineno or 0):
            return statement.lineno
    return None


def _path(function: ScriptFunction) -> Path:
    code = getattr(function, "__code__", None)
    return Path(code.co_filename if code is not None else "script")


def _interrupt(number: int, frame: FrameType | None) -> None:
    guard = ScriptGuard._calling
    # A late signal must not hit the next call, or what is no script at all.
    if guard is not None and guard.is_over():
        raise ScriptInterrupt
