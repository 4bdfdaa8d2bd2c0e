"""Desired orders carried out: through risk and rates, past what the venue does."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.execution.fakes import NS, signal
from tests.execution.quoting import Quoter, wish
from tests.execution.test_entry_limits import OFF
from workstation.execution.settings import QuotingSettings, RiskSettings
from workstation.execution.steps import StepKind, Why
from workstation.execution.tracked import Tracked
from workstation.model.commands import (
    CancelOrders,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    Recover,
)
from workstation.model.events import DataBroke, OrderDenied
from workstation.model.instruments import Side
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.records import DenyRecord
from workstation.model.reports import (
    CancelRejected,
    OrderCanceled,
    OrderReplaced,
    OrderStatusReport,
    ReplaceRejected,
)
from workstation.model.requests import (
    BatchRequest,
    CancelOrder,
    QueryOrder,
    ReplaceOrder,
    SubmitOrder,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
TWO = wish([(99, 1), (98, 2)], [(101, 1), (102, 2)])


def quoting(**more: object) -> Quoter:
    """Return a desk with two levels a side at work."""
    made = Quoter(**more)  # type: ignore[arg-type]
    made.give(TWO)
    made.settle()
    return made


def test_a_wish_becomes_resting_post_only_orders() -> None:
    desk = quoting()
    assert desk.resting() == [
        ("buy", 98.0, 2.0),
        ("buy", 99.0, 1.0),
        ("sell", 101.0, 1.0),
        ("sell", 102.0, 2.0),
    ]
    for order in desk.executor.working("s", "BTC"):
        assert order.post_only
        assert order.role is OrderRole.QUOTE


def test_the_same_wish_again_sends_and_records_nothing() -> None:
    desk = quoting()
    records = len(desk.core.records)
    desk.give(TWO)
    desk.wait()
    assert desk.asked() == []
    assert len(desk.core.records) == records


def test_a_wish_replaces_the_one_before() -> None:
    desk = quoting()
    desk.give(wish([(99.5, 1)], [(101, 1)]))
    asked = desk.answer()
    assert [type(each) for each in asked] == [CancelOrder, CancelOrder, ReplaceOrder]
    assert desk.settle() == 0
    assert desk.resting() == [("buy", 99.5, 1.0), ("sell", 101.0, 1.0)]


def test_a_decision_is_one_record_with_its_reasons() -> None:
    desk = quoting()
    desk.give(wish([(99.5, 1)], [(101, 1)], reason="drift"))
    record = desk.decisions()[-1]
    assert (record.bids, record.asks, record.cause) == (1, 1, "wish")
    assert (record.kept, record.modified, record.canceled, record.placed) == (
        (1, 1, 2, 0)
    )
    assert record.reason == "drift"
    assert "modify o-1 buy 1.000 @ 99.5: price off, 50.3 bps" in record.why
    steps = desk.executor.quoting.decision("s", "BTC")
    assert [step.kind for step in steps].count(StepKind.CANCEL) == 2


def test_a_record_spells_out_the_first_eight_reasons_and_counts_the_rest() -> None:
    desk = Quoter(risk=RiskSettings(max_position_value=None))
    desk.give(wish([(99 - level, 0.1) for level in range(12)]))
    record = desk.decisions()[-1]
    assert record.placed == 12
    assert record.why[-1] == "and 4 more"
    assert len(record.why) == 9


def test_a_venue_that_cannot_change_orders_gets_cancel_and_then_place() -> None:
    desk = quoting(abilities=BrokerAbilities())
    desk.give(wish([(99.5, 1), (98, 2)], [(101, 1), (102, 2)]))
    (cancel,) = desk.answer()
    assert isinstance(cancel, CancelOrder)
    (place,) = desk.answer()
    assert isinstance(place, SubmitOrder)
    assert place.order.price == D("99.5")


def test_requests_of_a_kind_go_as_one_batch_where_the_broker_takes_them() -> None:
    desk = quoting(abilities=BrokerAbilities(modify=True, batch=3))
    first = desk.core.requests
    assert [len(r.requests) if isinstance(r, BatchRequest) else 1 for r in first] == [
        3,
        1,
    ]
    assert desk.resting() == quoting().resting()
    desk.give(wish())
    batch = desk.core.requests[-2]
    assert isinstance(batch, BatchRequest)
    assert {type(each) for each in batch.requests} == {CancelOrder}


# Fills.


def test_what_fills_is_not_placed_again_without_another_wish() -> None:
    desk = quoting()
    desk.fill("o-1", "1", "99")
    desk.wait()
    assert desk.asked() == []
    assert desk.resting()[:1] == [("buy", 98.0, 2.0)]
    desk.give(TWO)
    assert len(desk.answer()) == 1


def test_a_partly_filled_quote_stays_with_its_rest() -> None:
    desk = quoting()
    desk.fill("o-1", "0.4", "99")
    desk.wait()
    assert desk.asked() == []
    # The next wish is for a whole one: what is filled counts on top.
    desk.give(TWO)
    (change,) = desk.asked()
    assert change == ReplaceOrder("o-1", D("1.4"), D("99.0"), "BTC")


def test_a_late_fill_of_a_leaving_quote_is_taken_off_the_new_wish() -> None:
    desk = Quoter(abilities=BrokerAbilities())
    desk.give(wish([(99, 1)]))
    desk.answer()
    desk.give(wish([(99.5, 1)]))
    assert isinstance(desk.asked()[0], CancelOrder)
    desk.fill("o-1", "0.4", "99")
    desk.give(OrderCanceled("o-1"))
    desk.wait()
    (place,) = desk.asked()
    assert isinstance(place, SubmitOrder)
    assert place.order.quantity == D("0.6")


def test_a_fill_after_the_end_is_taken_off_too() -> None:
    desk = Quoter(abilities=BrokerAbilities(), quoting=QuotingSettings(rejections=9))
    desk.give(wish([(99, 1), (98, 1)]))
    desk.answer()
    desk.give(wish([(98, 1)]))
    desk.answer()
    desk.fill("o-1", "1", "99")
    desk.wait()
    (cancel,) = desk.asked()
    assert cancel == CancelOrder("o-2", "BTC")


# Answers that are no.


def test_a_refused_quote_is_tried_again_and_then_pauses_longer_and_longer() -> None:
    desk = Quoter()
    desk.give(wish([(99, 1)]))
    assert len(desk.asked()) == 1
    waited = []
    for number in range(1, 6):
        desk.reject(f"o-{number}")
        desk.wait()
        if number >= 3:
            (step,) = desk.executor.quoting.decision("s", "BTC")
            assert (step.why, step.note) == (Why.REFUSED, f"{number} times")
        waited.append(0)
        while not desk.asked():
            assert waited[-1] < 60
            desk.wait(1)
            desk.quote(100.0, 100.2)
            waited[-1] += 1
    assert waited == [0, 0, 5, 10, 20]


def test_an_accepted_quote_ends_the_count_of_refusals() -> None:
    desk = Quoter()
    desk.give(wish([(99, 1)]))
    desk.reject("o-1")
    desk.wait()
    desk.reject("o-2")
    desk.wait()
    desk.answer()
    desk.give(wish([(99, 1), (98, 1)]))
    desk.asked()
    for name in ("o-4", "o-5"):
        desk.reject(name)
        desk.wait()
        assert len(desk.asked()) == 1


def test_a_refused_change_is_canceled_and_placed_anew() -> None:
    desk = quoting()
    desk.give(wish([(99.5, 1), (98, 2)], [(101, 1), (102, 2)]))
    (change,) = desk.asked()
    assert isinstance(change, ReplaceOrder)
    desk.give(ReplaceRejected("o-1", "not here"))
    desk.wait()
    (cancel,) = desk.answer()
    assert cancel == CancelOrder("o-1", "BTC")
    (place,) = desk.answer()
    assert isinstance(place, SubmitOrder)


def test_a_refused_cancel_is_tried_again_after_a_moment() -> None:
    desk = quoting()
    desk.give(wish())
    assert len(desk.asked()) == 4
    desk.give(CancelRejected("o-1", "busy"))
    desk.wait()
    # It may have gone meanwhile: the venue is asked what it knows.
    (query,) = desk.asked()
    assert isinstance(query, QueryOrder)
    desk.wait(0.5)
    assert desk.asked() == [CancelOrder("o-1", "BTC")]


def test_a_change_without_an_answer_is_canceled_once_it_is_known_to_work() -> None:
    desk = quoting()
    desk.give(wish([(99.5, 1), (98, 2)], [(101, 1), (102, 2)]))
    desk.asked()
    for _ in range(6):
        desk.quote(100.0, 100.2)
        desk.wait(1)
    assert desk.executor.unknown_count == 1
    desk.give(OrderStatusReport("o-1", OrderStatus.ACCEPTED))
    desk.wait()
    assert CancelOrder("o-1", "BTC") in desk.asked()


def test_an_unknown_quote_is_neither_doubled_nor_forgotten() -> None:
    desk = Quoter()
    desk.give(wish([(99, 1)]))
    desk.asked()
    for _ in range(12):
        desk.quote(100.0, 100.2)
        desk.wait(1)
    assert desk.executor.unknown_count == 1
    desk.give(wish([(99, 1)]))
    desk.wait()
    assert not any(isinstance(each, SubmitOrder) for each in desk.asked())
    whys = [step.why for step in desk.executor.quoting.decision("s", "BTC")]
    assert whys == [Why.FATE_UNKNOWN, Why.NO_ROOM]
    desk.give(wish())
    assert desk.executor.unknown_count == 1


def test_a_quote_the_venue_ends_comes_back() -> None:
    desk = quoting()
    desk.give(OrderCanceled("o-1", "by the venue"))
    desk.wait()
    (place,) = desk.asked()
    assert isinstance(place, SubmitOrder)
    assert place.order.price == D("99.0")


# Switches, data, and what others do.


def _hold(desk: Quoter) -> None:
    desk.give(Hold(on=True))


def _kill(level: KillLevel) -> Callable[[Quoter], None]:
    return lambda desk: desk.give(Kill(level=level))


def _flatten(desk: Quoter) -> None:
    desk.give(Flatten(instrument="BTC"))


def _broke(desk: Quoter) -> None:
    desk.market.reasons["BTC"] = "book untrusted"
    desk.give(DataBroke("BTC", "gap", desk.core.ts))


def _withdraw(desk: Quoter) -> None:
    assert desk.executor.withdraw_quotes("s", None, "strategy paused") == 4


@pytest.mark.parametrize(
    "act",
    [_hold, *map(_kill, KillLevel), _flatten, _broke, _withdraw],
    ids=["hold", "kill 1", "kill 2", "kill 3", "flatten", "data", "pause"],
)
def test_what_stops_a_row_withdraws_its_quotes_for_good(
    act: Callable[[Quoter], None],
) -> None:
    desk = quoting()
    act(desk)
    desk.settle()
    assert desk.resting() == []
    desk.wait(10)
    assert not any(isinstance(each, SubmitOrder) for each in desk.asked())


def test_a_wish_in_vain_is_told_once() -> None:
    desk = quoting()
    desk.give(Hold(on=True))
    desk.settle()
    records = len(desk.decisions())
    for _ in range(5):
        desk.give(TWO)
        desk.wait()
    assert [each.code for each in desk.core.kept(DenyRecord)] == ["HOLD"]
    assert len(desk.decisions()) == records
    desk.give(Hold(on=False))
    desk.give(TWO)
    assert len(desk.answer()) == 4


def test_data_that_grows_old_withdraws_without_an_event() -> None:
    desk = quoting()
    desk.wait(4.9)
    assert desk.asked() == []
    desk.market.reasons["BTC"] = "no data for 5 s"
    desk.wait(0.2)
    assert len(desk.asked()) == 4
    assert desk.decisions()[-1].reason == "no data for 5 s"


def test_data_that_goes_on_keeps_them() -> None:
    desk = quoting()
    for _ in range(30):
        desk.wait(1)
        desk.quote(100.0, 100.2)
    assert desk.asked() == []


def test_a_quote_that_the_operator_cancels_is_not_placed_again() -> None:
    desk = quoting()
    desk.give(CancelOrders(order_ids=("o-1",)))
    desk.settle()
    assert desk.resting() == [
        ("buy", 98.0, 2.0),
        ("sell", 101.0, 1.0),
        ("sell", 102.0, 2.0),
    ]
    desk.give(TWO)
    desk.settle()
    assert len(desk.resting()) == 4


def test_an_exit_of_the_strategy_takes_its_quotes_back() -> None:
    desk = quoting()
    desk.fill("o-1", "1", "99")
    desk.give(signal("exit"))
    desk.answer()
    desk.wait()
    assert [side for side, _, _ in desk.resting()] == ["sell"]


def test_a_fill_after_the_kill_is_closed() -> None:
    desk = quoting()
    desk.give(Kill(level=KillLevel.FLATTEN))
    desk.fill("o-1", "1", "99")
    closes = [each for each in desk.asked() if isinstance(each, SubmitOrder)]
    assert [each.order.role for each in closes] == [OrderRole.FLATTEN]


def test_two_strategies_quote_one_symbol_apart() -> None:
    desk = quoting()
    desk.give(wish([(97, 1)], strategy="other"))
    desk.answer()
    desk.give(wish())
    desk.settle()
    assert desk.resting() == []
    assert len(desk.executor.working("other", "BTC")) == 1


def test_an_instrument_that_is_not_in_the_run_is_refused() -> None:
    desk = Quoter()
    desk.give(wish([(99, 1)], instrument="DOGE"))
    (denied,) = desk.core.said(OrderDenied)
    assert denied.code == "UNKNOWN_INSTRUMENT"


# Risk.


def test_every_new_quote_passes_the_risk_stage() -> None:
    desk = Quoter(risk=RiskSettings(max_position_value=D(250)))
    desk.give(wish([(99, 1), (98, 2)]))
    assert len(desk.asked()) == 1
    (denied,) = desk.core.said(OrderDenied)
    assert denied.code == "MAX_POSITION_VALUE"
    assert denied.role is OrderRole.QUOTE
    assert desk.decisions()[-1].denied == 1
    # Told once, though it is asked for again.
    desk.give(wish([(99, 1), (98, 2)], reason="again"))
    desk.wait()
    assert len(desk.core.said(OrderDenied)) == 1


def test_a_change_is_judged_without_what_it_replaces() -> None:
    desk = Quoter(risk=RiskSettings(max_position_value=D(150)))
    desk.give(wish([(99, 1)]))
    desk.answer()
    desk.give(wish([(99.5, 1)]))
    assert [type(each) for each in desk.answer()] == [ReplaceOrder]


def test_changes_that_together_are_too_much_do_not_all_pass() -> None:
    desk = Quoter(risk=RiskSettings(max_position_value=D(300)))
    desk.give(wish([(99, 1), (98, 1)]))
    desk.answer()
    desk.give(wish([(99, 1.9), (98, 1.9)]))
    asked = desk.answer()
    # The second is in nobody's interest where it is; it leaves.
    assert [type(each) for each in asked] == [ReplaceOrder, CancelOrder]
    assert desk.resting() == [("buy", 99.0, 1.9)]
    assert desk.executor.desk.orders.pending("BTC", BUY) == D("1.9")
    desk.give(wish())
    desk.settle()
    assert desk.executor.desk.orders.pending_value == 0


def test_a_growing_change_counts_as_pending_before_its_answer() -> None:
    desk = Quoter()
    desk.give(wish([(99, 1)]))
    desk.answer()
    desk.give(wish([(99, 3)]))
    orders = desk.executor.desk.orders
    assert orders.pending("BTC", BUY) == 3
    desk.asked()
    desk.give(ReplaceRejected("o-1", "no"))
    assert orders.pending("BTC", BUY) == 1
    assert orders.pending_value == 99


# Rates.


def test_what_the_rate_does_not_allow_waits_for_its_time() -> None:
    limit = RateLimit(window_s=10, weight=4)
    desk = Quoter(rates=[limit], cancel_share=0.25)
    desk.give(TWO)
    assert len(desk.answer()) == 3
    record = desk.decisions()[-1]
    assert (record.placed, record.waiting) == (3, 1)
    assert "rate budget used up, 3 of 3 used in 10 s" in record.why[-1]
    desk.wait(5)
    desk.quote(100.0, 100.2)
    desk.wait(4.9)
    assert desk.asked() == []
    desk.quote(100.0, 100.2)
    desk.wait(0.1)
    assert len(desk.answer()) == 1
    assert len(desk.resting()) == 4


def test_a_batch_weighs_what_the_venue_says() -> None:
    limit = RateLimit(window_s=10, weight=3, batch=2)
    desk = Quoter(rates=[limit], cancel_share=0.3, abilities=BrokerAbilities(batch=2))
    desk.give(TWO)
    assert len(desk.answer()) == 4
    assert desk.executor.rates.used(desk.core.ts) == pytest.approx(2 / 3)


def test_cancels_pass_with_the_budget_used_up_and_beyond() -> None:
    limit = RateLimit(window_s=60, weight=5)
    desk = Quoter(rates=[limit])
    desk.give(TWO)
    assert len(desk.answer()) == 4
    desk.give(wish())
    assert len(desk.answer()) == 4
    assert desk.executor.rates.used(desk.core.ts) == 8 / 5
    assert desk.resting() == []


def test_the_latest_wish_counts_when_its_time_has_come() -> None:
    limit = RateLimit(window_s=10, weight=2)
    desk = Quoter(rates=[limit])
    desk.give(wish([(99, 1)]))
    desk.answer()
    desk.give(wish([(98, 1)]))
    desk.give(wish([(97, 1)]))
    assert desk.asked() == []
    desk.wait(4)
    desk.quote(100.0, 100.2)
    desk.wait(4)
    desk.quote(100.0, 100.2)
    desk.wait(2)
    (change,) = desk.asked()
    assert isinstance(change, ReplaceOrder)
    assert change.price == D("97.0")


def test_a_young_quote_is_moved_when_it_is_old_enough() -> None:
    desk = Quoter(quoting=QuotingSettings(min_lifetime_ms=500))
    desk.give(wish([(99, 1)]))
    desk.answer()
    desk.give(wish([(99.5, 1)]))
    desk.wait(0.4)
    assert desk.asked() == []
    desk.wait(0.1)
    assert [type(each) for each in desk.answer()] == [ReplaceOrder]
    # And once more, counted from the change.
    desk.give(wish([(99, 1)]))
    desk.wait(0.4)
    assert desk.asked() == []


def test_reports_of_one_moment_share_one_look() -> None:
    desk = Quoter(abilities=BrokerAbilities())
    levels = [(99 - level, 0.1) for level in range(10)]
    desk.give(wish(levels))
    desk.answer()
    desk.give(wish([(price - 0.5, 0.1) for price, _ in levels]))
    asked = desk.asked()
    before = desk.core.seq
    for each in asked:
        assert isinstance(each, CancelOrder)
        desk.give(OrderCanceled(each.order_id))
    desk.wait()
    assert len(desk.asked()) == 10
    # Ten reports and one look, whose timer is an input.
    assert desk.core.seq == before + 11


def test_replacing_is_seen_through_the_report() -> None:
    desk = quoting()
    desk.give(wish([(99.5, 1), (98, 2)], [(101, 1), (102, 2)]))
    assert desk.resting()[1] == ("buy", 99.0, 1.0)
    desk.give(OrderReplaced("o-1", D(1), D("99.5")))
    assert desk.resting()[1] == ("buy", 99.5, 1.0)
    assert desk.core.ts == 1_000 * NS


def test_quotes_that_an_earlier_run_left_are_withdrawn() -> None:
    desk = Quoter()
    left = quoting().executor.desk.orders.open()[:2]
    for tracked in left:
        again = Tracked(replace(tracked.order, status=OrderStatus.INITIALIZED))
        desk.executor.desk.orders.add(again)
        desk.executor.desk.orders.update(again, tracked.order)
    desk.executor.recover(Recover(), [])
    asked = desk.asked()
    assert [each for each in asked if isinstance(each, CancelOrder)] == [
        CancelOrder("o-1", "BTC"),
        CancelOrder("o-2", "BTC"),
    ]
    assert desk.decisions()[-1].reason == "left by an earlier run"


def test_a_quote_that_was_enlarged_before_its_last_fill_is_looked_after_again() -> None:
    quoter = Quoter()
    quoter.give(wish(bids=[(99.0, 1)]))
    quoter.answer()
    (bid,) = quoter.ids()
    quoter.give(wish(bids=[(99.0, 2)]))
    (change,) = quoter.asked()
    assert isinstance(change, ReplaceOrder)
    quoter.fill(bid, "1", "99")
    quoter.wait()
    quoter.answer()
    quoter.give(OrderReplaced(bid, D(2), D("99.0")))
    quoter.book[bid] = quoter.executor.working("s", "BTC")[0]
    quoter.wait()
    quoter.settle()
    left = quoter.executor.working("s", "BTC")
    assert sum(order.remaining for order in left) == D(1)
    quoter.give(Hold(on=True))
    quoter.settle()
    assert quoter.executor.working("s", "BTC") == []


@pytest.mark.parametrize("post_only", [False, True])
def test_a_quote_is_not_changed_to_where_it_would_meet_an_own_order(
    post_only: bool,
) -> None:
    quoter = Quoter()
    quoter.give(
        signal(
            "enter_short", "1", strategy="t", order_type="limit", limit_price="100.1"
        )
    )
    quoter.answer()
    quoter.give(wish(bids=[(99.0, 1)], post_only=post_only))
    quoter.answer()
    quoter.asked()
    quoter.give(wish(bids=[(100.1, 1)], post_only=post_only))
    assert [type(each) for each in quoter.asked()] == [CancelOrder]
    assert [r.code for r in quoter.core.kept(DenyRecord)] == ["SELF_TRADE"]


def test_changes_count_as_messages() -> None:
    risk = replace(OFF, max_message_ratio=D(5), message_ratio_least=2)
    quoter = Quoter(risk=risk)
    quoter.give(wish(bids=[(99.0, 1)]))
    quoter.answer()
    for turn in range(10):
        quoter.give(wish(bids=[(98.0 - turn % 2, 1)]))
        quoter.answer()
    assert "MAX_MESSAGE_RATIO" in [r.code for r in quoter.core.kept(DenyRecord)]
    changes = quoter.executor.limits.message_ratio(quoter.core.ts)
    assert changes <= 7, "five, a cancel, and what was placed before"
