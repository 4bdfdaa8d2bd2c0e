"""The timetable of bar closes: one timer at a time, at the next boundary of any length.

Started by the Aggregator with the first tick. All lengths that end at a boundary close
in one input, shorter first, so that no strategy sees one window closed and another not.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.kernel.clock import Timer
from workstation.market.bars import bar_start
from workstation.model.ports import Core
from workstation.model.timeframes import format_timeframe

__all__ = ["Timetable"]


class Timetable:
    """Call ``close(timeframe_ns, boundary_ns)`` at every boundary of what is needed."""

    __slots__ = ("_close", "_core", "_due_ns", "_names", "_next", "_timer")

    def __init__(self, core: Core, close: Callable[[int, int], None]) -> None:
        self._core = core
        self._close = close
        self._next: dict[int, int] = {}
        self._names: dict[tuple[int, ...], str] = {}
        self._due_ns = 0
        self._timer: Timer | None = None

    def need(self, timeframe_ns: int) -> None:
        """Close bars of this length from the next boundary on."""
        if timeframe_ns in self._next:
            return
        start = bar_start(self._core.ts, timeframe_ns)
        self._next[timeframe_ns] = start + timeframe_ns
        self._next = dict(sorted(self._next.items()))
        if self._timer is not None:
            self._timer.cancel()
        self._arm()

    def _arm(self) -> None:
        due = self._due_ns = min(self._next.values())
        ending = tuple([ns for ns, at in self._next.items() if at == due])
        name = self._names.get(ending)
        if name is None:
            words = "+".join(format_timeframe(ns) for ns in ending)
            name = self._names[ending] = f"bar:{words}"
        self._timer = self._core.call_at(due, name, self._fire)

    def _fire(self) -> None:
        due = self._due_ns
        for timeframe_ns, at in self._next.items():
            if at == due:
                self._next[timeframe_ns] = at + timeframe_ns
                self._close(timeframe_ns, due)
        self._arm()
