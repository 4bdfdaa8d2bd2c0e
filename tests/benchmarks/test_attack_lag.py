"""How late the loop is while a script attacks, and what the operator is told of it.

Each attack is a strategy of a run that is played as fast as it goes, in an event loop
in which a timer is due every 5 ms: lag is how much later it is called. Beside them
stands the same run with a script that does nothing. A worker has a live run's deadline
of a second; a driven one's is longer, and all that differs is how often it is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec import Struct

from tests.benchmarks.test_core import CONFIG
from tests.strategy.lua.test_attacks import BOMBS, HEAVY, LONG_TEXT, LOOPS
from tests.strategy.lua.workers import script
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.lua_edge import LuaEdge
from workstation.engine.session import Session
from workstation.model.records import FaultRecord, Record
from workstation.strategy.lua.host import live_deadline_s
from workstation.strategy.lua.restarts import Restarts

MEASURED_S = 3.0
NAME = "bench"
QUIET = "a script that does nothing"
_EVERY_S = 0.005
_HIT_EVERY_S = 0.25


class Attack(Struct, frozen=True):
    """A script, or what is done to its worker four times a second."""

    source: str = script(filter_="return nil")
    signal: signal.Signals | None = None


ATTACKS = {
    QUIET: Attack(),
    "endless loop": Attack(script(LOOPS["while"])),
    "loop in a comparator": Attack(script(LOOPS["a comparator"])),
    "work in C": Attack(script(LOOPS["find"])),
    "log flood": Attack(script(LOOPS["log"])),
    "plot flood": Attack(script(LOOPS["plot"])),
    "memory bomb": Attack(script(BOMBS["tables"])),
    "doubling text": Attack(script(BOMBS["doubling"])),
    "deep recursion": Attack(script(BOMBS["recursion"])),
    "needs flood": Attack(script("for i = 2, 5000 do indicators.ema(i) end")),
    "great context": Attack(script(BOMBS["the context"])),
    "endless concatenation": Attack(script(LONG_TEXT + HEAVY["concatenating"])),
    "growing arguments": Attack(script(LONG_TEXT + HEAVY["growing arguments"])),
    "stopped worker": Attack(signal=signal.SIGSTOP),
    "killed worker": Attack(signal=signal.SIGKILL),
}


class Told(Struct, frozen=True):
    """Lag in ms, how many faults there were, of which tasks, and what the last said."""

    p99: float
    worst: float
    faults: int
    tasks: frozenset[str]
    said: str


def attack(name: str, seconds: float = MEASURED_S) -> Told:
    """Run one attack for so long."""
    which = ATTACKS[name]
    with TemporaryDirectory() as folder:
        text = CONFIG.replace("bench.py", "bench.lua")
        # The strategy goes on failing, so that the attack goes on.
        text = text.replace("close_watch_bars = 1", "max_errors = 1000")
        Path(folder, "bench.toml").write_text(text)
        Path(folder, "bench.lua").write_text(which.source)
        built = assemble_session(load_config(Path(folder, "bench.toml")).run)
    try:
        return asyncio.run(_played(built, which, seconds))
    finally:
        built.close()


async def _played(built: Session, which: Attack, seconds: float) -> Told:
    faults: list[FaultRecord] = []

    def keep(record: Record, encoded: bytes) -> None:
        if isinstance(record, FaultRecord):
            faults.append(record)

    built.engine.core.sinks.append(keep)
    edge = built.engine.core.scripts.edge
    assert isinstance(edge, LuaEdge)
    edge._stations[NAME].deadline_s = live_deadline_s(0.25)
    # A worker that died comes again soon, and however often.
    edge._stations[NAME].restarts = Restarts(
        first_ns=1_000_000, longest_ns=1_000_000, most=10**9
    )
    built.driver.set_speed(100_000.0)
    built.driver.play()
    loop = asyncio.get_running_loop()
    turn = loop.create_task(built.driver.run())
    late: list[float] = []
    timers = [_at_intervals(loop, _EVERY_S, late.append)]
    if which.signal is not None:
        hit = which.signal
        timers.append(_at_intervals(loop, _HIT_EVERY_S, lambda _: _hit(edge, hit)))
    await asyncio.sleep(seconds)
    for stop in timers:
        stop()
    built.driver.stop()
    await turn
    return Told(
        statistics.quantiles(late, n=100, method="inclusive")[98] * 1e3,
        max(late) * 1e3,
        len(faults),
        frozenset(each.task for each in faults),
        faults[-1].error if faults else "",
    )


def _hit(edge: LuaEdge, what: signal.Signals) -> None:
    worker = edge._stations[NAME].worker
    if worker is not None and worker.pid is not None and worker.fault is None:
        os.kill(worker.pid, what)


def _at_intervals(
    loop: asyncio.AbstractEventLoop, every_s: float, act: Callable[[float], None]
) -> Callable[[], None]:
    """Call ``act`` with how late it is, in s; return what ends that."""
    handle: asyncio.TimerHandle

    def arm() -> None:
        nonlocal handle
        due = loop.time() + every_s
        handle = loop.call_at(due, fire, due)

    def fire(due: float) -> None:
        act(loop.time() - due)
        arm()

    arm()
    return lambda: handle.cancel()


@pytest.mark.parametrize("name", ["endless loop", "killed worker"])
def test_an_attack_is_told_with_the_name_of_its_strategy(name: str) -> None:
    found = attack(name, 0.8)
    assert 0 <= found.p99 <= found.worst
    assert found.faults > 0
    assert found.tasks == {NAME}
    assert found.said.startswith("ScriptError: bench.lua:")


if __name__ == "__main__":
    for each in ATTACKS:
        found = attack(each)
        print(f"{each}: p99 {found.p99:.1f}, worst {found.worst:.1f} ms, ", end="")
        print(f"{found.faults} faults of {sorted(found.tasks)}; {found.said}")
