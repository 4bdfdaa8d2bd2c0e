"""Supertrend after Seban: a stop line that follows price and changes sides.

Bands lie at the middle of the bar ± multiplier · ATR. The upper one only falls and the
lower one only rises, until a close passes it. While the direction is up the line is the
lower band, and a close below turns it down; the other way round above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.atr import Atr
from workstation.indicators.definition import Drawing, Indicator, Pane
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


class Supertrend(Stream):
    """Stream (supertrend, direction)."""

    __slots__ = (
        "_by_band",
        "_ceiling",
        "_close",
        "_floor",
        "_multiplier",
        "_range",
        "_started",
        "_up",
    )

    def __init__(
        self, period: int = 10, multiplier: float = 3.0, compat: str = TALIB
    ) -> None:
        self.rejected = 0
        self._by_band = compat == TRADINGVIEW
        self._multiplier = float(multiplier)
        self._range = Atr(period, compat)
        self._started = False
        self._up = not self._by_band
        self._ceiling = self._floor = self._close = 0.0

    def update(self, bar: Bar) -> tuple[float, float] | None:
        """Take one bar and return (supertrend, direction), or None before."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        high, low, close = bar.high, bar.low, bar.close
        width = self._range.take(high, low, close)
        if width is None:
            return None
        width *= self._multiplier
        middle = (high + low) / 2.0
        if self._started:
            self._follow(middle + width, middle - width, close)
        else:
            self._ceiling, self._floor = middle + width, middle - width
            self._started = True
        self._close = close
        if self._by_band:
            return (self._floor, -1.0) if self._up else (self._ceiling, 1.0)
        return (self._floor, 1.0) if self._up else (self._ceiling, -1.0)

    def _follow(self, high: float, low: float, close: float) -> None:
        """Move the bands where they may to those of this bar, then look at sides."""
        ceiling, floor = self._ceiling, self._floor
        # A line that is equal to both bands is taken for the upper one.
        up = self._up and not (self._by_band and floor == ceiling)
        if high < ceiling or self._close > ceiling:
            self._ceiling = ceiling = high
        if low > floor or self._close < floor:
            self._floor = floor = low
        self._up = close >= floor if up else close > ceiling

    def state(self) -> State:
        """Return (started, up, upper band, lower band, last close, average range)."""
        return (
            int(self._started),
            int(self._up),
            self._ceiling,
            self._floor,
            self._close,
            *self._range.state(),
        )

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(self, state, lambda s: s[0] in (0, 1) and s[1] in (0, 1))
        self._range = restored(self._range, state[5:])
        self._started, self._up = bool(state[0]), bool(state[1])
        self._ceiling, self._floor, self._close = (float(x) for x in state[2:5])


def _batch(
    high: Floats,
    low: Floats,
    close: Floats,
    *,
    period: int,
    multiplier: float,
    compat: str,
) -> tuple[Floats, ...]:
    from workstation.indicators.arrays import supertrend

    line, direction = supertrend.supertrend(
        high,
        low,
        close,
        period=period,
        multiplier=multiplier,
        by_band=compat == TRADINGVIEW,
    )
    return line, -direction if compat == TRADINGVIEW else direction


INDICATOR = Indicator(
    name="supertrend",
    title="Supertrend",
    rule="bands at (high + low)/2 ± multiplier · ATR(period), the upper one only"
    " falling and the lower one only rising until a close passes it; direction +1 (up)"
    " until a close below the lower band, then −1 until one above the upper;"
    " supertrend = lower band when up, else upper",
    params=(
        Param("period", 10, 1, PERIOD_LIMIT, "bars of the average true range"),
        Param("multiplier", 3.0, 0.01, 100.0, "distance, in average true ranges"),
        compat(
            "direction −1 is up and +1 down, down at first; ATR as TradingView has it,"
            " so one bar earlier"
        ),
    ),
    inputs=("high", "low", "close"),
    outputs=("supertrend", "direction"),
    pane=Pane.PRICE,
    # A line would join both sides where it changes them.
    drawings=(Drawing.DOTS, Drawing.HIDDEN),
    first=lambda period, multiplier, compat: int(period) - (compat == TRADINGVIEW),
    kernel=_batch,
    twin=Supertrend,
)
