"""A broker behind a network: the edge between the core and a ``Venue``.

To the engine it is a Broker like any other. Its requests leave once they are durable;
what comes back is an input, taken by the driver between two others. It keeps no order
and decides nothing: where the venue is silent, the order's time-out does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NamedTuple

import msgspec

from workstation.engine.heartbeat import Heartbeat
from workstation.engine.journal import Journal
from workstation.engine.outbox import Outbox
from workstation.model.errors import VenueSilent
from workstation.model.market import MarketEvent
from workstation.model.ports import Edge
from workstation.model.reports import OrderRejected, ReplaceRejected, Report
from workstation.model.requests import (
    BatchRequest,
    CancelOrder,
    QueryAccount,
    ReplaceOrder,
    Request,
    SingleRequest,
    SubmitOrder,
)
from workstation.model.roles import Venue

__all__ = ["DistantBroker"]


class _Leaving(NamedTuple):
    """A request that may leave once the cancels before it are answered or silent."""

    request: SingleRequest
    after: tuple[asyncio.Event, ...]
    answered: asyncio.Event


class DistantBroker:
    """Carries requests to one venue and brings its reports; ``run`` is its task.

    ``arrived`` are the reports that no driver has taken yet; ``on_arrival`` is called
    in the loop when there are new ones.
    """

    def __init__(
        self,
        venue: Venue,
        *,
        poll_s: float = 1.0,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        self.name = venue.name
        self.arrived: deque[Report] = deque()
        self.on_arrival: Callable[[], None] = lambda: None
        self.silence = ""
        """Why the last call had no answer; empty once there was one again. Faults are
        told with it until the run ends: nobody knows what they led to."""
        self.faults = 0
        """How many calls ended in an error of ours, which nobody has foreseen."""
        self._venue = venue
        self._poll_s = poll_s
        self._heartbeat = heartbeat
        self._outbox = Outbox(None)
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: dict[str, deque[_Leaving]] = {}
        self._cancels: dict[str, asyncio.Event] = {}
        self._fault = ""
        self._stopping = False
        self._edge: Edge

    def facts(self) -> dict[str, object]:
        """Return what decides something of the venue: its name and abilities."""
        abilities = msgspec.to_builtins(self._venue.abilities)
        return {"name": self.name, "abilities": abilities}

    # As a Broker. The venue has its own market: it wants to see nothing of ours.

    precedes: tuple[type, ...] = ()
    trails: tuple[type, ...] = ()

    def attach(self, edge: Edge) -> None:
        """Receive the run's clock; what comes back is not scheduled on it."""
        self._edge = edge

    def journal_to(self, journal: Journal) -> None:
        """Let requests wait for this journal, once, before the first of them."""
        self._outbox = Outbox(journal)
        journal.on_durable = self._durable

    def request(self, request: Request) -> None:
        """Queue a request; it leaves when what led to it is on disk."""
        parts = request.requests if isinstance(request, BatchRequest) else (request,)
        for each in parts:
            self._outbox.put(each)
        self._wake.set()

    def before_market(self, event: MarketEvent) -> None:
        """Do nothing: the venue has its own market."""

    def after_market(self, event: MarketEvent) -> None:
        """Do nothing: the venue has its own market."""

    @property
    def waiting(self) -> int:
        """Return how many requests have not been answered yet."""
        return len(self._outbox) + sum(map(len, self._queues.values()))

    # At the edge.

    async def run(self) -> None:
        """Send what may leave and fetch what is new, until ``stop``."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as around:
            beating: asyncio.Task[None] | None = None
            if self._heartbeat is not None:
                self._heartbeat.beat()
                beating = around.create_task(self._heartbeat.run())
            async with asyncio.TaskGroup() as tasks:
                polling = tasks.create_task(self._poll())
                while not self._stopping:
                    self._wake.clear()
                    self._leave(tasks.create_task)
                    await self._wake.wait()
                polling.cancel()
            if beating is not None:
                # Not before: what is under way may take longer than a silence may.
                beating.cancel()
        if self._heartbeat is not None:
            self._heartbeat.dismiss()
        await self._venue.close()

    def stop(self) -> None:
        """End ``run`` once what is under way has been answered or given up."""
        self._stopping = True
        self._wake.set()

    def _durable(self) -> None:
        # On the journal's thread.
        loop = self._loop
        if loop is not None and len(self._outbox) and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    def _leave(self, begin: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        leaving, refused = self._outbox.take()
        for request in refused:
            self._arrive(_refusals(request))
        for request in leaving:
            order_id = _order_id(request)
            each = self._behind(request)
            queue = self._queues.get(order_id)
            if queue is not None:
                # What is asked of one order arrives in the order of asking.
                queue.append(each)
                continue
            self._queues[order_id] = deque([each])
            begin(self._send_all(order_id))

    def _behind(self, request: SingleRequest) -> _Leaving:
        """Let an order wait for the cancels of what of ours it would trade with."""
        answered = asyncio.Event()
        after: tuple[asyncio.Event, ...] = ()
        if isinstance(request, SubmitOrder | ReplaceOrder):
            found = (self._cancels.get(each) for each in request.after)
            after = tuple(each for each in found if each is not None)
        elif isinstance(request, CancelOrder):
            self._cancels[request.order_id] = answered
        return _Leaving(request, after, answered)

    async def _send_all(self, order_id: str) -> None:
        queue = self._queues[order_id]
        while queue:
            request, after, answered = queue[0]
            for cancel in after:
                await cancel.wait()
            await self._ask(self._send, request)
            answered.set()
            # Else a later cancel of the same order stands for both.
            if self._cancels.get(order_id) is answered:
                del self._cancels[order_id]
            queue.popleft()
        del self._queues[order_id]

    async def _send(self, request: SingleRequest) -> Sequence[Report]:
        if self._heartbeat is not None:
            self._heartbeat.leaving(request)
        return await self._venue.send(request)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            await self._ask(self._venue.news)

    async def _ask(
        self, call: Callable[..., Awaitable[Sequence[Report]]], *request: SingleRequest
    ) -> None:
        try:
            reports = await call(*request)
        except VenueSilent as silence:
            self._hear(str(silence))
        except Exception as error:  # one call's edge: the account stays in hand
            self._count(error)
        else:
            self._hear("")
            self._arrive(reports)

    def _count(self, error: Exception) -> None:
        """Count a fault; what became of the request is not known, as after silence."""
        self.faults += 1
        fault = f"{type(error).__name__}: {error}"
        if fault != self._fault:
            self._fault = fault
            message = f"the edge of {self.name} goes on after a fault"
            asyncio.get_running_loop().call_exception_handler(
                {"message": message, "exception": error}
            )
        self._hear("")

    def _hear(self, silence: str) -> None:
        told = f"{self.faults} faults of ours, the last one: {self._fault}"
        self.silence = "; ".join(filter(None, (silence, told if self.faults else "")))

    def _arrive(self, reports: Sequence[Report]) -> None:
        if reports:
            self.arrived.extend(reports)
            self.on_arrival()


def _order_id(request: SingleRequest) -> str:
    """Return the order of a request; one about the account is about none."""
    if isinstance(request, QueryAccount):
        return ""
    return request.order.id if isinstance(request, SubmitOrder) else request.order_id


def _refusals(request: SingleRequest) -> Sequence[Report]:
    reason = "the journal has failed: nothing that adds risk leaves"
    if isinstance(request, SubmitOrder):
        return (OrderRejected(request.order.id, reason),)
    if isinstance(request, ReplaceOrder):
        return (ReplaceRejected(request.order_id, reason),)
    return ()
