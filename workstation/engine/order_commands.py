"""Commands to orders, limits: place, amend, cancel, flatten, hold, kill, set a limit.

``Control`` calls a handler with a command and gets a sentence back, or CommandRefused;
the Executor carries it out. What was made on an old picture, or after the run's end, is
refused here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from workstation.engine.engine import Engine
from workstation.execution.executor import Executor
from workstation.execution.tickets import keeps_queue
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    CloseUnknown,
    Command,
    Flatten,
    Hold,
    Kill,
    PlaceOrder,
    Rearm,
    SetLimit,
)
from workstation.model.errors import CommandRefused
from workstation.model.orders import Order, OrderRole, OrderStatus, order_number

__all__ = ["OrderCommands"]


class OrderCommands:
    """The operator's hand on the orders of one engine."""

    def __init__(self, engine: Engine, executor: Executor) -> None:
        self._engine = engine
        self._executor = executor
        self._handlers = executor.handlers()

    def handlers(self) -> dict[type, Callable[[Any], str]]:
        """Return the handler of each command."""
        return {
            PlaceOrder: self._place,
            AmendOrder: self._amend,
            CancelOrders: self._cancel,
            CloseUnknown: self._close_unknown,
            Flatten: self._flatten,
            Hold: self._pass_on,
            Kill: self._pass_on,
            Rearm: self._pass_on,
            SetLimit: self._pass_on,
        }

    @property
    def ts(self) -> int:
        """Return the run's clock in ns."""
        return self._engine.core.ts

    def check_seen(self, command: Command, instrument: str) -> None:
        """Refuse a command made on a picture that is out of date."""
        seen = command.seen_seq
        touched = self._engine.store.touched.get(instrument, 0)
        if seen is not None and touched > seen:
            raise CommandRefused(
                f"orders or position of {instrument} changed at seq {touched}, after "
                f"what was shown (seq {seen}); look again and repeat"
            )

    def close(self, owner: str, instrument: str, reason: str) -> None:
        """Flatten what one owner holds; raises CommandRefused."""
        self._handlers[Flatten](
            Flatten(instrument=instrument, owner=owner, reason=reason)
        )

    def cancel_entries(self, owner: str, instrument: str | None = None) -> int:
        """Cancel an owner's working entries, and those to come; return how many."""
        dropped = self._executor.drop_waiting(owner, instrument, "entries canceled")
        dropped += self._executor.withdraw_quotes(owner, instrument, "entries canceled")
        ids = tuple(
            order.id
            for order in self._executor.orders()
            if order.owner == owner
            and order.role is OrderRole.ENTRY
            and not order.is_terminal
            and instrument in (None, order.instrument)
        )
        if not ids:
            return dropped
        try:
            self._handlers[CancelOrders](CancelOrders(order_ids=ids))
        except CommandRefused:
            # All of them are being canceled already.
            return dropped
        return len(ids) + dropped

    def _place(self, command: PlaceOrder) -> str:
        self._check_running("no order is taken")
        self.check_seen(command, command.instrument)
        self._handlers[PlaceOrder](command)
        waits = command.trigger is not None and not self._executor.risk.keeps_stops
        done = f"{_asked(command)} {'is held here' if waits else 'was sent'}"
        return f"{done}: {command.reason}" if command.reason else done

    def _amend(self, command: AmendOrder) -> str:
        self._check_running("no order is changed")
        orders = self._executor.orders()
        before = next((o for o in orders if o.id == command.order_id), None)
        if before is not None:
            self.check_seen(command, before.instrument)
        self._handlers[AmendOrder](command)
        assert before is not None
        return _amended(before, command)

    def _check_running(self, what: str) -> None:
        if self._engine.ended:
            raise CommandRefused(
                f"the run has ended and nothing fills any more; {what}"
            )

    def _cancel(self, command: CancelOrders) -> str:
        named = set(command.order_ids)
        for order in self._executor.orders():
            if order.id in named:
                self.check_seen(command, order.instrument)
        return self._pass_on(command)

    def _close_unknown(self, command: CloseUnknown) -> str:
        if not command.reason.strip():
            raise CommandRefused("closing an unknown order needs a reason")
        for order in self._executor.orders():
            if order.id == command.order_id:
                self.check_seen(command, order.instrument)
        self._executor.close_unknown(command.order_id, command.reason)
        return f"{command.order_id} is closed on the operator's word: {command.reason}"

    def _flatten(self, command: Flatten) -> str:
        self._check_running("what is open stays open")
        self.check_seen(command, command.instrument)
        return self._pass_on(command)

    def _pass_on(self, command: Command) -> str:
        self._handlers[type(command)](command)
        done = _done(command)
        return f"{done}: {command.reason}" if command.reason else done


def _amended(before: Order, command: AmendOrder) -> str:
    """Return what an amend has begun, and what it does to the queue."""
    if before.is_untriggered:
        moves = _moves(before, command)
        text = f"{before.role} {order_number(before.id)}: {', '.join(moves)}"
        if before.status is not OrderStatus.HELD:
            text += ": asked for"
        return text
    if keeps_queue(before, command.quantity, command.price):
        queue = "it keeps its place in the queue where the venue grants that"
    else:
        queue = "it goes to the end of the queue"
    return (
        f"amend of {before.id} to {command.quantity} at {command.price} asked for; "
        f"{queue}"
    )


def _moves(before: Order, command: AmendOrder) -> list[str]:
    """Return what an amend changes of a stop, from what to what."""
    trigger, limit = command.trigger, command.price
    if before.price is None:
        # It has no limit: the one price that is named is its trigger's.
        trigger, limit = trigger or limit, None
    pairs = (
        ("", before.quantity, command.quantity),
        ("trigger ", before.trigger, trigger),
        ("price ", before.price, limit),
    )
    return [
        f"{name}{_pair(was, now)}"
        for name, was, now in pairs
        if was is not None and now is not None and was != now
    ]


def _pair(was: Decimal, now: Decimal) -> str:
    """Return both with the same decimals, no more than the finer one needs."""
    exponents = [value.normalize().as_tuple().exponent for value in (was, now)]
    digits = max(0, *(-each for each in exponents if isinstance(each, int)))
    return f"{was:,.{digits}f} to {now:,.{digits}f}"


def _asked(command: PlaceOrder) -> str:
    """Return an order in words: side, quantity, instrument, where it trades."""
    at = "at market" if command.price is None else f"at {command.price}"
    if command.trigger is not None:
        at += f" once {command.trigger} is met"
    return f"{command.side} {command.quantity} {command.instrument} {at}"


def _done(command: Command) -> str:
    """Return what the Executor has begun, in a sentence."""
    if isinstance(command, CancelOrders):
        orders = len(command.order_ids)
        return f"cancel of {orders} order{'s' if orders != 1 else ''} asked for"
    if isinstance(command, Flatten):
        return f"{command.instrument} of {command.owner or 'everybody'} is being closed"
    if isinstance(command, Hold):
        if command.on:
            return "new entries are on hold; exits and cancels go on"
        return "the hold is lifted"
    if isinstance(command, Kill):
        return f"killed at {command.level}; only a re-arm allows orders again"
    if isinstance(command, SetLimit):
        limit = "no limit" if command.value is None else f"{command.value:f}"
        return f"{command.name} is {limit}"
    return "orders are allowed again"
