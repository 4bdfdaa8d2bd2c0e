"""One side of an order book: price levels, best first, cheap to change near the top.

Owned by ``Book``. A dict holds the sizes, a sorted list the prices; asks are kept
by their negative, so that on both sides the best is last and a change near the top
moves few entries. It proves nothing about sequence: that is the book's work.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from math import exp

from workstation.model.market import Level

__all__ = ["Ladder", "flaw"]

_INFINITY = float("inf")


def flaw(levels: Sequence[Level]) -> str:
    """Return what is wrong with the levels of one whole side, "" where nothing is.

    They may come in any order; of a price that comes twice nobody knows the size.
    """
    for price, size in levels:
        if not (0.0 < price < _INFINITY and 0.0 <= size < _INFINITY):
            return "unreadable level"
    return "doubled price" if len(dict(levels)) != len(levels) else ""


class Ladder:
    """Hold the levels of one side; ``sign`` is +1 for bids and −1 for asks.

    ``keys`` are price × sign, ascending, and ``sizes`` is by key.
    """

    __slots__ = ("_negative", "keys", "sizes")

    def __init__(self, sign: int) -> None:
        self._negative = sign < 0
        self.keys: list[float] = []
        self.sizes: dict[float, float] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def apply(self, levels: Iterable[Level]) -> bool:
        """Set each level to its absolute size, remove it where that is zero.

        Of a price that comes twice the later size holds. Return False at a price or
        size that is not a number of this world; what came before it is applied then,
        and the caller must not trust the ladder any more.
        """
        sizes = self.sizes
        keys = self.keys
        negative = self._negative
        # Whether a level is new shows by the count: that saves a look-up per level.
        count = len(keys)
        for price, size in levels:
            key = -price if negative else price
            if 0.0 < size < _INFINITY:
                sizes[key] = size
                if len(sizes) != count:
                    if not 0.0 < price < _INFINITY:
                        del sizes[key]
                        return False
                    insort(keys, key)
                    count += 1
            elif size == 0.0:
                if sizes.pop(key, None) is not None:
                    del keys[bisect_left(keys, key)]
                    count -= 1
                elif not 0.0 < price < _INFINITY:
                    return False
            else:
                return False
        return True

    def replace(self, levels: Iterable[Level]) -> None:
        """Take these levels, in which there is no ``flaw``, instead of all."""
        if self._negative:
            self.sizes = {-price: size for price, size in levels if size}
        else:
            self.sizes = {price: size for price, size in levels if size}
        self.keys = sorted(self.sizes)

    # --- views ---------------------------------------------------------------------

    def best(self) -> Level | None:
        """Return the best level."""
        if not self.keys:
            return None
        key = self.keys[-1]
        return -key if self._negative else key, self.sizes[key]

    def top(self, n: int) -> list[Level]:
        """Return the ``n`` best levels, best first."""
        sizes = self.sizes
        if self._negative:
            return [(-key, sizes[key]) for key in self._best_keys(n)]
        return [(key, sizes[key]) for key in self._best_keys(n)]

    def size_at(self, price: float) -> float:
        """Return the size at a price, 0.0 where there is no level."""
        return self.sizes.get(-price if self._negative else price, 0.0)

    def size(self, n: int) -> float:
        """Return the sum of the ``n`` best sizes."""
        total = 0.0
        for key in self._best_keys(n):
            total += self.sizes[key]
        return total

    def size_to(self, price: float) -> float:
        """Return the sum of the sizes at ``price`` and better."""
        keys = self.keys
        first = bisect_left(keys, -price if self._negative else price)
        return self.size(len(keys) - first)

    def weighted_size(self, n: int, decay: float) -> float:
        """Return ``size`` with weights e^(−distance from the best price/decay)."""
        total = 0.0
        keys = self.keys
        for key in self._best_keys(n):
            total += self.sizes[key] * exp((key - keys[-1]) / decay)
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
            here = sizes[key]
            if here >= left:
                return (paid + left * price) / size
            paid += here * price
            left -= here
        return None

    def _best_keys(self, n: int) -> Sequence[float]:
        return self.keys[: -n - 1 : -1] if n > 0 else ()
