"""Breakers: losses climb the ladder once, warn once, cool, and begin anew."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.execution.fakes import NS, Hand, Run, bar, signal
from tests.execution.test_entry_limits import OFF
from workstation.execution.breakers import state_of
from workstation.execution.settings import RiskSettings
from workstation.model.commands import Kill, KillLevel, Rearm
from workstation.model.errors import CommandRefused
from workstation.model.limits import BreakerState
from workstation.model.orders import OrderType
from workstation.model.records import BreakerRecord, ControlRecord, DenyRecord
from workstation.model.requests import CancelOrder
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
DAY_NS = 86_400 * NS
CALM, WARNED, TRIPPED = BreakerState


def holding(quantity: str = "100", **risk: object) -> Hand:
    """Return a run that bought at 100 and has not lost anything."""
    hand = Hand(replace(OFF, **({"max_daily_loss": D(1000)} | risk)))
    hand.quote(100.0, 100.0)
    hand.fill(hand.enter(quantity), quantity, "100")
    return hand


def at(hand: Hand, price: float, seconds: float = 1.0) -> None:
    """Let time pass, then move the market."""
    hand.core.advance(hand.core.ts + int(seconds * NS))
    hand.quote(price, price)


def states(hand: Hand) -> list[tuple[str, str, str]]:
    return [
        (r.name, r.before.value, r.after.value) for r in hand.core.kept(BreakerRecord)
    ]


def rungs(hand: Hand) -> list[tuple[str, str, str]]:
    return [
        (r.after, r.who, r.reason)
        for r in hand.core.kept(ControlRecord)
        if r.name == "kill"
    ]


def codes(hand: Hand) -> list[str]:
    return [str(r.code) for r in hand.core.kept(DenyRecord)]


def test_a_loss_of_the_limit_does_nothing_and_one_tick_more_kills() -> None:
    hand = holding()
    at(hand, 90.0)
    assert rungs(hand) == []
    at(hand, 89.9)
    assert rungs(hand) == [
        (
            "cancel",
            "breaker",
            "MAX_DAILY_LOSS: 1,010 lost since the day's start, more than "
            "max_daily_loss 1,000",
        )
    ]
    assert hand.executor.kill_level is KillLevel.CANCEL
    assert "MAX_DAILY_LOSS" in hand.executor.kill_reason
    hand.enter("1", strategy="b")
    assert codes(hand) == ["KILLED"]


@pytest.mark.parametrize("level", ["hold", "cancel", "flatten"])
def test_the_rung_is_the_configured_one(level: str) -> None:
    hand = holding(on_breach=level)
    limit = {"order_type": OrderType.LIMIT, "limit_price": "80"}
    resting = hand.enter("1", strategy="b", **limit)
    hand.accept(resting)
    at(hand, 89.0)
    assert hand.executor.kill_level == level
    assert (CancelOrder(resting, "BTC") in hand.core.requests) is (level != "hold")
    closes = [o for o in hand.executor.orders() if o.reduce_only]
    assert [o.quantity for o in closes] == ([D(100)] if level == "flatten" else [])


def test_a_kill_by_a_breaker_leaves_stops_where_they_are() -> None:
    hand = Hand(replace(OFF, max_daily_loss=D(1000)))
    hand.quote(100.0, 100.0)
    hand.fill(hand.enter("100", stop="80"), "100", "100")
    at(hand, 89.0)
    assert hand.held() == [("stop", D(100), D(80))]
    at(hand, 79.0)
    assert len(hand.submitted()) == 2


def test_it_looks_at_most_once_a_second() -> None:
    hand = holding()
    at(hand, 100.0)
    at(hand, 50.0, 0.5)
    assert rungs(hand) == []
    at(hand, 50.0, 0.5)
    assert len(rungs(hand)) == 1


def test_it_looks_with_the_first_event_after_a_fill() -> None:
    hand = holding()
    at(hand, 100.0)
    hand.fill(hand.enter("1", strategy="b"), "1", "100", fee="1001")
    assert rungs(hand) == []
    at(hand, 100.0, 0.0)
    assert len(rungs(hand)) == 1


def test_with_nothing_open_no_event_asks() -> None:
    hand = Hand(replace(OFF, max_daily_loss=D(1000)))
    at(hand, 100.0)
    asked: list[int] = []

    def look(ts: int, equity: D | None = None) -> None:
        asked.append(ts)

    hand.executor.breakers.look = look  # type: ignore[method-assign]
    for _ in range(5):
        at(hand, 100.0)
    assert asked == []


def test_a_warning_comes_once_per_crossing() -> None:
    hand = holding()
    for price in (92.1, 92.0, 91.9, 92.4, 91.9):
        at(hand, price)
    assert states(hand) == [("max_daily_loss", "calm", "warned")]
    at(hand, 92.6)
    at(hand, 91.0)
    assert [after for _, _, after in states(hand)] == ["warned", "calm", "warned"]


def test_a_tripped_breaker_climbs_once() -> None:
    hand = holding()
    for price in (89.0, 88.0, 90.2, 89.0):
        at(hand, price)
    assert len(rungs(hand)) == 1
    assert [after for _, _, after in states(hand)] == ["tripped"]


def test_a_rung_that_was_climbed_already_stays() -> None:
    hand = holding(on_breach="hold")
    hand.give(Kill(level=KillLevel.CANCEL, reason="by hand"))
    at(hand, 89.0)
    assert hand.executor.kill_level is KillLevel.CANCEL
    assert hand.executor.kill_reason == "by hand"


def test_after_a_rearm_a_loss_that_is_still_too_large_denies() -> None:
    hand = holding()
    at(hand, 89.0)
    hand.give(Rearm(reason="seen"))
    at(hand, 88.0)
    assert hand.executor.kill_level is None
    hand.enter("1", strategy="b")
    assert codes(hand) == ["MAX_DAILY_LOSS"]
    hand.give(signal("exit"))
    assert codes(hand) == ["MAX_DAILY_LOSS"]


def test_a_loss_that_was_made_good_may_trip_again() -> None:
    hand = holding()
    at(hand, 89.0)
    at(hand, 95.0)
    hand.give(Rearm())
    at(hand, 95.0)
    at(hand, 89.0)
    assert [after for after, _, _ in rungs(hand)] == ["cancel", "armed", "cancel"]


def test_the_next_day_begins_without_a_loss() -> None:
    hand = holding()
    at(hand, 89.0)
    hand.give(Rearm())
    hand.core.advance(DAY_NS)
    at(hand, 89.0)
    hand.enter("1", strategy="b")
    assert codes(hand) == []
    assert states(hand)[-1] == ("max_daily_loss", "tripped", "calm")


@pytest.mark.parametrize("seconds", [-10, 0, 10])
def test_a_loss_counts_on_whichever_side_of_a_days_end_it_is_first_seen(
    seconds: int,
) -> None:
    hand = holding()
    hand.core.advance(DAY_NS - 20 * NS)
    hand.quote(100.0, 100.0)
    hand.core.advance(DAY_NS + seconds * NS)
    hand.quote(89.0, 89.0)
    assert [level for level, _, _ in rungs(hand)] == ["cancel"]
    # Of one day, and not of both.
    hand.give(Rearm())
    at(hand, 89.0, 30.0)
    hand.enter("1", strategy="b")
    assert codes(hand) == (["MAX_DAILY_LOSS"] if seconds > 0 else [])


def test_a_gain_of_the_day_before_hides_no_loss_that_the_new_one_begins_with() -> None:
    hand = holding()
    at(hand, 120.0)
    hand.core.advance(DAY_NS + NS)
    hand.quote(109.0, 109.0)
    assert [level for level, _, _ in rungs(hand)] == ["cancel"]


def test_the_last_fill_of_a_day_counts_in_it() -> None:
    hand = holding()
    hand.core.advance(DAY_NS - NS // 2)
    hand.give(signal("exit"))
    hand.fill(hand.submitted()[-1], "100", "89")
    hand.core.advance(DAY_NS + NS)
    hand.quote(89.0, 89.0)
    assert [level for level, _, _ in rungs(hand)] == ["cancel"]
    assert states(hand) == [
        ("max_daily_loss", "calm", "tripped"),
        ("max_daily_loss", "tripped", "calm"),
    ]
    days = hand.executor.ledger.statements.daily(hand.executor.account().equity)
    assert [day.end - day.start for day in days] == [-1100, 0]


def bars_run(seconds: int) -> Run:
    """Return a run on one-minute bars that holds 100 at 100 by so many seconds."""
    run = Run(
        PaperBrokerSettings(
            latency_ms=0, spread_bps=0.0, maker_fee_bps=0.0, taker_fee_bps=10.0
        ),
        replace(OFF, max_daily_loss=D(1000), on_breach="flatten"),
    )
    run.feed(
        bar(seconds - 120, 100.0, 100.0, 100.0, 100.0), signal("enter_long", "100")
    )
    run.feed(bar(seconds - 60, 100.0, 100.0, 100.0, 100.0))
    run.feed(bar(seconds, 100.0, 100.0, 100.0, 100.0))
    return run


@pytest.mark.parametrize("falls", [86_340, 86_400, 86_460])
def test_a_bar_that_ends_with_the_day_is_of_it_and_so_are_its_fills(falls: int) -> None:
    run = bars_run(falls - 60)
    run.feed(bar(falls, 100.0, 100.0, 70.0, 70.0))
    assert [r.after for r in run.core.kept(ControlRecord)] == ["flatten"]
    for seconds in range(falls + 60, falls + 181, 60):
        run.feed(bar(seconds, 70.0, 70.0, 70.0, 70.0))
    ledger = run.executor.ledger
    days = ledger.statements.daily(ledger.value().equity)
    nets = {86_340: [-3017, 0], 86_400: [-10, -3007], 86_460: [-10, -3007]}
    changes = {86_340: [-3017, 0], 86_400: [-3010, -7], 86_460: [-10, -3007]}
    assert [day.sums.net for day in days] == nets[falls]
    assert [day.end - day.start for day in days] == changes[falls]


def test_bars_as_long_as_a_day_trip_by_the_loss_of_one_of_them() -> None:
    hand = Hand(replace(OFF, max_daily_loss=D(1000), on_breach="hold"))
    hand.market.views["BTC"].bars_only = True
    prices = [100.0, 100.0, 109.0, 99.5, 89.4]
    for day, price in enumerate(prices, 1):
        hand.core.advance(day * DAY_NS)
        event = bar(day * 86_400, price, price, price, price)
        hand.market.views["BTC"].bid = hand.market.views["BTC"].ask = 0.0
        hand.market.see(event)
        hand.give(event)
        if day == 1:
            hand.fill(hand.enter("100"), "100", "100")
        assert len(rungs(hand)) == (day == 5)


def test_all_bars_that_end_with_the_day_count_in_it() -> None:
    hand = Hand(replace(OFF, max_daily_loss=D(1000), on_breach="hold"))
    hand.quote(100.0, 100.0)
    hand.quote(100.0, 100.0, "ETH")
    hand.fill(hand.enter("100"), "100", "100")
    hand.give(signal("enter_long", "100", instrument="ETH"))
    hand.fill(hand.submitted()[-1], "100", "100")
    hand.core.advance(DAY_NS)
    hand.quote(94.0, 94.0)
    assert rungs(hand) == []
    hand.quote(94.0, 94.0, "ETH")
    assert [level for level, _, _ in rungs(hand)] == ["hold"]


def test_a_drawdown_counts_from_the_highest_equity_and_anew_after_a_rearm() -> None:
    hand = holding("500", max_daily_loss=None, max_drawdown=D("0.1"))
    at(hand, 140.0)
    at(hand, 116.0)
    assert rungs(hand) == []
    at(hand, 115.9)
    ((level, _, reason),) = rungs(hand)
    assert level == "cancel"
    assert reason == (
        "MAX_DRAWDOWN: 0.100417 of the highest equity lost, more than max_drawdown 0.1"
    )
    hand.give(Rearm())
    hand.enter("1", strategy="b")
    assert codes(hand) == []
    assert hand.executor.ledger.curve.peak == D(107_950)
    at(hand, 90.0)
    assert [after for after, _, _ in rungs(hand)] == ["cancel", "armed", "cancel"]


def test_nobody_rearms_while_it_cools() -> None:
    hand = holding(cooling_s=300.0)
    at(hand, 89.0)
    at(hand, 89.0, 299.5)
    with pytest.raises(CommandRefused, match=r"MAX_DAILY_LOSS.*re-arm in 1 s"):
        hand.give(Rearm())
    assert hand.executor.kill_level is KillLevel.CANCEL
    at(hand, 89.0, 0.5)
    hand.give(Rearm())
    assert hand.executor.kill_level is None


def test_the_operators_own_kill_does_not_cool() -> None:
    hand = holding(cooling_s=300.0, size_ramp_s=100.0)
    hand.give(Kill(level=KillLevel.HOLD))
    hand.give(Rearm())
    hand.enter("1", strategy="b")
    assert hand.executor.orders()[-1].quantity == 1


def test_sizes_grow_back_after_a_rearm() -> None:
    hand = holding(size_ramp_s=100.0, size_ramp_from=D("0.5"), max_daily_loss=D(1000))
    at(hand, 89.0)
    at(hand, 99.0)
    hand.give(Rearm())
    sizes = []
    for owner, wait in (("a", 0), ("b", 50), ("c", 49), ("d", 1)):
        at(hand, 99.0, wait)
        hand.enter("2.001", strategy=owner)
        sizes.append(hand.executor.orders()[-1].quantity)
    assert sizes == [D("1.000"), D("1.500"), D("1.990"), D("2.001")]
    hand.enter("2", strategy="operator")
    assert hand.executor.orders()[-1].quantity == 2


@given(
    st.lists(st.integers(0, 130), max_size=40),
)
def test_a_state_is_left_only_well_below_its_bound(percents: list[int]) -> None:
    state = CALM
    for percent in percents:
        share = D(percent) / 100
        before, state = state, state_of(share, state)
        if share > 1:
            assert state is TRIPPED
        if share < D("0.75"):
            assert state is CALM
        if before is CALM and share < D("0.8"):
            assert state is CALM
        if before is TRIPPED and share > D("0.95"):
            assert state is TRIPPED


@given(st.lists(st.integers(0, 130), max_size=40))
def test_while_armed_one_that_tripped_can_trip_again(percents: list[int]) -> None:
    state = CALM
    for percent in percents:
        share = D(percent) / 100
        state = state_of(share, state, armed=True)
        assert (state is TRIPPED) is (share > 1)


def test_no_limit_is_never_near() -> None:
    assert state_of(None, TRIPPED) is CALM


def test_the_shipped_defaults_watch_both_losses() -> None:
    risk = RiskSettings()
    assert risk.max_daily_loss == 5000
    assert risk.max_drawdown == D("0.1")
    assert risk.on_breach == "cancel"


def test_whoever_looks_at_gauges_changes_nothing() -> None:
    hand = holding()
    at(hand, 99.0)
    before = hand.executor.digest()
    for later in (0, 5 * NS):
        list(hand.executor.limits.gauges(hand.core.ts + later))
    assert hand.executor.digest() == before


def test_the_drawdown_of_the_limits_is_that_of_the_curve_until_a_re_arm() -> None:
    hand = holding(max_drawdown=D("0.5"), max_daily_loss=None)
    for price in (140.0, 97.0, 120.0):
        at(hand, price)
        equity = hand.executor.account().equity
        curve = hand.executor.ledger.curve
        standing = curve.standing(hand.core.ts, equity)
        assert hand.executor.limits.drawdown(equity) == standing.depth / standing.peak
        assert curve.peak == standing.peak == 104_000
    assert curve.deepest.depth == 4300


def test_money_that_comes_in_is_no_profit_to_fall_from() -> None:
    hand = Hand()
    hand.executor.ledger.put("USDT", D(50_000))
    limits, equity = hand.executor.limits, hand.executor.account().equity
    assert equity == 150_000
    assert limits.drawdown(equity) == 0
    hand.executor.ledger.put("USDT", D(-100_000))
    equity = hand.executor.account().equity
    assert equity == 50_000
    assert limits.drawdown(equity) == limits.daily_loss(equity) == 0
