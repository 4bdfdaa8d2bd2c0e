"""Bars as CSV: a header with time, open, high, low, close and perhaps volume.

Names in any case; an unnamed first column is the time of the bar's open. The length of
the bars is the setting's, else the smallest step between the first rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from workstation.model.market import Bar
from workstation.model.timeframes import Timeframe
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory
from workstation.venues.file.prices import check_bar
from workstation.venues.file.table import TIME_NAMES, Columns, zero_or_more
from workstation.venues.file.times import any_time

__all__ = ["OhlcvReader"]

_ALIASES = {
    "time": (*TIME_NAMES, ""),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
}


class OhlcvReader:
    """Reads one file of bars; a bar is received at its close."""

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._memory = memory
        self._columns = Columns(
            head, _ALIASES, ("time", "open", "high", "low", "close")
        )
        if memory.interval_ns is None:
            memory.interval_ns = self._smallest_step(head)

    def parse(self, line: bytes, number: int) -> Bar | None:
        """Return the bar of a row, None for the header."""
        if number == 1:
            return None
        columns = self._columns
        row = columns.row(line)
        opened = any_time(row[columns["time"]])
        prices = check_bar(
            row[columns["open"]],
            row[columns["high"]],
            row[columns["low"]],
            row[columns["close"]],
        )
        volume_at = columns.get("volume")
        volume = 0.0 if volume_at is None else zero_or_more(row[volume_at], "volume")
        interval_ns = self._memory.interval_ns
        if interval_ns is None:
            raise Damaged("one row does not tell the interval; set interval")
        return Bar(
            self._memory.instrument,
            opened + interval_ns,
            Timeframe.of_ns(interval_ns),
            opened,
            *prices,
            volume,
        )

    def _smallest_step(self, head: Sequence[bytes]) -> int | None:
        times: list[int] = []
        for line in head[1:]:
            try:
                times.append(any_time(self._columns.row(line)[self._columns["time"]]))
            except Damaged:
                continue
        steps = [after - before for before, after in pairwise(times) if after > before]
        return min(steps, default=None)
