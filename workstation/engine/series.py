"""The bars a chart can be made of: a window's own, or longer ones grouped from them.

Read-only over the Aggregator's windows, brought up to date by ``refresh`` when bars
have closed; nothing here becomes part of the state. Called by ``charting`` alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from workstation.engine.frames import CandleRow
from workstation.market.window import COLUMNS, BarWindow
from workstation.model.market import Bar
from workstation.model.timeframes import BarKind, Timeframe

__all__ = ["Series", "grouping", "series_of"]

FACTORS = (5, 15, 60)
"""How many of a strategy's own bars make a longer one."""


def grouping(timeframe: Timeframe) -> tuple[Timeframe, ...]:
    """Return the longer bars that whole bars of ``timeframe`` make.

    Not of volume or value: what overflows a bar would make the groups too large.
    """
    if timeframe.is_clocked or timeframe.kind is BarKind.TICK:
        return tuple(timeframe.times(factor) for factor in FACTORS)
    return ()


class Series(Protocol):
    """Closed bars, and the one that forms.

    ``total`` counts the closed bars ever seen, so that equal totals mean equal bars.
    """

    total: int

    def refresh(self) -> None:
        """Take what has closed since."""

    def candles(self, count: int) -> tuple[CandleRow, ...]:
        """Return the last ``count`` closed bars, oldest first."""

    def forming(self, bar: Bar | None) -> CandleRow | None:
        """Return the open bar; ``bar`` is that of the source."""

    def columns(self, count: int) -> Mapping[str, Any]:
        """Return the columns of the last ``count`` closed bars, as a window does."""


def series_of(window: BarWindow, timeframe: Timeframe) -> Series:
    """Return the bars of a window, grouped where ``timeframe`` is not its own."""
    if timeframe == window.timeframe:
        return _Own(window)
    return _Grouped(window, timeframe)


class _Own:
    """The bars of a window."""

    def __init__(self, window: BarWindow) -> None:
        self._window = window
        self.total = window.total
        self._made: tuple[int, int, tuple[CandleRow, ...]] = (-1, 0, ())

    def refresh(self) -> None:
        """Take the count."""
        self.total = self._window.total

    def candles(self, count: int) -> tuple[CandleRow, ...]:
        """Return the last bars; the same tuple as long as none has closed."""
        total, kept, rows = self._made
        if total != self.total or kept != count:
            columns = self._window.columns(count)
            rows = tuple(
                zip(
                    *(columns[name].tolist() for name in COLUMNS[:6]),
                    strict=True,
                )
            )
            self._made = (self.total, count, rows)
        return rows

    def forming(self, bar: Bar | None) -> CandleRow | None:
        """Return the open bar."""
        if bar is None:
            return None
        return (bar.ts_open, bar.open, bar.high, bar.low, bar.close, bar.volume)

    def columns(self, count: int) -> Mapping[str, Any]:
        """Return the window's columns."""
        return self._window.columns(count)


Group = tuple[int, float, float, float, float, float, float, int]
"""A bar in the order of ``COLUMNS``."""


class _Grouped:
    """Longer bars of a window, each closed bar taken once."""

    def __init__(self, window: BarWindow, timeframe: Timeframe) -> None:
        self._window = window
        self._timeframe = timeframe
        self._factor = int(timeframe.size // window.timeframe.size)
        self._counted = not timeframe.is_clocked
        self._taken = 0
        self._groups: deque[Group] = deque(maxlen=window.size)
        self._open: Group | None = None
        # The start of a group whose first bars have gone; it is not shown.
        self._broken: int | None = None
        self.total = 0
        self._made: tuple[int, int, tuple[CandleRow, ...]] = (-1, 0, ())
        self._columns: tuple[int, int, Mapping[str, Any]] = (-1, 0, {})

    def refresh(self) -> None:
        """Take the bars that have closed since the last time."""
        window = self._window
        missing = window.total - self._taken
        if missing <= 0:
            return
        kept = len(window)
        if missing > kept:
            # Some came and went unseen: what is known of before has a hole now.
            self._groups.clear()
            self._open = None
            self._taken = window.total - kept
            first = window.ts_open(kept - 1)
            if not self._counted and self._timeframe.start(first) != first:
                self._broken = self._timeframe.start(first)
        fresh = min(missing, kept)
        columns = window.columns(fresh)
        rows: Iterable[Group] = zip(
            *(columns[name].tolist() for name in COLUMNS), strict=True
        )
        for row in rows:
            self._take(row)

    def _take(self, row: Group) -> None:
        place = self._taken % self._factor
        self._taken += 1
        start = ts = row[0]
        if self._counted:
            begins, ends = place == 0, place == self._factor - 1
        else:
            longer, own = self._timeframe, self._window.timeframe
            start = longer.start(ts)
            begins = self._open is None or self._open[0] != start
            ends = own.end(ts) >= longer.end(start)
            if start == self._broken:
                return
        if begins:
            self._close()
            self._open = (start, *row[1:])
        elif self._open is not None:
            self._open = _joined(self._open, row)
        if ends:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            self._groups.append(self._open)
            self.total += 1
            self._open = None

    def candles(self, count: int) -> tuple[CandleRow, ...]:
        """Return the last groups that are whole."""
        total, kept, rows = self._made
        if total != self.total or kept != count:
            rows = tuple(group[:6] for group in list(self._groups)[-count:])
            self._made = (self.total, count, rows)
        return rows

    def forming(self, bar: Bar | None) -> CandleRow | None:
        """Return the open group with the open bar in it."""
        group = self._open
        if bar is None:
            return None if group is None else group[:6]
        row: Group = (
            bar.ts_open,
            *(bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover),
            bar.trades,
        )
        if group is not None:
            return _joined(group, row)[:6]
        start = bar.ts_open
        if not self._counted:
            start = self._timeframe.start(start)
        return (start, *row[1:6])

    def columns(self, count: int) -> Mapping[str, Any]:
        """Return the groups as columns."""
        # Imported here, as in the window: listings and checks need no numpy.
        import numpy as np

        total, kept, columns = self._columns
        if total != self.total or kept != count:
            groups = list(self._groups)[-count:]
            columns = {
                name: np.array([group[place] for group in groups])
                for place, name in enumerate(COLUMNS)
            }
            self._columns = (self.total, count, columns)
        return columns


def _joined(group: Group, row: Group) -> Group:
    return (
        *group[:2],
        max(group[2], row[2]),
        min(group[3], row[3]),
        row[4],
        group[5] + row[5],
        group[6] + row[6],
        group[7] + row[7],
    )
