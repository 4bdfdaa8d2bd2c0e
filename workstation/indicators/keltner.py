"""Keltner channel: an average of the typical price ± a multiple of the true range's.

Each average is seeded so late that both have their first value at the same bar. In
TradingView the middle is the average of closes, and both begin with bar 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.atr import Atr
from workstation.indicators.average import Average, ema_gain
from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import (
    PERIOD_LIMIT,
    TALIB,
    TRADINGVIEW,
    Param,
    compat,
)
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


class Keltner(Stream):
    """Stream (upper, middle, lower)."""

    # Bars neither average takes before it is its turn: one of both numbers is 0.
    __slots__ = (
        "_middle",
        "_middle_waits",
        "_multiplier",
        "_of_closes",
        "_range",
        "_range_waits",
    )

    def __init__(
        self,
        period: int = 20,
        atr_period: int = 10,
        multiplier: float = 2.0,
        compat: str = TALIB,
    ) -> None:
        self.rejected = 0
        self._multiplier = float(multiplier)
        self._of_closes = compat == TRADINGVIEW
        self._middle = Average(period, ema_gain(period))
        self._range = Atr(atr_period, compat)
        late = 0 if self._of_closes else period - 1 - atr_period
        self._middle_waits = max(-late, 0)
        self._range_waits = max(late, 0)

    def update(self, bar: Bar) -> tuple[float, float, float] | None:
        """Take one bar and return (upper, middle, lower), or None before."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        high, low, close = bar.high, bar.low, bar.close
        middle = width = None
        if self._middle_waits:
            self._middle_waits -= 1
        else:
            middle = self._middle.step(
                close if self._of_closes else (high + low + close) / 3.0
            )
        if self._range_waits:
            self._range_waits -= 1
        else:
            width = self._range.take(high, low, close)
        if middle is None or width is None:
            return None
        width *= self._multiplier
        return (middle + width, middle, middle - width)

    def state(self) -> State:
        """Return (bars each average waits, states of both averages)."""
        return (
            self._middle_waits,
            self._range_waits,
            *self._middle.state(),
            *self._range.state(),
        )

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(
            self,
            state,
            lambda s: s[0] in range(PERIOD_LIMIT) and s[1] in range(PERIOD_LIMIT),
        )
        at = 2 + len(self._middle.state())
        middle = restored(self._middle, state[2:at])
        self._range = restored(self._range, state[at:])
        self._middle = middle
        self._middle_waits, self._range_waits = int(state[0]), int(state[1])


def _batch(
    high: Floats,
    low: Floats,
    close: Floats,
    *,
    period: int,
    atr_period: int,
    multiplier: float,
    compat: str,
) -> tuple[Floats, ...]:
    from workstation.indicators.arrays import ranges

    if compat == TRADINGVIEW:
        kernel = ranges.keltner_of_closes
    else:
        kernel = ranges.keltner
    return kernel(
        high,
        low,
        close,
        period=period,
        atr_period=atr_period,
        multiplier=multiplier,
    )


def _first(period: int, atr_period: int, multiplier: float, compat: str) -> int:
    return max(period - 1, atr_period - (compat == TRADINGVIEW))


INDICATOR = Indicator(
    name="keltner",
    title="Keltner channel",
    rule="middle = EMA(period) of (high + low + close)/3; upper and lower = middle ±"
    " multiplier · ATR(atr_period), both averages seeded to begin at the same bar",
    params=(
        Param("period", 20, 2, PERIOD_LIMIT, "bars of the middle's average"),
        Param("atr_period", 10, 1, PERIOD_LIMIT, "bars of the average true range"),
        Param("multiplier", 2.0, 0.01, 100.0, "half width, in average true ranges"),
        compat("middle = EMA of the close, both averages seeded from bar 0 on"),
    ),
    inputs=("high", "low", "close"),
    outputs=("upper", "middle", "lower"),
    pane=Pane.PRICE,
    first=_first,
    kernel=_batch,
    twin=Keltner,
)
