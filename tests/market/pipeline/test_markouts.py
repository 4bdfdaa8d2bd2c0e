"""Markouts against the reference, their identity, and errors by blocks of time."""

from __future__ import annotations

import math
import random
from statistics import mean, median, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market.pipeline.models import model
from workstation.market.pipeline.markouts import (
    Estimate,
    estimate,
    mark,
    side_markouts,
)

TIMES = st.lists(st.integers(0, 1_000), min_size=2, max_size=40, unique=True).map(
    sorted
)


@pytest.mark.reference
def test_every_fill_and_mean_is_that_of_the_reference() -> None:
    inputs, expected = model("markout")
    horizons = inputs["horizons"]
    marked = mark(inputs["fills"], inputs["mid_time"], inputs["mid"], horizons)
    assert len(marked) == len(expected["per_fill"])
    for fill, wanted in zip(marked, expected["per_fill"], strict=True):
        assert fill.capture == pytest.approx(wanted["spread_capture"], abs=1e-12)
        for index, horizon in enumerate(horizons):
            for name, found in (
                ("markout", fill.markout(index)),
                ("adverse", fill.adverse(index)),
            ):
                figure = wanted[f"{name}_{horizon:g}"]
                assert found == pytest.approx(figure, abs=1e-12)
    for index, horizon in enumerate(horizons):
        for name in ("markout", "adverse"):
            values = [getattr(fill, name)(index) for fill in marked]
            known = [value for value in values if value is not None]
            average, count = expected["mean_and_count"][f"{name}_{horizon:g}"]
            assert len(known) == count
            assert mean(known) == pytest.approx(average, abs=1e-12)


@given(
    TIMES,
    st.lists(
        st.tuples(
            st.integers(0, 1_000), st.sampled_from((1, -1)), st.floats(90.0, 110.0)
        ),
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_a_markout_is_the_capture_less_the_adverse_move(
    times: list[int], fills: list[tuple[int, int, float]], rng: random.Random
) -> None:
    mids = [rng.uniform(90.0, 110.0) for _ in times]
    for fill in mark(fills, times, mids, [0.0, 10.0, 300.0]):
        for index in range(3):
            markout, adverse = fill.markout(index), fill.adverse(index)
            if markout is None or adverse is None:
                assert markout is adverse
                continue
            assert markout == pytest.approx(fill.capture - adverse)


def test_a_move_against_us_is_above_zero_on_both_sides() -> None:
    times, mids = [0.0, 1.0, 9.0], [100.0, 99.0, 99.0]
    bought, sold = mark([(0.5, 1, 99.9), (0.5, -1, 100.1)], times, mids, [2.0])
    assert bought.adverse(0) == 1.0
    assert sold.adverse(0) == -1.0
    assert bought.adverse_bps(0) == pytest.approx(1.0 / 99.9 * 10_000.0)


def test_horizons_that_lie_ahead_are_pending_and_not_zero() -> None:
    (fill,) = mark([(1.0, 1, 100.0)], [0.0, 2.0], [100.0, 101.0], [0.5, 5.0])
    assert fill.markout(0) == 0.0
    assert fill.markout(1) is None
    assert fill.adverse(1) is None
    report = side_markouts([fill], 1, 1, 5.0)
    assert report.capture.count == 1
    assert report.markout == Estimate(0)


def test_a_report_is_of_one_side_in_bps_of_the_fill_price() -> None:
    times, mids = [0.0, 100.0], [100.0, 90.0]
    fills = [(1.0, 1, 99.0), (2.0, 1, 98.0), (3.0, -1, 101.0)]
    marked = mark(fills, times, mids, [50.0])
    for fill in marked:
        fill.mids[0] = 97.0
    report = side_markouts(marked, 1, 0, 50.0)
    captures = [(100.0 - p) / p * 1e4 for p in (99.0, 98.0)]
    worth = [(97.0 - p) / p * 1e4 for p in (99.0, 98.0)]
    assert report.capture.mean == pytest.approx(mean(captures))
    assert report.markout.mean == pytest.approx(mean(worth))
    assert report.markout.median == pytest.approx(median(worth))
    assert (report.side, report.horizon_s, report.markout.count) == (1, 50.0, 2)
    assert report.markout.error is None


@given(st.lists(st.floats(-100.0, 100.0), min_size=2, max_size=40))
def test_fills_far_apart_have_the_usual_standard_error(values: list[float]) -> None:
    found = estimate([(20.0 * index, value) for index, value in enumerate(values)], 10)
    assert found.mean == pytest.approx(mean(values), abs=1e-9)
    assert found.error == pytest.approx(
        stdev(values) / math.sqrt(len(values)), abs=1e-9
    )


def test_fills_that_share_a_block_count_as_one_observation() -> None:
    rng = random.Random(7)
    spread: list[tuple[float, float]] = []
    crowded: list[tuple[float, float]] = []
    for block in range(50):
        value = rng.gauss(0.0, 1.0)
        spread.append((block * 10.0, value))
        crowded += [(block * 10.0 + i, value) for i in range(9)]
    one, nine = estimate(spread, 10.0), estimate(crowded, 10.0)
    assert one.error is not None
    assert nine.error == pytest.approx(one.error)
    assert nine.count == 450
