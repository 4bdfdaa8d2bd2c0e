"""A broker behind a network: the edge between the core and a ``Venue``.

To the engine it is a Broker like any other. Its requests leave once they are durable,
questions a few at a time; what comes back is an input, taken by the driver between two
others. It answers by itself only for what has not left; where the venue is silent, the
order's time-out decides.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

import msgspec

from workstation.engine.heartbeat import Heartbeat
from workstation.engine.journal import Journal
from workstation.engine.outbox import Outbox, protects
from workstation.model.errors import VenueSilent
from workstation.model.market import MarketEvent
from workstation.model.ports import Edge
from workstation.model.reports import (
    OrderCanceled,
    OrderRejected,
    OrderStatusReport,
    ReplaceRejected,
    Report,
)
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

__all__ = ["Answering", "DistantBroker", "Rationed"]

# Questions under way at once. Taking up an account that others traded on asks about a
# thousand orders: all at once they use up what the venue hears, and every connection.
_MOST_ASKING = 8
# A wall clock may be set while a question is held back: look at least this often.
_LOOK_S = 1.0
# How long an end waits for the disk: a sound one takes milliseconds.
_LAST_S = 5.0
_UNPROVED = "the journal has failed: nothing that adds risk leaves"
ZERO = Decimal(0)

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


@runtime_checkable
class Answering(Protocol):
    """A venue that counts its answers: what it brings need not be one.

    A look may have nothing to ask, and an order may be refused without being sent.
    """

    @property
    def answers(self) -> int:
        """Return how many calls have been answered."""


class _Leaving:
    """A request that may leave once the cancels before it are answered or silent."""

    def __init__(
        self, request: SingleRequest, after: tuple[asyncio.Event, ...]
    ) -> None:
        self.request = request
        self.after = after
        self.begun = False
        self.answered = asyncio.Event()


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
        absent_after_ns: int = 0,
    ) -> None:
        """``absent_after_ns`` is how long an order may be on its way once it has left.

        The core cannot know how long the edge held it back: that the venue knows no
        such order is not handed on before.
        """
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
        self._answering = venue if isinstance(venue, Answering) else None
        self._poll_s = poll_s
        self._heartbeat = heartbeat
        self._absent_after_ns = absent_after_ns
        # When each order left that had no answer yet (the run's clock).
        self._left: dict[str, int] = {}
        self._outbox = Outbox(None)
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: dict[str, deque[_Leaving]] = {}
        self._cancels: dict[str, asyncio.Event] = {}
        # Questions that wait, by order, oldest first; how many are under way.
        self._held: dict[str, Question] = {}
        self._asking = 0
        self._look_again: asyncio.TimerHandle | None = None
        self._about_account: asyncio.Task[None] | None = None
        self._unheard = self._fault = ""
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
            if isinstance(each, CancelOrder) and self._withdraw(each.order_id):
                reason = "before it left"
                self._arrive([OrderCanceled(each.order_id, reason, filled=ZERO)])
            else:
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

    @property
    def unguarded(self) -> str:
        """Return why the watchdog that is wanted is not there; empty when it is."""
        return "" if self._heartbeat is None else self._heartbeat.failure

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
                await self._leave_last(tasks.create_task)
            if beating is not None:
                # Not before: what is under way may take longer than a silence may.
                beating.cancel()
        if self._heartbeat is not None and not self._outbox:
            self._heartbeat.dismiss()
        await self._venue.close()

    def stop(self) -> None:
        """End ``run`` once what is under way has been answered or given up.

        Of what has not left, cancels and what reduces a position leave still. Where the
        disk keeps one of them back, the watchdog is not dismissed: it takes the end for
        a kill.
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
            self._arrive(_refusals(request, _UNPROVED))
        for request in leaving:
            if isinstance(request, _QUESTIONS):
                # The later one about the same stands for both, in the place of both.
                self._held[_order_id(request)] = request
            else:
                self._line_up(request, begin)

    async def _leave_last(self, begin: _Begin) -> None:
        """Let what reduces risk leave at the end, as soon as the disk has it."""
        outbox = self._outbox
        outbox.drop_the_rest()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_S):
                while True:
                    self._wake.clear()
                    self._leave(begin)
                    if not outbox:
                        return
                    await self._wake.wait()

    def _put_questions(self, begin: _Begin) -> None:
        """Let questions leave, oldest first, as far as there is room for them."""
        self._forget_timer()
        while self._asking < _MOST_ASKING:
            question = self._next_question()
            if question is None:
                return
            wait_s = 0.0
            if self._rationed is not None:
                wait_s = self._rationed.holds_s(question, self._asking)
            if wait_s > 0:
                loop, wait_s = asyncio.get_running_loop(), min(wait_s, _LOOK_S)
                self._look_again = loop.call_later(wait_s, self._wake.set)
                return
            del self._held[_order_id(question)]
            self._asking += 1
            self._line_up(question, begin)

    def _next_question(self) -> Question | None:
        """Return the oldest one about an order of which nothing else is under way.

        The others would take the room of questions that can be answered now; what is
        asked again while it is under way is asked once more after that.
        """
        free = (each for name, each in self._held.items() if name not in self._queues)
        return next(free, None)

    def _forget_timer(self) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None

    def _withdraw(self, order_id: str) -> bool:
        """Keep an order here that has not left yet; tell whether there was one."""
        if self._outbox.withdraw(order_id):
            return True
        queue = self._queues.get(order_id)
        if queue and isinstance(queue[0].request, SubmitOrder) and not queue[0].begun:
            queue.popleft()
            return True
        return False

    def _line_up(self, request: SingleRequest, begin: _Begin) -> None:
        """Put a request behind those of the same order, which leave one by one."""
        order_id = _order_id(request)
        each = self._behind(request)
        queue = self._queues.get(order_id)
        if queue is not None:
            queue.append(each)
            return
        self._queues[order_id] = deque([each])
        sending = begin(self._send_all(order_id))
        if isinstance(request, QueryAccount):
            self._about_account = sending

    def _behind(self, request: SingleRequest) -> _Leaving:
        """Let an order wait for the cancels of what of ours it would trade with."""
        after: tuple[asyncio.Event, ...] = ()
        if isinstance(request, SubmitOrder | ReplaceOrder):
            found = (self._cancels.get(each) for each in request.after)
            after = tuple(each for each in found if each is not None)
        each = _Leaving(request, after)
        if isinstance(request, CancelOrder):
            self._cancels[request.order_id] = each.answered
        return each

    async def _send_all(self, order_id: str) -> None:
        queue = self._queues[order_id]
        while queue:
            each = queue[0]
            for cancel in each.after:
                await cancel.wait()
            if not queue or queue[0] is not each:
                # It was canceled before it left.
                continue
            each.begun = True
            if not self._stopping or protects(each.request):
                await self._ask(self._send, each.request)
            each.answered.set()
            # Else a later cancel of the same order stands for both.
            if self._cancels.get(order_id) is each.answered:
                del self._cancels[order_id]
            queue.popleft()
            if isinstance(each.request, _QUESTIONS):
                self._asking -= 1
                self._wake.set()
        del self._queues[order_id]
        # Now there may be a question about it.
        self._wake.set()

    async def _send(self, request: SingleRequest) -> Sequence[Report]:
        if self._heartbeat is not None and not self._heartbeat.leaving(request):
            return _refusals(request, f"no watchdog: {self._heartbeat.failure}")
        if isinstance(request, SubmitOrder) and self._absent_after_ns:
            self._left[request.order.id] = self._edge.ts
        reports = await self._venue.send(request)
        if isinstance(request, SubmitOrder):
            self._left.pop(request.order.id, None)
        return reports

    async def _poll(self) -> None:
        pause_s = self._poll_s
        while True:
            await asyncio.sleep(pause_s)
            told = await self._ask(self._venue.news)
            # News may come in parts: there is more where there was any.
            pause_s = 0.0 if told else self._poll_s

    async def _ask(
        self, call: Callable[..., Awaitable[Sequence[Report]]], *request: SingleRequest
    ) -> bool:
        """Hand on what a call brings; return whether it brought anything."""
        answering = self._answering
        before = 0 if answering is None else answering.answers
        try:
            reports = await call(*request)
        except VenueSilent as silence:
            self._hear(str(silence))
        except Exception as error:  # one call's edge: the account stays in hand
            self._count(error)
        else:
            if answering is None or answering.answers > before:
                self._hear("")
            self._arrive(reports)
            return bool(reports)
        return False

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
        self._hear(self._unheard)

    def _hear(self, silence: str) -> None:
        self._unheard = silence
        told = f"{self.faults} faults of ours, the last one: {self._fault}"
        self.silence = "; ".join(filter(None, (silence, told if self.faults else "")))

    def _arrive(self, reports: Sequence[Report]) -> None:
        heard = [each for each in reports if not self._is_early(each)]
        if heard:
            self.arrived.extend(heard)
            self.on_arrival()

    def _is_early(self, report: Report) -> bool:
        """Tell whether an order counts as unknown there that may be on its way yet."""
        if not isinstance(report, OrderStatusReport) or report.status is not None:
            return False
        left_ns = self._left.get(report.order_id)
        if left_ns is None:
            return False
        asked_ns = self._edge.ts if report.asked_ns is None else report.asked_ns
        return asked_ns - left_ns < self._absent_after_ns


def _order_id(request: SingleRequest) -> str:
    """Return the order of a request; one about the account is about none."""
    if isinstance(request, QueryAccount):
        return ""
    return request.order.id if isinstance(request, SubmitOrder) else request.order_id


def _refusals(request: SingleRequest, reason: str) -> Sequence[Report]:
    if isinstance(request, SubmitOrder):
        return (OrderRejected(request.order.id, reason),)
    if isinstance(request, ReplaceOrder):
        return (ReplaceRejected(request.order_id, reason),)
    return ()
