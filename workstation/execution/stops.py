"""Stop and stop-limit orders: sent where the broker keeps them, else held here.

The operator's and the strategies' own ones, not the protection of a position. What is
held waits among the triggers; when it is met it is judged once more, as the order it
has become, and sent or denied. Nothing here works while the engine does not run.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from workstation.execution.closing import Closing
from workstation.execution.desk import OrderDesk
from workstation.execution.ledger import Ledger
from workstation.execution.protection import RETRY_NS
from workstation.execution.risk import Joining, RiskStage
from workstation.execution.tracked import Tracked
from workstation.execution.triggers import Triggers, Waiting
from workstation.model.orders import (
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.owners import OPERATOR
from workstation.model.ports import Core
from workstation.model.signals import Signal

__all__ = ["HeldStop", "Stops"]

ZERO = Decimal(0)
_HELD, _INITIALIZED = OrderStatus.HELD, OrderStatus.INITIALIZED
_REJECT_REPLACE = OrderEvent.REJECT_REPLACE
_PENDING_CANCEL, _UNKNOWN = OrderStatus.PENDING_CANCEL, OrderStatus.UNKNOWN
_GTD = TimeInForce.GTD
_NEVER = float("inf")


class HeldStop(Waiting):
    """A held stop order; ``fired`` says how it was met, while an exit is in its way.

    Before ``retry_ns`` nothing meets it: the last try is too fresh.
    """

    __slots__ = ("_stops", "fired", "retry_ns", "tracked")

    def __init__(self, stops: Stops, tracked: Tracked, trigger: Decimal) -> None:
        order = tracked.order
        # Nothing is better than the best of an order that does not trail.
        best = -_NEVER if order.side.sign > 0 else _NEVER
        super().__init__(order.owner, order.instrument, order.side, best)
        self._stops = stops
        self.tracked = tracked
        self.stop_float = float(trigger)
        self.since_ns, self.until_ns = order.updated_ns, order.expires_ns
        self.fired = ""
        self.retry_ns = 0

    @property
    def reduces(self) -> bool:
        """Tell whether it closes a position of its owner."""
        return self.tracked.order.reduce_only

    @property
    def is_fired(self) -> bool:
        """Tell whether it waits for an exit to be canceled."""
        return bool(self.fired)

    def stop_met(self, price: float, ts: int) -> None:
        """Have the order judged and sent."""
        if ts >= self.retry_ns:
            trigger = self.tracked.order.trigger
            self._stops.fire(self, f"stop {trigger} met at {price!r}")

    def target_met(self, price: float, ts: int) -> None:
        """Have no target."""

    def improved(self, best: float) -> None:
        """Trail nothing."""

    def lapse(self) -> None:
        """Expire, unless it was met before."""
        if not self.fired:
            self._stops.expire(self.tracked)


class Stops:
    """The stop orders of one Executor that are no protection of a position."""

    def __init__(
        self,
        desk: OrderDesk,
        risk: RiskStage,
        ledger: Ledger,
        closing: Closing,
        triggers: Triggers,
    ) -> None:
        self._desk = desk
        self._risk = risk
        self._ledger = ledger
        self._closing = closing
        self._triggers = triggers
        self._held: dict[str, HeldStop] = {}
        self._core: Core
        desk.unheld = self._unheld
        closing.place = self.place

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def place(
        self, order: Order, intent: Signal | None = None, worth: Decimal = ZERO
    ) -> None:
        """Send an order that has passed, or hold it until its trigger is met."""
        desk = self._desk
        if order.trigger is None or not order.is_untriggered:
            desk.send(order, intent, worth)
            return
        if desk.sender.abilities.stops:
            desk.send(order, intent, worth)
        else:
            tracked = desk.hold(order, intent, worth)
            self.take_up(tracked)
            self._time(tracked)

    def take_up(self, tracked: Tracked) -> None:
        """Watch for the trigger of an order that is held, also by an earlier run."""
        order = tracked.order
        if order.status is _HELD and order.trigger is not None:
            waiting = self._held[order.id] = HeldStop(self, tracked, order.trigger)
            self._triggers.add(waiting)

    def recover(self) -> None:
        """Let orders that an earlier run left held end at their time."""
        for waiting in list(self._held.values()):
            # By a clock that was ahead it would sleep through the bars until then.
            waiting.since_ns = min(waiting.since_ns, self._core.ts)
            self._time(waiting.tracked)

    def _time(self, tracked: Tracked) -> None:
        order, core = tracked.order, self._core
        if order.expires_ns is not None:
            core.call_at(
                max(order.expires_ns, core.ts),
                f"{self._desk.name}.{order.id}.expires",
                partial(self._time_over, tracked),
            )

    def _time_over(self, tracked: Tracked) -> None:
        order, core = tracked.order, self._core
        length_ns = self._triggers.length_ns(order.instrument)
        bars_only = self._risk.market.instrument(order.instrument).bars_only
        if order.expires_ns is None or not bars_only or length_ns is None:
            self.expire(tracked)
        elif order.status is _HELD:
            # The bar in which it ends is told at its close; after that none may come.
            core.call_at(
                max(order.expires_ns + length_ns, core.ts),
                f"{self._desk.name}.{order.id}.lapses",
                partial(self.expire, tracked),
            )

    def expire(self, tracked: Tracked) -> None:
        """End an order that is held and whose time is over."""
        if tracked.order.status is _HELD:
            self._desk.expire(tracked, "good till date")

    def _unheld(self, tracked: Tracked) -> None:
        waiting = self._held.pop(tracked.order.id, None)
        if waiting is not None:
            self._triggers.remove(waiting)

    def is_held(self, order_id: str) -> bool:
        """Tell whether an order is a stop order that is held here."""
        return order_id in self._held

    def amend(
        self, tracked: Tracked, quantity: Decimal, price: Decimal | None, at: Decimal
    ) -> None:
        """Give a held order another quantity, price and trigger."""
        self._desk.adjust(tracked, quantity, at, "amended", price=price)
        waiting = self._held[tracked.order.id]
        waiting.stop_float, waiting.fired = float(at), ""
        waiting.since_ns = self._core.ts

    # Triggers that are met.

    def fire(self, waiting: HeldStop, reason: str) -> None:
        """Judge an order whose trigger was met, and send it; or leave it waiting."""
        tracked = waiting.tracked
        if tracked.order.status is not _HELD or waiting.fired:
            return
        if tracked.order.reduce_only:
            self._close(waiting, reason)
        else:
            self._enter(tracked, reason)

    def _enter(self, tracked: Tracked, reason: str) -> None:
        order, core, risk = tracked.order, self._core, self._risk
        if risk.data(order.instrument, core.ts) or risk.reconciling():
            # Prices that may be wrong wake up nothing that adds to a position.
            return
        intent = tracked.intent
        adds = intent is not None and intent.add and order.owner != OPERATOR
        woken = self._woken(order)
        with self._desk.orders.without(tracked):
            denial = risk.check(woken, core.ts, Joining.ADD if adds else Joining.NO)
        if denial is not None:
            self._desk.deny(order, denial)
            return
        tracked.worth = risk.judged_at
        self._desk.release(tracked, order.quantity, reason)

    def _close(self, waiting: HeldStop, reason: str) -> None:
        tracked = waiting.tracked
        order, closing = tracked.order, self._closing
        owner, instrument = order.owner, order.instrument
        if closing.cancel_resting(owner, instrument, reason):
            # Both could fill: it goes once the exit is out of the way.
            waiting.fired = reason
            return
        closable = self._ledger.closable(owner, instrument)
        left = closable - self._desk.orders.closing(owner, instrument, order.side)
        quantity = min(order.quantity, left)
        if quantity <= 0:
            return
        # Closing goes on while the executor is paused or the row is locked.
        woken = replace(self._woken(order), role=OrderRole.FLATTEN, quantity=quantity)
        denial = self._risk.check(woken, self._core.ts)
        if denial is not None:
            self._desk.deny(order, denial)
            return
        closing.clear_way(woken)
        self._desk.release(tracked, quantity, reason)

    def _woken(self, order: Order) -> Order:
        """Return a new order as it is once its trigger was met, to be judged."""
        woken = replace(order.woken(), status=_INITIALIZED)
        if woken.expires_ns is None or woken.expires_ns > self._core.ts:
            return woken
        # The bar in which it was met in time is told at its close.
        return replace(woken, time_in_force=TimeInForce.GTC, expires_ns=None)

    def fire_again(self, owner: str, instrument: str) -> None:
        """Send what had to wait for an exit to be canceled, if anything had."""
        for waiting in self._fired(owner, instrument):
            reason, waiting.fired = waiting.fired, ""
            self.fire(waiting, reason)

    def unfire(self, owner: str, instrument: str) -> None:
        """Forget what waits for that: the exit in its way stays."""
        for waiting in self._fired(owner, instrument):
            waiting.fired = ""

    def _fired(self, owner: str, instrument: str) -> list[HeldStop]:
        if not self._held:
            return []
        return [
            each
            for each in self._held.values()
            if each.fired and each.owner == owner and each.instrument == instrument
        ]

    def hold_again(self, tracked: Tracked) -> None:
        """Hold what a released order that was to close left open, for its trigger.

        A broker that refuses it is not asked again at every tick.
        """
        order, desk = tracked.order, self._desk
        until_ns = tracked.until_ns
        if until_ns is not None and until_ns <= self._core.ts:
            return
        again = desk.draft(
            order.owner,
            order.instrument,
            order.role,
            order.side,
            order.remaining,
            order_type=OrderType.STOP if order.price is None else OrderType.STOP_LIMIT,
            price=order.price,
            trigger=order.trigger,
            time_in_force=order.time_in_force if until_ns is None else _GTD,
            expires_ns=until_ns,
            reduce_only=True,
            reason=f"held again: {order.id} ended {order.status.value}",
        )
        held = desk.hold(again)
        self.take_up(held)
        self._time(held)
        self._held[again.id].retry_ns = self._core.ts + RETRY_NS

    # The end of a position.

    def sync(self, owner: str, instrument: str) -> None:
        """End what was to reduce a position that is gone, here and at the venue.

        An exit that rests at a price is made no larger than what is left; the newest
        first. A venue without reduce-only would open another position with the rest.
        """
        reducing = self._desk.orders.reducing(owner, instrument)
        if not reducing:
            return
        held = self._ledger.position(owner, instrument).quantity
        left = self._ledger.closable(owner, instrument)
        resting = []
        for tracked in reducing:
            order = tracked.order
            if order.status is _UNKNOWN:
                # Entries wait for its fate; it is looked at again where it works.
                left -= order.remaining
            elif held * order.side.sign >= 0:
                self._desk.cancel(tracked, "position turned" if held else "all closed")
            elif order.closes_now:
                left -= order.remaining
            elif tracked.reshaping:
                # It is looked at again once the venue has answered.
                left -= order.remaining
            elif order.blocks_close and not order.is_untriggered:
                resting.append(tracked)
        for tracked in resting:
            if tracked.order.status is _PENDING_CANCEL:
                continue
            left -= tracked.order.remaining
            if left < 0:
                self._shrink(tracked, tracked.order.remaining + left)
                left = ZERO

    def _shrink(self, tracked: Tracked, left: Decimal) -> None:
        """Let an exit close so much; cancel it where that cannot be asked for.

        Or was, and was refused: so little may be too little for an order.
        """
        order, desk = tracked.order, self._desk
        refused = bool(tracked.history) and tracked.history[-1].event is _REJECT_REPLACE
        asked = left > 0 and desk.sender.abilities.modify and not refused
        if not asked or not desk.replace(tracked, order.filled + left, order.price):
            reason = f"for {order.remaining}, and only {left} is left to close"
            desk.cancel(tracked, reason)

    def digest(self) -> object:
        """Return which orders are held, and how they were met, oldest first."""
        return tuple(
            (each, waiting.fired, waiting.retry_ns)
            for each, waiting in self._held.items()
        )
