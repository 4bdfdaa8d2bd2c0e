"""Bollinger bands: the mean of a window ± a multiple of its population deviation.

The deviation comes from sums of (x − K) and (x − K)², taken in blocks as in ``sma`` so
that a value which left the window leaves no rounding behind. K is the last price of the
block before, so it is itself in the window: it lies within √(period − 1) deviations of
the mean whatever the level does, and the subtraction in S₂/n − (S₁/n)² costs at most
log₂ period (12) of 53 bits. K needs no other rule to follow the price.
"""

from __future__ import annotations

from itertools import accumulate
from math import sqrt
from operator import mul
from typing import TYPE_CHECKING

from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import PERIOD_LIMIT, Param
from workstation.indicators.stream import LinesStream, State, check_state

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Bollinger(LinesStream):
    """Stream (upper, middle, lower)."""

    # _ring, _at and the tails are as in Sma: filled downwards, the tails are running
    # sums over the last block, shifted by _base (K), _sum and _squares over this one.
    __slots__ = (
        "_at",
        "_base",
        "_deviations",
        "_period",
        "_ring",
        "_square_tails",
        "_squares",
        "_sum",
        "_sum_tails",
    )

    def __init__(self, period: int = 20, deviations: float = 2.0) -> None:
        self.rejected = 0
        self._period = float(period)
        self._deviations = float(deviations)
        self._ring = [0.0] * period
        self._sum_tails: list[float] = []
        self._square_tails: list[float] = []
        self._sum = 0.0
        self._squares = 0.0
        self._base = 0.0
        self._at = period - 1

    def step(self, x: float) -> tuple[float, float, float] | None:
        """Take one close and return (upper, middle, lower), or None before."""
        if not -1e100 < x < 1e100:
            self.rejected += 1
            return None
        at = self._at
        self._ring[at] = x
        if not at:
            return self._end_block(x)
        self._at = at = at - 1
        tails = self._sum_tails
        if not tails:
            return None
        base = self._base
        shift = x - base
        self._sum = total = self._sum + shift
        self._squares = squares = self._squares + shift * shift
        mean = (tails[at] + total) / self._period
        variance = (self._square_tails[at] + squares) / self._period - mean * mean
        middle = base + mean
        if variance > 0.0:
            width = self._deviations * sqrt(variance)
            return (middle + width, middle, middle - width)
        return (middle, middle, middle)

    def _end_block(self, x: float) -> tuple[float, float, float]:
        """Move K to ``x``, which filled the block; return the bands."""
        self._base = x
        self._sum = self._squares = 0.0
        self._at = len(self._ring) - 1
        self._add_tails()
        mean = self._sum_tails[-1] / self._period
        variance = self._square_tails[-1] / self._period - mean * mean
        width = self._deviations * sqrt(variance) if variance > 0.0 else 0.0
        middle = x + mean
        return (middle + width, middle, middle - width)

    def _add_tails(self) -> None:
        base = self._base
        shifts = [x - base for x in self._ring]
        self._sum_tails = list(accumulate(shifts))
        self._square_tails = list(accumulate(map(mul, shifts, shifts)))

    def state(self) -> State:
        """Return (window full, next slot, K, slots…)."""
        return (int(bool(self._sum_tails)), self._at, self._base, *self._ring)

    def restore(self, state: State) -> None:
        """Continue from ``state``; the sums are added again in the same order."""
        size = len(self._ring)
        check_state(self, state, lambda s: s[0] in (0, 1) and s[1] in range(size))
        self._at, self._base = int(state[1]), float(state[2])
        self._ring = [float(x) for x in state[3:]]
        self._sum = self._squares = 0.0
        self._sum_tails, self._square_tails = [], []
        if not state[0]:
            return
        self._add_tails()
        for x in reversed(self._ring[self._at + 1 :]):
            shift = x - self._base
            self._sum += shift
            self._squares += shift * shift


def _batch(close: Floats, *, period: int, deviations: float) -> tuple[Floats, ...]:
    from workstation.indicators.arrays import windows

    return windows.bollinger(close, period, deviations)


INDICATOR = Indicator(
    name="bollinger",
    title="Bollinger bands",
    rule="middle = SMA(period); upper and lower = middle ± deviations · population"
    " standard deviation of the same window",
    params=(
        Param("period", 20, 2, PERIOD_LIMIT, "bars in the window"),
        Param("deviations", 2.0, 0.01, 100.0, "half width, in standard deviations"),
    ),
    outputs=("upper", "middle", "lower"),
    pane=Pane.PRICE,
    first=lambda period, deviations: int(period) - 1,
    kernel=_batch,
    twin=Bollinger,
)
