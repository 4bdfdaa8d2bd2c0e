"""Trade dumps of Binance: individual and aggregate trades, spot and futures.

Both have the same fields in other places; the trade's time is also its receive time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from workstation.model.market import Trade
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory
from workstation.venues.file.table import (
    boolean,
    counting_number,
    fields,
    is_header,
    positive,
    zero_or_more,
)
from workstation.venues.file.times import binance_time

__all__ = ["BinanceAggTradesReader", "BinanceTradesReader"]


class _Layout(NamedTuple):
    futures: int
    """Columns of a futures row; spot has isBestMatch as one more."""
    time: int
    maker: int
    amount: int | None
    """Where the quote quantity is."""
    ids: tuple[int, ...]


class _DumpReader:
    layout: _Layout

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._instrument = memory.instrument
        self._header = bool(head) and is_header(head[0])
        futures = self.layout.futures
        if self._header and (found := len(fields(head[0]))) not in (
            futures,
            futures + 1,
        ):
            raise Damaged(
                f"header of {found} columns where such a file has {futures} or "
                f"{futures + 1}"
            )
        counts = (line.count(b",") + 1 for line in head[self._header :])
        # The first whole row decides, so that a spot row that lost its end is seen.
        self._columns = next(
            (count for count in counts if count in (futures, futures + 1)), futures
        )

    def parse(self, line: bytes, number: int) -> Trade | None:
        """Return the trade of a row, None for the header."""
        if number == 1 and self._header:
            return None
        row = fields(line)
        if len(row) != self._columns:
            raise Damaged(f"{len(row)} columns where the file has {self._columns}")
        layout = self.layout
        ts = binance_time(row[layout.time])
        sold = boolean(row[layout.maker], "isBuyerMaker")
        if self._columns > layout.futures:
            boolean(row[-1], "isBestMatch")
        if layout.amount is not None:
            zero_or_more(row[layout.amount], "quote quantity")
        for index in layout.ids:
            counting_number(row[index], "trade id")
        return Trade(
            self._instrument,
            ts,
            positive(row[1], "price"),
            positive(row[2], "quantity"),
            -1 if sold else 1,
            counting_number(row[0], "id"),
            ts,
        )


class BinanceTradesReader(_DumpReader):
    """Reads id, price, qty, quoteQty, time, isBuyerMaker[, isBestMatch]."""

    layout = _Layout(futures=6, time=4, maker=5, amount=3, ids=())


class BinanceAggTradesReader(_DumpReader):
    """Reads id, price, qty, first id, last id, time, isBuyerMaker[, isBestMatch]."""

    layout = _Layout(futures=7, time=5, maker=6, amount=None, ids=(3, 4))
