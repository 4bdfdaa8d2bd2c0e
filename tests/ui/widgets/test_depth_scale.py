from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workstation.ui.widgets.depth_scale import DepthScale, round_up


@given(st.floats(1e-9, 1e12))
def test_a_round_size_is_never_less_and_less_than_twice_as_much(value: float) -> None:
    assert value <= round_up(value) * (1 + 1e-12)
    assert round_up(value) <= value * 2


def test_nothing_has_a_scale_of_one() -> None:
    assert round_up(0.0) == round_up(float("nan")) == 1.0


def test_it_grows_at_once_and_shrinks_after_three_seconds_of_calm() -> None:
    scale = DepthScale()
    assert scale.take("X", 5.0) == 6.0
    assert scale.take("X", 7.0) == 8.0
    for _ in range(29):
        assert scale.take("X", 1.9) == 8.0
    assert scale.take("X", 0.1) == 2.0


def test_one_large_size_in_between_starts_the_calm_anew() -> None:
    scale = DepthScale()
    scale.take("X", 8.0)
    for _ in range(29):
        scale.take("X", 1.0)
    scale.take("X", 7.9)
    for _ in range(29):
        assert scale.take("X", 1.0) == 8.0
    assert scale.take("X", 1.0) == 1.0


def test_another_book_has_its_own_scale_at_once() -> None:
    scale = DepthScale()
    scale.take("X", 900.0)
    assert scale.take("Y", 0.2) == 0.2
