"""The core: one input at a time, numbered when taken, never nested, time never back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from tests.engine.runs import Deaf, ListFeed, quote
from workstation.engine.builder import EngineBuilder
from workstation.engine.core import EdgePort, EngineCore
from workstation.engine.engine import Engine
from workstation.kernel import Dispatcher, EventBus, SimClock
from workstation.model.market import MarketEvent, Quote
from workstation.model.records import FaultRecord, NoteRecord, Record
from workstation.model.reports import OrderAccepted
from workstation.model.requests import Request


class Caused(Struct, frozen=True):
    """Emitted by a handler of the test."""

    depth: int


def _core() -> tuple[EngineCore, Dispatcher, SimClock]:
    clock = SimClock()
    dispatcher = Dispatcher()
    return EngineCore(clock, dispatcher, EventBus({})), dispatcher, clock


def _fail(context: object, error: Exception) -> None:
    raise error


def test_of_equal_times_the_venue_is_first_then_reports_then_timers() -> None:
    core, dispatcher, _ = _core()
    edge = EdgePort(core, _fail)
    order: list[str] = []
    dispatcher.route(OrderAccepted, lambda event: order.append(event.order_id))
    core.call_at(10, "t", lambda: order.append("timer"))
    edge.report(10, OrderAccepted("report", "v"))
    edge.call_at(10, lambda: order.append("venue"))
    core.call_at(9, "early", lambda: order.append("early"))
    core.run_agenda(10)
    assert order == ["early", "venue", "report", "timer"]
    # What happens at the venue is no input.
    assert core.seq == 3
    assert core.ts == 10


def test_what_an_input_causes_is_dispatched_first_in_first_out() -> None:
    core, dispatcher, _ = _core()
    order: list[str] = []

    def first(event: Caused) -> None:
        order.append(f"a{event.depth}")
        if event.depth < 2:
            core.emit(Caused(event.depth + 1))
            core.emit(Caused(event.depth + 1))

    dispatcher.route(Caused, first)
    dispatcher.route(Caused, lambda event: order.append(f"b{event.depth}"))
    core.take(Caused(0))
    assert order == ["a0", "b0", *["a1", "b1"] * 2, *["a2", "b2"] * 4]
    assert core.seq == 1


def test_a_due_time_in_the_past_is_now() -> None:
    core, _, clock = _core()
    clock.advance_to(50)
    seen: list[int] = []
    EdgePort(core, _fail).call_at(10, lambda: seen.append(core.clock.now()))
    core.call_at(20, "t", lambda: seen.append(core.ts))
    core.run_agenda(50)
    assert seen == [50, 50]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=30))
def test_seq_grows_by_one_and_time_never_goes_back(
    timers: list[tuple[int, int]],
) -> None:
    core, _, _ = _core()
    stamps: list[tuple[int, int]] = []

    def fire(again: int) -> None:
        stamps.append((core.seq, core.ts))
        if again:
            core.call_at(core.ts + again, "again", lambda: fire(0))

    for due, again in timers:
        core.call_at(due, "t", lambda again=again: fire(again))  # type: ignore[misc]
    core.run_agenda(100)
    assert [seq for seq, _ in stamps] == list(range(1, len(stamps) + 1))
    assert [ts for _, ts in stamps] == sorted(ts for _, ts in stamps)


def test_a_cancelled_timer_is_no_input() -> None:
    core, _, _ = _core()
    timer = core.call_at(5, "t", lambda: _fail(None, RuntimeError()))
    timer.cancel()
    core.run_agenda(10)
    assert core.seq == 0


def test_requests_wait_where_no_broker_takes_them() -> None:
    core, _, _ = _core()
    request: Any = object()
    core.request(request)
    assert list(core.requests) == [request]


# The engine around it.


class Scratchy:
    """A broker that fails wherever it is asked to."""

    name = "broker"

    def __init__(self, where: str) -> None:
        self.where = where
        self.edge: Any = None

    def attach(self, edge: Any) -> None:
        self.edge = edge

    def request(self, request: Request) -> None:
        self._maybe("request")

    def before_market(self, event: MarketEvent) -> None:
        self._maybe("before")

    def after_market(self, event: MarketEvent) -> None:
        self._maybe("after")
        self.edge.call_at(self.edge.ts, lambda: self._maybe("call"))

    def _maybe(self, where: str) -> None:
        if where == self.where:
            raise ZeroDivisionError(where)


def _engine(broker: Scratchy) -> tuple[Engine, list[Record]]:
    def note(core: Any, event: Quote) -> None:
        core.request(event)
        record = NoteRecord(
            seq=core.seq, ts=core.ts, strategy="s", instrument="BTC", text="seen"
        )
        core.record(record)

    engine = (
        EngineBuilder()
        .with_connector(ListFeed("feed", [quote(1), quote(2)]))
        .with_aggregator(Deaf("aggregator"))
        .with_strategy(Deaf("s"))
        .with_executor(Deaf("x", Quote, on=note))
        .with_broker(broker)
        .build()
    )
    records: list[Record] = []
    engine.core.sinks.append(lambda record, encoded: records.append(record))
    return engine, records


def test_many_steps_end_before_what_is_due_later_and_with_the_sources() -> None:
    engine = (
        EngineBuilder()
        .with_connector(ListFeed("feed", [quote(1), quote(2), quote(2), quote(3)]))
        .with_aggregator(Deaf("aggregator"))
        .with_strategy(Deaf("s"))
        .with_executor(Deaf("x"))
        .build()
    )
    assert engine.advance(1)
    assert engine.pulled == 1
    assert engine.advance(10, until_ns=quote(2).ts_recv)
    assert (engine.pulled, engine.delivered, engine.core.seq) == (3, 3, 3)
    assert engine.advance(10, until_ns=quote(2).ts_recv)
    assert engine.pulled == 3
    assert not engine.advance(10)
    assert engine.pulled == 4
    assert not engine.step()


def test_a_broker_that_fails_is_a_fault_of_its_own_and_the_run_goes_on() -> None:
    for where in ("before", "after", "request", "call"):
        engine, records = _engine(Scratchy(where))
        engine.start()
        while engine.step():
            pass
        faults = [r for r in records if isinstance(r, FaultRecord)]
        assert [r.error for r in faults] == [f"ZeroDivisionError: {where}"] * 2
        assert {r.task for r in faults} == {"broker"}
        assert len([r for r in records if isinstance(r, NoteRecord)]) == 2
        assert engine.registry.get("broker").stats().errors == 2


def test_a_part_that_fails_hurts_no_other_and_its_address_is_not_told() -> None:
    seen: list[int] = []

    def fail(core: Any, event: Quote) -> None:
        raise ValueError(object())

    engine = (
        EngineBuilder()
        .with_connector(ListFeed("feed", [quote(1)]))
        .with_aggregator(Deaf("aggregator", Quote, on=fail))
        .with_strategy(Deaf("s", Quote, on=lambda core, e: seen.append(e.ts_recv)))
        .with_executor(Deaf("x"))
        .build()
    )
    records: list[Record] = []
    engine.core.sinks.append(lambda record, encoded: records.append(record))
    engine.start()
    engine.step()
    assert seen == [1]
    (fault,) = [r for r in records if isinstance(r, FaultRecord)]
    assert (fault.task, fault.instrument) == ("aggregator", "BTC")
    assert fault.error == "ValueError: <object object>"
