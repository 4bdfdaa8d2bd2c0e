"""Trades as CSV: a header with ``timestamp,price,size[,side][,id]``."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.model.market import Trade
from workstation.venues.file.format import Memory
from workstation.venues.file.sides import aggressor_of
from workstation.venues.file.table import (
    TIME_NAMES,
    Columns,
    counting_number,
    positive,
)

__all__ = ["TradesReader"]

_ALIASES = {
    "time": TIME_NAMES,
    "price": ("price",),
    "size": ("size", "qty", "quantity", "amount"),
    "side": ("side", "aggressor"),
    "id": ("id", "trade_id"),
}


class TradesReader:
    """Reads one file of trades; the time is both the venue's and the receive time."""

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._instrument = memory.instrument
        self._read_time = memory.read_time
        self._columns = Columns(
            head, _ALIASES, ("time", "price", "size"), memory.columns
        )

    def parse(self, line: bytes, number: int) -> Trade | None:
        """Return the trade of a row, None for the header."""
        if number == 1:
            return None
        columns = self._columns
        row = columns.row(line)
        ts = self._read_time(row[columns["time"]])
        side, trade_id = columns.get("side"), columns.get("id")
        return Trade(
            self._instrument,
            ts,
            positive(row[columns["price"]], "price"),
            positive(row[columns["size"]], "size"),
            0 if side is None else aggressor_of(row[side]),
            0 if trade_id is None else counting_number(row[trade_id], "id"),
            ts,
        )
