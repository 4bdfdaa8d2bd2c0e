"""Adverse selection in the stream: horizons, breaks, shrinkage, public trades."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.fakes import FakeCore
from tests.market.pipeline.ground import (
    BTC,
    S,
    at_mid,
    chained,
    deliver,
    filled,
    quote,
    trade,
)
from workstation.market.aggregator import Aggregator
from workstation.market.live import LiveInstrument
from workstation.market.pipeline.adverse_selection import AdverseSelection
from workstation.market.pipeline.markouts import mark
from workstation.market.pipeline.settings import AdverseSelectionSettings

HORIZONS = (0.1, 1.0, 5.0, 30.0, 60.0)


# Any: settings of the processor.
def watched(
    **chosen: Any,
) -> tuple[Aggregator, FakeCore, LiveInstrument, AdverseSelection]:
    part, core, live = chained(
        "adverse_selection", adverse_selection=AdverseSelectionSettings(**chosen)
    )
    found = live.figures.processor("adverse_selection")
    assert isinstance(found, AdverseSelection)
    return part, core, live, found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 20_000), st.integers(9_900, 10_100), st.integers(-1, 1)
        ),
        min_size=3,
        max_size=40,
    )
)
def test_fills_in_the_stream_are_marked_as_from_the_whole_series(
    steps: list[tuple[int, int, int]],
) -> None:
    part, core, _, found = watched()
    ms, times, mids, fills = 1_000, [], [], []
    for wait, cents, side in steps:
        ms += wait
        mid = cents / 100.0
        core.feed(part, [at_mid(ms / 1_000, mid)])
        times.append(ms / 1_000)
        mids.append((mid - 0.005 + mid + 0.005) * 0.5)
        if side:
            ms += 1
            price = mid - side * 0.25
            fills.append((ms / 1_000, side, price))
            deliver(part, core, filled(ms / 1_000, side, price))
    wanted = mark(fills, times, mids, HORIZONS)
    kept = list(found._fills or ())
    assert len(kept) == len(wanted)
    for ours, theirs in zip(kept, wanted, strict=True):
        assert (ours.side, ours.mid) == (theirs.side, theirs.mid)
        for index, horizon in enumerate(HORIZONS):
            # At the very time of the last mid another one may still come.
            if round((ours.ts_s + horizon) * 1_000) == round(times[-1] * 1_000):
                continue
            assert ours.mids[index] == theirs.mids[index]


def test_a_horizon_is_pending_until_the_first_prices_after_it() -> None:
    part, core, live, found = watched(shrinkage=0.0, public_trades=False)
    core.feed(part, [at_mid(1, 100.0)])
    deliver(part, core, filled(2, 1, 99.99))
    assert found.pending() == 5
    assert live.figures.adverse_selection is None
    core.feed(part, [at_mid(6, 99.0), at_mid(7, 98.0)])
    # At 7 s exactly the 5 s are over, but another mid of that time may come.
    assert live.figures.adverse_selection is None
    core.feed(part, [at_mid(7, 97.0), at_mid(8, 50.0)])
    assert found.pending() == 2
    assert live.figures.adverse_selection == pytest.approx(3.0 / 99.99 * 1e4)
    assert live.figures.adverse_fills == 1.0


def test_prices_at_the_very_time_of_a_horizon_count_though_another_was_due() -> None:
    part, core, live, _ = watched(shrinkage=0.0, public_trades=False)
    core.feed(part, [at_mid(1, 100.0)])
    deliver(part, core, filled(2, 1, 100.0))
    deliver(part, core, filled(3, 1, 100.0))
    core.feed(part, [at_mid(8, 99.0), at_mid(9, 50.0)])
    # The first met no move by 7 s, the second one per cent by 8 s.
    assert live.figures.adverse_bid == pytest.approx(50.0)


def test_both_sides_are_kept_apart_and_never_below_zero() -> None:
    part, core, live, _ = watched(shrinkage=0.0, public_trades=False)
    core.feed(part, [at_mid(1, 100.0)])
    deliver(part, core, filled(2, 1, 100.0))
    deliver(part, core, filled(2, -1, 100.0))
    core.feed(part, [at_mid(3, 99.0), at_mid(8, 99.0)])
    assert live.figures.adverse_bid == pytest.approx(100.0)
    assert live.figures.adverse_ask == 0.0
    assert live.figures.adverse_selection == pytest.approx(0.0, abs=1e-9)


def test_few_fills_are_shrunk_towards_nothing() -> None:
    part, core, live, _ = watched(public_trades=False)
    core.feed(part, [at_mid(1, 100.0)])
    for _ in range(10):
        deliver(part, core, filled(2, 1, 100.0))
    core.feed(part, [at_mid(3, 99.0), at_mid(8, 99.0)])
    assert live.figures.adverse_bid == pytest.approx(10 / 60 * 100.0)


def test_the_horizon_and_the_shrinkage_are_settings() -> None:
    found = {}
    for name, chosen in (
        ("default", {}),
        ("longer", {"horizon_s": 30.0}),
        ("trusting", {"shrinkage": 1.0}),
    ):
        part, core, live, _ = watched(**chosen)
        core.feed(part, [at_mid(1, 100.0)])
        deliver(part, core, filled(2, 1, 100.0))
        core.feed(part, [at_mid(3, 99.0), at_mid(20, 98.0), at_mid(40, 98.0)])
        found[name] = live.figures.adverse_bid
    assert found["default"] == pytest.approx(100.0 / 51)
    assert found["longer"] == pytest.approx(200.0 / 51)
    assert found["trusting"] == pytest.approx(100.0 / 2)


def test_fills_that_took_liquidity_are_marked_but_do_not_count() -> None:
    part, core, live, found = watched(shrinkage=0.0, public_trades=False)
    core.feed(part, [at_mid(1, 100.0)])
    deliver(part, core, filled(2, 1, 100.01, maker=False))
    core.feed(part, [at_mid(3, 99.0), at_mid(8, 99.0)])
    assert live.figures.adverse_selection is None
    assert live.figures.adverse_fills == 0.0
    taken = found.markouts(makers=False)
    assert taken[4].horizon_s == 5.0
    assert taken[4].adverse.count == 1
    assert found.markouts()[4].adverse.count == 0


def test_the_report_has_each_horizon_for_both_sides() -> None:
    part, core, _, found = watched()
    core.feed(part, [at_mid(1, 100.0)])
    deliver(part, core, filled(2, 1, 99.9))
    deliver(part, core, filled(2, -1, 100.1))
    core.feed(part, [at_mid(2.05, 99.8), at_mid(4, 99.5), at_mid(5, 99.5)])
    report = found.markouts()
    assert [(each.horizon_s, each.side) for each in report] == [
        (horizon, side) for horizon in HORIZONS for side in (1, -1)
    ]
    counts = [each.markout.count for each in report]
    assert counts == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    bought = report[0]
    assert bought.capture.mean == pytest.approx(0.1 / 99.9 * 1e4)
    assert bought.adverse.mean == pytest.approx(0.2 / 99.9 * 1e4)
    assert bought.markout.mean == pytest.approx(-0.1 / 99.9 * 1e4)


def test_a_horizon_within_a_break_of_the_data_is_never_known() -> None:
    part, core, _, found = watched(public_trades=False)
    core.feed(part, [at_mid(1, 100.0)])
    deliver(part, core, filled(2, 1, 100.0))
    core.feed(part, [at_mid(2.5, 99.0)])
    part.mark_untrusted(BTC, "paused")
    core.feed(part, [at_mid(10, 50.0), at_mid(100, 49.0), at_mid(101, 49.0)])
    (fill,) = found._fills or [None]
    assert fill is not None
    assert fill.mids == [pytest.approx(100.0), None, None] + [pytest.approx(50.0)] * 2
    assert found.pending() == 0


def test_a_fill_where_no_mid_is_known_is_counted_and_left_out() -> None:
    part, core, live, found = watched()
    deliver(part, core, filled(1, 1, 100.0))
    core.feed(part, [quote(2, 101.0, 99.0)])
    deliver(part, core, filled(3, 1, 100.0))
    assert found.unmarked == 2
    assert found.pending() == 0
    assert live.figures.adverse_selection is None


def test_public_trades_stand_in_for_the_makers_until_own_fills_say_more() -> None:
    part, core, live, _ = watched()
    core.feed(part, [at_mid(1, 100.0)])
    # Buyers come, the mid rises: who sold to them met an adverse move of 1 %.
    core.feed(part, [trade(2 + i / 100, 100.0, 1) for i in range(50)])
    core.feed(part, [at_mid(3, 101.0), at_mid(9, 101.0)])
    kept = 1.0 - 1.0 / 1_000
    count = sum(kept**i for i in range(50))
    public = 100.0 * count / (count + 50.0)
    assert live.figures.adverse_ask == pytest.approx(public)
    assert live.figures.adverse_bid is None
    assert live.figures.adverse_fills == 0.0
    deliver(part, core, filled(10, -1, 101.0))
    core.feed(part, [at_mid(11, 101.0), at_mid(16, 101.0)])
    # One own fill of no move: (0 + 50 p)/51.
    assert live.figures.adverse_ask == pytest.approx(50.0 * public / 51.0)
    assert live.figures.adverse_fills == 1.0


def test_a_sweep_is_one_market_order_and_unknown_aggressors_say_nothing() -> None:
    part, core, live, _ = watched(fills=10)
    core.feed(part, [at_mid(1, 100.0), trade(1.5, 100.0, 0)])
    core.feed(part, [at_mid(2, 101.0), at_mid(9, 101.0)])
    assert live.figures.adverse_selection is None
    core.feed(part, [trade(10, 101.0, -1)] * 3)
    core.feed(part, [at_mid(11, 100.0), at_mid(16, 100.0)])
    assert live.figures.adverse_bid == pytest.approx(1 / 51 * 1.0 / 101.0 * 1e4)


def test_public_trades_can_be_left_out() -> None:
    part, core, live, _ = watched(public_trades=False)
    core.feed(part, [at_mid(1, 100.0), trade(2, 100.0, 1)])
    core.feed(part, [at_mid(3, 101.0), at_mid(9, 101.0)])
    assert live.figures.adverse_selection is None


def test_a_price_of_another_size_has_the_same_adverse_selection() -> None:
    found = []
    for unit in (1.0, 1e4):
        part, core, live, _ = watched()
        core.feed(part, [at_mid(1, 100.0 * unit), trade(2, 100.0 * unit, 1)])
        deliver(part, core, filled(3, 1, 99.0 * unit))
        core.feed(part, [at_mid(4, 98.0 * unit), at_mid(9, 98.0 * unit)])
        found.append(live.figures.adverse_bid)
    assert found[0] == pytest.approx(found[1])


def test_no_more_fills_are_kept_than_the_setting_says() -> None:
    part, core, _, found = watched(fills=10)
    core.feed(part, [at_mid(1, 100.0)])
    for index in range(25):
        deliver(part, core, filled(2 + index / 100, 1, 100.0))
    core.feed(part, [at_mid(100, 100.0), at_mid(200, 100.0)])
    assert found.markouts()[0].markout.count == 10


def test_what_is_known_of_the_past_stays_while_data_is_stale() -> None:
    part, core, live, _ = watched(public_trades=False)
    core.feed(part, [at_mid(1, 100.0)])
    deliver(part, core, filled(2, 1, 100.0))
    core.feed(part, [at_mid(3, 99.0), at_mid(8, 99.0)])
    known = live.figures.adverse_bid
    core.advance(100 * S)
    assert known is not None
    assert live.figures.adverse_bid == known
