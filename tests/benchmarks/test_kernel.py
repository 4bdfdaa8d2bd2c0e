"""What the kernel costs beside the bare thing, measured in the same process.

``ratios()`` gives the numbers without pytest; budgets: dispatch 5, delivery of 16 1.5
(of one bare call), crossing 300 ns.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from workstation.kernel import (
    ChannelConfig,
    Dispatcher,
    EventBus,
    EventTask,
    TaskRegistry,
    TaskState,
)

ROUNDS = 5
BURST = 500


class Quote(msgspec.Struct, frozen=True):
    symbol: str
    price: float


class Sink(EventTask):
    """Do as little as a handler can that does anything."""

    subscriptions = (Quote,)

    def __init__(self, name: str) -> None:
        self.name = name
        self.price = 0.0

    def handle_event(self, event: Quote) -> None:
        self.price = event.price


QUOTE = Quote("BTCUSDT", 61685.99)


def make_dispatcher(subscribers: int) -> Dispatcher:
    """Return a dispatcher with running tasks, as the scheduler makes one."""
    registry = TaskRegistry()
    dispatcher = Dispatcher()
    for n in range(subscribers):
        sink = Sink(f"sink {n}")
        handle = registry.register(sink)
        registry.set_state(handle, TaskState.INITIALIZING)
        registry.set_state(handle, TaskState.RUNNING)
        dispatcher.route(Quote, sink.handle_event, task=handle)
    return dispatcher


def bare(subscribers: int) -> Callable[[int], None]:
    """Return the floor: a dict lookup and a loop over a tuple, nothing else."""
    routes: dict[type, tuple[Callable[[Any], None], ...]] = {
        Quote: tuple(Sink(str(n)).handle_event for n in range(subscribers))
    }

    def publish(event: object) -> None:
        for handler in routes[type(event)]:
            handler(event)

    return lambda count: _repeat(publish, count)


def _repeat(publish: Callable[[object], object], count: int) -> None:
    event = QUOTE
    for _ in range(count):
        publish(event)


def dispatching(subscribers: int) -> Callable[[int], None]:
    """Return the same through a dispatcher."""
    dispatch = make_dispatcher(subscribers).dispatch
    return lambda count: _repeat(dispatch, count)


def publishing(subscribers: int) -> Callable[[int], None]:
    """Return the same through a bus with plain handlers."""
    bus = EventBus({Quote: ChannelConfig(1000, "quotes")})
    for n in range(subscribers):
        bus.subscribe(Quote, Sink(str(n)).handle_event)
    return lambda count: _repeat(bus.publish, count)


def crossing() -> Callable[[int], None]:
    """Return publishing to one observer in bursts and reading them all."""
    bus = EventBus({Quote: ChannelConfig(1000, "quotes")})
    woken: list[None] = []
    mailbox = bus.observe(Quote, wake=lambda: woken.append(None))

    def run(count: int) -> None:
        for _ in range(count // BURST):
            _repeat(bus.publish, BURST)
            for _ in mailbox.drain():
                pass
        assert mailbox.lost == 0
        woken.clear()

    return run


@contextmanager
def _no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def ns_each(runs: dict[str, Callable[[int], None]], count: int) -> dict[str, float]:
    """Return CPU ns per event of each, medians of rounds that take turns."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    with _no_collection():
        for run in runs.values():
            run(BURST)
        for _ in range(ROUNDS):
            for name, run in runs.items():
                before = time.process_time_ns()
                run(count)
                times[name].append((time.process_time_ns() - before) / count)
    return {name: statistics.median(each) for name, each in times.items()}


def ratios(count: int = 100_000) -> dict[str, float]:
    """Return ratios to the bare call, and times in ns where the name says so."""
    one = ns_each(
        {
            "bare": bare(1),
            "dispatch": dispatching(1),
            "publish": publishing(1),
            "crossing": crossing(),
        },
        count,
    )
    many = ns_each(
        {"bare": bare(16), "dispatch": dispatching(16), "publish": publishing(16)},
        count // 8,
    )
    return {
        "bare_ns": one["bare"],
        "dispatch_ratio": one["dispatch"] / one["bare"],
        "publish_ratio": one["publish"] / one["bare"],
        "delivery_of_16_ratio": many["dispatch"] / 16 / one["bare"],
        "delivery_of_16_to_bare_of_16_ratio": many["dispatch"] / many["bare"],
        "publish_delivery_of_16_ratio": many["publish"] / 16 / one["bare"],
        "crossing_ns": one["crossing"],
    }


def test_ratios_measure_every_budgeted_cost() -> None:
    found = ratios(2_000)
    assert {"dispatch_ratio", "delivery_of_16_ratio", "crossing_ns"} <= set(found)
    assert all(value > 0 for value in found.values())


def test_bare_call(benchmark: Any) -> None:
    benchmark(bare(1), 1000)


def test_dispatch_to_one(benchmark: Any) -> None:
    benchmark(dispatching(1), 1000)


def test_dispatch_to_sixteen(benchmark: Any) -> None:
    benchmark(dispatching(16), 1000)


def test_publish_to_one(benchmark: Any) -> None:
    benchmark(publishing(1), 1000)


def test_crossing_to_an_observer(benchmark: Any) -> None:
    benchmark(crossing(), 1000)


if __name__ == "__main__":
    for name, value in ratios().items():
        print(f"{name:40} {value:8.2f}")
