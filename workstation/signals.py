"""Signals of a run without a screen: an end in order instead of a death.

The command line wraps every command in ``orderly_end``. The screen puts its own
handlers over these while it runs.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import ClassVar

__all__ = ["Interrupted", "between_steps", "orderly_end"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows lacks the last


class Interrupted(BaseException):
    """A signal asked the process to end; unwinds through every ``finally``.

    Not an Exception: a task that turns those into faults must let it through.
    """

    passes_scripts: ClassVar[bool] = True
    """No fault of the script in whose call it comes."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(signal.Signals(number).name)


@contextmanager
def orderly_end() -> Iterator[None]:
    """Turn signals into ``Interrupted``, raised at once."""
    with _handler(_interrupt):
        yield


@contextmanager
def between_steps() -> Iterator[Callable[[], None]]:
    """Keep a signal until the yielded function is called, which then raises it.

    A step that was broken off would leave a journal that no replay can follow. A
    second signal does not wait: the step may be one that never ends.
    """
    kept: list[int] = []

    def keep(number: int, frame: FrameType | None) -> None:
        if kept:
            _interrupt(number, frame)
        kept.append(number)

    def look() -> None:
        if kept:
            _interrupt(kept[0], None)

    with _handler(keep):
        yield look
        look()


@contextmanager
def _handler(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {}
    for name in _NAMES:
        number = getattr(signal, name, None)
        try:
            if number is not None:
                before[number] = signal.signal(number, handler)
        except ValueError:  # not the main thread: its owner sees to signals
            break
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
