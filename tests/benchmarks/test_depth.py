"""A depth message of 40 levels: decoded from the venue's JSON, then into the book.

Prices and sizes are strings, as the venue sends them; most levels are near the top
and four in ten remove theirs. The book holds 1,000 levels a side.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from tests.benchmarks.budget import median_cpu_ns
from tests.benchmarks.test_market import deltas
from workstation.market.book import Book
from workstation.model.market import BookDelta, BookSnapshot, Level
from workstation.venues.file.binance_raw import BinanceRawReader
from workstation.venues.file.format import Memory

MESSAGES = 2_000
LEVELS = 40
SYMBOL = "SYM0"


def lines(count: int = MESSAGES) -> list[bytes]:
    """Return captured lines with one difference of 40 levels each."""
    made = []
    for event in deltas(count, 2 * LEVELS):
        half = LEVELS // 2
        made.append(
            b"%019d %s"
            % (
                1_700_000_000_000_000_000 + event.first_id,
                msgspec.json.encode(
                    {
                        "stream": f"{SYMBOL.lower()}@depth@100ms",
                        "data": {
                            "e": "depthUpdate",
                            "E": 1_700_000_000_000 + event.first_id,
                            "s": SYMBOL,
                            "U": event.first_id,
                            "u": event.last_id,
                            "b": _texts(event.bids[:half]),
                            "a": _texts(event.asks[-half:]),
                        },
                    }
                ),
            )
        )
    return made


def _texts(levels: tuple[Level, ...]) -> list[tuple[str, str]]:
    return [(f"{price:.2f}", f"{size:.8f}") for price, size in levels]


def book() -> Book:
    """Return a trusted book of 1,000 levels a side."""
    rng = random.Random(7)
    made = Book()
    made.snapshot(
        BookSnapshot(
            SYMBOL,
            1,
            0,
            tuple((1000.0 - i / 100, rng.random() + 0.1) for i in range(1_000)),
            tuple((1000.01 + i / 100, rng.random() + 0.1) for i in range(1_000)),
        )
    )
    return made


def parser(head: list[bytes]) -> Callable[[bytes, int], object]:
    """Return what decodes a line."""
    return BinanceRawReader(head, Memory(SYMBOL, {SYMBOL: SYMBOL}, None)).parse


def timings() -> dict[str, float]:
    """Return µs of CPU time per message: decoding alone, and decoding with the book."""
    captured = lines()
    parse = parser(captured[:10])

    def decode() -> None:
        for line in captured:
            parse(line, 1)

    def follow() -> None:
        kept = book()
        for line in captured:
            event = parse(line, 1)
            assert type(event) is BookDelta
            kept.delta(event)

    return {
        "decode": median_cpu_ns(decode) / MESSAGES / 1e3,
        "decode and book": (median_cpu_ns(follow) - median_cpu_ns(book))
        / MESSAGES
        / 1e3,
    }


def test_a_message_has_forty_levels_and_the_book_takes_it() -> None:
    captured = lines(50)
    parse, kept = parser(captured[:10]), book()
    for line in captured:
        event = parse(line, 1)
        assert isinstance(event, BookDelta)
        assert 35 <= len(event.bids) + len(event.asks) <= LEVELS
        kept.delta(event)
    assert kept.applied == 50


def test_a_depth_message(benchmark: Any) -> None:
    captured = lines(200)
    parse = parser(captured[:10])

    def run(kept: Book) -> None:
        for line in captured:
            event = parse(line, 1)
            assert type(event) is BookDelta
            kept.delta(event)

    benchmark.pedantic(run, setup=lambda: ((book(),), {}), rounds=9)


if __name__ == "__main__":
    for name, cost in timings().items():
        print(f"{name:16} {cost:6.2f} us a message")
