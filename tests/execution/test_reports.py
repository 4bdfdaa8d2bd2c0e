"""Reports that are lost, late, repeated or contradict what is booked."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from tests.execution.fakes import NS, Hand, by_hand
from workstation.execution.settings import OrderSettings
from workstation.model.commands import CancelOrders
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus
from workstation.model.records import FaultRecord, FillRecord, OrderRecord
from workstation.model.reports import (
    CancelRejected,
    ExternalOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderReplaced,
    OrderStatusReport,
    ReplaceRejected,
    ReportsLost,
)
from workstation.model.requests import CancelOrder, QueryOrder

D = Decimal
S = OrderStatus


def status(hand: Hand, order_id: str = "o-1") -> OrderStatus:
    tracked = hand.executor.desk.orders.get(order_id)
    assert tracked is not None
    return tracked.order.status


def asked(hand: Hand, order_id: str = "o-1") -> int:
    return sum(
        isinstance(r, QueryOrder) and r.order_id == order_id for r in hand.core.requests
    )


def wait(hand: Hand, seconds: float) -> None:
    hand.core.advance(hand.core.ts + int(seconds * NS))


def resting(hand: Hand, quantity: str = "1") -> str:
    order_id = hand.enter(quantity, order_type="limit", limit_price="99")
    hand.accept(order_id)
    return order_id


def replace(hand: Hand, quantity: str, price: str) -> None:
    desk = hand.executor.desk
    tracked = desk.orders.get("o-1")
    assert tracked is not None
    assert desk.replace(tracked, D(quantity), D(price))


# Fills that are missing.


def test_a_cancel_that_tells_of_more_fills_than_are_booked_ends_when_they_come() -> (
    None
):
    hand = Hand()
    resting(hand)
    hand.give(OrderCanceled("o-1", "", filled=D("0.4")))
    assert (status(hand), asked(hand)) == (S.UNKNOWN, 1)
    assert "0.4 missing" in hand.core.kept(FaultRecord)[0].error
    hand.fill("o-1", "0.4")
    assert status(hand) is S.CANCELED
    assert hand.position() == D("0.4")


def test_an_expiry_of_what_is_booked_ends_at_once() -> None:
    hand = Hand()
    resting(hand)
    hand.fill("o-1", "0.4")
    hand.give(OrderExpired("o-1", "", filled=D("0.4")))
    assert (status(hand), asked(hand)) == (S.EXPIRED, 0)


def test_missing_fills_are_asked_for_again_and_alarmed_once() -> None:
    hand = Hand()
    resting(hand)
    for _ in range(3):
        hand.give(OrderStatusReport("o-1", S.FILLED, D(1)))
    wait(hand, 100)
    assert asked(hand) > 3
    assert len(hand.core.kept(FaultRecord)) == 1
    hand.fill("o-1", "1")
    assert status(hand) is S.FILLED
    before = asked(hand)
    wait(hand, 1000)
    assert asked(hand) == before


def test_a_filled_order_the_venue_filled_more_of_is_unknown_until_that_comes() -> None:
    hand = Hand()
    resting(hand)
    hand.fill("o-1", "1")
    hand.give(OrderStatusReport("o-1", S.FILLED, D("1.5")))
    assert status(hand) is S.UNKNOWN
    hand.fill("o-1", "0.5")
    assert (status(hand), hand.position()) == (S.FILLED, D("1.5"))


def test_an_overfill_is_a_reason_to_ask_what_else_went_wrong() -> None:
    hand = Hand()
    resting(hand)
    hand.fill("o-1", "1.2")
    assert asked(hand) == 1
    hand.give(OrderStatusReport("o-1", S.FILLED, D("1.2")))
    wait(hand, 500)
    assert asked(hand) == 1


def test_an_overfilled_order_the_venue_does_not_know_is_unknown() -> None:
    hand = Hand()
    resting(hand)
    hand.fill("o-1", "1.2")
    hand.give(OrderStatusReport("o-1", None))
    assert (status(hand), hand.executor.unknown_count) == (S.UNKNOWN, 1)


# What is old.


def test_a_status_older_than_a_fill_moves_nothing() -> None:
    hand = Hand()
    resting(hand)
    hand.give(CancelOrders(order_ids=("o-1",)))
    wait(hand, 5)
    hand.give(CancelRejected("o-1", "busy", ts_event=20))
    hand.give(OrderStatusReport("o-1", S.ACCEPTED, ts_event=10))
    assert status(hand) is S.UNKNOWN
    hand.give(OrderStatusReport("o-1", S.ACCEPTED, ts_event=30))
    assert status(hand) is S.ACCEPTED


def test_a_status_asked_for_before_the_last_cancel_left_does_not_settle_it() -> None:
    hand = Hand()
    resting(hand)
    early = hand.core.ts
    wait(hand, 1)
    hand.give(CancelOrders(order_ids=("o-1",)))
    wait(hand, 5)
    hand.give(OrderStatusReport("o-1", S.ACCEPTED, asked_ns=early))
    assert status(hand) is S.UNKNOWN
    hand.give(OrderStatusReport("o-1", S.ACCEPTED, asked_ns=hand.core.ts))
    assert status(hand) is S.ACCEPTED


def test_an_acknowledgement_that_comes_again_does_not_answer_a_cancel() -> None:
    hand = Hand()
    hand.enter("1")
    ack = OrderAccepted("o-1", "v", ts_event=5)
    hand.give(ack)
    hand.give(CancelOrders(order_ids=("o-1",)))
    wait(hand, 5)
    hand.give(ack)
    assert status(hand) is S.UNKNOWN


def test_a_first_acknowledgement_does_not_answer_a_cancel_either() -> None:
    hand = Hand()
    hand.enter("1")
    hand.give(CancelOrders(order_ids=("o-1",)))
    wait(hand, 5)
    hand.give(OrderAccepted("o-1", "v"))
    assert (status(hand), asked(hand)) == (S.UNKNOWN, 2)


def test_an_old_replacement_does_not_undo_a_newer_one() -> None:
    hand = Hand()
    resting(hand)
    replace(hand, "2", "98")
    first = OrderReplaced("o-1", D(2), D(98), ts_event=10)
    hand.give(first)
    replace(hand, "3", "97")
    hand.give(first)
    assert status(hand) is S.PENDING_REPLACE
    hand.give(OrderReplaced("o-1", D(3), D(97), ts_event=20))
    hand.give(first)
    (order,) = hand.executor.orders()
    assert (order.status, order.quantity, order.price) == (S.ACCEPTED, D(3), D(97))


def test_a_lost_replacement_is_learned_from_the_status() -> None:
    hand = Hand()
    resting(hand)
    replace(hand, "2", "98")
    wait(hand, 5)
    assert status(hand) is S.UNKNOWN
    hand.give(
        OrderStatusReport("o-1", S.ACCEPTED, ts_event=30, quantity=D(2), price=D(98))
    )
    hand.give(OrderReplaced("o-1", D(2), D(98), ts_event=20))
    (order,) = hand.executor.orders()
    assert (order.status, order.quantity, order.price) == (S.ACCEPTED, D(2), D(98))


def test_a_refused_replacement_does_not_answer_a_cancel() -> None:
    hand = Hand()
    resting(hand)
    replace(hand, "2", "98")
    hand.give(CancelOrders(order_ids=("o-1",)))
    wait(hand, 5)
    hand.give(ReplaceRejected("o-1", "busy"))
    assert status(hand) is S.UNKNOWN


def test_a_fill_of_all_while_it_is_enlarged_is_not_the_end() -> None:
    hand = Hand()
    resting(hand)
    replace(hand, "3", "99")
    hand.fill("o-1", "1")
    assert (status(hand), asked(hand)) == (S.FILLED, 1)
    hand.give(OrderReplaced("o-1", D(3), D(99)))
    (order,) = hand.executor.orders()
    assert (order.status, order.remaining) == (S.PARTIALLY_FILLED, D(2))
    assert hand.executor.desk.orders.at_venue == 1


def test_a_status_can_tell_that_a_filled_order_was_enlarged() -> None:
    hand = Hand()
    resting(hand)
    replace(hand, "3", "99")
    hand.fill("o-1", "1")
    hand.give(OrderStatusReport("o-1", S.PARTIALLY_FILLED, D(1), quantity=D(3)))
    assert status(hand) is S.PARTIALLY_FILLED


def test_a_status_can_tell_that_a_filled_order_was_enlarged_and_then_canceled() -> None:
    hand = Hand()
    resting(hand)
    replace(hand, "3", "99")
    hand.fill("o-1", "1.1")
    hand.give(OrderStatusReport("o-1", S.CANCELED, D("1.1"), quantity=D(3)))
    (order,) = hand.executor.orders()
    assert (order.status, order.quantity) == (S.CANCELED, D(3))
    assert hand.executor.desk.orders.at_venue == 0


def test_a_partial_fill_leaves_an_unknown_order_unknown() -> None:
    hand = Hand()
    resting(hand)
    hand.give(CancelOrders(order_ids=("o-1",)))
    wait(hand, 5)
    hand.fill("o-1", "0.4")
    assert (status(hand), hand.position()) == (S.UNKNOWN, D("0.4"))


# No such order.


def test_no_such_order_counts_only_once_the_order_must_have_arrived() -> None:
    hand = Hand(orders=OrderSettings(absent_after_ms=30_000))
    hand.enter("1")
    wait(hand, 29)
    hand.give(OrderStatusReport("o-1", None))
    assert status(hand) is S.UNKNOWN
    early = hand.core.ts
    wait(hand, 1)
    hand.give(OrderStatusReport("o-1", None, asked_ns=early))
    assert status(hand) is S.UNKNOWN
    hand.give(OrderStatusReport("o-1", None, asked_ns=hand.core.ts))
    (order,) = hand.executor.orders()
    assert (order.status, order.inferred) == (S.REJECTED, True)


def test_an_order_the_venue_had_and_knows_no_more_is_unknown() -> None:
    hand = Hand()
    resting(hand)
    wait(hand, 60)
    hand.give(OrderStatusReport("o-1", None))
    wait(hand, 60)
    hand.give(OrderStatusReport("o-1", None))
    assert (status(hand), hand.executor.unknown_count) == (S.UNKNOWN, 1)


def test_a_fill_after_an_inferred_rejection_is_booked_and_asked_about() -> None:
    hand = Hand()
    hand.enter("1")
    wait(hand, 60)
    hand.give(OrderStatusReport("o-1", None))
    before = asked(hand)
    hand.fill("o-1", "0.4")
    assert hand.core.kept(FillRecord)[0].fill.reason == "late after inferred rejected"
    assert (status(hand), hand.position()) == (S.UNKNOWN, D("0.4"))
    assert asked(hand) == before + 1
    hand.give(OrderStatusReport("o-1", S.PARTIALLY_FILLED, D("0.4")))
    assert status(hand) is S.PARTIALLY_FILLED
    assert [o.id for o in hand.executor.working("s", "BTC")] == ["o-1"]


@pytest.mark.parametrize(
    ("report", "now"),
    [
        (OrderAccepted("o-1", "v"), S.ACCEPTED),
        (OrderCanceled("o-1"), S.CANCELED),
        (OrderExpired("o-1"), S.EXPIRED),
        (OrderStatusReport("o-1", S.ACCEPTED), S.ACCEPTED),
    ],
)
def test_what_the_venue_says_later_replaces_an_inferred_end(
    report: object, now: OrderStatus
) -> None:
    hand = Hand()
    hand.enter("1")
    wait(hand, 60)
    hand.give(OrderStatusReport("o-1", None))
    hand.give(report)
    (order,) = hand.executor.orders()
    assert (order.status, order.inferred) == (now, False)
    assert not hand.core.kept(FaultRecord)


def test_an_end_told_before_the_operators_word_counts_when_its_fills_come() -> None:
    hand = Hand()
    resting(hand)
    hand.give(OrderExpired("o-1", "its time", filled=D("0.4")))
    hand.core.seq += 1
    hand.executor.close_unknown("o-1", "by phone")
    assert status(hand) is S.CANCELED
    hand.fill("o-1", "0.4")
    (order,) = hand.executor.orders()
    assert (order.status, order.inferred) == (S.EXPIRED, False)


def test_a_refused_cancel_is_a_reason_to_ask() -> None:
    hand = Hand()
    resting(hand)
    hand.give(CancelOrders(order_ids=("o-1",)))
    hand.give(CancelRejected("o-1", "it is over"))
    assert (status(hand), asked(hand)) == (S.ACCEPTED, 1)
    hand.give(OrderStatusReport("o-1", S.CANCELED))
    assert status(hand) is S.CANCELED


def test_an_unknown_order_can_be_canceled_again() -> None:
    hand = Hand()
    resting(hand)
    for _ in range(2):
        hand.give(CancelOrders(order_ids=("o-1",)))
        wait(hand, 5)
    assert status(hand) is S.UNKNOWN
    assert sum(isinstance(r, CancelOrder) for r in hand.core.requests) == 2


# Orders made elsewhere.


def external(order_id: str = "web-1", instrument: str = "BTC") -> ExternalOrder:
    made = by_hand(order_id, "2", "101", Side.SELL, "v-7")
    return structs.replace(made, instrument=instrument)


def test_an_order_made_at_the_venue_is_external_and_so_are_its_fills() -> None:
    hand = Hand()
    hand.give(external())
    (order,) = hand.executor.orders()
    assert (order.owner, order.status, order.venue_id) == (
        "external",
        S.ACCEPTED,
        "v-7",
    )
    assert hand.submitted() == []
    hand.fill("web-1", "0.5", "101")
    assert hand.position("external") == D("-0.5")
    assert hand.position("s") == 0
    hand.give(external())
    assert len(hand.executor.orders()) == 1


def test_an_order_of_ours_with_another_name_at_the_venue_is_not_booked_twice() -> None:
    hand = Hand()
    ours = hand.enter("2", limit_price="99", order_type="limit")
    hand.give(OrderAccepted(ours, "v-7"))
    hand.fill(ours, "0.5", "99", trade_id="t-1")
    for _ in range(2):
        hand.give(external())
        hand.fill("web-1", "0.5", "99", trade_id="t-1")
    assert hand.position("s") == D("0.5")
    assert hand.position("external") == 0
    assert [order.id for order in hand.executor.orders()] == [ours]
    told = [f.error for f in hand.core.kept(FaultRecord) if f.where == "external"]
    (said,) = told
    assert said.startswith(
        f"order {ours} was changed at the venue by hand and is web-1"
    )


def test_an_order_whose_acknowledgement_was_lost_is_known_by_the_id_of_a_status() -> (
    None
):
    hand = Hand()
    ours = hand.enter("2", limit_price="99", order_type="limit")
    hand.fill(ours, "0.5", "99", trade_id="t-1")
    told = OrderStatusReport(ours, S.PARTIALLY_FILLED, D("0.5"), venue_id="v-7")
    hand.give(told)
    (order,) = hand.executor.orders()
    assert (order.status, order.venue_id) == (S.PARTIALLY_FILLED, "v-7")
    moves = len(hand.core.kept(OrderRecord))
    hand.give(told)
    assert len(hand.core.kept(OrderRecord)) == moves, "once"
    hand.give(external())
    hand.fill("web-1", "0.5", "99", trade_id="t-1")
    assert hand.position("s") == D("0.5")
    assert hand.position("external") == 0


def test_an_open_order_gets_the_id_that_no_acknowledgement_had() -> None:
    hand = Hand()
    ours = hand.enter("2", limit_price="99", order_type="limit")
    hand.give(OrderAccepted(ours, ""))
    hand.give(OrderStatusReport(ours, S.ACCEPTED))
    assert hand.executor.orders()[0].venue_id == ""
    hand.give(OrderStatusReport(ours, S.ACCEPTED, venue_id="v-7"))
    (order,) = hand.executor.orders()
    assert (order.status, order.venue_id) == (S.ACCEPTED, "v-7")


def test_an_order_with_the_venue_id_of_another_instrument_s_is_a_stranger() -> None:
    hand = Hand()
    ours = hand.enter("2", limit_price="99", order_type="limit")
    hand.give(OrderAccepted(ours, "v-7"))
    hand.give(external(instrument="ETH"))
    assert [order.owner for order in hand.executor.orders()] == ["s", "external"]


def test_a_report_for_an_unknown_order_asks_what_it_is() -> None:
    hand = Hand()
    hand.fill("web-1", "0.5", "101")
    assert asked(hand, "web-1") == 1
    hand.give(external())
    hand.fill("web-1", "0.5", "101", trade_id="t-1")
    assert hand.position("external") == D("-0.5")


def test_an_unknown_order_that_is_never_described_is_not_asked_about_for_ever() -> None:
    hand = Hand()
    hand.give(OrderAccepted("web-1", "v"))
    hand.give(OrderStatusReport("web-1", None))
    wait(hand, 1000)
    assert asked(hand, "web-1") == 1
    hand.give(OrderAccepted("web-2", "v"))
    for _ in range(20):
        hand.give(OrderStatusReport("web-2", S.ACCEPTED))
        wait(hand, 100)
    before = asked(hand, "web-2")
    wait(hand, 1000)
    assert asked(hand, "web-2") == before


def test_an_external_order_in_another_instrument_is_an_alarm() -> None:
    hand = Hand()
    hand.give(external(instrument="DOGE"))
    assert hand.executor.orders() == []
    assert "DOGE" in hand.core.kept(FaultRecord)[0].error


# The connection.


def test_after_a_broken_connection_every_working_order_is_asked_about() -> None:
    hand = Hand()
    resting(hand)
    done = hand.enter("1", strategy="t")
    hand.fill(done, "1")
    hand.give(ReportsLost("connection reset"))
    assert (asked(hand), asked(hand, done)) == (1, 0)
    assert "connection reset" in hand.core.kept(FaultRecord)[-1].error


@pytest.mark.parametrize("told", [False, True], ids=["answers", "a status between"])
def test_two_changes_of_one_time_both_count(told: bool) -> None:
    hand = Hand()
    resting(hand)
    at = hand.core.ts
    for price in ("98.9", "98.8"):
        replace(hand, "1", price)
        hand.give(OrderReplaced("o-1", D(1), D(price), ts_event=at))
    tracked = hand.executor.desk.orders.get("o-1")
    assert tracked is not None
    assert (tracked.order.status, tracked.order.price) == (S.ACCEPTED, D("98.8"))
    if told:
        # The first answer once more: nothing is asked, so it tells nothing new.
        hand.give(OrderReplaced("o-1", D(1), D("98.9"), ts_event=at))
        assert tracked.order.price == D("98.8")
