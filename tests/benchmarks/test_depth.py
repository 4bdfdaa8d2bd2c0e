"""A depth message of 40 levels: decoded from the venue's JSON, then into the book.

Prices and sizes are strings, as the venue sends them; most levels are near the top
and four in ten remove theirs. The book holds 1,000 levels a side. Beside it the
differences of the recorded streams, as they were, against decoding their JSON alone.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.benchmarks.budget import median_cpu_ns
from tests.benchmarks.test_market import deltas
from tests.reference import REFERENCE, reference
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


def recorded(folder: str) -> list[bytes]:
    """Return the book lines of a recorded stream; none without the reference."""
    path = REFERENCE / "data" / "binance" / folder / "btcusdt_20240808.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rb") as file:
        return [
            line for line in file if b"@depth" in line or b'{"lastUpdateId"' in line
        ]


def recorded_timings(folder: str) -> dict[str, float]:
    """Return ns per recorded difference: its JSON alone, and read into the book.

    Empty without the reference.
    """
    captured = recorded(folder)
    if not captured:
        return {}
    json = msgspec.json.Decoder()

    def decode() -> None:
        for line in captured:
            json.decode(line[20:])

    def follow() -> None:
        follow_recorded(captured)

    return {
        "json": median_cpu_ns(decode) / len(captured),
        "book": median_cpu_ns(follow) / len(captured),
    }


def follow_recorded(captured: list[bytes]) -> Book:
    """Return the book of recorded lines."""
    parse = BinanceRawReader(
        captured[:10], Memory("BTCUSDT", {"BTCUSDT": "BTCUSDT"}, None)
    ).parse
    kept = Book()
    for line in captured:
        event = parse(line, 1)
        if type(event) is BookDelta:
            kept.delta(event)
        elif type(event) is BookSnapshot:
            kept.snapshot(event)
    return kept


@pytest.mark.reference
def test_the_recorded_differences_are_all_in_the_book() -> None:
    reference("data", "binance", "spot-ws", "btcusdt_20240808.gz")
    kept = follow_recorded(recorded("spot-ws"))
    assert (kept.applied, kept.dropped, kept.gaps) == (3_449, 2, 0)


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
    for folder in ("spot-ws", "usdm-ws"):
        for name, ns in recorded_timings(folder).items():
            print(f"{folder} {name:16} {1e9 / ns:9,.0f} differences/s")
