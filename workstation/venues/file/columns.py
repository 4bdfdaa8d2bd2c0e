"""Market events as numpy columns and back, for the cache of file feeds.

A block holds events of one kind and one instrument, whose id is not kept. What comes
back equals what went in; an event that a block cannot hold exactly is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from workstation.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.timeframes import Timeframe

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Column", "Unkept", "from_columns", "to_columns"]

_INT, _FLOAT, _SMALL = "<i8", "<f8", "|i1"
_KINDS: dict[str, type[MarketEvent]] = {
    kind.__name__: kind for kind in (Trade, Quote, Bar, BookSnapshot, BookDelta)
}
_BOOKS = (BookSnapshot, BookDelta)
_SMALL_FIELDS = ("aggressor",)
# Times and ids: often none, all one, or the receive time; a timeframe always all one.
_INT_FIELDS = (
    "ts_recv",
    "ts_event",
    "ts_open",
    "timeframe",
    "trades",
    "trade_id",
    "update_id",
    "first_id",
    "last_id",
    "previous_id",
)


class Unkept(Exception):
    """Events that a block cannot hold; their file is not cached."""


class Column(Struct, frozen=True):
    """Where the values of a field are: in an array, in another column, or all one."""

    name: str
    dtype: str = ""
    start: int = 0
    """Offset in bytes from the start of the block."""
    count: int = 0
    same_as: str = ""
    value: int | Timeframe | None = None


def to_columns(events: Sequence[MarketEvent]) -> tuple[bytes, list[Column]]:
    """Return the bytes of a block and its columns. Raises Unkept.

    ``events`` are of one kind, and not none.
    """
    import numpy as np

    kind = type(events[0])
    names = kind.__struct_fields__[1:]
    rows = zip(*map(structs.astuple, events), strict=True)
    fields = dict(zip(names, list(rows)[1:], strict=True))
    arrays: list[NDArray[Any]] = []
    columns: list[Column] = []
    start = 0

    def keep(name: str, dtype: str, values: Iterable[object]) -> None:
        nonlocal start
        try:
            array = np.array(values, dtype)
        except (OverflowError, TypeError, ValueError) as error:
            raise Unkept(f"{kind.__name__}.{name}: {error}") from error
        columns.append(Column(name, dtype, start, len(array)))
        arrays.append(array)
        start += -(-array.nbytes // 8) * 8

    if issubclass(kind, _BOOKS):
        bids, asks = fields.pop("bids"), fields.pop("asks")
        keep("bid_count", _INT, list(map(len, bids)))
        keep("ask_count", _INT, list(map(len, asks)))
        sides = (side for pair in zip(bids, asks, strict=True) for side in pair)
        levels = [level for side in sides for level in side]
        keep("price", _FLOAT, [price for price, _ in levels])
        keep("size", _FLOAT, [size for _, size in levels])
    received = fields["ts_recv"]
    keep("ts_recv", _INT, received)
    for name, values in fields.items():
        if name == "ts_recv":
            continue
        if name not in _INT_FIELDS:
            keep(name, _SMALL if name in _SMALL_FIELDS else _FLOAT, values)
        elif values == received:
            columns.append(Column(name, same_as="ts_recv"))
        elif values.count(values[0]) == len(values):
            columns.append(Column(name, value=values[0]))
        else:
            keep(name, _INT, values)
    return b"".join(map(_padded, arrays)), columns


def from_columns(
    kind: str, instrument: str, block: NDArray[np.uint8], columns: Sequence[Column]
) -> list[MarketEvent]:
    """Return the events of a block, for this instrument."""
    import numpy as np

    made = _KINDS[kind]
    values: dict[str, Iterable[Any]] = {}
    for column in columns:
        if column.dtype:
            size = np.dtype(column.dtype).itemsize * column.count
            part = block[column.start : column.start + size]
            values[column.name] = part.view(column.dtype).tolist()
        elif column.same_as:
            values[column.name] = values[column.same_as]
        else:
            values[column.name] = repeat(column.value)
    if issubclass(made, _BOOKS):
        _add_sides(values)
    names = made.__struct_fields__[1:]
    return list(map(made, repeat(instrument), *(values[name] for name in names)))


def _add_sides(values: dict[str, Iterable[Any]]) -> None:
    levels = list(zip(values["price"], values["size"], strict=True))
    bids, asks = [], []
    at = 0
    for bid_count, ask_count in zip(
        values["bid_count"], values["ask_count"], strict=True
    ):
        middle = at + bid_count
        bids.append(tuple(levels[at:middle]))
        at = middle + ask_count
        asks.append(tuple(levels[middle:at]))
    values["bids"], values["asks"] = bids, asks


def _padded(array: NDArray[Any]) -> bytes:
    data = array.tobytes()
    return data + bytes(-len(data) % 8)
