"""Wilder's directional movement: how much of the range went up, down, and one way.

+DM is the rise of the high where it is greater than the fall of the low, −DM the other
way round; equal ones give neither. Sums of ±DM and of the true range run as
S ← S − S/period + x, seeded with period − 1 bars. ±DI = 100·S±/S_TR, DX =
100·|+DI − −DI|/(+DI + −DI), ADX is Wilder's average of DX. Where nothing moved DX is
not defined: it counts as 0 in the average's seed and leaves the average later.
"""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from workstation.indicators.average import STILL
from workstation.indicators.definition import Drawing, Indicator, Pane
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


class Adx(Stream):
    """Stream (plus_di, minus_di, dx, adx); adx begins period − 1 bars later."""

    # _left counts down the bars missing for the first adx: 2·period of them. While it
    # is above 0, _adx is the sum of dx so far.
    __slots__ = (
        "_adx",
        "_close",
        "_dx",
        "_full_seed",
        "_gain",
        "_high",
        "_left",
        "_low",
        "_minus",
        "_period",
        "_plus",
        "_range",
    )

    def __init__(self, period: int = 14, compat: str = TALIB) -> None:
        self.rejected = 0
        self._full_seed = compat == TRADINGVIEW
        self._period = period
        self._gain = 1.0 / period
        self._left = 2 * period
        self._high = self._low = self._close = 0.0
        self._plus = self._minus = self._range = 0.0
        self._dx = self._adx = 0.0

    def update(self, bar: Bar) -> tuple[float, float, float, float] | None:
        """Take one bar and return all four, adx as NaN while it has no value."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        high, low = bar.high, bar.low
        rise, fall = high - self._high, self._low - low
        reach = span(high, low, self._close)
        self._high, self._low, self._close = high, low, bar.close
        if self._left:
            return self._seed(rise, fall, reach)
        moved = self._add(rise, fall, reach, self._gain)
        if moved > STILL:
            self._dx = dx = 100.0 * (abs(self._plus - self._minus) / moved)
            self._adx += self._gain * (dx - self._adx)
        return self._outputs(self._adx)

    def _add(self, rise: float, fall: float, reach: float, gain: float) -> float:
        """Let the sums decay by ``gain`` and take a bar; return S+ + S−."""
        self._range += reach - gain * self._range
        plus = self._plus - gain * self._plus
        minus = self._minus - gain * self._minus
        if rise > fall:
            if rise > 0.0:
                plus += rise
        elif fall > rise and fall > 0.0:
            minus += fall
        self._plus = plus
        self._minus = minus
        return plus + minus

    def _seed(
        self, rise: float, fall: float, reach: float
    ) -> tuple[float, float, float, float] | None:
        left = self._left = self._left - 1
        bar = 2 * self._period - 1 - left
        if bar == 0:
            return None
        seeding = bar < self._period + self._full_seed
        moved = self._add(rise, fall, reach, 0.0 if seeding else self._gain)
        if bar < self._period:
            return None
        if moved > STILL:
            self._dx = 100.0 * (abs(self._plus - self._minus) / moved)
            self._adx += self._dx
        if left:
            return self._outputs(nan)
        self._adx /= self._period
        return self._outputs(self._adx)

    def _outputs(self, adx: float) -> tuple[float, float, float, float]:
        ranged = self._range
        if ranged > STILL:
            # The quotient first: it is at most 1, so nothing is ever above 100.
            plus, minus = self._plus / ranged, self._minus / ranged
            return (100.0 * plus, 100.0 * minus, self._dx, adx)
        return (0.0, 0.0, self._dx, adx)

    def state(self) -> State:
        """Return (bars missing, last bar, sums, dx, adx or its sum so far)."""
        return (
            self._left,
            self._high,
            self._low,
            self._close,
            self._plus,
            self._minus,
            self._range,
            self._dx,
            self._adx,
        )

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(
            self,
            state,
            lambda s: s[0] in range(2 * self._period + 1) and min(s[4:7]) >= 0.0,
        )
        self._left = int(state[0])
        self._high, self._low, self._close = (float(x) for x in state[1:4])
        self._plus, self._minus, self._range = (float(x) for x in state[4:7])
        self._dx, self._adx = float(state[7]), float(state[8])


def _batch(
    high: Floats, low: Floats, close: Floats, *, period: int, compat: str
) -> tuple[Floats, ...]:
    from workstation.indicators.arrays import ranges

    return ranges.adx(
        high,
        low,
        close,
        period=period,
        still=STILL,
        full_seed=compat == TRADINGVIEW,
    )


INDICATOR = Indicator(
    name="adx",
    title="Directional movement and its average",
    rule="plus_di and minus_di = 100 · Wilder's sum of ±DM over that of the true range;"
    " dx = 100·|plus_di − minus_di|/(plus_di + minus_di), the last one where nothing"
    " moved; adx = Wilder's average of dx. All but adx begin at bar period",
    params=(
        Param("period", 14, 2, PERIOD_LIMIT, "bars of Wilder's sums and average"),
        compat("the sums are seeded with period bars instead of period − 1"),
    ),
    inputs=("high", "low", "close"),
    outputs=("plus_di", "minus_di", "dx", "adx"),
    also=("dmi",),
    pane=Pane.OWN,
    bounds=(0.0, 100.0),
    # dx is what adx smooths: drawn as well it would hide the other three.
    drawings=(Drawing.LINE, Drawing.LINE, Drawing.HIDDEN, Drawing.LINE),
    first=lambda period, compat: 2 * int(period) - 1,
    kernel=_batch,
    twin=Adx,
)
