"""What the terminal and the system tell the app: SIGTERM, hang-up, escapes cut in two.

Used by the app only. Handlers stand on the event loop while the app runs and are taken
away when it ends.
"""

from __future__ import annotations

import asyncio
import select
import signal
from collections.abc import Callable, Mapping

__all__ = ["Signals", "SplitEscapes", "is_hung_up", "is_remote", "wait_for_escapes"]

_TOGETHER_NS = 50_000_000
# A slow line cuts "escape [ C" (the right arrow) in two; nobody types that fast.
_PATIENT_S = 0.5
# What ESCDELAY=500 says; Textual's own 100 ms are too short for such a line.


def is_remote(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal is at the other end of an SSH connection."""
    return bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))


def wait_for_escapes(environ: Mapping[str, str]) -> None:
    """Give escape sequences half a second over SSH, unless ESCDELAY says otherwise."""
    if is_remote(environ) and "ESCDELAY" not in environ:
        from textual import constants

        # Read anew for each sequence; the variable itself is read once, at import.
        setattr(constants, "ESCAPE_DELAY", _PATIENT_S)  # noqa: B010


def is_hung_up(terminal: int) -> bool:
    """Tell whether the terminal of this file descriptor has gone.

    SIGHUP goes to the leader of the session alone: behind ``make run`` the leader is
    make, which waits for its child, and the child hears nothing.
    """
    poll = getattr(select, "poll", None)
    if poll is None:
        return False
    watched = poll()
    watched.register(terminal, 0)
    gone = select.POLLHUP | select.POLLERR
    return any(events & gone for _, events in watched.poll(0))


class SplitEscapes:
    """Drops ``[`` or ``O`` and a letter that follow a bare escape within 50 ms.

    They are the rest of an arrow key and would close, step back and cancel all.
    """

    def __init__(self) -> None:
        self._expects = ""
        self._until_ns = 0

    def swallow(self, key: str, now_ns: int) -> bool:
        """Tell whether ``key`` is such a rest; call it for every key."""
        expects, in_time = self._expects, now_ns <= self._until_ns
        self._expects = ""
        if key == "escape":
            self._expects, self._until_ns = "bracket", now_ns + _TOGETHER_NS
            return False
        if not in_time:
            return False
        if expects == "bracket" and key in ("left_square_bracket", "O"):
            self._expects, self._until_ns = "letter", now_ns + _TOGETHER_NS
            return True
        return expects == "letter" and len(key) == 1


class Signals:
    """SIGTERM and SIGHUP as calls on the event loop."""

    def __init__(
        self, on_term: Callable[[], None], on_hangup: Callable[[], None]
    ) -> None:
        self._calls = {"SIGTERM": on_term, "SIGHUP": on_hangup}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._set: list[int] = []

    def install(self) -> None:
        """Take the signals over; where a loop cannot (Windows, threads) do nothing."""
        self._loop = asyncio.get_running_loop()
        for name, call in self._calls.items():
            number = getattr(signal, name, None)
            if number is None:
                continue
            try:
                self._loop.add_signal_handler(number, call)
            except (NotImplementedError, RuntimeError, ValueError):
                return
            self._set.append(number)

    def remove(self) -> None:
        """Give the signals back."""
        if self._loop is not None and not self._loop.is_closed():
            for number in self._set:
                self._loop.remove_signal_handler(number)
        self._set.clear()
