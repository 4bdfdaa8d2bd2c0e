"""Own orders never trade with each other; every owner reduces only its own."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.execution.fakes import Hand, signal, ticket
from workstation.execution.resting import Resting
from workstation.execution.settings import RiskSettings
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    Flatten,
)
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderStatus, OrderType
from workstation.model.rates import BrokerAbilities
from workstation.model.records import DenyRecord
from workstation.model.reports import (
    OrderCanceled,
    OrderReplaced,
    ReplaceRejected,
)
from workstation.model.requests import CancelOrder, ReplaceOrder, SubmitOrder

D = Decimal
LOOSE = RiskSettings(max_order_value=None, max_position_value=None, leverage=D(1000))


def resting(hand: Hand, action: str, price: str, owner: str = "t") -> str:
    order_id = hand.enter(
        "1", action, order_type="limit", limit_price=price, strategy=owner
    )
    hand.accept(order_id)
    return order_id


def codes(hand: Hand) -> list[str]:
    return [record.code for record in hand.core.kept(DenyRecord)]


@pytest.mark.parametrize(
    ("action", "rests", "limit", "denied"),
    [
        ("enter_long", "100.1", "100.1", True),
        ("enter_long", "100.1", "100.0", False),
        ("enter_short", "100.1", "100.1", True),
        ("enter_short", "100.1", "100.2", False),
    ],
)
def test_an_entry_that_would_meet_an_own_order_is_denied(
    action: str, rests: str, limit: str, denied: bool
) -> None:
    hand = Hand()
    other = "enter_short" if action == "enter_long" else "enter_long"
    resting(hand, other, rests)
    hand.enter("1", action, order_type="limit", limit_price=limit)
    assert codes(hand) == (["SELF_TRADE"] if denied else [])
    if denied:
        text = hand.core.kept(DenyRecord)[0].text
        assert "own order o-1 of t" in text


def test_a_market_entry_reaches_the_best_price() -> None:
    hand = Hand()
    resting(hand, "enter_short", "100.3")
    hand.enter("1")
    assert codes(hand) == []
    hand.quote(100.0, 100.3)
    hand.enter("1", strategy="u")
    assert codes(hand) == ["SELF_TRADE"]


def test_what_has_ended_or_moved_away_is_not_met() -> None:
    hand = Hand(RiskSettings(collar_through_bps=None))
    first = resting(hand, "enter_short", "100.1")
    desk = hand.executor.desk
    tracked = desk.orders.get(first)
    assert tracked is not None
    desk.replace(tracked, D(1), D(105))
    hand.give(OrderReplaced(first, D(1), D(105)))
    hand.enter("1", order_type="limit", limit_price="100.1")
    assert codes(hand) == []
    hand.give(CancelOrders(order_ids=(first,)))
    hand.give(OrderCanceled(first))
    hand.enter("1", order_type="limit", limit_price="106", strategy="u")
    assert codes(hand) == []


def test_what_closes_a_position_cancels_the_own_order_in_its_way_first() -> None:
    hand = Hand()
    hand.enter("1")
    hand.fill("o-1", "1")
    other = resting(hand, "enter_long", "100.0")
    hand.give(signal("exit"))
    *_, cancel, exit_ = hand.core.requests
    assert cancel == CancelOrder(other, "BTC")
    assert isinstance(exit_, SubmitOrder)
    assert codes(hand) == []


def test_a_stop_cancels_the_own_order_in_its_way_first() -> None:
    hand = Hand()
    hand.enter("1", stop="95")
    hand.fill("o-1", "1")
    other = resting(hand, "enter_long", "94")
    hand.quote(94.0, 94.2)
    *_, cancel, stop = hand.core.requests
    assert cancel == CancelOrder(other, "BTC")
    assert isinstance(stop, SubmitOrder)


def entry(number: int, side: Side, price: int) -> Order:
    return Order(
        id=f"o-{number}",
        instrument="BTC",
        owner="s",
        role=OrderRole.ENTRY,
        side=side,
        type=OrderType.LIMIT,
        quantity=D(1),
        price=D(price),
    )


SIDES = st.sampled_from(sorted(Side))


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 8), SIDES, st.integers(1, 9)),
        max_size=40,
    ),
    SIDES,
    st.integers(1, 9),
)
def test_it_finds_what_a_scan_over_all_would_find(
    steps: list[tuple[bool, int, Side, int]], side: Side, reach: int
) -> None:
    register, there = Resting(), dict[str, Order]()
    for put, number, own, price in steps:
        order = entry(number, own, price)
        known = there.get(order.id)
        if put and (known is None or known.side is own):
            register.put(order)
            there[order.id] = order
        elif not put and known is not None:
            register.take(known)
            del there[order.id]
    want = {
        o.id
        for o in there.values()
        if o.side is not side
        and o.price is not None
        and (o.price <= reach if side is Side.BUY else o.price >= reach)
    }
    assert set(register.met_by("BTC", side, D(reach))) == want


STEPS = st.sampled_from(
    [
        *("long", "short", "exit", "limit-exit", "flatten"),
        *("fill", "fill", "fill", "part", "price", "price", "cancel", "canceled"),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(STEPS, st.integers(0, 60)), max_size=50))
def test_two_owners_on_one_symbol_never_close_more_than_they_hold(
    steps: list[tuple[str, int]],
) -> None:
    """Stops, targets, exits and flattens: together they never turn a position."""
    hand = Hand(LOOSE)
    closing: set[str] = set()
    for word, number in steps:
        owner = "st"[number % 2]
        there = hand.executor.desk.orders.working()
        order = there[number % len(there)].order if there else None
        if word in ("long", "short"):
            stop, target = ("80", "120") if word == "long" else ("120", "80")
            hand.enter("1", f"enter_{word}", strategy=owner, stop=stop, target=target)
        elif word == "exit":
            hand.give(signal("exit", strategy=owner))
        elif word == "limit-exit":
            hand.give(
                signal("exit", strategy=owner, order_type="limit", limit_price="110")
            )
        elif word == "price":
            hand.quote(70.0 + number, 70.2 + number)
        elif word == "flatten":
            try:
                hand.give(Flatten(instrument="BTC"))
            except CommandRefused:
                pass
        elif order is not None and word in ("fill", "part"):
            left = order.remaining
            before = hand.position(order.owner)
            size = left if word == "fill" else left / 2
            hand.fill(order.id, str(size), "100")
            after = hand.position(order.owner)
            if order.reduce_only:
                closing.add(order.id)
                assert abs(after) < abs(before)
                assert before * after >= 0
        elif order is not None and word == "cancel":
            try:
                hand.give(CancelOrders(order_ids=(order.id,)))
            except CommandRefused:
                pass
        elif order is not None and order.status is OrderStatus.PENDING_CANCEL:
            hand.give(OrderCanceled(order.id))
        for name in "st":
            held = hand.position(name)
            side = Side.SELL if held > 0 else Side.BUY
            register = hand.executor.desk.orders
            assert register.closing(name, "BTC", side) <= abs(held)


def held_by_hand() -> Hand:
    """Return a hand whose operator holds one, and whose ``t`` bids at the touch."""
    hand = Hand(LOOSE, abilities=BrokerAbilities(modify=True))
    hand.give(ticket("1"))
    hand.accept("o-1")
    hand.fill("o-1", "1")
    resting(hand, "enter_long", "100.0")
    return hand


def test_a_closing_ticket_takes_own_orders_out_of_its_way_first() -> None:
    hand = held_by_hand()
    hand.give(ticket("1", side=Side.SELL, reduce_only=True))
    asked = hand.core.requests[-2:]
    cancel, exit_ = asked
    assert cancel == CancelOrder("o-2", "BTC")
    assert isinstance(exit_, SubmitOrder)
    assert exit_.after == ("o-2",)


def test_a_closing_order_that_is_amended_takes_them_out_of_its_way_too() -> None:
    hand = held_by_hand()
    hand.give(ticket("1", "105", Side.SELL, reduce_only=True))
    hand.accept("o-3")
    hand.give(AmendOrder(order_id="o-3", quantity=D(1), price=D("99.9")))
    asked = hand.core.requests[-2:]
    cancel, change = asked
    assert cancel == CancelOrder("o-2", "BTC")
    assert change == ReplaceOrder("o-3", D(1), D("99.9"), "BTC", after=("o-2",))
    hand.give(OrderCanceled("o-2"))
    hand.give(OrderReplaced("o-3", D(1), D("99.9")))
    hand.give(AmendOrder(order_id="o-3", quantity=D(1), price=D("99.8")))
    assert hand.core.requests[-1] == ReplaceOrder("o-3", D(1), D("99.8"), "BTC")


@pytest.mark.parametrize("answer", ["replaced", "rejected", None])
def test_an_order_that_is_asked_to_move_may_be_met_at_either_price(
    answer: str | None,
) -> None:
    hand = Hand(LOOSE, abilities=BrokerAbilities(modify=True))
    hand.give(ticket("1", "105", Side.SELL))
    hand.accept("o-1")
    hand.give(AmendOrder(order_id="o-1", quantity=D(1), price=D("100.3")))
    if answer == "replaced":
        hand.give(OrderReplaced("o-1", D(1), D("100.3")))
    elif answer == "rejected":
        hand.give(ReplaceRejected("o-1", "too late"))
    hand.enter("1", order_type="limit", limit_price="100.3", strategy="t")
    assert codes(hand) == ([] if answer == "rejected" else ["SELF_TRADE"])
    if answer != "replaced":
        hand.quote(104.8, 104.9)
        hand.enter("1", order_type="limit", limit_price="105", strategy="u")
        assert codes(hand)[-1] == "SELF_TRADE"


def test_an_order_that_ends_while_it_is_asked_to_move_is_at_neither() -> None:
    hand = Hand(LOOSE, abilities=BrokerAbilities(modify=True))
    hand.give(ticket("1", "105", Side.SELL))
    hand.accept("o-1")
    hand.give(AmendOrder(order_id="o-1", quantity=D(1), price=D("100.3")))
    hand.give(OrderCanceled("o-1", "by the venue"))
    assert hand.executor.desk.orders.resting.best == {}
