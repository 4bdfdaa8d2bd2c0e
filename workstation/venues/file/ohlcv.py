"""Bars as CSV: a header with time, open, high, low, close and perhaps volume.

Names in any case; an unnamed first column is the time of the bar's open. Which bars
they are is the setting's, else the smallest step between the first rows, which may be
calendar months.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from workstation.model.market import Bar
from workstation.model.timeframes import NS_PER_DAY, BarKind, Timeframe
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory
from workstation.venues.file.prices import check_bar
from workstation.venues.file.table import (
    TIME_NAMES,
    Columns,
    counting_number,
    zero_or_more,
)

__all__ = ["OhlcvReader"]

_ALIASES = {
    # The last is what pandas calls an unnamed index in Parquet.
    "time": (*TIME_NAMES, "", "__index_level_0__"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
    # Only where the user names them: their usual names mean other things elsewhere.
    "turnover": (),
    "trades": (),
}

_MONTH = Timeframe.parse("1M")
_SHORTEST_MONTH, _LONGEST_MONTH = 28 * NS_PER_DAY, 31 * NS_PER_DAY


class OhlcvReader:
    """Reads one file of bars; a bar is received at its close."""

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._memory = memory
        self._columns = Columns(
            head, _ALIASES, ("time", "open", "high", "low", "close"), memory.columns
        )
        if memory.interval is None:
            memory.interval = self._likely_interval(head)

    def parse(self, line: bytes, number: int) -> Bar | None:
        """Return the bar of a row, None for the header."""
        if number == 1:
            return None
        columns = self._columns
        row = columns.row(line)
        opened = self._memory.read_time(row[columns["time"]])
        prices = check_bar(
            row[columns["open"]],
            row[columns["high"]],
            row[columns["low"]],
            row[columns["close"]],
        )
        volume_at, turnover_at = columns.get("volume"), columns.get("turnover")
        trades_at = columns.get("trades")
        traded = (
            0.0 if volume_at is None else zero_or_more(row[volume_at], "volume"),
            0.0 if turnover_at is None else zero_or_more(row[turnover_at], "turnover"),
            0 if trades_at is None else counting_number(row[trades_at], "trades"),
        )
        interval = self._memory.interval
        if interval is None:
            raise Damaged("one row does not tell the interval", "set interval")
        if interval.kind is BarKind.MONTH:
            # Some files name a month by its last day.
            opened = interval.start(opened)
        return Bar(
            self._memory.instrument,
            interval.end(opened),
            interval,
            opened,
            *prices,
            *traded,
        )

    def _likely_interval(self, head: Sequence[bytes]) -> Timeframe | None:
        times: list[int] = []
        for line in head[1:]:
            try:
                row = self._columns.row(line)
                times.append(self._memory.read_time(row[self._columns["time"]]))
            except Damaged:
                continue
        steps = [after - before for before, after in pairwise(times) if after > before]
        if not steps:
            return None
        months = [_MONTH.start(ts) for ts in times]
        # Three months in turn are never of one length.
        is_even = len(steps) > 2 and len(set(steps)) == 1
        if (
            _SHORTEST_MONTH <= min(steps) <= _LONGEST_MONTH
            and not is_even
            and all(before < after for before, after in pairwise(months))
        ):
            return _MONTH
        return Timeframe.of_ns(min(steps))
