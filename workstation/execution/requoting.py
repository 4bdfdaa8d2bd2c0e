"""Requoting: the fewest steps from the orders that work to those that are desired.

A pure function of the wish, the working orders, the market and the time; the quoting
desk carries the steps out. A keep is better than a change, a change better than a
cancel with a new order: it is one request and leaves no moment without the quote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import zip_longest

from msgspec.structs import replace

from workstation.execution.levels import Touch, Want, crosses, wanted
from workstation.execution.matching import Box, Point, keep
from workstation.execution.settings import QuotingSettings
from workstation.execution.steps import Step, StepKind, Why
from workstation.execution.working import Phase, Working
from workstation.model.desired import DesiredOrders
from workstation.model.instruments import Instrument, Side
from workstation.model.timeframes import NS_PER_MS

__all__ = ["requote"]

_BUY, _SELL = Side.BUY, Side.SELL
# A float that should be a whole number of ticks may be a hair below it.
_HAIR = 1e-9
_GONE = {Phase.LEAVING: Why.LEAVING, Phase.UNKNOWN: Why.FATE_UNKNOWN}
_BUSY = {Phase.SENT: Why.SENT, Phase.CHANGING: Why.CHANGING}


def requote(
    desired: DesiredOrders,
    working: Sequence[Working],
    rules: QuotingSettings,
    instrument: Instrument,
    touch: Touch,
    *,
    can_modify: bool,
    now_ns: int,
) -> list[Step]:
    """Return what to do: cancels, changes and new orders from the best price out.

    Then what is kept, waits or is left out. Each working order is in exactly one step,
    but for one that is canceled for a new order, which follows. Nothing is kept that
    would take or meet an own order; an order whose cancel is under way, or whose fate
    is unknown, is left alone and counts as working. O(n log n).
    """
    # The oldest first, and the same whatever order they come in.
    working = sorted(working, key=lambda each: (each.since_ns, each.order_id))
    wants, dropped = wanted(desired, instrument, touch, rules.would_take)
    sides = {
        side: _SideOf(
            side,
            wants[side],
            [each for each in working if each.side is side],
            rules,
            instrument,
            can_modify,
            now_ns,
        )
        for side in (_BUY, _SELL)
    }
    for side, own in sides.items():
        other = wants[side.opposite]
        own.decide(touch.against(side), other[0].price if other else None, desired)
    for side, own in sides.items():
        own.admit(sides[side.opposite])
    both = [sides[_BUY], sides[_SELL]]
    return [
        *_by_turns([own.cancels for own in both]),
        *_by_turns([own.changes for own in both]),
        *_by_turns([own.places for own in both]),
        *_by_turns([own.rest for own in both]),
        *dropped,
    ]


def _by_turns(lists: Sequence[list[Step]]) -> Iterator[Step]:
    for steps in zip_longest(*lists):
        yield from (step for step in steps if step is not None)


class _Live:
    """A working order in ticks and lots, best price first by ``rank``."""

    __slots__ = ("is_movable", "is_young", "lots", "order", "rank", "unsafe")

    def __init__(self, order: Working, rank: int, lots: int) -> None:
        self.order = order
        self.rank = rank
        self.lots = lots
        self.unsafe: tuple[Why, Decimal | None] | None = None
        self.is_young = False
        self.is_movable = False


class _SideOf:
    """One side of one row: ``decide`` pairs it up, ``admit`` looks for room."""

    def __init__(
        self,
        side: Side,
        wants: list[Want],
        working: list[Working],
        rules: QuotingSettings,
        instrument: Instrument,
        can_modify: bool,
        now_ns: int,
    ) -> None:
        self.side = side
        self.cancels: list[Step] = []
        self.changes: list[Step] = []
        self.places: list[Step] = []
        self.rest: list[Step] = []
        self._wants = wants
        self._rules = rules
        self._lifetime_ns = rules.min_lifetime_ms * NS_PER_MS
        self._can_modify = can_modify
        self._now_ns = now_ns
        self._tick, self._lot = instrument.tick_size, instrument.lot_size
        self._sign = -side.sign
        self._working = working
        self._asked = [self._lots(want.quantity) for want in wants]
        # What a change adds to its order, by order id; for the room on this side.
        self._old_lots: dict[str, int] = {}
        self._taken = 0

    def _rank(self, price: Decimal) -> int:
        return self._sign * int(price / self._tick)

    def _lots(self, quantity: Decimal) -> int:
        return int(quantity / self._lot)

    # Which order for which level.

    def decide(
        self, at: Decimal | None, other: Decimal | None, desired: DesiredOrders
    ) -> None:
        """Pair levels and orders; ``at`` is the market's price, ``other`` our own."""
        live = self._live(at, other, desired)
        safe = [each for each in live if each.unsafe is None]
        kept = keep(
            [self._box(*pair) for pair in zip(self._wants, self._asked, strict=True)],
            [Point(each.rank, each.lots) for each in safe],
        )
        taken = set()
        left = []
        for index, point in enumerate(kept):
            if point is None:
                left.append(index)
                continue
            each = safe[point]
            taken.add(each.order.order_id)
            self._taken += self._asked[index]
            self.rest.append(self._step(StepKind.KEEP, Why.WITHIN, index, each))
        self._pair(left, [e for e in live if e.order.order_id not in taken])

    def _live(
        self, at: Decimal | None, other: Decimal | None, desired: DesiredOrders
    ) -> list[_Live]:
        exact = {want.price for want in self._wants}
        live = []
        for order in self._working:
            if order.phase in _GONE:
                self._taken += self._lots(order.at_worst)
                self.rest.append(self._of(StepKind.WAIT, _GONE[order.phase], order))
                continue
            each = _Live(order, self._rank(order.price), self._lots(order.quantity))
            if crosses(order.price, other, self.side):
                each.unsafe = Why.MEETS_OWN, other
            elif crosses(order.price, at, self.side) and (
                desired.post_only or order.price not in exact
            ):
                each.unsafe = Why.TAKES, at
            age_ns = self._now_ns - order.since_ns
            each.is_young = age_ns < self._lifetime_ns and each.unsafe is None
            each.is_movable = (
                self._can_modify
                and order.phase is Phase.OPEN
                and not order.rigid
                and not each.is_young
            )
            live.append(each)
        live.sort(key=lambda each: (each.rank, each.order.since_ns))
        return live

    def _box(self, want: Want, lots: int) -> Box:
        rank = self._rank(want.price)
        reach = int(abs(rank) * self._rules.keep_bps / 10_000 + _HAIR)
        slack = int(lots * self._rules.keep_size + _HAIR)
        return Box(rank, lots, rank - reach, rank + reach, lots - slack, lots + slack)

    def _pair(self, left: list[int], spare: list[_Live]) -> None:
        """Give the levels that are left an order to change, or a new one."""
        small = [index for index in left if self._wants[index].small]
        left = [index for index in left if not self._wants[index].small]
        for index in small:
            want = self._wants[index]
            self.rest.append(self._new(StepKind.DROP, Why.BELOW_MINIMUM, want))
        pairs: dict[int, _Live] = {}
        # An order that keeps its price may keep its place in the queue.
        at_price: dict[int, list[_Live]] = {}
        for each in reversed(spare):
            if each.is_movable:
                at_price.setdefault(each.rank, []).append(each)
        used = set()
        for index in left:
            same = at_price.get(self._rank(self._wants[index].price))
            if same:
                pairs[index] = same.pop()
                used.add(pairs[index].order.order_id)
        others = [each for each in spare if each.order.order_id not in used]
        others.sort(key=lambda each: not each.is_movable)
        unpaired = [index for index in left if index not in pairs]
        chosen, surplus = others[: len(unpaired)], others[len(unpaired) :]
        chosen.sort(key=lambda each: each.rank)
        pairs |= dict(zip(unpaired, chosen, strict=False))
        surplus.sort(key=lambda each: each.rank)
        for each in surplus:
            self._cancel(each, None)
        for index in left:
            if index in pairs:
                self._replace(index, pairs[index])
            else:
                place = self._new(StepKind.PLACE, Why.MISSING, self._wants[index])
                self.places.append(place)

    def _replace(self, index: int, each: _Live) -> None:
        order = each.order
        why = (
            Why.PRICE
            if self._rank(self._wants[index].price) != each.rank
            else (Why.SIZE)
        )
        limit = None
        if each.unsafe is not None:
            why, limit = each.unsafe
        if each.is_movable:
            self._old_lots[order.order_id] = each.lots
            self._taken += each.lots
            self.changes.append(
                self._step(StepKind.MODIFY, why, index, each, limit=limit)
            )
        elif each.unsafe is None and order.phase in _BUSY:
            self._hold(each)
            wait = _BUSY[order.phase]
            self.rest.append(self._step(StepKind.WAIT, wait, index, each))
        elif each.is_young:
            self._hold(each)
            self.rest.append(
                self._step(
                    StepKind.WAIT,
                    Why.YOUNG,
                    index,
                    each,
                    not_before_ns=order.since_ns + self._lifetime_ns,
                )
            )
        else:
            self._cancel(each, index)
            self.places.append(self._new(StepKind.PLACE, why, self._wants[index]))

    def _hold(self, each: _Live) -> None:
        self._taken += self._lots(each.order.at_worst)

    def _cancel(self, each: _Live, index: int | None) -> None:
        self._hold(each)
        why, limit = Why.NOT_WANTED, None
        if each.unsafe is not None:
            why, limit = each.unsafe
        elif index is not None:
            same = self._rank(self._wants[index].price) == each.rank
            why = Why.SIZE if same else Why.PRICE
        self.cancels.append(self._of(StepKind.CANCEL, why, each.order, limit=limit))

    # Whether there is room for it.

    def admit(self, other: _SideOf) -> None:
        """Let changes and new orders wait that would be too much, or meet our own.

        Until the venue has answered, an order works at the worst it may be.
        """
        most = int(sum(self._asked) * (1 + self._rules.overlap) + _HAIR)
        nearest = other._nearest()
        changes, self.changes = self.changes, []
        for step in changes:
            old = self._old_lots[step.order_id]
            self._let(step, max(0, self._lots(step.quantity) - old), most, nearest)
        places, self.places = self.places, []
        for step in places:
            self._let(step, self._lots(step.quantity), most, nearest)

    def _nearest(self) -> Working | None:
        """Return the order of this side that the other side would meet first."""
        best = max if self.side is _BUY else min
        return best(self._working, key=lambda each: each.reach, default=None)

    def _let(self, step: Step, added: int, most: int, nearest: Working | None) -> None:
        why, limit, blocker = None, None, ""
        if nearest is not None and crosses(step.price, nearest.reach, self.side):
            why, limit, blocker = Why.IN_THE_WAY, nearest.reach, nearest.order_id
        if why is None and added and self._taken + added > most:
            why, limit = Why.NO_ROOM, self._taken * self._lot
        if why is None:
            self._taken += added
            (self.changes if step.kind is StepKind.MODIFY else self.places).append(step)
            return
        if why is Why.IN_THE_WAY and step.why is Why.MEETS_OWN and step.order_id:
            # Each of the two would wait for the other to move away.
            order = next(o for o in self._working if o.order_id == step.order_id)
            self.cancels.append(
                self._of(StepKind.CANCEL, Why.MEETS_OWN, order, limit=limit)
            )
            step = replace(step, order_id="")
        self.rest.append(
            Step(
                kind=StepKind.WAIT,
                side=self.side,
                why=why,
                order_id=step.order_id,
                level=step.level,
                price=step.price,
                quantity=step.quantity,
                limit=limit,
                other=blocker,
            )
        )

    # Steps.

    def _step(
        self,
        kind: StepKind,
        why: Why,
        index: int,
        each: _Live,
        *,
        limit: Decimal | None = None,
        not_before_ns: int | None = None,
    ) -> Step:
        want, order = self._wants[index], each.order
        rank = self._rank(want.price)
        asked = self._asked[index]
        there = kind is StepKind.KEEP
        return Step(
            kind=kind,
            side=self.side,
            why=why,
            order_id=order.order_id,
            level=want.level,
            price=order.price if there else want.price,
            quantity=order.quantity if there else want.quantity,
            off_bps=abs(each.rank - rank) / abs(rank) * 10_000,
            off_size=abs(each.lots - asked) / asked,
            limit=limit,
            moved_from=want.moved_from,
            not_before_ns=not_before_ns,
        )

    def _of(
        self, kind: StepKind, why: Why, order: Working, limit: Decimal | None = None
    ) -> Step:
        return Step(
            kind=kind,
            side=self.side,
            why=why,
            order_id=order.order_id,
            price=order.price,
            quantity=order.quantity,
            limit=limit,
        )

    def _new(self, kind: StepKind, why: Why, want: Want) -> Step:
        return Step(
            kind=kind,
            side=self.side,
            why=why,
            level=want.level,
            price=want.price,
            quantity=want.quantity,
            moved_from=want.moved_from,
        )
