"""The orders of an Executor: open ones by row, the last closed ones, sums of pending.

Only the order desk changes them. The sums are kept, not counted, so that a check
costs the same with one order and with fifty thousand.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from msgspec.structs import replace

from workstation.execution.resting import Resting
from workstation.execution.tracked import Tracked, worth_of
from workstation.kernel.clock import as_of
from workstation.model.instruments import Side
from workstation.model.orders import TERMINAL, Order, OrderRole, OrderStatus

__all__ = ["Orders"]

ZERO = Decimal(0)
_BUY, _SELL = Side.BUY, Side.SELL
_SUBMITTED, _UNKNOWN = OrderStatus.SUBMITTED, OrderStatus.UNKNOWN
_HELD = OrderStatus.HELD
# Two hundred bytes each; they matter for as long as books and venue differ.
_MOST_ELSEWHERE = 10_000
_MOST_DIGITS = 19
_NOT_AT_VENUE = TERMINAL | {OrderStatus.INITIALIZED, OrderStatus.HELD}
# A held entry may fill like one that the venue has; what is held to close may not: its
# quantity is worked out when it is released.
_NOT_PENDING = TERMINAL | {OrderStatus.INITIALIZED}


class Orders:
    """All open orders and the newest ``keep_closed`` final ones, in order of age."""

    def __init__(self, keep_closed: int) -> None:
        self._keep_closed = keep_closed
        self._open: dict[str, Tracked] = {}
        # Ordered: finding the first key of a dict whose first ones were deleted costs
        # a look at each of those.
        self._closed: OrderedDict[str, Tracked] = OrderedDict()
        self._rows: dict[tuple[str, str], dict[str, Tracked]] = {}
        self.resting = Resting()
        """What waits at a price at the venue."""
        self._inferred: dict[str, Tracked] = {}
        self._pending: dict[tuple[str, Side], Decimal] = {}
        self._worth: dict[tuple[str, Side], Decimal] = {}
        self._closing: dict[tuple[str, str, Side], Decimal] = {}
        self.pending_value = ZERO
        self.made = 0
        self.mark = ""
        """What sets the ids given here apart from those of another journal."""
        # The highest number under each mark that earlier runs gave ids with.
        self._before: dict[str, int] = {}
        # Of orders made elsewhere: numbers that no new order may bear, and ids.
        self._taken: set[int] = set()
        self._elsewhere: dict[str, None] = {}
        self.sent = 0
        self.at_venue = 0
        self.unknown = 0

    def add(self, tracked: Tracked) -> None:
        """Take a new order that has not been sent."""
        self.made += 1
        if self._taken:
            self._pass_over()
        self._list(tracked)

    def adopt(self, tracked: Tracked) -> None:
        """Take an order that was not made here; no new one gets its id."""
        order_id = tracked.order.id
        self._elsewhere[order_id] = None
        if len(self._elsewhere) > _MOST_ELSEWHERE:
            del self._elsewhere[next(iter(self._elsewhere))]
        mark, number = _split(order_id)
        if mark == self.mark and number > self.made:
            self._taken.add(number)
            self._pass_over()
        self._list(tracked)

    def take_up(self, tracked: Tracked) -> None:
        """Take an order that an earlier run made; no new one gets its id."""
        mark, number = _split(tracked.order.id)
        self.made = max(self.made, number)
        if mark is not None:
            self._before[mark] = max(self._before.get(mark, 0), number)
        self._pass_over()
        self._list(tracked)

    def gave(self, mark: str) -> None:
        """Note that an earlier run gave ids with this mark."""
        self._before.setdefault(mark, 0)

    def next_id(self) -> str:
        """Return the client order id of the order that is made next."""
        return f"o{self.mark}-{self.made + 1}"

    def is_ours(self, order_id: str) -> bool:
        """Tell whether an id is one that orders made here, in any run, have."""
        mark, number = _split(order_id)
        return number > 0 and (mark == self.mark or mark in self._before)

    def is_by_hand_since(self, order: Order, ns: int | None) -> bool:
        """Tell whether an order was made elsewhere, and after ``ns``, if then at all.

        One of ours is older than any kill: it may have been given to an owner since.
        """
        return ns is not None and order.created_ns > ns and not self.is_ours(order.id)

    def _pass_over(self) -> None:
        while self.made + 1 in self._taken:
            self.made += 1
            self._taken.discard(self.made)

    def _list(self, tracked: Tracked) -> None:
        order = tracked.order
        self._open[order.id] = tracked
        row = self._rows.get((order.owner, order.instrument))
        if row is None:
            row = self._rows[(order.owner, order.instrument)] = {}
        row[order.id] = tracked

    def update(self, tracked: Tracked, after: Order) -> None:
        """Put the order's successor in its place and keep the sums true."""
        before = tracked.order
        tracked.order = after
        was, now = before.status, after.status
        was_there, is_there = was not in _NOT_AT_VENUE, now not in _NOT_AT_VENUE
        if (
            is_there != was_there
            or after.filled is not before.filled
            or after.quantity is not before.quantity
            or after.price is not before.price
            or after.type is not before.type
            or after.trigger is not before.trigger
            or now is _HELD
            or was is _HELD
        ):
            # Most moves change none of these: an answer, a cancel that is asked for.
            self._add_up(tracked, before, was_there=was_there, is_there=is_there)
        if after.inferred is not before.inferred:
            if after.inferred:
                self._inferred[after.id] = tracked
            else:
                del self._inferred[after.id]
        if was is now:
            return
        if was_there and is_there and was is not _UNKNOWN and now is not _UNKNOWN:
            # One that works goes on working: no count changes.
            return
        if is_there != was_there:
            self.at_venue += 1 if is_there else -1
        if now is _SUBMITTED and not was_there:
            self.sent += 1
        if now is _UNKNOWN:
            self.unknown += 1
        elif was is _UNKNOWN:
            self.unknown -= 1
        if now in TERMINAL:
            if was not in TERMINAL:
                self._close(tracked)
        elif was in TERMINAL:
            # It was taken for over, and is not.
            self._closed.pop(after.id, None)
            self._list(tracked)

    def _add_up(
        self, tracked: Tracked, before: Order, *, was_there: bool, is_there: bool
    ) -> None:
        """Keep the sums of what may fill, and the prices that rest, true."""
        after = tracked.order
        if after.reduce_only:
            change = after.remaining if is_there else ZERO
            if was_there:
                change -= before.remaining
            if change:
                row = (after.owner, after.instrument, after.side)
                self._closing[row] = self._closing.get(row, ZERO) + change
        else:
            self._pend(tracked, before)
        price = after.price
        if price is not None:
            if not is_there:
                if was_there:
                    self.resting.take(after)
            elif after.trigger is not None and after.is_untriggered:
                # It is in no book before its trigger was met.
                pass
            elif not was_there or price is not before.price or before.is_untriggered:
                self.resting.put(after, tracked.asked)

    def _pend(self, tracked: Tracked, before: Order) -> None:
        """Count an entry for what it may still fill, at what that is worth."""
        after = tracked.order
        left = had = ZERO
        if after.status not in _NOT_PENDING:
            left = after.remaining
        if before.status not in _NOT_PENDING:
            had = before.remaining
        side = (after.instrument, after.side)
        change = left - had
        pending = self._pending.get(side, ZERO) + change
        value = change * worth_of(tracked, after)
        if had and not (
            after.price is before.price
            and after.trigger is before.trigger
            and after.type is before.type
        ):
            value += had * (worth_of(tracked, after) - worth_of(tracked, before))
        self.pending_value += value
        if pending:
            self._pending[side] = pending
            self._worth[side] = self._worth.get(side, ZERO) + value
        else:
            # Whoever adds up what is pending looks at as few as there are.
            self._pending.pop(side, None)
            self._worth.pop(side, None)

    def reshape(
        self, tracked: Tracked, quantity: Decimal, price: Decimal | None
    ) -> None:
        """Count an order for the worse of what it is and what it is asked to become.

        ``quantity`` is the whole one, ``price`` a waiting stop's trigger where it has
        no limit; without one it stays. What it grows by counts until ``reshaped``,
        whatever fills meanwhile.
        """
        order = tracked.order
        was = worth_of(tracked, order)
        worth = was if price is None else price
        more = max(ZERO, quantity - order.quantity)
        stays = max(ZERO, min(quantity, order.quantity) - order.filled)
        tracked.reshaping = True
        tracked.growth = more, more * worth + stays * max(ZERO, worth - was)
        self._grow(order, *tracked.growth)
        if price is not None and order.price is not None:
            tracked.asked = price
            self.resting.expect(order, price)

    def reshaped(self, tracked: Tracked) -> None:
        """Note that the venue has said what became of a change."""
        tracked.asked = None
        if tracked.reshaping:
            self.resting.settle(tracked.order)
        tracked.reshaping = False
        self._shrink(tracked)

    def _shrink(self, tracked: Tracked) -> None:
        if tracked.growth is not None:
            more, value = tracked.growth
            tracked.growth = None
            self._grow(tracked.order, -more, -value)

    def _grow(self, order: Order, quantity: Decimal, value: Decimal) -> None:
        if order.reduce_only:
            row = (order.owner, order.instrument, order.side)
            self._closing[row] = self._closing.get(row, ZERO) + quantity
            return
        side = (order.instrument, order.side)
        self.pending_value += value
        pending = self._pending.get(side, ZERO) + quantity
        if pending:
            self._pending[side] = pending
            self._worth[side] = self._worth.get(side, ZERO) + value
        else:
            self._pending.pop(side, None)
            self._worth.pop(side, None)

    def _close(self, tracked: Tracked) -> None:
        self._shrink(tracked)
        self._unlist(tracked)
        closed = self._closed
        closed[tracked.order.id] = tracked
        if len(closed) > self._keep_closed:
            oldest, _ = closed.popitem(last=False)
            if self._inferred:
                self._inferred.pop(oldest, None)

    def _unlist(self, tracked: Tracked) -> None:
        order = tracked.order
        del self._open[order.id]
        # The row stays, empty: its next order need not make it again.
        del self._rows[order.owner, order.instrument][order.id]

    def settle(self, ts: int, killed_ns: int | None) -> int:
        """Let what is later than ``ts``, by another clock, be of ``ts``.

        What came after the kill goes on to be later than it. Returns by how much the
        latest was later.
        """
        later_ns = 0
        for tracked in (*self._open.values(), *self._closed.values()):
            order = tracked.order
            # By a clock that has been put back it would be on its way for ever.
            tracked.sent_ns = min(tracked.sent_ns, ts)
            tracked.spoken_ns = min(tracked.spoken_ns, ts)
            tracked.heard_ns = min(tracked.heard_ns, ts)
            if order.updated_ns > ts:
                later_ns = max(later_ns, order.updated_ns - ts)
                tracked.order = replace(
                    order,
                    created_ns=as_of(order.created_ns, ts, killed_ns),
                    updated_ns=ts,
                )
        return later_ns

    def reopen(self, tracked: Tracked) -> None:
        """Make an order Unknown that is on record with fills that are not booked."""
        order = tracked.order
        booked = sum(tracked.trades.values(), ZERO)
        if self._closed.pop(order.id, None) is not None:
            tracked.order = replace(order, status=OrderStatus.INITIALIZED)
            self._list(tracked)
        self.update(tracked, replace(order, status=_UNKNOWN, filled=booked))

    def reassign(self, tracked: Tracked, owner: str, role: OrderRole) -> None:
        """Give an order that is no reduce-only one to another owner."""
        self._unlist(tracked)
        tracked.order = replace(tracked.order, owner=owner, role=role)
        self._list(tracked)

    @contextmanager
    def without(self, tracked: Tracked) -> Iterator[None]:
        """Leave an open order out of the sums for as long as this lasts.

        So that its successor is judged in its place, and not on top of it. The sums
        are put back as they were, digit by digit.
        """
        order = tracked.order
        name, row = order.instrument, (order.owner, order.instrument)
        kept = self._pending, self._worth, self._closing, self._rows
        sums = self.pending_value, self.at_venue
        if order.status not in _NOT_AT_VENUE:
            self.at_venue -= 1
        more, more_value = tracked.growth or (ZERO, ZERO)
        if order.reduce_only:
            if order.status not in _NOT_AT_VENUE:
                closed = (*row, order.side)
                left = self._closing.get(closed, ZERO) - order.remaining - more
                self._closing = {**self._closing, closed: left}
        elif order.status not in _NOT_PENDING:
            side = (name, order.side)
            left = self._pending.get(side, ZERO) - order.remaining - more
            value = order.remaining * worth_of(tracked, order) + more_value
            before = self._worth.get(side, ZERO)
            self._pending = {**self._pending, side: left}
            self._worth = {**self._worth, side: before - value}
            self.pending_value -= value
        others = {id: t for id, t in self._rows.get(row, {}).items() if id != order.id}
        self._rows = {**self._rows, row: others}
        try:
            yield
        finally:
            self._pending, self._worth, self._closing, self._rows = kept
            self.pending_value, self.at_venue = sums

    def get(self, order_id: str) -> Tracked | None:
        """Return the order, or None when it never was or is no longer kept."""
        return self._open.get(order_id) or self._closed.get(order_id)

    def at(self, instrument: str, venue_id: str | None) -> Order | None:
        """Return the kept order that the venue knows by this id of its own, if any.

        Looks at all of them: only who has met a stranger asks.
        """
        if not venue_id:
            return None
        for order in self.all():
            if order.venue_id == venue_id and order.instrument == instrument:
                return order
        return None

    def knew(self, order_id: str) -> bool:
        """Tell whether an order of this id is or was here, in any run of the account.

        Of those made elsewhere the last ten thousand count.
        """
        mark, number = _split(order_id)
        last = self._before.get(mark or "", 0)
        if mark == self.mark:
            last = self.made
        return 0 < number <= last or order_id in self._elsewhere

    def row(self, owner: str, instrument: str) -> list[Tracked]:
        """Return the open orders of one row, oldest first."""
        row = self._rows.get((owner, instrument))
        return list(row.values()) if row else []

    def orders_in(self, owner: str, instrument: str) -> list[Order]:
        """Return them as orders."""
        row = self._rows.get((owner, instrument))
        return [tracked.order for tracked in row.values()] if row else []

    def has_entry(self, owner: str, instrument: str) -> str | None:
        """Return the id of an open order that may open or add to the position."""
        row = self._rows.get((owner, instrument))
        if row:
            for tracked in row.values():
                if not tracked.order.reduce_only:
                    return tracked.order.id
        return None

    def open(self) -> list[Tracked]:
        """Return all open orders, oldest first."""
        return list(self._open.values())

    def working(self) -> list[Tracked]:
        """Return the orders that the venue has or may have, oldest first."""
        return [t for t in self._open.values() if t.order.status not in _NOT_AT_VENUE]

    def inferred(self) -> list[Tracked]:
        """Return the kept orders whose end was concluded, not reported."""
        return list(self._inferred.values())

    def open_in(self, instrument: str) -> list[Tracked]:
        """Return the open orders in one instrument, oldest first."""
        return [t for t in self._open.values() if t.order.instrument == instrument]

    def held(self) -> list[Order]:
        """Return what is kept here until its trigger, oldest first."""
        return [
            t.order for t in self._open.values() if t.order.status is OrderStatus.HELD
        ]

    def flattened(self) -> list[str]:
        """Return the ids of the kept entries whose fills are closed as they come."""
        kept = (*self._closed.values(), *self._open.values())
        return [t.order.id for t in kept if t.flattened]

    def all(self) -> Iterator[Order]:
        """Yield every kept order: the closed ones first, then the open ones."""
        for tracked in self._closed.values():
            yield tracked.order
        for tracked in self._open.values():
            yield tracked.order

    def pending(self, instrument: str, side: Side) -> Decimal:
        """Return what all owners' entries on this side may still fill."""
        return self._pending.get((instrument, side), ZERO)

    def pending_worth(self, instrument: str, side: Side) -> Decimal:
        """Return its notional, at the price each entry was judged at."""
        return self._worth.get((instrument, side), ZERO)

    def pending_elsewhere(self, instrument: str) -> Decimal:
        """Return the notional that entries in all other instruments may still add."""
        own = self.pending_worth(instrument, _BUY)
        return self.pending_value - own - self.pending_worth(instrument, _SELL)

    def pending_instruments(self) -> Iterator[str]:
        """Yield the instruments with entries on their way; twice where both sides."""
        for instrument, _ in self._pending:
            yield instrument

    def closing(self, owner: str, instrument: str, side: Side) -> Decimal:
        """Return what this owner's reduce-only orders at the venue may still fill."""
        return self._closing.get((owner, instrument, side), ZERO)

    def reducing(self, owner: str, instrument: str) -> list[Tracked]:
        """Return what only closes a row's position, without what is held to protect it.

        Oldest first.
        """
        row = self._rows.get((owner, instrument))
        if not row:
            return []
        return [
            tracked
            for tracked in row.values()
            if tracked.order.reduce_only
            and not (tracked.order.is_leg and tracked.order.status is _HELD)
        ]

    def entries(self, owner: str | None = None) -> list[Tracked]:
        """Return open orders that are no protection and reduce nothing."""
        return [
            t
            for t in self._open.values()
            if t.order.may_open and (owner is None or t.order.owner == owner)
        ]


def _split(order_id: str) -> tuple[str | None, int]:
    """Return mark and number of an id as orders made here have it; else None and 0."""
    head, _, number = order_id.partition("-")
    if not (head.startswith("o") and number.isdecimal() and len(number) < _MOST_DIGITS):
        return None, 0
    return head[1:], int(number)
