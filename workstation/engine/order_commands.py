"""Commands to orders: cancel, flatten, hold, kill and re-arm, passed to the Executor.

``Control`` calls a handler with a command and gets a sentence back, or CommandRefused.
A flatten that was made on an old picture, or after the run's end, is refused here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workstation.engine.engine import Engine
from workstation.execution.executor import Executor
from workstation.model.commands import (
    CancelOrders,
    CloseUnknown,
    Command,
    Flatten,
    Hold,
    Kill,
    Rearm,
)
from workstation.model.errors import CommandRefused
from workstation.model.orders import OrderRole

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
            CancelOrders: self._cancel,
            CloseUnknown: self._close_unknown,
            Flatten: self._flatten,
            Hold: self._pass_on,
            Kill: self._pass_on,
            Rearm: self._pass_on,
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

    def _cancel(self, command: CancelOrders) -> str:
        named = set(command.order_ids)
        for order in self._executor.orders():
            if order.id in named:
                self.check_seen(command, order.instrument)
        return self._pass_on(command)

    def _close_unknown(self, command: CloseUnknown) -> str:
        if not command.reason.strip():
            raise CommandRefused("closing an unknown order needs a reason")
        self._executor.close_unknown(command.order_id, command.reason)
        return f"{command.order_id} is closed on the operator's word: {command.reason}"

    def _flatten(self, command: Flatten) -> str:
        if self._engine.ended:
            raise CommandRefused(
                "the run has ended and nothing fills any more; what is open stays open"
            )
        self.check_seen(command, command.instrument)
        return self._pass_on(command)

    def _pass_on(self, command: Command) -> str:
        self._handlers[type(command)](command)
        done = _done(command)
        return f"{done}: {command.reason}" if command.reason else done


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
    return "orders are allowed again"
