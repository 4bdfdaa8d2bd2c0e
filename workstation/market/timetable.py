"""The timetable of bar closes: one timer at a time, at the next boundary of any length.

Started by the Aggregator with the first tick. All lengths that end at a boundary close
in one input, shorter first, so that no strategy sees one window closed and another not.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.kernel.clock import Timer
from workstation.model.ports import Core
from workstation.model.timeframes import Timeframe

__all__ = ["Timetable"]


class Timetable:
    """Call ``close(timeframe, boundary_ns)`` at every boundary of what is needed."""

    __slots__ = ("_close", "_core", "_due_ns", "_names", "_next", "_timer")

    def __init__(self, core: Core, close: Callable[[Timeframe, int], None]) -> None:
        self._core = core
        self._close = close
        self._next: dict[Timeframe, int] = {}
        self._names: dict[tuple[Timeframe, ...], str] = {}
        self._due_ns = 0
        self._timer: Timer | None = None

    def need(self, timeframe: Timeframe) -> None:
        """Close these bars from the next boundary on; the clock must end them."""
        if timeframe in self._next:
            return
        self._next[timeframe] = timeframe.end(timeframe.start(self._core.ts))
        self._next = dict(sorted(self._next.items(), key=_by_length))
        if self._timer is not None:
            self._timer.cancel()
        self._arm()

    def _arm(self) -> None:
        following = self._next
        due = self._due_ns = min(following.values())
        ending = tuple(following)
        if len(ending) > 1:
            ending = tuple([each for each in ending if following[each] == due])
        name = self._names.get(ending)
        if name is None:
            words = "+".join(map(str, ending))
            name = self._names[ending] = f"bar:{words}"
        self._timer = self._core.call_at(due, name, self._fire)

    def _fire(self) -> None:
        due = self._due_ns
        for timeframe, at in self._next.items():
            if at == due:
                self._next[timeframe] = timeframe.end(at)
                self._close(timeframe, due)
        self._arm()


def _by_length(entry: tuple[Timeframe, int]) -> tuple[bool, int, str, float]:
    return entry[0].order
