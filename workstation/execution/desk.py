"""The order desk: creates, sends, holds, cancels and times out orders.

Every move of every order is made here, through the table, and recorded, published
and emitted. The Executor's parts tell it what to do; it never decides, and it alone
talks to the broker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial

from msgspec.structs import replace

from workstation.execution import order_machine
from workstation.execution.orders import Orders
from workstation.execution.queries import Queries
from workstation.execution.risk import Denial
from workstation.execution.sender import Sender
from workstation.execution.settings import OrderSettings
from workstation.execution.tracked import KEEP_MOVES, Tracked
from workstation.model.events import (
    OrderCanceledEvent,
    OrderCreated,
    OrderDenied,
    OrderStuck,
    OrderUpdated,
)
from workstation.model.instruments import Side
from workstation.model.orders import (
    TERMINAL,
    Order,
    OrderEvent,
    OrderMove,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.ports import Core
from workstation.model.records import (
    DenyRecord,
    FaultRecord,
    OrderRecord,
    OwnerRecord,
)
from workstation.model.requests import CancelOrder, ReplaceOrder, SubmitOrder
from workstation.model.signals import Signal
from workstation.model.timeframes import NS_PER_MS

__all__ = ["OrderDesk"]

ZERO = Decimal(0)
S = OrderStatus
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_CANCEL = OrderEvent.CANCEL
_DENY = OrderEvent.DENY
_DOUBT = OrderEvent.DOUBT
_EXPIRE = OrderEvent.EXPIRE
_HOLD = OrderEvent.HOLD
_REPLACE = OrderEvent.REPLACE
_REQUEST_CANCEL = OrderEvent.REQUEST_CANCEL
_REQUEST_REPLACE = OrderEvent.REQUEST_REPLACE
_SUBMIT = OrderEvent.SUBMIT
_TIME_OUT = OrderEvent.TIME_OUT
_MESSAGES = (_SUBMIT, _REQUEST_CANCEL, _REQUEST_REPLACE)
_HELD, _CANCELED, _UNKNOWN = S.HELD, S.CANCELED, S.UNKNOWN
_FINAL = TERMINAL
_MARKET, _GTC = OrderType.MARKET, TimeInForce.GTC
_REPLACEABLE = (S.ACCEPTED, S.PARTIALLY_FILLED)


def _uncounted(ts: int, order: bool) -> None:
    pass


def _unheard(tracked: Tracked) -> None:
    pass


def _unseen() -> None:
    pass


class OrderDesk:
    """Moves the orders of one Executor and talks to its broker."""

    def __init__(
        self, name: str, settings: OrderSettings, sender: Sender | None = None
    ) -> None:
        self.name = name
        self.sender = sender or Sender()
        self.sent: Callable[[int, bool], None] = _uncounted
        """Told of each message to the venue, and whether it is a new order."""
        self.unheld: Callable[[Tracked], None] = _unheard
        """Told of each order that is held no more, whatever became of it."""
        self.active: Callable[[], None] = _unseen
        """Told that an order has left, or was filled."""
        self.orders = Orders(settings.keep_closed)
        self.queries = Queries(name, settings, self.orders, self.sender)
        # Orders that are canceled to clear the way of one, by the id of that one.
        self._cleared: dict[str, tuple[str, ...]] = {}
        self._core: Core
        cancel_ns = settings.cancel_timeout_ms * NS_PER_MS
        self._patience_ns = {
            S.SUBMITTED: settings.create_timeout_ms * NS_PER_MS,
            S.PENDING_CANCEL: cancel_ns,
            S.PENDING_REPLACE: cancel_ns,
        }

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core
        self.sender.attach(core)
        self.queries.attach(core)

    # What the Executor asks for.

    def draft(
        self,
        owner: str,
        instrument: str,
        role: OrderRole,
        side: Side,
        quantity: Decimal,
        *,
        order_type: OrderType = _MARKET,
        price: Decimal | None = None,
        trigger: Decimal | None = None,
        time_in_force: TimeInForce = _GTC,
        reduce_only: bool = False,
        post_only: bool = False,
        expires_ns: int | None = None,
        trailing: bool = False,
        reason: str = "",
    ) -> Order:
        """Return an order with the next id, not registered yet."""
        ts = self._core.ts
        order = Order(
            id=self.orders.next_id(),
            instrument=instrument,
            owner=owner,
            role=role,
            side=side,
            type=order_type,
            quantity=quantity,
            price=price,
            trigger=trigger,
            time_in_force=time_in_force,
            reduce_only=reduce_only,
            post_only=post_only,
            created_ns=ts,
            updated_ns=ts,
            reason=reason,
        )
        # Apart: beyond fifteen names CPython 3.11 makes a dict for the call, which
        # costs four times the order, and these two are rare.
        if expires_ns is not None or trailing:
            return replace(order, expires_ns=expires_ns, trailing=trailing)
        return order

    def send(
        self, order: Order, intent: Signal | None = None, worth: Decimal = ZERO
    ) -> Tracked:
        """Register a draft and send it; ``worth`` is the price risk judged it at."""
        tracked = Tracked(order, intent, worth)
        self.orders.add(tracked)
        self.move(tracked, _SUBMIT)
        self._core.publish(OrderCreated(tracked.order, self._core.ts))
        self._submit(tracked)
        return tracked

    def adopt(self, order: Order) -> Tracked:
        """Register an order that was not made here."""
        tracked = Tracked(order)
        self.orders.adopt(tracked)
        tracked.heard_ns = self._core.ts
        self.queries.watch()
        return tracked

    def _submit(self, tracked: Tracked) -> None:
        now_ns = self._core.ts
        tracked.sent_ns = tracked.spoken_ns = tracked.heard_ns = now_ns
        order = tracked.order
        self.sender.send(SubmitOrder(order, self._cleared.pop(order.id, ())))
        self.queries.watch()
        self.active()

    def hold(
        self, order: Order, intent: Signal | None = None, worth: Decimal = ZERO
    ) -> Tracked:
        """Register a draft and keep it here until its trigger."""
        tracked = Tracked(order, intent, worth)
        self.orders.add(tracked)
        self.move(tracked, _HOLD)
        self._core.publish(OrderCreated(tracked.order, self._core.ts))
        return tracked

    def release(self, tracked: Tracked, quantity: Decimal, reason: str) -> None:
        """Send a held order to the broker, woken up; its trigger is kept."""
        self.move(tracked, _SUBMIT, quantity=quantity, reason=reason)
        self._submit(tracked)

    def adjust(
        self,
        tracked: Tracked,
        quantity: Decimal,
        trigger: Decimal,
        reason: str,
        *,
        price: Decimal | None = None,
        trailing: bool = False,
    ) -> None:
        """Give a held order another quantity, trigger or price."""
        self.move(
            tracked,
            _REPLACE,
            quantity=quantity,
            price=price,
            trigger=trigger,
            trailing=trailing,
            reason=reason,
        )

    def expire(self, tracked: Tracked, reason: str) -> None:
        """End a held order whose time is up."""
        self.move(tracked, _EXPIRE, reason=reason)

    def cancel(self, tracked: Tracked, reason: str) -> bool:
        """Cancel an order; return False where that is under way or pointless."""
        status = tracked.order.status
        if status is _HELD:
            self.move(tracked, _CANCEL, reason=reason)
            return True
        if _REQUEST_CANCEL not in order_machine.TABLE[status]:
            return False
        self.move(tracked, _REQUEST_CANCEL, reason=reason)
        tracked.spoken_ns = self._core.ts
        self.sender.send(CancelOrder(tracked.order.id, tracked.order.instrument))
        return True

    def clear_way(self, order: Order, met: Sequence[Order]) -> None:
        """Cancel what an order would trade with; the order is to be sent next.

        Its request says what it comes after.
        """
        for each in met:
            tracked = self.orders.get(each.id)
            if tracked is not None:
                self.cancel(tracked, f"in the way of {order.id}")
        if met:
            self._cleared[order.id] = tuple(each.id for each in met)

    def replace(
        self,
        tracked: Tracked,
        quantity: Decimal,
        price: Decimal | None,
        trigger: Decimal | None = None,
    ) -> bool:
        """Ask the venue for another quantity and price; False where it cannot be.

        ``trigger`` is that of a stop which waits there. A change that is not answered
        yet, though a refused cancel has opened the order again, comes first.
        """
        if tracked.reshaping or tracked.order.status not in _REPLACEABLE:
            return False
        self.move(tracked, _REQUEST_REPLACE)
        # A stop that becomes a market order counts at its trigger.
        self.orders.reshape(tracked, quantity, trigger if price is None else price)
        tracked.spoken_ns = self._core.ts
        order = tracked.order
        self.sender.send(
            ReplaceOrder(
                order.id,
                quantity,
                price,
                order.instrument,
                trigger,
                self._cleared.pop(order.id, ()),
            )
        )
        return True

    def reassign(
        self, tracked: Tracked, owner: str, role: OrderRole, who: str, reason: str
    ) -> None:
        """Give an order another owner; its row hears of it as of a new one."""
        core, before = self._core, tracked.order.owner
        self.orders.reassign(tracked, owner, role)
        order = tracked.order
        core.record(
            OwnerRecord(
                seq=core.seq,
                ts=core.ts,
                order_id=order.id,
                instrument=order.instrument,
                before=before,
                after=owner,
                role=role,
                who=who,
                reason=reason,
            )
        )
        sent = replace(order, status=S.SUBMITTED)
        updated = OrderUpdated(sent, S.INITIALIZED, _SUBMIT, core.ts, reason)
        core.publish(updated)
        core.emit(updated)

    def deny(self, order: Order, denial: Denial) -> None:
        """Tell everybody that the risk stage refused an order."""
        core = self._core
        if order.status is _HELD:
            tracked = self.orders.get(order.id)
            if tracked is not None:
                self.move(tracked, _DENY, reason=denial.text)
        core.record(
            DenyRecord(
                seq=core.seq,
                ts=core.ts,
                owner=order.owner,
                instrument=order.instrument,
                role=order.role,
                code=denial.code,
                text=denial.text,
            )
        )
        event = OrderDenied(
            owner=order.owner,
            instrument=order.instrument,
            role=order.role,
            code=denial.code.value,
            text=denial.text,
            ts=core.ts,
        )
        core.publish(event)
        core.emit(event)

    def close_unknown(self, tracked: Tracked, reason: str) -> bool:
        """End an Unknown order on the operator's word; a late fill is still booked."""
        if tracked.order.status is not _UNKNOWN:
            return False
        self.move(tracked, _CANCEL, inferred=True, reason=reason)
        return True

    def query(self, order: Order) -> None:
        """Ask the venue what it knows of an order, until it has said."""
        self.queries.ask(order.id, now=True)

    def give_up(self, tracked: Tracked, reason: str) -> None:
        """Say that nobody knows what became of what was asked of the venue."""
        tracked.lost = tracked.order.status
        self.move(tracked, _TIME_OUT, reason=reason)

    def doubt(self, tracked: Tracked, reason: str) -> None:
        """Take back what is believed of an order, and ask the venue."""
        if tracked.order.status is not _UNKNOWN:
            tracked.lost = None
            self.move(tracked, _DOUBT, reason=reason)
        self.queries.ask(tracked.order.id)

    def alarm(self, instrument: str, error: str, where: str = "") -> None:
        """Record that something happened that should not."""
        core = self._core
        core.record(
            FaultRecord(
                seq=core.seq,
                ts=core.ts,
                task=self.name,
                instrument=instrument,
                error=error,
                where=where,
            )
        )

    # How every move is made.

    def move(
        self,
        tracked: Tracked,
        event: OrderEvent,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        trigger: Decimal | None = None,
        venue_id: str | None = None,
        trailing: bool | None = None,
        inferred: bool = False,
        reason: str = "",
    ) -> None:
        """Move an order by its table; IllegalTransition leaves everything as it is."""
        core = self._core
        ts = core.ts
        before = tracked.order
        after = order_machine.apply(
            before,
            event,
            ts,
            quantity,
            price,
            trigger,
            venue_id,
            trailing,
            inferred,
            reason,
        )
        self.orders.update(tracked, after)
        was, now = before.status, after.status
        tracked.moves += 1
        # Nearly every move is an answer or a fill: nothing was asked to be different.
        if after.filled is before.filled and not (quantity is price is trigger is None):
            quantity = None if after.quantity == before.quantity else after.quantity
            price = None if after.price == before.price else after.price
            if price is None and after.trigger != before.trigger:
                price = after.trigger
        history = tracked.history
        history.append(OrderMove(ts, was, event, now, reason, quantity, price))
        if len(history) > KEEP_MOVES:
            del history[0]
        if now is not was:
            if tracked.timer is not None:
                tracked.timer.cancel()
                tracked.timer = None
            if self.queries.waiting and (was is _UNKNOWN or now in _FINAL):
                self.queries.stop(after.id)
            if was is _HELD:
                self.unheld(tracked)
            patience = self._patience_ns.get(now)
            if patience is not None:
                tracked.timer = core.call_at(
                    ts + patience,
                    f"{self.name}.{after.id}.{tracked.moves}",
                    partial(self._timed_out, tracked),
                )
        if inferred:
            # It may have been wrong, and nothing else may be at the venue.
            self.queries.watch()
        if event in _MESSAGES:
            self.sent(ts, event is _SUBMIT)
        worth = None
        if event is _SUBMIT and after.price is None and not after.reduce_only:
            worth = tracked.worth
        core.record(OrderRecord(core.seq, ts, after, was, event, reason, worth))
        updated = OrderUpdated(after, was, event, ts, reason)
        core.publish(updated)
        if event is _CANCEL and now is _CANCELED and was is not now:
            core.publish(OrderCanceledEvent(after, ts))
        core.emit(updated)

    def _timed_out(self, tracked: Tracked) -> None:
        tracked.timer = None
        core = self._core
        order = tracked.order
        stuck_in = order.status
        patience = self._patience_ns.get(stuck_in)
        if patience is None:
            return
        self.move(
            tracked,
            _TIME_OUT,
            reason=f"no answer for {patience / 1e9:g} s in {stuck_in.value}",
        )
        tracked.lost = stuck_in
        core.publish(OrderStuck(order.id, stuck_in, patience, core.ts))
        self.queries.ask(tracked.order.id)
