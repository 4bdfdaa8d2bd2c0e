"""Realised variance and its kin against the reference, and by their properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market.pipeline.models import model
from workstation.market.pipeline import realised as pure
from workstation.market.pipeline.realised import moves_of, realised
from workstation.market.pipeline.volatility import LevelWindow

PATHS = st.lists(st.floats(-50.0, 50.0), min_size=12, max_size=80)


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-13)


@pytest.mark.reference
def test_every_estimate_is_that_of_the_reference() -> None:
    inputs, expected = model("volatility")
    moves = moves_of(inputs["mid"])
    scale = inputs["tsrv_K"]
    assert pure.realised_variance(moves) == near(expected["RV"])
    seconds = len(moves) * inputs["dt_s"]
    error = pure.realised_variance_error(moves) / seconds
    assert error == near(expected["se_sigma2"])
    assert pure.bipower_variance(moves) == near(expected["BV"])
    assert pure.median_variance(moves) == near(expected["MedRV"])
    assert pure.tripower_quarticity(moves) == near(expected["TQ"])
    assert pure.jump_statistic(moves) == near(expected["jump_z"])
    assert pure.two_scale_variance(inputs["mid"], scale) == near(
        expected["TSRV_unbiased"]
    )
    assert pure.noise_variance(moves) == near(expected["noise_var"])
    assert pure.lag_corrected_variance(moves) == near(expected["RV_AC1"])


@pytest.mark.reference
def test_the_whole_picture_is_in_units_per_root_second() -> None:
    inputs, expected = model("volatility")
    found = realised(inputs["mid"], inputs["dt_s"], inputs["tsrv_K"])
    seconds = (len(inputs["mid"]) - 1) * inputs["dt_s"]
    assert found.sigma == near(expected["sigma_per_sqrt_s"])
    assert found.error == near(expected["se_sigma"])
    assert found.bipower == near(math.sqrt(expected["BV"] / seconds))
    assert found.median == near(math.sqrt(expected["MedRV"] / seconds))
    assert found.two_scale == near(math.sqrt(expected["TSRV_unbiased"] / seconds))
    assert found.noise == near(math.sqrt(expected["noise_var"]))


@given(PATHS, st.floats(0.1, 10.0))
def test_four_times_the_seconds_are_half_the_volatility(
    path: list[float], step_s: float
) -> None:
    once, slow = realised(path, step_s, 3), realised(path, 4.0 * step_s, 3)
    assert slow.sigma == pytest.approx(once.sigma / 2.0)
    assert slow.bipower == pytest.approx(once.bipower / 2.0)
    assert slow.median == pytest.approx(once.median / 2.0)


@given(PATHS)
def test_two_scales_are_the_mean_over_sub_grids_made_unbiased(
    path: list[float],
) -> None:
    scale = 4
    n = len(path) - 1
    grids = [path[start::scale] for start in range(scale)]
    mean = sum(pure.realised_variance(moves_of(grid)) for grid in grids) / scale
    mean_n = sum(len(grid) - 1 for grid in grids) / scale
    raw = mean - mean_n / n * pure.realised_variance(moves_of(path))
    unbiased = raw * n * scale / ((n - scale + 1) * (scale - 1))
    assert pure.two_scale_variance(path, scale) == pytest.approx(unbiased, abs=1e-6)


def test_a_standing_price_has_no_volatility_and_no_jump_to_tell() -> None:
    found = realised([5.0] * 40, 1.0, 5)
    assert (found.sigma, found.bipower, found.median, found.noise) == (0, 0, 0, 0)
    assert found.error is None
    assert found.jump_z is None


def test_noise_alone_leaves_the_two_scales_nothing() -> None:
    path = [float(index % 2) for index in range(41)]
    assert realised(path, 1.0, 4).two_scale is None


@given(st.integers(1, 20), st.lists(st.floats(-9.0, 9.0), max_size=100))
def test_the_window_is_the_tail_of_what_was_pushed(
    size: int, levels: list[float]
) -> None:
    window = LevelWindow(size)
    for level in levels:
        window.push(level)
    assert window.path() == levels[-size - 1 :]
    assert len(window) == min(len(levels), size + 1)
    window.clear()
    assert window.path() == []
