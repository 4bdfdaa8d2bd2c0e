"""The effort of a piece of work in counted steps, equal on every machine.

Times tell what a thing costs and turn red on a slow machine; counts cannot. What C
code does inside one call is one step here: only a benchmark sees it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import TraceFunction

__all__ = ["effort"]


def effort(work: Callable[[], object]) -> int:
    """Return how many lines ran and how many C functions were called by ``work``."""
    steps = 0

    def line(frame: FrameType, event: str, arg: Any) -> TraceFunction:
        nonlocal steps
        steps += event == "line"
        return line

    def call(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal steps
        steps += event == "c_call"

    traced, profiled = sys.gettrace(), sys.getprofile()
    sys.setprofile(call)
    sys.settrace(line)
    try:
        work()
    finally:
        sys.settrace(traced)
        sys.setprofile(profiled)
    return steps
