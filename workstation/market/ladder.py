"""One side of an order book: price levels, best first, cheap to change near the top.

Owned by ``Book``. A dict holds the sizes, a sorted list the prices; asks are listed
by their negative, so that on both sides the best is last and a change near the top
moves few entries. It proves nothing about sequence: that is the book's work.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from workstation.model.market import Level

__all__ = ["Ladder"]

_INFINITY = float("inf")


class Ladder:
    """Hold the levels of one side; ``sign`` is +1 for bids and −1 for asks."""

    __slots__ = ("_negative", "keys", "sizes")

    def __init__(self, sign: int) -> None:
        self._negative = sign < 0
        self.keys: list[float] = []
        self.sizes: dict[float, float] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def apply(self, levels: Iterable[Level]) -> bool:
        """Set each level to its absolute size, remove it where that is zero.

        Return False at a price or size that is not a number of this world; what came
        before it is applied then, and the caller must not trust the ladder any more.
        """
        sizes = self.sizes
        keys = self.keys
        negative = self._negative
        # Whether a level is new shows by the count: that saves a look-up per level.
        count = len(keys)
        for price, size in levels:
            if 0.0 < size < _INFINITY:
                sizes[price] = size
                if len(sizes) != count:
                    if not 0.0 < price < _INFINITY:
                        del sizes[price]
                        return False
                    insort(keys, -price if negative else price)
                    count += 1
            elif size == 0.0:
                if sizes.pop(price, None) is not None:
                    del keys[bisect_left(keys, -price if negative else price)]
                    count -= 1
                elif not 0.0 < price < _INFINITY:
                    return False
            else:
                return False
        return True

    def replace(self, levels: Iterable[Level]) -> bool:
        """Take these levels instead of all; False as in ``apply``."""
        self.sizes = {}
        self.keys = []
        sizes = self.sizes
        for price, size in levels:
            if not (0.0 < price < _INFINITY and 0.0 <= size < _INFINITY):
                self.sizes = {}
                return False
            if size:
                sizes[price] = size
        self.keys = (
            sorted(-price for price in sizes) if self._negative else sorted(sizes)
        )
        return True

    def best(self) -> Level | None:
        """Return the best level."""
        if not self.keys:
            return None
        key = self.keys[-1]
        price = -key if self._negative else key
        return price, self.sizes[price]

    def top(self, n: int) -> list[Level]:
        """Return the ``n`` best levels, best first."""
        if n <= 0:
            return []
        sizes = self.sizes
        if self._negative:
            return [(-key, sizes[-key]) for key in self.keys[: -n - 1 : -1]]
        return [(key, sizes[key]) for key in self.keys[: -n - 1 : -1]]

    def size(self, n: int) -> float:
        """Return the sum of the ``n`` best sizes."""
        total = 0.0
        sizes = self.sizes
        for key in self.keys[: -n - 1 : -1] if n > 0 else ():
            total += sizes[-key if self._negative else key]
        return total

    def vwap_to(self, size: float) -> float | None:
        """Return the average price of taking ``size``; None where not enough is known.

        Depth beyond the snapshot's range is unknown, so None is no proof that the
        venue could not fill it.
        """
        if not size > 0.0:
            return None
        left = size
        paid = 0.0
        sizes = self.sizes
        for key in reversed(self.keys):
            price = -key if self._negative else key
            here = sizes[price]
            if here >= left:
                return (paid + left * price) / size
            paid += here * price
            left -= here
        return None
