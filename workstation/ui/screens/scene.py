"""What a dialog knows of the run: the newest part of each kind from the frames.

Pure. A dialog keeps two: the scene its sentence was written from, and the latest one
its live line shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec
from msgspec import Struct

from workstation.engine.frames import (
    Alert,
    FeedRow,
    FigureTable,
    Frame,
    GapRow,
    Header,
    MachineFrame,
    OrderRow,
    ParamTable,
    PositionRow,
    RiskTable,
    ScriptLog,
    StrategyRow,
    SymbolRow,
)
from workstation.engine.override_plan import Holdings, holdings_of
from workstation.kernel import TaskStats
from workstation.model.owners import DUST, OPERATOR
from workstation.model.reconciliation import ReconciliationView
from workstation.model.states import SymbolState

__all__ = ["Scene"]

_PARTS = (
    *("symbols", "orders", "positions", "feeds", "gaps", "figures", "tasks"),
    *("machine", "strategies", "params", "script_log", "risk", "reconciliation"),
)


class Scene(Struct, frozen=True, kw_only=True):
    """One picture at one ``seq``; None = no frame has brought it yet."""

    seq: int
    ts: int
    header: Header
    alerts: tuple[Alert, ...] = ()
    symbols: tuple[SymbolRow, ...] | None = None
    orders: tuple[OrderRow, ...] | None = None
    positions: tuple[PositionRow, ...] | None = None
    feeds: tuple[FeedRow, ...] | None = None
    gaps: tuple[GapRow, ...] | None = None
    figures: FigureTable | None = None
    tasks: tuple[TaskStats, ...] | None = None
    machine: MachineFrame | None = None
    strategies: tuple[StrategyRow, ...] | None = None
    params: ParamTable | None = None
    script_log: ScriptLog | None = None
    risk: RiskTable | None = None
    reconciliation: ReconciliationView | None = None

    @classmethod
    def of(cls, frame: Frame) -> Scene:
        """Return the scene of one frame."""
        return cls(
            seq=frame.seq,
            ts=frame.ts,
            header=frame.header,
            alerts=frame.alerts,
            **{name: getattr(frame, name) for name in _PARTS},
        )

    def then(self, frame: Frame) -> Scene:
        """Return the scene after ``frame``; what it does not bring stays."""
        new = Scene.of(frame)
        kept = {
            name: getattr(self, name) for name in _PARTS if getattr(new, name) is None
        }
        return msgspec.structs.replace(new, **kept)

    def lacks(self, panels: Iterable[str]) -> bool:
        """Tell whether one of these parts has not come yet."""
        return any(getattr(self, name, None) is None for name in panels)

    def row(self, strategy: str, instrument: str) -> SymbolRow | None:
        """Return a strategy's row of an instrument."""
        for row in self.symbols or ():
            if row.strategy == strategy and row.instrument == instrument:
                return row
        return None

    def market(self, instrument: str) -> SymbolRow | None:
        """Return any row of an instrument, for its prices and decimals."""
        for row in self.symbols or ():
            if row.instrument == instrument:
                return row
        return None

    def working(
        self, owner: str | None = None, instrument: str | None = None
    ) -> tuple[OrderRow, ...]:
        """Return the orders that are not final, of one owner or instrument if given."""
        return tuple(
            row
            for row in self.orders or ()
            if not row.order.is_terminal
            and owner in (None, row.order.owner)
            and instrument in (None, row.order.instrument)
        )

    def entries(
        self, owner: str | None = None, instrument: str | None = None
    ) -> tuple[OrderRow, ...]:
        """Return the working orders that open or enlarge a position."""
        return tuple(
            row for row in self.working(owner, instrument) if row.order.may_open
        )

    def protection(
        self, owner: str | None = None, instrument: str | None = None
    ) -> tuple[OrderRow, ...]:
        """Return the stops and targets."""
        return tuple(
            row for row in self.working(owner, instrument) if row.order.is_protection
        )

    def held(
        self, owner: str | None = None, instrument: str | None = None
    ) -> tuple[PositionRow, ...]:
        """Return the positions that are not flat, and that an order can close."""
        return tuple(
            row
            for row in self.positions or ()
            if not (row.position.is_flat or row.position.owner == DUST)
            and owner in (None, row.position.owner)
            and instrument in (None, row.position.instrument)
        )

    def closable(self, owner: str | None, instrument: str) -> tuple[PositionRow, ...]:
        """Return the positions that a flatten closes: dust, too, once that can be."""
        return tuple(
            row
            for row in self.positions or ()
            if row.closable
            and owner in (None, row.position.owner)
            and row.position.instrument == instrument
        )

    def holdings(self, row: SymbolRow) -> Holdings:
        """Return what a plan of an override of this row is made from."""
        held = self.held(OPERATOR, row.instrument)
        own = self.held(row.strategy, row.instrument)
        return holdings_of(
            row.strategy,
            row.instrument,
            row.state or SymbolState.WATCH,
            locked=row.manual,
            position=own[0].position.quantity if own else Decimal(0),
            operators=held[0].position.quantity if held else Decimal(0),
            orders=[each.order for each in self.orders or ()],
            waiting=row.waiting,
        )

    def order(self, id: str) -> OrderRow | None:
        """Return an order by its client order id."""
        return next((row for row in self.orders or () if row.order.id == id), None)
