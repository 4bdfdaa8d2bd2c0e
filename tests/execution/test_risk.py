"""The risk stage: every code with its cause, and what must always pass."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import FakeBook, Hand, signal
from workstation.execution.settings import RiskSettings
from workstation.model.commands import CancelOrders, Flatten, Hold, Kill, KillLevel
from workstation.model.events import (
    MarginWarning,
    OrderDenied,
    PositionStateChanged,
    RiskMetricsUpdated,
)
from workstation.model.orders import OrderType
from workstation.model.records import BandRecord, DenyRecord
from workstation.model.reports import OrderCanceled, OrderReplaced
from workstation.model.requests import CancelOrder
from workstation.model.states import BookTrust, PositionBand

D = Decimal
WIDE = RiskSettings(max_order_value=None, max_position_value=None, max_drawdown=None)


def codes(hand: Hand) -> list[str]:
    recorded = [r.code for r in hand.core.kept(DenyRecord)]
    assert recorded == [e.code for e in hand.core.said(OrderDenied)]
    assert recorded == [e.code for e in hand.core.emitted if isinstance(e, OrderDenied)]
    return recorded


def text(hand: Hand) -> str:
    return hand.core.kept(DenyRecord)[-1].text


def in_position(risk: RiskSettings | None = None) -> Hand:
    hand = Hand(risk)
    hand.fill(hand.enter("1"), "1")
    return hand


def test_an_unknown_instrument_is_named_with_the_known_ones() -> None:
    hand = Hand()
    hand.enter(instrument="XRP")
    assert codes(hand) == ["UNKNOWN_INSTRUMENT"]
    assert "BTC, ETH" in text(hand)


def test_a_kill_denies_entries_and_lets_exits_pass() -> None:
    hand = in_position()
    hand.give(Kill(level=KillLevel.HOLD, reason="wild"))
    hand.enter(strategy="other")
    assert codes(hand) == ["KILLED"]
    assert "wild" in text(hand)
    hand.give(signal("exit"))
    assert hand.submitted() == ["o-1", "o-2"]


def test_a_hold_denies_entries_and_lets_exits_pass() -> None:
    hand = in_position()
    hand.give(Hold(on=True))
    hand.enter(strategy="other")
    assert codes(hand) == ["HOLD"]
    hand.give(signal("exit"))
    assert len(hand.submitted()) == 2


def test_a_paused_executor_denies_entries_and_exits_but_not_safety() -> None:
    hand = Hand()
    hand.fill(hand.enter("1", stop="90"), "1")
    hand.executor.paused = True
    hand.enter(strategy="other")
    hand.give(signal("exit"))
    assert codes(hand) == ["TASK_PAUSED", "TASK_PAUSED"]
    hand.quote(89.0, 89.1)
    assert hand.submitted() == ["o-1", "o-2"]


def test_the_operator_can_flatten_through_a_paused_executor() -> None:
    hand = in_position()
    hand.executor.paused = True
    hand.give(Flatten(instrument="BTC"))
    assert len(hand.submitted()) == 2


def test_a_paused_strategy_enters_nothing_and_may_exit() -> None:
    hand = in_position()
    hand.executor.strategy_state = lambda owner: "paused"
    hand.enter(strategy="other")
    assert codes(hand) == ["TASK_PAUSED"]
    hand.give(signal("exit"))
    assert len(hand.submitted()) == 2


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("paused", "TASK_PAUSED"),
        ("stopped", "TASK_STOPPED"),
        ("failed", "TASK_STOPPED"),
    ],
)
def test_a_strategy_that_does_not_run_is_called_what_it_is(
    state: str, code: str
) -> None:
    hand = Hand()
    hand.executor.strategy_state = lambda owner: "paused"
    hand.executor.strategy_state = lambda owner: state
    hand.enter()
    assert (codes(hand), text(hand)) == ([code], f"strategy s is {state}")
    (task,) = [g for g in hand.executor.gates("s", "BTC") if g.name == "task"]
    assert (task.passed, task.detail) == (False, state)


def test_a_paused_strategy_enters_while_it_is_stepped() -> None:
    hand = Hand()
    hand.executor.strategy_state = lambda owner: "paused"
    hand.executor.stepped = lambda owner: owner == "s"
    hand.enter()
    assert codes(hand) == []
    hand.enter(strategy="other")
    hand.executor.strategy_state = lambda owner: "stopped"
    hand.fill("o-1", "1")
    hand.give(signal("exit"))
    hand.fill("o-2", "1")
    hand.enter()
    assert codes(hand) == ["TASK_PAUSED", "TASK_STOPPED"]


def test_a_locked_row_denies_its_script_even_exits() -> None:
    hand = Hand()
    hand.fill(hand.enter("1", stop="90"), "1")
    hand.executor.row_locked = lambda owner, instrument: owner == "s"
    hand.give(signal("exit"))
    hand.give(signal("protect", stop="95"))
    hand.enter()
    assert codes(hand) == ["ROW_LOCKED"] * 3
    hand.enter(strategy="operator")
    hand.quote(89.0, 89.1)
    assert hand.submitted() == ["o-1", "o-3", "o-2"]


def test_stale_data_denies_entries_and_lets_exits_pass() -> None:
    hand = in_position()
    hand.market.reasons["BTC"] = "no quote for 9 s"
    hand.enter(strategy="other")
    assert (codes(hand), text(hand)) == (["DATA_STALE"], "no quote for 9 s")
    hand.give(signal("exit"))
    assert len(hand.submitted()) == 2


def test_an_untrusted_book_has_its_own_code() -> None:
    hand = Hand()
    hand.market.reasons["BTC"] = "gap at 7"
    book = hand.market.views["BTC"].book = FakeBook()
    book.trust = BookTrust.UNTRUSTED
    hand.enter()
    assert codes(hand) == ["BOOK_UNTRUSTED"]


def test_without_any_price_nothing_is_entered() -> None:
    hand = Hand()
    hand.enter(instrument="ETH")
    assert codes(hand) == ["DATA_STALE"]


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0.0005", "QUANTITY_OFF_LOT"),
        ("0", "QUANTITY_ZERO"),
        ("-1", "QUANTITY_ZERO"),
        ("0.001", "BELOW_MIN_NOTIONAL"),
        ("250", "MAX_ORDER_VALUE"),
    ],
)
def test_a_wrong_quantity_is_denied_with_its_code(quantity: str, code: str) -> None:
    hand = Hand()
    hand.enter(quantity)
    assert codes(hand) == [code]
    assert hand.submitted() == []


@pytest.mark.parametrize("price", ["100.05", "-100", None])
def test_a_limit_off_the_tick_is_denied(price: str | None) -> None:
    hand = Hand()
    hand.enter("1", order_type=OrderType.LIMIT, limit_price=price)
    assert codes(hand) == ["PRICE_OFF_TICK"]


def test_the_position_limit_counts_what_is_pending() -> None:
    hand = Hand()
    hand.enter("240", strategy="a")
    hand.enter("240", strategy="b")
    hand.enter("240", strategy="c")
    assert codes(hand) == ["MAX_POSITION_VALUE"]
    assert "480" in text(hand)
    hand.enter("240", "enter_short", strategy="d")
    assert len(hand.submitted()) == 3


def test_the_count_of_open_orders_is_limited() -> None:
    hand = Hand(RiskSettings(max_open_orders=2))
    for owner in ("a", "b", "c"):
        hand.enter("1", strategy=owner)
    assert codes(hand) == ["MAX_OPEN_ORDERS"]


def test_held_protection_is_no_open_order() -> None:
    hand = Hand(RiskSettings(max_open_orders=1))
    hand.fill(hand.enter("1", stop="90", target="120"), "1")
    hand.enter("1", strategy="other")
    assert codes(hand) == []


def test_an_exit_of_more_than_the_owner_holds_is_denied() -> None:
    hand = in_position()
    hand.fill(hand.enter("5", strategy="other"), "5")
    hand.give(signal("exit", "2"))
    assert codes(hand) == ["REDUCE_ONLY_WOULD_INCREASE"]


def test_two_exits_never_add_up_to_more_than_the_position() -> None:
    hand = in_position()
    hand.give(signal("exit", "0.7"))
    hand.give(signal("exit", "0.7"))
    assert codes(hand) == ["REDUCE_ONLY_WOULD_INCREASE"]
    hand.give(signal("exit"))
    hand.give(signal("exit"))
    hand.give(signal("exit", "0.1"))
    assert len(hand.submitted()) == 3
    assert codes(hand) == ["REDUCE_ONLY_WOULD_INCREASE", "CLOSING", "CLOSING"]
    assert text(hand) == "all of 1 BTC is being closed already"


def test_a_row_enters_once() -> None:
    hand = Hand()
    first = hand.enter("1")
    hand.enter("1")
    assert codes(hand) == ["ALREADY_IN_POSITION"]
    hand.fill(first, "1")
    hand.enter("1")
    assert codes(hand) == ["ALREADY_IN_POSITION"] * 2


def test_the_operator_may_add() -> None:
    hand = Hand()
    hand.enter("1", strategy="operator")
    hand.enter("1", strategy="operator")
    assert codes(hand) == []


def test_more_than_the_equity_carries_is_denied() -> None:
    hand = Hand(WIDE, cash=D(1000))
    hand.enter("11")
    assert codes(hand) == ["INSUFFICIENT_CASH"]


@pytest.mark.parametrize("leverage", ["1", "3", "0.7"])
def test_a_denial_for_want_of_cash_says_what_would_fit(leverage: str) -> None:
    risk = RiskSettings(
        max_order_value=None, max_position_value=None, leverage=D(leverage)
    )
    hand = Hand(risk, cash=D(1000))
    hand.quote(50.0, 50.1, "ETH")
    hand.enter("1", strategy="a", instrument="ETH")
    hand.fill(hand.enter("2", "enter_short", strategy="b"), "2", "100")
    hand.enter("90", strategy="c")
    fits = D(text(hand).split("; ")[1].removesuffix(" would fit"))
    hand.enter(str(fits + D("0.001")), strategy="c")
    assert codes(hand) == ["INSUFFICIENT_CASH"] * 2
    hand.enter(str(fits), strategy="c")
    assert len(hand.submitted()) == 3


def test_entries_on_their_way_elsewhere_use_up_the_same_equity() -> None:
    hand = Hand(WIDE, cash=D(1000))
    hand.quote(50.0, 50.1, "ETH")
    hand.enter("6", strategy="a")
    hand.enter("10", strategy="b", instrument="ETH")
    assert codes(hand) == ["INSUFFICIENT_CASH"]
    assert "601.2 pending elsewhere" in text(hand)
    hand.enter("7", strategy="b", instrument="ETH")
    assert len(hand.submitted()) == 2


def test_what_is_pending_is_counted_until_it_filled_or_ended() -> None:
    hand = Hand(WIDE, cash=D(1000))
    hand.quote(50.0, 50.1, "ETH")
    orders = hand.executor.desk.orders
    limit = {"order_type": OrderType.LIMIT, "limit_price": "90"}
    first = hand.enter("2", strategy="a", **limit)
    second = hand.enter("4", strategy="b")
    assert orders.pending_value == D(180) + D("400.8")
    assert orders.pending_elsewhere("BTC") == 0
    assert orders.pending_elsewhere("ETH") == D("580.8")
    hand.accept(first)
    hand.give(OrderReplaced(first, D(2), D(80)))
    assert orders.pending_value == D(160) + D("400.8")
    hand.fill(first, "1", "80")
    hand.fill(second, "4")
    assert orders.pending_value == 80
    hand.give(OrderCanceled(first))
    assert orders.pending_value == 0
    hand.give(signal("exit", strategy="b"))
    assert orders.pending_value == 0


def test_what_lessens_the_position_needs_no_cash() -> None:
    hand = Hand(WIDE, cash=D(1000))
    hand.fill(hand.enter("9", strategy="a"), "9")
    hand.quote(10.0, 10.2)
    hand.enter("1", strategy="b")
    hand.enter("1", "enter_short", strategy="c")
    assert codes(hand) == []
    hand.quote(1.0, 1.2)
    hand.executor.ledger.initial = D(0)
    hand.enter("5", strategy="d")
    hand.enter("5", "enter_short", strategy="e")
    assert codes(hand) == ["INSUFFICIENT_CASH"]


def test_leverage_lets_equity_carry_more() -> None:
    hand = Hand(
        RiskSettings(leverage=D(2), max_order_value=None, max_position_value=None),
        cash=D(1000),
    )
    hand.enter("11")
    assert codes(hand) == []


def test_a_cancel_passes_every_switch() -> None:
    hand = Hand()
    order_id = hand.enter()
    hand.executor.paused = True
    hand.give(Hold(on=True))
    hand.give(Kill(level=KillLevel.HOLD))
    hand.give(CancelOrders(order_ids=(order_id,)))
    assert CancelOrder(order_id, "BTC") in hand.core.requests


def test_a_denied_order_uses_no_id_and_leaves_no_trace_in_the_book() -> None:
    hand = Hand()
    hand.enter("0")
    assert hand.enter("1") == "o-1"
    assert len(hand.executor.orders()) == 1


def test_the_position_band_follows_the_account() -> None:
    hand = Hand(RiskSettings(max_order_value=None, max_position_value=D(1001)))
    hand.market.views["BTC"].ask = 100.0
    hand.fill(hand.enter("7.5", strategy="a"), "7.5")
    assert hand.executor.band("BTC") is PositionBand.WARNING
    hand.fill(hand.enter("1.5", strategy="b"), "1.5")
    assert hand.executor.band("BTC") is PositionBand.CRITICAL
    hand.give(signal("exit", strategy="a"))
    hand.fill("o-3", "7.5")
    assert hand.executor.band("BTC") is PositionBand.NORMAL
    moves = [(r.before.value, r.after.value) for r in hand.core.kept(BandRecord)]
    assert moves == [
        ("normal", "warning"),
        ("warning", "critical"),
        ("critical", "normal"),
    ]
    assert len(hand.core.said(PositionStateChanged)) == 3


def test_margin_is_told_after_each_position_change_and_warned_of_once() -> None:
    hand = Hand(WIDE, cash=D(1000))
    hand.quote(100.0, 100.0)
    hand.fill(hand.enter("6", strategy="a"), "6", "100")
    (metrics,) = hand.core.said(RiskMetricsUpdated)
    assert (metrics.margin_used, metrics.margin_available) == (D(600), D(200))
    assert not hand.core.said(MarginWarning)
    hand.fill(hand.enter("1.5", strategy="b"), "1", "100")
    hand.fill("o-2", "0.5", "100")
    (warning,) = hand.core.said(MarginWarning)
    assert (warning.available, warning.used) == (D(100), D(700))
    hand.give(signal("exit", strategy="a"))
    hand.fill("o-3", "6", "100")
    hand.fill(hand.enter("6", strategy="c"), "6", "100")
    assert len(hand.core.said(MarginWarning)) == 2


@pytest.mark.parametrize(("buffer", "free"), [("0", 400), ("0.2", 200), ("0.5", 0)])
def test_the_margin_buffer_is_kept_free(buffer: str, free: int) -> None:
    risk = RiskSettings(
        max_order_value=None, max_drawdown=None, margin_buffer=D(buffer)
    )
    hand = Hand(risk, cash=D(1000))
    hand.quote(100.0, 100.0)
    hand.fill(hand.enter("6"), "6", "100")
    (metrics,) = hand.core.said(RiskMetricsUpdated)
    assert (metrics.margin_used, metrics.margin_available) == (D(600), D(free))
