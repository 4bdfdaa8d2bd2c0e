"""The Executor against a venue played by hand: races, protection, commands, views."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.execution.fakes import BTC, ETH, NS, FakeBook, Hand, bar, signal
from workstation.execution.risk import DenialCode
from workstation.execution.settings import OrderSettings
from workstation.model.commands import (
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    Rearm,
)
from workstation.model.errors import CommandRefused
from workstation.model.events import (
    EmergencyLiquidation,
    OrderCanceledEvent,
    OrderCreated,
    OrderDenied,
    OrderFilled,
    OrderStuck,
    OrderUpdated,
    PositionChanged,
)
from workstation.model.instruments import Side
from workstation.model.market import BookDelta, Trade
from workstation.model.orders import OrderRole, OrderStatus, OrderType
from workstation.model.ports import OrdersView, PositionView
from workstation.model.records import (
    ControlRecord,
    FaultRecord,
    FillRecord,
    OrderRecord,
    PositionRecord,
)
from workstation.model.reports import (
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderStatusReport,
)
from workstation.model.requests import CancelOrder, QueryOrder, SubmitOrder
from workstation.model.roles import Part
from workstation.model.states import BookTrust

D = Decimal
S = OrderStatus


def status(hand: Hand, order_id: str = "o-1") -> OrderStatus:
    tracked = hand.executor.desk.orders.get(order_id)
    assert tracked is not None
    return tracked.order.status


def entered(
    stop: str | None = None,
    target: str | None = None,
    trailing_bps: float | None = None,
) -> Hand:
    hand = Hand()
    order_id = hand.enter("1", stop=stop, target=target, trailing_bps=trailing_bps)
    hand.accept(order_id)
    hand.fill(order_id, "1")
    return hand


def test_it_is_a_part_and_both_views() -> None:
    executor = Hand().executor
    part: Part = executor
    positions: PositionView = executor
    orders: OrdersView = executor
    assert isinstance(part, Part)
    assert positions.position("s", "BTC").is_flat
    assert not orders.working("s", "BTC")


def test_an_entry_runs_from_signal_to_position_with_all_records_and_events() -> None:
    hand = Hand()
    order_id = hand.enter("1", reason="cross")
    hand.accept(order_id)
    hand.fill(order_id, "1", "100.2", fee="0.05")
    kinds = [type(r).__name__ for r in hand.core.records]
    assert kinds == [
        "LossBaseRecord",
        "OrderRecord",
        "OrderRecord",
        "OrderRecord",
        "FillRecord",
        "PositionRecord",
    ]
    moves = [(r.before, r.order.status) for r in hand.core.kept(OrderRecord)]
    assert moves == [
        (S.INITIALIZED, S.SUBMITTED),
        (S.SUBMITTED, S.ACCEPTED),
        (S.ACCEPTED, S.FILLED),
    ]
    assert len(hand.core.said(OrderCreated)) == 1
    (filled,) = hand.core.said(OrderFilled)
    assert (filled.fill.reason, filled.fill.owner) == ("cross", "s")
    assert len(hand.core.said(PositionChanged)) == 1
    emitted = [type(e) for e in hand.core.emitted]
    assert emitted.count(OrderUpdated) == 3
    assert emitted.count(PositionChanged) == 1
    account = hand.executor.account()
    assert (account.fills, account.orders, account.fees) == (1, 1, D("0.05"))
    events = [r.event.value for r in hand.core.kept(OrderRecord)]
    assert events == ["submit", "accept", "fill"]


def test_a_duplicate_trade_is_booked_once() -> None:
    hand = Hand()
    order_id = hand.enter("2")
    hand.fill(order_id, "1", trade_id="x")
    hand.fill(order_id, "1", trade_id="x")
    assert hand.position() == 1
    assert hand.executor.reports.duplicates == 1


def test_a_fill_before_the_acknowledgement_is_booked() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.fill(order_id, "1")
    hand.accept(order_id)
    assert status(hand) is S.FILLED
    assert not hand.core.kept(FaultRecord)


def test_a_late_fill_after_cancel_is_booked_and_flagged() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.give(CancelOrders(order_ids=(order_id,)))
    hand.give(OrderCanceled(order_id))
    assert len(hand.core.said(OrderCanceledEvent)) == 1
    hand.fill(order_id, "0.4")
    assert status(hand) is S.CANCELED
    assert hand.position() == D("0.4")
    assert hand.core.kept(FillRecord)[0].fill.reason == "late after canceled"


def test_a_fill_during_cancel_is_booked_once() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.accept(order_id)
    hand.give(CancelOrders(order_ids=(order_id,)))
    hand.fill(order_id, "1")
    hand.give(CancelRejected(order_id, "already filled"))
    assert status(hand) is S.FILLED
    assert hand.position() == 1


def test_a_refused_cancel_leaves_the_order_open() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.accept(order_id)
    hand.give(CancelOrders(order_ids=(order_id,)))
    hand.give(CancelRejected(order_id, "busy"))
    assert status(hand) is S.ACCEPTED


def test_an_overfill_is_booked_and_alarmed() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.fill(order_id, "1")
    hand.fill(order_id, "0.5")
    assert hand.position() == D("1.5")
    (fault,) = hand.core.kept(FaultRecord)
    assert "0.5 too much" in fault.error
    assert hand.executor.desk.orders.pending("BTC", Side.BUY) == 0


def test_a_report_that_makes_no_sense_is_an_alarm_and_changes_nothing() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.give(OrderRejected(order_id, "no"))
    hand.give(OrderAccepted(order_id, "v"))
    hand.give(OrderAccepted("nobody", "v"))
    assert status(hand) is S.REJECTED
    assert len(hand.core.kept(FaultRecord)) == 2


def test_no_answer_leads_to_unknown_and_a_query_and_the_answer_settles_it() -> None:
    hand = Hand(orders=OrderSettings(create_timeout_ms=10_000))
    order_id = hand.enter("1")
    hand.core.advance(hand.core.ts + 10 * NS)
    assert status(hand) is S.UNKNOWN
    assert hand.executor.unknown_count == 1
    (stuck,) = hand.core.said(OrderStuck)
    assert (stuck.state, stuck.duration_ns) == (S.SUBMITTED, 10 * NS)
    asked = QueryOrder(order_id, "BTC", hand.core.ts)
    assert hand.core.requests[-1] == asked
    hand.give(OrderStatusReport(order_id, S.ACCEPTED))
    assert status(hand) is S.ACCEPTED
    assert hand.executor.unknown_count == 0


def test_an_order_the_venue_never_saw_is_rejected_only_by_its_word() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.core.advance(hand.core.ts + 60 * NS)
    assert status(hand) is S.UNKNOWN
    hand.give(OrderStatusReport(order_id, None))
    assert status(hand) is S.REJECTED


def test_filled_by_status_waits_for_the_fills_themselves() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.give(OrderStatusReport(order_id, S.FILLED, D(1)))
    assert status(hand) is S.UNKNOWN
    assert "1 missing" in hand.core.kept(FaultRecord)[0].error
    hand.fill(order_id, "1")
    assert status(hand) is S.FILLED


def test_a_cancel_without_answer_becomes_unknown_after_its_own_time() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.accept(order_id)
    hand.core.advance(hand.core.ts + 60 * NS)
    assert status(hand) is S.ACCEPTED
    hand.give(CancelOrders(order_ids=(order_id,)))
    hand.core.advance(hand.core.ts + 5 * NS)
    assert status(hand) is S.UNKNOWN
    assert hand.core.said(OrderStuck)[0].state is S.PENDING_CANCEL


def test_the_operator_can_end_an_unknown_order() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    with pytest.raises(CommandRefused, match="not unknown"):
        hand.executor.close_unknown(order_id, "phone call")
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.executor.close_unknown(order_id, "phone call")
    assert status(hand) is S.CANCELED
    hand.fill(order_id, "1")
    assert hand.position() == 1


def test_only_an_unknown_order_can_be_ended_so_and_once() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    with pytest.raises(CommandRefused, match="order o-9 is not known"):
        hand.executor.close_unknown("o-9", "")
    hand.core.advance(hand.core.ts + 60 * NS)
    before, records = hand.executor.digest(), len(hand.core.records)
    hand.executor.close_unknown(order_id, "")
    (record,) = hand.core.records[records:]
    assert isinstance(record, OrderRecord)
    assert (record.before, record.order.status) == (S.UNKNOWN, S.CANCELED)
    assert record.reason == "closed by the operator"
    ended = hand.executor.digest()
    assert (ended != before, hand.executor.unknown_count) == (True, 0)
    with pytest.raises(CommandRefused, match="order o-1 is canceled, not unknown"):
        hand.executor.close_unknown(order_id, "again")
    assert hand.executor.digest() == ended
    assert len(hand.core.records) == records + 1


def test_a_stop_of_unknown_fate_is_held_again_when_the_operator_ends_it() -> None:
    hand = entered("95")
    hand.quote(94.0, 94.1)
    hand.core.advance(hand.core.ts + 60 * NS)
    assert (status(hand, "o-2"), hand.held()) == (S.UNKNOWN, [])
    hand.executor.close_unknown("o-2", "the venue never saw it")
    assert hand.held() == [("stop", D(1), D(95))]


def test_a_fee_nobody_can_value_is_an_alarm_once_per_currency() -> None:
    hand = Hand()
    order_id = hand.enter("3")
    for number, (fee, currency) in enumerate(
        [("0", "POINTS"), ("2", "POINTS"), ("1", "POINTS"), ("1", "OTHER")]
    ):
        hand.give(
            OrderFilledReport(
                order_id, f"t-{number}", D("0.5"), D(100), D(fee), currency, False
            )
        )
    faults = [f.error for f in hand.core.kept(FaultRecord)]
    assert faults == [
        "fee of 2 POINTS on t-1 has no price in USDT; equity leaves such fees out",
        "fee of 1 OTHER on t-3 has no price in USDT; equity leaves such fees out",
    ]
    assert hand.executor.ledger.fees.unvalued == {"POINTS": D(3), "OTHER": D(1)}


def test_stop_and_target_are_held_when_the_entry_fills_and_follow_its_size() -> None:
    hand = Hand()
    order_id = hand.enter("1", stop="95", target="120")
    assert hand.held() == []
    hand.fill(order_id, "0.4")
    assert hand.held() == [("stop", D("0.4"), D(95)), ("target", D("0.4"), D(120))]
    hand.fill(order_id, "0.6")
    assert hand.held() == [("stop", D(1), D(95)), ("target", D(1), D(120))]
    hand.give(signal("exit", "0.3"))
    hand.fill("o-4", "0.3")
    assert [q for _, q, _ in hand.held()] == [D("0.7"), D("0.7")]


def test_protection_ends_with_the_position() -> None:
    hand = entered("95", "120")
    hand.give(signal("exit"))
    hand.fill("o-4", "1")
    assert hand.held() == []
    assert status(hand, "o-2") is S.CANCELED
    assert not hand.executor.triggers.waiting


@pytest.mark.parametrize(
    ("action", "stop", "target", "bid", "ask", "role"),
    [
        ("enter_long", "95", "120", 95.0, 95.1, "stop"),
        ("enter_long", "95", "120", 120.0, 120.1, "target"),
        ("enter_short", "120", "95", 119.9, 120.0, "stop"),
        ("enter_short", "120", "95", 94.9, 95.0, "target"),
    ],
)
def test_a_trigger_releases_a_market_order_that_keeps_its_trigger(
    action: str, stop: str, target: str, bid: float, ask: float, role: str
) -> None:
    hand = Hand()
    hand.fill(hand.enter("1", action, stop=stop, target=target), "1", "100")
    hand.quote(bid, ask)
    request = hand.core.requests[-1]
    assert isinstance(request, SubmitOrder)
    order = request.order
    assert (order.role.value, order.type) == (role, OrderType.MARKET)
    assert order.trigger == D(stop if role == "stop" else target)
    assert order.reduce_only
    hand.fill(order.id, "1", str(bid))
    assert hand.position() == 0
    assert hand.held() == []
    (trade,) = hand.executor.ledger.trades
    assert trade.exit_reason == role


@pytest.mark.parametrize(
    ("action", "stop", "target", "bid", "ask"),
    [
        ("enter_long", "95", "120", 95.1, 95.2),
        ("enter_long", "95", "120", 119.9, 120.5),
        ("enter_long", "95", "120", 0.0, 94.0),
        ("enter_short", "120", "95", 119.0, 119.9),
        ("enter_short", "120", "95", 94.0, 95.1),
    ],
)
def test_the_wrong_side_of_the_quote_triggers_nothing(
    action: str, stop: str, target: str, bid: float, ask: float
) -> None:
    hand = Hand()
    hand.fill(hand.enter("1", action, stop=stop, target=target), "1", "100")
    hand.quote(bid, ask)
    assert hand.submitted() == ["o-1"]


def test_a_released_stop_is_sent_once_while_its_fill_is_on_the_way() -> None:
    hand = entered("95", "120")
    for bid in (94.0, 93.0, 121.0):
        hand.quote(bid, bid + 0.1)
    assert hand.submitted() == ["o-1", "o-2"]


def test_a_stop_waits_while_an_exit_is_closing_and_fires_when_that_fails() -> None:
    hand = entered("95")
    hand.give(signal("exit"))
    hand.quote(94.0, 94.1)
    assert hand.submitted() == ["o-1", "o-3"]
    hand.give(OrderRejected("o-3", "busy"))
    hand.core.advance(hand.core.ts + 2 * NS)
    hand.quote(94.0, 94.1)
    assert hand.submitted() == ["o-1", "o-3", "o-2"]


def test_a_stop_that_the_venue_refused_is_held_again_and_not_sent_at_every_tick() -> (
    None
):
    hand = entered("95")
    hand.quote(94.0, 94.1)
    hand.give(OrderRejected("o-2", "no data"))
    assert hand.held() == [("stop", D(1), D(95))]
    assert "stop o-2 ended rejected" in hand.core.kept(FaultRecord)[0].error
    hand.quote(94.0, 94.1)
    assert len(hand.submitted()) == 2
    hand.core.advance(hand.core.ts + NS)
    hand.quote(94.0, 94.1)
    assert hand.submitted() == ["o-1", "o-2", "o-3"]


def test_a_stop_that_fires_cancels_what_is_left_of_the_entry() -> None:
    hand = Hand()
    order_id = hand.enter("1", stop="95")
    hand.fill(order_id, "0.4")
    hand.quote(94.0, 94.1)
    assert CancelOrder(order_id, "BTC") in hand.core.requests
    hand.fill(order_id, "0.6")
    hand.fill("o-2", "0.4")
    assert hand.held() == [("stop", D("0.6"), D(95))]
    hand.quote(94.0, 94.1)
    hand.fill("o-3", "0.6")
    assert hand.position() == 0


def test_stops_only_tighten_and_targets_move_freely() -> None:
    hand = entered("95", "120")
    hand.give(signal("protect", stop="97", target="110"))
    assert hand.held() == [("stop", D(1), D(97)), ("target", D(1), D(110))]
    hand.give(signal("protect", stop="96", target="130"))
    assert hand.held() == [("stop", D(1), D(97)), ("target", D(1), D(130))]
    (denied,) = hand.core.said(OrderDenied)
    assert denied.code == DenialCode.STOP_LOOSENED
    assert "96" in denied.text


def test_protection_can_be_set_before_the_entry_fills() -> None:
    hand = Hand()
    order_id = hand.enter("1", stop="90")
    hand.give(signal("protect", stop="95", target="120"))
    hand.fill(order_id, "1")
    assert hand.held() == [("stop", D(1), D(95)), ("target", D(1), D(120))]


def test_protecting_nothing_is_denied() -> None:
    hand = Hand()
    hand.give(signal("protect", stop="95"))
    assert hand.core.said(OrderDenied)[0].code == DenialCode.NO_POSITION


def test_a_trailing_stop_follows_the_best_price_and_never_back() -> None:
    hand = entered(trailing_bps=100.0)
    assert hand.held() == [("stop", D(1), D("99.2"))]
    hand.quote(110.0, 110.1)
    assert hand.held() == [("stop", D(1), D("108.9"))]
    hand.quote(109.0, 109.1)
    assert hand.held() == [("stop", D(1), D("108.9"))]
    hand.quote(108.9, 109.0)
    assert hand.submitted() == ["o-1", "o-2"]


def test_a_trailing_stop_of_a_short_follows_down() -> None:
    hand = Hand()
    hand.fill(hand.enter("1", "enter_short", trailing_bps=100.0), "1", "100")
    assert hand.held() == [("stop", D(1), D("101.0"))]
    hand.quote(89.9, 90.0)
    assert hand.held() == [("stop", D(1), D("90.9"))]


def test_trades_trigger_only_where_there_are_no_quotes() -> None:
    hand = entered("95")
    trade = Trade("BTC", hand.core.ts, 94.0, 1.0)
    hand.give(trade)
    assert hand.submitted() == ["o-1"]
    view = hand.market.views["BTC"]
    view.bid = view.ask = 0.0
    hand.give(trade)
    assert hand.submitted() == ["o-1", "o-2"]


def test_an_untrusted_book_triggers_nothing() -> None:
    hand = entered("95")
    view = hand.market.views["BTC"]
    book = view.book = FakeBook()
    view.bid, view.ask = 94.0, 94.1
    delta = BookDelta("BTC", hand.core.ts, 1, 1, (), ())
    book.trust = BookTrust.UNTRUSTED
    hand.give(delta)
    assert hand.submitted() == ["o-1"]
    book.trust = BookTrust.TRUSTED
    hand.give(delta)
    assert hand.submitted() == ["o-1", "o-2"]


def test_in_a_bar_the_stop_comes_before_the_target() -> None:
    hand = entered("95", "120")
    hand.market.views["BTC"].bars_only = True
    hand.give(bar(120, 100, 125, 90, 121))
    order = hand.core.requests[-1]
    assert isinstance(order, SubmitOrder)
    assert order.order.role is OrderRole.STOP


def test_a_bar_trails_only_after_its_own_range_was_checked() -> None:
    hand = entered(trailing_bps=100.0)
    hand.market.views["BTC"].bars_only = True
    hand.give(bar(120, 100, 110, 99.5, 101))
    assert hand.held() == [("stop", D(1), D("108.9"))]
    assert hand.submitted() == ["o-1"]


def test_an_exit_cancels_the_working_entry_and_closes_what_filled() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.fill(order_id, "0.4")
    hand.give(signal("exit"))
    assert CancelOrder(order_id, "BTC") in hand.core.requests
    request = hand.core.requests[-1]
    assert isinstance(request, SubmitOrder)
    assert (request.order.quantity, request.order.reduce_only) == (D("0.4"), True)


def test_an_exit_of_nothing_is_denied() -> None:
    hand = Hand()
    hand.give(signal("exit"))
    assert hand.core.said(OrderDenied)[0].code == DenialCode.NO_POSITION


def test_cancel_entry_leaves_protection_alone() -> None:
    hand = Hand()
    order_id = hand.enter("1", stop="95")
    hand.fill(order_id, "0.4")
    hand.give(signal("cancel_entry"))
    hand.give(OrderCanceled(order_id))
    assert hand.held() == [("stop", D("0.4"), D(95))]


def test_canceling_by_name_removes_protection_for_good() -> None:
    hand = entered("95", "120")
    hand.give(CancelOrders(order_ids=("o-2",)))
    hand.give(signal("protect", target="125"))
    assert hand.held() == [("target", D(1), D(125))]


def test_cancel_refuses_what_is_final_or_not_there() -> None:
    hand = entered()
    with pytest.raises(CommandRefused, match="o-1 is filled, o-9 is not known"):
        hand.give(CancelOrders(order_ids=("o-1", "o-9")))


def test_flatten_closes_every_owner_and_cancels_entries() -> None:
    hand = Hand()
    hand.fill(hand.enter("1", strategy="a"), "1")
    hand.fill(hand.enter("2", "enter_short", strategy="b"), "2")
    waiting = hand.enter("1", strategy="c")
    hand.give(Flatten(instrument="BTC"))
    assert CancelOrder(waiting, "BTC") in hand.core.requests
    closing = [
        (r.order.owner, r.order.side.value, r.order.quantity, r.order.role.value)
        for r in hand.core.requests
        if isinstance(r, SubmitOrder) and r.order.reduce_only
    ]
    assert closing == [
        ("a", "sell", D(1), "flatten"),
        ("b", "buy", D(2), "flatten"),
    ]
    with pytest.raises(CommandRefused, match="being closed already"):
        hand.give(Flatten(instrument="BTC"))


def test_a_flatten_that_risk_denies_is_refused_with_its_words() -> None:
    hand = Hand(btc=replace(BTC, min_quantity=D("0.5")))
    hand.fill(hand.enter("1"), "0.1")
    hand.give(CancelOrders(order_ids=("o-1",)))
    hand.give(OrderCanceled("o-1"))
    with pytest.raises(CommandRefused) as caught:
        hand.give(Flatten(instrument="BTC"))
    assert str(caught.value) == (
        "BTC cannot be flattened: quantity 0.1 is below min_quantity 0.5"
    )
    assert hand.core.said(OrderDenied)[-1].code == DenialCode.QUANTITY_BELOW_MINIMUM
    assert hand.submitted() == ["o-1"]


def test_flatten_of_nothing_is_refused() -> None:
    with pytest.raises(CommandRefused, match="nobody holds BTC"):
        Hand().give(Flatten(instrument="BTC"))
    with pytest.raises(CommandRefused, match="s holds no BTC and has no entry"):
        Hand().give(Flatten(instrument="BTC", owner="s"))


def closings(hand: Hand) -> list[tuple[str, Decimal]]:
    return [
        (r.order.role.value, r.order.quantity)
        for r in hand.core.requests
        if isinstance(r, SubmitOrder) and r.order.reduce_only
    ]


def test_a_fill_that_beats_the_cancel_of_a_flatten_is_closed_as_it_comes() -> None:
    hand = Hand()
    order_id = hand.enter("1", stop="95")
    before = hand.executor.digest()
    hand.give(Flatten(instrument="BTC", owner="s"))
    assert before != hand.executor.digest()
    hand.fill(order_id, "0.4")
    assert closings(hand) == [("flatten", D("0.4"))]
    hand.fill(order_id, "0.6")
    hand.give(CancelRejected(order_id, "already filled"))
    assert closings(hand) == [("flatten", D("0.4")), ("flatten", D("0.6"))]
    for closing in hand.submitted()[1:]:
        quantity = D("0.4") if closing == hand.submitted()[1] else D("0.6")
        hand.fill(closing, str(quantity), "100")
    assert (hand.position(), hand.held()) == (D(0), [])


def test_a_fill_after_the_cancel_of_a_flatten_is_closed_without_what_came_later() -> (
    None
):
    hand = Hand()
    order_id = hand.enter("1")
    hand.give(Flatten(instrument="BTC"))
    hand.give(OrderCanceled(order_id))
    hand.fill(hand.enter("3"), "3")
    assert closings(hand) == []
    hand.fill(order_id, "1")
    assert closings(hand) == [("flatten", D(1))]
    assert hand.position() == 4


def test_a_flatten_takes_an_entry_whose_cancel_is_on_its_way() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.give(signal("cancel_entry"))
    hand.give(Flatten(instrument="BTC"))
    with pytest.raises(CommandRefused, match="being closed already"):
        hand.give(Flatten(instrument="BTC"))
    hand.fill(order_id, "1")
    assert closings(hand) == [("flatten", D(1))]


def test_a_rearm_does_not_keep_what_a_flattening_kill_withdrew() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.give(Kill(level=KillLevel.FLATTEN))
    hand.give(Rearm())
    hand.fill(order_id, "1")
    assert closings(hand) == [("flatten", D(1))]


def test_hold_is_recorded_with_its_time_and_refused_twice() -> None:
    hand = Hand()
    hand.give(Hold(on=True, reason="lunch"))
    assert (hand.executor.hold, hand.executor.hold_since_ns) == (True, hand.core.ts)
    with pytest.raises(CommandRefused, match="on hold already"):
        hand.give(Hold(on=True))
    hand.give(Hold(on=False))
    with pytest.raises(CommandRefused, match="no hold to lift"):
        hand.give(Hold(on=False))
    changes = [(r.name, r.before, r.after) for r in hand.core.kept(ControlRecord)]
    assert changes == [("hold", "off", "on"), ("hold", "on", "off")]


def test_the_kill_ladder_climbs_and_keeps_protection() -> None:
    hand = entered("95")
    waiting = hand.enter("1", strategy="other")
    hand.give(Kill(level=KillLevel.HOLD, reason="odd"))
    assert CancelOrder(waiting, "BTC") not in hand.core.requests
    hand.give(Kill(level=KillLevel.CANCEL, reason="odd"))
    assert CancelOrder(waiting, "BTC") in hand.core.requests
    assert hand.held() == [("stop", D(1), D(95))]
    with pytest.raises(CommandRefused, match="killed at cancel already"):
        hand.give(Kill(level=KillLevel.HOLD))
    hand.give(Kill(level=KillLevel.FLATTEN, reason="odd"))
    (event,) = hand.core.said(EmergencyLiquidation)
    assert (event.instrument, event.position) == ("BTC", D(1))
    assert (hand.executor.kill_level, hand.executor.kill_reason) == (
        KillLevel.FLATTEN,
        "odd",
    )
    hand.give(Rearm())
    assert hand.executor.kill_level is None
    with pytest.raises(CommandRefused, match="nothing to re-arm"):
        hand.give(Rearm())


def test_after_a_flattening_kill_a_late_entry_fill_is_closed_too() -> None:
    hand = Hand()
    order_id = hand.enter("1")
    hand.give(Kill(level=KillLevel.FLATTEN))
    hand.fill(order_id, "1")
    request = hand.core.requests[-1]
    assert isinstance(request, SubmitOrder)
    assert request.order.role is OrderRole.FLATTEN


def test_a_hand_over_moves_position_and_protection_without_a_fill() -> None:
    hand = entered("95", "120")
    hand.executor.handover("s", "BTC")
    assert (hand.position(), hand.position("operator")) == (D(0), D(1))
    assert hand.executor.position("operator", "BTC").average_price == D("100.2")
    owners = {o.owner for o in hand.executor.held_protection()}
    assert owners == {"operator"}
    assert len(hand.held()) == 2
    assert len(hand.core.kept(PositionRecord)) == 3
    assert len(hand.core.kept(FillRecord)) == 1
    hand.executor.adopt("s", "BTC")
    assert hand.position() == 1
    hand.quote(94.0, 94.1)
    hand.fill(hand.submitted()[-1], "1", "94")
    assert hand.position() == 0


def test_a_hand_over_is_refused_with_the_reason() -> None:
    hand = Hand()
    with pytest.raises(CommandRefused, match="s holds no BTC"):
        hand.executor.handover("s", "BTC")
    hand.fill(hand.enter("1"), "1")
    hand.give(signal("exit"))
    with pytest.raises(CommandRefused, match="being closed"):
        hand.executor.handover("s", "BTC")


def test_gates_name_what_would_stop_an_entry() -> None:
    hand = Hand()
    names = [g.name for g in hand.executor.gates("s", "BTC")]
    assert names == [
        *("feed", "book", "engine", "task", "lock", "risk", "throttle", "broker")
    ]
    assert all(g.passed for g in hand.executor.gates("s", "BTC"))
    hand.market.reasons["BTC"] = "no quote for 9 s"
    hand.give(Hold(on=True))
    hand.executor.strategy_state = lambda owner: "stopped"
    failed = {g.name: g.detail for g in hand.executor.gates("s", "BTC") if not g.passed}
    assert failed == {
        "feed": "no quote for 9 s",
        "engine": "on hold",
        "task": "stopped",
    }
    hand.executor.paused = True
    engine = hand.executor.gates("s", "BTC")[2]
    assert engine.detail == "executor paused"


def test_a_gate_fails_while_the_fate_of_an_order_is_unknown() -> None:
    hand = Hand()
    hand.enter("1")
    hand.core.advance(hand.core.ts + 60 * NS)
    failed = [g.name for g in hand.executor.gates("s", "BTC") if not g.passed]
    assert failed == ["risk", "broker"]


def test_closed_orders_are_bounded_and_open_ones_are_not() -> None:
    hand = Hand(orders=OrderSettings(keep_closed=10))
    resting = hand.enter("1", strategy="patient")
    for _ in range(30):
        hand.fill(hand.enter("1"), "1")
        hand.give(signal("exit"))
        hand.fill(f"o-{hand.executor.desk.orders.made}", "1")
    assert len(hand.executor.orders()) == 11
    assert hand.executor.orders()[-1].id == resting
    assert hand.executor.account().orders == 61


def test_the_digest_tells_states_apart() -> None:
    one, two = entered("95"), entered("95")
    assert one.executor.digest() == two.executor.digest()
    two.give(signal("protect", stop="96"))
    assert one.executor.digest() != two.executor.digest()


def test_the_day_starts_again_with_market_time() -> None:
    hand = entered()
    day = 86_400 * NS
    hand.market.views["BTC"].bid = hand.market.views["BTC"].ask = 110.2
    hand.give(Trade("BTC", day, 110.2, 1.0))
    assert hand.executor.account().day_start == D(100_000)
    hand.market.views["BTC"].bid = hand.market.views["BTC"].ask = 120.2
    hand.give(Trade("BTC", day + 1, 120.2, 1.0))
    assert hand.executor.account().day_start == D(100_010)


WORDS = [
    *("enter", "exit", "protect", "price", "accept", "reject", "fill", "fill"),
    *("again", "cancel", "canceled", "expired", "refused", "status", "flatten"),
    "wait",
]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_of_reports_books_every_trade_once(data: st.DataObject) -> None:
    hand = Hand()
    seen: dict[str, dict[str, Decimal]] = {}
    words = st.sampled_from(WORDS)
    for _ in range(data.draw(st.integers(5, 40))):
        word = data.draw(words)
        orders = hand.executor.orders()
        sent = [o for o in orders if o.id in hand.submitted()]
        if word == "enter":
            side = data.draw(st.sampled_from(["enter_long", "enter_short"]))
            hand.enter("1", side, stop="80" if side == "enter_long" else "120")
        elif word == "exit":
            hand.give(signal("exit"))
        elif word == "protect":
            stop = data.draw(st.integers(70, 130))
            hand.give(signal("protect", stop=str(stop)))
        elif word == "price":
            bid = float(data.draw(st.integers(70, 130)))
            hand.quote(bid, bid + 0.1)
        elif word == "wait":
            hand.core.advance(hand.core.ts + 6 * NS)
        elif word == "flatten":
            try:
                hand.give(Flatten(instrument="BTC"))
            except CommandRefused:
                pass
        elif sent:
            order = data.draw(st.sampled_from(sent))
            booked = seen.setdefault(order.id, {})
            if word == "fill":
                quantity = D(data.draw(st.integers(1, 1000))) / 1000
                if order.filled + quantity > order.quantity:
                    quantity = order.remaining
                if quantity > 0:
                    trade = f"{order.id}-{len(booked)}"
                    booked[trade] = quantity
                    hand.fill(order.id, str(quantity), "100", trade_id=trade)
            elif word == "again" and booked:
                trade = data.draw(st.sampled_from(sorted(booked)))
                hand.fill(order.id, str(booked[trade]), "100", trade_id=trade)
            elif word == "cancel":
                try:
                    hand.give(CancelOrders(order_ids=(order.id,)))
                except CommandRefused:
                    pass
            else:
                report = {
                    "accept": OrderAccepted(order.id, "v"),
                    "reject": OrderRejected(order.id, "no"),
                    "canceled": OrderCanceled(order.id),
                    "expired": OrderExpired(order.id),
                    "refused": CancelRejected(order.id, "no"),
                    "status": OrderStatusReport(order.id, S.ACCEPTED),
                }.get(word)
                if report is not None:
                    hand.give(report)
        check(hand, seen)


def check(hand: Hand, seen: dict[str, dict[str, Decimal]]) -> None:
    orders = {o.id: o for o in hand.executor.orders()}
    total = D(0)
    for order_id, order in orders.items():
        expected = sum(seen.get(order_id, {}).values(), D(0))
        assert order.filled == expected
        total += expected * order.side.sign
    assert hand.position() == total
    assert hand.executor.net("BTC") == total
    held = [o for o in orders.values() if o.status is S.HELD]
    for order in held:
        assert order.quantity == abs(total)
        assert order.side.sign * total < 0
    there = [
        o
        for o in orders.values()
        if not o.is_terminal and o.status not in (S.HELD, S.INITIALIZED)
    ]
    register = hand.executor.desk.orders
    assert register.at_venue == len(there)
    assert register.unknown == sum(o.status is S.UNKNOWN for o in there)
    for side in {o.side for o in orders.values()}:
        pending = [o.remaining for o in there if o.side is side and not o.reduce_only]
        closing = [o.remaining for o in there if o.side is side and o.reduce_only]
        assert register.pending("BTC", side) == sum(pending, D(0))
        assert register.closing("s", "BTC", side) == sum(closing, D(0))


def test_an_unknown_fill_report_is_an_alarm() -> None:
    hand = Hand()
    hand.give(OrderFilledReport("o-9", "t", D(1), D(1), D(0), "USDT", maker=False))
    assert "not known here" in hand.core.kept(FaultRecord)[0].error
    assert hand.position(instrument=ETH.id) == 0
