"""Questions to the venue: what it knows of an order, asked again until it has said.

The desk asks about every order of unknown fate; reports end a question. The waits
between tries grow on the run's clock. It moves no order.
"""

from __future__ import annotations

from functools import partial

from workstation.execution.orders import Orders
from workstation.execution.sender import Sender
from workstation.execution.settings import OrderSettings
from workstation.execution.tracked import Tracked
from workstation.kernel.clock import Timer
from workstation.model.orders import OrderStatus
from workstation.model.ports import Core
from workstation.model.requests import QueryOrder
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

__all__ = ["Queries"]

# An end that was concluded is asked about this long: it may have been wrong.
WATCH_INFERRED_NS = 600 * NS_PER_S
_OPEN = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


class Queries:
    """The open questions about the orders of one desk."""

    def __init__(
        self, name: str, settings: OrderSettings, orders: Orders, sender: Sender
    ) -> None:
        self._name = name
        self._orders = orders
        self._sender = sender
        self._first_ns = settings.query_retry_ms * NS_PER_MS
        self._longest_ns = settings.query_retry_most_ms * NS_PER_MS
        self._check_ns = settings.check_ms * NS_PER_MS
        self.waiting: dict[str, Timer] = {}
        """When each order that an answer is awaited about is asked about again."""
        self._tries: dict[str, int] = {}
        self._asked = 0
        self._checks = 0
        self._checking = False
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def ask(self, order_id: str, *, now: bool = False) -> None:
        """Ask, and ask again until ``stop``; ``now`` repeats an open question."""
        timer = self.waiting.get(order_id)
        if timer is not None:
            if not now:
                return
            timer.cancel()
        self._send(order_id)

    def _send(self, order_id: str) -> None:
        core = self._core
        tries = self._tries.get(order_id, 0)
        wait = min(self._first_ns << min(tries, 20), self._longest_ns)
        self._tries[order_id] = tries + 1
        self._asked += 1
        self.waiting[order_id] = core.call_at(
            core.ts + wait,
            f"{self._name}.{order_id}.query{self._asked}",
            partial(self._send, order_id),
        )
        tracked = self._orders.get(order_id)
        instrument = "" if tracked is None else tracked.order.instrument
        self._sender.send(QueryOrder(order_id, instrument, core.ts))

    def stop(self, order_id: str) -> None:
        """Ask no more about an order."""
        timer = self.waiting.pop(order_id, None)
        if timer is not None:
            timer.cancel()
            del self._tries[order_id]

    def asks(self, order_id: str) -> bool:
        """Tell whether an answer about this order is awaited."""
        return order_id in self.waiting

    def watch(self) -> None:
        """Look through the working orders from time to time, while there are any.

        A report that was lost leaves no other trace: an order of which nothing was
        heard for ``check_ms`` is asked about.
        """
        if not self._checking and self._check_ns:
            self._checking = True
            self._checks += 1
            self._core.call_at(
                self._core.ts + self._check_ns,
                f"{self._name}.check{self._checks}",
                self._check,
            )

    def _check(self) -> None:
        self._checking = False
        core, orders = self._core, self._orders
        silent_since = core.ts - self._check_ns
        for tracked in orders.working():
            if tracked.order.status in _OPEN and tracked.heard_ns <= silent_since:
                self.ask(tracked.order.id)
        if self.doubt() or orders.at_venue:
            self.watch()

    def doubt(self) -> bool:
        """Ask about the ends that were concluded not long ago; tell if there are any.

        They are asked about again while there are.
        """
        doubtful = self.doubtful()
        for tracked in doubtful:
            self.ask(tracked.order.id)
        if doubtful:
            self.watch()
        return bool(doubtful)

    def doubtful(self) -> list[Tracked]:
        """Return the orders whose end was concluded not long ago: it may be wrong."""
        since = self._core.ts - WATCH_INFERRED_NS
        return [t for t in self._orders.inferred() if t.order.updated_ns >= since]

    def reconnected(self) -> None:
        """Ask about every order at the venue: reports may have been lost."""
        for tracked in (*self._orders.working(), *self._orders.inferred()):
            self.ask(tracked.order.id, now=True)

    def digest(self) -> object:
        """Return which orders are asked about, and how much was asked."""
        return tuple(self.waiting), self._asked, self._checks
