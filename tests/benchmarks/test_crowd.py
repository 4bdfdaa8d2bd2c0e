"""How many strategies on a thousand symbols fit into half a core.

Driven runs of some simulated seconds at 10 quotes a second, one trade and one bar of a
second for each symbol; the CPU time of the engine's process and of all workers, by
simulated second. Between two measured numbers of strategies the cost is taken to be a
line; nothing is said of more strategies than were measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise

import pytest
from msgspec import Struct

from tests.benchmarks.budget import ROUNDS, cpu_ns
from tests.benchmarks.markets import begun, worker_ns
from tests.benchmarks.test_core import SCRIPT
from workstation.engine.session import Session
from workstation.model.timeframes import NS_PER_S

SYMBOLS = 1_000
QUOTES_PER_S = 10
WARM_S = 12
"""The averages have their first value after ten bars: only later seconds count."""
SIZES = {"py": (1, 16, 64, 96), "lua": (1, 8, 16)}
HALF = 0.5
LUA = """
function detect_opportunity(market, context, indicators)
  local fast, slow = indicators.ema(5), indicators.ema(10)
  if slow == nil then return nil end
  if fast > slow then return {signal = "up"} end
  return nil
end

function filter_commitment(market, context, indicators)
  return nil
end

function manage_position(market, context, indicators)
  return nil
end
"""


class Load(Struct, frozen=True):
    """What so many strategies on all symbols take, as shares of a core."""

    strategies: int
    engine: float
    workers: float

    @property
    def whole(self) -> float:
        """Return the share of all processes."""
        return self.engine + self.workers


def loads(
    language: str, sizes: Sequence[int] = (), symbols: int = SYMBOLS
) -> list[Load]:
    """Return the load at each size, up to the first over half a core."""
    found: list[Load] = []
    for size in sizes or SIZES[language]:
        found.append(_load(language, size, symbols))
        if found[-1].whole > HALF:
            break
    return found


def fitting(found: Sequence[Load]) -> float | None:
    """Return how many strategies fit into half a core; None where not so many ran."""
    for less, more in pairwise(found):
        if less.whole <= HALF < more.whole:
            part = (HALF - less.whole) / (more.whole - less.whole)
            return less.strategies + part * (more.strategies - less.strategies)
    return None


def _load(language: str, size: int, symbols: int) -> Load:
    source = f"TRADE = False\n{SCRIPT}" if language == "py" else LUA
    scripts = [(language, source)] * size
    built = begun(scripts, symbols, WARM_S + ROUNDS, QUOTES_PER_S)
    names = [each.name for each in built.strategies if language == "lua"]
    second = symbols * (QUOTES_PER_S + 1)
    _run(built, second * WARM_S)
    engine, workers = [], []
    for _ in range(ROUNDS):
        before = sum(worker_ns(built, name) for name in names)
        engine.append(cpu_ns(lambda: _run(built, second)) / NS_PER_S)
        own = sum(worker_ns(built, name) for name in names) - before
        workers.append(own / NS_PER_S)
    built.close()
    return Load(size, statistics.median(engine), statistics.median(workers))


def _run(built: Session, steps: int) -> None:
    step = built.engine.step
    for _ in range(steps):
        step()


def test_only_lua_has_workers_that_take_their_own_share() -> None:
    for language in ("py", "lua"):
        found = loads(language, (1, 3), symbols=5)
        assert [each.strategies for each in found] == [1, 3][: len(found)]
        assert (found[-1].workers > 0) is (language == "lua")


def test_what_fits_lies_between_two_loads() -> None:
    assert fitting([Load(1, 0.1, 0.1), Load(5, 0.6, 0.2)]) == pytest.approx(3)
    assert fitting([Load(1, 0.1, 0.1), Load(5, 0.2, 0.2)]) is None


if __name__ == "__main__":
    for each in SIZES:
        measured = loads(each)
        print(each, measured, fitting(measured))
