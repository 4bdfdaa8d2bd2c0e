"""The chart of a frame: bars, indicators, and own trading on them."""

from __future__ import annotations

from msgspec import Struct

from workstation.indicators import Drawing, Pane
from workstation.model.orders import OrderRole
from workstation.model.timeframes import Timeframe

__all__ = ["CandleRow", "ChartFrame", "Marker", "Move", "Plot", "PlotLine"]


CandleRow = tuple[int, float, float, float, float, float]
"""(ts_open, open, high, low, close, volume)."""


class Marker(Struct, frozen=True):
    """A fill on the chart: ``side`` +1 bought, −1 sold; ``role`` is its order's."""

    ts: int
    price: float
    side: int
    role: OrderRole = OrderRole.ENTRY


class Move(Struct, frozen=True):
    """A price of a row that holds from ``ts`` on; None = there is none."""

    ts: int
    price: float | None


class PlotLine(Struct, frozen=True):
    """One output along the closed bars; None where it has no value."""

    name: str
    drawing: Drawing
    values: tuple[float | None, ...]


class Plot(Struct, frozen=True, kw_only=True):
    """An indicator on the chart; ``added`` by the operator, not by a script.

    ``key`` is the request as one writes it: ``ema(20)``. One that is ``scripted`` is no
    indicator but what a script drew under that name.
    """

    key: str
    label: str
    pane: Pane
    bounds: tuple[float, float] | None
    lines: tuple[PlotLine, ...]
    added: bool
    scripted: bool = False


class ChartFrame(Struct, frozen=True, kw_only=True):
    """Closed bars oldest first, the forming one, indicators and own trading.

    ``timeframe`` is shown, ``own`` the row's, ``choices`` what could be shown; None
    where no bars are built. ``number`` counts the closed bars before the first one
    here. ``held`` and ``stops`` are average entry price and stop through time.
    """

    instrument: str
    symbol: str
    decimals: int
    timeframe: Timeframe | None = None
    own: Timeframe | None = None
    choices: tuple[Timeframe, ...] = ()
    number: int = 0
    bars: tuple[CandleRow, ...] = ()
    forming: CandleRow | None = None
    plots: tuple[Plot, ...] = ()
    markers: tuple[Marker, ...] = ()
    held: tuple[Move, ...] = ()
    stops: tuple[Move, ...] = ()
    levels: tuple[tuple[str, float], ...] = ()
