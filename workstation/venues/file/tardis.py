"""CSV files of Tardis: trades, quotes, book snapshots and incremental books.

The header tells which; ``timestamp`` is the venue's time and ``local_timestamp`` the
receive time, both µs. A file may hold several symbols; rows of others are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from workstation.model.market import BookSnapshot, Level, MarketEvent, Quote, Trade
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory, Reader
from workstation.venues.file.sides import aggressor_of
from workstation.venues.file.table import Columns, fields, positive, zero_or_more
from workstation.venues.file.tardis_book import TardisBookReader
from workstation.venues.file.tardis_rows import TardisRows
from workstation.venues.file.times import tardis_time

__all__ = ["tardis_reader"]

_MOST_ID = 2**63 - 1


def tardis_reader(head: Sequence[bytes], memory: Memory) -> Reader:
    """Return the reader of what the header names."""
    names = {
        field.decode(errors="replace").strip().lower()
        for field in fields(head[0] if head else b"")
    }
    for mark, reader in (
        ("is_snapshot", TardisBookReader),
        ("asks[0].price", _SnapshotReader),
        ("ask_price", _QuoteReader),
        ("side", _TradeReader),
    ):
        if mark in names:
            return reader(head, memory)
    shown = b",".join(head[:1])[:80].decode(errors="replace")
    raise Damaged(
        f"header is none of Tardis: {shown}",
        "name a file of trades, quotes, book_snapshot_N or incremental_book_L2",
    )


class _TradeReader:
    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._rows = TardisRows(head, memory, ("id", "side", "price", "amount"))
        self._id, self._side, self._price, self._amount = self._rows.places

    def parse(self, line: bytes, number: int) -> MarketEvent | None:
        rows = self._rows
        row = rows.wanted(line, number)
        if row is None:
            return None
        text = row[self._id]
        # Many venues have ids that are no numbers; the model's 0 is "not known".
        trade_id = int(text) if text.isdigit() and len(text) <= 19 else 0
        return Trade(
            rows.instrument,
            tardis_time(row[rows.received]),
            positive(row[self._price], "price"),
            positive(row[self._amount], "amount"),
            aggressor_of(row[self._side]),
            trade_id if trade_id <= _MOST_ID else 0,
            tardis_time(row[rows.sent]),
        )


class _QuoteReader:
    _NAMES = ("bid_price", "bid_amount", "ask_price", "ask_amount")

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._memory = memory
        self._rows = TardisRows(head, memory, self._NAMES)

    def parse(self, line: bytes, number: int) -> MarketEvent | None:
        rows = self._rows
        row = rows.wanted(line, number)
        if row is None:
            return None
        received = tardis_time(row[rows.received])
        texts = [row[place] for place in rows.places]
        if _is_empty(texts[0], texts[1], "bid") or _is_empty(texts[2], texts[3], "ask"):
            self._memory.ignore("one-sided quote")
            return None
        bid, ask = positive(texts[0], "bid_price"), positive(texts[2], "ask_price")
        if bid > ask:
            raise Damaged(f"bid {bid} is above ask {ask}")
        return Quote(
            rows.instrument,
            received,
            bid,
            zero_or_more(texts[1], "bid_amount"),
            ask,
            zero_or_more(texts[3], "ask_amount"),
            tardis_time(row[rows.sent]),
        )


class _SnapshotReader:
    """Each row is a whole book of the first N levels; they are numbered by us."""

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._memory = memory
        names = Columns(head, {}, ()).names
        depth = next(i for i in count() if f"asks[{i}].price" not in names)
        self._rows = TardisRows(
            head,
            memory,
            [
                f"{side}[{i}].{what}"
                for side in ("bids", "asks")
                for i in range(depth)
                for what in ("price", "amount")
            ],
        )
        self._bids = self._rows.places[: 2 * depth]
        self._asks = self._rows.places[2 * depth :]

    def parse(self, line: bytes, number: int) -> MarketEvent | None:
        rows, memory = self._rows, self._memory
        row = rows.wanted(line, number)
        if row is None:
            return None
        memory.last_id += 1
        bids, asks = _levels(row, self._bids, "bid"), _levels(row, self._asks, "ask")
        if bids and asks and max(bids)[0] >= min(asks)[0]:
            raise Damaged(f"snapshot is crossed at {max(bids)[0]}")
        return BookSnapshot(
            rows.instrument,
            tardis_time(row[rows.received]),
            memory.last_id,
            bids,
            asks,
            tardis_time(row[rows.sent]),
        )


def _levels(row: list[bytes], places: Sequence[int], side: str) -> tuple[Level, ...]:
    """Return the levels of a side; a thin book has fewer than the columns."""
    pairs = zip(places[::2], places[1::2], strict=True)
    return tuple(
        (positive(row[price], side), zero_or_more(row[amount], f"{side} amount"))
        for price, amount in pairs
        if not _is_empty(row[price], row[amount], side)
    )


def _is_empty(price: bytes, amount: bytes, side: str) -> bool:
    """Tell whether a level is not there; half a level is damage."""
    if price and amount:
        return False
    if price or amount:
        missing = "amount" if price else "price"
        raise Damaged(f"{side} has no {missing}")
    return True
