"""Donchian channel: the highest high and the lowest low, this bar's included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.indicators.definition import Indicator, Pane
from workstation.indicators.extremes import Extremes
from workstation.indicators.parameters import PERIOD_LIMIT, Param
from workstation.indicators.stream import Bar, State, Stream, is_sound, restored

if TYPE_CHECKING:
    from workstation.indicators.definition import Floats


class Donchian(Stream):
    """Stream (upper, middle, lower)."""

    __slots__ = ("_window",)

    def __init__(self, period: int = 20) -> None:
        self.rejected = 0
        self._window = Extremes(period)

    def update(self, bar: Bar) -> tuple[float, float, float] | None:
        """Take one bar and return (upper, middle, lower), or None before."""
        if not is_sound(bar):
            self.rejected += 1
            return None
        extremes = self._window.take(bar.high, bar.low)
        if extremes is None:
            return None
        upper, lower = extremes
        return (upper, (upper + lower) / 2.0, lower)

    def state(self) -> State:
        """Return the state of the window."""
        return self._window.state()

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        self._window = restored(self._window, state)


def _batch(high: Floats, low: Floats, *, period: int) -> tuple[Floats, ...]:
    from workstation.indicators.arrays import windows

    return windows.donchian(high, low, period)


INDICATOR = Indicator(
    name="donchian",
    title="Donchian channel",
    rule="upper = highest high and lower = lowest low of the last period bars, this one"
    " included; middle = their mean",
    params=(Param("period", 20, 1, PERIOD_LIMIT, "bars in the window"),),
    inputs=("high", "low"),
    outputs=("upper", "middle", "lower"),
    pane=Pane.PRICE,
    first=lambda period: int(period) - 1,
    kernel=_batch,
    twin=Donchian,
)
