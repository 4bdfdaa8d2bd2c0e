"""Markouts: where the mid went after fills; pure functions over marked fills.

Side s = +1 when we bought. M(t) is the last mid at or before t. For horizon h:
capture = s·(M(t) − P), adverse move = −s·(M(t+h) − M(t)), markout = s·(M(t+h) − P) =
capture − adverse. In prices, or in bps of the fill price P.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import median

from msgspec import Struct

__all__ = [
    "Estimate",
    "Marked",
    "SideMarkouts",
    "estimate",
    "mark",
    "side_markouts",
]

_BPS = 10_000.0
_LEAST_BLOCK_S = 10.0


class Marked:
    """A fill and the mids at its horizons; None while a horizon lies ahead.

    ``lost`` horizons fell into a break of the data and stay None for ever.
    """

    __slots__ = ("is_maker", "mid", "mids", "price", "side", "ts_s")

    def __init__(
        self,
        ts_s: float,
        side: int,
        price: float,
        mid: float,
        *,
        horizons: int,
        is_maker: bool = True,
    ) -> None:
        self.ts_s = ts_s
        self.side = side
        self.price = price
        self.mid = mid
        self.mids: list[float | None] = [None] * horizons
        self.is_maker = is_maker

    @property
    def capture(self) -> float:
        """Return how much better than the mid the fill was, in price."""
        return self.side * (self.mid - self.price)

    def adverse(self, horizon: int) -> float | None:
        """Return how far the mid moved against us by then, in price; None = pending."""
        later = self.mids[horizon]
        return None if later is None else -self.side * (later - self.mid)

    def markout(self, horizon: int) -> float | None:
        """Return how much the fill was worth by then, in price; None = pending."""
        later = self.mids[horizon]
        return None if later is None else self.side * (later - self.price)

    def adverse_bps(self, horizon: int) -> float | None:
        """Return the adverse move in bps of the fill price."""
        move = self.adverse(horizon)
        return None if move is None else move / self.price * _BPS

    def digest(self) -> tuple[object, ...]:
        """Return it for the state hash."""
        return (
            (self.ts_s, self.side, self.price, self.mid, self.is_maker),
            self.mids,
        )


class Estimate(Struct, frozen=True):
    """Mean, median and count of a figure; ``error`` is the mean's standard error.

    It comes from sums over blocks of time, for fills close together share one move of
    the price; None where all are in one block.
    """

    count: int
    mean: float | None = None
    median: float | None = None
    error: float | None = None


class SideMarkouts(Struct, frozen=True, kw_only=True):
    """The fills of one side at one horizon; figures in bps of the fill price."""

    side: int
    horizon_s: float
    capture: Estimate
    adverse: Estimate
    markout: Estimate


def mark(
    fills: Iterable[tuple[float, int, float]],
    times_s: Sequence[float],
    mids: Sequence[float],
    horizons_s: Sequence[float],
) -> list[Marked]:
    """Return fills (time, side, price) marked from a whole series of mids.

    A horizon beyond the last mid stays None: it is pending, not zero. Fills before
    the first mid are left out.
    """
    marked = []
    for ts_s, side, price in fills:
        at = bisect_right(times_s, ts_s) - 1
        if at < 0:
            continue
        fill = Marked(ts_s, side, price, mids[at], horizons=len(horizons_s))
        for index, horizon_s in enumerate(horizons_s):
            until = ts_s + horizon_s
            if until <= times_s[-1]:
                fill.mids[index] = mids[bisect_right(times_s, until) - 1]
        marked.append(fill)
    return marked


def side_markouts(
    fills: Sequence[Marked], side: int, horizon: int, horizon_s: float
) -> SideMarkouts:
    """Return what the fills of a side came to at a horizon; pending ones left out."""
    block_s = max(horizon_s, _LEAST_BLOCK_S)
    own = [fill for fill in fills if fill.side == side]
    captures = [(fill.ts_s, fill.capture / fill.price * _BPS) for fill in own]
    adverse, markouts = [], []
    for fill in own:
        move, worth = fill.adverse(horizon), fill.markout(horizon)
        if move is not None and worth is not None:
            adverse.append((fill.ts_s, move / fill.price * _BPS))
            markouts.append((fill.ts_s, worth / fill.price * _BPS))
    return SideMarkouts(
        side=side,
        horizon_s=horizon_s,
        capture=estimate(captures, block_s),
        adverse=estimate(adverse, block_s),
        markout=estimate(markouts, block_s),
    )


def estimate(values: Sequence[tuple[float, float]], block_s: float) -> Estimate:
    """Return mean, median and the standard error by blocks of (time, value) pairs."""
    count = len(values)
    if not count:
        return Estimate(0)
    mean = sum(value for _, value in values) / count
    blocks: dict[int, float] = {}
    for ts_s, value in values:
        block = int(ts_s // block_s)
        blocks[block] = blocks.get(block, 0.0) + value - mean
    error = None
    if len(blocks) > 1:
        squares = sum(total * total for total in blocks.values())
        error = sqrt(squares * len(blocks) / (len(blocks) - 1)) / count
    return Estimate(count, mean, median(value for _, value in values), error)
