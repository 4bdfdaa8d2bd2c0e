"""One frame: what one reader asked for, at one ``seq``."""

from __future__ import annotations

from msgspec import Struct

from workstation.engine.frames.book import BookFrame, TapeFrame
from workstation.engine.frames.chart import ChartFrame
from workstation.engine.frames.feeds import FeedRow, GapRow
from workstation.engine.frames.figures import (
    FigureTable,
    IndicatorRow,
    OpportunityTable,
)
from workstation.engine.frames.header import Alert, Header
from workstation.engine.frames.ledger import (
    EquityFrame,
    FillTable,
    SumTable,
    TradeTable,
)
from workstation.engine.frames.machine import MachineFrame
from workstation.engine.frames.risk import RiskTable
from workstation.engine.frames.rows import OrderRow, PositionRow, SymbolRow
from workstation.engine.frames.strategies import (
    BlockTable,
    ParamTable,
    ScriptLog,
    StrategyRow,
)
from workstation.engine.store import Numbered
from workstation.kernel import ChannelStats, TaskStats
from workstation.model.reconciliation import ReconciliationView

__all__ = ["Frame"]


class Frame(Struct, frozen=True, kw_only=True):
    """What one reader asked for; panels it did not name are None.

    Besides these fields one may ask for ``feed_books``: feeds with all their books.
    """

    seq: int
    ts: int
    cursor: int
    missed: int
    header: Header
    alerts: tuple[Alert, ...]
    records: tuple[Numbered, ...]
    injected: frozenset[int]
    symbols: tuple[SymbolRow, ...] | None = None
    orders: tuple[OrderRow, ...] | None = None
    positions: tuple[PositionRow, ...] | None = None
    risk: RiskTable | None = None
    fills: FillTable | None = None
    trades: TradeTable | None = None
    equity: EquityFrame | None = None
    sums: SumTable | None = None
    reconciliation: ReconciliationView | None = None
    feeds: tuple[FeedRow, ...] | None = None
    gaps: tuple[GapRow, ...] | None = None
    tasks: tuple[TaskStats, ...] | None = None
    channels: tuple[ChannelStats, ...] | None = None
    indicators: tuple[IndicatorRow, ...] | None = None
    figures: FigureTable | None = None
    opportunities: OpportunityTable | None = None
    chart: ChartFrame | None = None
    book: BookFrame | None = None
    tape: TapeFrame | None = None
    machine: MachineFrame | None = None
    strategies: tuple[StrategyRow, ...] | None = None
    params: ParamTable | None = None
    script_log: ScriptLog | None = None
    blocks: BlockTable | None = None
