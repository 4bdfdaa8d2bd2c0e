"""What follows a fill, the end of an order, and a trigger that was met.

The reports tell of fills and ends, the protection of triggers: here they are booked
and lead to protection, to closing what came late, and to what waited for them. It sees
no reports, and what it sends the risk stage has passed.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from workstation.execution.accounting import Accounting
from workstation.execution.closing import Closing
from workstation.execution.controls import Controls
from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.price_watch import PriceWatch
from workstation.execution.protection import Plan, Protection
from workstation.execution.risk import Denial, RiskStage
from workstation.execution.stops import Stops
from workstation.execution.tracked import Tracked
from workstation.model.commands import KillLevel
from workstation.model.events import OrderFilled
from workstation.model.instruments import Side
from workstation.model.orders import Fill, Order, OrderEvent, OrderRole, OrderStatus
from workstation.model.owners import EXTERNAL
from workstation.model.ports import Core
from workstation.model.positions import Position
from workstation.model.records import FillRecord, OwedRecord, TradeRecord
from workstation.model.signals import Signal
from workstation.model.timeframes import NS_PER_S

__all__ = ["Outcomes"]

# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _SELL = Side.BUY, Side.SELL
# A cancel was somebody's wish.
_FAILED = (OrderStatus.REJECTED, OrderStatus.EXPIRED)
ZERO = Decimal(0)
_SUBMITTED, _REPLACE = OrderStatus.SUBMITTED, OrderEvent.REPLACE
_KILL_FLATTEN = KillLevel.FLATTEN
_KILL_CANCELS = (KillLevel.CANCEL, KillLevel.FLATTEN)
# What a cancel was on its way for.
_LEAVING = (OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN)
# Before an unwanted order is canceled again: a venue may need a moment to know it.
_INSIST_NS = 2 * NS_PER_S


class Outcomes:
    """Does what follows from what happened to orders."""

    def __init__(
        self,
        desk: OrderDesk,
        ledger: Ledger,
        risk: RiskStage,
        controls: Controls,
        accounting: Accounting,
        protection: Protection,
        closing: Closing,
        stops: Stops,
        watch: PriceWatch,
    ) -> None:
        self._desk = desk
        self._ledger = ledger
        self._risk = risk
        self._limits = risk.limits
        self._controls = controls
        self._accounting = accounting
        self._protection = protection
        self._closing = closing
        self._stops = stops
        self._watch = watch
        # What could not be closed of late fills, by owner and instrument.
        self._owed: dict[tuple[str, str], Decimal] = {}
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def booked(self, tracked: Tracked, fill: Fill) -> None:
        """Book a fill that is told of for the first time, and do what follows it."""
        self.follow(tracked, fill, self.book(fill))

    def book(self, fill: Fill) -> Position:
        """Book a fill and tell of it; return the owner's position after it."""
        core = self._core
        ledger = self._ledger
        worthless, closed = len(ledger.fees.unvalued), ledger.closed
        before, after = ledger.apply(fill)
        core.record(FillRecord(core.seq, core.ts, fill))
        self._desk.active()
        self._limits.traffic.fills.add(core.ts)
        self._watch.wake()
        filled = OrderFilled(fill, core.ts)
        core.emit(filled)
        core.publish(filled)
        if len(ledger.fees.unvalued) > worthless:
            self._desk.alarm(
                fill.instrument,
                f"fee of {fill.fee} {fill.fee_currency} on {fill.trade_id} has no "
                f"price in {ledger.currency}; equity leaves such fees out",
                "fee",
            )
        self._accounting.position_changed(before, after)
        if ledger.swept is not None:
            self._accounting.tell(*ledger.swept)
        if ledger.closed > closed:
            core.record(TradeRecord(core.seq, core.ts, ledger.trades[-1]))
        return after

    def follow(self, tracked: Tracked, fill: Fill, after: Position) -> None:
        """Do what follows a booked fill: protection, and closing what comes late."""
        intent = tracked.intent
        if intent is not None and after.quantity:
            self._install(tracked, intent, fill, after)
        self._protection.sync(fill.owner, fill.instrument)
        self._stops.sync(fill.owner, fill.instrument)
        if after.quantity:
            self._close_late(tracked, fill, after)
        elif self._owed:
            self._owe((fill.owner, fill.instrument), ZERO)
        if self._closing.sequels:
            self._closing.resume(fill.owner, fill.instrument)

    def moved(self, owner: str, instrument: str) -> None:
        """Let protection, stops and what waits follow an attributed position."""
        self._protection.sync(owner, instrument)
        self._stops.sync(owner, instrument)
        self._closing.resume(owner, instrument)

    def _close_late(self, tracked: Tracked, fill: Fill, after: Position) -> None:
        """Close what an entry filled after it was flattened, or after the kill.

        And what an order that was to close filled beyond that: an entry on its way had
        closed the position before. Not what somebody trades at the venue by hand: that
        is no late fill.
        """
        owner, instrument = fill.owner, fill.instrument
        adds = after.quantity * fill.side.sign > 0
        if self._controls.kill_level is _KILL_FLATTEN and not self._by_hand(tracked):
            if adds or (owner, instrument) in self._closing.unsent:
                close = self._closing.close
                close(owner, instrument, OrderRole.FLATTEN, "killed: late fill")
            return
        if not adds:
            return
        added = min(fill.quantity, abs(after.quantity))
        if tracked.flattened:
            self._close_added(fill, f"late fill: {tracked.flattened}", added)
        elif tracked.order.reduce_only:
            order = tracked.order
            self._desk.alarm(
                instrument,
                f"{order.role.value} {order.id} filled {fill.quantity} and opened "
                f"{after.quantity}: the position was closed before; {added} is closed",
                "flatten",
            )
            self._close_added(fill, f"{order.id} closed too much", added)

    def _by_hand(self, tracked: Tracked) -> bool:
        """Tell whether somebody trades by hand what was killed, and means to."""
        order = tracked.order
        return order.owner == EXTERNAL or (
            order.may_open and self._is_after_kill(order)
        )

    def _is_after_kill(self, order: Order) -> bool:
        killed_ns = self._controls.killed_ns
        return self._desk.orders.is_by_hand_since(order, killed_ns)

    def _close_added(self, fill: Fill, reason: str, added: Decimal) -> None:
        """Close what a fill added; too little for an order waits for the next fill."""
        row = (fill.owner, fill.instrument)
        most = added + self._owed.get(row, ZERO)
        closing, side = self._desk.orders.closing, fill.side.opposite
        before = closing(*row, side)
        closed = self._closing.close(*row, OrderRole.FLATTEN, reason, most)
        left = most - (closing(*row, side) - before)
        self._owe(row, left if isinstance(closed, Denial) else ZERO)

    def _owe(self, row: tuple[str, str], after: Decimal) -> None:
        core, before = self._core, self._owed.get(row, ZERO)
        if after == before:
            return
        self.owes(row, after)
        owner, instrument = row
        core.record(
            OwedRecord(
                seq=core.seq,
                ts=core.ts,
                owner=owner,
                instrument=instrument,
                before=before,
                after=after,
            )
        )

    def given(self, owner: str, instrument: str) -> None:
        """Note that a position has another owner, who keeps what late fills added."""
        self._owe((owner, instrument), ZERO)

    def owes(self, row: tuple[str, str], quantity: Decimal) -> None:
        """Take what is on record of late fills that are not closed, by owner."""
        if quantity:
            self._owed[row] = quantity
        else:
            self._owed.pop(row, None)

    def _install(
        self, tracked: Tracked, intent: Signal, fill: Fill, position: Position
    ) -> None:
        side = _SELL if position.quantity > 0 else _BUY
        if side is fill.side or (
            intent.stop is None and intent.target is None and not intent.trailing_bps
        ):
            return
        protection = self._protection
        plan = protection.plan(fill.owner, fill.instrument)
        if plan is not None and plan.side is not side:
            protection.drop(plan, "position turned")
            plan = None
        if plan is None:
            plan = protection.install(
                fill.owner, fill.instrument, side, float(fill.price)
            )
        elif tracked.brought or not intent.add:
            return
        tracked.brought = True
        # What an addition brings along is for the whole position; a stop only tightens.
        protection.change(
            plan,
            stop=intent.stop,
            target=intent.target,
            trailing_bps=intent.trailing_bps,
        )

    def ended(self, tracked: Tracked) -> None:
        """See an order end; a released stop or target that failed is held again."""
        order = tracked.order
        if order.reduce_only:
            if order.remaining > 0:
                self._unclosed(tracked)
            else:
                self._closing.taking.forget(order.id)
            self._protection.fire_again(order.owner, order.instrument)
            self._stops.fire_again(order.owner, order.instrument)
        if self._closing.sequels:
            self._closing.resume(order.owner, order.instrument)
        if order.reduce_only and self._controls.kill_level is _KILL_FLATTEN:
            self._close_killed(order)

    def _close_killed(self, order: Order) -> None:
        """Close what an exit left open that was on its way when all was flattened.

        A flatten that failed is not tried again: somebody has to look.
        """
        if order.remaining > 0 and order.role is not OrderRole.FLATTEN:
            reason = f"killed: {order.id} did not close it"
            self._closing.close(
                order.owner, order.instrument, OrderRole.FLATTEN, reason
            )

    def works(self, tracked: Tracked, was: OrderStatus) -> None:
        """See an order open at the venue that ``was`` something else here.

        An entry that was to be canceled is again: the cancel may have been lost, or
        come before the order, or the order was taken for refused when all were
        canceled. What reduces is looked at once more: its position may have changed.
        """
        if was in _LEAVING:
            self._stays(tracked)
        reduces = tracked.order.reduce_only and was is not _SUBMITTED
        if not reduces and not self._is_unwanted(tracked):
            return
        core, due_ns = self._core, tracked.spoken_ns + _INSIST_NS
        # What was done as asked is asked for more at once, what was refused is not.
        if core.ts >= due_ns or tracked.history[-1].event is _REPLACE:
            self._insist(tracked)
            return
        core.call_at(
            due_ns,
            f"{self._desk.name}.{tracked.order.id}.{tracked.moves}.again",
            partial(self._insist, tracked),
        )

    def _insist(self, tracked: Tracked) -> None:
        order = tracked.order
        if order.reduce_only:
            self._stops.sync(order.owner, order.instrument)
        elif self._is_unwanted(tracked):
            reason = tracked.flattened or tracked.withdrawn or "killed"
            self._desk.cancel(tracked, f"{reason}: it works at the venue after all")

    def _stays(self, tracked: Tracked) -> None:
        order = tracked.order
        if order.reduce_only:
            # The price is watched again: it may be far from what was met before.
            self._protection.unfire(order.owner, order.instrument)
            self._stops.unfire(order.owner, order.instrument)
        if self._closing.is_held_up(order):
            self._desk.alarm(
                order.instrument,
                f"{order.role.value} {order.id} was not canceled: {order.reason}; "
                "what should follow it waits",
                "report",
            )

    def _is_unwanted(self, tracked: Tracked) -> bool:
        """Tell whether an entry was to be canceled by a flatten or a kill."""
        order, level = tracked.order, self._controls.kill_level
        if not order.may_open or order.is_terminal:
            return False
        killed = level in _KILL_CANCELS and not self._is_after_kill(order)
        return killed or bool(tracked.flattened or tracked.withdrawn)

    def _unclosed(self, tracked: Tracked) -> None:
        order = tracked.order
        own_stop = order.role is OrderRole.EXIT and order.trigger is not None
        if order.price is not None or order.is_untriggered:
            # An exit at a price may end without one; what is held stays protected.
            self._protection.sync(order.owner, order.instrument)
            self._closing.taking.ended(tracked)
            if own_stop and order.status is OrderStatus.REJECTED and order.price:
                self._refused(tracked)
            return
        if order.status is not OrderStatus.CANCELED:
            self._desk.alarm(
                order.instrument,
                f"{order.role.value} {order.id} ended {order.status.value} with "
                f"{order.remaining} open: {order.reason}",
                "report",
            )
        self._protection.rearm(tracked, self._core.ts)
        if own_stop and order.status in _FAILED:
            self._hold_again(tracked)

    def _refused(self, tracked: Tracked) -> None:
        """Hold a stop-limit again that was refused once its trigger was met."""
        order = tracked.order
        if order.is_untriggered:
            # It was refused before: whoever sent it has been told.
            return
        self._desk.alarm(
            order.instrument,
            f"{order.role.value} {order.id} was refused at its trigger with "
            f"{order.remaining} open: {order.reason}",
            "report",
        )
        self._hold_again(tracked)

    def _hold_again(self, tracked: Tracked) -> None:
        order = tracked.order
        held = self._ledger.position(order.owner, order.instrument).quantity
        if held * order.side.sign < 0:
            self._stops.hold_again(tracked)

    def digest(self) -> object:
        """Return in plain values what of late fills is not closed yet."""
        return tuple((*row, str(quantity)) for row, quantity in self._owed.items())

    def fire(self, plan: Plan, tracked: Tracked, reason: str) -> bool:
        """Release a triggered order for what is left to close; False to wait."""
        owner, instrument = plan.owner, plan.instrument
        closable = self._ledger.closable(owner, instrument)
        closing = self._closing
        if closing.cancel_resting(owner, instrument, reason):
            # Both could fill: the stop goes once the exit is out of the way.
            plan.fired = tracked, reason
            return False
        left = closable - self._desk.orders.closing(owner, instrument, plan.side)
        if left <= 0:
            return False
        order = tracked.order
        first, *others = closing.parts(instrument, left, None)
        woken = replace(order.woken(), quantity=first)
        denial = self._risk.check(woken, self._core.ts)
        if denial is not None:
            self._desk.deny(order, denial)
            return True
        closing.cancel_entries(owner, instrument, reason)
        closing.clear_way(woken)
        self._desk.release(tracked, first, reason)
        closing.release_also(tracked.order, others)
        return True
