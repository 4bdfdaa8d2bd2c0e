"""The engine: sources, core, parts and brokers of one run, moved step by step.

Drivers call ``step`` and the operator ``execute``, both only between inputs. The
engine owns the task registry and turns what fails in a part into a visible fault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args

from workstation.engine.channels import CHANNELS
from workstation.engine.core import EdgePort, EngineCore
from workstation.engine.distant import DistantBroker
from workstation.engine.journal import Journal
from workstation.engine.settings import EngineSettings
from workstation.engine.sources import Feed, Sources
from workstation.engine.store import StateStore
from workstation.kernel import (
    Dispatcher,
    EventBus,
    SimClock,
    Supervision,
    Task,
    TaskHandle,
    TaskRegistry,
    TaskState,
)
from workstation.model.commands import Command
from workstation.model.errors import FeedHole
from workstation.model.events import ResyncWanted
from workstation.model.market import MarketEvent
from workstation.model.records import FaultRecord, FeedRecord, TaskRecord
from workstation.model.reports import Report
from workstation.model.requests import Request
from workstation.model.roles import Broker, Connector, Part
from workstation.strategy.replies import ScriptAnswered
from workstation.strategy.script import describe

__all__ = ["Engine", "PartTask"]

_COMMANDS = frozenset(get_args(Command))
_MARKET_EVENTS: tuple[type, ...] = get_args(MarketEvent)
_FOR_EVER_NS = 1 << 63
_Witness = tuple[Callable[[MarketEvent], None], TaskHandle]


class PartTask(Task):
    """A part of the engine in the task registry; it holds back its own work."""

    receives_while_paused = True

    def __init__(self, name: str, role: str) -> None:
        self.name = name
        self.role = role


class Engine:
    """One run from its first event to its end.

    ``on_fault`` sees each contained fault after it was recorded; the operator's
    side uses it to supervise strategies; ``fault_sinks`` get the record, too, with
    what a record does not hold. ``on_hole`` is told of events that a feed has
    lost, to trust nothing of it until it delivers again.
    """

    def __init__(
        self,
        *,
        connectors: Sequence[Connector],
        aggregator: Part,
        strategies: Sequence[Part],
        executors: Sequence[Part],
        brokers: Sequence[Broker] = (),
        settings: EngineSettings | None = None,
    ) -> None:
        self.settings = settings or EngineSettings()
        self.sources = Sources(connectors)
        self.aggregator = aggregator
        self.strategies = tuple(strategies)
        self.executors = tuple(executors)
        self.brokers = tuple(brokers)
        self.distant = tuple(b for b in self.brokers if isinstance(b, DistantBroker))
        self.clock = SimClock()
        self.bus = EventBus(CHANNELS, history=1_000)
        self.dispatcher = Dispatcher(self._on_fault)
        self.registry = TaskRegistry(self.clock, on_change=self._on_task)
        self.core = EngineCore(self.clock, self.dispatcher, self.bus)
        self.store = StateStore(self.settings.history)
        self.core.sinks.append(self.store)
        # Bound once: these are called for every tick.
        self._dispatch = self.dispatcher.dispatch
        self.journal: Journal | None = None
        self.first_ts: int | None = None
        self.failed_at_start: dict[str, str] = {}
        # Settings that decide: two runs with other ones are not the same run.
        self.rules = ""
        self.start_notes: dict[str, str] = {}
        self.waits = True
        """A step waits for the scripts that it asks; else it may end unfinished."""
        self._rest: Callable[[], object] | None = None
        self._resuming = False
        self.core.scripts.deliver = self._take_answer
        self.started = False
        self.closed = False
        self.on_fault: Callable[[str, Exception], None] = lambda task, error: None
        self.fault_sinks: list[Callable[[FaultRecord, Exception], None]] = []
        self.on_hole: Callable[[Feed, str], None] = lambda feed, detail: None
        self._wire()

    # Life.

    def start(self) -> None:
        """Start all tasks at the time of the first event; harmless when started."""
        if self.started:
            return
        # A feed may fail at its first event; its task can only fail once it runs.
        first = self.sources.peek_ts()
        self.started = True
        if first is not None:
            self.clock.advance_to(first)
            self.core.ts = first
        self.first_ts = first
        for handle in self.registry:
            self.registry.set_state(handle, TaskState.INITIALIZING, "start")
            failure = self.failed_at_start.get(handle.name)
            if failure is None:
                reason = self.start_notes.get(handle.name, "start")
                self.registry.set_state(handle, TaskState.RUNNING, reason)
            else:
                self.registry.set_state(handle, TaskState.FAILED, failure)
        if first is None:
            # No step will come that could say why there is nothing.
            self.sources.tell()
        for feed in self.sources.feeds:
            if feed.error is not None:
                self._fail(feed)

    def close(self) -> None:
        """Release the files; the picture of the end stays readable."""
        if not self.closed:
            self.closed = True
            self.sources.close()
            self.core.scripts.edge.close()

    @property
    def pulled(self) -> int:
        """Return how many source events were read."""
        return sum(feed.delivered + feed.shed for feed in self.sources.feeds)

    @property
    def delivered(self) -> int:
        """Return how many source events the core has seen."""
        return sum(feed.delivered for feed in self.sources.feeds)

    @property
    def ended(self) -> bool:
        """Tell whether all sources have ended."""
        return self.sources.peek_ts() is None

    # Inputs.

    def step(self) -> bool:
        """Do one step: what is due, one source event, and what they cause.

        Returns False, having done nothing, when the sources have ended. Unless
        ``waits`` is set, a step may end with ``awaiting``: ``take_answers`` goes on.
        """
        return self.advance(1)

    def advance(self, steps: int, until_ns: int = _FOR_EVER_NS) -> bool:
        """Do so many steps; False where the sources ended before, True else.

        Ends early before an event of after ``until_ns``, and where a script must answer
        before anything else.
        """
        more = self._advance(steps, until_ns)
        if self.journal is not None:
            self.journal.whole()
        return more

    def _advance(self, steps: int, until_ns: int) -> bool:
        # Bound once for them all: a step is too short to look everything up again.
        sources, core, clock = self.sources, self.core, self.clock
        pop, dispatch, asked = sources.pop, self._dispatch, core.scripts.asked
        before_of, after_of = self._before, self._after
        for _ in range(steps):
            due = sources.due
            if due is None:
                self.start()
                due = sources.peek_ts()
                if due is None:
                    return False
            if due > until_ns:
                return True
            if clock.first_due <= due and not core.run_agenda(due):
                if self._is_left(self.step):
                    return True
                continue
            ts, _, event, feed = pop()
            if feed.tap is not None:
                feed.tap((feed.name, ts, event))
            if ts > clock.ns:
                if clock.sleepers:
                    clock.advance_to(ts)
                else:
                    # In a run nobody sleeps on its clock: no call for every tick.
                    clock.ns = ts
            if feed.passes:
                feed.passes -= 1
            elif feed.paused:
                feed.shed += 1
                if sources.over:
                    sources.tell()
                continue
            feed.delivered += 1
            feed.last_ts = ts
            # The event at the clock's time, with the venue before and after it. Reports
            # due at once (fills at a bar's open) are inputs before the event.
            now = clock.ns
            kind = type(event)
            for before, task in before_of.get(kind, ()):
                try:
                    before(event)
                except Exception as error:  # the edge of the broker's task
                    self.dispatcher.report(task, event, error)
            if clock.first_due <= now and not core.run_agenda(now):
                if self._is_left(partial(self._take_event, event)):
                    return True
                continue
            core.seq += 1
            core.ts = now
            dispatch(event)
            if asked:
                if self._is_left(partial(self._end_step, event)):
                    return True
                continue
            for after, task in after_of.get(kind, ()):
                try:
                    after(event)
                except Exception as error:  # the edge of the broker's task
                    self.dispatcher.report(task, event, error)
            if clock.first_due <= now and not core.run_agenda(now):
                if self._is_left(self.catch_up):
                    return True
                continue
            if sources.over:
                sources.tell()
        return True

    # A step in pieces, where scripts that run elsewhere must answer in between.

    def _take_event(self, event: MarketEvent) -> None:
        core = self.core
        if not core.run_agenda(self.clock.ns):
            self._await(partial(self._take_event, event))
            return
        core.take(event)
        if core.scripts.asked:
            self._await(partial(self._end_step, event))
        else:
            self._end_step(event)

    def _end_step(self, event: MarketEvent) -> None:
        self.after_market(event)
        self.catch_up()

    def catch_up(self) -> None:
        """Let happen what is due by now, and say which feeds are over.

        After a command too, unless a step waits for answers: it does so at its end.
        """
        if self._rest is not None or self.core.scripts.asked:
            self._await(self._rest or self.catch_up)
        elif not self.core.run_agenda(self.clock.ns):
            self._await(self.catch_up)
        elif self.sources.over:
            self.sources.tell()
        if self.journal is not None:
            self.journal.whole()

    @property
    def awaiting(self) -> bool:
        """Tell whether scripts must answer before anything else may happen."""
        return self.core.scripts.awaiting

    def _is_left(self, rest: Callable[[], object]) -> bool:
        """Await answers for the rest of a step; tell whether it is still awaited."""
        self._await(rest)
        return self._rest is not None

    def _await(self, rest: Callable[[], object]) -> None:
        """Send what was asked; go on with ``rest`` once it is answered."""
        self._rest = rest
        self.core.scripts.post()
        # From within another rest the loop below goes on: a quiet night of bars, each
        # of which asks, must not become as many calls within each other.
        while self.waits and not self._resuming and self.awaiting:
            self.take_answers(self.core.scripts.edge.collect(None))

    def take_answers(self, answers: Sequence[ScriptAnswered]) -> None:
        """Take answers of scripts as inputs, and go on where none is awaited any more.

        Called with what ``core.scripts.edge`` has collected.
        """
        scripts = self.core.scripts
        scripts.take(answers)
        self._resuming = True
        try:
            while self._rest is not None and not scripts.awaiting:
                rest, self._rest = self._rest, None
                rest()
        finally:
            self._resuming = False

    def _take_answer(self, answered: ScriptAnswered) -> None:
        core = self.core
        if self.journal is not None:
            self.journal.input(core.seq + 1, self.pulled, answered)
        core.take(answered)

    def before_market(self, event: MarketEvent) -> None:
        """Show the venue an event that is not a source's before the core sees it."""
        for before, task in self._before.get(type(event), ()):
            try:
                before(event)
            except Exception as error:  # the edge of the broker's task
                self.dispatcher.report(task, event, error)

    def after_market(self, event: MarketEvent) -> None:
        """Show the venue an event that was not a source's but the core has seen."""
        for after, task in self._after.get(type(event), ()):
            try:
                after(event)
            except Exception as error:  # the edge of the broker's task
                self.dispatcher.report(task, event, error)

    # Reports of a venue behind a network, which come when they come.

    @property
    def has_arrivals(self) -> bool:
        """Tell whether reports wait to be taken."""
        return any(broker.arrived for broker in self.distant)

    def take_arrivals(self) -> None:
        """Take what distant venues have reported as inputs, at the clock's time.

        Called between two steps while no script is awaited; one that is asked because
        of a report lets the others wait.
        """
        for broker in self.distant:
            while broker.arrived and not self.awaiting:
                self.take_report(broker.arrived.popleft())

    def take_report(self, report: Report) -> None:
        """Take one report as an input, which is journalled before it is dispatched."""
        core = self.core
        if self.journal is not None:
            self.journal.input(core.seq + 1, self.pulled, report)
        core.take(report)
        self.catch_up()

    def journal_to(self, journal: Journal) -> None:
        """Keep records and inputs in ``journal`` from now on."""
        self.journal = journal
        self.core.sinks.append(journal.record)
        for broker in self.distant:
            broker.journal_to(journal)

    # Pictures.

    def state_hash(self) -> str:
        """Return the hash of all decisions and of the state they led to."""
        return self.core.hash.state_hash(self.digest())

    def digest(self) -> list[tuple[str, object]]:
        """Return the rules of the run and the canonical state of its parts."""
        own = (self.aggregator, *self.strategies, *self.executors)
        parts: tuple[Part | Broker, ...] = (*own, *self.brokers)
        return [
            ("rules", self.rules),
            *((part.name, part.digest()) for part in parts if hasattr(part, "digest")),
        ]

    # Wiring.

    def _wire(self) -> None:
        core = self.core
        for feed in self.sources.feeds:
            handle = self._register(feed.name, "feed")
            handle.live_counts = (partial(getattr, feed, "delivered"),)
        # The order of routing is the order of the flow: market state first, held
        # stops before any strategy sees the event, strategies in order of config.
        self._route(self.aggregator, "aggregator")
        for executor in self.executors:
            self._route(executor, "executor")
        for strategy in self.strategies:
            self._route(strategy, "strategy")
        tasks = [self._register(broker.name, "broker") for broker in self.brokers]
        for broker, task in zip(self.brokers, tasks, strict=True):
            broker.attach(EdgePort(core, partial(self.dispatcher.report, task)))
        # By type of event: a tick does not ask a venue that waits for bars.
        self._before: dict[type, list[_Witness]] = {}
        self._after: dict[type, list[_Witness]] = {}
        for broker, task in zip(self.brokers, tasks, strict=True):
            for kind in getattr(broker, "precedes", _MARKET_EVENTS):
                seen = self._before.setdefault(kind, [])
                seen.append((broker.before_market, task))
            for kind in getattr(broker, "trails", _MARKET_EVENTS):
                seen = self._after.setdefault(kind, [])
                seen.append((broker.after_market, task))
        if self.brokers:
            core.send = self._send
        self.sources.on_error = self._on_feed_error
        self.sources.on_end = self._on_feed_end
        self.dispatcher.route(ResyncWanted, self._resync)
        self.sources.on_hole = self._on_feed_hole

    def _route(self, part: Part, role: str) -> None:
        handle = self._register(part.name, role)
        part.attach(self.core)
        handlers = getattr(part, "handlers", None)
        routes = (
            handlers()
            if handlers is not None
            else dict.fromkeys(part.subscriptions, part.handle_event)
        )
        for event_type, handler in routes.items():
            # Commands come through Control alone, which can refuse and answer.
            if event_type in _COMMANDS:
                continue
            if event_type in getattr(part, "follows", ()):
                self.dispatcher.route(event_type, self._followed(handle, handler))
            else:
                self.dispatcher.route(event_type, handler, task=handle)

    def _followed(
        self, handle: TaskHandle, handler: Callable[[Any], None]
    ) -> Callable[[Any], None]:
        """Return the handler as one that is called in every state of its task."""

        def call(event: object) -> None:
            try:
                handler(event)
            except Exception as error:  # the edge of the part's task
                self.dispatcher.report(handle, event, error)

        return call

    def _register(self, name: str, role: str) -> TaskHandle:
        return self.registry.register(PartTask(name, role), Supervision())

    def _send(self, request: Request) -> None:
        broker = self.brokers[0]
        task = self.registry.get(broker.name)
        task.events += 1
        try:
            broker.request(request)
        except Exception as error:  # the edge of the broker's task; the order times out
            self.dispatcher.report(task, request, error)

    def _resync(self, wanted: ResyncWanted) -> None:
        """Ask the feed that brings an instrument for its whole book."""
        feed = self.sources.bringing(wanted.instrument)
        if feed is None or feed.resync is None:
            return
        if feed.paused or feed.stopped or feed.ended:
            return
        try:
            feed.resync(wanted.instrument)
        except Exception as error:  # the feed's edge: the core will try again
            # Counted, not recorded: records must not depend on what is asked.
            self.registry.get(feed.name).count_error(error)

    # What goes wrong.

    def _on_task(
        self, handle: TaskHandle, before: TaskState, after: TaskState, reason: str
    ) -> None:
        core = self.core
        core.record(
            TaskRecord(
                seq=core.seq,
                ts=core.ts,
                task=handle.name,
                before=before.value,
                after=after.value,
                reason=reason,
            )
        )

    def _on_fault(
        self, task: TaskHandle | None, event: object, error: Exception
    ) -> None:
        core = self.core
        name = "engine" if task is None else task.name
        record = FaultRecord(
            seq=core.seq,
            ts=core.ts,
            task=name,
            instrument=str(getattr(event, "instrument", "")),
            error=describe(error),
            where=type(event).__name__,
        )
        core.record(record)
        for sink in self.fault_sinks:
            sink(record, error)
        self.on_fault(name, error)

    def _on_feed_error(self, feed: Feed, error: Exception) -> None:
        self._feed_record(feed, "failed", str(error))
        self.registry.get(feed.name).count_error(error)
        if self.started:
            self._fail(feed)

    def _fail(self, feed: Feed) -> None:
        handle = self.registry.get(feed.name)
        if handle.state in (TaskState.RUNNING, TaskState.PAUSED):
            self.registry.set_state(handle, TaskState.FAILED, feed.error or "")

    def _on_feed_end(self, feed: Feed) -> None:
        # A recording of a run that was stopped ends, and its feed did not.
        what, detail = getattr(feed.connector, "ending", ("ended", ""))
        if what:
            self._feed_record(feed, what, detail)

    def _on_feed_hole(self, feed: Feed, hole: FeedHole) -> None:
        self._feed_record(feed, "hole", str(hole))
        self.on_hole(feed, str(hole))

    def _feed_record(self, feed: Feed, what: str, detail: str) -> None:
        core = self.core
        core.record(
            FeedRecord(
                seq=core.seq, ts=core.ts, feed=feed.name, what=what, detail=detail
            )
        )
