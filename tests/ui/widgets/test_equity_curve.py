"""The equity curve: how far below its peak each column is, whatever was put in."""

from __future__ import annotations

import pytest

from workstation.ui.widgets.equity_curve import Point, columns_of


def _level(ts: int, value: float) -> Point:
    return ts, value, value, value


def test_a_fall_is_measured_from_the_peak_before_it() -> None:
    points = [_level(0, 100.0), (10, 90.0, 120.0, 95.0), _level(20, 130.0)]
    below = [column.below for column in columns_of(points, 29, 100.0, 3)]
    assert below == [0.0, -10.0, -25.0], "the lowest may have come before the highest"


@pytest.mark.parametrize("moved", [-50.0, 50.0])
def test_what_was_put_in_or_taken_out_is_no_drawdown(moved: float) -> None:
    after = 100.0 + moved
    low, high = sorted((100.0, after))
    points = [
        _level(0, 100.0),
        # The span in which it was moved has both sides of it.
        (10, low, high, after),
        _level(20, after - 3.0),
        _level(30, after + 1.0),
    ]
    columns = columns_of(points, 39, after, 4, [(10, moved)])
    assert [column.below for column in columns] == [0.0, 0.0, -3.0, -3.0]
    assert [column.last for column in columns] == [100.0, after, after - 3, after + 1]


def test_what_was_put_in_before_the_first_point_is_no_drawdown() -> None:
    columns = columns_of([_level(5, 70.0), _level(9, 69.0)], 14, 70.0, 2, [(1, -30.0)])
    assert [column.below for column in columns] == [-1.0, -1.0]
