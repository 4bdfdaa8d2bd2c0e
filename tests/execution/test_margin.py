"""Margin figures, the worked example, and bands with hysteresis."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.execution.margin import (
    available,
    band,
    initial_margin,
    is_low,
    max_added,
)
from workstation.model.states import PositionBand

D = Decimal
B = PositionBand


def test_the_worked_example() -> None:
    free = available(D(1000), D(200), D("0.2"))
    assert free == 600
    assert max_added(free, D(5), D(100)) == 30
    assert initial_margin(D(-30) * D(100), D(5)) == 600


def test_free_margin_is_never_negative() -> None:
    assert available(D(100), D(200), D("0.2")) == 0


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_what_can_be_added_falls_as_the_price_rises(low: int, more: int) -> None:
    assert max_added(D(600), D(5), D(low + more)) < max_added(D(600), D(5), D(low))


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ("0.70", B.NORMAL),
        ("0.701", B.WARNING),
        ("0.85", B.WARNING),
        ("0.851", B.CRITICAL),
        ("1.0", B.CRITICAL),
        ("1.001", B.OVER_LIMIT),
    ],
)
def test_bands_begin_above_their_bounds(ratio: str, expected: PositionBand) -> None:
    assert band(D(ratio), B.NORMAL) is expected


@pytest.mark.parametrize(
    ("before", "ratio", "expected"),
    [
        (B.WARNING, "0.66", B.WARNING),
        (B.WARNING, "0.65", B.NORMAL),
        (B.CRITICAL, "0.81", B.CRITICAL),
        (B.CRITICAL, "0.80", B.WARNING),
        (B.CRITICAL, "0.66", B.WARNING),
        (B.OVER_LIMIT, "0.96", B.OVER_LIMIT),
        (B.OVER_LIMIT, "0.95", B.CRITICAL),
        (B.OVER_LIMIT, "0.10", B.NORMAL),
    ],
)
def test_a_band_is_left_only_well_below_its_bound(
    before: PositionBand, ratio: str, expected: PositionBand
) -> None:
    assert band(D(ratio), before) is expected


def test_a_margin_warning_ends_only_with_some_room() -> None:
    used = D(100)
    assert not is_low(D(20), used, before=False)
    assert is_low(D("19.9"), used, before=False)
    assert is_low(D("24.9"), used, before=True)
    assert not is_low(D(25), used, before=True)
