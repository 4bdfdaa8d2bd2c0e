"""Exponential moving average, seeded with the mean of the first ``period`` closes.

y ← y + a(x − y) with a = 2/(period + 1). No value exists before the seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.definition import PERIOD_LIMIT, Indicator, Pane, Param
from workstation.indicators.stream import LineStream, State, check_state

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Ema(LineStream):
    """Stream the exponential average of the values taken so far."""

    # While _left counts the missing seed values down, _value is their sum so far.
    __slots__ = ("_alpha", "_left", "_period", "_value")

    def __init__(self, period: int = 20) -> None:
        self.rejected = 0
        self._period = period
        self._alpha = 2.0 / (period + 1)
        self._left = period
        self._value = 0.0

    def step(self, x: float) -> float | None:
        """Take one value and return the average, or None before the seed."""
        if not -1e100 < x < 1e100:
            self.rejected += 1
            return None
        value = self._value
        if not self._left:
            self._value = value = value + self._alpha * (x - value)
            return value
        self._value = value + x
        self._left -= 1
        if self._left:
            return None
        self._value /= self._period
        return self._value

    def state(self) -> State:
        """Return (seed values missing, average or their sum)."""
        return (self._left, self._value)

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(self, state, lambda s: s[0] in range(self._period + 1))
        self._left, self._value = int(state[0]), float(state[1])


def _batch(close: Floats, *, period: int) -> tuple[Floats]:
    from workstation.indicators import arrays

    return (arrays.ema(close, period),)


INDICATOR = Indicator(
    name="ema",
    title="Exponential moving average",
    rule="y ← y + 2/(period + 1)·(close − y), seeded with the mean of the first period"
    " closes",
    params=(Param("period", 20, 2, PERIOD_LIMIT, "bars of the equivalent window"),),
    outputs=("ema",),
    pane=Pane.PRICE,
    first=lambda period: int(period) - 1,
    kernel=_batch,
    twin=Ema,
)
