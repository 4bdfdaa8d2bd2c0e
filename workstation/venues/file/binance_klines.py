"""Kline dumps of Binance: twelve columns, ms or µs, with or without a header."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.model.market import Bar
from workstation.model.timeframes import (
    NS_PER_MS,
    NS_PER_S,
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
_DAY_NS = 86_400 * NS_PER_S


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
        self._check_interval(closed - opened)
        prices = check_bar(row[1], row[2], row[3], row[4])
        return Bar(
            self._memory.instrument,
            closed,
            Timeframe.of_ns(self._memory.interval_ns or closed - opened),
            opened,
            *prices,
            zero_or_more(row[5], "volume"),
            zero_or_more(row[7], "quote volume"),
            counting_number(row[8], "count"),
            closed,
        )

    def _check_interval(self, length: int) -> None:
        expected = self._memory.interval_ns
        if length <= 0:
            raise Damaged("close time is not after the open time")
        if expected is None:
            self._memory.interval_ns = length
        elif length != expected and not _both_months(length, expected):
            raise Damaged(
                f"row lasts {format_span(length)}, "
                f"the bars before or the interval {format_span(expected)}"
            )


def _both_months(length: int, other: int) -> bool:
    """Tell whether both could be calendar months; such bars keep the first's length."""
    return all(28 * _DAY_NS <= ns <= 31 * _DAY_NS for ns in (length, other))
