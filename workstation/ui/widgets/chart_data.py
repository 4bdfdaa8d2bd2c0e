"""What a chart is made of: candles, plots, trails, markers, levels. Knows no engine.

The caller makes them; everything is indexed by the candles, the oldest first. Where a
sequence of values ends before the candles do, the rest has no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["Candle", "ChartData", "Level", "Marker", "Plot", "PlotLine", "Style"]

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar: the start of its interval in ns UTC, its four prices, its volume."""

    ts_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0


class Style(Enum):
    """How one line of a plot is drawn."""

    LINE = "line"
    HISTOGRAM = "histogram"
    DOTS = "dots"


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One output of an indicator: a value, None or NaN per candle."""

    name: str
    values: Values
    style: Style = Style.LINE


@dataclass(frozen=True, slots=True)
class Plot:
    """An indicator: over the candles, or with ``pane`` in a pane of its own.

    ``bounds`` are the values it stays between; its pane always shows all of them.
    """

    label: str
    lines: tuple[PlotLine, ...]
    pane: bool = False
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """A fill at the bar of index ``bar`` and a price; ``letter`` says what it was for.

    ``opens`` tells an entry from what ends a position.
    """

    bar: int
    price: float
    up: bool
    letter: str = ""
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Level:
    """A price named on the scale."""

    name: str
    price: float
    ink: str = "strong"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartData:
    """All that a chart shows.

    ``subject`` is what it is of: with another one the scale is chosen anew. ``bar_ns``
    is how long a bar lasts, 0 where trading ends bars; ``number`` then counts those
    before the first. ``held`` and ``stops`` are entry price and stop at each bar.
    ``levels`` come in order of importance; ``decimals`` are the instrument's.
    """

    candles: Sequence[Candle] = ()
    plots: Sequence[Plot] = ()
    markers: Sequence[Marker] = ()
    levels: Sequence[Level] = ()
    held: Values = ()
    stops: Values = ()
    decimals: int = 2
    subject: str = ""
    bar_ns: int = 60_000_000_000
    number: int = 0
