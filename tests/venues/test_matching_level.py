"""The queue at one price: the same story told to a level and lived by every order."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.model.instruments import Side
from workstation.venues.matching.level import TELLING_NS, Level, Shrink
from workstation.venues.matching.orders import UNKNOWN, Terms, Working
from workstation.venues.matching.outside import Front

D = Decimal
LOT = D(1)
PRICE = D(100)
BEHIND, PROPORTIONAL = Shrink.BEHIND, Shrink.PROPORTIONAL


def working(quantity: int, number: int = 1) -> Working:
    return Working(
        Terms(
            id=f"o{number}",
            account="us",
            instrument="X",
            side=Side.BUY,
            quantity=D(quantity),
            price=PRICE,
        ),
        number,
    )


def level(shown: int, *quantities: int) -> tuple[Level, list[Working]]:
    made = Level(PRICE, D(shown))
    orders = [working(quantity, n) for n, quantity in enumerate(quantities, 1)]
    for order in orders:
        made.join(order, Front(made.shown))
    return made, orders


def test_trades_consume_what_is_ahead_before_they_fill() -> None:
    queue, (order,) = level(5, 2)
    assert queue.printed(D(4), 1) == []
    assert order.ahead == 1
    assert queue.printed(D(2), 2) == [(order, D(1))]
    assert order.ahead == 0


def test_orders_of_ours_at_one_price_take_turns_with_the_outside_between() -> None:
    queue, (first,) = level(2, 3)
    queue.shows(D(6), 1, BEHIND, LOT)
    second = working(3, 2)
    queue.join(second, Front(D(6)))
    assert second.ahead == 6
    assert queue.printed(D(10), 2) == [(first, D(3)), (second, D(1))]


@pytest.mark.parametrize(
    ("shrink", "shown", "ahead"),
    [
        (BEHIND, 7, 6),
        (BEHIND, 4, 4),
        (PROPORTIONAL, 5, 3),
        (PROPORTIONAL, 7, 5),
        (PROPORTIONAL, 0, 0),
    ],
)
def test_what_vanishes_leaves_from_behind_or_by_shares(
    shrink: Shrink, shown: int, ahead: int
) -> None:
    queue, (order,) = level(6, 1)
    queue.shows(D(10), 1, shrink, LOT)
    assert order.ahead == 6
    queue.shows(D(shown), 2, shrink, LOT)
    assert order.ahead == ahead


def test_a_trade_is_not_counted_again_when_the_size_follows() -> None:
    queue, (order,) = level(6, 1)
    queue.printed(D(2), 1)
    queue.shows(D(4), 2, PROPORTIONAL, LOT)
    assert order.ahead == 4


def test_nor_when_the_size_came_first() -> None:
    queue, (order,) = level(6, 1)
    queue.shows(D(4), 1, BEHIND, LOT)
    queue.printed(D(2), TELLING_NS)
    assert order.ahead == 4
    queue.printed(D(1), TELLING_NS)
    assert order.ahead == 3


def test_nor_for_one_who_came_between_the_size_and_its_trade() -> None:
    queue, (first,) = level(6, 1)
    queue.shows(D(4), 1, BEHIND, LOT)
    second = working(1, 2)
    queue.join(second, Front(D(4)))
    queue.printed(D(2), 2)
    assert [each.ahead for each in (first, second)] == [4, 4]


def test_a_trade_that_may_be_in_the_size_one_joined_behind_moves_that_one_nowhere() -> (
    None
):
    queue = Level(PRICE, D(6))
    order = working(1)
    queue.join(order, Front(D(6), told_ns=10))
    assert queue.printed(D(4), 10 + TELLING_NS) == []
    assert order.ahead == 6
    # Nor does it hide that another size has gone, of which the trade is not yet told.
    queue.shows(D(5), 10 + TELLING_NS, BEHIND, LOT)
    queue.printed(D(1), 11 + TELLING_NS)
    assert order.ahead == 5
    queue.printed(D(2), 12 + TELLING_NS)
    assert order.ahead == 3


def test_a_trade_beyond_the_price_lets_the_next_one_at_it_fill() -> None:
    queue = Level(PRICE, D(6))
    order = working(1)
    queue.join(order, Front(D(6), told_ns=10))
    queue.pass_by()
    assert queue.printed(D(4), 11) == [(order, D(1))]


def test_a_trade_long_after_does_not_explain_what_vanished() -> None:
    queue, (order,) = level(6, 1)
    queue.shows(D(4), 1, BEHIND, LOT)
    queue.printed(D(2), 2 + TELLING_NS)
    assert order.ahead == 2


def test_where_nobody_shows_a_size_no_trade_at_the_price_fills() -> None:
    queue = Level(PRICE, UNKNOWN)
    order = working(1)
    queue.join(order, Front(UNKNOWN))
    assert queue.printed(D(1000), 1) == []
    queue.shows(D(3), 2, PROPORTIONAL, LOT)
    assert order.ahead == 3
    # A trade told now may be in the 3.
    assert queue.printed(D(4), 2 + TELLING_NS) == []
    assert queue.printed(D(4), 3 + TELLING_NS) == [(order, D(1))]


@pytest.mark.parametrize("shrink", Shrink)
def test_who_joins_when_the_price_is_not_shown_knows_no_place_until_it_is(
    shrink: Shrink,
) -> None:
    queue, (first,) = level(2, 1)
    second = working(1, 2)
    queue.join(second, Front(UNKNOWN))
    assert [first.ahead, second.ahead] == [2, UNKNOWN]
    assert queue.printed(D(2), 1) == []
    queue.shows(D(50), 2, shrink, LOT)
    assert [first.ahead, second.ahead] == [0, 50]


@pytest.mark.parametrize("shrink", Shrink)
def test_what_was_gone_when_one_joined_brings_that_one_no_further(
    shrink: Shrink,
) -> None:
    # The size of now is known to who joins before the level is told of it.
    queue, (first,) = level(4, 1)
    queue.shows(D(20), 1, shrink, LOT)
    second = working(1, 2)
    queue.join(second, Front(D(10)))
    queue.shows(D(10), 2 * TELLING_NS, shrink, LOT)
    assert first.ahead == (4 if shrink is BEHIND else 2)
    assert second.ahead == 10
    # A trade told only now may be what took the ten, before the second came.
    queue.printed(D(3), 2 * TELLING_NS)
    assert second.ahead == 10
    queue.shows(D(5), 4 * TELLING_NS, shrink, LOT)
    assert second.ahead == 5


def test_nobody_who_comes_later_stands_further_in_front() -> None:
    # What says 1 may be older than what said 9 before.
    queue, (first,) = level(9, 1)
    second = working(1, 2)
    queue.join(second, Front(D(1)))
    assert [first.ahead, second.ahead] == [9, 9]


def test_nor_is_one_served_first_who_joined_behind_a_size_that_was_told_before() -> (
    None
):
    queue = Level(PRICE, D(10))
    first, second = working(1, 1), working(1, 2)
    queue.join(first, Front(D(5)))
    queue.join(second, Front(D(10)))
    queue.taken(D(8))
    queue.shows(D(5), 1, BEHIND, LOT)
    assert [first.ahead, second.ahead] == [0, 2]
    assert queue.printed(D(4), 2) == []


class Truth:
    """A queue in which every order is known: what a venue sees and does not tell."""

    def __init__(self, sizes: list[int]) -> None:
        # (is ours, size), first to trade first.
        self.queue = [(False, size) for size in sizes]
        self.filled = 0

    @property
    def shown(self) -> int:
        return sum(size for ours, size in self.queue if not ours)

    @property
    def ahead(self) -> int | None:
        total = 0
        for ours, size in self.queue:
            if ours:
                return total
            total += size
        return None

    def join(self, size: int) -> None:
        self.queue.append((True, size))

    def add(self, size: int) -> None:
        self.queue.append((False, size))

    def cancel(self, pick: int) -> None:
        others = [n for n, (ours, _) in enumerate(self.queue) if not ours]
        if others:
            del self.queue[others[pick % len(others)]]

    def trade(self, size: int) -> int:
        """Trade against the queue; return how much of it the others gave."""
        gave = 0
        while size and self.queue:
            ours, there = self.queue[0]
            part = min(size, there)
            size -= part
            if ours:
                self.filled += part
            else:
                gave += part
            self.queue[0] = (ours, there - part)
            if there == part:
                del self.queue[0]
        return gave


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "cancel", "cancel", "trade", "trade"]),
        st.integers(1, 9),
        st.booleans(),
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=0, max_size=6),
    st.integers(1, 4),
    STEPS,
    st.booleans(),
)
def test_with_those_behind_leaving_first_no_place_is_better_than_the_true_one(
    sizes: list[int], quantity: int, steps: list[tuple[str, int, bool]], late: bool
) -> None:
    truth = Truth(sizes)
    queue, (order,) = level(truth.shown, quantity)
    truth.join(quantity)
    now, filled = 0, D(0)
    before = order.ahead
    for what, size, first in steps:
        now += TELLING_NS // 4 if late else 2 * TELLING_NS
        printed = 0
        if what == "add":
            truth.add(size)
        elif what == "cancel":
            truth.cancel(size)
        else:
            # The market's trade, without ours in it, is what gets printed.
            printed = min(size, truth.shown)
            truth.trade(printed)
        if truth.ahead is None:
            break
        tell_size = truth.shown
        if first:
            queue.shows(D(tell_size), now, BEHIND, LOT)
        if printed:
            for each, amount in queue.printed(D(printed), now + 1):
                each.left -= amount
                filled += amount
        if not first:
            queue.shows(D(tell_size), now + 2, BEHIND, LOT)
        assert 0 <= order.ahead <= before
        assert order.ahead <= tell_size
        assert order.ahead >= truth.ahead
        assert filled <= truth.filled
        before = order.ahead


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=0, max_size=6),
    STEPS,
    st.integers(0, 10),
    st.sampled_from([TELLING_NS // 100, TELLING_NS // 6, TELLING_NS // 3]),
    st.integers(0, TELLING_NS // 2),
)
def test_nor_where_trades_are_told_after_the_sizes_that_it_came_behind(
    sizes: list[int],
    steps: list[tuple[str, int, bool]],
    joins_at: int,
    pace_ns: int,
    late_ns: int,
) -> None:
    truth, order = Truth(sizes), working(3)
    queue: Level | None = None
    filled, now = D(0), 0
    due: list[tuple[int, int]] = []
    for number, (what, size, _) in enumerate(steps):
        now += pace_ns
        while queue is not None and due and due[0][0] <= now:
            told_ns, printed = due.pop(0)
            filled += sum(share for _, share in queue.printed(D(printed), told_ns))
            order.left = order.terms.quantity - filled
            assert order.ahead >= (truth.ahead or 0)
            assert filled <= truth.filled
        if what == "add":
            truth.add(size)
        elif what == "cancel":
            truth.cancel(size)
        elif traded := min(size, truth.shown):
            truth.trade(traded)
            due.append((now + late_ns, traded))
        if queue is not None:
            if truth.ahead is None or not order.left:
                break
            queue.shows(D(truth.shown), now, BEHIND, LOT)
            assert order.ahead >= truth.ahead
        elif number == joins_at:
            queue = Level(PRICE, D(truth.shown))
            queue.join(order, Front(queue.shown, now))
            truth.join(3)
            due = [each for each in due if each[0] > now]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["join", "trade", "trade", "view", "shows", "taken", "cancel"]
            ),
            st.one_of(st.integers(0, 10), st.just(UNKNOWN)),
            st.sampled_from([1, TELLING_NS // 3, 2 * TELLING_NS]),
        ),
        max_size=40,
    ),
    st.sampled_from(Shrink),
    st.booleans(),
)
def test_whatever_is_told_no_order_fills_before_one_that_came_earlier(
    steps: list[tuple[str, Decimal | int, int]], shrink: Shrink, late: bool
) -> None:
    queue, view, now = Level(PRICE, D(4)), D(4), 1
    for number, (what, size, later) in enumerate(steps):
        now += later
        if what == "join":
            order = working(1 + number % 5, number)
            queue.join(order, Front(view, now if late else None))
        elif what == "view":
            view = D(size)
        elif what == "shows" and size != UNKNOWN:
            view = D(size)
            queue.shows(view, now, shrink, LOT)
        elif what == "taken" and size != UNKNOWN:
            queue.taken(D(size))
        elif what == "cancel" and queue.orders:
            del queue.orders[[*queue.orders][number % len(queue.orders)]]
        elif what == "trade" and size != UNKNOWN:
            turns = queue.printed(D(size), now)
            assert sum(share for _, share in turns) <= size
            for each, share in turns:
                each.left -= share
            waiting = [each for each in queue.orders.values() if each.left]
            last = max((each.number for each, _ in turns), default=-1)
            assert all(each.number >= last for each in waiting)
            queue.orders = {each.number: each for each in waiting}
        places = [each.ahead for each in queue.orders.values()]
        assert places == sorted(places)
        before = [
            each.ahead + each.anticipated
            for each in queue.orders.values()
            if each.ahead != UNKNOWN
        ]
        assert before == sorted(before)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 20),
    st.lists(st.tuples(st.booleans(), st.integers(0, 20)), max_size=40),
    st.sampled_from(Shrink),
)
def test_a_place_only_moves_forward_and_is_never_behind_what_is_shown(
    shown: int, steps: list[tuple[bool, int]], shrink: Shrink
) -> None:
    queue, (order, later) = level(shown, 50, 50)
    for now, (is_trade, size) in enumerate(steps):
        before = (order.ahead, later.ahead)
        if is_trade:
            turns = queue.printed(D(size), now)
            assert sum(amount for _, amount in turns) <= size
            for each, amount in turns:
                each.left -= amount
        else:
            queue.shows(D(size), now, shrink, LOT)
            assert max(order.ahead, later.ahead) <= size
        assert 0 <= order.ahead <= before[0]
        assert 0 <= later.ahead <= before[1]
        assert order.ahead <= later.ahead
