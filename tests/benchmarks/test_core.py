"""The whole core against one inlined loop of the same arithmetic.

The engine is built from a TOML and does what a run does: sequencer, books, windows,
bars, an EMA cross, risk, orders, paper fills, ledger, records. The loop below does the
same arithmetic in one function, and both must come to the same fills and equity.
``python -m tests.benchmarks.test_core`` prints the ratios.
"""

from __future__ import annotations

import gc
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import run_backtest
from workstation.engine.session import Session
from workstation.engine.sources import Sources
from workstation.model.market import Trade

SCRIPT = """
def detect_opportunity(market, context, indicators):
    fast, slow = indicators.ema(5), indicators.ema(10)
    if slow is None:
        return None
    return {"signal": "up"} if fast > slow else None


def filter_commitment(market, context, indicators):
    return {"action": "enter_long", "quantity": 0.1} if TRADE else None


def manage_position(market, context, indicators):
    fast, slow = indicators.ema(5), indicators.ema(10)
    return {"action": "exit"} if fast < slow else None
"""
CONFIG = """
mode = "simulation"
[[feeds]]
name = "ticks"
type = "simulated"
symbols = ["BTCUSDT"]
[[brokers]]
name = "paper"
type = "paper"
latency_ms = 0
fill_model = "optimistic"
spread_bps = 0
[[strategies]]
name = "bench"
script = "bench.py"
timeframe = "1s"
close_watch_bars = 1
[risk]
max_order_value = "1000000"
max_position_value = "1000000"
max_symbol_exposure = "1000000"
max_venue_exposure = "1000000"
max_total_exposure = "1000000"
max_daily_loss = "none"
max_drawdown = "none"
[journal]
path = ""
"""
SPACING_NS = 50_000_000
START_NS = 1_700_000_000_000_000_000


class Ticks:
    """A source of prepared trades, as thin as the loop's list: it is not the core."""

    name = "ticks"

    def __init__(self, trades: list[Trade]) -> None:
        pairs = [(trade.ts_recv, trade) for trade in trades]
        self.next: Callable[[], tuple[int, Trade] | None] = partial(
            next, iter(pairs), None
        )

    def identity(self) -> dict[str, str]:
        """Return what it is."""
        return {"type": "ticks"}

    def close(self) -> None:
        """Do nothing."""


def trades(count: int) -> list[Trade]:
    """Return a seeded walk of trades, 20 a second, on a tick of 0.01."""
    rng = random.Random(3)
    price, made = 60_000.0, []
    for n in range(count):
        price = round(price * math.exp(rng.gauss(0, 1e-4)), 2)
        made.append(Trade("BTCUSDT", START_NS + n * SPACING_NS, price, 0.5, 1, n))
    return made


def session(made: list[Trade], *, trade: bool, script: str = SCRIPT) -> Session:
    """Return a session built from the TOML, fed with prepared trades."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "bench.toml")
        path.write_text(CONFIG)
        Path(folder, "bench.py").write_text(f"TRADE = {trade}\n{script}")
        built = assemble_session(load_config(path).run)
    engine = built.engine
    end = engine.sources.on_end
    engine.sources = Sources([Ticks(made)])
    engine.sources.on_end = end
    return built


def reference(made: list[Trade], *, trade: bool) -> tuple[int, float]:
    """Do the same arithmetic in one loop; return fills and the cash it ends with."""
    fast = slow = 0.0
    fast_sum: list[float] = []
    slow_sum: list[float] = []
    end = START_NS - START_NS % 1_000_000_000 + 1_000_000_000
    high = low = close = volume = turnover = 0.0
    state, position, cash, fills, bars = 0, 0.0, 100_000.0, 0, 0
    fee = 4.5e-4
    for tick in made:
        ts, price = tick.ts_recv, tick.price
        while ts >= end:
            end += 1_000_000_000
            bars += 1
            if bars <= 5:
                fast_sum.append(close)
                fast = sum(fast_sum) / 5
            else:
                fast += (close - fast) / 3
            if bars <= 10:
                slow_sum.append(close)
                slow = sum(slow_sum) / 10
            else:
                slow += (close - slow) * (2 / 11)
            if bars >= 10:
                if state == 0:
                    state = 1 if fast > slow else 0
                elif state == 1:
                    state = 0
                    if trade:
                        state, position = 2, 0.1
                        cash -= 0.1 * close * (1 + fee)
                        fills += 1
                elif fast < slow:
                    state = 0
                    cash += position * close * (1 - fee)
                    position = 0.0
                    fills += 1
            high, low, volume, turnover = price, price, 0.0, 0.0
        high = price if price > high else high
        low = price if price < low else low
        close = price
        volume += tick.size
        turnover += price * tick.size
    return fills, cash + position * close


def _cpu_s(work: Callable[[], Any]) -> float:
    gc.collect()
    before = time.process_time()
    work()
    return time.process_time() - before


def _sessions(made: list[Trade], *, trade: bool) -> Iterator[Session]:
    while True:
        yield session(made, trade=trade)


def ratios(count: int = 60_000, rounds: int = 5) -> dict[str, float]:
    """Return the core's CPU time per tick over the loop's, medians of ``rounds``."""
    made = trades(count)
    result = {}
    for name, trade in (("signals only", False), ("with orders", True)):
        core, loop = [], []
        sessions = _sessions(made, trade=trade)
        for _ in range(rounds):
            built = next(sessions)
            core.append(_cpu_s(lambda built=built: run_backtest(built.engine)))  # type: ignore[misc]
            loop.append(_cpu_s(lambda trade=trade: reference(made, trade=trade)))  # type: ignore[misc]
        result[f"{name}, us per tick"] = statistics.median(core) / count * 1e6
        result[f"{name}, ratio to the loop"] = statistics.median(
            a / b for a, b in zip(core, loop, strict=True)
        )
    return result


@pytest.mark.parametrize("trade", [False, True])
def test_the_core_comes_to_the_fills_and_equity_of_the_loop(trade: bool) -> None:
    made = trades(6_000)
    built = session(made, trade=trade)
    run_backtest(built.engine)
    account = built.executor.account()
    fills, equity = reference(made, trade=trade)
    assert account.fills == fills
    assert (fills > 0) is trade
    assert account.equity == pytest.approx(Decimal(equity), abs=Decimal("0.01"))


@pytest.mark.parametrize("trade", [False, True])
def test_tick_through_the_whole_core(benchmark: Any, trade: bool) -> None:
    made = trades(10_000)
    benchmark.pedantic(
        lambda built: run_backtest(built.engine),
        setup=lambda: ((session(made, trade=trade),), {}),
        rounds=5,
    )


if __name__ == "__main__":
    for label, value in ratios().items():
        print(f"{label}: {value:.2f}")
