"""As many orders as can be are kept, one to one, whatever lies near what."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.execution.matching import Box, Point, keep


def box(rank: int, lots: int, reach: int = 2, slack: int = 1) -> Box:
    return Box(rank, lots, rank - reach, rank + reach, lots - slack, lots + slack)


def fits(a: Box, b: Point) -> bool:
    return abs(a.rank - b.rank) <= a.rank - a.first and abs(a.lots - b.lots) <= (
        a.lots - a.least
    )


def most(boxes: list[Box], points: list[Point]) -> int:
    """Return the most that can be kept, by trying everything."""
    if not boxes:
        return 0
    best = most(boxes[1:], points)
    for index, point in enumerate(points):
        if fits(boxes[0], point):
            rest = points[:index] + points[index + 1 :]
            best = max(best, 1 + most(boxes[1:], rest))
    return best


BOXES = st.lists(
    st.builds(box, st.integers(0, 8), st.integers(1, 4), st.integers(0, 3)), max_size=5
)
POINTS = st.lists(st.builds(Point, st.integers(0, 8), st.integers(1, 4)), max_size=5)


@settings(max_examples=150)
@given(BOXES, POINTS)
def test_no_assignment_keeps_more(boxes: list[Box], points: list[Point]) -> None:
    boxes.sort(key=lambda each: each.rank)
    points.sort(key=lambda each: each.rank)
    kept = keep(boxes, points)
    used = [point for point in kept if point is not None]
    assert len(used) == len(set(used))
    for wanted, point in zip(boxes, kept, strict=True):
        assert point is None or fits(wanted, points[point])
    assert len(used) == most(boxes, points)


def test_an_order_that_could_serve_two_levels_goes_where_nothing_else_does() -> None:
    # The first level could have either order, the second only the first one.
    boxes = [box(3, 1, reach=3), box(4, 1, reach=1)]
    points = [Point(3, 1), Point(6, 1)]
    assert keep(boxes, points) == [1, 0]


def test_sizes_that_fit_crosswise_are_all_kept() -> None:
    boxes = [box(0, 1, slack=0), box(1, 5, slack=0)]
    points = [Point(0, 5), Point(1, 1)]
    assert keep(boxes, points) == [1, 0]


def test_exact_orders_stay_with_their_levels() -> None:
    boxes = [box(rank, 1, reach=50) for rank in range(20)]
    points = [Point(rank, 1) for rank in range(20)]
    assert keep(boxes, points) == list(range(20))


def test_crowds_within_tolerance_end_soon_and_still_match() -> None:
    boxes = [box(rank, 1, reach=5_000, slack=0) for rank in range(1_000)]
    points = [Point(rank, 1 + rank % 2) for rank in range(1_000)]
    kept = [point for point in keep(boxes, points) if point is not None]
    assert len(kept) == len(set(kept)) == 500
