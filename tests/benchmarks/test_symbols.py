"""What many symbols cost: memory of each, and a quote beside 999 others.

The whole assembled session is measured: instrument, market state, row, broker. Each
symbol has 20 quotes a second in both runs, so that only their number differs.
"""

from __future__ import annotations

import gc
import random
import statistics
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.benchmarks.budget import ROUNDS, cpu_ns
from tests.benchmarks.effort import effort
from tests.benchmarks.test_core import CONFIG, SCRIPT, START_NS
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.session import Session
from workstation.engine.settings import RunSettings
from workstation.engine.sources import Sources
from workstation.market.book import Book
from workstation.market.settings import StorageSettings
from workstation.market.ticks import QuoteWindow, TradeWindow
from workstation.market.window import BarWindow
from workstation.model.market import BookSnapshot, Quote
from workstation.model.timeframes import Timeframe

QUOTES = 60_000
PER_SYMBOL_NS = 50_000_000
LEVELS = 1_000
MANY = 1_000


class Prepared:
    """A source of prepared quotes."""

    name = "ticks"

    def __init__(self, quotes: list[Quote]) -> None:
        self._quotes = iter(quotes)

    def next(self) -> tuple[int, Quote] | None:
        """Return the next quote."""
        quote = next(self._quotes, None)
        return None if quote is None else (quote.ts_recv, quote)

    def identity(self) -> dict[str, str]:
        """Return what it is."""
        return {"type": "prepared"}

    def close(self) -> None:
        """Do nothing."""


def names(count: int) -> list[str]:
    """Return ``count`` symbols quoted in the account's currency."""
    return [f"S{index:04}USDT" for index in range(count)]


def quotes(symbols: list[str], count: int) -> list[Quote]:
    """Return ``count`` quotes of the symbols by turns."""
    rng = random.Random(7)
    mids = [100.0] * len(symbols)
    made = []
    for index in range(count):
        which = index % len(symbols)
        mids[which] += rng.choice((-0.01, 0.01))
        mid = mids[which]
        made.append(
            Quote(
                symbols[which],
                START_NS + index * PER_SYMBOL_NS // len(symbols),
                mid - 0.01,
                rng.random(),
                mid + 0.01,
                rng.random(),
            )
        )
    return made


def settings(symbols: list[str]) -> RunSettings:
    """Return the settings of the core's benchmark for these symbols, in day bars."""
    listed = ", ".join(f'"{name}"' for name in symbols)
    text = CONFIG.replace('"BTCUSDT"', listed).replace('"1s"', '"1d"')
    with TemporaryDirectory() as folder:
        Path(folder, "bench.toml").write_text(text)
        script = Path(folder, "bench.py")
        script.write_text(f"TRADE = False\n{SCRIPT}")
        return load_config(Path(folder, "bench.toml")).run


def session(run: RunSettings, made: list[Quote]) -> Session:
    """Return a session fed with prepared quotes; its script is written again."""
    script = Path(run.strategies[0].script)
    script.parent.mkdir()
    script.write_text(f"TRADE = False\n{SCRIPT}")
    built = assemble_session(run)
    script.unlink()
    script.parent.rmdir()
    engine = built.engine
    end = engine.sources.on_end
    for feed in engine.sources.feeds:
        # The simulated market goes: 10 KiB a symbol that are the venue's, not ours.
        engine.registry.get(feed.name).live_counts = ()
    engine.sources = Sources([Prepared(made)])
    engine.sources.on_end = end
    return built


def ns_per_quote(symbols: int, count: int = QUOTES) -> float:
    """Return the CPU time of a quote through the whole core, without first ones."""
    listed = names(symbols)
    run, made = settings(listed), quotes(listed, count + 2 * symbols)
    return statistics.median(_rounds(run, made, symbols, count))


def _rounds(
    run: RunSettings, made: list[Quote], symbols: int, count: int
) -> Iterator[float]:
    for _ in range(ROUNDS):
        engine = session(run, made).engine
        engine.start()
        step = engine.step
        # The first quotes of a symbol begin its bars; that is no cost of a quote.
        for _ in range(2 * symbols):
            step()

        def rest(step: Any = step) -> None:
            for _ in range(count):
                step()

        yield cpu_ns(rest) / count


def kib_per_symbol(few: int = 100, many: int = 300) -> tuple[float, float]:
    """Return KiB of a symbol without its windows, and of the empty windows."""
    _traced(few)  # imports and caches are made once
    each = (_traced(many) - _traced(few)) / (many - few)
    window = _window()
    return (each - window) / 1024, window / 1024


def _traced(count: int) -> int:
    listed = names(count)
    run, made = settings(listed), quotes(listed, 3 * count)
    gc.collect()
    tracemalloc.start()
    built = session(run, made)
    engine = built.engine
    engine.start()
    while engine.step():
        pass
    del made
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert engine.delivered == 3 * count
    return size


def _window(count: int = 50) -> float:
    """Return bytes of a symbol's windows of bars, quotes and trades, all but empty."""
    kept = StorageSettings()
    second = Timeframe.parse("1s")
    gc.collect()
    tracemalloc.start()
    windows = [
        (
            BarWindow(second, kept.window),
            QuoteWindow(kept.quotes),
            TradeWindow(kept.trades),
        )
        for _ in range(count)
    ]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(windows)


def kib_per_book(count: int = 10) -> float:
    """Return KiB of a book with 1,000 levels on each side, its prices included."""
    gc.collect()
    tracemalloc.start()
    kept = [_book(number) for number in range(count)]
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(kept) / 1024


def _book(seed: int) -> Book:
    rng = random.Random(seed)
    book = Book()
    book.snapshot(
        BookSnapshot(
            "SYM0",
            1,
            0,
            tuple((1000.0 - i / 100, rng.random() + 0.1) for i in range(LEVELS)),
            tuple((1000.01 + i / 100, rng.random() + 0.1) for i in range(LEVELS)),
        )
    )
    return book


def test_a_book_has_a_thousand_levels_a_side() -> None:
    assert _book(1).depth() == (LEVELS, LEVELS)


def test_more_symbols_do_not_make_a_quote_take_more_effort() -> None:
    few, many = _effort_per_quote(1), _effort_per_quote(200)
    assert 0 < many < 1.05 * few


def _effort_per_quote(symbols: int, count: int = 600) -> float:
    listed = names(symbols)
    engine = session(settings(listed), quotes(listed, count + 2 * symbols)).engine
    engine.start()
    step = engine.step
    for _ in range(2 * symbols):
        step()

    def rest() -> None:
        for _ in range(count):
            step()

    return effort(rest) / count


@pytest.mark.parametrize("symbols", [1, MANY])
def test_a_quote_through_the_whole_core(benchmark: Any, symbols: int) -> None:
    listed = names(symbols)
    run, made = settings(listed), quotes(listed, 20_000 + 2 * symbols)

    def setup() -> tuple[tuple[Session], dict[str, Any]]:
        built = session(run, made)
        built.engine.start()
        for _ in range(2 * symbols):
            built.engine.step()
        return (built,), {}

    def rest(built: Session) -> None:
        while built.engine.step():
            pass

    benchmark.pedantic(rest, setup=setup, rounds=5)


if __name__ == "__main__":
    one, thousand = ns_per_quote(1), ns_per_quote(MANY)
    print(f"quote: {one:.0f} ns alone, {thousand:.0f} ns at {MANY}")
    print("symbol {:.1f} KiB, windows {:.1f} KiB".format(*kib_per_symbol()))
    print(f"book {kib_per_book():.1f} KiB")
