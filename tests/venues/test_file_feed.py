from __future__ import annotations

import gc
import gzip
import hashlib
import tracemalloc
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.venues.recordings import KLINE, RAW_START, make_feed, raw_lines, take
from workstation.model.errors import ConfigError, DataError
from workstation.model.market import Trade
from workstation.model.roles import Connector
from workstation.model.timeframes import NS_PER_MS
from workstation.venues.file.settings import FileFormat

FROZEN_PATH = [HealthCheck.function_scoped_fixture]
START_MS = 1_723_161_255_000


def trade_row(ms: int, trade_id: int, futures: bool = False) -> bytes:
    tail = b"true" if futures else b"True,True"
    return b"%d,100.5,0.25,25.125,%d," % (trade_id, ms) + tail


def trades(path: Path, times: list[int], first_id: int = 1) -> Path:
    rows = [trade_row(START_MS + ms, first_id + i) for i, ms in enumerate(times)]
    path.write_bytes(b"".join(row + b"\n" for row in rows))
    return path


def ids(feed: Iterator[object] | list[object]) -> list[int]:
    return [event.trade_id for event in feed if isinstance(event, Trade)]


def test_it_is_a_connector(tmp_path: Path) -> None:
    feed = make_feed("binance-trades", trades(tmp_path / "t.csv", [0]))
    assert isinstance(feed, Connector)


def test_files_of_one_symbol_are_read_in_turn(tmp_path: Path) -> None:
    one = trades(tmp_path / "1.csv", [0, 5], 1)
    two = trades(tmp_path / "2.csv", [5, 9], 3)
    feed = make_feed("binance-trades", one, two)

    assert ids([*take(feed)]) == [1, 2, 3, 4]
    assert feed.first_ts == START_MS * NS_PER_MS
    assert feed.delivered == 4


def test_a_file_that_begins_before_the_last_one_ended_is_refused(
    tmp_path: Path,
) -> None:
    one = trades(tmp_path / "1.csv", [0, 5])
    two = trades(tmp_path / "2.csv", [4, 9])

    with pytest.raises(DataError, match=r"2\.csv:1: time goes back by 0\.001 s"):
        take(make_feed("binance-trades", one, two))


def test_symbols_are_merged_by_time_then_file_then_row(tmp_path: Path) -> None:
    btc = trades(tmp_path / "b.csv", [0, 5, 5, 8], 1)
    eth = trades(tmp_path / "e.csv", [5, 5, 6], 11)
    late = trades(tmp_path / "b2.csv", [9], 5)
    feed = make_feed(
        "binance-trades", btc, eth, late, symbols=["BTCUSDT", "ETHUSDT", "BTCUSDT"]
    )

    assert ids([*take(feed)]) == [1, 2, 3, 11, 12, 13, 4, 5]


def test_captures_of_two_symbols_are_merged_and_name_themselves(
    tmp_path: Path,
) -> None:
    paths = []
    for symbol in ("ETHUSDT", "BTCUSDT"):
        path = tmp_path / f"{symbol}.txt"
        path.write_bytes(b"\n".join(raw_lines(symbol)))
        paths.append(path)
    events = take(make_feed("binance-raw", *paths, symbols=["BTCUSDT", "ETHUSDT"]))

    assert [event.instrument for event in events] == [
        "ETHUSDT.id",
        "BTCUSDT.id",
    ] * 6


@settings(deadline=None, max_examples=50, suppress_health_check=FROZEN_PATH)
@given(
    left=st.lists(st.integers(0, 50), min_size=1, max_size=20).map(sorted),
    right=st.lists(st.integers(0, 50), min_size=1, max_size=20).map(sorted),
)
def test_merging_keeps_the_time_order_and_loses_nothing(
    tmp_path: Path, left: list[int], right: list[int]
) -> None:
    one = trades(tmp_path / "1.csv", left, 1)
    two = trades(tmp_path / "2.csv", right, 101)
    feed = make_feed("binance-trades", one, two, symbols=["BTCUSDT", "ETHUSDT"])
    events = take(feed)

    assert all(a.ts_recv <= b.ts_recv for a, b in pairwise(events))
    assert sorted(ids([*events])) == [
        *range(1, len(left) + 1),
        *range(101, 101 + len(right)),
    ]


def test_damage_never_holds_back_the_event_before_it(tmp_path: Path) -> None:
    path = trades(tmp_path / "t.csv", [0, 1])
    path.write_bytes(path.read_bytes() + b"broken\n")
    feed = make_feed("binance-trades", path)

    assert feed.next() is not None
    assert feed.next() is not None
    for _ in range(2):
        with pytest.raises(DataError, match=r"t\.csv:3: 1 columns"):
            feed.next()
    assert feed.delivered == 2


def test_damaged_rows_are_skipped_and_counted_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [trade_row(START_MS + i, i) if i % 2 else b"x" for i in range(1, 8)]
    path.write_bytes(b"\n".join(rows))
    feed = make_feed("binance-trades", path, on_error="skip", max_skipped=3)

    assert ids([*take(feed)]) == [1, 3, 5, 7]
    assert feed.skipped == 3
    assert [(error.line, error.source) for error in feed.errors] == [
        (2, "t.csv"),
        (4, "t.csv"),
        (6, "t.csv"),
    ]
    with pytest.raises(DataError, match="damaged row 3, max_skipped = 2"):
        take(make_feed("binance-trades", path, on_error="skip", max_skipped=2))


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\n\n", b""])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_line_ends_blank_lines_and_a_byte_order_mark_do_not_matter(
    tmp_path: Path, start: bytes, ending: bytes
) -> None:
    path = tmp_path / "t.csv"
    separator = ending or b"\n"
    rows = [trade_row(START_MS, 1), trade_row(START_MS, 2)]
    path.write_bytes(start + separator.join(rows) + ending)

    assert ids([*take(make_feed("binance-trades", path))]) == [1, 2]


def test_packed_files_give_the_same_as_plain_ones(tmp_path: Path) -> None:
    plain = trades(tmp_path / "t.csv", list(range(500)))
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    archive = tmp_path / "t.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.write(plain, "t.csv")
    expected = take(make_feed("binance-trades", plain))

    for path in (packed, archive):
        feed = make_feed("binance-trades", path)
        assert take(feed) == expected
        assert feed.consumed_bytes == feed.total_bytes == path.stat().st_size


@pytest.mark.parametrize("keep", [5, 0.5, 0.9, -4, -12])
def test_a_gzip_cut_short_gives_what_was_whole_and_then_its_end(
    tmp_path: Path, keep: float
) -> None:
    packed = gzip.compress(trades(tmp_path / "t", list(range(5_000))).read_bytes())
    path = tmp_path / "t.gz"
    end = int(keep * len(packed)) if isinstance(keep, float) else int(keep)
    path.write_bytes(packed[:end])
    feed = make_feed("binance-trades", path, on_error="skip")
    found = ids([*take(feed)])

    assert found == list(range(1, len(found) + 1))
    assert len(found) < 5_000 or keep < 0
    assert len(found) > 2_000 or keep == 5
    assert feed.skipped == 1
    assert feed.last_error is not None
    assert "cut short or damaged" in feed.last_error.reason
    assert feed.last_error.line == len(found) + 1


def test_a_damaged_gzip_never_passes_as_whole(tmp_path: Path) -> None:
    packed = bytearray(
        gzip.compress(trades(tmp_path / "t", list(range(500))).read_bytes())
    )
    packed[len(packed) // 2] ^= 0xFF
    path = tmp_path / "t.gz"
    path.write_bytes(packed)

    with pytest.raises(DataError):
        take(make_feed("binance-trades", path))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "holds nothing"),
        (["readme.md"], "holds readme.md"),
        (["a.csv", "b.csv"], "holds a.csv, b.csv"),
    ],
)
def test_a_zip_must_hold_one_csv(tmp_path: Path, names: list[str], words: str) -> None:
    path = tmp_path / "t.zip"
    with zipfile.ZipFile(path, "w") as target:
        for name in names:
            target.writestr(name, "x")

    with pytest.raises(DataError, match=words):
        take(make_feed("binance-trades", path))


def test_what_is_no_archive_is_damage_and_the_next_file_still_read(
    tmp_path: Path,
) -> None:
    bad = tmp_path / "a.zip"
    bad.write_bytes(b"not a zip")
    good = trades(tmp_path / "b.csv", [0])
    feed = make_feed("binance-trades", bad, good, on_error="skip")

    assert ids([*take(feed)]) == [1]
    assert str(feed.last_error).startswith("a.zip:1: packed data")


@pytest.mark.parametrize("on_error", ["stop", "skip"])
@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        ("quotes", b"", "t.csv:1: no rows"),
        ("binance-klines", b"\n\n", "t.csv:2: no rows"),
        ("quotes", b"timestamp,bid,ask\n", "t.csv:1: no rows"),
        ("binance-trades", b"id,price,qty,quoteQty,time,isBuyerMaker", "no rows"),
        ("quotes", b"timestamp;bid;ask\n1;2;3\n", "t.csv:1: header lacks time, bid"),
        ("ohlcv", b"time,open,high\n1,2,3\n", "t.csv:1: header lacks low, close"),
        ("binance-klines", b"open_time;open\n1;2\n", "t.csv:1: header of 1 columns"),
        ("binance-trades", b"id;price\n1;2\n", "t.csv:1: header of 1 columns"),
        ("binance-raw", b"", "t.csv:1: no rows"),
    ],
)
def test_a_file_without_a_row_or_a_sound_header_fails_however_damage_is_met(
    tmp_path: Path, form: FileFormat, text: bytes, said: str, on_error: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text)
    feed = make_feed(form, path, on_error=on_error)

    for _ in range(2):
        with pytest.raises(DataError, match=said):
            feed.next()
    assert feed.first_ts is None
    assert feed.skipped == 0


def test_a_file_of_damaged_rows_alone_is_the_wrong_file(tmp_path: Path) -> None:
    good = trades(tmp_path / "a.csv", [0])
    path = tmp_path / "b.csv"
    path.write_bytes(b"1;2\n3;4\n")
    feed = make_feed("binance-trades", good, path, on_error="skip")

    assert feed.next() is not None
    with pytest.raises(DataError, match=r"b\.csv:2: no sound row, 2 damaged"):
        feed.next()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str) -> None:
    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.csv{suffix}"
        opener = gzip.open if suffix else open
        with opener(path, "wb") as target:
            for i in range(rows):
                target.write(trade_row(START_MS + i, i) + b"\n")
        gc.collect()
        tracemalloc.start()
        feed = make_feed("binance-trades", path)
        while feed.next() is not None:
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert feed.delivered == rows
        return most

    small, big = peak(5_000), peak(60_000)
    assert big < small + 100_000
    assert big < 2_000_000


def test_a_line_that_never_ends_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as target:
        for _ in range(20):
            target.write(b"1" * (1 << 20))

    with pytest.raises(DataError, match="longer than"):
        take(make_feed("binance-trades", path))


def test_progress_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    path = trades(tmp_path / "t.csv", list(range(20_000)))
    feed = make_feed("binance-trades", path)
    assert (feed.consumed_bytes, feed.total_bytes) == (0, path.stat().st_size)

    seen = []
    while feed.next() is not None:
        seen.append(feed.consumed_bytes)

    assert seen == sorted(seen)
    assert 0 < seen[0] < feed.total_bytes
    assert feed.consumed_bytes == feed.total_bytes


def test_closing_ends_the_feed(tmp_path: Path) -> None:
    feed = make_feed("binance-trades", trades(tmp_path / "t.csv", [0, 1, 2]))
    assert feed.next() is not None
    feed.close()
    feed.close()

    assert feed.next() is None


def test_identity_is_the_content_not_the_place(tmp_path: Path) -> None:
    path = trades(tmp_path / "t.csv", [0, 1, 2])
    (tmp_path / "else").mkdir()
    moved = trades(tmp_path / "else" / "t.csv", [0, 1, 2])
    feed = make_feed("binance-trades", path)
    identity = feed.identity()

    content = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    assert identity["file.0.t.csv"] == content
    assert identity["format"] == "binance-trades"
    assert make_feed("binance-trades", moved).identity() == identity
    path.write_bytes(b"else")
    assert feed.identity() == identity
    assert make_feed("binance-trades", path).identity() != identity


def test_a_missing_file_is_named_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"file no\.csv is not there") as caught:
        make_feed("binance-trades", tmp_path / "no.csv")
    assert str(tmp_path) in str(caught.value)

    with pytest.raises(ConfigError, match="is a folder"):
        make_feed("binance-trades", tmp_path)


def test_symbols_that_do_not_fit_the_files_are_refused(tmp_path: Path) -> None:
    path = trades(tmp_path / "t.csv", [0])
    with pytest.raises(ConfigError, match="2 symbols for 3 files"):
        make_feed("binance-trades", path, path, path, symbols=["BTCUSDT", "ETHUSDT"])
    with pytest.raises(ConfigError, match="interval: timeframe 'often'"):
        make_feed("binance-klines", path, interval="often")


def test_a_first_row_in_the_middle_of_a_file_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_bytes(KLINE + b"\nopen_time,open\n")

    with pytest.raises(DataError, match=r"k\.csv:2: 2 columns"):
        take(make_feed("binance-klines", path))


def test_a_capture_with_nothing_for_us_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"%d {}\n" % RAW_START)
    feed = make_feed("binance-raw", path)

    assert feed.next() is None
    assert feed.skipped_by_kind == {"control": 1}
