"""An order book of one instrument, built from a snapshot and proven differences.

The Aggregator hands it every snapshot and difference of its instrument. A book that
cannot be proven equal to the venue's is not TRUSTED; it keeps its last levels for the
screen and must never look right without being right.

The proof is the venues' own: a difference continues update id u when its first id is
at most u + 1 (spot), or when it names u as the id before it (USD-M).
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from workstation.market.ladder import Ladder, flaw
from workstation.model.instruments import Side
from workstation.model.market import BookDelta, BookSnapshot, Level
from workstation.model.states import BookTrust

__all__ = ["BUFFER_LIMIT", "Book", "TrustChange"]

BUFFER_LIMIT = 1_024
"""Differences kept while a snapshot is awaited: over 100 s of a 100 ms stream."""


class TrustChange(Struct, frozen=True):
    """A book's trust before and after, why, and the update ids where they apply."""

    before: BookTrust
    after: BookTrust
    reason: str
    expected: int | None = None
    got: int | None = None


class Book:
    """One order book; implements ``model.ports.BookView``.

    ``applied`` and ``dropped`` count differences, ``gaps`` breaks of sequence,
    ``crossed`` events after which a bid was not below the asks, ``replaced`` snapshots
    that became the book and ``refused`` those that did not: older than the book or the
    differences that wait, without a level, or with one that cannot be.
    ``ticker_agreed`` of ``ticker_compared`` best-price messages with the id of the
    book gave the same top.
    """

    __slots__ = (
        "_asks",
        "_bids",
        "_buffer",
        "_floor",
        "_unproven",
        "applied",
        "crossed",
        "dropped",
        "gaps",
        "reason",
        "refused",
        "replaced",
        "ticker_agreed",
        "ticker_compared",
        "trust",
        "update_id",
    )

    def __init__(self) -> None:
        self.trust = BookTrust.NONE
        self.reason = "no book yet"
        self.update_id = 0
        self.applied = 0
        self.dropped = 0
        self.gaps = 0
        self.crossed = 0
        self.replaced = 0
        self.refused = 0
        self.ticker_agreed = 0
        self.ticker_compared = 0
        self._bids = Ladder(+1)
        self._asks = Ladder(-1)
        self._buffer: deque[BookDelta] = deque()
        # With nothing buffered, a snapshot below this id lacks changes we have seen.
        self._floor = 0
        # Set from a snapshot to its first difference, which may begin before it.
        self._unproven = False

    # --- changes -------------------------------------------------------------------

    def delta(self, event: BookDelta) -> TrustChange | None:
        """Apply, buffer or drop a difference; return a change of trust, if any."""
        if self.trust is not BookTrust.TRUSTED:
            return self._keep(event)
        update_id = self.update_id
        last_id = event.last_id
        if last_id <= update_id:
            self.dropped += 1
            return None
        previous_id = event.previous_id
        if previous_id is None:
            if update_id + 1 < event.first_id:
                return self._broken(event, "gap", update_id + 1, event.first_id)
        elif previous_id != update_id and not (
            self._unproven and previous_id < update_id
        ):
            word = "gap" if previous_id > update_id else "out of order"
            return self._broken(event, word, update_id, previous_id)
        if event.first_id > last_id:
            return self._broken(event, "ids reversed", event.first_id, last_id)
        bids = self._bids
        asks = self._asks
        sound = bids.apply(event.bids) and asks.apply(event.asks)
        self.update_id = last_id
        self._unproven = False
        if not sound:
            return self.distrust(f"unreadable level in update {last_id}", got=last_id)
        self.applied += 1
        if bids.keys and asks.keys and bids.keys[-1] + asks.keys[-1] >= 0.0:
            return self._cross()
        return None

    def snapshot(self, event: BookSnapshot) -> TrustChange | None:
        """Start anew from a snapshot and what was buffered since.

        One that is older than the book, or too old to connect with the buffer, changes
        nothing; one that cannot be right only takes the trust away.
        """
        last_id = event.last_id
        before = self.trust
        buffer = self._buffer
        newer = [delta for delta in buffer if delta.last_id > last_id]
        if before is BookTrust.TRUSTED:
            is_late = last_id < self.update_id
        elif newer:
            is_late = not _connects(last_id, newer[0])
        else:
            is_late = not buffer and last_id < self._floor
        if is_late:
            self.refused += 1
            return None
        bids, asks = event.bids, event.asks
        wrong = flaw(bids) or flaw(asks) or ("" if bids or asks else "no level")
        if wrong:
            self.refused += 1
            return self.distrust(f"{wrong} in snapshot {last_id}", got=last_id)
        self.dropped += len(buffer) - len(newer)
        buffer.clear()
        self.update_id = last_id
        self._bids.replace(bids)
        self._asks.replace(asks)
        self.replaced += 1
        self._unproven = True
        self.trust = BookTrust.TRUSTED
        self.reason = f"snapshot {last_id} and {len(newer)} buffered differences"
        expected = got = None
        if self._is_crossed():
            change = self._cross()
            if change is not None:
                got = change.got
        for delta in newer:
            # From a break on, the rest goes back into the buffer.
            change = self.delta(delta)
            if change is not None:
                expected, got = change.expected, change.got
        if self.trust is before:
            return None
        return TrustChange(before, self.trust, self.reason, expected, got)

    def distrust(
        self, reason: str, *, expected: int | None = None, got: int | None = None
    ) -> TrustChange | None:
        """Mark the book untrusted until the next snapshot that proves it.

        Return None where it was untrusted already; the newer reason is kept.
        """
        before = self.trust
        self.trust = BookTrust.UNTRUSTED
        self.reason = reason
        self._floor = self.update_id
        if before is BookTrust.UNTRUSTED:
            return None
        return TrustChange(before, self.trust, reason, expected, got)

    def restart(self, reason: str) -> TrustChange | None:
        """Mark it untrusted because the feed itself stopped; ids may begin anew."""
        self._buffer.clear()
        change = self.distrust(reason)
        self._floor = 0
        return change

    def _keep(self, event: BookDelta) -> TrustChange | None:
        buffer = self._buffer
        if buffer:
            tail = buffer[-1]
            if event.last_id <= tail.last_id:
                self.dropped += 1
                return None
            if not _continues(tail.last_id, event):
                # No snapshot before this hole can help any more.
                self.gaps += 1
                self.dropped += len(buffer)
                buffer.clear()
            elif len(buffer) >= BUFFER_LIMIT:
                self.dropped += 1
                buffer.popleft()
        elif event.last_id <= self._floor:
            self.dropped += 1
            return None
        buffer.append(event)
        if self.trust is not BookTrust.NONE:
            return None
        self.trust = BookTrust.SYNCING
        self.reason = "waiting for a snapshot"
        return TrustChange(BookTrust.NONE, BookTrust.SYNCING, self.reason)

    def _broken(
        self, event: BookDelta, word: str, expected: int, got: int
    ) -> TrustChange | None:
        self.gaps += 1
        self._buffer.append(event)
        return self.distrust(
            f"{word}: expected update {expected}, got {got}", expected=expected, got=got
        )

    def _is_crossed(self) -> bool:
        bids, asks = self._bids.keys, self._asks.keys
        return bool(bids and asks) and bids[-1] >= -asks[-1]

    def _cross(self) -> TrustChange | None:
        self.crossed += 1
        return self.distrust(
            f"crossed: bid {self._bids.keys[-1]!r} is not below ask "
            f"{-self._asks.keys[-1]!r} at update {self.update_id}",
            got=self.update_id,
        )

    # --- views ---------------------------------------------------------------------

    def best_bid(self) -> Level | None:
        """Return price and size of the best bid."""
        return self._bids.best()

    def best_ask(self) -> Level | None:
        """Return price and size of the best ask."""
        return self._asks.best()

    def bids(self, n: int) -> list[Level]:
        """Return the n best bids, best first."""
        return self._bids.top(n)

    def asks(self, n: int) -> list[Level]:
        """Return the n best asks, best first."""
        return self._asks.top(n)

    def depth(self) -> tuple[int, int]:
        """Return the count of bid and ask levels."""
        return len(self._bids), len(self._asks)

    def size_at(self, price: float) -> float:
        """Return the size at a price, on whichever side it is; 0.0 for no level."""
        return self._bids.size_at(price) or self._asks.size_at(price)

    def size_of(self, side: Side, n: int) -> float:
        """Return what an order of this side could take of the n best levels."""
        return self._facing(side).size(n)

    def size_to(self, side: Side, price: float) -> float:
        """Return what an order of this side could take at ``price`` and better."""
        return self._facing(side).size_to(price)

    def vwap_to(self, side: Side, size: float) -> float | None:
        """Return the average price an order of this side and size would take.

        None where the known levels do not hold as much.
        """
        return self._facing(side).vwap_to(size)

    def imbalance(self, n: int) -> float | None:
        """Return (bids − asks)/(bids + asks) of the n best sizes, in [−1, 1]."""
        return _signed_share(self._bids.size(n), self._asks.size(n))

    def weighted_imbalance(self, n: int, decay: float) -> float | None:
        """Return the imbalance with sizes weighted by e^(−distance/decay).

        The distance is a level's from the best price of its side, ``decay`` a price
        difference too: two ticks are usual. Raises ValueError if it is not positive.
        """
        if not decay > 0.0:
            raise ValueError(f"decay {decay!r} is no distance: give a price above 0")
        return _signed_share(
            self._bids.weighted_size(n, decay), self._asks.weighted_size(n, decay)
        )

    def microprice(self) -> float | None:
        """Return the mid weighted by the opposite sizes."""
        bid = self._bids.best()
        ask = self._asks.best()
        if bid is None or ask is None:
            return None
        return (bid[0] * ask[1] + ask[0] * bid[1]) / (bid[1] + ask[1])

    def _facing(self, side: Side) -> Ladder:
        return self._asks if side is Side.BUY else self._bids

    def compare_ticker(
        self, bid: float, bid_size: float, ask: float, ask_size: float
    ) -> bool:
        """Count whether best prices of this very update id equal the book's top."""
        self.ticker_compared += 1
        agrees = self._bids.best() == (bid, bid_size) and self._asks.best() == (
            ask,
            ask_size,
        )
        self.ticker_agreed += agrees
        return agrees

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        return (
            self.trust.value,
            self.reason,
            self.update_id,
            self.applied,
            self.dropped,
            self.gaps,
            self.crossed,
            self.replaced,
            self.refused,
            self.ticker_agreed,
            self.ticker_compared,
            self._floor,
            self._unproven,
            [(delta.first_id, delta.last_id) for delta in self._buffer],
            self._bids.top(len(self._bids)),
            self._asks.top(len(self._asks)),
        )


def _continues(update_id: int, event: BookDelta) -> bool:
    if event.previous_id is None:
        return event.first_id <= update_id + 1
    return event.previous_id == update_id


def _signed_share(bids: float, asks: float) -> float | None:
    total = bids + asks
    return (bids - asks) / total if total > 0.0 else None


def _connects(snapshot_id: int, event: BookDelta) -> bool:
    """Tell whether nothing is missing from a snapshot to its first difference.

    A difference holds absolute sizes for all of (previous, last], so it may begin
    before the snapshot.
    """
    if event.previous_id is None:
        return event.first_id <= snapshot_id + 1
    return event.previous_id <= snapshot_id
