"""Fees in base: what closes can be sold, and what is left is in nobody's way."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.execution.fakes import Hand, signal
from workstation.execution.recovering import Recovering
from workstation.execution.settings import RiskSettings
from workstation.model.commands import Flatten, Kill, KillLevel, PlaceOrder
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderType
from workstation.model.rates import BrokerAbilities
from workstation.model.records import (
    DenyRecord,
    FillRecord,
    PositionRecord,
    TradeRecord,
)
from workstation.model.reports import OrderCanceled
from workstation.model.requests import SubmitOrder

D = Decimal


def bought(hand: Hand, **protection: str) -> str:
    """Buy 1 of which 0.9985 is left; return the order's id."""
    order_id = hand.enter("1", "enter_long", **protection)
    hand.accept(order_id)
    hand.fill(order_id, "1", price="100", fee="0.0015", currency="BTC")
    return order_id


def last(hand: Hand) -> Order:
    """Return the order that was sent last."""
    return [r.order for r in hand.core.requests if isinstance(r, SubmitOrder)][-1]


def sell(hand: Hand, price: str = "100") -> None:
    """Fill the order that was sent last."""
    order = last(hand)
    assert order.side is Side.SELL
    hand.accept(order.id)
    hand.fill(order.id, str(order.quantity), price=price)


def collect(hand: Hand, fills: int) -> None:
    """Let an entry be filled lot by lot, with a tenth of each as fee."""
    order_id = hand.enter("0.11")
    for _ in range(fills):
        hand.fill(order_id, "0.001", price="100", fee="0.0001", currency="BTC")


def dust(hand: Hand) -> Decimal:
    return hand.position("dust")


def test_an_exit_is_for_what_can_be_sold_and_ends_the_trade() -> None:
    hand = Hand()
    bought(hand)
    hand.give(signal("exit"))
    order = last(hand)
    assert (order.quantity, order.reduce_only) == (D("0.998"), True)
    hand.accept(order.id)
    hand.fill(order.id, "0.5")
    assert hand.position() == D("0.4985")
    hand.fill(order.id, "0.498")
    assert (hand.position(), dust(hand)) == (D(0), D("0.0005"))
    assert hand.core.kept(DenyRecord) == []
    changes = [
        (r.after.owner, r.after.quantity) for r in hand.core.kept(PositionRecord)
    ]
    assert changes[-2:] == [("s", 0), ("dust", D("0.0005"))]


def test_stop_and_target_are_for_what_can_be_sold() -> None:
    hand = Hand()
    bought(hand, stop="90", target="120")
    assert hand.held() == [
        ("stop", D("0.998"), D(90)),
        ("target", D("0.998"), D(120)),
    ]
    hand.quote(89.0, 89.2)
    sell(hand, "89")
    assert (hand.position(), dust(hand)) == (D(0), D("0.0005"))
    assert hand.held() == []


def test_an_own_stop_order_sells_what_is_there() -> None:
    hand = Hand()
    bought(hand)
    hand.give(signal("exit", order_type="stop", trigger="90"))
    hand.quote(89.0, 89.2)
    assert last(hand).quantity == D("0.998")
    sell(hand, "89")
    assert hand.position() == 0


def test_an_own_stop_order_sells_no_more_than_is_left_of_the_position() -> None:
    hand = Hand()
    bought(hand)
    hand.core.seq += 1
    hand.executor.handover("s", "BTC")
    ticket = PlaceOrder(
        instrument="BTC", side=Side.SELL, quantity=D("0.998"), reduce_only=True
    )
    hand.give(replace(ticket, order_type=OrderType.STOP, trigger=D(90)))
    hand.give(replace(ticket, quantity=D("0.5")))
    sell(hand)
    assert hand.position("operator") == D("0.4985")
    hand.quote(89.0, 89.2)
    assert last(hand).quantity == D("0.498")
    assert hand.core.kept(DenyRecord) == []


def test_a_stop_that_the_venue_keeps_is_for_what_can_be_sold() -> None:
    hand = Hand(abilities=BrokerAbilities(stops=True))
    bought(hand)
    hand.give(signal("exit", order_type="stop", trigger="90"))
    assert (last(hand).quantity, last(hand).trigger) == (D("0.998"), D(90))


@pytest.mark.parametrize(
    "command", [Flatten(instrument="BTC"), Kill(level=KillLevel.FLATTEN)]
)
def test_flatten_and_kill_sell_what_can_be_sold(command: object) -> None:
    hand = Hand()
    bought(hand)
    hand.give(command)
    assert last(hand).quantity == D("0.998")
    sell(hand)
    assert (hand.position(), dust(hand)) == (D(0), D("0.0005"))


def test_a_reversal_enters_once_the_rest_is_dust() -> None:
    hand = Hand()
    bought(hand)
    hand.give(signal("enter_short", "2", reverse=True))
    assert last(hand).quantity == D("0.998")
    sell(hand)
    assert (last(hand).quantity, last(hand).reduce_only) == (D(2), False)


def test_a_reduce_only_ticket_is_for_no_more_than_is_held() -> None:
    hand = Hand()
    order_id = hand.enter()
    hand.fill(order_id, "1", fee="0.0015", currency="BTC")
    hand.executor.handover("s", "BTC")
    ticket = PlaceOrder(
        instrument="BTC", side=Side.SELL, quantity=D(1), reduce_only=True
    )
    with pytest.raises(CommandRefused, match=r"operator holds 0\.9985"):
        hand.give(ticket)
    hand.give(
        PlaceOrder(
            instrument="BTC", side=Side.SELL, quantity=D("0.998"), reduce_only=True
        )
    )
    sell(hand)
    assert (hand.position("operator"), dust(hand)) == (D(0), D("0.0005"))


def test_dust_is_in_the_way_of_no_limit_and_of_no_entry() -> None:
    most = D("100.2")
    hand = Hand(RiskSettings(max_position_value=most, max_total_exposure=most))
    bought(hand)
    hand.give(signal("exit"))
    sell(hand)
    assert dust(hand)
    hand.enter("1", order_type="limit", limit_price="100.2")
    assert hand.core.kept(DenyRecord) == []
    assert last(hand).quantity == 1


def test_dust_alone_is_nothing_to_flatten() -> None:
    hand = Hand()
    bought(hand)
    hand.give(signal("exit"))
    sell(hand)
    for owner in (None, "s", "dust"):
        with pytest.raises(CommandRefused, match="hold"):
            hand.give(Flatten(instrument="BTC", owner=owner))
    sent = len(hand.submitted())
    hand.give(Kill(level=KillLevel.FLATTEN))
    assert len(hand.submitted()) == sent


def test_dust_of_a_lot_or_more_is_sold_by_a_flatten_for_everybody() -> None:
    hand = Hand()
    collect(hand, 110)
    assert (hand.position(), dust(hand)) == (D(0), D("0.099"))
    hand.give(Flatten(instrument="BTC"))
    assert (last(hand).owner, last(hand).quantity) == ("dust", D("0.099"))
    sell(hand)
    assert dust(hand) == 0


def test_dust_worth_less_than_a_venue_takes_is_not_sold() -> None:
    hand = Hand()
    collect(hand, 4)
    assert dust(hand) == D("0.0036")
    hand.give(OrderCanceled("o-1"))
    with pytest.raises(CommandRefused, match="nobody holds"):
        hand.give(Flatten(instrument="BTC"))


def test_dust_that_is_owed_is_not_bought() -> None:
    hand = Hand()
    order_id = hand.enter()
    hand.fill(order_id, "1", price="100")
    hand.give(signal("exit"))
    hand.accept(last(hand).id)
    hand.fill(last(hand).id, "1", price="100", fee="0.1", currency="BTC")
    assert (hand.position(), dust(hand)) == (D(0), D("-0.1"))
    with pytest.raises(CommandRefused, match="nobody holds"):
        hand.give(Flatten(instrument="BTC"))


def test_a_short_is_bought_back_until_only_dust_is_left() -> None:
    hand = Hand()
    order_id = hand.enter("1", "enter_short", stop="110")
    hand.fill(order_id, "1", price="100")
    hand.quote(111.0, 111.2)
    order = last(hand)
    hand.accept(order.id)
    hand.fill(order.id, "1", price="111", fee="0.0015", currency="BTC")
    # What the fee took is still owed: it stays protected, and is bought, too.
    assert hand.position() == D("-0.0015")
    assert hand.held() == [("stop", D("0.001"), D(110))]
    hand.core.advance(hand.core.ts + 10**9)
    hand.quote(111.0, 111.2)
    order = last(hand)
    assert order.quantity == D("0.001")
    hand.accept(order.id)
    hand.fill(order.id, "0.001", price="111", fee="0.000001", currency="BTC")
    assert (hand.position(), dust(hand)) == (D(0), D("-0.000501"))


def test_recovery_books_the_same_dust() -> None:
    hand = Hand()
    bought(hand)
    hand.give(signal("exit"))
    sell(hand)
    bought(hand)
    hand.give(signal("exit", "0.5"))
    sell(hand)
    found = Hand().executor
    recovering = Recovering(found)
    for record in hand.core.records:
        recovering.take(record)
    recovering.finish()
    assert found.ledger.booked() == hand.executor.ledger.booked()
    assert found.position("s", "BTC").quantity == D("0.4985")
    assert found.position("dust", "BTC").quantity == D("0.0005")


def test_dust_of_two_fills_of_one_input_is_no_hand_over() -> None:
    hand = Hand()
    for _ in range(2):
        bought(hand)
        hand.give(signal("exit"))
        sell(hand)
    executor = Hand().executor
    recovering = Recovering(executor)
    for record in hand.core.records:
        recovering.take(replace(record, seq=1))
    assert executor.ledger.booked() == hand.executor.ledger.booked()
    assert executor.position("dust", "BTC").quantity == D("0.001")


def test_a_trade_that_an_older_version_ended_otherwise_is_no_trade_here() -> None:
    hand = Hand()
    hand.fill(hand.enter("1", "enter_short"), "1", price="100")
    hand.give(signal("exit"))
    hand.fill(last(hand).id, "1", price="90")
    executor = Hand().executor
    recovering = Recovering(executor)
    for record in hand.core.records:
        if isinstance(record, FillRecord) and record.fill.side is Side.BUY:
            # As it was on record when fees in base left the position whole.
            fill = replace(record.fill, fee=D("0.0015"), fee_currency="BTC")
            record = replace(record, fill=fill)
        recovering.take(record)
    assert any(isinstance(record, TradeRecord) for record in hand.core.records)
    assert not executor.ledger.trades
    assert executor.position("s", "BTC").quantity == D("-0.0015")


def test_a_hand_over_beside_dust_is_taken_up_as_one() -> None:
    hand = Hand()
    bought(hand)
    hand.give(signal("exit"))
    sell(hand)
    bought(hand)
    hand.core.seq += 1
    hand.executor.handover("s", "BTC")
    executor = Hand().executor
    recovering = Recovering(executor)
    for record in hand.core.records:
        recovering.take(record)
    assert executor.ledger.booked() == hand.executor.ledger.booked()
    assert executor.position("operator", "BTC").quantity == D("0.9985")
