"""Trades as CSV: a header with ``timestamp,price,size[,side][,id]``."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.model.market import Trade
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory
from workstation.venues.file.table import (
    TIME_NAMES,
    Columns,
    counting_number,
    positive,
)
from workstation.venues.file.times import any_time

__all__ = ["TradesReader"]

_ALIASES = {
    "time": TIME_NAMES,
    "price": ("price",),
    "size": ("size", "qty", "quantity", "amount"),
    "side": ("side", "aggressor"),
    "id": ("id", "trade_id"),
}

# Side is the aggressor's; an empty or unknown one is 0.
_SIDES = {
    b"buy": 1,
    b"b": 1,
    b"1": 1,
    b"+1": 1,
    b"sell": -1,
    b"s": -1,
    b"-1": -1,
    b"": 0,
    b"0": 0,
    b"unknown": 0,
}


class TradesReader:
    """Reads one file of trades; the time is both the venue's and the receive time."""

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._instrument = memory.instrument
        self._columns = Columns(head, _ALIASES, ("time", "price", "size"))

    def parse(self, line: bytes, number: int) -> Trade | None:
        """Return the trade of a row, None for the header."""
        if number == 1:
            return None
        columns = self._columns
        row = columns.row(line)
        ts = any_time(row[columns["time"]])
        side, trade_id = columns.get("side"), columns.get("id")
        aggressor = 0
        if side is not None:
            word = row[side].strip().lower()
            if word not in _SIDES:
                shown = word[:40].decode(errors="replace")
                raise Damaged(f"side {shown!r} is neither buy nor sell")
            aggressor = _SIDES[word]
        return Trade(
            self._instrument,
            ts,
            positive(row[columns["price"]], "price"),
            positive(row[columns["size"]], "size"),
            aggressor,
            0 if trade_id is None else counting_number(row[trade_id], "id"),
            ts,
        )
