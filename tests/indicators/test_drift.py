"""How far streams are from exact arithmetic after a million bars.

Four regimes: an ordinary price, a large one, a tiny one, and a level that collapses
from 64,000 to 20 half-way.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from tests.indicators.series import Bar, close_stream
from workstation import indicators

BARS = 1_000_000
CHECKS = (*range(50_000, BARS, 190_007), *range(500_000, 500_060, 7), BARS - 1)
REGIMES = {
    "ordinary": (100.0, 100.0, 0.01),
    "large": (64_000.0, 64_000.0, 1.0),
    "tiny": (2e-5, 2e-5, 1e-8),
    "collapse": (64_000.0, 20.0, 0.01),
}


def series_of(regime: str) -> list[float]:
    first, second, step = REGIMES[regime]
    rng = random.Random(11)
    # A walk that is pulled back, so that it stays positive and near its level.
    series, offset = [], 0.0
    for i in range(BARS):
        offset = 0.999 * offset + rng.uniform(-step, step)
        series.append((first if i < BARS // 2 else second) + offset)
    return series


@pytest.fixture(scope="module", params=REGIMES)
def closes(request: pytest.FixtureRequest) -> list[float]:
    return series_of(request.param)


def outputs_at_checks(
    name: str, closes: Sequence[float]
) -> dict[int, tuple[float, ...]]:
    step, found, start = close_stream(name).step, {}, 0
    for check in sorted(CHECKS):
        for x in closes[start:check]:
            step(x)
        value = step(closes[check])
        assert value is not None
        found[check] = value if isinstance(value, tuple) else (value,)
        start = check + 1
    return found


def decayed(values: Sequence[float], alpha: float, depth: int = 9000) -> float:
    """Return the average from its weights; older values weigh less than 1e-300."""
    rate = math.log1p(-alpha)
    recent = values[-depth:]
    return math.fsum(
        alpha * math.exp(rate * age) * x for age, x in enumerate(reversed(recent))
    )


def test_the_window_averages_do_not_drift(closes: list[float]) -> None:
    means = outputs_at_checks("sma", closes)
    bands = outputs_at_checks("bollinger", closes)
    for check in CHECKS:
        window = [Fraction(x) for x in closes[check - 19 : check + 1]]
        mean = sum(window) / 20
        deviation = math.sqrt(sum((x - mean) ** 2 for x in window) / 20)
        upper, middle, lower = bands[check]
        assert means[check][0] == pytest.approx(float(mean), rel=1e-12)
        assert middle == pytest.approx(float(mean), rel=1e-12)
        assert (upper - lower) / 4.0 == pytest.approx(deviation, rel=1e-9)


def test_the_recursive_averages_do_not_drift(closes: list[float]) -> None:
    averages = outputs_at_checks("ema", closes)
    lines = outputs_at_checks("macd", closes)
    indices = outputs_at_checks("rsi", closes)
    for check in CHECKS:
        recent = closes[check - 10_000 : check + 1]
        expected = decayed(recent, 2 / 21)
        assert averages[check][0] == pytest.approx(expected, rel=1e-13)
        fast, slow = decayed(recent, 2 / 13), decayed(recent, 2 / 27)
        assert lines[check][0] == pytest.approx(fast - slow, abs=1e-13 * (fast + slow))
        changes = [b - a for a, b in pairwise(recent)]
        up = decayed([max(change, 0.0) for change in changes], 1 / 14)
        down = decayed([max(-change, 0.0) for change in changes], 1 / 14)
        expected = 100.0 * up / (up + down)
        assert indices[check][0] == pytest.approx(expected, rel=1e-13)


@pytest.fixture(scope="module")
def bars() -> list[Bar]:
    """Return bars that collapse, with different wicks and fractional volumes.

    One regime: a bar costs five times a bare close, and what they are made of is the
    recursions and windows that are tested with all four.
    """
    closes = series_of("collapse")
    rng = random.Random(12)
    listed, opened = [], closes[0]
    for close in closes:
        above, below = rng.random(), rng.random()
        reach = abs(close) * 1e-4
        listed.append(
            Bar(
                opened,
                max(opened, close) + reach * above,
                min(opened, close) - reach * below,
                close,
                1000.0 * above * below + 0.1,
            )
        )
        opened = close
    return listed


def rows_at_checks(
    name: str, bars: Sequence[Bar], **params: int | float | str
) -> dict[int, tuple[float, ...]]:
    update = indicators.get(name).stream(**params).update
    found, start = {}, 0
    for check in sorted(CHECKS):
        for bar in bars[start:check]:
            update(bar)
        row = update(bars[check])
        assert row is not None
        found[check] = row
        start = check + 1
    return found


def true_ranges(bars: Sequence[Bar]) -> list[float]:
    return [
        max(b.high - b.low, abs(b.high - a.close), abs(b.low - a.close))
        for a, b in pairwise(bars)
    ]


def test_wilders_averages_do_not_drift(bars: list[Bar]) -> None:
    averages = rows_at_checks("rma", bars)
    ranges = rows_at_checks("atr", bars)
    directions = rows_at_checks("adx", bars)
    for check in CHECKS:
        recent = bars[check - 10_000 : check + 1]
        expected = decayed([b.close for b in recent], 1 / 14)
        assert averages[check][0] == pytest.approx(expected, rel=1e-13)
        reach = decayed(true_ranges(recent), 1 / 14)
        assert ranges[check][0] == pytest.approx(reach, rel=1e-13)
        moves = [(b.high - a.high, a.low - b.low) for a, b in pairwise(recent)]
        plus = decayed([u if u > d and u > 0.0 else 0.0 for u, d in moves], 1 / 14)
        minus = decayed([d if d > u and d > 0.0 else 0.0 for u, d in moves], 1 / 14)
        plus_di, minus_di, dx, adx = directions[check]
        assert plus_di == pytest.approx(100.0 * plus / reach, rel=2e-13)
        assert minus_di == pytest.approx(100.0 * minus / reach, rel=2e-13)
        expected = 100.0 * abs(plus - minus) / (plus + minus)
        assert dx == pytest.approx(expected, rel=0, abs=1e-11)
        assert 0.0 <= adx <= 100.0


def test_channels_do_not_drift(bars: list[Bar]) -> None:
    channels = rows_at_checks("donchian", bars)
    bands = rows_at_checks("keltner", bars)
    for check in CHECKS:
        window = bars[check - 19 : check + 1]
        top, bottom = max(b.high for b in window), min(b.low for b in window)
        assert channels[check] == (top, (top + bottom) / 2.0, bottom)
        recent = bars[check - 10_000 : check + 1]
        typical = [(b.high + b.low + b.close) / 3.0 for b in recent]
        upper, middle, lower = bands[check]
        assert middle == pytest.approx(decayed(typical, 2 / 21), rel=1e-13)
        width = 2.0 * decayed(true_ranges(recent), 1 / 10)
        assert upper - middle == pytest.approx(width, rel=1e-9)
        assert middle - lower == pytest.approx(width, rel=1e-9)


def test_totals_do_not_drift_as_a_stream_or_as_a_batch(bars: list[Bar]) -> None:
    prices = rows_at_checks("vwap", bars, anchor="none")
    volumes = rows_at_checks("obv", bars)
    columns = {
        name: np.array([getattr(b, name) for b in bars])
        for name in ("high", "low", "close", "volume")
    }
    price_batch = indicators.get("vwap").batch(columns, anchor="none")["vwap"]
    volume_batch = indicators.get("obv").batch(columns)["obv"]
    traded = [b.volume for b in bars]
    worth = [(b.high + b.low + b.close) / 3.0 * b.volume for b in bars]
    signed = traded[:1] + [
        math.copysign(b.volume, b.close - a.close) if a.close != b.close else 0.0
        for a, b in pairwise(bars)
    ]
    for check in CHECKS[::3]:
        past = slice(check + 1)
        price = math.fsum(worth[past]) / math.fsum(traded[past])
        assert prices[check][0] == pytest.approx(price, rel=1e-15)
        assert price_batch[check] == pytest.approx(price, rel=1e-15)
        volume = math.fsum(signed[past])
        assert volumes[check][0] == pytest.approx(volume, rel=1e-15)
        assert volume_batch[check] == pytest.approx(volume, rel=1e-15)


def test_a_spike_leaves_nothing_behind_once_it_is_out_of_the_window() -> None:
    closes = [1e-8 * (1.0 + 0.01 * math.sin(i)) for i in range(200)]
    closes[100] = 1e9
    for name in ("sma", "bollinger"):
        step, clean = close_stream(name).step, close_stream(name).step
        for i, x in enumerate(closes):
            value, expected = step(x), clean(x if i != 100 else 1e-8)
            if i >= 120:
                assert value == pytest.approx(expected, rel=1e-12, abs=0)
