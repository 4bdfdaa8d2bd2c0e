"""The recursive average that EMA and Wilder's averages are: y ← y + a(x − y).

Seeded with the mean of its first values; there is none before. Used by the indicators
that are such averages or contain one.
"""

from __future__ import annotations

from workstation.indicators.stream import LineStream, State, check_state

STILL = 1e-290
"""Averages of movements up to this count as no movement (price units).

Thousands of flat bars shrink them; below ~1e-300 they lose digits to the subnormal
range and a quotient of two of them would be noise.
"""


def ema_gain(period: int) -> float:
    """Return the weight of the newest value in an exponential average."""
    return 2.0 / (period + 1)


class Average(LineStream):
    """Stream the average of the values taken so far."""

    # While _left counts the missing seed values down, _value is their sum so far.
    __slots__ = ("_gain", "_left", "_seeds", "_value")

    def __init__(self, seeds: int, gain: float) -> None:
        self.rejected = 0
        self._seeds = seeds
        self._gain = gain
        self._left = seeds
        self._value = 0.0

    def step(self, x: float) -> float | None:
        """Take one value and return the average, or None before the seed."""
        if not -1e100 < x < 1e100:
            self.rejected += 1
            return None
        value = self._value
        if not self._left:
            self._value = value = value + self._gain * (x - value)
            return value
        self._value = value + x
        self._left -= 1
        if self._left:
            return None
        self._value /= self._seeds
        return self._value

    def state(self) -> State:
        """Return (seed values missing, average or their sum)."""
        return (self._left, self._value)

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(self, state, lambda s: s[0] in range(self._seeds + 1))
        self._left, self._value = int(state[0]), float(state[1])
