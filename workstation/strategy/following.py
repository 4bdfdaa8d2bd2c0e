"""How rows follow what happens to them: orders, fills, broken data, the kill switch.

Called by the strategy for each such event, also when it is stopped or failed: its rows
must say what the ledger holds, whoever closes it. Nothing is asked or sent from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workstation.model.events import (
    DataBroke,
    Killed,
    OrderDenied,
    OrderUpdated,
    PositionChanged,
)
from workstation.model.instruments import Side
from workstation.model.orders import TERMINAL, Order, OrderEvent, OrderRole, OrderStatus
from workstation.model.ports import Core
from workstation.model.states import SymbolState
from workstation.strategy.machine import Trigger
from workstation.strategy.row import ENGINE, OPERATOR, SCRIPT, Row

__all__ = ["Following"]

_WORKING = frozenset(
    {OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED}
)

_ON_THE_WAY = (OrderStatus.SUBMITTED, OrderStatus.HELD)
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_IN_TRADE = SymbolState.IN_TRADE
_ENTRY, _FLATTEN, _QUOTE = OrderRole.ENTRY, OrderRole.FLATTEN, OrderRole.QUOTE
_STOP, _TARGET = OrderRole.STOP, OrderRole.TARGET
_SUBMITTED, _PENDING_CANCEL = OrderStatus.SUBMITTED, OrderStatus.PENDING_CANCEL
_PARTIAL_FILL = OrderEvent.PARTIAL_FILL
_UNSENT = (OrderStatus.INITIALIZED, OrderStatus.HELD)
_ENTERS = {Side.BUY: Trigger.ENTER_LONG, Side.SELL: Trigger.ENTER_SHORT}
_ENDS = {
    OrderStatus.REJECTED: Trigger.ENTRY_REJECTED,
    # Only what was held is denied as an order: when it would have left.
    OrderStatus.DENIED: Trigger.ENTRY_REJECTED,
    OrderStatus.EXPIRED: Trigger.ENTRY_EXPIRED,
    OrderStatus.CANCELED: Trigger.ENTRY_CANCELED,
}
_CLOSING = {
    OrderRole.EXIT: (Trigger.EXIT, SCRIPT),
    OrderRole.STOP: (Trigger.STOP, ENGINE),
    OrderRole.TARGET: (Trigger.TARGET, ENGINE),
}


class Following:
    """Moves the rows of one strategy by what happens to them."""

    def __init__(self, name: str, rows: Mapping[str, Row]) -> None:
        self._name = name
        self._rows = rows
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        """Return the handler of each event type."""
        return {
            OrderUpdated: self._on_order,
            OrderDenied: self._on_denied,
            PositionChanged: self._on_position,
            DataBroke: self._on_broke,
            Killed: self._on_killed,
        }

    def _on_order(self, event: OrderUpdated) -> None:
        order = event.order
        if order.owner != self._name:
            return
        row = self._rows.get(order.instrument)
        if row is None:
            return
        if order.role is _QUOTE:
            # What rests on both sides moves no row; what of it fills does.
            return
        if order.role is _ENTRY:
            self._on_entry(row, event)
            return
        sent = order.status is _SUBMITTED and event.before in _UNSENT
        if order.role is _STOP:
            row.stop = None if order.is_terminal else order.trigger
        elif order.role is _TARGET:
            row.target = None if order.is_terminal else order.trigger
        if sent:
            trigger, who = _CLOSING.get(order.role, (Trigger.EXIT, OPERATOR))
            if trigger is Trigger.STOP and order.trailing:
                trigger = Trigger.TRAILING
            self._stay(row, trigger, order.reason, who)
        if order.role is _FLATTEN and order.is_terminal:
            self._forget_override(row)

    def _on_entry(self, row: Row, event: OrderUpdated) -> None:
        order = event.order
        core = self._core
        if event.before is _PENDING_CANCEL and order.status in _WORKING:
            # The venue refused the cancel: what ends the order now is something else.
            self._forget_override(row)
        if event.before is OrderStatus.INITIALIZED and order.status in _ON_THE_WAY:
            # Sent, or held until its trigger: the row is on its way in.
            who = SCRIPT if row.committing else OPERATOR
            row.committing = False
            if row.has_working(_ENTRY):
                row.move(core, _ENTERS[order.side], order.reason, who)
            return
        if event.before is OrderStatus.HELD and order.status is _SUBMITTED:
            self._stay(row, _ENTERS[order.side], order.reason, ENGINE)
            return
        if row.state is not _IN_TRADE:
            return
        if event.event is _PARTIAL_FILL and row.was_held:
            reason = f"{order.filled} of {order.quantity} filled"
            self._stay(row, Trigger.PARTLY_FILLED, reason, ENGINE)
        trigger = _ENDS.get(order.status)
        if trigger is not None and event.before not in TERMINAL:
            self._leave(row, trigger, _ended_words(order))

    def _on_denied(self, event: OrderDenied) -> None:
        row = self._rows.get(event.instrument)
        if event.owner != self._name or row is None:
            return
        row.answer = f"denied {event.code}: {event.text}"
        if row.committing and event.role is not _QUOTE:
            row.committing = False
            if row.state is not _IN_TRADE:
                row.tally.deny(event.code)
            reason = f"denied {event.code}: {event.text}"
            row.move(self._core, Trigger.DENIED, reason, ENGINE)

    def _on_position(self, event: PositionChanged) -> None:
        new = event.new
        row = self._rows.get(new.instrument)
        if new.owner != self._name or row is None:
            return
        was_held, row.was_held = row.was_held, not new.is_flat
        in_trade = row.state is _IN_TRADE
        if not row.held:
            # An entry may bring less than a lot: the row never held anything.
            vain = event.old.is_flat and new.is_flat and not row.is_in
            if in_trade and (was_held or vain):
                self._leave(row, Trigger.FLAT, "position closed")
            return
        if not in_trade or not was_held:
            row.committing = False
            if row.adopted_seq != self._core.seq:
                reason = f"{new.quantity} at {new.average_price}"
                row.move(self._core, Trigger.FIRST_FILL, reason, ENGINE)
        if abs(new.quantity) > abs(event.old.quantity):
            self._forget_override(row)

    def _on_broke(self, event: DataBroke) -> None:
        row = self._rows.get(event.instrument)
        if row is not None and row.state is SymbolState.CLOSE_WATCH:
            row.move(self._core, Trigger.UNTRUSTED, event.reason, ENGINE)

    def _on_killed(self, event: Killed) -> None:
        words = f"killed at {event.level}"
        reason = f"{words}: {event.reason}" if event.reason else words
        for row in self._rows.values():
            if row.state is not SymbolState.WATCH:
                row.move(self._core, Trigger.KILL, reason, event.who)

    def _stay(self, row: Row, trigger: Trigger, reason: str, who: str) -> None:
        """Put on record what happens in trade, unless it ended the trade already."""
        if row.state is _IN_TRADE and row.is_in:
            row.move(self._core, trigger, reason, who)

    def _leave(self, row: Row, trigger: Trigger, reason: str) -> None:
        who, why = row.override or (ENGINE, reason)
        row.move(self._core, trigger, why, who)

    def _forget_override(self, row: Row) -> None:
        """Forget why the operator wanted the row out, once that has come to nothing."""
        if row.override and row.is_in and not row.has_working(_FLATTEN):
            row.override = None


def _ended_words(order: Order) -> str:
    filled = f", {order.filled} of {order.quantity} filled" if order.filled else ""
    reason = f": {order.reason}" if order.reason else ""
    return f"entry {order.status}{filled}{reason}"
