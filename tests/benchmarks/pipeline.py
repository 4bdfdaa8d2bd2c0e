"""What the chain of processors costs per quote and trade, beside the bare Aggregator.

Ticks come as a feed's do: 20 a second of one symbol, so that what is done by the second
(samples, market data) counts as often as it would.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial

from tests.benchmarks.budget import ROUNDS, cpu_ns
from tests.market.fakes import FakeCore, instrument
from workstation.market.aggregator import Aggregator
from workstation.market.pipeline.chain import Plan
from workstation.market.pipeline.settings import SHIPPED, PipelineSettings
from workstation.market.settings import StorageSettings
from workstation.model.market import Quote, Trade
from workstation.model.timeframes import NS_PER_MS, Timeframe

__all__ = ["costs"]

TICKS = 10_000
SPACING_NS = 50 * NS_PER_MS
START_NS = 1_700_000_000_000_000_000
NAME = "SYM0"
SECOND = Timeframe.parse("1s")
INDICATORS: tuple[tuple[str, dict[str, float]], ...] = (
    ("sma", {"period": 10}),
    ("sma", {"period": 50}),
    ("ema", {"period": 10}),
    ("ema", {"period": 50}),
    ("rsi", {"period": 7}),
    ("rsi", {"period": 14}),
    ("macd", {}),
    ("bollinger", {}),
    ("atr", {}),
    ("adx", {}),
)
CHAINS: dict[str, tuple[str, ...]] = {
    "bare": (),
    **{name: (name,) for name in SHIPPED},
    "default": PipelineSettings().processors,
    "all": SHIPPED,
}


def quotes(count: int = TICKS) -> list[Quote]:
    """Return quotes of one symbol, 20 a second."""
    rng = random.Random(7)
    mid, made = 100.0, []
    for index in range(count):
        mid += rng.choice((-0.01, 0.0, 0.0, 0.01))
        ts = START_NS + index * SPACING_NS
        sizes = rng.random(), rng.random()
        made.append(
            Quote(NAME, ts, mid - 0.01, sizes[0], mid + 0.01, sizes[1], None, index)
        )
    return made


def trades(count: int = TICKS) -> list[Trade]:
    """Return trades of one symbol, 20 a second, on both sides."""
    rng = random.Random(7)
    return [
        Trade(NAME, START_NS + i * SPACING_NS, 100.0, 1.0, rng.choice((-1, 1)))
        for i in range(count)
    ]


def aggregator(
    processors: Sequence[str], *, running: int = 0
) -> tuple[Aggregator, FakeCore]:
    """Return an Aggregator of bars of mids with these processors and indicators."""
    plan = Plan(PipelineSettings(processors=tuple(processors)))
    # Windows of ticks apart: they have lines of their own.
    storage = StorageSettings(quotes=0, trades=0, bar_source="mid")
    part = Aggregator(storage, [instrument(NAME)], plan=plan)
    core = FakeCore(START_NS)
    part.attach(core)
    part.watch(NAME, SECOND)
    for name, params in INDICATORS[:running]:
        part.indicator(NAME, SECOND, name, **params)
    return part, core


def quote_ns(processors: Sequence[str], running: int) -> float:
    """Return the CPU time of one quote; a bar is closed after every twentieth."""
    part, core = aggregator(processors, running=running)
    handler = part.on_quote
    events = quotes()

    def run() -> None:
        for index, event in enumerate(events):
            if not index % 20:
                core.advance(event.ts_recv)
                core.published.clear()
            handler(event)

    return cpu_ns(run) / TICKS


def trade_ns(processors: Sequence[str]) -> float:
    """Return the CPU time of one trade, with prices after every fourth to learn by."""
    part, _ = aggregator(processors)
    between = quotes()
    events = trades()

    def run() -> None:
        for index, event in enumerate(events):
            part.on_trade(event)
            if not index % 4:
                part.on_quote(between[index])

    return cpu_ns(run) / TICKS


def costs() -> dict[str, float]:
    """Return ns per quote by chain, ``with_indicators`` of all and ten of them.

    The least of the rounds, and the chains by turns: a busy machine makes all of them
    slow for a while.
    """
    runs: dict[str, Callable[[], float]] = {
        name: partial(quote_ns, chain, 0) for name, chain in CHAINS.items()
    }
    runs["with_indicators"] = partial(quote_ns, SHIPPED, len(INDICATORS))
    runs["trade_bare"] = partial(trade_ns, ())
    runs["trade_default"] = partial(trade_ns, CHAINS["default"])
    rounds = [{name: run() for name, run in runs.items()} for _ in range(ROUNDS)]
    return {name: min(found[name] for found in rounds) for name in runs}


if __name__ == "__main__":
    for name, ns in costs().items():
        print(f"{name:>20} {ns:6.0f} ns")
