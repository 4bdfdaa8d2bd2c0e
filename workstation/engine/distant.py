"""A broker behind a network: the edge between the core and a ``Venue``.

To the engine it is a Broker like any other. Its requests leave once they are durable,
questions a few at a time; what comes back is an input, taken by the driver between two
others. It keeps no order and decides nothing: where the venue is silent, the order's
time-out does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

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
    QueryOrder,
    ReplaceOrder,
    Request,
    SingleRequest,
    SubmitOrder,
)
from workstation.model.roles import Venue

__all__ = ["DistantBroker", "Rationed"]

# Questions under way at once. Taking up an account that others traded on asks about a
# thousand orders: all at once they use up what the venue hears, and every connection.
_MOST_ASKING = 8
# A wall clock may be set while a question is held back: look at least this often.
_LOOK_S = 1.0

Question = QueryOrder | QueryAccount
_QUESTIONS = (QueryOrder, QueryAccount)
# Starts a task that ``run`` waits for.
_Begin = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


@runtime_checkable
class Rationed(Protocol):
    """A venue that hears only so much: it says when there is room for a question."""

    def holds_s(self, question: Question, others: int) -> float:
        """Return for how many seconds a question is better held back; 0 for none.

        ``others`` are under way and may still need what they weigh.
        """


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
        self._rationed = venue if isinstance(venue, Rationed) else None
        self._poll_s = poll_s
        self._heartbeat = heartbeat
        self._outbox = Outbox(None)
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: dict[str, deque[_Leaving]] = {}
        self._cancels: dict[str, asyncio.Event] = {}
        # Questions that wait for room, by order, oldest first; how many were let go.
        self._held: dict[str, Question] = {}
        self._asking = 0
        self._look_again: asyncio.TimerHandle | None = None
        self._about_account: asyncio.Task[None] | None = None
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
        lined_up = sum(map(len, self._queues.values()))
        return len(self._outbox) + len(self._held) + lined_up

    # At the edge.

    async def run(self) -> None:
        """Send what may leave and fetch what is new, until ``stop``."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as around:
            beating: asyncio.Task[None] | None = None
            if self._heartbeat is not None:
                # It beats at once, before anything leaves.
                beating = around.create_task(self._heartbeat.run())
            async with asyncio.TaskGroup() as tasks:
                polling = tasks.create_task(self._poll())
                while not self._stopping:
                    self._wake.clear()
                    self._leave(tasks.create_task)
                    self._put_questions(tasks.create_task)
                    await self._wake.wait()
                polling.cancel()
                self._forget_timer()
                if self._about_account is not None:
                    # It may take minutes, and nothing follows from it any more.
                    self._about_account.cancel()
            if beating is not None:
                # Not before: what is under way may take longer than a silence may.
                beating.cancel()
        if self._heartbeat is not None:
            self._heartbeat.dismiss()
        await self._venue.close()

    def stop(self) -> None:
        """End ``run`` once what is under way has been answered or given up.

        Questions that are held back are not asked any more.
        """
        self._stopping = True
        self._wake.set()

    def _durable(self) -> None:
        # On the journal's thread.
        loop = self._loop
        if loop is not None and len(self._outbox) and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    def _leave(self, begin: _Begin) -> None:
        leaving, refused = self._outbox.take()
        for request in refused:
            self._arrive(_refusals(request))
        for request in leaving:
            if isinstance(request, _QUESTIONS):
                # The later one about the same stands for both, in the place of both.
                self._held[_order_id(request)] = request
            else:
                self._line_up(request, begin)

    def _put_questions(self, begin: _Begin) -> None:
        """Let questions leave, oldest first, as far as there is room for them."""
        self._forget_timer()
        while self._held and self._asking < _MOST_ASKING:
            order_id, question = next(iter(self._held.items()))
            wait_s = 0.0
            if self._rationed is not None:
                wait_s = self._rationed.holds_s(question, self._asking)
            if wait_s > 0:
                loop, wait_s = asyncio.get_running_loop(), min(wait_s, _LOOK_S)
                self._look_again = loop.call_later(wait_s, self._wake.set)
                return
            del self._held[order_id]
            self._asking += 1
            self._line_up(question, begin)

    def _forget_timer(self) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None

    def _line_up(self, request: SingleRequest, begin: _Begin) -> None:
        """Put a request behind those of the same order, which leave one by one."""
        order_id = _order_id(request)
        each = self._behind(request)
        queue = self._queues.get(order_id)
        if queue is None:
            self._queues[order_id] = deque([each])
            sending = begin(self._send_all(order_id))
            if isinstance(request, QueryAccount):
                self._about_account = sending
            return
        place = len(queue)
        if not isinstance(request, _QUESTIONS):
            # The first one is under way; a question behind it can wait for this.
            while place > 1 and isinstance(queue[place - 1].request, _QUESTIONS):
                place -= 1
        queue.insert(place, each)

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
            if isinstance(request, _QUESTIONS):
                self._asking -= 1
                self._wake.set()
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
