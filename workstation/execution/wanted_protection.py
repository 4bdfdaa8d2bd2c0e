"""What positions of an earlier run are to be protected by, read from its records.

``Recovering`` hands the records in, and has the plans installed once all are read. The
stops and targets that were held say only what was held: a stop that was released, and
whose fate is open, is still wanted where the venue turns out not to have it.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.execution.denials import DenialCode
from workstation.execution.executor import Executor
from workstation.execution.intents import with_protection
from workstation.execution.tracked import Tracked
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderStatus
from workstation.model.positions import Position
from workstation.model.records import DenyRecord, ProtectionRecord
from workstation.model.signals import Signal, SignalAction

__all__ = ["WantedProtection"]

_BUY, _SELL = Side.BUY, Side.SELL
_STOP, _TARGET = OrderRole.STOP, OrderRole.TARGET
_HELD = OrderStatus.HELD
_ENTERS = (SignalAction.ENTER_LONG, SignalAction.ENTER_SHORT)
Row = tuple[str, str]


class _Wanted(Struct):
    """Levels of one position; ``trailed`` as in a plan."""

    stop: Decimal | None = None
    target: Decimal | None = None
    trailing_bps: float | None = None
    best: float = 0.0
    trailed: bool = False


class WantedProtection:
    """The plans of the positions that an account's journal leaves."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._rows: dict[Row, _Wanted] = {}
        # Runs of before there was a record of it: what signals said.
        self._trailing: dict[Row, float] = {}
        # Signals that change what entries on their way bring along, unless refused.
        self._changes: dict[Row, list[Signal]] = {}

    def take(self, record: ProtectionRecord) -> None:
        """Take what a position is protected by from now on."""
        row = (record.owner, record.instrument)
        self._rows[row] = _Wanted(
            record.stop, record.target, record.trailing_bps, record.best
        )

    def moved(self, order: Order) -> None:
        """See a held stop follow the price."""
        if order.role is _STOP and order.trailing and order.status is _HELD:
            wanted = self._rows.get((order.owner, order.instrument))
            if wanted is not None and order.trigger is not None:
                wanted.stop, wanted.trailed = order.trigger, True

    def held(self, before: Position, after: Position) -> None:
        """See a position change: what protected it ends with it."""
        if not after.quantity or before.quantity * after.quantity < 0:
            self._rows.pop((after.owner, after.instrument), None)

    def signal(self, signal: Signal) -> None:
        """See what a row wanted."""
        row = (signal.strategy, signal.instrument)
        if signal.action in _ENTERS:
            self._trailing.pop(row, None)
        elif signal.action is SignalAction.PROTECT:
            self._changes.setdefault(row, []).append(signal)
        if signal.trailing_bps:
            self._trailing[row] = signal.trailing_bps

    def denied(self, record: DenyRecord) -> None:
        """See a change refused; one that only loosens a stop has changed the rest."""
        changes = self._changes.get((record.owner, record.instrument))
        refused = record.role is _STOP and record.code != DenialCode.STOP_LOOSENED
        if changes and refused:
            changes.pop()

    def over(self) -> None:
        """See an input end: entries on their way bring along what was changed."""
        for row, changes in self._changes.items():
            for tracked in self._executor.desk.orders.row(*row):
                for change in changes:
                    if tracked.intent is not None:
                        tracked.intent = with_protection(tracked.intent, change)
        self._changes.clear()

    # Once all is read.

    def install(self) -> None:
        """Install a plan for each position, with the stop and target that are held."""
        self.over()
        legs: dict[Row, list[Tracked]] = {}
        for tracked in self._executor.desk.orders.open():
            order = tracked.order
            if order.status is _HELD and order.role in (_STOP, _TARGET):
                row = (order.owner, order.instrument)
                legs.setdefault(row, []).append(tracked)
        for row, found in legs.items():
            if row not in self._rows:
                self._rows[row] = self._of_legs(row, found)
        for row in self._rows:
            self._install(row, legs.get(row, []))

    def _of_legs(self, row: Row, legs: list[Tracked]) -> _Wanted:
        wanted = _Wanted(trailing_bps=self._trailing.get(row))
        for tracked in legs:
            order = tracked.order
            if order.role is _STOP:
                wanted.stop, wanted.trailed = order.trigger, order.trailing
            else:
                wanted.target = order.trigger
        return wanted

    def _install(self, row: Row, legs: list[Tracked]) -> None:
        held = self._executor.ledger.position(*row)
        wanted = self._rows[row]
        side = _SELL if held.quantity > 0 else _BUY
        if legs:
            # Of a position that is gone or has turned they are dropped by the first
            # ``sync``: an older version may have been killed before it did that.
            side = legs[0].order.side
        elif not held.quantity:
            return
        plan = self._executor.protection.install(*row, side, self._best(wanted, held))
        plan.trailing_bps, plan.trailed = wanted.trailing_bps, wanted.trailed
        if wanted.stop is not None:
            plan.stop, plan.stop_float = wanted.stop, float(wanted.stop)
        if wanted.target is not None:
            plan.target, plan.target_float = wanted.target, float(wanted.target)
        for tracked in legs:
            if tracked.order.role is _STOP:
                plan.stop_order = tracked
            else:
                plan.target_order = tracked

    def _best(self, wanted: _Wanted, held: Position) -> float:
        """Return the best price that a plan has seen, as far as it decides anything.

        A stop that trails is where its best price has put it.
        """
        found = [wanted.best] if wanted.best else []
        if wanted.stop is not None and wanted.trailing_bps:
            away = wanted.trailing_bps / 10_000
            found.append(
                float(wanted.stop) / (1 - away if held.quantity > 0 else 1 + away)
            )
        if not found:
            return float(held.average_price)
        return max(found) if held.quantity > 0 else min(found)
