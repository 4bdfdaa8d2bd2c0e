"""What follows a fill that comes too late, or closes more than there is left."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from tests.execution.fakes import BTC, Hand, signal, ticket
from tests.execution.quoting import Quoter, wish
from workstation.execution.settings import RiskSettings
from workstation.model.commands import (
    CancelOrders,
    Flatten,
    Kill,
    KillLevel,
    PlaceOrder,
)
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole
from workstation.model.records import FaultRecord
from workstation.model.reports import OrderCanceled, OrderRejected

D = Decimal
LOOSE = RiskSettings(max_open_orders=1_000, max_order_rate=None)


def make(hand: Hand, order: PlaceOrder, *, fills: str | None = None) -> str:
    """Send an order of the operator and have it accepted, and filled if given."""
    hand.give(order)
    order_id = hand.submitted()[-1]
    hand.accept(order_id)
    if fills is not None:
        hand.fill(order_id, fills)
    return order_id


def alarms(hand: Hand) -> list[str]:
    return [record.error for record in hand.core.kept(FaultRecord)]


def between(hand: Hand) -> tuple[str, str]:
    """Flatten 1 with a sell of 1 working; return that one and the flatten."""
    make(hand, ticket("1"), fills="1")
    ask = make(hand, ticket("1", "101", Side.SELL))
    hand.give(Flatten(instrument="BTC"))
    return ask, hand.submitted()[-1]


def test_a_flatten_that_comes_after_the_entry_it_cancels_is_closed_again() -> None:
    hand = Hand()
    ask, flatten = between(hand)
    hand.fill(ask, "1", "101")
    assert hand.position("operator") == 0
    hand.fill(flatten, "1", "100")
    assert hand.position("operator") == D(-1)
    again = hand.submitted()[-1]
    assert again not in (ask, flatten)
    assert f"flatten {flatten} filled 1 and opened -1" in alarms(hand)[-1]
    hand.fill(again, "1", "100.2")
    assert hand.position("operator") == 0
    assert hand.submitted()[-1] == again


def test_only_what_a_flatten_opened_is_closed_again() -> None:
    hand = Hand()
    make(hand, ticket("1"), fills="1")
    ask = make(hand, ticket("0.4", "101", Side.SELL))
    hand.give(Flatten(instrument="BTC"))
    flatten = hand.submitted()[-1]
    hand.fill(ask, "0.4", "101")
    hand.fill(flatten, "1", "100")
    assert hand.position("operator") == D("-0.4")
    hand.fill(hand.submitted()[-1], "0.4", "100.2")
    assert hand.position("operator") == 0


def test_a_stop_that_comes_after_the_entry_it_cancels_is_closed_again() -> None:
    hand = Hand()
    guarded = ticket("1", stop=95)
    make(hand, guarded, fills="1")
    ask = make(hand, ticket("1", "101", Side.SELL))
    hand.quote(94.0, 94.2)
    stop = next(o.id for o in hand.executor.orders() if o.role is OrderRole.STOP)
    assert stop in hand.submitted()
    hand.fill(ask, "1", "101")
    hand.fill(stop, "1", "94")
    assert hand.position("operator") == D(-1)
    hand.fill(hand.submitted()[-1], "1", "94.2")
    assert hand.position("operator") == 0
    assert hand.held() == []


def test_quotes_that_fill_while_the_position_is_flattened_leave_nothing() -> None:
    quoter = Quoter()
    quoter.give(wish(bids=[(99.0, 1)], asks=[(101.0, 1)]))
    quoter.answer()
    bid, ask = quoter.ids(Side.BUY)[0], quoter.ids(Side.SELL)[0]
    quoter.fill(bid, "1", "99")
    quoter.wait()
    quoter.asked()
    quoter.give(Flatten(instrument="BTC"))
    flatten = quoter.executor.orders()[-1].id
    quoter.fill(ask, "1", "101")
    quoter.fill(flatten, "1", "100")
    held = quoter.executor.position("s", "BTC").quantity
    assert held == D(-1)
    again = quoter.executor.orders()[-1]
    assert (again.side, again.quantity, again.reduce_only) == (Side.BUY, D(1), True)


def test_a_late_fill_of_what_was_flattened_closes_no_other_position() -> None:
    hand = Hand()
    late = make(hand, ticket("1", "99"))
    hand.give(Flatten(instrument="BTC"))
    make(hand, ticket("3", side=Side.SELL), fills="3")
    before = hand.submitted()
    hand.fill(late, "1", "99")
    assert hand.position("operator") == D(-2)
    assert hand.submitted() == before


@pytest.mark.parametrize(("filled", "closed"), [("1", "1"), ("3", "2")])
def test_a_late_fill_is_closed_as_far_as_it_opened(filled: str, closed: str) -> None:
    hand = Hand()
    late = make(hand, ticket("3", "99"))
    hand.give(Flatten(instrument="BTC"))
    if filled == "3":
        make(hand, ticket("1", side=Side.SELL), fills="1")
    hand.fill(late, filled, "99")
    order = hand.executor.orders()[-1]
    assert (order.side, order.quantity) == (Side.SELL, D(closed))


def test_small_late_fills_are_closed_together_once_they_make_an_order() -> None:
    hand = Hand(btc=structs.replace(BTC, min_quantity=D("0.05")))
    late = make(hand, ticket("1", "99"))
    hand.give(Flatten(instrument="BTC"))
    hand.fill(late, "0.04", "99")
    assert hand.submitted() == [late], "less than any order may be"
    hand.fill(late, "0.04", "99")
    order = hand.executor.orders()[-1]
    assert (order.side, order.quantity) == (Side.SELL, D("0.08"))
    hand.fill(order.id, "0.08", "100")
    hand.fill(late, "0.04", "99")
    assert hand.submitted()[-1] == order.id


def test_what_is_owed_of_late_fills_ends_with_the_position() -> None:
    hand = Hand(btc=structs.replace(BTC, min_quantity=D("0.05")))
    late = make(hand, ticket("1", "99"))
    hand.give(Flatten(instrument="BTC"))
    hand.fill(late, "0.04", "99")
    make(hand, ticket("0.06"), fills="0.06")
    make(hand, ticket("0.1", side=Side.SELL), fills="0.1")
    assert hand.position("operator") == 0
    make(hand, ticket("1"), fills="1")
    before = len(hand.submitted())
    hand.fill(late, "0.06", "99")
    order = hand.executor.orders()[-1]
    assert len(hand.submitted()) == before + 1
    assert (order.side, order.quantity) == (Side.SELL, D("0.06"))


def test_a_kill_closes_on_beyond_as_many_parts_as_are_sent_at_once() -> None:
    hand = Hand(LOOSE, btc=structs.replace(BTC, max_quantity=D("0.1")))
    for _ in range(2):
        for order_id in [make(hand, ticket("0.1")) for _ in range(30)]:
            hand.fill(order_id, "0.1")
    assert hand.position("operator") == D(6)
    filled = len(hand.submitted())
    hand.give(Kill(level=KillLevel.FLATTEN))
    done = 0
    while len(hand.submitted()) > filled + done:
        hand.fill(hand.submitted()[filled + done], "0.1", "100")
        done += 1
    assert hand.position("operator") == 0


@pytest.mark.parametrize("end", ["canceled", "rejected"])
def test_a_kill_closes_what_an_exit_on_its_way_leaves_open(end: str) -> None:
    hand = Hand()
    hand.enter("1")
    hand.accept("o-1")
    hand.fill("o-1", "1")
    hand.give(signal("exit"))
    leaving = hand.submitted()[-1]
    if end == "canceled":
        hand.accept(leaving)
        hand.give(CancelOrders(order_ids=(leaving,)))
    hand.give(Kill(level=KillLevel.FLATTEN))
    assert hand.submitted()[-1] == leaving
    if end == "canceled":
        hand.give(OrderCanceled(leaving))
    else:
        hand.give(OrderRejected(leaving, "no"))
    order = hand.executor.orders()[-1]
    assert (order.role, order.quantity) == (OrderRole.FLATTEN, D(1))
    hand.give(OrderRejected(order.id, "no"))
    assert hand.submitted()[-1] == order.id, "it is not tried for ever"


def test_a_flatten_follows_an_exit_that_is_being_canceled() -> None:
    hand = Hand()
    hand.enter("1")
    hand.accept("o-1")
    hand.fill("o-1", "1")
    hand.give(signal("exit"))
    leaving = hand.submitted()[-1]
    hand.accept(leaving)
    hand.give(CancelOrders(order_ids=(leaving,)))
    hand.give(Flatten(instrument="BTC"))
    hand.give(OrderCanceled(leaving))
    assert hand.executor.orders()[-1].role is OrderRole.FLATTEN
