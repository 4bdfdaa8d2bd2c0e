"""The average against the reference, and sampling of ticks against its definition."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.pipeline.ground import BTC, S, at_mid, chained, quote
from tests.market.pipeline.models import model
from workstation.market.pipeline.realised import moves_of, realised
from workstation.market.pipeline.settings import VolatilitySettings
from workstation.market.pipeline.volatility import (
    Average,
    Volatility,
    average_variance,
    bps_level,
)
from workstation.model.market import Bar, BookSnapshot, Quote
from workstation.model.timeframes import Timeframe

HALF_LIFE_S = 60.0
TAU_S = HALF_LIFE_S / math.log(2.0)
MINUTE = Timeframe.parse("1m")


def average_of(
    moves: list[float], elapsed_s: list[float], tau_s: float
) -> tuple[float, float]:
    average = Average()
    for move, elapsed in zip(moves, elapsed_s, strict=True):
        average.step(move, elapsed, tau_s)
    assert average.variance is not None
    return average.variance, average.effective


@pytest.mark.reference
def test_the_average_is_that_of_the_reference_streaming_and_batch() -> None:
    inputs, expected = model("volatility")
    moves, elapsed = moves_of(inputs["mid"]), inputs["ewma_dt"]
    wanted = (expected["ewma_var_per_s"], expected["ewma_neff"])
    for found in (average_of, average_variance):
        assert found(moves, elapsed, inputs["ewma_tau"]) == pytest.approx(
            wanted, rel=1e-9
        )
    for count, first in enumerate(expected["ewma_first3"], 1):
        variance, _ = average_of(moves[:count], elapsed[:count], inputs["ewma_tau"])
        assert variance == pytest.approx(first, rel=1e-9)


@given(
    st.lists(
        st.tuples(st.floats(-50.0, 50.0), st.floats(0.01, 500.0)),
        min_size=1,
        max_size=60,
    ),
    st.floats(0.5, 1_000.0),
)
def test_the_average_streaming_equals_explicit_weights(
    steps: list[tuple[float, float]], tau_s: float
) -> None:
    moves, elapsed = [m for m, _ in steps], [e for _, e in steps]
    assert average_of(moves, elapsed, tau_s) == pytest.approx(
        average_variance(moves, elapsed, tau_s), rel=1e-9, abs=1e-12
    )


def sampled(ticks: list[tuple[int, float]], step_ns: int) -> list[float]:
    """Return the mids at the grid's points that a tick has passed, by definition."""
    first = ticks[0][0]
    point = first - first % step_ns + step_ns
    points = []
    while point < ticks[-1][0]:
        points.append([mid for ts, mid in ticks if ts <= point][-1])
        point += step_ns
    return points


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3 * S), st.integers(9_900, 10_100)),
        min_size=2,
        max_size=60,
    )
)
def test_ticks_are_sampled_at_the_last_mid_at_or_before_each_second(
    steps: list[tuple[int, int]],
) -> None:
    part, core, live = chained("volatility")
    ts, ticks = S, []
    for wait, cents in steps:
        ts += wait
        ticks.append((ts, cents / 100.0))
        core.feed(part, [at_mid(ts / S, cents / 100.0)])
    path = [bps_level(mid) for mid in sampled(ticks, S)]
    found = live.figures.processor("volatility")
    assert isinstance(found, Volatility)
    assert found._window.path() == pytest.approx(path)
    if len(path) < 2:
        assert live.figures.volatility_bps is None
        return
    variance = live.figures.volatility_bps
    assert variance is not None
    # A standing price may be one long step of the average: the same sum of squares.
    total, weight = 0.0, 0.0
    for move in moves_of(path):
        kept = math.exp(-1.0 / TAU_S)
        total = kept * total + (1.0 - kept) * move * move
        weight = kept * weight + 1.0 - kept
    assert variance == pytest.approx(math.sqrt(total / weight), rel=1e-9, abs=1e-12)


def walk(scale: float = 1.0, n: int = 400) -> list[Quote]:
    rng = random.Random(7)
    mid, made = 100.0, []
    for index in range(n):
        mid += rng.choice((-0.01, 0.0, 0.01))
        made.append(
            quote(1 + index / 2, (mid - 0.01) * scale, (mid + 0.01) * scale, 2.0, 3.0)
        )
    return made


def test_the_realised_figures_are_those_of_the_window() -> None:
    part, core, live = chained("volatility", volatility=VolatilitySettings(samples=50))
    core.feed(part, walk())
    found = live.figures.processor("volatility")
    assert isinstance(found, Volatility)
    path = found._window.path()
    assert len(path) == 51
    whole = realised(path, 1.0, 5)
    figures = live.figures
    assert figures.realised_volatility_bps == whole.sigma
    assert figures.realised_uncertainty_bps == whole.error
    assert figures.bipower_volatility_bps == whole.bipower
    assert figures.median_volatility_bps == whole.median
    assert figures.two_scale_volatility_bps == whole.two_scale
    assert figures.noise_bps == whole.noise
    assert figures.jump_z == whole.jump_z
    core.feed(part, [at_mid(203.5, 101.0), at_mid(205.0, 101.0)])
    assert figures.realised_volatility_bps != whole.sigma


def test_a_price_of_another_size_has_the_same_volatility_in_bps() -> None:
    figures = []
    for scale in (1.0, 1_000.0, 1e-6):
        part, core, live = chained("volatility")
        core.feed(part, walk(scale))
        names = [name for name in live.figures.names() if name.endswith("_bps")]
        figures.append([live.figures.get(name) for name in names])
    assert None not in figures[0]
    assert figures[1] == pytest.approx(figures[0], rel=1e-6)
    assert figures[2] == pytest.approx(figures[0], rel=1e-6)


def test_one_bp_a_second_is_one_bp_per_root_second_with_its_uncertainty() -> None:
    part, core, live = chained("volatility")
    core.feed(
        part,
        [
            at_mid(1 + second, 100.0 * math.exp((second % 2) / 10_000.0))
            for second in range(2_000)
        ],
    )
    assert live.figures.volatility_bps == pytest.approx(1.0, rel=1e-4)
    # Of equal steps d: n_eff = (1 + l)/(1 − l), l = e^(−d/τ).
    kept = math.exp(-1.0 / TAU_S)
    effective = (1.0 + kept) / (1.0 - kept)
    assert live.figures.vol_uncertainty_bps == pytest.approx(
        1.0 / math.sqrt(2.0 * effective), rel=1e-3
    )


def test_the_half_life_halves_what_was() -> None:
    part, core, live = chained(
        "volatility", volatility=VolatilitySettings(half_life_s=100.0)
    )
    flips = [at_mid(1 + s, 100.0 + 0.01 * (s % 2)) for s in range(3_000)]
    core.feed(part, flips)
    before = live.figures.volatility_bps
    standing = [at_mid(3_001 + s, flips[-1].bid + 0.005) for s in range(102)]
    core.feed(part, standing)
    after = live.figures.volatility_bps
    assert before is not None
    assert after is not None
    assert after**2 == pytest.approx(before**2 / 2.0, rel=0.02)


def test_nothing_is_differenced_across_a_break_of_the_data() -> None:
    part, core, live = chained("volatility")
    core.feed(part, [at_mid(1 + s, 100.0) for s in range(40)])
    assert live.figures.volatility_bps == 0.0
    assert live.figures.realised_volatility_bps == 0.0
    part.mark_untrusted(BTC, "paused")
    assert live.figures.volatility_bps is None
    core.feed(part, [at_mid(60 + s, 150.0) for s in range(3)])
    assert live.figures.volatility_bps == 0.0
    assert live.figures.realised_volatility_bps is None


@pytest.mark.parametrize(
    "broken",
    [
        quote(3.5, 101.0, 99.0),
        quote(3.5, 0.0, 99.0),
        quote(3.5, float("nan"), 99.0),
        quote(3.5, float("inf"), float("inf")),
    ],
)
def test_crossed_one_sided_and_unreal_prices_give_no_number(broken: Quote) -> None:
    part, core, live = chained("volatility")
    core.feed(part, [at_mid(1 + s / 2, 100.0) for s in range(6)])
    known = live.figures.volatility_bps
    core.feed(part, [broken])
    shown = live.figures.volatility_bps
    # What is no number is not taken; what is none to trade on hides the figure.
    assert shown is None if math.isfinite(broken.bid) else shown == known
    core.feed(part, [at_mid(4 + s / 2, 100.0) for s in range(6)])
    assert live.figures.volatility_bps == 0.0


def test_stale_data_gives_no_number_until_it_is_fresh_again() -> None:
    part, core, live = chained("volatility")
    core.feed(part, [at_mid(1 + s, 100.0 + s / 100) for s in range(10)])
    assert live.figures.volatility_bps is not None
    core.advance(core.ts + 6 * S)
    assert live.figures.volatility_bps is None
    core.feed(part, [at_mid(17, 100.0)])
    assert live.figures.volatility_bps is not None


def test_an_untrusted_book_gives_no_number() -> None:
    part, core, live = chained("volatility")
    core.feed(part, [at_mid(1 + s, 100.0) for s in range(5)])
    assert live.figures.volatility_bps is not None
    core.feed(part, [BookSnapshot(BTC, 6 * S, 5, ((101.0, 1.0),), ((100.0, 1.0),))])
    core.feed(part, [at_mid(6 + s, 100.0) for s in range(1, 3)])
    assert live.figures.volatility_bps is None


def bar(index: int, close: float) -> Bar:
    minute = MINUTE.length_ns
    start = index * minute
    return Bar(
        BTC, start + minute, MINUTE, start, close, close, close, close, 1.0, close, 1
    )


def test_where_only_bars_come_their_closes_are_sampled_over_ten_bars_or_more() -> None:
    part, core, live = chained("volatility", watch=("1m", "5m"))
    closes = [100.0 + (index * 7 % 5) / 10 for index in range(30)]
    core.feed(part, [bar(index, close) for index, close in enumerate(closes)])
    moves = moves_of([bps_level(close) for close in closes])
    tau_s = 10 * 60 / math.log(2.0)
    variance, effective = average_variance(moves, [60.0] * len(moves), tau_s)
    assert live.figures.volatility_bps == pytest.approx(math.sqrt(variance))
    assert live.figures.vol_uncertainty_bps == pytest.approx(
        math.sqrt(variance / (2.0 * effective))
    )
    assert live.figures.realised_volatility_bps is None


def test_a_long_silence_costs_no_more_than_a_window() -> None:
    part, core, live = chained("volatility", volatility=VolatilitySettings(samples=30))
    core.feed(part, [at_mid(1, 100.0), at_mid(3, 101.0), at_mid(86_400 * 365, 101.0)])
    assert live.figures.volatility_bps is not None
    assert live.figures.realised_volatility_bps == 0.0
