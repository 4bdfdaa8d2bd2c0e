"""Incremental books of Tardis: rows of one level each, grouped into book events.

The feed has no update ids, so messages are numbered here, over all files of a symbol.
Wherever a change may be missing the numbers have a hole: the book then sees a gap and
is untrusted until the next snapshot. Half a snapshot is never given.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.model.market import BookDelta, BookSnapshot, Level
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory
from workstation.venues.file.table import boolean, positive, zero_or_more
from workstation.venues.file.tardis_rows import TardisRows
from workstation.venues.file.times import tardis_time

__all__ = ["TardisBookReader"]


class _Group:
    """Rows of one message. Damage beside a row may have been a row of it too."""

    __slots__ = ("asks", "bids", "is_snapshot", "is_whole", "received", "sent")

    def __init__(
        self, is_snapshot: bool, received: int, sent: int, is_whole: bool
    ) -> None:
        self.is_snapshot = is_snapshot
        self.received = received
        self.sent = sent
        self.is_whole = is_whole
        self.bids: list[Level] = []
        self.asks: list[Level] = []

    def holds(self, is_snapshot: bool, received: int, sent: int) -> bool:
        return (
            self.received == received
            and self.is_snapshot == is_snapshot
            and (is_snapshot or self.sent == sent)
        )


class TardisBookReader:
    """Reads one file; an event is given once the row after its last has come."""

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._memory = memory
        self._rows = TardisRows(
            head, memory, ("is_snapshot", "side", "price", "amount")
        )
        self._group: _Group | None = None
        self._is_after_damage = False
        if memory.last_id:
            # Nothing proves that this file continues the one before.
            memory.last_id += 1
        self._last_ts = memory.last_ts

    def parse(self, line: bytes, number: int) -> BookSnapshot | BookDelta | None:
        """Return the event that a row ends, if it does."""
        try:
            return self._take(line, number)
        except (Damaged, ValueError):
            self._is_after_damage = True
            if self._group is not None:
                self._group.is_whole = False
            raise

    def finish(self) -> BookSnapshot | BookDelta | None:
        """Return the event of the last rows."""
        group, self._group = self._group, None
        return None if group is None else self._event(group)

    def _take(self, line: bytes, number: int) -> BookSnapshot | BookDelta | None:
        rows = self._rows
        row = rows.wanted(line, number)
        if row is None:
            return None
        snapshot_at, side_at, price_at, amount_at = rows.places
        received, sent = tardis_time(row[rows.received]), tardis_time(row[rows.sent])
        is_snapshot = boolean(row[snapshot_at], "is_snapshot")
        side = row[side_at]
        level = positive(row[price_at], "price"), zero_or_more(row[amount_at], "amount")
        if side not in (b"bid", b"ask"):
            shown = side[:40].decode(errors="replace")
            raise Damaged(f"side {shown!r} is neither bid nor ask")
        if received < self._last_ts:
            back = (self._last_ts - received) / 1e9
            raise Damaged(f"time goes back by {back:.9g} s")
        self._last_ts = received
        group, done = self._group, None
        if group is None or not group.holds(is_snapshot, received, sent):
            done = group
            is_whole = not self._is_after_damage
            group = self._group = _Group(is_snapshot, received, sent, is_whole)
        self._is_after_damage = False
        (group.bids if side == b"bid" else group.asks).append(level)
        return None if done is None else self._event(done)

    def _event(self, group: _Group) -> BookSnapshot | BookDelta | None:
        memory, instrument = self._memory, self._rows.instrument
        if not group.is_whole:
            memory.last_id += 1
            if group.is_snapshot:
                memory.ignore("snapshot beside a damaged row")
                return None
        memory.last_id += 1
        number = memory.last_id
        if group.is_snapshot:
            return BookSnapshot(
                instrument,
                group.received,
                number,
                _last_of_each(group.bids),
                _last_of_each(group.asks),
                group.sent,
            )
        return BookDelta(
            instrument,
            group.received,
            number,
            number,
            tuple(group.bids),
            tuple(group.asks),
            group.sent,
        )


def _last_of_each(levels: list[Level]) -> tuple[Level, ...]:
    """Return the levels that are there; of several rows for a price the last counts."""
    return tuple((price, size) for price, size in dict(levels).items() if size)
