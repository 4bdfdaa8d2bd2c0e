"""On-balance volume after Granville: volume of rises less volume of falls.

The total is kept with the rounding it lost, so that millions of fractional volumes
leave nothing behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.parameters import TALIB, TRADINGVIEW, compat
from workstation.indicators.stream import Bar, State, Stream, check_state, is_sound

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Obv(Stream):
    """Stream on-balance volume."""

    __slots__ = ("_from_zero", "_lost", "_previous", "_started", "_total")

    def __init__(self, compat: str = TALIB) -> None:
        self.rejected = 0
        self._from_zero = compat == TRADINGVIEW
        self._started = False
        self._previous = 0.0
        self._total = 0.0
        self._lost = 0.0

    def update(self, bar: Bar) -> tuple[float] | None:
        """Take one bar and return the total."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        close = bar.close
        previous = self._previous
        self._previous = close
        if not self._started:
            self._started = True
            if not self._from_zero:
                self._total = float(bar.volume)
        elif close != previous:
            volume = bar.volume if close > previous else -bar.volume
            before = self._total
            self._total = total = before + volume
            added = total - before
            self._lost += (before - (total - added)) + (volume - added)
        return (self._total + self._lost,)

    def state(self) -> State:
        """Return (started, last close, total, rounding it lost)."""
        return (int(self._started), self._previous, self._total, self._lost)

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        check_state(self, state, lambda s: s[0] in (0, 1))
        self._started, self._previous = bool(state[0]), float(state[1])
        self._total, self._lost = float(state[2]), float(state[3])


def _batch(close: Floats, volume: Floats, *, compat: str) -> tuple[Floats]:
    from workstation.indicators.arrays import totals

    return (totals.obv(close, volume, compat == TALIB),)


INDICATOR = Indicator(
    name="obv",
    title="On-balance volume",
    rule="the first volume, then plus the volume of bars that close higher and minus"
    " that of bars that close lower",
    params=(compat("starts at 0 instead of the first volume"),),
    inputs=("close", "volume"),
    outputs=("obv",),
    pane=Pane.OWN,
    first=lambda compat: 0,
    kernel=_batch,
    twin=Obv,
)
