"""What the Aggregator costs per quote, trade and book level, beside floors.

A floor is the same arithmetic in one inlined loop, or a bare call per event.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.market.captures import decode, head
from tests.market.fakes import market
from tests.reference import reference
from workstation.market.book import Book
from workstation.market.window import BarWindow
from workstation.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from workstation.model.timeframes import NS_PER_MS, NS_PER_S, Timeframe

SECOND = Timeframe.of_ns(NS_PER_S)

pytestmark = pytest.mark.benchmark(group="market")

TICKS = 20_000


def quotes(names: int = 1) -> list[Quote]:
    rng = random.Random(7)
    mid = 100.0
    made = []
    for index in range(TICKS):
        mid += rng.choice((-0.01, 0.0, 0.0, 0.01))
        made.append(
            Quote(
                f"SYM{index % names}",
                1 + index // names * NS_PER_MS,
                mid - 0.01,
                rng.random(),
                mid + 0.01,
                rng.random(),
                None,
                index,
            )
        )
    return made


def trades() -> list[Trade]:
    return [
        Trade("SYM0", q.ts_recv, q.bid, q.bid_size, 1, i, q.ts_recv)
        for i, q in enumerate(quotes())
    ]


def note(benchmark: Any, name: str, count: int, scale: float) -> None:
    """Keep the median per item; nothing where benchmarks only run as tests."""
    if benchmark.stats is not None:
        median = benchmark.stats.stats.median
        benchmark.extra_info[name] = median / count * scale


@pytest.mark.parametrize("symbols", [1, 1_000])
def test_quotes(benchmark: Any, symbols: int) -> None:
    names = [f"SYM{index}" for index in range(symbols)]
    first, events = quotes(symbols)[:1_000], quotes(symbols)

    def setup() -> tuple[tuple[Any], dict[str, Any]]:
        # The first quote of a symbol begins its bars; that is no cost of a quote.
        part, core = market(*names, watch=("1m",))
        core.feed(part, first)
        return (part.handlers()[Quote],), {}

    def run(handler: Any) -> None:
        for event in events:
            handler(event)

    benchmark.pedantic(run, setup=setup, rounds=15)
    note(benchmark, "ns_per_quote", TICKS, 1e9)


@pytest.mark.parametrize("timeframes", [("1m",), ("1s", "1m", "1h")])
def test_trades(benchmark: Any, timeframes: tuple[str, ...]) -> None:
    events = trades()

    def setup() -> tuple[tuple[Any], dict[str, Any]]:
        part, _ = market("SYM0", watch=timeframes)
        return (part.handlers()[Trade],), {}

    def run(handler: Any) -> None:
        for event in events:
            handler(event)

    benchmark.pedantic(run, setup=setup, rounds=15)
    note(benchmark, "ns_per_trade", TICKS, 1e9)


def test_a_bare_call_per_tick_is_the_floor(benchmark: Any) -> None:
    events = trades()

    high = [0.0]

    def handler(event: Trade) -> None:
        if event.price > high[0]:
            high[0] = event.price

    def run() -> None:
        for event in events:
            handler(event)

    benchmark.pedantic(run, rounds=15)
    note(benchmark, "ns_per_tick", TICKS, 1e9)


def _snapshot(rng: random.Random, levels: int) -> BookSnapshot:
    return BookSnapshot(
        "SYM0",
        1,
        0,
        tuple((1000.0 - i / 100, rng.random() + 0.1) for i in range(levels)),
        tuple((1000.01 + i / 100, rng.random() + 0.1) for i in range(levels)),
    )


def deltas(count: int, size: int) -> list[BookDelta]:
    """Return differences of ``size`` levels, mostly near the top, half removals."""
    rng = random.Random(7)
    made = []
    for index in range(1, count + 1):
        sides = []
        for base, sign in ((1000.0, -1), (1000.01, +1)):
            prices = sorted(
                {
                    round(base + sign * int(rng.expovariate(0.02)) / 100, 2)
                    for _ in range(size // 2)
                }
            )
            sides.append(
                tuple(
                    (p, rng.random() + 0.1 if rng.random() < 0.6 else 0.0)
                    for p in prices
                )
            )
        made.append(BookDelta("SYM0", index, index, index, sides[0], sides[1]))
    return made


def test_book_levels(benchmark: Any) -> None:
    events = deltas(500, 40)
    levels = sum(len(e.bids) + len(e.asks) for e in events)
    start = _snapshot(random.Random(7), 1_000)

    def setup() -> tuple[tuple[Any], dict[str, Any]]:
        book = Book()
        book.snapshot(start)
        return (book,), {}

    def run(book: Book) -> None:
        for event in events:
            book.delta(event)

    benchmark.pedantic(run, setup=setup, rounds=15)
    note(benchmark, "ns_per_level", levels, 1e9)


def test_recorded_differences_through_the_aggregator(benchmark: Any) -> None:
    path = reference("data", "binance", "usdm-ws", "btcusdt_20240808.gz")
    events = [
        event
        for event in (decode(line, "BTCUSDT") for line in head(path, 20_000))
        if isinstance(event, BookDelta | BookSnapshot)
    ]
    levels = sum(len(e.bids) + len(e.asks) for e in events)

    def setup() -> tuple[tuple[Any], dict[str, Any]]:
        part, _ = market("BTCUSDT")
        return (part.handlers(),), {}

    def run(handlers: Any) -> None:
        for event in events:
            handlers[type(event)](event)

    benchmark.pedantic(run, setup=setup, rounds=9)
    note(benchmark, "ns_per_level", levels, 1e9)
    note(benchmark, "us_per_difference", len(events), 1e6)


def test_window_appends_and_scalar_reads(benchmark: Any) -> None:
    bars = [
        Bar("SYM0", i, SECOND, i * NS_PER_S, 1.0, 2.0, 0.5, 1.5, 3.0, 4.0, 5)
        for i in range(5_000)
    ]

    def run() -> None:
        window = BarWindow(SECOND, 1_000)
        for bar in bars:
            window.append(bar)
            window.close()
            window.high()

    benchmark.pedantic(run, rounds=9)
    note(benchmark, "us_per_bar", len(bars), 1e6)
