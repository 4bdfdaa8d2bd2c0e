"""One side of a book against a plain dict that is sorted when asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.market.ladder import Ladder, flaw

LEVELS = st.lists(
    st.tuples(
        st.integers(1, 30).map(lambda ticks: ticks / 100),
        st.sampled_from([0.0, 0.0, 1.0, 2.5, 7.25]),
    ),
    max_size=40,
)


@given(st.sampled_from([+1, -1]), LEVELS, LEVELS, st.integers(0, 12))
def test_a_ladder_is_what_a_sorted_dict_is(
    sign: int,
    start: list[tuple[float, float]],
    changes: list[tuple[float, float]],
    n: int,
) -> None:
    ladder = Ladder(sign)
    plain = {price: size for price, size in start if size}
    ladder.replace(list(plain.items()))
    assert ladder.apply(changes)
    for price, size in changes:
        if size:
            plain[price] = size
        else:
            plain.pop(price, None)
    expected = sorted(plain.items(), reverse=sign > 0)
    assert ladder.top(len(ladder)) == expected
    assert ladder.top(n) == expected[:n]
    assert ladder.best() == (expected[0] if expected else None)
    assert ladder.size(n) == pytest.approx(sum(size for _, size in expected[:n]))
    assert len(ladder) == len(expected)


@given(LEVELS, st.floats(0.25, 60.0))
def test_the_price_to_take_a_size_is_the_walk_down_the_levels(
    levels: list[tuple[float, float]], size: float
) -> None:
    ladder = Ladder(-1)
    ladder.apply(levels)
    left, paid = size, 0.0
    for price, here in ladder.top(len(ladder)):
        taken = min(left, here)
        left -= taken
        paid += taken * price
        if left <= 0.0:
            break
    if left > 0.0:
        assert ladder.vwap_to(size) is None
    else:
        assert ladder.vwap_to(size) == pytest.approx(paid / size)


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan")])
def test_there_is_no_price_for_no_size(size: float) -> None:
    ladder = Ladder(+1)
    ladder.replace([(1.0, 5.0)])
    assert ladder.vwap_to(size) is None


@pytest.mark.parametrize(
    "level",
    [
        (float("nan"), 1.0),
        (float("nan"), 0.0),
        (float("inf"), 1.0),
        (-1.0, 1.0),
        (0.0, 1.0),
        (1.0, float("nan")),
        (1.0, float("inf")),
        (1.0, -1.0),
    ],
)
def test_a_level_that_is_no_price_or_size_is_refused(
    level: tuple[float, float],
) -> None:
    ladder = Ladder(+1)
    ladder.replace([(2.0, 5.0)])
    assert not ladder.apply([level])
    assert ladder.top(9) == [(2.0, 5.0)]
    if level[1] != 0.0:
        assert flaw([(2.0, 1.0), level]) == "unreadable level"


@given(LEVELS)
def test_a_side_has_a_flaw_where_a_price_comes_twice(
    levels: list[tuple[float, float]],
) -> None:
    prices = [price for price, _ in levels]
    doubled = len(set(prices)) < len(prices)
    assert flaw(levels) == ("doubled price" if doubled else "")
