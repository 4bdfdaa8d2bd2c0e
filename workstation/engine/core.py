"""The deterministic core: numbers each input, dispatches it until all is quiet.

The only place where ``seq`` and ``ts`` are given. Parts reach it as ``model.Core``,
simulated brokers as ``model.Edge``; drivers and the operator go through ``Engine``.
No wall clock, no I/O, no await.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from msgspec import Struct

from workstation.engine.hashing import DecisionHash, encode
from workstation.engine.script_calls import ScriptCalls
from workstation.kernel import Dispatcher, EventBus, SimClock, Timer
from workstation.model.records import Record
from workstation.model.reports import Report
from workstation.model.requests import Request

__all__ = ["EngineCore", "RecordSink", "TimerFired"]

# Of equal due times: what happens at the venue, then reports, then timers.
VENUE, REPORT, TIMER = 0, 1, 2


class TimerFired(Struct, frozen=True):
    """A timer of a part came due; an input of its own."""

    name: str
    callback: Callable[[], None]


class RecordSink(Protocol):
    """Takes every record with its canonical bytes, in order."""

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Keep or forward one record."""


class EngineCore:
    """Sequencer and way back into the core for the parts."""

    def __init__(self, clock: SimClock, dispatcher: Dispatcher, bus: EventBus) -> None:
        self.clock = clock
        self.dispatcher = dispatcher
        self.bus = bus
        self.seq = 0
        self.ts = clock.now()
        self.hash = DecisionHash()
        self.sinks: list[RecordSink] = []
        """Hear of every record; ``hear`` is for who wants only some."""
        self._hearers: dict[type, tuple[RecordSink, ...]] = {}
        self.requests: deque[Request] = deque()
        self.send: Callable[[Request], None] = self.requests.append
        self.scripts = ScriptCalls()
        # Bound once: these are called for every input and every record.
        self.emit = dispatcher.emit
        self.publish: Callable[[object], object] = bus.publish
        self._dispatch = dispatcher.dispatch
        self._update = self.hash.update
        dispatcher.route(TimerFired, _fire)

    # Model.Core, for the parts.

    def record(self, record: Record) -> None:
        """Add the record of a change to the hash and hand it to the sinks."""
        encoded = encode(record)
        self._update(encoded)
        for sink in self.sinks:
            sink(record, encoded)
        for sink in self._hearers.get(type(record), ()):
            sink(record, encoded)

    def hear(self, kinds: Iterable[type], sink: RecordSink) -> None:
        """Hand records of these types to ``sink``, after all that hear of every one.

        Most records are of bars, which few want.
        """
        for kind in kinds:
            self._hearers[kind] = (*self._hearers.get(kind, ()), sink)

    def request(self, request: Request) -> None:
        """Send a request to the broker at the edge."""
        self.send(request)

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` as an input of its own at ``due_ns``."""
        fired = TimerFired(name, callback)
        due = due_ns if due_ns > self.ts else self.ts
        return self.clock.call_at(due, partial(self.take, fired), priority=TIMER)

    # Inputs.

    def take(self, event: object) -> None:
        """Number one input at the clock's time and dispatch it until quiet."""
        self.seq += 1
        self.ts = self.clock.ns
        self._dispatch(event)

    def run_agenda(self, until_ns: int) -> bool:
        """Let everything due by ``until_ns`` happen, each at its own time.

        False where it broke off because a script was asked whose answer must come
        before anything else; called again, it goes on.
        """
        clock, asked = self.clock, self.scripts.asked
        while (
            clock.first_due <= until_ns
            and (timer := clock.pop_due(until_ns)) is not None
        ):
            if timer.due_ns > clock.ns:
                clock.advance_to(timer.due_ns)
            timer.callback()
            if asked:
                return False
        return True


class EdgePort:
    """``model.Edge`` for a simulated broker; ``on_error`` sees what its calls raise."""

    def __init__(
        self, core: EngineCore, on_error: Callable[[object, Exception], None]
    ) -> None:
        self._core = core
        self._on_error = on_error

    @property
    def ts(self) -> int:
        """Return the run's clock in ns."""
        return self._core.clock.now()

    def call_at(self, due_ns: int, callback: Callable[[], None]) -> Timer:
        """Run ``callback`` at the venue at ``due_ns``; not an input of the core."""
        due = max(due_ns, self._core.clock.now())

        def guarded() -> None:
            try:
                callback()
            except Exception as error:  # the edge of the broker's task
                self._on_error(callback, error)

        return self._core.clock.call_at(due, guarded, priority=VENUE)

    def report(self, due_ns: int, report: Report) -> None:
        """Deliver a report to the core as an input at ``due_ns``."""
        core = self._core
        core.clock.call_at(
            max(due_ns, core.clock.now()),
            lambda: core.take(report),
            priority=REPORT,
        )


def _fire(fired: TimerFired) -> None:
    fired.callback()
