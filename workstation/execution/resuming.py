"""Going on with an account that an earlier run left: what a run does first.

The records have been applied by then. Rows hear of what they hold, the venue is asked
about what is open, and until it has answered nothing enters.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from workstation.execution.controls import Controls, record_control
from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.limits import Limits
from workstation.execution.protection import Protection
from workstation.execution.queries import WATCH_INFERRED_NS
from workstation.execution.stops import Stops
from workstation.model.commands import Recover
from workstation.model.events import OrderUpdated, PositionChanged
from workstation.model.orders import OrderEvent, OrderStatus
from workstation.model.ports import Core
from workstation.model.positions import Position
from workstation.model.timeframes import NS_PER_S

__all__ = ["Resuming"]

_UNANSWERED = (
    OrderStatus.SUBMITTED,
    OrderStatus.PENDING_CANCEL,
    OrderStatus.PENDING_REPLACE,
)


class Resuming:
    """Takes up where the records end; ``go_on`` does again what a kill was to do."""

    def __init__(
        self,
        controls: Controls,
        desk: OrderDesk,
        ledger: Ledger,
        protection: Protection,
        stops: Stops,
        limits: Limits,
        go_on: Callable[[], None],
    ) -> None:
        self._controls = controls
        self._desk = desk
        self._ledger = ledger
        self._protection = protection
        self._stops = stops
        self._limits = limits
        self._go_on = go_on
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def recover(self, command: Recover, account: Callable[[], bool]) -> str:
        """Go on with what earlier runs left: tell the rows, and ask the venue.

        An order that was on its way is Unknown: it may have arrived. No entry passes
        until the venue has answered about every order, and about the account where
        ``account``, which asks for it, says that it answers.
        """
        core, desk = self._core, self._desk
        self._settle_times()
        positions = self._ledger.open_positions()
        for position in positions:
            flat = Position(owner=position.owner, instrument=position.instrument)
            core.emit(PositionChanged(flat, position, core.ts))
        for plan in self._protection.plans():
            self._protection.sync(plan.owner, plan.instrument)
        self._stops.recover()
        asked = self._controls.asked
        for tracked in desk.orders.open():
            order = tracked.order
            held = order.status is OrderStatus.HELD
            # As when it was made: rows follow orders from their beginning.
            core.emit(
                OrderUpdated(
                    order if held else replace(order, status=OrderStatus.SUBMITTED),
                    OrderStatus.INITIALIZED,
                    OrderEvent.HOLD if held else OrderEvent.SUBMIT,
                    core.ts,
                    order.reason,
                )
            )
            if held:
                continue
            asked.add(order.id)
            if order.status in _UNANSWERED:
                desk.give_up(tracked, "the engine ended before there was an answer")
            desk.query(order)
        # An end that was concluded may have been wrong, and where more was filled than
        # asked for, more may have been lost; nobody waits for these answers. After a
        # while a venue knows less of it than the books.
        desk.queries.doubt()
        if desk.orders.at_venue:
            desk.queries.watch()
        since = core.ts - WATCH_INFERRED_NS
        for order in list(desk.orders.all()):
            overfilled = order.is_terminal and order.filled > order.quantity
            if overfilled and order.updated_ns >= since:
                desk.query(order)
        if account() or asked:
            record_control(
                core, "recovery", "none", "asking", command.origin, command.reason
            )
        self._go_on()
        return (
            f"{len(positions)} positions, {len(desk.orders.held())} held and "
            f"{len(asked)} open orders"
        )

    def _settle_times(self) -> None:
        """Let begin now what earlier runs put later than the clock, and say so.

        What is on record anew begins now for the runs after this one, too.
        """
        controls, limits, core = self._controls, self._limits, self._core
        now = core.ts
        killed_ns, held_ns = controls.killed_ns, controls.hold_since_ns
        cooling_ns = round(limits.settings.cooling_s * NS_PER_S)
        later_ns = max(
            self._desk.orders.settle(now, killed_ns),
            limits.traffic.settle(now),
            self._desk.sender.rates.settle(now),
            self._ledger.settle(now, killed_ns),
            controls.settle(now, cooling_ns),
        )
        if not later_ns:
            return
        if controls.hold_since_ns != held_ns:
            record_control(core, "hold", "on", "on", "engine", "")
        level = controls.kill_level
        if level is not None and controls.killed_ns != killed_ns:
            who = "breaker" if controls.tripped else "engine"
            rung = level.value
            record_control(core, "kill", rung, rung, who, controls.kill_reason)
        self._desk.alarm(
            "",
            f"records of this account are from {later_ns / NS_PER_S:,.1f} s later than "
            "the clock; what they began begins now. Is the clock right?",
            "clock",
        )

    def answered(self, order_id: str) -> None:
        """Note that the venue has said what it knows of an order."""
        asked = self._controls.asked
        if order_id in asked:
            asked.discard(order_id)
            if not asked:
                self.settled()

    def settled(self) -> None:
        """Note that the venue has answered, where it has answered about all."""
        controls, core = self._controls, self._core
        if not controls.asked and not controls.account_asked:
            record_control(core, "recovery", "asking", "done", "engine", "")
