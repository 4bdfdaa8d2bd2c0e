"""Triggers of the machine, each by what really sets it off, and who did it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.strategy.bench import Bench, S
from workstation.execution.settings import RiskSettings
from workstation.model.commands import Kill, KillLevel
from workstation.model.records import DenyRecord
from workstation.model.reports import OrderExpired, OrderFilledReport, OrderRejected
from workstation.model.states import SymbolState

W, C, T = SymbolState
D = Decimal
SEEN = {"signal": "cross"}
ENTER = {"action": "enter_long", "stop": 95.0, "target": 110.0, "reason": "go"}


def fill(
    bench: Bench, quantity: str = "1", price: str = "100", base_fee: str = "0"
) -> None:
    order = bench.submitted()[-1]
    trade = f"t-{len(bench.core.records)}"
    currency = "USDT" if base_fee == "0" else "BTC"
    fee = D(base_fee)
    bench.report(
        OrderFilledReport(order.id, trade, D(quantity), D(price), fee, currency, False)
    )


def entering(answer: object = ENTER, **settings: object) -> Bench:
    bench = Bench(**settings)  # type: ignore[arg-type]
    bench.bar(SEEN)
    bench.bar(answer)
    return bench


def holding(answer: object = ENTER, **settings: object) -> Bench:
    bench = entering(answer, **settings)
    fill(bench)
    return bench


def triggers(bench: Bench) -> list[tuple[str, str]]:
    return [(move.trigger, move.who) for move in bench.moves()]


def test_a_trade_from_opportunity_to_exit_is_one_history() -> None:
    bench = holding()
    bench.bar({"action": "exit", "reason": "enough"})
    fill(bench)
    assert triggers(bench) == [
        ("opportunity", "script"),
        ("enter_long", "script"),
        ("first_fill", "engine"),
        ("exit", "script"),
        ("flat", "engine"),
    ]
    assert [move.reason for move in bench.moves()] == [
        "cross",
        "go",
        "1 at 100",
        "enough",
        "position closed",
    ]


def test_a_row_is_out_once_less_than_a_lot_is_left_of_a_fee_in_base() -> None:
    bench = entering()
    fill(bench, base_fee="0.0015")
    bench.bar({"action": "exit", "reason": "enough"})
    assert bench.submitted()[-1].quantity == D("0.998")
    fill(bench, "0.998")
    assert triggers(bench)[-1] == ("flat", "engine")
    assert bench.row.state is W
    assert bench.position("dust") == D("0.0005")
    bench.bar(SEEN)
    bench.bar(ENTER)
    assert bench.row.state is T


def test_a_row_is_out_when_its_entry_brought_less_than_a_lot() -> None:
    bench = entering(size=0.06)
    fill(bench, "0.001", base_fee="0.000001")
    assert bench.row.state is T, "more may come"
    fill(bench, "0.001", base_fee="0.000001")
    fill(bench, "0.058", base_fee="0.0575")
    assert (bench.order(bench.submitted()[-1].id).remaining, bench.position()) == (
        D(0),
        D(0),
    )
    assert triggers(bench)[-1] == ("flat", "engine")
    assert bench.row.state is W


@pytest.mark.parametrize(
    ("prices", "extra", "trigger"),
    [
        ([94.0], {}, "stop"),
        ([111.0], {}, "target"),
        ([105.0, 103.0], {"trailing_bps": 100}, "trailing"),
    ],
)
def test_what_the_price_meets_is_named(
    prices: list[float], extra: dict[str, object], trigger: str
) -> None:
    bench = holding(ENTER | extra)
    for price in prices:
        bench.quote(price)
    assert triggers(bench)[-1] == (trigger, "engine")
    assert "met at" in bench.moves()[-1].reason
    fill(bench)
    assert triggers(bench)[-1] == ("flat", "engine")
    assert bench.row.state is W


@pytest.mark.parametrize(
    ("kind", "trigger"),
    [(OrderRejected, "entry_rejected"), (OrderExpired, "entry_expired")],
)
def test_an_entry_that_ends_leads_out_only_when_nothing_was_filled(
    kind: type, trigger: str
) -> None:
    bench = entering()
    bench.report(kind(bench.submitted()[-1].id, "venue says no"))
    assert triggers(bench)[-1] == (trigger, "engine")
    assert bench.moves()[-1].reason == f"entry {trigger[6:]}: venue says no"
    assert bench.row.state is W
    bench = entering()
    fill(bench, "0.4")
    bench.report(kind(bench.submitted()[-1].id, "venue says no"))
    assert bench.row.state is T
    assert "0.4 of 1.000 filled" in bench.moves()[-1].reason


def test_an_entry_that_fills_in_parts_says_so_at_each() -> None:
    bench = entering()
    for part in ("0.25", "0.25", "0.5"):
        fill(bench, part)
    assert [name for name, _ in triggers(bench)][2:] == ["first_fill", "partly_filled"]
    assert bench.moves()[-1].reason == "0.50 of 1.000 filled"


def test_the_time_of_close_watch_runs_out_between_bars() -> None:
    bench = Bench(close_watch_s=90)
    bench.bar(SEEN)
    bench.wait_until(bench.core.ts + 89 * S)
    assert bench.row.state is C
    bench.wait_until(bench.core.ts + S)
    assert triggers(bench)[-1] == ("expire", "engine")
    assert bench.moves()[-1].reason == "no commitment within 90 s"
    # A later CloseWatch has its own time.
    bench.bar(SEEN)
    bench.override(W)
    bench.bar(SEEN)
    bench.wait_until(bench.core.ts + 89 * S)
    assert bench.row.state is C


@pytest.mark.parametrize(("untrusted", "after"), [("watch", W), ("keep", C)])
def test_broken_data_ends_close_watch_unless_it_is_kept(
    untrusted: str, after: SymbolState
) -> None:
    bench = Bench(untrusted=untrusted)
    bench.broke()
    assert bench.moves() == []
    bench.bar(SEEN)
    bench.broke("book: gap of 3")
    assert triggers(bench)[-1] == ("untrusted", "engine")
    assert bench.moves()[-1].reason == "book: gap of 3"
    assert bench.row.state is after


def test_a_feed_that_is_marked_untrusted_is_broken_data() -> None:
    bench = Bench()
    bench.bar(SEEN)
    bench.act(lambda: bench.market.mark_untrusted("BTC", "feed market paused"))
    assert bench.moves()[-1].reason == "feed market paused"
    assert bench.row.state is W


def test_a_kill_ends_close_watch_and_is_on_record_in_trade() -> None:
    bench = Bench()
    bench.bar(SEEN)
    bench.do(Kill(level=KillLevel.HOLD, reason="odd", origin="anna"))
    assert triggers(bench)[-1] == ("kill", "anna")
    assert bench.moves()[-1].reason == "killed at hold: odd"
    assert bench.row.state is W
    bench = holding()
    bench.do(Kill(level=KillLevel.FLATTEN))
    assert triggers(bench)[-2:] == [("kill", "operator"), ("exit", "operator")]
    fill(bench)
    assert bench.row.state is W


def test_a_reversal_stays_in_trade_and_says_which_side() -> None:
    bench = holding()
    bench.bar({"action": "enter_short", "reverse": True, "reason": "turn"})
    assert bench.row.committing
    calls = len(bench.says.asked)
    bench.bar()
    assert len(bench.says.asked) == calls
    fill(bench)
    assert triggers(bench)[3:] == [
        ("exit", "script"),
        ("flat", "engine"),
        ("enter_short", "script"),
    ]
    fill(bench)
    assert bench.position() == -1
    assert {move.after for move in bench.moves()[1:]} == {T}


def test_a_reversal_that_is_denied_at_the_end_leaves_the_row_in_watch() -> None:
    bench = holding()
    bench.bar({"action": "enter_short", "reverse": True})
    bench.executor.controls.paused = True
    fill(bench)
    assert bench.row.state is W
    assert not bench.row.committing
    assert bench.row.answer.startswith("denied TASK_PAUSED")


def test_an_addition_that_is_denied_is_on_record_and_changes_nothing() -> None:
    risk = RiskSettings(max_position_value=D(150))
    bench = holding(risk=risk)
    bench.bar({"action": "enter_long", "add": True})
    assert triggers(bench)[-1] == ("denied", "engine")
    assert "MAX_POSITION_VALUE" in bench.moves()[-1].reason
    assert bench.row.state is T
    bench.bar()
    assert not bench.row.committing


def test_an_entry_too_small_is_refused_on_the_row_and_on_record() -> None:
    bench = entering({"action": "enter_long", "size": 0.0004, "size_mode": "quantity"})
    assert bench.row.state is W
    assert bench.row.answer == (
        "size is less than a lot of 0.001: quantity 0.0004 at 100"
    )
    (denied,) = [r for r in bench.core.records if isinstance(r, DenyRecord)]
    assert (denied.code, denied.text) == ("QUANTITY_ZERO", bench.row.answer)


def test_a_part_too_small_to_exit_is_refused_and_the_row_goes_on() -> None:
    bench = holding()
    bench.bar({"action": "exit", "quantity": 0.0001})
    assert "less than a lot" in bench.row.answer
    assert bench.row.state is T
    assert len(bench.submitted()) == 1


def test_a_resting_entry_is_managed_and_can_be_canceled() -> None:
    bench = entering(ENTER | {"price": 99.0})
    bench.bar({"action": "cancel_entry", "reason": "stale"})
    assert bench.canceled() == [bench.submitted()[-1].id]


def test_a_market_entry_on_its_way_is_not_asked_about() -> None:
    bench = entering()
    calls = len(bench.says.asked)
    bench.bar()
    assert len(bench.says.asked) == calls


def test_a_size_by_risk_is_what_is_lost_at_the_stop() -> None:
    bench = entering(
        {"action": "enter_long", "stop": 95.0, "size": 0.001, "size_mode": "risk"}
    )
    # 0.1 % of a million, at 5 a unit.
    assert bench.submitted()[-1].quantity == D("200.000")
