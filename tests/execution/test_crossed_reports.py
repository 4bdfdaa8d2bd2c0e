"""Answers that cross: a change, a cancel and what a venue does meanwhile."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.execution.fakes import BTC, NS, Hand, by_hand, signal, ticket
from tests.execution.quoting import Quoter, wish
from workstation.execution.settings import OrderSettings
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    Resolve,
)
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole, OrderStatus, OrderType, TimeInForce
from workstation.model.rates import BrokerAbilities
from workstation.model.reconciliation import Resolution, Subject
from workstation.model.records import DenyRecord, FaultRecord
from workstation.model.reports import (
    CancelRejected,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    OrderStatusReport,
    OrderTriggered,
)

D = Decimal
SELL = Side.SELL


def held_one(**fields: Any) -> Hand:
    """Return a hand whose strategy holds one BTC, protected so."""
    hand = Hand()
    entry = hand.enter("1", **fields)
    hand.accept(entry)
    hand.fill(entry, "1")
    return hand


def resting_exit(hand: Hand, price: str, *, accepted: bool = True) -> str:
    """Let the strategy wait for a price to close at; return the order's id."""
    hand.give(signal("exit", order_type="limit", limit_price=price))
    order_id = hand.submitted()[-1]
    if accepted:
        hand.accept(order_id)
    return order_id


def alarms(hand: Hand) -> list[str]:
    return [record.error for record in hand.core.kept(FaultRecord)]


# A change that is not answered.


def changed_and_not_canceled() -> tuple[Hand, str]:
    """Return an exit of 1 that is asked to be for 3; its cancel was refused."""
    hand = Hand()
    hand.give(ticket("3", stop="95"))
    hand.accept("o-1")
    hand.fill("o-1", "3")
    hand.give(ticket("1", "110", SELL, reduce_only=True))
    order_id = hand.submitted()[-1]
    hand.accept(order_id)
    hand.give(AmendOrder(order_id=order_id, quantity=D(3), price=D(110)))
    hand.give(CancelOrders(order_ids=(order_id,)))
    hand.give(CancelRejected(order_id, "busy"))
    return hand, order_id


def test_a_change_waits_for_the_answer_to_the_one_before() -> None:
    hand, order_id = changed_and_not_canceled()
    amend = AmendOrder(order_id=order_id, quantity=D(2), price=D(110))
    with pytest.raises(CommandRefused, match="the venue has not answered yet"):
        hand.give(amend)
    hand.give(OrderReplaced(order_id, D(3), D(110)))
    hand.give(amend)


def test_what_a_change_was_counted_for_ends_with_the_order() -> None:
    hand, order_id = changed_and_not_canceled()
    orders = hand.executor.desk.orders
    assert orders.closing("operator", "BTC", SELL) == 3
    hand.give(OrderReplaced(order_id, D(3), D(110)))
    hand.give(CancelOrders(order_ids=(order_id,)))
    hand.give(OrderCanceled(order_id))
    assert orders.closing("operator", "BTC", SELL) == 0
    hand.quote(94.0, 94.2)
    stop = hand.submitted()[-1]
    tracked = orders.get(stop)
    assert tracked is not None
    assert (tracked.order.role, tracked.order.quantity) == (OrderRole.STOP, D(3))


def test_a_quote_is_not_changed_again_before_the_venue_has_answered() -> None:
    quoter = Quoter()
    orders = quoter.executor.desk.orders
    quoter.give(wish([(99, 1)]))
    quoter.settle()
    quote = quoter.ids()[0]
    quoter.give(wish([(99, 5)]))
    quoter.wait()
    quoter.give(Hold(on=True))
    quoter.give(CancelRejected(quote, "busy"))
    quoter.give(Hold(on=False))
    quoter.give(wish([(99, 4)]))
    quoter.wait(1)
    assert orders.pending("BTC", Side.BUY) == 5
    quoter.give(OrderReplaced(quote, D(5), D(99)))
    quoter.wait(1)
    quoter.give(wish())
    quoter.settle()
    quoter.wait(5)
    quoter.settle()
    assert orders.at_venue == orders.pending_value == 0


@pytest.mark.parametrize("woken", [False, True])
def test_an_order_counts_at_the_price_it_may_have_got(woken: bool) -> None:
    hand = Hand(abilities=BrokerAbilities(stops=True))
    waits: dict[str, Any] = {}
    if woken:
        waits = {"trigger": D(102), "order_type": OrderType.STOP_LIMIT}
    hand.quote(101.0 if woken else 103.2, 101.2 if woken else 103.4)
    hand.give(ticket("2", "103", **waits))
    hand.accept("o-1")
    at = D(102) if woken else None
    hand.give(AmendOrder(order_id="o-1", quantity=D(2), price=D(104), trigger=at))
    if woken:
        hand.give(OrderTriggered("o-1"))
    hand.quote(103.2, 103.4)
    limit = {"order_type": "limit", "limit_price": "103.9"}
    hand.give(signal("enter_short", "1", strategy="t", **limit))
    assert [str(r.code) for r in hand.core.kept(DenyRecord)] == ["SELF_TRADE"]


# More than asked for.


def test_an_overfilled_order_of_unknown_fate_closes_nothing_more() -> None:
    hand = Hand()
    hand.give(ticket("1"))
    hand.fill("o-1", "1")
    hand.give(ticket("1", side=SELL, reduce_only=True))
    hand.accept("o-2")
    hand.fill("o-2", "2")
    hand.give(OrderStatusReport("o-2", None))
    orders = hand.executor.desk.orders
    assert orders.closing("operator", "BTC", SELL) == 0
    hand.fill(hand.submitted()[-1], "1")
    hand.give(ticket("1"))
    hand.fill(hand.submitted()[-1], "1")
    hand.give(Flatten(instrument="BTC"))
    assert hand.executor.orders()[-1].quantity == 1


def test_an_overfilled_entry_makes_no_room_for_others() -> None:
    hand = Hand()
    hand.give(ticket("1", "100.0"))
    hand.accept("o-1")
    hand.fill("o-1", "3")
    hand.give(OrderStatusReport("o-1", None))
    orders = hand.executor.desk.orders
    assert orders.pending("BTC", Side.BUY) == orders.pending_value == 0
    assert hand.executor.limits.gross("BTC") == D("300.30")


# Cancels that are refused.


@pytest.mark.parametrize("accepted", [True, False])
def test_a_stop_is_not_fired_late_because_its_exit_stayed(accepted: bool) -> None:
    hand = held_one(stop="95")
    order_id = resting_exit(hand, "110", accepted=accepted)
    hand.quote(94.9, 95.1)
    hand.give(CancelRejected(order_id, "unknown order"))
    hand.quote(105.0, 105.2)
    hand.give(OrderExpired(order_id, "end of day", filled=D(0)))
    assert hand.submitted()[-1] == order_id


@pytest.mark.parametrize("accepted", [True, False])
def test_a_flatten_that_waits_behind_a_living_exit_is_an_alarm(accepted: bool) -> None:
    hand = held_one()
    order_id = resting_exit(hand, "110", accepted=accepted)
    hand.give(Flatten(instrument="BTC"))
    hand.give(CancelRejected(order_id, "unknown order"))
    assert "what should follow it waits" in alarms(hand)[-1]


def test_a_reversal_that_waits_behind_a_living_entry_is_an_alarm() -> None:
    hand = held_one()
    limit = {"order_type": "limit", "limit_price": "95"}
    hand.enter("1", add=True, **limit)
    added = hand.submitted()[-1]
    hand.accept(added)
    hand.give(signal("enter_short", "1", reverse=True))
    hand.give(CancelRejected(added, "busy"))
    assert f"entry {added} was not canceled" in alarms(hand)[-1]


@pytest.mark.parametrize("by", ["operator", "script"])
def test_a_target_that_is_moved_away_is_met_no_more(by: str) -> None:
    hand = held_one(target="110", stop="90")
    order_id = resting_exit(hand, "120")
    hand.quote(110.0, 110.2)
    target = next(o for o in hand.executor.held_protection() if o.role == "target")
    if by == "operator":
        amend = AmendOrder(order_id=target.id, quantity=target.quantity, price=D(130))
        hand.give(amend)
    else:
        hand.give(signal("protect", target="130"))
    hand.quote(109.0, 109.2)
    hand.give(OrderCanceled(order_id, filled=D(0)))
    assert hand.submitted()[-1] == order_id


# Refused at the trigger.


def own_stop(hand: Hand, price: str | None = None, **fields: Any) -> str:
    """Let the operator hold two, and a stop at 95 of his own; it is met."""
    hand.give(ticket("2"))
    hand.fill("o-1", "2")
    kind = OrderType.STOP if price is None else OrderType.STOP_LIMIT
    rest = {"reduce_only": True, "trigger": D(95), "order_type": kind, **fields}
    hand.give(ticket("2", price, SELL, **rest))
    hand.quote(94.9, 95.1)
    return hand.submitted()[-1]


def test_a_stop_that_is_refused_is_held_again_for_as_long_as_it_was_to_be() -> None:
    hand = Hand()
    until_ns = hand.core.ts + 60 * NS
    end = TimeInForce.GTD
    stop = own_stop(hand, time_in_force=end, expires_ns=until_ns)
    hand.give(OrderRejected(stop, "busy"))
    (order,) = hand.executor.held_protection()
    assert (order.time_in_force, order.expires_ns) == (TimeInForce.GTD, until_ns)
    hand.core.advance(until_ns)
    assert hand.held() == []


def test_a_stop_limit_that_is_refused_is_held_again_and_told_of() -> None:
    hand = Hand()
    order_id = own_stop(hand, "94")
    hand.give(OrderRejected(order_id, "busy"))
    (order,) = hand.executor.held_protection()
    assert (order.type, order.price, order.quantity) == (
        OrderType.STOP_LIMIT,
        D(94),
        D(2),
    )
    assert f"{order_id} was refused at its trigger with 2 open" in alarms(hand)[-1]


# Protection and amends.


def test_a_ticket_protects_what_it_adds_though_its_first_fill_reduced() -> None:
    hand = Hand()
    hand.give(ticket("1", side=SELL))
    hand.fill("o-1", "1", "100")
    hand.give(ticket("3", "100.0", stop="95"))
    hand.accept("o-2")
    hand.fill("o-2", "0.5", "100")
    hand.give(ticket("1", target="130"))
    hand.fill("o-3", "1")
    hand.fill("o-2", "2.5", "100")
    assert ("stop", D(3), D(95)) in hand.held()


def test_an_entry_is_not_moved_beyond_its_own_stop() -> None:
    hand = Hand()
    hand.give(ticket("1", "99", stop="95"))
    hand.accept("o-1")
    with pytest.raises(CommandRefused, match="PROTECTION_MET: stop 95 must be below"):
        hand.give(AmendOrder(order_id="o-1", quantity=D(1), price=D(94)))
    hand.give(AmendOrder(order_id="o-1", quantity=D(1), price=D(96)))


# A kill.


@pytest.mark.parametrize("given", [False, True])
def test_what_is_bought_by_hand_after_a_kill_stays(given: bool) -> None:
    hand = Hand(abilities=BrokerAbilities(account=True))
    hand.give(Kill(level=KillLevel.FLATTEN))
    hand.core.advance(hand.core.ts + NS)
    hand.give(by_hand("web-1", "2", "100", venue_id="v1"))
    how = Resolution.ATTRIBUTE if given else Resolution.ADOPT
    owner = "s" if given else ""
    hand.executor.resolve(
        Resolve(kind=Subject.ORDER, subject="web-1", resolution=how, owner=owner)
    )
    hand.fill("web-1", "1", "100")
    assert hand.submitted() == []


def test_tries_within_a_cap_are_bounded_under_a_kill_too() -> None:
    settings = OrderSettings(max_slippage_bps=50.0, flatten_tries=1)
    hand = Hand(orders=settings, btc=replace(BTC, max_quantity=D(1)))
    for _ in range(2):
        hand.give(ticket("1"))
        hand.fill(hand.submitted()[-1], "1", "100")
    hand.give(Kill(level=KillLevel.FLATTEN))
    first, second = hand.submitted()[-2:]
    hand.give(OrderExpired(first, filled=D(0)))
    assert "left after 1 try" in alarms(hand)[-1]
    hand.fill(second, "0.1", "99.5")
    hand.fill(second, "0.1", "99.5")
    assert hand.submitted()[-1] == second


def test_a_flatten_that_is_denied_is_followed_by_nobody() -> None:
    settings = OrderSettings(max_slippage_bps=50.0)
    hand = Hand(orders=settings, btc=replace(BTC, min_quantity=D("0.5")))
    entry = hand.enter("1", order_type="limit", limit_price="100")
    hand.accept(entry)
    hand.fill(entry, "0.2", "100")
    hand.give(OrderCanceled(entry, filled=D("0.2")))
    with pytest.raises(CommandRefused, match="below min_quantity"):
        hand.give(Flatten(instrument="BTC"))
    assert hand.executor.intents.closing.taking.digest() == ()


def test_a_flatten_that_is_filled_is_followed_no_more() -> None:
    hand = Hand(orders=OrderSettings(max_slippage_bps=50.0))
    hand.give(ticket("1"))
    hand.fill("o-1", "1")
    hand.give(Flatten(instrument="BTC"))
    hand.fill(hand.submitted()[-1], "1", "99.9")
    assert hand.executor.intents.closing.taking.digest() == ()


def test_what_is_owed_of_late_fills_does_not_go_on_after_a_hand_over() -> None:
    hand = Hand(btc=replace(BTC, min_quantity=D("0.5")))
    entry = hand.enter("2", order_type="limit", limit_price="100")
    hand.accept(entry)
    hand.give(Flatten(instrument="BTC"))
    hand.fill(entry, "0.3", "100")
    hand.executor.handover("s", "BTC")
    assert hand.executor.outcomes.digest() == ()


def test_a_flatten_of_what_is_not_in_the_run_says_so() -> None:
    hand = Hand()
    with pytest.raises(CommandRefused, match="DOGE is not in this run; it has BTC"):
        hand.give(Flatten(instrument="DOGE"))
    hand.give(signal("exit", instrument="DOGE"))
    assert [str(r.code) for r in hand.core.kept(DenyRecord)] == ["UNKNOWN_INSTRUMENT"]
    assert OrderStatus.SUBMITTED not in {o.status for o in hand.executor.orders()}
