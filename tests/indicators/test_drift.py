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

import pytest

from workstation import indicators

BARS = 1_000_000
CHECKS = (*range(50_000, BARS, 190_007), *range(500_000, 500_060, 7), BARS - 1)
REGIMES = {
    "ordinary": (100.0, 100.0, 0.01),
    "large": (64_000.0, 64_000.0, 1.0),
    "tiny": (2e-5, 2e-5, 1e-8),
    "collapse": (64_000.0, 20.0, 0.01),
}


@pytest.fixture(scope="module", params=REGIMES)
def closes(request: pytest.FixtureRequest) -> list[float]:
    first, second, step = REGIMES[request.param]
    rng = random.Random(11)
    # A walk that is pulled back, so that it stays positive and near its level.
    series, offset = [], 0.0
    for i in range(BARS):
        offset = 0.999 * offset + rng.uniform(-step, step)
        series.append((first if i < BARS // 2 else second) + offset)
    return series


def outputs_at_checks(
    name: str, closes: Sequence[float]
) -> dict[int, tuple[float, ...]]:
    stream = indicators.get(name).stream()
    step, found, start = stream.step, {}, 0
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


def test_a_spike_leaves_nothing_behind_once_it_is_out_of_the_window() -> None:
    closes = [1e-8 * (1.0 + 0.01 * math.sin(i)) for i in range(200)]
    closes[100] = 1e9
    for name in ("sma", "bollinger"):
        step = indicators.get(name).stream().step
        clean = indicators.get(name).stream().step
        for i, x in enumerate(closes):
            value, expected = step(x), clean(x if i != 100 else 1e-8)
            if i >= 120:
                assert value == pytest.approx(expected, rel=1e-12, abs=0)
