"""The cache of recordings: a second pass equals the first, or is the first again."""

from __future__ import annotations

import gzip
import logging
import os
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.venues.recordings import make_feed, raw_lines, take
from workstation.model.errors import DataError
from workstation.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.timeframes import Timeframe
from workstation.paths import cache_folder
from workstation.venues.file import cache as cache_module
from workstation.venues.file.columns import Unkept, from_columns, to_columns
from workstation.venues.file.feed import FileFeed
from workstation.venues.file.source import SourceFile

FROZEN_PATH = [HealthCheck.function_scoped_fixture]
START_US = 1_723_161_255_000_000
ROWS = 600


def _lines(head: str, row: str) -> bytes:
    return (
        head
        + "".join(
            row.format(
                us=START_US + 1_000 * i,
                ms=START_US // 1_000 + 60_000 * i,
                close=START_US // 1_000 + 60_000 * (i + 1) - 1,
                n=i,
                price=100 + i % 7,
                more=101 + i % 7,
                snap="true" if i < 9 or i % 100 < 3 else "false",
                side=("bid", "ask")[i % 2],
                level=(90, 110)[i % 2] + i % 5,
                symbol=("BTCUSDT", "ETHUSDT")[i % 11 == 10],
            )
            for i in range(ROWS)
        )
    ).encode()


COMMON = "exchange,symbol,timestamp,local_timestamp"
CONTENTS: dict[str, tuple[str, bytes]] = {
    "klines": (
        "binance-klines",
        _lines("", "{ms},100,101.5,99,100.1,{n}.5,{close},7.25,{n},0,0,0\n"),
    ),
    "trades dump": ("binance-trades", _lines("", "{n},{price}.5,1,1,{ms},True,True\n")),
    "aggregate trades": (
        "binance-aggtrades",
        _lines("", "{n},{price}.5,1,{n},{n},{ms},false\n"),
    ),
    "quotes": ("quotes", _lines("time,bid,ask\n", "{us},{price}.1,{more}\n")),
    "trades": ("trades", _lines("time,price,size\n", "{us},{price}.1,0.3\n")),
    "ohlcv": ("ohlcv", _lines("time,open,high,low,close\n", "{ms},5,6,4,5.5\n")),
    "tardis trades": (
        "tardis",
        _lines(
            f"{COMMON},id,side,price,amount\n", "x,{symbol},{us},{us},{n},buy,5,{n}.5\n"
        ),
    ),
    "tardis quotes": (
        "tardis",
        _lines(
            f"{COMMON},ask_amount,ask_price,bid_price,bid_amount\n",
            "x,{symbol},{us},{us},1,{more},{price},2\n",
        ),
    ),
    "tardis book": (
        "tardis",
        _lines(
            f"{COMMON},is_snapshot,side,price,amount\n",
            "x,{symbol},{us},{us},{snap},{side},{level},{n}\n",
        ),
    ),
    "tardis snapshots": (
        "tardis",
        _lines(
            f"{COMMON},asks[0].price,asks[0].amount,bids[0].price,bids[0].amount\n",
            "x,{symbol},{us},{us},{more},1,{price},{n}\n",
        ),
    ),
}


def seen(feed: FileFeed) -> tuple[list[str], dict[str, int], list[str]]:
    """Return all that a pass tells, to the last digit and type of number."""
    events = [repr(event) for event in take(feed)]
    return (
        events,
        dict(feed.skipped_by_kind),
        [str(error) for error in feed.errors],
    )


def entries() -> list[Path]:
    return sorted(cache_folder().glob("*.events"))


def all_files() -> list[str]:
    return sorted(path.name for path in cache_folder().glob("*"))


def trades_file(folder: Path, name: str = "t.csv", rows: int = ROWS) -> Path:
    path = folder / name
    text = CONTENTS["trades"][1]
    path.write_bytes(b"".join(text.splitlines(keepends=True)[: rows + 1]))
    return path


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("block", [7, 8_192])
def test_a_second_pass_is_equal_event_by_event_and_reads_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, block: int
) -> None:
    monkeypatch.setattr(cache_module, "_BLOCK_EVENTS", block)
    form, content = CONTENTS[name]
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    plain = seen(make_feed(form, path, cache=False))
    assert entries() == []
    first = seen(make_feed(form, path, cache=True))
    assert len(entries()) == 1

    def refuse(self: SourceFile) -> NoReturn:
        raise AssertionError("the recording was read")

    monkeypatch.setattr(SourceFile, "lines", refuse)
    feed = make_feed(form, path, cache=True)
    assert seen(feed) == first == plain
    assert feed.consumed_bytes == feed.total_bytes
    assert len(plain[0]) > 50


@pytest.mark.parametrize("name", CONTENTS)
def test_files_in_turn_go_on_where_the_cached_one_ended(
    tmp_path: Path, name: str
) -> None:
    form, content = CONTENTS[name]
    lines = content.splitlines(keepends=True)
    head = lines[:1] if lines[0][:1].isalpha() else []
    paths = [tmp_path / "1.csv", tmp_path / "2.csv"]
    paths[0].write_bytes(b"".join(lines[: ROWS // 2]))
    paths[1].write_bytes(b"".join(head + lines[ROWS // 2 :]))
    plain = seen(make_feed(form, *paths, cache=False))
    for _ in range(2):
        assert seen(make_feed(form, *paths, cache=True)) == plain
    assert len(entries()) == 2
    # The second alone is another story: its bars, numbers and times start anew.
    alone = seen(make_feed(form, paths[1], cache=False))
    assert seen(make_feed(form, paths[1], cache=True)) == alone


def test_the_content_counts_and_not_name_time_or_size(tmp_path: Path) -> None:
    path = trades_file(tmp_path)
    first = seen(make_feed("trades", path, cache=True))
    stat = path.stat()
    other = path.read_bytes().replace(b"0.3\n", b"0.4\n")
    path.write_bytes(other)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size

    second = seen(make_feed("trades", path, cache=True))
    assert second == seen(make_feed("trades", path, cache=False)) != first
    assert len(entries()) == 2
    moved = path.rename(tmp_path / "moved.csv")
    assert seen(make_feed("trades", moved, cache=True)) == second
    assert len(entries()) == 2


@pytest.mark.parametrize(
    ("form", "head", "change"),
    [
        ("ohlcv", b"time,open,high,low,close,v,w\n", {"interval": "2m"}),
        ("ohlcv", b"time,open,high,low,close,v,w\n", {"columns": {"volume": "w"}}),
        ("ohlcv", b"time,open,high,low,close,v,w\n", {"time_format": "us"}),
    ],
)
def test_settings_that_change_the_events_have_entries_of_their_own(
    tmp_path: Path, form: str, head: bytes, change: dict[str, object]
) -> None:
    path = tmp_path / "o.csv"
    rows = (b"%d,5,6,4,5,1,2\n" % (START_US // 1_000 + 60_000 * i) for i in range(50))
    path.write_bytes(head + b"".join(rows))

    def read(is_cached: bool, **fields: object) -> list[MarketEvent]:
        made = {"cache": is_cached, **fields}
        return take(make_feed(form, path, symbols=["X"], **made))

    first = read(True)
    changed = read(True, **change)
    assert changed == read(False, **change) != first
    assert read(True) == first
    assert len(entries()) == 2


def test_the_instrument_is_the_runs_and_not_the_one_of_the_first_pass(
    tmp_path: Path,
) -> None:
    path = trades_file(tmp_path)
    take(make_feed("trades", path, symbols=["X"], cache=True))
    settings = make_feed("trades", path, symbols=["X"], cache=True)._settings
    renamed = FileFeed(settings, [path], {"X": "X.other"})
    assert {event.instrument for event in take(renamed)} == {"X.other"}
    assert len(entries()) == 1


def test_another_version_of_the_readers_reads_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trades_file(tmp_path)
    take(make_feed("trades", path, cache=True))
    monkeypatch.setattr(cache_module, "_code_hash", lambda: "newer")
    take(make_feed("trades", path, cache=True))
    assert len(entries()) == 2


def test_the_hash_of_the_code_covers_readers_and_model() -> None:
    hashed = cache_module._code_hash()
    assert len(hashed) == 32
    assert hashed == cache_module._code_hash()


@settings(deadline=None, max_examples=60, suppress_health_check=FROZEN_PATH)
@given(data=st.data())
def test_a_damaged_entry_is_never_trusted_and_built_again(
    tmp_path: Path, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["trades", "tardis book", "klines"]))
    form, content = CONTENTS[name]
    path = tmp_path / f"{form}.csv"
    path.write_bytes(content)
    block, cache_module._BLOCK_EVENTS = cache_module._BLOCK_EVENTS, 50
    try:
        for old in entries():
            old.unlink()
        truth = seen(make_feed(form, path, cache=True))
        (entry,) = entries()
        whole = entry.read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1))
        harm = data.draw(st.sampled_from(["flip", "cut", "more", "zeros", "empty"]))
        if harm == "flip":
            bit = 1 << data.draw(st.integers(0, 7))
            entry.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        elif harm == "cut":
            entry.write_bytes(whole[:at])
        elif harm == "more":
            entry.write_bytes(whole + b"\0" * 8)
        elif harm == "zeros":
            entry.write_bytes(whole[:at] + bytes(len(whole) - at))
        else:
            entry.write_bytes(b"")
        assert seen(make_feed(form, path, cache=True)) == truth
        assert seen(make_feed(form, path, cache=True)) == truth
        assert entry.read_bytes() == whole
        assert len(all_files()) == 1
    finally:
        cache_module._BLOCK_EVENTS = block


def test_damage_in_the_middle_goes_on_from_the_recording_and_is_logged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(cache_module, "_BLOCK_EVENTS", 100)
    path = trades_file(tmp_path)
    truth = seen(make_feed("trades", path, cache=True))
    (entry,) = entries()
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 1
    entry.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert seen(make_feed("trades", path, cache=True)) == truth
    assert [record.getMessage() for record in caplog.records] == [
        "cache of t.csv: events do not match their checksum; reading it anew"
    ]


def test_a_recording_that_changes_under_a_damaged_entry_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_BLOCK_EVENTS", 100)
    path = trades_file(tmp_path)
    take(make_feed("trades", path, cache=True))
    (entry,) = entries()
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 1
    entry.write_bytes(data)
    feed = make_feed("trades", path, cache=True)
    feed.next()
    trades_file(tmp_path, rows=ROWS // 2)
    with pytest.raises(DataError, match="the file changed while it was read"):
        take(feed)


def test_an_entry_of_another_file_in_its_place_is_refused(tmp_path: Path) -> None:
    one, two = trades_file(tmp_path), trades_file(tmp_path, "two.csv", 40)
    take(make_feed("trades", one, cache=True))
    (first,) = entries()
    truth = seen(make_feed("trades", two, cache=True))
    (second,) = (path for path in entries() if path != first)
    second.write_bytes(first.read_bytes())
    assert seen(make_feed("trades", two, cache=True)) == truth


def test_a_damaged_recording_is_not_cached_and_says_the_same_again(
    tmp_path: Path,
) -> None:
    path = trades_file(tmp_path)
    path.write_bytes(path.read_bytes() + b"broken\n")
    first = seen(make_feed("trades", path, cache=True, on_error="skip"))
    assert len(first[2]) == 1
    assert seen(make_feed("trades", path, cache=True, on_error="skip")) == first
    assert all_files() == []

    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes())[:-9])
    first = seen(make_feed("trades", packed, cache=True, on_error="skip"))
    assert seen(make_feed("trades", packed, cache=True, on_error="skip")) == first
    assert all_files() == []


def test_a_file_that_goes_back_behind_the_one_before_is_said_with_a_cache_too(
    tmp_path: Path,
) -> None:
    one, two = trades_file(tmp_path), trades_file(tmp_path, "2.csv")
    take(make_feed("trades", two, cache=True))
    with pytest.raises(DataError, match=r"2\.csv:2: time goes back by"):
        take(make_feed("trades", one, two, cache=True))


def test_a_run_that_ends_early_keeps_nothing(tmp_path: Path) -> None:
    feed = make_feed("trades", trades_file(tmp_path), cache=True)
    for _ in range(5):
        feed.next()
    assert len(all_files()) == 1
    feed.close()
    assert all_files() == []


def test_a_recording_that_changes_while_it_is_read_is_not_cached(
    tmp_path: Path,
) -> None:
    path = trades_file(tmp_path)
    feed = make_feed("trades", path, cache=True)
    feed.next()
    with path.open("ab") as more:
        more.write(b"%d,5,1\n" % (START_US + 10**9))
    take(feed)
    assert all_files() == []


def test_two_runs_at_once_leave_one_good_entry(tmp_path: Path) -> None:
    path = trades_file(tmp_path)
    feeds = [make_feed("trades", path, cache=True) for _ in range(2)]
    events: list[list[MarketEvent]] = [[], []]
    while any(items := [feed.next() for feed in feeds]):
        for found, item in zip(events, items, strict=True):
            if item is not None:
                found.append(item[1])
    assert events[0] == events[1] == take(make_feed("trades", path, cache=True))
    assert len(all_files()) == 1


def test_a_pass_goes_on_while_its_entry_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_BLOCK_EVENTS", 50)
    path = trades_file(tmp_path)
    truth = take(make_feed("trades", path, cache=True))
    reading = make_feed("trades", path, cache=True)
    first = reading.next()
    assert first is not None
    (entry,) = entries()
    beside = tmp_path / "other"
    beside.write_bytes(b"nonsense")
    os.replace(beside, entry)
    assert [first[1], *take(reading)] == truth


@pytest.mark.parametrize("trouble", ["a file in the way", "a full disk"])
def test_a_cache_that_cannot_be_written_is_logged_and_done_without(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: str,
) -> None:
    path = trades_file(tmp_path)
    truth = seen(make_feed("trades", path, cache=False))
    cache_folder().parent.mkdir(parents=True)
    if trouble == "a file in the way":
        cache_folder().write_bytes(b"")
    else:

        def full(suffix: str, prefix: str, folder: Path) -> tuple[int, str]:
            name = folder / f"{prefix}{suffix}"
            name.touch()
            return os.open("/dev/full", os.O_WRONLY), str(name)

        monkeypatch.setattr(tempfile, "mkstemp", full)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert seen(make_feed("trades", path, cache=True)) == truth
    assert all("t.csv is not cached" in r.getMessage() for r in caplog.records)
    assert len(caplog.records) == 2
    if cache_folder().is_dir():
        assert all_files() == []


def test_only_big_files_are_cached_unless_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trades_file(tmp_path)
    take(make_feed("trades", path))
    assert all_files() == []
    monkeypatch.setattr(
        "workstation.venues.file.feed.AUTOMATIC_BYTES", path.stat().st_size
    )
    take(make_feed("trades", path, cache=False))
    assert all_files() == []
    take(make_feed("trades", path))
    assert len(entries()) == 1


def test_raw_captures_are_not_cached(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_bytes(b"\n".join(raw_lines()))
    take(make_feed("binance-raw", path, cache=True))
    assert all_files() == []


def test_the_entries_not_used_for_longest_go_when_they_become_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [trades_file(tmp_path, f"{n}.csv", ROWS - n) for n in range(4)]
    for age, path in enumerate(files[:3]):
        take(make_feed("trades", path, cache=True))
        (new,) = (entry for entry in entries() if entry.stat().st_mtime_ns > 10**15)
        os.utime(new, ns=(age + 1, age + 1))
    largest = max(entry.stat().st_size for entry in entries())
    take(make_feed("trades", files[0], cache=True))  # the oldest is used again
    left_behind = cache_folder() / ".killed.part"
    left_behind.touch()
    os.utime(left_behind, ns=(1, 1))
    monkeypatch.setattr(cache_module, "_MOST_BYTES", largest * 3)
    take(make_feed("trades", files[3], cache=True))

    assert len(entries()) == 3
    assert not left_behind.exists()
    before = {path: path.stat().st_mtime_ns for path in entries()}
    take(make_feed("trades", files[0], cache=True))
    assert set(entries()) == set(before)  # still there, so not made anew


# --- columns -----------------------------------------------------------------------

INT = st.integers(0, 2**63 - 1)
SIZE = st.floats(0, 1e18)
LEVELS = st.lists(st.tuples(SIZE, SIZE), max_size=4).map(tuple)
EVENTS = st.one_of(
    st.lists(
        st.builds(
            Trade, st.just("x"), INT, SIZE, SIZE, st.sampled_from([-1, 0, 1]), INT, INT
        ),
        min_size=1,
    ),
    st.lists(
        st.builds(Quote, st.just("x"), INT, SIZE, SIZE, SIZE, SIZE, INT, st.none()),
        min_size=1,
    ),
    st.lists(
        st.builds(
            Bar,
            st.just("x"),
            INT,
            st.just(Timeframe.parse("1M")),
            INT,
            *[SIZE] * 6,
            INT,
            st.none(),
        ),
        min_size=1,
    ),
    st.lists(
        st.builds(BookSnapshot, st.just("x"), INT, INT, LEVELS, LEVELS, INT), min_size=1
    ),
    st.lists(
        st.builds(BookDelta, st.just("x"), INT, INT, INT, LEVELS, LEVELS, INT),
        min_size=1,
    ),
)


@settings(deadline=None)
@given(EVENTS)
def test_events_come_back_from_columns_as_they_were(events: list[MarketEvent]) -> None:
    import numpy as np

    data, columns = to_columns(events)
    block = np.frombuffer(data, np.uint8)
    kind = type(events[0]).__name__
    back = from_columns(kind, "x", block, columns)
    assert [repr(event) for event in back] == [repr(event) for event in events]


def test_what_a_column_cannot_hold_is_refused() -> None:
    mixed = [Trade("x", 1, 1.0, 1.0, 0, 0, 5), Trade("x", 2, 1.0, 1.0, 0, 0, None)]
    with pytest.raises(Unkept, match=r"Trade\.ts_event"):
        to_columns(mixed)
