"""Moving average convergence and divergence: fast EMA − slow EMA, and its own EMA.

The fast average is seeded late, with the mean of the ``fast`` closes that end where the
slow one is seeded, so both begin together. The signal is seeded with the mean of the
first ``signal`` line values; the three outputs begin with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.definition import (
    PERIOD_LIMIT,
    Indicator,
    Pane,
    Param,
    Values,
)
from workstation.indicators.errors import BadParameter
from workstation.indicators.stream import LinesStream, State, check_state

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Macd(LinesStream):
    """Stream (macd, signal, histogram)."""

    # While _left counts the missing inputs down (slow + signal − 1 in all), the three
    # averages hold the sums of their seeds.
    __slots__ = (
        "_fast",
        "_fast_alpha",
        "_fast_period",
        "_left",
        "_signal",
        "_signal_alpha",
        "_signal_period",
        "_slow",
        "_slow_alpha",
        "_slow_period",
    )

    def __init__(self, fast: int = 12, slow: int = 26, signal: int = 9) -> None:
        self.rejected = 0
        self._fast_period = fast
        self._slow_period = slow
        self._signal_period = signal
        self._fast_alpha = 2.0 / (fast + 1)
        self._slow_alpha = 2.0 / (slow + 1)
        self._signal_alpha = 2.0 / (signal + 1)
        self._left = slow + signal - 1
        self._fast = 0.0
        self._slow = 0.0
        self._signal = 0.0

    def step(self, x: float) -> tuple[float, float, float] | None:
        """Take one close and return (macd, signal, histogram), or None before."""
        if not -1e100 < x < 1e100:
            self.rejected += 1
            return None
        if self._left:
            return self._seed(x)
        fast = self._fast
        slow = self._slow
        signal = self._signal
        self._fast = fast = fast + self._fast_alpha * (x - fast)
        self._slow = slow = slow + self._slow_alpha * (x - slow)
        line = fast - slow
        self._signal = signal = signal + self._signal_alpha * (line - signal)
        return (line, signal, line - signal)

    def _seed(self, x: float) -> tuple[float, float, float] | None:
        left = self._left = self._left - 1
        averages_left = left - (self._signal_period - 1)
        if averages_left >= 0:
            self._slow += x
            if averages_left < self._fast_period:
                self._fast += x
            if averages_left > 0:
                return None
            self._slow /= self._slow_period
            self._fast /= self._fast_period
        else:
            self._fast += self._fast_alpha * (x - self._fast)
            self._slow += self._slow_alpha * (x - self._slow)
        line = self._fast - self._slow
        self._signal += line
        if left:
            return None
        self._signal /= self._signal_period
        return (line, self._signal, line - self._signal)

    def state(self) -> State:
        """Return (inputs missing, fast average, slow average, signal)."""
        return (self._left, self._fast, self._slow, self._signal)

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        inputs = self._slow_period + self._signal_period - 1
        check_state(self, state, lambda s: s[0] in range(inputs + 1))
        self._left, self._fast = int(state[0]), float(state[1])
        self._slow, self._signal = float(state[2]), float(state[3])


def _check(values: Values) -> None:
    if values["fast"] >= values["slow"]:
        raise BadParameter(
            "macd", "fast", values["fast"], f"less than slow ({values['slow']})"
        )


def _batch(close: Floats, *, fast: int, slow: int, signal: int) -> tuple[Floats, ...]:
    from workstation.indicators import arrays

    return arrays.macd(close, fast, slow, signal)


INDICATOR = Indicator(
    name="macd",
    title="Moving average convergence/divergence",
    rule="macd = EMA(fast) − EMA(slow), both seeded at bar slow − 1; signal = EMA of"
    " it; histogram = macd − signal",
    params=(
        Param("fast", 12, 2, PERIOD_LIMIT - 1, "period of the fast average"),
        Param("slow", 26, 3, PERIOD_LIMIT, "period of the slow average"),
        Param("signal", 9, 1, PERIOD_LIMIT, "period of the signal's average"),
    ),
    outputs=("macd", "signal", "histogram"),
    pane=Pane.OWN,
    first=lambda fast, slow, signal: int(slow + signal) - 2,
    kernel=_batch,
    twin=Macd,
    constraint="fast < slow",
    check=_check,
)
