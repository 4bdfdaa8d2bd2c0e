"""Quotes as CSV: a header with ``timestamp,bid,ask[,bid_size,ask_size]``.

A size that is not given is 0.0, which the model reads as "not known". A locked market
(bid = ask) occurs between dealers and passes; a crossed one is damage.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.model.market import Quote
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory
from workstation.venues.file.table import TIME_NAMES, Columns, positive, zero_or_more

__all__ = ["QuotesReader"]

_ALIASES = {
    "time": TIME_NAMES,
    "bid": ("bid", "bid_price"),
    "ask": ("ask", "ask_price"),
    "bid_size": ("bid_size", "bid_amount", "bid_qty", "bidsize"),
    "ask_size": ("ask_size", "ask_amount", "ask_qty", "asksize"),
}


class QuotesReader:
    """Reads one file of quotes; the time is both the venue's and the receive time."""

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._instrument = memory.instrument
        self._read_time = memory.read_time
        self._columns = Columns(head, _ALIASES, ("time", "bid", "ask"), memory.columns)

    def parse(self, line: bytes, number: int) -> Quote | None:
        """Return the quote of a row, None for the header."""
        if number == 1:
            return None
        columns = self._columns
        row = columns.row(line)
        ts = self._read_time(row[columns["time"]])
        bid = positive(row[columns["bid"]], "bid")
        ask = positive(row[columns["ask"]], "ask")
        if bid > ask:
            raise Damaged(f"bid {bid} is above ask {ask}")
        sizes = [
            0.0 if index is None else zero_or_more(row[index], name)
            for name in ("bid_size", "ask_size")
            for index in (columns.get(name),)
        ]
        return Quote(self._instrument, ts, bid, sizes[0], ask, sizes[1], ts)
