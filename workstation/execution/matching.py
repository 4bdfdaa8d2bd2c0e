"""Matching of wanted levels to working orders: as many as can be kept, one to one.

Pure integers, called by ``requoting`` once per side. A level is a box of prices and
sizes, an order is a point; what lies in a box may be kept for it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Box", "Point", "keep"]

# Looks a level or an order may cost. Where so many lie within tolerance of one another
# that the best answer would cost more, a good one is taken: time stays O(n log n).
_LOOKS = 64


class Point(NamedTuple):
    """A working order: its rank (ticks, rising from the best price out) and lots."""

    rank: int
    lots: int


class Box(NamedTuple):
    """What may be kept for a level; the bounds belong to it."""

    rank: int
    lots: int
    first: int
    last: int
    least: int
    most: int


def keep(boxes: Sequence[Box], points: Sequence[Point]) -> list[int | None]:
    """Return for each box the index of the point that is kept for it, or None.

    Both come sorted by rank. No assignment keeps more (unless a search was cut short);
    among equal ones exact orders go first, then those nearest to the best price.
    """
    return _Matching(boxes, points).run()


class _Matching:
    def __init__(self, boxes: Sequence[Box], points: Sequence[Point]) -> None:
        self._boxes = boxes
        self._points = points
        self._ranks = [point.rank for point in points]
        self._kept: list[int | None] = [None] * len(boxes)
        self._holder: list[int | None] = [None] * len(points)

    def run(self) -> list[int | None]:
        self._take_exact()
        self._take_first()
        self._rearrange()
        return self._kept

    def _take(self, box: int, point: int) -> None:
        self._kept[box] = point
        self._holder[point] = box

    def _take_exact(self) -> None:
        where: dict[tuple[int, int], list[int]] = {}
        for index in range(len(self._points) - 1, -1, -1):
            point = self._points[index]
            where.setdefault((point.rank, point.lots), []).append(index)
        for index, box in enumerate(self._boxes):
            same = where.get((box.rank, box.lots))
            if same:
                self._take(index, same.pop())

    def _window(self, box: int) -> range:
        """Return the points within the box's prices."""
        first, last = self._boxes[box].first, self._boxes[box].last
        start = bisect_left(self._ranks, first)
        return range(start, bisect_right(self._ranks, last, start))

    def _fits(self, box: int, point: int) -> bool:
        return (
            self._boxes[box].least
            <= self._points[point].lots
            <= (self._boxes[box].most)
        )

    def _take_first(self) -> None:
        # The next point that is free, with the paths to it shortened as they are used.
        jump = list(range(len(self._points) + 1))

        def free(index: int) -> int:
            while index < len(self._points) and self._holder[index] is not None:
                jump[index] = jump[max(jump[index], index + 1)]
                index = jump[index]
            return index

        for box, kept in enumerate(self._kept):
            if kept is not None:
                continue
            window = self._window(box)
            point, looks = free(window.start), _LOOKS
            while point < window.stop and looks:
                if self._fits(box, point):
                    self._take(box, point)
                    break
                point, looks = free(point + 1), looks - 1

    def _rearrange(self) -> None:
        """Let a box without a point have one that a third can do without."""
        looks = _LOOKS * (len(self._boxes) + len(self._points))
        seen: set[int] = set()
        cameto: dict[int, int] = {}
        for start, kept in enumerate(self._kept):
            if kept is not None:
                continue
            queue = [start]
            found = False
            for box in queue:
                for point in self._window(box):
                    looks -= 1
                    if looks < 0:
                        return
                    if point in seen or not self._fits(box, point):
                        continue
                    seen.add(point)
                    cameto[point] = box
                    holder = self._holder[point]
                    if holder is None:
                        self._shift(start, point, cameto)
                        found = True
                        break
                    queue.append(holder)
                if found:
                    break
            if found:
                # Where a search came to nothing, later ones need not look until
                # something has moved.
                seen.clear()
                cameto.clear()

    def _shift(self, start: int, point: int, cameto: dict[int, int]) -> None:
        while True:
            box = cameto[point]
            before = self._kept[box]
            self._take(box, point)
            if box == start or before is None:
                return
            point = before
