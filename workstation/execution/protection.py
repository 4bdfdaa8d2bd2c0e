"""Stops and targets that are kept here: their plans, triggers and trailing.

One plan per row that holds a position. The Executor syncs it after every fill; when
one of its triggers is met it fires through a callback and never sends anything itself.
Stops are tightened, never loosened unless that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.tracked import Tracked
from workstation.execution.triggers import Triggers, Waiting
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import OrderRole, OrderStatus, OrderType
from workstation.model.ports import Core
from workstation.model.records import ProtectionRecord
from workstation.model.timeframes import NS_PER_S

__all__ = ["RETRY_NS", "Plan", "Protection"]

ZERO = Decimal(0)
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_SELL, _HELD = Side.SELL, OrderStatus.HELD
_STOP, _TARGET = OrderRole.STOP, OrderRole.TARGET
RETRY_NS = NS_PER_S
"""A broker that refuses a released stop is not asked again at every tick."""


class Plan(Waiting):
    """Protection of one position; ``side`` is that of the orders which close it.

    ``trailed`` says that the stop was last moved by the price. ``fired`` is the leg
    whose trigger was met, and how, while an exit at a price is still being canceled.
    """

    __slots__ = (
        "_protection",
        "fired",
        "retry_ns",
        "stop",
        "stop_order",
        "target",
        "target_order",
        "trailed",
        "trailing_bps",
    )

    def __init__(
        self,
        protection: Protection,
        owner: str,
        instrument: str,
        side: Side,
        best: float,
    ) -> None:
        super().__init__(owner, instrument, side, best)
        self._protection = protection
        self.trailing_bps: float | None = None
        self.stop: Decimal | None = None
        self.target: Decimal | None = None
        self.stop_order: Tracked | None = None
        self.target_order: Tracked | None = None
        self.retry_ns = 0
        self.trailed = False
        self.fired: tuple[Tracked, str] | None = None

    ends_entries = True

    @property
    def reduces(self) -> bool:
        """Return True: it protects a position."""
        return True

    @property
    def is_fired(self) -> bool:
        """Tell whether a leg waits for an exit to be canceled."""
        return self.fired is not None

    def stop_met(self, price: float, ts: int) -> None:
        """Fire the stop."""
        self._protection.met(self, self.stop_order, "stop", price, ts)

    def target_met(self, price: float, ts: int) -> None:
        """Fire the target."""
        self._protection.met(self, self.target_order, "target", price, ts)

    def improved(self, best: float) -> None:
        """Let the stop follow, where it trails."""
        self._protection.improved(self, best)

    def lapse(self) -> None:
        """Have no end of its own: it lasts as long as the position."""

    def unfire(self, leg: Tracked | None) -> None:
        """Forget that this leg was met: it has another trigger."""
        if self.fired is not None and self.fired[0] is leg:
            self.fired = None

    def tightens(self, stop: Decimal) -> bool:
        """Tell whether this stop is no looser than the one there is."""
        if self.stop is None:
            return True
        return stop >= self.stop if self.side is _SELL else stop <= self.stop


class Protection:
    """All plans, which wait among the triggers; ``fire`` releases a triggered order."""

    def __init__(
        self,
        desk: OrderDesk,
        ledger: Ledger,
        instruments: Mapping[str, Instrument],
        triggers: Triggers,
    ) -> None:
        self._desk = desk
        self._triggers = triggers
        self._ledger = ledger
        self._instruments = instruments
        self.fire: Callable[[Plan, Tracked, str], bool]
        """Releases a triggered order, False to wait; set before the first event."""
        self._plans: dict[tuple[str, str], Plan] = {}
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def plan(self, owner: str, instrument: str) -> Plan | None:
        """Return the plan of a row, if it has one."""
        return self._plans.get((owner, instrument))

    def plans(self) -> list[Plan]:
        """Return every plan, oldest first."""
        return list(self._plans.values())

    def install(self, owner: str, instrument: str, side: Side, best: float) -> Plan:
        """Return the row's plan, made when there is none; ``side`` is the exit's."""
        key = (owner, instrument)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = Plan(self, owner, instrument, side, best)
            self._triggers.add(plan)
        return plan

    def change(
        self,
        plan: Plan,
        *,
        stop: Decimal | None = None,
        target: Decimal | None = None,
        trailing_bps: float | None = None,
        loosen: bool = False,
    ) -> bool:
        """Set what is given, on the tick; return False when the stop was looser.

        With ``loosen`` a looser stop is taken. It follows the best price again from
        the next new one on, where the stop trails.
        """
        instrument = self._instruments[plan.instrument]
        before = plan.stop, plan.target, plan.trailing_bps
        kept = True
        if stop is not None:
            stop = instrument.round_price(stop, plan.side)
            kept = loosen or plan.tightens(stop)
            if kept:
                plan.stop, plan.stop_float = stop, float(stop)
                plan.trailed = False
                plan.unfire(plan.stop_order)
        if target is not None:
            target = instrument.round_price(target, plan.side)
            if target != plan.target:
                plan.unfire(plan.target_order)
            plan.target, plan.target_float = target, float(target)
        if trailing_bps is not None and trailing_bps > 0:
            plan.trailing_bps = trailing_bps
            if not (loosen and stop is not None):
                self._trail(plan)
        if (plan.stop, plan.target, plan.trailing_bps) != before:
            self._record(plan)
        return kept

    def _record(self, plan: Plan) -> None:
        core = self._core
        core.record(
            ProtectionRecord(
                seq=core.seq,
                ts=core.ts,
                owner=plan.owner,
                instrument=plan.instrument,
                stop=plan.stop,
                target=plan.target,
                trailing_bps=plan.trailing_bps,
                best=plan.best,
            )
        )

    def hand_over(self, plan: Plan, taker: str) -> None:
        """Protect what another owner has got as it was; once the books say so.

        A stop of the taker's own is only tightened by it.
        """
        moved = self.plan(taker, plan.instrument)
        if moved is not None:
            self.change(
                moved,
                stop=plan.stop,
                target=plan.target,
                trailing_bps=plan.trailing_bps,
            )
            return
        moved = self.install(taker, plan.instrument, plan.side, plan.best)
        moved.stop, moved.stop_float = plan.stop, plan.stop_float
        moved.target, moved.target_float = plan.target, plan.target_float
        moved.trailing_bps, moved.trailed = plan.trailing_bps, plan.trailed
        self._record(moved)

    def _trail(self, plan: Plan) -> bool:
        """Let the stop follow the best price; return whether it moved."""
        if plan.trailing_bps is None:
            return False
        away = plan.trailing_bps / 10_000
        raw = plan.best * (1 - away if plan.side is _SELL else 1 + away)
        stop = self._instruments[plan.instrument].round_price(raw, plan.side)
        if stop <= 0 or stop == plan.stop or not plan.tightens(stop):
            return False
        plan.stop, plan.stop_float = stop, float(stop)
        plan.trailed = True
        return True

    def sync(self, owner: str, instrument: str) -> None:
        """Make the held orders agree with the position: size, triggers, or none."""
        plan = self._plans.get((owner, instrument))
        if plan is None:
            return
        quantity = self._ledger.position(owner, instrument).quantity
        if not quantity or (quantity > 0) != (plan.side is _SELL):
            self.drop(plan, "position closed" if not quantity else "position turned")
            return
        size = self._ledger.closable(owner, instrument)
        plan.stop_order = self._leg(plan, plan.stop_order, _STOP, plan.stop, size)
        plan.target_order = self._leg(
            plan, plan.target_order, _TARGET, plan.target, size
        )

    def _leg(
        self,
        plan: Plan,
        tracked: Tracked | None,
        role: OrderRole,
        trigger: Decimal | None,
        size: Decimal,
    ) -> Tracked | None:
        if trigger is None:
            return None
        desk = self._desk
        stop = role is _STOP
        trailing = stop and plan.trailed
        if tracked is not None and tracked.order.status is _HELD:
            order = tracked.order
            moved = order.trigger != trigger or order.trailing is not trailing
            if moved or order.quantity != size:
                reason = "trigger moved" if moved else "resized"
                desk.adjust(tracked, size, trigger, reason, trailing=trailing)
            return tracked
        if size <= self._released(plan):
            return None
        return desk.hold(
            desk.draft(
                plan.owner,
                plan.instrument,
                role,
                plan.side,
                size,
                order_type=OrderType.STOP if stop else OrderType.TARGET,
                trigger=trigger,
                reduce_only=True,
                trailing=trailing,
                reason=role.value,
            )
        )

    def _released(self, plan: Plan) -> Decimal:
        """Return what orders close by now: no stop is needed for it."""
        return sum(
            (
                t.order.remaining
                for t in self._desk.orders.row(plan.owner, plan.instrument)
                if t.order.closes_now
            ),
            ZERO,
        )

    def drop(self, plan: Plan, reason: str) -> None:
        """Cancel what is held for a row and forget its plan."""
        del self._plans[(plan.owner, plan.instrument)]
        self._triggers.remove(plan)
        for tracked in (plan.stop_order, plan.target_order):
            if tracked is not None and tracked.order.status is _HELD:
                self._desk.cancel(tracked, reason)

    def forget(self, tracked: Tracked) -> None:
        """Take a leg out of its plan: the operator removed it on purpose."""
        order = tracked.order
        plan = self._plans.get((order.owner, order.instrument))
        if plan is None:
            return
        if plan.stop_order is tracked:
            plan.stop_order = plan.stop = plan.stop_float = plan.trailing_bps = None
        elif plan.target_order is tracked:
            plan.target_order = plan.target = plan.target_float = None
        else:
            return
        self._record(plan)

    def rearm(self, tracked: Tracked, ts: int) -> None:
        """Hold a leg again whose released order ended without closing the position."""
        order = tracked.order
        plan = self._plans.get((order.owner, order.instrument))
        if plan is not None:
            plan.retry_ns = ts + RETRY_NS
            self.sync(order.owner, order.instrument)

    def improved(self, plan: Plan, best: float) -> None:
        """Take a new best price, and let a stop that trails follow it."""
        plan.best = best
        if self._trail(plan):
            self.sync(plan.owner, plan.instrument)
            if plan.stop_order is None:
                # No held order says it: what closes the position is on its way.
                self._record(plan)

    def met(
        self, plan: Plan, tracked: Tracked | None, word: str, price: float, ts: int
    ) -> None:
        """Fire a leg whose trigger was met, unless the last try is too fresh."""
        if tracked is None or ts < plan.retry_ns:
            return
        trigger = tracked.order.trigger
        if tracked.order.trailing:
            word = "trailing stop"
        self._release(plan, tracked, f"{word} {trigger} met at {price!r}")

    def _release(self, plan: Plan, tracked: Tracked, reason: str) -> None:
        if self.fire(plan, tracked, reason):
            if plan.stop_order is tracked:
                plan.stop_order = None
            elif plan.target_order is tracked:
                plan.target_order = None

    def fire_again(self, owner: str, instrument: str) -> None:
        """Fire the leg that had to wait for an exit to be canceled, if one had."""
        plan = self._plans.get((owner, instrument))
        if plan is None or plan.fired is None:
            return
        tracked, reason = plan.fired
        plan.fired = None
        if tracked.order.status is _HELD:
            self._release(plan, tracked, reason)

    def unfire(self, owner: str, instrument: str) -> None:
        """Forget a leg that waits: the exit in its way stays."""
        plan = self._plans.get((owner, instrument))
        if plan is not None:
            plan.fired = None

    def digest(self) -> object:
        """Return every plan in plain values, oldest first."""
        return tuple(
            (
                plan.owner,
                plan.instrument,
                plan.side.value,
                plan.best,
                plan.trailing_bps,
                None if plan.stop is None else str(plan.stop),
                None if plan.target is None else str(plan.target),
                plan.retry_ns,
                plan.trailed,
                None if plan.fired is None else plan.fired[0].order.id,
            )
            for plan in self._plans.values()
        )
