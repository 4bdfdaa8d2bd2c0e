"""What a reader looks at: one row, and how its chart and book are to be drawn."""

from __future__ import annotations

from msgspec import Struct

from workstation.indicators import Request
from workstation.model.timeframes import Timeframe

__all__ = ["Focus"]


class Focus(Struct, frozen=True):
    """What the panels of one symbol show.

    The chart shows bars of ``timeframe`` with the indicators ``plots`` besides those of
    the script; without a timeframe, or where it is not built, the strategy's own bars
    times ``factor``. The book has ``levels`` of each side, each of ``group`` ticks.
    """

    strategy: str
    instrument: str
    timeframe: Timeframe | None = None
    bars: int = 120
    levels: int = 50
    group: int = 1
    factor: int = 1
    plots: tuple[Request, ...] = ()
