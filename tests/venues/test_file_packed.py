"""Containers of recordings: what is packed reads as what is plain, or says why not."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.venues.recordings import make_feed, take
from workstation.model.errors import ConfigError, DataError
from workstation.model.market import Bar, MarketEvent, Quote, Trade
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

FROZEN_PATH = [HealthCheck.function_scoped_fixture]
START_NS = 1_723_161_255_000 * NS_PER_MS
HEAD = b"time,price,size,side,id\n"


def table(rows: int) -> bytes:
    lines = (
        b"%d,%d.5,0.25,%s,%d\n"
        % (START_NS // NS_PER_MS + i, 100 + i % 7, (b"buy", b"sell")[i % 2], i)
        for i in range(rows)
    )
    return HEAD + b"".join(lines)


def trades_of(path: Path) -> list[MarketEvent]:
    return take(make_feed("trades", path))


def plain(folder: Path, rows: int) -> list[MarketEvent]:
    path = folder / "plain.csv"
    path.write_bytes(table(rows))
    return trades_of(path)


# --- zstd ------------------------------------------------------------------------


def test_zstd_of_one_frame_or_many_reads_as_the_plain_file(tmp_path: Path) -> None:
    text, expected = table(3_000), plain(tmp_path, 3_000)
    pack = zstandard.ZstdCompressor().compress
    cuts = [0, 1, 700, 701, 40_000, len(text)]
    many = [pack(text[a:b]) for a, b in pairwise(cuts)]
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
    stream = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    streamed = stream.compress(text) + stream.flush()
    for name, packed in {
        "one": pack(text),
        "many": b"".join(many),
        "note": b"".join([many[0], skippable, *many[1:]]),
        "streamed": streamed,
    }.items():
        path = tmp_path / f"{name}.csv.zst"
        path.write_bytes(packed)
        feed = make_feed("trades", path)
        assert take(feed) == expected, name
        assert feed.consumed_bytes == feed.total_bytes


@settings(deadline=None, max_examples=40, suppress_health_check=FROZEN_PATH)
@given(data=st.data())
def test_a_zstd_cut_anywhere_gives_a_beginning_and_then_its_end(
    tmp_path: Path, data: st.DataObject
) -> None:
    text = table(2_000)
    pack = zstandard.ZstdCompressor().compress
    packed = pack(text[:30_000]) + pack(text[30_000:])
    # At the end of the first frame nothing tells that there was a second.
    boundary = len(pack(text[:30_000]))
    keep = data.draw(st.integers(1, len(packed) - 1).filter(lambda n: n != boundary))
    path = tmp_path / "cut.zst"
    path.write_bytes(packed[:keep])
    feed = make_feed("trades", path, on_error="skip")

    found: list[MarketEvent] = []
    with suppress(DataError):  # not one whole row: the wrong file, however it is met
        found = take(feed)
    expected = plain(tmp_path, 2_000)
    assert found == expected[: len(found)]
    assert len(found) < len(expected)
    assert feed.last_error is not None
    assert "cut short or damaged" in feed.last_error.reason
    assert feed.last_error.remedy == "copy or download it again"


def test_a_flipped_bit_in_zstd_is_found_by_its_checksum(tmp_path: Path) -> None:
    packed = bytearray(zstandard.ZstdCompressor(write_checksum=True).compress(table(9)))
    packed[-1] ^= 1
    path = tmp_path / "t.zst"
    path.write_bytes(packed)
    with pytest.raises(DataError, match="cut short or damaged"):
        trades_of(path)


def test_zstd_that_unpacks_to_a_line_without_end_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(b"1" * (1 << 28)))
    with pytest.raises(DataError, match=r"bomb\.zst:1: line is longer than"):
        trades_of(path)


# --- Parquet ---------------------------------------------------------------------


def write_parquet(path: Path, columns: dict[str, object], **options: object) -> Path:
    parquet.write_table(pa.table(columns), path, **options)
    return path


def trade_columns(rows: int) -> dict[str, object]:
    return {
        "time": pa.array(
            [START_NS + i * NS_PER_MS for i in range(rows)], pa.timestamp("ns", "UTC")
        ),
        "price": [100.5 + i % 7 for i in range(rows)],
        "size": [0.25] * rows,
        "side": pa.array([("buy", "sell")[i % 2] for i in range(rows)]),
        "id": list(range(rows)),
    }


@pytest.mark.parametrize("rows_in_group", [100, 1_000_000])
def test_parquet_reads_as_the_csv_of_the_same_columns(
    tmp_path: Path, rows_in_group: int
) -> None:
    columns = trade_columns(20_000)
    columns["side"] = pa.array(columns["side"]).dictionary_encode()
    path = write_parquet(tmp_path / "t.parquet", columns, row_group_size=rows_in_group)
    feed = make_feed("trades", path)

    assert take(feed) == plain(tmp_path, 20_000)
    assert feed.consumed_bytes == feed.total_bytes == path.stat().st_size


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (pa.array([START_NS + 1], pa.timestamp("ns")), START_NS + 1),
        (pa.array([START_NS // 1_000], pa.timestamp("us", "Asia/Tokyo")), START_NS),
        (pa.array([START_NS // NS_PER_S], pa.timestamp("s")), START_NS),
        (pa.array([START_NS // NS_PER_MS]), START_NS),
        (pa.array([datetime(2024, 8, 8, tzinfo=UTC).date()]), 1_723_075_200 * NS_PER_S),
        (pa.array(["2024-08-08T23:54:15Z"]), START_NS),
    ],
)
def test_times_of_parquet_keep_their_nanoseconds_and_zone(
    tmp_path: Path, times: object, expected: int
) -> None:
    columns = {"time": times, "bid": [0.1], "ask": [1e-1 + 1e-17 + 0.2]}
    path = write_parquet(tmp_path / "q.parquet", columns)

    (event,) = take(make_feed("quotes", path))
    assert event == Quote(
        "BTCUSDT.id", expected, 0.1, 0.0, 0.1 + 1e-17 + 0.2, 0.0, expected
    )


@settings(deadline=None, max_examples=60, suppress_health_check=FROZEN_PATH)
@given(st.floats(1e-12, 1e15), st.floats(1e-12, 1e15))
def test_a_number_of_parquet_is_the_very_number(
    tmp_path: Path, price: float, size: float
) -> None:
    columns = {"time": [1_723_161_255], "price": [price], "size": [size]}
    (event,) = trades_of(write_parquet(tmp_path / "t.parquet", columns))
    assert isinstance(event, Trade)
    assert (event.price, event.size) == (price, size)


def test_bars_with_an_index_of_pandas_are_read(tmp_path: Path) -> None:
    days = [datetime(2024, 8, day) for day in (1, 2, 3)]
    columns = {
        **{name: [5.0, 6.0, 7.0] for name in ("Open", "High", "Low", "Close")},
        "Volume": [1.0, 2.0, 3.0],
        "__index_level_0__": pa.array(days, pa.timestamp("us")),
    }
    bars = take(make_feed("ohlcv", write_parquet(tmp_path / "o.parquet", columns)))
    assert [(str(b.timeframe), b.volume) for b in bars if isinstance(b, Bar)] == [
        ("1d", 1.0),
        ("1d", 2.0),
        ("1d", 3.0),
    ]


def test_a_missing_value_or_a_nan_in_parquet_is_a_damaged_row(tmp_path: Path) -> None:
    columns = {
        "time": [1_723_161_255 + i for i in range(4)],
        "price": [1.0, None, float("nan"), 4.0],
        "size": [1.0] * 4,
    }
    path = write_parquet(tmp_path / "t.parquet", columns)
    feed = make_feed("trades", path, on_error="skip")

    assert len(take(feed)) == 2
    assert [(error.line, error.reason) for error in feed.errors] == [
        (3, "price '' is not a number"),
        (4, "price nan is not more than 0"),
    ]


def test_parquet_of_lists_or_no_parquet_at_all_is_refused(tmp_path: Path) -> None:
    nested = write_parquet(tmp_path / "n.parquet", {"time": [[1]]})
    text = tmp_path / "t.parquet"
    text.write_bytes(table(5))
    whole = write_parquet(tmp_path / "w.parquet", trade_columns(500))
    cut = tmp_path / "c.parquet"
    cut.write_bytes(whole.read_bytes()[:-20])
    for path in (nested, text, cut):
        with pytest.raises(DataError, match=rf"{path.name}:1: is no Parquet file of"):
            trades_of(path)


def test_a_damaged_page_of_parquet_never_passes_as_whole(tmp_path: Path) -> None:
    columns = trade_columns(30_000)
    path = write_parquet(
        tmp_path / "t.parquet",
        columns,
        row_group_size=10_000,
        write_page_checksum=True,
        compression="none",
    )
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    feed = make_feed("trades", path, on_error="skip")

    found = take(feed)
    assert len(found) < 30_000
    assert found == plain(tmp_path, 30_000)[: len(found)]
    assert feed.skipped == 1
    assert feed.last_error is not None
    assert feed.last_error.line == len(found) + 2


def test_a_column_of_a_row_group_is_never_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 30_000
    columns = trade_columns(rows)
    columns["note"] = pa.array([f"{i * 7_919:0128d}" for i in range(rows)])
    path = write_parquet(
        tmp_path / "t.parquet", columns, row_group_size=rows, compression="none"
    )
    assert path.stat().st_size > 4_000_000
    reads: list[int] = []

    class Watched(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(-1 if size is None else size) or b""
            reads.append(len(data))
            return data

    monkeypatch.setattr(Path, "open", lambda self, mode: Watched(self, mode))
    assert len(trades_of(path)) == rows
    # A page is 1 MB by the format's own rule; a column of the group is 4.
    assert max(reads) < 1_200_000


# --- packages --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv.zst", "t.parquet"])
def test_without_its_package_a_file_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    monkeypatch.setattr("workstation.venues.file.extras.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=name) as caught:
        make_feed("trades", path)
    assert "pip install 'workstation[data]'" in str(caught.value)
    assert make_feed("trades", _plain_file(tmp_path)).total_bytes > 0


def _plain_file(folder: Path) -> Path:
    path = folder / "p.csv"
    path.write_bytes(table(1))
    return path


def test_a_feed_of_plain_files_loads_no_package_of_the_extra(tmp_path: Path) -> None:
    path = _plain_file(tmp_path)
    probe = (
        "import sys\nfrom pathlib import Path\n"
        "from tests.venues.recordings import make_feed, take\n"
        f"assert take(make_feed('trades', Path({str(path)!r})))\n"
        "print({'pyarrow', 'zstandard', 'numpy'} & set(sys.modules))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", probe],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[2],
    ).stdout
    assert shown.strip() == "set()"
