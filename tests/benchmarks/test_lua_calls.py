"""The way to a Lua worker and back: one question, batches, and whole runs.

A round trip is wall time, because two processes take turns; beside it stands the same
round trip to a process that sends back what it reads. Whole runs are CPU time of both
processes, beside the Python twin of the script.
"""

from __future__ import annotations

import asyncio
import select
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.budget import ROUNDS, cpu_ns
from tests.benchmarks.markets import begun, worker_ns
from tests.benchmarks.test_python_calls import QUIET
from tests.strategy.lua.workers import question, script
from workstation.engine.lua_edge import LuaEdge
from workstation.engine.session import Session
from workstation.kernel import RealClock
from workstation.strategy.lua.frames import encode
from workstation.strategy.lua.lua_host import Posted
from workstation.strategy.lua.process import Process
from workstation.strategy.lua.wire import Ask
from workstation.strategy.question import Function

TRIPS = 2_000
BATCH = 100
SYMBOLS = 100
RUN_S = 20
"""Simulated seconds of a whole run: so many bars a row."""
_ECHO = """
import os
while data := os.read(0, 1 << 18):
    os.write(0, data)
"""
_LUA = script(filter_="return nil")
_NAME = "bench"


def echo_us(trips: int = TRIPS) -> tuple[float, float]:
    """Return p50 and p99 of a question's bytes there and back, nothing done to them."""
    data = encode(Ask((question(),)))
    process = Process((sys.executable, "-I", "-c", _ECHO))
    poll = select.poll()
    poll.register(process.fileno(), select.POLLIN)

    def trip() -> None:
        process.write(data)
        left = len(data)
        while left:
            poll.poll()
            left -= len(process.read() or b"")

    try:
        return _percentiles(trip, trips)
    finally:
        process.kill()


def blocking_us(trips: int = TRIPS) -> tuple[float, float]:
    """Return p50 and p99 of a question that is waited for, in µs."""
    with _edge() as edge:
        return _percentiles(lambda: _asked(edge, 1), trips)


def batched_us(trips: int = TRIPS // 20) -> float:
    """Return the median µs of one question among a hundred sent together."""
    with _edge() as edge:
        median, _ = _percentiles(lambda: _asked(edge, BATCH), trips)
        return median / BATCH


def loop_us(trips: int = TRIPS) -> tuple[float, float]:
    """Return p50 and p99 of a question whose answer an event loop waits for, in µs."""
    with _edge() as edge:
        return asyncio.run(_in_loop(edge, trips))


async def _in_loop(edge: LuaEdge, trips: int) -> tuple[float, float]:
    taken = []
    for number in range(trips + trips // 10):
        begun = time.perf_counter_ns()
        edge.post(_NAME, number, _posted(1))
        while not edge.collect(0.0):
            await edge.arrival()
        taken.append(time.perf_counter_ns() - begun)
    return _cuts(taken[trips // 10 :])


@contextmanager
def _edge() -> Iterator[LuaEdge]:
    edge = LuaEdge(driven=True, indicators=(), figures=(), cpu_s=0.25, wall=RealClock())
    try:
        prepared = edge.prepare(Path("bench.lua"), _LUA.encode(), 1, ("BTCUSDT",))
        prepared.wait()
        edge.use(_NAME, prepared)
        yield edge
    finally:
        edge.close()


def _posted(count: int) -> list[Posted]:
    return [
        Posted(f"S{row}", Function.DETECT, question(row=row)) for row in range(count)
    ]


def _asked(edge: LuaEdge, count: int) -> None:
    edge.post(_NAME, 1, _posted(count))
    (answered,) = edge.collect(None)
    assert len(answered.replies) == count


def _percentiles(trip: Callable[[], None], trips: int) -> tuple[float, float]:
    for _ in range(trips // 10):
        trip()
    taken = []
    for _ in range(trips):
        begun = time.perf_counter_ns()
        trip()
        taken.append(time.perf_counter_ns() - begun)
    return _cuts(taken)


def _cuts(taken: list[int]) -> tuple[float, float]:
    cuts = statistics.quantiles(taken, n=100)
    return cuts[49] / 1e3, cuts[98] / 1e3


def run_us(symbols: int = SYMBOLS, seconds: int = RUN_S) -> dict[str, float]:
    """Return the CPU µs of a row's second in whole runs of both languages.

    It has a quote, a trade, a closed bar and the call. ``worker`` is what the worker's
    process took beside what is the engine's.
    """
    found: dict[str, list[float]] = {"py": [], "lua": [], "worker": []}
    for _ in range(ROUNDS):
        for language in ("py", "lua"):
            built = _session(language, symbols, seconds)
            before = worker_ns(built, "bench0") if language == "lua" else 0
            taken = cpu_ns(lambda built=built: _run(built))  # type: ignore[misc]
            calls = built.strategies[0].calls
            if language == "lua":
                own = worker_ns(built, "bench0") - before
                found["worker"].append(own / calls / 1e3)
            built.close()
            found[language].append(taken / calls / 1e3)
    return {name: statistics.median(each) for name, each in found.items()}


def _run(built: Session) -> None:
    while built.engine.step():
        pass


def _session(language: str, symbols: int, seconds: int) -> Session:
    source = QUIET if language == "py" else _LUA
    return begun([(language, source)], symbols, seconds, 1)


def test_each_way_to_a_worker_and_back_takes_its_time() -> None:
    for p50, p99 in (echo_us(50), blocking_us(50), loop_us(50)):
        assert 0 < p50 <= p99
    assert batched_us(3) > 0


def test_both_languages_are_asked_for_each_bar_and_row() -> None:
    calls = set()
    for language in ("py", "lua"):
        built = _session(language, 3, 4)
        _run(built)
        calls.add(built.strategies[0].calls)
        built.close()
    (count,) = calls
    assert count >= 9


if __name__ == "__main__":
    print("echo p50 {:.1f}, p99 {:.1f} us".format(*echo_us()))
    print("blocking p50 {:.1f}, p99 {:.1f} us".format(*blocking_us()))
    print("loop p50 {:.1f}, p99 {:.1f} us".format(*loop_us()))
    print(f"of a hundred {batched_us():.1f} us")
    print(run_us(1, 1_000), run_us())
