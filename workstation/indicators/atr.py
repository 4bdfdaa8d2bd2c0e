"""Average true range after Wilder, seeded with the first ``period`` true ranges.

The first bar has none, except in TradingView, where its own range is the first value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import (
    PERIOD_LIMIT,
    TALIB,
    TRADINGVIEW,
    Param,
    compat,
)
from workstation.indicators.stream import Bar, State, Stream, check_state, is_sound
from workstation.indicators.true_range import span

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Atr(Stream):
    """Stream Wilder's average of the true range; also a part of other streams."""

    # While _left counts the missing bars down (period, and one more where the first
    # bar has no true range), _value is the sum of the ranges so far.
    __slots__ = ("_bars", "_gain", "_left", "_period", "_previous", "_value")

    def __init__(self, period: int = 14, compat: str = TALIB) -> None:
        self.rejected = 0
        self._period = period
        self._gain = 1.0 / period
        self._bars = self._left = period + (compat == TALIB)
        self._previous = 0.0
        self._value = 0.0

    def update(self, bar: Bar) -> tuple[float] | None:
        """Take one bar and return the average, or None before the seed."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        value = self.take(bar.high, bar.low, bar.close)
        return None if value is None else (value,)

    def take(self, high: float, low: float, close: float) -> float | None:
        """Take a sound bar and return the average, or None before the seed."""
        previous = self._previous
        self._previous = close
        if self._left:
            return self._seed(high, low, previous)
        value = self._value
        self._value = value = value + self._gain * (span(high, low, previous) - value)
        return value

    def _seed(self, high: float, low: float, previous: float) -> float | None:
        first = self._left == self._bars
        left = self._left = self._left - 1
        if left < self._period:
            self._value += high - low if first else span(high, low, previous)
        if left:
            return None
        self._value /= self._period
        return self._value

    def state(self) -> State:
        """Return (bars missing, last close, average or sum of ranges)."""
        return (self._left, self._previous, self._value)

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(self, state, lambda s: s[0] in range(self._bars + 1))
        self._left, self._previous = int(state[0]), float(state[1])
        self._value = float(state[2])


def _batch(
    high: Floats, low: Floats, close: Floats, *, period: int, compat: str
) -> tuple[Floats]:
    from workstation.indicators.arrays import ranges

    return (ranges.atr(high, low, close, period, compat == TRADINGVIEW),)


INDICATOR = Indicator(
    name="atr",
    title="Average true range",
    rule="y ← y + (true range − y)/period, seeded with the mean of the true ranges of"
    " bars 1 to period",
    params=(
        Param("period", 14, 1, PERIOD_LIMIT, "true ranges in Wilder's average"),
        compat("bar 0 counts with its high − low, so the first value is a bar earlier"),
    ),
    inputs=("high", "low", "close"),
    outputs=("atr",),
    pane=Pane.OWN,
    first=lambda period, compat: int(period) - (compat == TRADINGVIEW),
    kernel=_batch,
    twin=Atr,
)
