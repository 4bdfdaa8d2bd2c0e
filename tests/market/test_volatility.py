"""The volatility estimate against its definition, written out."""

from __future__ import annotations

from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.market.volatility import HALF_LIFE_S, Volatility
from workstation.model.timeframes import NS_PER_S


@given(
    st.lists(
        st.tuples(st.floats(0.25, 120.0), st.floats(50.0, 200.0)),
        min_size=2,
        max_size=30,
    )
)
def test_it_is_an_average_of_squared_returns_per_second_that_forgets_by_time(
    steps: list[tuple[float, float]],
) -> None:
    found = Volatility()
    ts = NS_PER_S
    before = steps[0][1]
    found.update(ts, before)
    assert found.bps is None
    variance: float | None = None
    for wait_s, mid in steps[1:]:
        passed = int(wait_s * NS_PER_S)
        ts += passed
        found.update(ts, mid)
        seconds = passed / NS_PER_S
        rate = (10_000.0 * log(mid / before)) ** 2 / seconds
        before = mid
        weight = 1.0 - exp(-seconds * log(2.0) / HALF_LIFE_S)
        variance = (
            rate if variance is None else (1.0 - weight) * variance + weight * rate
        )
        assert found.bps == pytest.approx(sqrt(variance), rel=1e-9, abs=1e-9)


def test_a_steady_walk_of_one_bp_a_second_is_one_bp_per_root_second() -> None:
    found = Volatility()
    for second in range(600):
        found.update((1 + second) * NS_PER_S, 100.0 * exp((second % 2) / 10_000.0))
    assert found.bps == pytest.approx(1.0)


def test_two_mids_at_one_time_are_one() -> None:
    found = Volatility()
    found.update(NS_PER_S, 100.0)
    found.update(NS_PER_S, 105.0)
    assert found.bps is None
