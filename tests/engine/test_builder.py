"""The builder: what is missing, doubled or asynchronous is named; four parts run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec import Struct

from tests.engine.runs import Deaf, ListFeed, quote
from workstation.engine.builder import EngineBuilder
from workstation.engine.drivers import run_backtest
from workstation.kernel import DuplicateComponent, MissingComponent, SchedulerError
from workstation.model.market import Quote
from workstation.model.records import NoteRecord, TaskRecord

PARTS = ("connector", "aggregator", "strategy", "executor")


def _builder(*without: str) -> EngineBuilder:
    builder = EngineBuilder()
    if "connector" not in without:
        builder.with_connector(ListFeed("feed", []))
    if "aggregator" not in without:
        builder.with_aggregator(Deaf("aggregator"))
    if "strategy" not in without:
        builder.with_strategy(Deaf("strategy"))
    if "executor" not in without:
        builder.with_executor(Deaf("executor"))
    return builder


@pytest.mark.parametrize("missing", PARTS)
def test_a_missing_component_is_named(missing: str) -> None:
    with pytest.raises(MissingComponent, match=missing):
        _builder(missing).build()


def test_a_second_aggregator_or_broker_is_refused() -> None:
    with pytest.raises(DuplicateComponent, match="aggregator"):
        _builder().with_aggregator(Deaf("other")).build()
    broker: Any = Deaf("b1")
    with pytest.raises(DuplicateComponent, match="broker"):
        _builder().with_broker(broker).with_broker(broker).build()


def test_two_of_one_name_are_refused_with_it() -> None:
    with pytest.raises(DuplicateComponent, match="feed"):
        _builder().with_strategy(Deaf("feed")).build()


class Async(Deaf):
    """Handles events in a coroutine."""

    async def handle_event(self, event: object) -> None:  # type: ignore[override]
        pass


class AsyncTable(Deaf):
    """Offers the handler that it was given."""

    def __init__(self, handler: Callable[..., Any]) -> None:
        super().__init__("table")
        self._handler = handler

    def handlers(self) -> Mapping[type, Callable[..., Any]]:
        return {Quote: self._handler}


async def _waits(event: object, more: int = 0) -> None:
    pass


async def _yields(event: object) -> Any:
    yield event


class _Callable:
    async def __call__(self, event: object) -> None:
        pass


@pytest.mark.parametrize(
    "handler", [_waits, functools.partial(_waits, more=1), _yields, _Callable()]
)
def test_a_handler_that_waits_is_refused(handler: Callable[..., Any]) -> None:
    with pytest.raises(SchedulerError, match="table handles events in an async def"):
        _builder().with_strategy(AsyncTable(handler)).build()


def test_a_part_that_waits_is_refused_in_each_role() -> None:
    for role in ("aggregator", "strategy", "executor"):
        builder = _builder("aggregator") if role == "aggregator" else _builder()
        getattr(builder, f"with_{role}")(Async("slow"))
        with pytest.raises(SchedulerError, match="the core never awaits"):
            builder.build()


# Four components written from nothing.


class Mean(Struct, frozen=True):
    """What the aggregator of the test makes of quotes."""

    value: float


class Want(Struct, frozen=True):
    """What the strategy of the test wants."""

    side: str


class Averages(Deaf):
    """Means of the last three mids."""

    def __init__(self) -> None:
        super().__init__("averages", Quote)
        self.mids: list[float] = []

    def handle_event(self, event: object) -> None:
        assert isinstance(event, Quote)
        self.mids.append((event.bid + event.ask) / 2)
        if len(self.mids) >= 3:
            self.core.emit(Mean(sum(self.mids[-3:]) / 3))

    def digest(self) -> object:
        return self.mids


class Follows(Deaf):
    """Buys above the last mean and sells below."""

    def __init__(self) -> None:
        super().__init__("follows", Mean)
        self.last = 0.0

    def handle_event(self, event: object) -> None:
        assert isinstance(event, Mean)
        if self.last and event.value != self.last:
            self.core.emit(Want("buy" if event.value > self.last else "sell"))
        self.last = event.value


class Books(Deaf):
    """Records what is wanted."""

    def __init__(self) -> None:
        super().__init__("books", Want)
        self.position = 0

    def handlers(self) -> Mapping[type, Callable[..., Any]]:
        return {Want: self.on_want}

    def on_want(self, want: Want) -> None:
        self.position += 1 if want.side == "buy" else -1
        self.core.record(
            NoteRecord(
                seq=self.core.seq,
                ts=self.core.ts,
                strategy="follows",
                instrument="BTC",
                text=f"{want.side} {self.position}",
            )
        )

    def digest(self) -> object:
        return self.position


def test_four_components_of_one_s_own_run_from_end_to_end() -> None:
    bids = [100.0, 101.0, 102.0, 104.0, 103.0, 90.0, 90.0]

    def run() -> tuple[list[str], str]:
        engine = (
            EngineBuilder()
            .with_connector(
                ListFeed("mine", [quote(n + 1, bid) for n, bid in enumerate(bids)])
            )
            .with_aggregator(Averages())
            .with_strategy(Follows())
            .with_executor(Books())
            .build()
        )
        notes: list[str] = []
        engine.core.sinks.append(
            lambda record, _: (
                notes.append(record.text) if isinstance(record, NoteRecord) else None
            )
        )
        run_backtest(engine)
        engine.close()
        assert engine.delivered == len(bids)
        assert engine.core.seq == len(bids)
        return notes, engine.state_hash()

    first, second = run(), run()
    assert first[0] == ["buy 1", "buy 2", "sell 1", "sell 0"]
    assert first == second


def test_tasks_start_in_the_order_of_the_flow() -> None:
    engine = _builder().build()
    names: list[str] = []
    engine.core.sinks.append(
        lambda record, _: (
            names.append(f"{record.task} {record.after}")
            if isinstance(record, TaskRecord)
            else None
        )
    )
    engine.start()
    engine.start()
    assert names[::2] == [f"{n} initializing" for n in _ORDER]
    assert names[1::2] == [f"{n} running" for n in _ORDER]


_ORDER = ("feed", "aggregator", "executor", "strategy")
