"""Relative strength index after Wilder: 100·U/(U + D).

U and D are averages of the rises and falls of the close, seeded with the means of the
first ``period`` changes and then y ← y + (x − y)/period. No movement at all gives 0, in
TradingView 100.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.average import STILL
from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import PERIOD_LIMIT, TALIB, Param, compat
from workstation.indicators.stream import LineStream, State, check_state

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


def _unmoved(compat: str) -> float:
    return 0.0 if compat == TALIB else 100.0


class Rsi(LineStream):
    """Stream Wilder's relative strength index (0 to 100)."""

    # While _left counts the missing inputs down (period + 1: the first has no change),
    # _up and _down are the sums of the changes so far.
    __slots__ = ("_alpha", "_down", "_left", "_period", "_previous", "_unmoved", "_up")

    def __init__(self, period: int = 14, compat: str = TALIB) -> None:
        self.rejected = 0
        self._unmoved = _unmoved(compat)
        self._period = period
        self._alpha = 1.0 / period
        self._left = period + 1
        self._previous = 0.0
        self._up = 0.0
        self._down = 0.0

    def step(self, x: float) -> float | None:
        """Take one close and return the index, or None before the seed."""
        if not -1e100 < x < 1e100:
            self.rejected += 1
            return None
        change = x - self._previous
        self._previous = x
        if self._left:
            return self._seed(change)
        up = self._up
        down = self._down
        alpha = self._alpha
        if change > 0.0:
            up += alpha * (change - up)
            down -= alpha * down
        else:
            up -= alpha * up
            down -= alpha * (change + down)
        self._up = up
        self._down = down
        total = up + down
        if total > 1e-290:
            return 100.0 * (up / total)
        return self._unmoved

    def _seed(self, change: float) -> float | None:
        left = self._left = self._left - 1
        if left == self._period:
            return None
        if change > 0.0:
            self._up += change
        else:
            self._down -= change
        if left:
            return None
        self._up /= self._period
        self._down /= self._period
        total = self._up + self._down
        return 100.0 * (self._up / total) if total > STILL else self._unmoved

    def state(self) -> State:
        """Return (inputs missing, last close, U, D)."""
        return (self._left, self._previous, self._up, self._down)

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(
            self,
            state,
            lambda s: s[0] in range(self._period + 2) and s[2] >= 0.0 and s[3] >= 0.0,
        )
        self._left, self._previous = int(state[0]), float(state[1])
        self._up, self._down = float(state[2]), float(state[3])


def _batch(close: Floats, *, period: int, compat: str) -> tuple[Floats]:
    from workstation.indicators.arrays import averages

    return (averages.rsi(close, period, STILL, _unmoved(compat)),)


INDICATOR = Indicator(
    name="rsi",
    title="Relative strength index",
    rule="100·U/(U + D) of Wilder's averages of rises and falls, seeded with the means"
    " of the first period changes; 0 when nothing moved",
    params=(
        Param("period", 14, 2, PERIOD_LIMIT, "changes in Wilder's average"),
        compat("100 when nothing moved"),
    ),
    outputs=("rsi",),
    pane=Pane.OWN,
    bounds=(0.0, 100.0),
    first=lambda period, compat: int(period),
    kernel=_batch,
    twin=Rsi,
)
