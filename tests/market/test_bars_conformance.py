"""Every kline and trade file of the reference against an exact group-by in Decimal.

The group-by shares no code with the builders: it reads the text of the files itself,
adds in Decimal and finds intervals with datetime. Prices and counts must be equal;
volume and turnover, which a double cannot hold exactly, within two units in the last
place of the exact sum.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.fakes import FakeCore, market
from tests.reference import reference
from workstation.model.market import Bar, MarketEvent
from workstation.model.timeframes import Timeframe
from workstation.venues.file.capture import pull
from workstation.venues.file.feed import FileFeed
from workstation.venues.file.settings import FileFeedSettings, FileFormat

pytestmark = pytest.mark.reference

KLINES = ("data", "binance", "klines")
HOURLY = [f"BTCUSDT-1h-{month}.csv" for month in ("2024-11", "2024-12")] + [
    f"BTCUSDT-1h-{month}.csv" for month in ("2025-01", "2025-02")
]
MINUTES = [f"BTCUSDT-1m-2020-01-0{day}.zip" for day in (1, 2)]
FUTURES = ["um-AVAXUSDT-1m-2024-02.csv.gz"]
TRADES = ("data", "binance", "trades")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Row(NamedTuple):
    """One line of a file as exact numbers; ``at`` is its (open) time in µs."""

    at: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal
    trades: int


def lines(path: Path) -> Iterator[list[str]]:
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    elif path.suffix == ".zip":
        archive = zipfile.ZipFile(io.BytesIO(raw))
        raw = archive.read(archive.namelist()[0])
    for row in csv.reader(io.StringIO(raw.decode())):
        if row[0].isdigit():
            yield row


def micros(text: str) -> int:
    return int(text) * (1_000 if len(text) == 13 else 1)


def kline_rows(names: list[str]) -> list[Row]:
    return [
        Row(
            micros(r[0]),
            *(Decimal(r[1]), Decimal(r[2]), Decimal(r[3])),
            *(Decimal(r[4]), Decimal(r[5]), Decimal(r[7])),
            int(r[8]),
        )
        for name in names
        for r in lines(reference(*KLINES, name))
    ]


def trade_rows(path: Path, time_at: int) -> list[Row]:
    made = []
    for r in lines(path):
        price, size = Decimal(r[1]), Decimal(r[2])
        at = micros(r[time_at])
        made.append(Row(at, price, price, price, price, size, price * size, 1))
    return made


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def second(at: int) -> datetime:
    return moment(at).replace(microsecond=0)


def minute(at: int) -> datetime:
    return moment(at).replace(second=0, microsecond=0)


def five_minutes(at: int) -> datetime:
    start = minute(at)
    return start.replace(minute=start.minute - start.minute % 5)


def hour(at: int) -> datetime:
    return minute(at).replace(minute=0)


def four_hours(at: int) -> datetime:
    start = hour(at)
    return start.replace(hour=start.hour - start.hour % 4)


def day(at: int) -> datetime:
    return hour(at).replace(hour=0)


def week(at: int) -> datetime:
    start = day(at)
    return start - timedelta(days=start.weekday())


def month(at: int) -> datetime:
    return day(at).replace(day=1)


def session(at: int) -> datetime:
    return day(at - 22 * 3_600_000_000) + timedelta(hours=22)


STARTS: dict[str, Callable[[int], datetime]] = {
    "1s": second,
    "1m": minute,
    "5m": five_minutes,
    "1h": hour,
    "4h": four_hours,
    "1d": day,
    "1w": week,
    "1M": month,
    "1d@22:00": session,
}


def expected(rows: list[Row], word: str) -> list[tuple[datetime, Row]]:
    made = []
    for start, group in groupby(rows, key=lambda row: STARTS[word](row.at)):
        own = list(group)
        made.append(
            (
                start,
                Row(
                    own[0].at,
                    own[0].open,
                    max(row.high for row in own),
                    min(row.low for row in own),
                    own[-1].close,
                    sum((row.volume for row in own), Decimal(0)),
                    sum((row.turnover for row in own), Decimal(0)),
                    sum(row.trades for row in own),
                ),
            )
        )
    return made


def check(built: list[Bar], exact: list[tuple[datetime, Row]]) -> None:
    assert len(built) == len(exact)
    for bar, (start, row) in zip(built, exact, strict=True):
        assert EPOCH + timedelta(microseconds=bar.ts_open // 1_000) == start
        assert (bar.open, bar.high, bar.low, bar.close) == tuple(
            map(float, (row.open, row.high, row.low, row.close))
        )
        assert bar.trades == row.trades
        for found, sum_ in ((bar.volume, row.volume), (bar.turnover, row.turnover)):
            assert abs(found - float(sum_)) <= 2 * math.ulp(float(sum_))


def feed(format_: FileFormat, symbol: str, *paths: Path) -> list[MarketEvent]:
    settings_ = FileFeedSettings(
        name="files",
        format=format_,
        files=tuple(path.name for path in paths),
        symbols=(symbol,),
    )
    return list(pull(FileFeed(settings_, paths, {symbol: symbol})))


def build(symbol: str, events: list[MarketEvent], *words: str) -> FakeCore:
    aggregator, core = market(symbol, watch=words, start_ns=events[0].ts_recv)
    core.feed(aggregator, events)
    return core


@pytest.mark.parametrize(
    ("names", "symbol", "words"),
    [
        (HOURLY, "BTCUSDT", ("1h", "4h", "1d", "1w", "1M", "1d@22:00")),
        (MINUTES, "BTCUSDT", ("1m", "5m", "1h", "4h", "1d", "1d@22:00")),
        (FUTURES, "AVAXUSDT", ("1m", "5m", "1h", "4h", "1d", "1w", "1M")),
    ],
    ids=["hourly", "minutes", "futures"],
)
def test_longer_bars_of_klines_are_the_exact_group_by(
    names: list[str], symbol: str, words: tuple[str, ...]
) -> None:
    rows = kline_rows(names)
    paths = [reference(*KLINES, name) for name in names]
    core = build(symbol, feed("binance-klines", symbol, *paths), *words)
    for word in words:
        exact = expected(rows, word)
        built = core.bars(Timeframe.parse(word))
        # The last interval may still be open when the files end, the first one may
        # have begun before them; both are judged by what there is.
        check(built, exact[: len(built)])
        assert len(exact) - len(built) <= 1


@pytest.mark.parametrize(
    ("name", "format_", "symbol", "time_at"),
    [
        ("BTCUSDT-trades-20240808-2354_2359.csv.gz", "binance-trades", "BTCUSDT", 4),
        ("ETHUSDT-trades-20240808-2354_2359.csv.gz", "binance-trades", "ETHUSDT", 4),
        ("XRPETH-aggTrades-2019-10-part1.csv.gz", "binance-aggtrades", "XRPETH", 5),
    ],
)
def test_bars_of_trades_are_the_exact_group_by(
    name: str, format_: FileFormat, symbol: str, time_at: int
) -> None:
    path = reference(*TRADES, name)
    words = ("1s", "1m", "5m", "1h", "1d")
    core = build(symbol, feed(format_, symbol, path), *words)
    rows = trade_rows(path, time_at)
    for word in words:
        built = core.bars(Timeframe.parse(word))
        # An interval without a trade repeats the close before it.
        repeated = [bar for bar in built if not bar.trades]
        assert all(
            bar.volume == bar.turnover == 0.0
            and bar.open == bar.high == bar.low == bar.close
            for bar in repeated
        )
        traded = [bar for bar in built if bar.trades]
        check(traded, expected(rows, word)[: len(traded)])
        starts = [bar.ts_open for bar in built]
        step = Timeframe.parse(word).length_ns
        assert starts == list(range(starts[0], starts[0] + len(starts) * step, step))


@pytest.mark.parametrize(("word", "count"), [("100t", 100), ("7t", 7)])
def test_bars_by_ticks_of_trades_are_the_exact_group_by(word: str, count: int) -> None:
    path = reference(*TRADES, "BTCUSDT-trades-20240808-2354_2359.csv.gz")
    core = build("BTCUSDT", feed("binance-trades", "BTCUSDT", path), word)
    rows = trade_rows(path, 4)
    built = core.bars(Timeframe.parse(word))
    assert len(built) == len(rows) // count
    for index, bar in enumerate(built):
        own = rows[index * count : (index + 1) * count]
        assert (bar.open, bar.close) == (float(own[0].open), float(own[-1].close))
        assert (bar.high, bar.low) == (
            float(max(row.high for row in own)),
            float(min(row.low for row in own)),
        )
        exact = float(sum(row.volume for row in own))
        assert bar.volume == pytest.approx(exact, rel=1e-13)


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(1, 299))
def test_minute_klines_split_anywhere_and_continued_give_the_same_bars(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [",".join(row) for row in lines(reference(*KLINES, MINUTES[0]))][: 60 * 5]
    folder = tmp_path_factory.mktemp("split")
    parts = (folder / "BTCUSDT-1m-a.csv", folder / "BTCUSDT-1m-b.csv")
    whole = folder / "BTCUSDT-1m-whole.csv"
    whole.write_text("\n".join(rows) + "\n")
    parts[0].write_text("\n".join(rows[:cut]) + "\n")
    parts[1].write_text("\n".join(rows[cut:]) + "\n")
    words = ("1m", "5m", "1h")
    once = build("BTCUSDT", feed("binance-klines", "BTCUSDT", whole), *words)
    split = build("BTCUSDT", feed("binance-klines", "BTCUSDT", *parts), *words)
    assert split.bars() == once.bars()
