"""Stochastic oscillator after Lane: where the close lies in the range of a window.

Raw %K = 100·(C − LL)/(HH − LL); %K and %D are means of it and of %K. A window without
range counts as 0; TradingView has no value for it, and its means leave it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.extremes import Extremes
from workstation.indicators.parameters import (
    PERIOD_LIMIT,
    TALIB,
    TRADINGVIEW,
    Param,
    compat,
)
from workstation.indicators.sma import Sma
from workstation.indicators.stream import (
    Bar,
    State,
    Stream,
    check_state,
    is_sound,
    restored,
)

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Stochastic(Stream):
    """Stream (k, d)."""

    __slots__ = ("_d", "_k", "_skip_flat", "_window")

    def __init__(
        self,
        period: int = 14,
        smooth_k: int = 3,
        smooth_d: int = 3,
        compat: str = TALIB,
    ) -> None:
        self.rejected = 0
        self._skip_flat = compat == TRADINGVIEW
        self._window = Extremes(period)
        self._k = Sma(smooth_k)
        self._d = Sma(smooth_d)

    def update(self, bar: Bar) -> tuple[float, float] | None:
        """Take one bar and return (k, d), or None while there is no d."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        extremes = self._window.take(bar.high, bar.low)
        if extremes is None:
            return None
        highest, lowest = extremes
        span = highest - lowest
        if span > 0.0:
            raw = 100.0 * ((bar.close - lowest) / span)
        elif self._skip_flat:
            return None
        else:
            raw = 0.0
        k = self._k.step(raw)
        if k is None:
            return None
        d = self._d.step(k)
        return None if d is None else (k, d)

    def state(self) -> State:
        """Return the states of the window and both means."""
        return (*self._window.state(), *self._k.state(), *self._d.state())

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(self, state)
        k_at = len(self._window.state())
        d_at = k_at + len(self._k.state())
        window = restored(self._window, state[:k_at])
        k, d = restored(self._k, state[k_at:d_at]), restored(self._d, state[d_at:])
        self._window, self._k, self._d = window, k, d


def _batch(
    high: Floats,
    low: Floats,
    close: Floats,
    *,
    period: int,
    smooth_k: int,
    smooth_d: int,
    compat: str,
) -> tuple[Floats, ...]:
    from workstation.indicators.arrays import windows

    return windows.stochastic(
        high,
        low,
        close,
        period=period,
        smooth_k=smooth_k,
        smooth_d=smooth_d,
        skip_flat=compat == TRADINGVIEW,
    )


INDICATOR = Indicator(
    name="stochastic",
    title="Stochastic oscillator",
    rule="raw %K = 100·(close − lowest low)/(highest high − lowest low) of the last"
    " period bars, 0 where they have no range; k = SMA(smooth_k) of it; d ="
    " SMA(smooth_d) of k",
    params=(
        Param("period", 14, 1, PERIOD_LIMIT, "bars in the window"),
        Param("smooth_k", 3, 1, PERIOD_LIMIT, "raw values in the mean that is k"),
        Param("smooth_d", 3, 1, PERIOD_LIMIT, "values of k in the mean that is d"),
        compat(
            "no value where a window has no range; its usual smooth_k is 1 (give it)"
        ),
    ),
    inputs=("high", "low", "close"),
    outputs=("k", "d"),
    pane=Pane.OWN,
    bounds=(0.0, 100.0),
    first=lambda period, smooth_k, smooth_d, compat: period + smooth_k + smooth_d - 3,
    kernel=_batch,
    twin=Stochastic,
)
