"""A position is protected after a restart by what it was protected by before it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from tests.execution.fakes import BTC, NS, Hand, signal, ticket
from tests.execution.test_restarts import Restarted
from workstation.execution.recovering import Recovering
from workstation.model.commands import (
    CancelOrders,
    Flatten,
    Hold,
    Recover,
)
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.records import SignalRecord
from workstation.model.reports import OrderRejected, OrderStatusReport
from workstation.model.signals import Signal

D = Decimal


def again(before: Hand, btc: Instrument = BTC) -> Hand:
    """Return the next run on the account, which has told its rows and the venue."""
    hand = Restarted(before, btc=btc)
    hand.executor.recover(Recover(origin="engine"), hand.cut)
    return hand


def give(hand: Hand, given: Signal) -> None:
    """Let a row send a signal, which is on record before it is carried out."""
    hand.core.seq += 1
    hand.core.record(SignalRecord(hand.core.seq, hand.core.ts, given))
    hand.executor.handle_event(given)


def enter(hand: Hand, quantity: str = "1", **fields: object) -> str:
    give(hand, signal("enter_long", quantity, **fields))
    return hand.submitted()[-1]


def protected(**fields: object) -> Hand:
    """Return a hand that holds one, protected so."""
    hand = Hand()
    order_id = enter(hand, "1", **fields)
    hand.accept(order_id)
    hand.core.seq += 1
    hand.fill(order_id, "1")
    return hand


def at(hand: Hand, bid: float) -> None:
    hand.core.seq += 1
    hand.core.advance(hand.core.ts + 2 * NS)
    hand.quote(bid, bid + 0.2)


def stops(hand: Hand) -> list[tuple[str, Decimal | None]]:
    return [
        (order.owner, order.trigger)
        for order in hand.executor.orders()
        if order.role is OrderRole.STOP and order.status is OrderStatus.HELD
    ]


@pytest.mark.parametrize("target", [None, "120"])
def test_a_stop_that_was_on_its_way_is_held_again_where_it_never_arrived(
    target: str | None,
) -> None:
    hand = protected(stop="95", target=target)
    at(hand, 94.0)
    sent = hand.submitted()[-1]
    hand = again(hand)
    assert stops(hand) == [], "it may be filling"
    at(hand, 94.0)
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.give(OrderStatusReport(sent, None))
    assert stops(hand) == [("s", D(95))]
    at(hand, 93.0)
    assert hand.submitted()[-1] != sent
    assert hand.position() == 1


def test_a_target_that_was_refused_after_a_restart_is_held_again() -> None:
    hand = protected(target="110")
    at(hand, 110.0)
    sent = hand.submitted()[-1]
    hand = again(hand)
    hand.give(OrderRejected(sent, "no connection"))
    (order,) = hand.executor.working("s", "BTC")
    assert (order.role, order.trigger) == (OrderRole.TARGET, D(110))


@pytest.mark.parametrize("first", ["80", None])
def test_what_an_entry_on_its_way_brings_along_is_what_it_was_changed_to(
    first: str | None,
) -> None:
    hand = Hand()
    order_id = enter(hand, stop=first)
    hand.accept(order_id)
    give(hand, signal("protect", stop="95"))
    hand = again(hand)
    hand.quote(100.0, 100.2)
    hand.fill(order_id, "1")
    assert stops(hand) == [("s", D(95))]


def test_a_change_that_was_refused_changes_no_entry() -> None:
    hand = Hand()
    order_id = enter(hand, stop="80")
    hand.accept(order_id)
    hand.executor.paused = True
    give(hand, signal("protect", stop="95"))
    hand = again(hand)
    hand.quote(100.0, 100.2)
    hand.fill(order_id, "1")
    assert stops(hand) == [("s", D(80))]


def test_a_stop_goes_on_trailing_after_a_hand_over_and_a_restart() -> None:
    hand = protected(trailing_bps=100.0)
    hand.core.seq += 1
    hand.executor.handover("s", "BTC")
    at(hand, 110.0)
    (before,) = stops(hand)
    hand = again(hand)
    assert stops(hand) == [before] == [("operator", D("108.9"))]
    at(hand, 120.0)
    assert stops(hand) == [("operator", D("118.8"))]


def test_an_entry_that_is_refused_neither_ends_trailing_nor_begins_it() -> None:
    trailing, fixed = protected(trailing_bps=100.0), protected(stop="90")
    give(trailing, signal("enter_long", "1"))
    give(fixed, signal("enter_long", "1", trailing_bps=100.0))
    found = [again(trailing), again(fixed)]
    for hand in found:
        at(hand, 110.0)
    assert [stops(hand) for hand in found] == [[("s", D("108.9"))], [("s", D(90))]]


def test_a_loosened_stop_stays_where_it_is_through_a_hand_over_and_a_restart() -> None:
    hand = protected(trailing_bps=100.0)
    at(hand, 110.0)
    give(hand, signal("protect", stop="105", loosen=True))
    hand.core.seq += 1
    hand.executor.handover("s", "BTC")
    assert stops(hand) == [("operator", D(105))]
    hand = again(hand)
    at(hand, 109.0)
    assert stops(hand) == [("operator", D(105))]
    at(hand, 111.0)
    assert stops(hand) == [("operator", D("109.9"))]


def test_a_leg_that_the_operator_took_away_does_not_come_back() -> None:
    hand = protected(stop="95", target="120")
    (stop, _) = hand.executor.working("s", "BTC")
    hand.core.seq += 1
    hand.executor.operations.cancel_orders(CancelOrders(order_ids=(stop.id,)))
    hand = again(hand)
    (left,) = hand.executor.working("s", "BTC")
    assert left.role is OrderRole.TARGET


def test_a_closed_position_leaves_no_protection_for_the_next() -> None:
    hand = protected(stop="95")
    hand.give(signal("exit"))
    hand.core.seq += 1
    hand.fill(hand.submitted()[-1], "1")
    hand.core.seq += 1
    order_id = enter(hand)
    hand.accept(order_id)
    hand.fill(order_id, "1")
    hand = again(hand)
    assert hand.executor.protection.plans() == []


def test_what_was_flattened_is_closed_as_it_fills_after_a_restart_too() -> None:
    hand = Hand()
    hand.give(ticket("1", "99"))
    hand.accept("o-1")
    hand.core.seq += 1
    hand.give(Flatten(instrument="BTC"))
    hand = again(hand)
    hand.quote(100.0, 100.2)
    hand.fill("o-1", "1", "99")
    order = hand.executor.orders()[-1]
    assert (order.side, order.quantity, order.role) == (
        Side.SELL,
        D(1),
        OrderRole.FLATTEN,
    )


@pytest.mark.parametrize("is_last", [True, False])
def test_what_is_owed_of_late_fills_is_closed_after_a_restart_too(
    is_last: bool,
) -> None:
    btc = replace(BTC, min_quantity=D("0.05"))
    hand = Hand(btc=btc)
    hand.give(ticket("1", "99"))
    hand.accept("o-1")
    hand.core.seq += 1
    hand.give(Flatten(instrument="BTC"))
    hand.core.seq += 1
    hand.fill("o-1", "0.04", "99")
    if not is_last:
        hand.core.seq += 1
        hand.give(Hold(on=True))
    hand = again(hand, btc)
    hand.quote(100.0, 100.2)
    assert len(hand.executor.orders()) == 1
    hand.core.seq += 1
    hand.fill("o-1", "0.04", "99")
    order = hand.executor.orders()[-1]
    assert (order.side, order.quantity) == (Side.SELL, D("0.08"))


def test_the_records_of_an_older_version_say_what_was_held() -> None:
    before = protected(trailing_bps=100.0)
    at(before, 110.0)
    before.core.records[:] = [
        record
        for record in before.core.records
        if type(record).__name__ != "ProtectionRecord"
    ]
    hand = again(before)
    at(hand, 120.0)
    assert stops(hand) == [("s", D("118.8"))]


def test_records_are_read_in_any_number_of_rows() -> None:
    hand = protected(stop="95")
    recovering = Recovering(hand.executor)
    recovering.begins(
        to_builtins(hand.executor.limits.settings, builtin_types=(Decimal,))
    )
    recovering.finish()
    assert [plan.stop for plan in hand.executor.protection.plans()] == [D(95)]


def test_two_changes_in_one_input_are_both_kept() -> None:
    hand = Hand()
    order_id = enter(hand, stop="80")
    hand.accept(order_id)
    hand.core.seq += 1
    for change in (signal("protect", stop="95"), signal("protect", target="110")):
        hand.core.record(SignalRecord(hand.core.seq, hand.core.ts, change))
        hand.executor.handle_event(change)
    hand = again(hand)
    hand.quote(100.0, 100.2)
    hand.fill(order_id, "1")
    legs = {o.role: o.trigger for o in hand.executor.working("s", "BTC")}
    assert legs == {OrderRole.STOP: D(95), OrderRole.TARGET: D(110)}


def test_a_stop_that_followed_the_price_while_it_was_on_its_way_stays_there() -> None:
    hand = protected(trailing_bps=100.0)
    at(hand, 105.0)
    give(hand, signal("exit"))
    leaving = hand.submitted()[-1]
    at(hand, 103.0)
    at(hand, 115.0)
    wanted = stops(hand)
    hand = again(hand)
    hand.give(OrderRejected(leaving, "no connection"))
    assert stops(hand) == wanted


@pytest.mark.parametrize("turned", [False, True])
def test_an_older_journal_cut_before_what_follows_a_fill_leaves_no_legs(
    turned: bool,
) -> None:
    before = protected(stop="95", target="110")
    give(before, signal("exit"))
    leaving = before.submitted()[-1]
    before.core.seq += 1
    before.fill(leaving, "2" if turned else "1")
    cut = []
    for record in before.core.records:
        cut.append(record)
        name = type(record).__name__
        if name == "PositionRecord" and record.seq == before.core.seq:
            break
    before.core.records[:] = [
        record for record in cut if type(record).__name__ != "ProtectionRecord"
    ]
    hand = again(before)
    assert hand.position() == (D(-1) if turned else 0)
    assert hand.held() == []
    assert hand.executor.protection.plans() == []
