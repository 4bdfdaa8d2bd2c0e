"""Bad input of every format: file, line, value and remedy are said, the rest runs."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from tests.venues.recordings import make_feed, take
from workstation.model.errors import ConfigError, DataError
from workstation.venues.file.feed import FileFeed

START_US = 1_723_161_255_000_000
ROWS = 6
BAD = 4
"""Index of the row that is damaged, among the ROWS."""


class Row(NamedTuple):
    """What a test may change of a row; ``n`` is its place."""

    n: int
    us: int
    price: str = "100.5"
    size: str = "2.5"
    more: str = ""
    """Text after the last field."""


def kline(row: Row) -> str:
    opened = row.us // 1_000
    return (
        f"{opened},{row.price},200,1,{row.price},{row.size},{opened + 59_999},5,7,0,0,0"
    )


def raw(row: Row) -> str:
    return f"{row.us}000 " + _raw_json(row)


def cryptofeed(row: Row) -> str:
    return f"{row.us / 1e6:.6f}: " + _raw_json(row)


def _raw_json(row: Row) -> str:
    return json.dumps(
        {
            "stream": "btcusdt@trade",
            "data": {
                "e": "trade",
                "E": 1,
                "s": "BTCUSDT",
                "t": row.n,
                "p": row.price,
                "q": row.size,
                "T": row.us // 1_000,
                "m": True,
            },
        },
        separators=(",", ":"),
    )


TARDIS = "exchange,symbol,timestamp,local_timestamp"


def tardis(fields: Callable[[Row], str]) -> Callable[[Row], str]:
    return lambda row: f"x,BTCUSDT,{row.us},{row.us},{fields(row)}"


class Format(NamedTuple):
    form: str
    head: str
    row: Callable[[Row], str]
    step_us: int = 1_000


FORMATS = {
    "binance-klines": Format("binance-klines", "", kline, 60_000_000),
    "binance-trades": Format(
        "binance-trades",
        "",
        lambda r: f"{r.n},{r.price},{r.size},1,{r.us // 1_000},True,True",
    ),
    "binance-aggtrades": Format(
        "binance-aggtrades",
        "",
        lambda r: f"{r.n},{r.price},{r.size},{r.n},{r.n},{r.us // 1_000},true",
    ),
    "quotes": Format(
        "quotes",
        "time,bid,ask,bid_size,ask_size\n",
        lambda r: f"{r.us},{r.price},150,{r.size},1",
    ),
    "trades": Format(
        "trades", "time,price,size\n", lambda r: f"{r.us},{r.price},{r.size}"
    ),
    "ohlcv": Format(
        "ohlcv",
        "time,open,high,low,close,volume\n",
        lambda r: f"{r.us},{r.price},200,1,100,{r.size}",
        60_000_000,
    ),
    "tardis trades": Format(
        "tardis",
        f"{TARDIS},id,side,price,amount\n",
        tardis(lambda r: f"{r.n},buy,{r.price},{r.size}"),
    ),
    "tardis quotes": Format(
        "tardis",
        f"{TARDIS},ask_amount,ask_price,bid_price,bid_amount\n",
        tardis(lambda r: f"1,150,{r.price},{r.size}"),
    ),
    "tardis book": Format(
        "tardis",
        f"{TARDIS},is_snapshot,side,price,amount\n",
        tardis(lambda r: f"false,bid,{r.price},{r.size}"),
    ),
    "tardis snapshots": Format(
        "tardis",
        f"{TARDIS},asks[0].price,asks[0].amount,bids[0].price,bids[0].amount\n",
        tardis(lambda r: f"150,1,{r.price},{r.size}"),
    ),
    "binance-raw": Format("binance-raw", "", raw),
    "cryptofeed": Format(
        "binance-raw", "wss://stream.binance.com:9443/stream <-> 1\n", cryptofeed
    ),
}

DAMAGES: dict[str, tuple[Callable[[Row], Row], str]] = {
    "wrong column count": (lambda r: r._replace(more=",1"), "columns"),
    "text in a number": (lambda r: r._replace(price="12o.5"), "12o.5"),
    "no number at all": (lambda r: r._replace(price=""), ""),
    "negative size": (lambda r: r._replace(size="-2.5"), "-2.5"),
    "negative price": (lambda r: r._replace(price="-100.5"), "-100.5"),
    "infinite price": (lambda r: r._replace(price="inf"), "inf"),
    "huge price": (lambda r: r._replace(price="1e999"), "1e999"),
    "no number (NaN)": (lambda r: r._replace(price="nan"), "nan"),
    "time going backwards": (
        lambda r: r._replace(us=START_US - 3_600_000_000),
        "time goes back by 3",
    ),
}
# What msgspec decodes it does not quote; the field is named instead.
NAMED_BY_FIELD = {"binance-raw", "cryptofeed"}


def lines_of(
    form: Format, damage: Callable[[Row], Row] | None, start_us: int = START_US
) -> list[str]:
    lines = []
    for n in range(ROWS):
        row = Row(n, start_us + n * form.step_us)
        if damage is not None and n == BAD:
            row = damage(row)
        lines.append(form.row(row) + row.more)
    return lines


def write(
    path: Path,
    form: Format,
    damage: Callable[[Row], Row] | None = None,
    start_us: int = START_US,
) -> Path:
    lines = lines_of(form, damage, start_us)
    path.write_text(form.head + "\n".join(lines) + "\n")
    return path


def feed_of(form: Format, *paths: Path, on_error: str = "stop") -> FileFeed:
    return make_feed(form.form, *paths, on_error=on_error)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_row_is_named_with_file_line_value_and_remedy(
    tmp_path: Path, name: str, damage: str
) -> None:
    form = FORMATS[name]
    harm, value = DAMAGES[damage]
    if damage == "wrong column count" and name in NAMED_BY_FIELD:
        value = "malformed"
    elif name in NAMED_BY_FIELD and not damage.startswith("time"):
        value = ""
    path = write(tmp_path / "x.csv", form, harm)
    line = BAD + 1 + bool(form.head)

    feed = feed_of(form, path)
    with pytest.raises(DataError) as told:
        take(feed)
    message = str(told.value)
    assert message.startswith(f"x.csv:{line}: ")
    assert value in message
    assert told.value.remedy
    assert message.endswith(told.value.remedy)

    lenient = feed_of(form, path, on_error="skip")
    whole = take(feed_of(form, write(tmp_path / "whole.csv", form)))
    found = take(lenient)
    assert lenient.skipped == 1
    assert [error.line for error in lenient.errors] == [line]
    assert len(found) == ROWS - 1
    bad_ts = whole[BAD].ts_recv
    assert [e.ts_recv for e in found] == [
        e.ts_recv for e in whole if e.ts_recv != bad_ts
    ]


# --- containers --------------------------------------------------------------------


def gz(path: Path, text: bytes) -> None:
    path.write_bytes(gzip.compress(text))


def zst(path: Path, text: bytes) -> None:
    path.write_bytes(zstandard.ZstdCompressor().compress(text))


def archive(path: Path, text: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("x.csv", text)


CONTAINERS = {".csv.gz": gz, ".csv.zst": zst, ".zip": archive}


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_container_cut_short_is_told_and_the_next_file_is_read(
    tmp_path: Path, name: str, suffix: str
) -> None:
    form = FORMATS[name]
    path = tmp_path / f"1{suffix}"
    CONTAINERS[suffix](path, write(tmp_path / "1.csv", form).read_bytes())
    whole = write(tmp_path / "2.csv", form, start_us=START_US + 3_600_000_000)
    path.write_bytes(path.read_bytes()[:-6])

    with pytest.raises(DataError) as told:
        take(feed_of(form, path))
    assert told.value.source == path.name
    assert "cut short or damaged" in told.value.reason
    assert told.value.remedy == "copy or download it again"

    lenient = feed_of(form, path, whole, on_error="skip")
    found = take(lenient)
    assert found[-1].ts_recv == take(feed_of(form, whole))[-1].ts_recv
    assert lenient.errors[0].source == path.name


@pytest.mark.parametrize(
    "name", ["quotes", "trades", "ohlcv", "tardis trades", "tardis book"]
)
def test_a_parquet_cut_short_is_told_and_the_next_file_is_read(
    tmp_path: Path, name: str
) -> None:
    form = FORMATS[name]
    names = form.head.strip().split(",")
    rows = [line.split(",") for line in lines_of(form, None)]
    columns = {key: [row[i] for row in rows] for i, key in enumerate(names)}
    whole, cut = tmp_path / "2.parquet", tmp_path / "1.parquet"
    parquet.write_table(pa.table(columns), whole)
    cut.write_bytes(whole.read_bytes()[:-100])
    expected = take(feed_of(form, write(tmp_path / "x.csv", form)))
    assert take(feed_of(form, whole)) == expected

    lenient = feed_of(form, cut, whole, on_error="skip")
    assert take(lenient) == expected
    assert str(lenient.last_error).startswith("1.parquet:1: is no Parquet file")
    assert lenient.last_error is not None
    assert lenient.last_error.remedy


# --- files as a whole ----------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_file_says_so(tmp_path: Path, name: str) -> None:
    form = FORMATS[name]
    path = tmp_path / "x.csv"
    for content in ("", "\n\n", form.head):
        path.write_text(content)
        with pytest.raises(DataError, match=r"x\.csv:\d: no rows; name a file"):
            take(feed_of(form, path, on_error="skip"))


@pytest.mark.parametrize("name", FORMATS)
def test_a_folder_a_missing_file_and_a_dead_link_are_told_before_the_run(
    tmp_path: Path, name: str
) -> None:
    form = FORMATS[name]
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.csv").mkdir()
    for path, words in (
        (tmp_path / "folder.csv", "is a folder"),
        (tmp_path / "none.csv", "is not there"),
        (link, "is not there"),
    ):
        with pytest.raises(ConfigError, match=rf"{path.name} {words}") as told:
            feed_of(form, path)
        assert str(tmp_path) in str(told.value)
        assert "; name " in str(told.value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_may_not_be_read_is_told_and_the_next_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    form = FORMATS[name]
    locked = write(tmp_path / "1.csv", form)
    free = write(tmp_path / "2.csv", form)
    refuse_to_open(monkeypatch, locked)

    with pytest.raises(DataError) as told:
        take(feed_of(form, locked))
    assert str(told.value) == (
        "1.csv:1: cannot be read: Permission denied; make it readable for this user"
    )
    lenient = feed_of(form, locked, free, on_error="skip")
    assert len(take(lenient)) == ROWS
    assert lenient.skipped == 1
    assert lenient.identity()["file.0.1.csv"] == "cannot be read: Permission denied"


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, locked: Path) -> None:
    """Let a file be as one without permission; its bits do not stop root."""
    really_open = Path.open

    def refusing(self: Path, mode: str = "r", **options: Any) -> IO[Any]:
        if self == locked:
            raise PermissionError(13, "Permission denied", str(self))
        opened: IO[Any] = really_open(self, mode, **options)
        return opened

    monkeypatch.setattr(Path, "open", refusing)


@pytest.mark.parametrize(
    "name",
    [name for name in FORMATS if FORMATS[name].form in ("tardis", "binance-raw")],
)
def test_a_file_of_another_symbol_names_both(tmp_path: Path, name: str) -> None:
    form = FORMATS[name]
    path = write(tmp_path / "x.csv", form)
    feed = make_feed(form.form, path, symbols=["ETHUSDT"], on_error="skip")
    with pytest.raises(DataError) as told:
        take(feed)
    assert told.value.reason == "nothing of symbol ETHUSDT; the file holds BTCUSDT"
    assert told.value.remedy == "name its symbol under symbols"


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_of_a_picture_are_no_file_of_any_format(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)
    with pytest.raises(DataError) as told:
        take(feed_of(FORMATS[name], path, on_error="skip"))
    assert told.value.remedy
