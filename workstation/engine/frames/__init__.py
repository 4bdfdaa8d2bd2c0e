"""Frames: what the screen (or a remote one) is shown, immutable, pulled at its pace.

``FrameSource.frame`` makes one from the engine between inputs. Money and quantities
are Decimal, market figures float, ages ns; None means not known and is drawn as such.
"""

from __future__ import annotations

from workstation.engine.frames.book import (
    BookFrame,
    OwnFill,
    OwnLevel,
    TapeFrame,
    TradeRow,
)
from workstation.engine.frames.chart import (
    CandleRow,
    ChartFrame,
    Marker,
    Move,
    Plot,
    PlotLine,
)
from workstation.engine.frames.feeds import (
    BookCount,
    FeedRow,
    GapRow,
)
from workstation.engine.frames.figures import (
    FigureHead,
    FigureRow,
    FigureTable,
    IndicatorRow,
    OpportunityRow,
    OpportunityTable,
)
from workstation.engine.frames.focus import Focus
from workstation.engine.frames.frame import Frame
from workstation.engine.frames.header import (
    Alert,
    Header,
)
from workstation.engine.frames.machine import MachineFrame
from workstation.engine.frames.rows import (
    OrderRow,
    PositionRow,
    SymbolRow,
)

__all__ = [
    "Alert",
    "BookCount",
    "BookFrame",
    "CandleRow",
    "ChartFrame",
    "FeedRow",
    "FigureHead",
    "FigureRow",
    "FigureTable",
    "Focus",
    "Frame",
    "GapRow",
    "Header",
    "IndicatorRow",
    "MachineFrame",
    "Marker",
    "Move",
    "OpportunityRow",
    "OpportunityTable",
    "OrderRow",
    "OwnFill",
    "OwnLevel",
    "Plot",
    "PlotLine",
    "PositionRow",
    "SymbolRow",
    "TapeFrame",
    "TradeRow",
]
