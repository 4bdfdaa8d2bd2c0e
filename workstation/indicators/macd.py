"""Moving average convergence and divergence: fast EMA − slow EMA, and its own EMA.

The fast average is seeded late, with the mean of the ``fast`` closes that end where the
slow one is seeded, so both begin together. The signal is seeded with the mean of the
first ``signal`` line values; the three outputs begin with it. TradingView seeds both
averages from the first close on and shows the line before there is a signal.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from workstation.indicators.average import ema_gain
from workstation.indicators.definition import Drawing, Indicator, Pane
from workstation.indicators.errors import BadParameter
from workstation.indicators.parameters import (
    PERIOD_LIMIT,
    TALIB,
    TRADINGVIEW,
    Param,
    Values,
    compat,
)
from workstation.indicators.stream import LinesStream, State, check_state

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Macd(LinesStream):
    """Stream (macd, signal, histogram)."""

    # While _left counts the missing inputs down (slow + signal − 1 in all), the three
    # averages hold the sums of their seeds.
    __slots__ = (
        "_early",
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

    def __init__(
        self, fast: int = 12, slow: int = 26, signal: int = 9, compat: str = TALIB
    ) -> None:
        self.rejected = 0
        self._early = compat == TRADINGVIEW
        self._fast_period = fast
        self._slow_period = slow
        self._signal_period = signal
        self._fast_alpha = ema_gain(fast)
        self._slow_alpha = ema_gain(slow)
        self._signal_alpha = ema_gain(signal)
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
            self._seed_fast(x, averages_left)
            if averages_left > 0:
                return None
            self._slow /= self._slow_period
        else:
            self._fast += self._fast_alpha * (x - self._fast)
            self._slow += self._slow_alpha * (x - self._slow)
        line = self._fast - self._slow
        self._signal += line
        if left:
            return (line, nan, nan) if self._early else None
        self._signal /= self._signal_period
        return (line, self._signal, line - self._signal)

    def _seed_fast(self, x: float, slow_left: int) -> None:
        """Take a close while ``slow_left`` more are missing for the slow average."""
        missing = slow_left
        if self._early:
            missing -= self._slow_period - self._fast_period
        if missing < 0:
            self._fast += self._fast_alpha * (x - self._fast)
        elif missing < self._fast_period:
            self._fast += x
            if not missing:
                self._fast /= self._fast_period

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
    if int(values["fast"]) >= int(values["slow"]):
        raise BadParameter(
            "macd", "fast", values["fast"], f"less than slow ({values['slow']})"
        )


def _batch(
    close: Floats, *, fast: int, slow: int, signal: int, compat: str
) -> tuple[Floats, ...]:
    from workstation.indicators.arrays import averages

    if compat == TRADINGVIEW:
        return averages.macd_of_early_seeds(close, fast, slow, signal)
    return averages.macd(close, fast, slow, signal)


INDICATOR = Indicator(
    name="macd",
    title="Moving average convergence/divergence",
    rule="macd = EMA(fast) − EMA(slow), both seeded at bar slow − 1; signal = EMA of"
    " it; histogram = macd − signal",
    params=(
        Param("fast", 12, 2, PERIOD_LIMIT - 1, "period of the fast average"),
        Param("slow", 26, 3, PERIOD_LIMIT, "period of the slow average"),
        Param("signal", 9, 1, PERIOD_LIMIT, "period of the signal's average"),
        compat(
            "both averages seeded from bar 0; the line is there from bar slow − 1,"
            " the other outputs from bar slow + signal − 2"
        ),
    ),
    outputs=("macd", "signal", "histogram"),
    pane=Pane.OWN,
    drawings=(Drawing.LINE, Drawing.LINE, Drawing.HISTOGRAM),
    first=lambda fast, slow, signal, compat: int(slow + signal) - 2,
    kernel=_batch,
    twin=Macd,
    constraint="fast < slow",
    check=_check,
)
