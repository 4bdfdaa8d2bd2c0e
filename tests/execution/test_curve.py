"""The equity curve: bounded, with every extreme, and drawdowns of all samples."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from workstation.execution import curve
from workstation.execution.curve import EquityCurve

D = Decimal
NS = 1_000_000_000
WALKS = st.lists(
    st.tuples(st.integers(0, 10**12), st.integers(-500, 500)), min_size=1, max_size=60
)


def drawn(walk: list[tuple[int, int]], initial: int = 1000) -> EquityCurve:
    line, ts = EquityCurve(D(initial)), 0
    for step, equity in walk:
        ts += step
        line.sample(ts, D(initial + equity))
    return line


@given(WALKS)
def test_drawdowns_equal_those_of_all_pairs_of_samples(
    walk: list[tuple[int, int]],
) -> None:
    line = drawn(walk)
    levels = [0, *(equity for _, equity in walk)]
    deepest = max(
        (levels[i] - levels[j] for j in range(len(levels)) for i in range(j + 1)),
    )
    assert line.deepest.depth == deepest
    peak = max(levels)
    last = len(levels) - 1 - levels[::-1].index(peak)
    assert line.now.peak == 1000 + peak
    assert line.now.trough == 1000 + min(levels[last:])


@given(WALKS, st.integers(2, 8))
def test_joining_points_loses_neither_an_extreme_nor_the_end(
    walk: list[tuple[int, int]], most: int
) -> None:
    kept = curve.MOST_POINTS
    curve.MOST_POINTS = most
    try:
        line = drawn(walk)
    finally:
        curve.MOST_POINTS = kept
    levels = [1000 + equity for _, equity in walk]
    assert len(line.points) <= most
    assert min(p.low for p in line.points) == min(levels)
    assert max(p.high for p in line.points) == max(levels)
    assert line.points[-1].equity == line.equity == levels[-1]
    times = [p.ts // line.span_ns for p in line.points]
    assert times == sorted(set(times))


def test_a_drawdown_says_when_it_began_and_when_it_was_deepest() -> None:
    line = drawn([(NS, 10), (NS, -40), (NS, -10), (NS, 20), (NS, 0)])
    assert (line.deepest.depth, line.deepest.percent) == (D(50), 50 / 1010 * 100)
    assert (line.deepest.peak_ns, line.deepest.trough_ns) == (NS, 2 * NS)
    assert (line.now.depth, line.now.peak_ns, line.now.trough_ns) == (
        D(20),
        4 * NS,
        5 * NS,
    )


def test_how_far_below_the_peak_it_stands_is_not_how_far_it_fell() -> None:
    line = drawn([(NS, 50), (NS, 10), (NS, 30)])
    assert (line.now.depth, line.standing(3 * NS, D(1030)).depth) == (D(40), D(20))
    assert line.standing(4 * NS, D(1060)).depth == 0


def test_without_a_peak_above_zero_there_is_no_percentage() -> None:
    line = drawn([(NS, -5), (NS, -8)], initial=0)
    assert (line.deepest.depth, line.deepest.percent) == (D(8), None)


def test_of_one_span_the_last_equity_and_both_extremes_stay() -> None:
    line = drawn([(NS, 1), (1, 5), (1, -3), (1, 2)])
    (point,) = line.points
    assert (point.low, point.high, point.equity) == (D(997), D(1005), D(1002))
