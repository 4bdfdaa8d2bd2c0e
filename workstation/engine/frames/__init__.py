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
from workstation.engine.frames.ledger import (
    EquityFrame,
    FillRow,
    FillTable,
    SumRow,
    SumTable,
    TradeTable,
    TripRow,
)
from workstation.engine.frames.machine import MachineFrame, Way
from workstation.engine.frames.risk import DenialRow, RiskTable
from workstation.engine.frames.rows import (
    OrderRow,
    PositionRow,
    SymbolRow,
)
from workstation.engine.frames.strategies import (
    BlockRow,
    BlockTable,
    ParamRow,
    ParamTable,
    ScriptLine,
    ScriptLog,
    StrategyRow,
)

__all__ = [
    "Alert",
    "BlockRow",
    "BlockTable",
    "BookCount",
    "BookFrame",
    "CandleRow",
    "ChartFrame",
    "DenialRow",
    "EquityFrame",
    "FeedRow",
    "FigureHead",
    "FigureRow",
    "FigureTable",
    "FillRow",
    "FillTable",
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
    "ParamRow",
    "ParamTable",
    "Plot",
    "PlotLine",
    "PositionRow",
    "RiskTable",
    "ScriptLine",
    "ScriptLog",
    "StrategyRow",
    "SumRow",
    "SumTable",
    "SymbolRow",
    "TapeFrame",
    "TradeRow",
    "TradeTable",
    "TripRow",
    "Way",
]
