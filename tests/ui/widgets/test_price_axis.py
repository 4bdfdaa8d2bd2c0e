from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from workstation.ui.widgets.price_axis import (
    KeptRange,
    PriceAxis,
    nice_step,
    price_ticks,
    step_decimals,
    zoomed,
)


@given(st.floats(1e-6, 1e6), st.integers(1, 30))
def test_steps_are_nice_and_not_too_many(span: float, most: int) -> None:
    step = nice_step(span, most)
    assert span / step <= most * (1 + 1e-6)
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 5, 10)) < 1e-6


def test_ticks_are_round_prices_with_the_decimals_they_need() -> None:
    ticks, decimals = price_ticks(PriceAxis(61_605, 61_725, 12))
    assert ticks == [61_620, 61_640, 61_660, 61_680, 61_700, 61_720]
    assert decimals == 0
    assert step_decimals(0.05) == 2
    assert step_decimals(1.0) == 0


def test_half_and_quarter_cells_count_from_the_top() -> None:
    axis = PriceAxis(0.0, 7.0, 4)
    assert [axis.half(price) for price in (7, 6, 0)] == [0, 1, 7]
    assert [axis.quarter(price) for price in (7, 0)] == [0, 15]
    assert not axis.holds(7.6)


def test_a_range_stands_still_until_a_value_leaves_it() -> None:
    kept = KeptRange()
    first = kept.fit(100.0, 110.0)
    assert first[0] < 100.0
    assert first[1] > 110.0
    assert kept.fit(99.9, 110.1) == first
    assert kept.fit(103.0, 109.0) == first
    assert kept.fit(103.0, 112.0) != first


def test_a_range_of_which_less_than_half_is_used_is_chosen_anew() -> None:
    kept = KeptRange()
    first = kept.fit(100.0, 110.0)
    assert kept.fit(102.0, 108.0) == first
    closer = kept.fit(104.0, 107.0)
    assert closer[1] - closer[0] < (first[1] - first[0]) / 2
    kept.forget()
    assert kept.fit(100.0, 110.0) == first


@given(
    st.lists(
        st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1, max_size=20
    )
)
def test_every_value_is_always_inside_its_range(
    ranges: list[tuple[float, float]],
) -> None:
    kept = KeptRange()
    for one, other in ranges:
        low, high = kept.fit(min(one, other), max(one, other))
        assert low <= min(one, other) <= max(one, other) <= high
        assert high > low


def test_zoom_keeps_the_middle() -> None:
    assert zoomed(100.0, 200.0, 2.0) == (125.0, 175.0)
