"""What follows a fill that comes too late, or closes more than there is left."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from tests.execution.fakes import Hand
from tests.execution.quoting import Quoter, wish
from workstation.model.commands import Flatten, PlaceOrder
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole, OrderType
from workstation.model.records import FaultRecord

D = Decimal


def ticket(
    quantity: str, price: str | None = None, side: Side = Side.BUY
) -> PlaceOrder:
    return PlaceOrder(
        instrument="BTC",
        side=side,
        quantity=D(quantity),
        order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
        price=None if price is None else D(price),
    )


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
    guarded = structs.replace(ticket("1"), stop=D("95"))
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
