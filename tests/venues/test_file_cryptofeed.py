"""Captures of cryptofeed: streams and the snapshots beside them, as one feed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.reference import reference
from tests.venues.recordings import make_feed, take
from workstation.market.book import Book
from workstation.model.errors import DataError
from workstation.model.market import BookDelta, BookSnapshot, Quote, Trade
from workstation.model.states import BookTrust
from workstation.venues.file.feed import FileFeed

SYMBOLS = ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")


def captured(*symbols: str) -> FileFeed:
    folder = ("data", "binance", "cryptofeed-spot")
    paths = [
        reference(*folder, name) for name in ("BINANCE.ws.1.0", "BINANCE.http.0.0")
    ]
    return make_feed("binance-raw", *paths, symbols=symbols)


@pytest.mark.reference
def test_every_message_of_the_capture_is_an_event_or_is_counted() -> None:
    feed = captured(*SYMBOLS)
    events = take(feed)

    counts = Counter(map(type, events))
    assert counts == {BookDelta: 177, Quote: 84, Trade: 2, BookSnapshot: 4}
    assert feed.skipped_by_kind == {"kline_1m": 2}
    times = [event.ts_recv for event in events]
    assert times == sorted(times)
    assert times[0] == 1_633_998_512_063_356_900


@pytest.mark.reference
@pytest.mark.parametrize(
    ("symbol", "dropped", "applied", "snapshot"),
    [
        ("NKNUSDT", 1, 149, 499_869_752),
        ("BLZETH", 1, 9, 281_916_627),
        ("LRCBTC", 2, 13, 259_345_543),
        ("RUNEEUR", 1, 1, 15_602_511),
    ],
)
def test_the_book_of_each_symbol_is_proven(
    symbol: str, dropped: int, applied: int, snapshot: int
) -> None:
    book = Book()
    ids = []
    for event in take(captured(*SYMBOLS)):
        if event.instrument != f"{symbol}.id":
            continue
        if isinstance(event, BookSnapshot):
            ids.append(event.last_id)
            book.snapshot(event)
        elif isinstance(event, BookDelta):
            book.delta(event)
    assert ids == [snapshot]
    assert (book.dropped, book.applied, book.gaps) == (dropped, applied, 0)
    assert book.trust is BookTrust.TRUSTED


@pytest.mark.reference
def test_one_symbol_of_the_capture_may_be_wanted_alone() -> None:
    feed = captured("NKNUSDT")
    assert {event.instrument for event in take(feed)} == {"NKNUSDT.id"}
    assert feed.skipped_by_kind["symbol BLZETH"] > 10


DEPTH = b'{"lastUpdateId":5,"bids":[["1","2"]],"asks":[["3","4"]]}'
ASKED = b"https://api.binance.com/api/v3/depth?symbol=%s&limit=1000 -> 1633998512.5: %s"


def test_a_snapshot_is_of_the_symbol_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "B.http.0"
    other = b"https://api.binance.com/api/v3/exchangeInfo -> 1633998512.25: {}"
    lines = [other, ASKED % (b"ETHUSDT", DEPTH), ASKED % (b"BTCUSDT", DEPTH), b"", b""]
    path.write_bytes(b"\n".join(lines))
    feed = make_feed("binance-raw", path)

    assert take(feed) == [
        BookSnapshot(
            "BTCUSDT.id", 1_633_998_512_500_000_000, 5, ((1.0, 2.0),), ((3.0, 4.0),)
        )
    ]
    assert feed.skipped_by_kind == {"GET /api/v3/exchangeInfo": 1, "symbol ETHUSDT": 1}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"wss://stream.binance.com 1", "an address without an arrow"),
        (b'1633998512.5 {"stream":"x"}', "no time with a colon"),
        (b"16339x8512.5: {}", "time '16339x8512.5' cannot be read"),
        (ASKED.replace(b"symbol=%s", b"of=%s") % (b"X", DEPTH), "no one symbol in"),
        (ASKED % (b"BTCUSDT", DEPTH[:-9]), "truncated"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes, words: str) -> None:
    path = tmp_path / "B.ws.1"
    path.write_bytes(b"wss://stream.binance.com:9443 <-> 1633998511.1\n" + line + b"\n")
    with pytest.raises(DataError) as told:
        take(make_feed("binance-raw", path))
    assert told.value.line == 2
    assert words in told.value.reason
