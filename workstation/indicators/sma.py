"""Simple moving average: the mean of the last ``period`` closes.

The window's sum is never kept by adding the new value and subtracting the old one,
which drifts and leaves the rounding of a spike behind for ever. Values are taken in
blocks of ``period``: a window is the tail of the last block plus the head of this one.
Both are plain sums, so there is no drift, and the batch adds in the same order.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import PERIOD_LIMIT, Param
from workstation.indicators.stream import LineStream, State, check_state

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Sma(LineStream):
    """Stream the mean of the last ``period`` values."""

    # _ring is filled from its end down to 0, so that `_tails[k]` (the sum of the k + 1
    # newest values of the last block) is what a plain running sum of it gives and the
    # end of a block is a test for zero. _tails is empty until one block is complete.
    __slots__ = ("_at", "_head", "_period", "_ring", "_tails")

    def __init__(self, period: int = 20) -> None:
        self.rejected = 0
        self._period = float(period)
        self._ring = [0.0] * period
        self._tails: list[float] = []
        self._head = 0.0
        self._at = period - 1

    def step(self, x: float) -> float | None:
        """Take one value and return the mean, or None before the window is full."""
        if not -1e100 < x < 1e100:
            self.rejected += 1
            return None
        at = self._at
        self._ring[at] = x
        head = self._head + x
        if at:
            self._at = at = at - 1
            self._head = head
            tails = self._tails
            if tails:
                return (tails[at] + head) / self._period
            return None
        self._tails = tails = list(accumulate(self._ring))
        self._head = 0.0
        self._at = len(tails) - 1
        return tails[-1] / self._period

    def state(self) -> State:
        """Return (window full, next slot, slots…)."""
        return (int(bool(self._tails)), self._at, *self._ring)

    def restore(self, state: State) -> None:
        """Continue from ``state``; the sums are added again in the same order."""
        size = len(self._ring)
        check_state(self, state, lambda s: s[0] in (0, 1) and s[1] in range(size))
        at, ring = int(state[1]), [float(x) for x in state[2:]]
        head = 0.0
        for x in reversed(ring[at + 1 :]):
            head += x
        self._ring, self._at, self._head = ring, at, head
        self._tails = list(accumulate(ring)) if state[0] else []


def _batch(close: Floats, *, period: int) -> tuple[Floats]:
    from workstation.indicators.arrays import windows

    return (windows.sma(close, period),)


INDICATOR = Indicator(
    name="sma",
    title="Simple moving average",
    rule="mean of the last period closes",
    params=(Param("period", 20, 1, PERIOD_LIMIT, "bars in the window"),),
    outputs=("sma",),
    pane=Pane.PRICE,
    first=lambda period: int(period) - 1,
    kernel=_batch,
    twin=Sma,
)
