"""The operator's hand on the rows of a strategy: override, lock, hand back.

Called by the strategy for a command between inputs. It moves rows by the table and
never touches an order: what orders do is done before.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.model.commands import Override
from workstation.model.errors import CommandRefused
from workstation.model.orders import OrderRole
from workstation.model.ports import Core, OrdersView, PositionView
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.strategy.machine import TABLE, Trigger
from workstation.strategy.row import Row
from workstation.strategy.settings import StrategySettings

__all__ = ["OperatorHand"]


class OperatorHand:
    """Moves and locks rows on the operator's word."""

    def __init__(
        self,
        settings: StrategySettings,
        rows: Mapping[str, Row],
        positions: PositionView,
        orders: OrdersView,
    ) -> None:
        self._settings = settings
        self._rows = rows
        self._positions = positions
        self._orders = orders
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def check_override(self, command: Override) -> Row:
        """Return the row; raises CommandRefused when table or clock forbid it."""
        row = self._row(command.instrument)
        self._check_lock(command, row)
        if row.state is command.state:
            return row
        if (row.state, _OVERRIDES[command.state]) not in TABLE:
            legal = [
                s.value for s in SymbolState if (row.state, _OVERRIDES[s]) in TABLE
            ]
            raise CommandRefused(
                f"{row.strategy} {row.instrument.id} is in {row.state} and cannot "
                f"go to {command.state}; it can go to: {', '.join(legal)}"
            )
        return row

    def override(self, command: Override) -> None:
        """Set the state, and the lock if asked; what orders do is done before."""
        row = self.check_override(command)
        reason = f"override: {command.reason}"
        until_ns = command.expires_ns
        if command.lock != row.locked or until_ns != row.lock_until_ns:
            row.lock.set(self._core, command.lock, until_ns, command.reason)
        if row.state is command.state:
            return
        held = not self._positions.position(row.strategy, command.instrument).is_flat
        if row.state is SymbolState.IN_TRADE and (
            held or row.has_working(self._orders, OrderRole.ENTRY)
        ):
            # Leaves by its fills: the machine says InTrade while a position is held.
            row.override_reason = reason
            return
        row.move(self._core, _OVERRIDES[command.state], reason)
        if row.state is SymbolState.CLOSE_WATCH:
            # What the script reads there, and how long it has, as of its own making.
            row.context["opportunity"] = {"signal": "override", "reason": reason}
            row.answer = reason
            row.bars_left = self._settings.close_watch_bars

    def hand_back(self, instrument: str, reason: str) -> None:
        """End a row's manual lock."""
        row = self._row(instrument)
        if not row.locked:
            raise CommandRefused(f"{row.strategy} {row.instrument.id} is not locked")
        row.lock.set(self._core, False, None, reason)

    def _check_lock(self, command: Override, row: Row) -> None:
        until_ns = command.expires_ns
        if until_ns is None:
            return
        what = f"{row.strategy} {row.instrument.id}"
        if not command.lock:
            raise CommandRefused(
                f"{what}: an end is for a lock; lock the row, or name no end"
            )
        if until_ns <= self._core.ts:
            late_s = (self._core.ts - until_ns) / NS_PER_S
            raise CommandRefused(
                f"{what}: the lock would have ended {late_s:.1f} s ago; name a later "
                "time, or none"
            )

    def _row(self, instrument: str) -> Row:
        row = self._rows.get(instrument)
        if row is None:
            raise CommandRefused(
                f"{self._settings.name} has no row {instrument}; it has: "
                f"{', '.join(self._rows)}"
            )
        return row


_OVERRIDES = {
    SymbolState.WATCH: Trigger.OVERRIDE_WATCH,
    SymbolState.CLOSE_WATCH: Trigger.OVERRIDE_CLOSE_WATCH,
    SymbolState.IN_TRADE: Trigger.OVERRIDE_IN_TRADE,
}
