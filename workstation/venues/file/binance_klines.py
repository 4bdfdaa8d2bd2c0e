"""Kline dumps of Binance: twelve columns, ms or µs, with or without a header."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.model.market import Bar
from workstation.model.timeframes import (
    NS_PER_MS,
    NS_PER_US,
    Timeframe,
    format_span,
)
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory
from workstation.venues.file.prices import check_bar
from workstation.venues.file.table import (
    counting_number,
    fields,
    is_header,
    zero_or_more,
)
from workstation.venues.file.times import binance_time

__all__ = ["BinanceKlinesReader"]

_COLUMNS = 12
_MONTH = Timeframe.parse("1M")


class BinanceKlinesReader:
    """Reads one kline file; the interval is the setting's, else the first row's.

    A bar is received at its close: the first nanosecond after it.
    """

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._memory = memory
        self._header = bool(head) and is_header(head[0])
        if self._header and (count := len(fields(head[0]))) != _COLUMNS:
            raise Damaged(f"header of {count} columns where klines have {_COLUMNS}")

    def parse(self, line: bytes, number: int) -> Bar | None:
        """Return the bar of a row, None for the header."""
        if number == 1 and self._header:
            return None
        row = fields(line)
        if len(row) != _COLUMNS:
            raise Damaged(f"{len(row)} columns where klines have {_COLUMNS}")
        opened = binance_time(row[0])
        # The close time is the last unit of the bar, in the unit of its own digits.
        closed = binance_time(row[6]) + (NS_PER_MS if len(row[6]) == 13 else NS_PER_US)
        interval = self._interval(opened, closed)
        prices = check_bar(row[1], row[2], row[3], row[4])
        return Bar(
            self._memory.instrument,
            closed,
            interval,
            opened,
            *prices,
            zero_or_more(row[5], "volume"),
            zero_or_more(row[7], "quote volume"),
            counting_number(row[8], "count"),
            closed,
        )

    def _interval(self, opened: int, closed: int) -> Timeframe:
        """Return which bars these are; all rows are of one kind."""
        if closed <= opened:
            raise Damaged("close time is not after the open time")
        found = self._memory.interval
        if found is None:
            found = Timeframe.of_ns(closed - opened)
            if _MONTH.start(opened) == opened and _MONTH.end(opened) == closed:
                found = _MONTH
            self._memory.interval = found
        if found.start(opened) != opened and (found == _MONTH or found.session_ns):
            raise Damaged(f"open time is not where bars of {found} begin")
        if found.end(opened) != closed:
            raise Damaged(
                f"row lasts {format_span(closed - opened)}, "
                f"the bars before or the interval {found}"
            )
        return found
