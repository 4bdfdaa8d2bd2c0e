"""Tables whose columns and times the user describes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from tests.reference import reference
from tests.venues.recordings import make_feed, take
from workstation.model.errors import ConfigError, DataError
from workstation.model.market import Bar, MarketEvent, Quote, Trade
from workstation.model.timeframes import NS_PER_S, Timeframe
from workstation.venues.file import ohlcv, quotes, trades
from workstation.venues.file.settings import MAPPED_COLUMNS
from workstation.venues.file.times import any_time, is_time_format, time_reader

TS = 1_723_161_255 * NS_PER_S  # 2024-08-08 23:54:15


def read(folder: Path, form: str, content: str, **fields: object) -> list[MarketEvent]:
    path = folder / "x.csv"
    path.write_text(content)
    made = {"symbols": ["BTCUSDT"], **fields}
    return take(make_feed(form, path, **made))  # type: ignore[arg-type]


def test_bars_are_read_by_the_names_of_the_config(tmp_path: Path) -> None:
    content = (
        "Stamp,O,H,L,C,Base,Quote,Open,N\n1723161255,5,6,4,5.5,2,11,999,7\n"
        "1723161315,5,6,4,5.5,2,11,999,7\n"
    )
    columns = {
        "time": "Stamp",
        "open": "O",
        "close": " c ",
        "volume": "Base",
        "turnover": "Quote",
        "trades": "N",
    }
    bars = read(tmp_path, "ohlcv", content, columns=columns)
    minute = Timeframe.parse("1m")
    assert bars[0] == Bar(
        "BTCUSDT.id",
        TS + 60 * NS_PER_S,
        minute,
        TS,
        5.0,
        6.0,
        4.0,
        5.5,
        2.0,
        11.0,
        7,
    )


def test_quotes_and_trades_are_read_by_the_names_of_the_config(tmp_path: Path) -> None:
    quote = read(
        tmp_path,
        "quotes",
        "t,Geld,Brief,G\n1723161255,5,6,7\n",
        columns={"time": "t", "bid": "Geld", "ask": "Brief", "bid_size": "G"},
    )
    assert quote == [Quote("BTCUSDT.id", TS, 5.0, 7.0, 6.0, 0.0, TS)]
    trade = read(
        tmp_path,
        "trades",
        "time,last,lots,dir,no\n1723161255,5,6,S,9\n",
        columns={"price": "last", "size": "lots", "side": "dir", "id": "no"},
    )
    assert trade == [Trade("BTCUSDT.id", TS, 5.0, 6.0, -1, 9, TS)]


def test_the_very_name_wins_where_two_differ_in_case_only(tmp_path: Path) -> None:
    content = "time,P,p,size\n1723161255,5,6,1\n"
    (event,) = read(tmp_path, "trades", content, columns={"price": "p"})
    assert isinstance(event, Trade)
    assert event.price == 6.0
    with pytest.raises(DataError, match="has more than one column 'P'"):
        read(tmp_path, "trades", content.replace(",P,", ",p,"), columns={"price": "P"})


def test_a_column_that_is_not_there_is_named_with_the_header_and_a_near_one(
    tmp_path: Path,
) -> None:
    content = "Date,O,H,L,Close\n2024-08-08,5,6,4,5\n"
    with pytest.raises(DataError) as told:
        read(tmp_path, "ohlcv", content, columns={"time": "Data"})
    assert str(told.value) == (
        "x.csv:1: header has no column 'Data', which columns.time names; it has "
        "Date, O, H, L, Close; did you mean Date?; mend columns.time"
    )
    with pytest.raises(DataError) as told:
        read(tmp_path, "ohlcv", content.replace("Close", "Cloze"))
    assert str(told.value) == (
        "x.csv:1: header lacks close; it has Date, O, H, L, Cloze; did you mean "
        'Cloze?; name it with columns = { close = "…" }, or give the file a first '
        "line of names with commas between"
    )
    with pytest.raises(DataError, match="columns has prise; name only time, price"):
        read(tmp_path, "trades", content, columns={"prise": "O"})


def test_the_config_knows_the_columns_that_the_readers_know() -> None:
    for name, module in (("quotes", quotes), ("trades", trades), ("ohlcv", ohlcv)):
        assert MAPPED_COLUMNS[name] == tuple(module._ALIASES)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("s", "1723161255"),
        ("s", "1723161255.000"),
        ("ms", "1723161255000"),
        ("us", "1723161255000000"),
        ("ns", "1723161255000000000"),
        ("%d.%m.%Y %H:%M:%S", "08.08.2024 23:54:15"),
        ("%Y%m%d %H%M%S", "20240808 235415"),
        ("%m/%d/%y %I:%M:%S %p", "08/08/24 11:54:15 PM"),
        ("%Y-%m-%dT%H:%M:%S%z", "2024-08-09T01:54:15+0200"),
        ("auto", "2024-08-08 23:54:15"),
    ],
)
def test_times_are_read_in_the_form_that_is_said(
    tmp_path: Path, form: str, text: str
) -> None:
    assert is_time_format(form)
    content = f"time,price,size\n{text},5,1\n"
    (event,) = read(tmp_path, "trades", content, time_format=form)
    assert event.ts_recv == TS


def test_a_small_epoch_is_read_as_the_unit_that_is_said() -> None:
    # 1970-01-12, which by its size would be seconds.
    assert time_reader("ms")(b"1000000000") == NS_PER_S * 1_000_000
    assert any_time(b"1000000000") == NS_PER_S * 1_000_000_000


@pytest.mark.parametrize("form", ["", "h", "%H:%M", "%d.%m.", "day", "%Q", "%Y-%m"])
def test_a_form_without_a_day_is_none(form: str) -> None:
    assert not is_time_format(form)


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("%d.%m.%Y", "2024-08-08", "time '2024-08-08' is not of the form %d.%m.%Y"),
        ("s", "2024-08-08", "time '2024-08-08' cannot be read"),
        ("s", "99999999999999", "too far off"),
        ("ms", "-5", "cannot be read"),
        ("ms", "5.x", "cannot be read"),
        ("%d.%m.%Y", "01.01.1969", "is not of the years 1970 to 2261"),
        ("auto", "2263-01-01", "is not of the years 1970 to 2261"),
        ("auto", "08.08.2024", "say how times are written with time_format"),
    ],
)
def test_a_time_of_another_form_is_damage(
    tmp_path: Path, form: str, text: str, words: str
) -> None:
    with pytest.raises(DataError) as told:
        read(tmp_path, "trades", f"time,price,size\n{text},5,1\n", time_format=form)
    assert told.value.line == 2
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (b"2024-08-08T23:54:15.123456789", 123_456_789),
        (b"2024-08-08T23:54:15.1234567", 123_456_700),
        (b"2024-08-08 23:54:15.123456789+00:00", 123_456_789),
        (b"2024-08-08T23:54:15.123456+00:00", 123_456_000),
        (b"2024-08-08T23:54:15.1234567890123Z", 123_456_789),
    ],
)
def test_nanoseconds_of_an_iso_time_are_kept(text: bytes, rest: int) -> None:
    assert any_time(text) == TS + rest


@pytest.mark.reference
def test_one_column_may_be_named_for_two(tmp_path: Path) -> None:
    path = reference("data", "ohlcv", "usdjpy-ticks.csv")
    feed = make_feed(
        "quotes", path, symbols=["USDJPY"], columns={"bid": "Ask", "ask": "Ask"}
    )
    first = take(feed)[0]
    assert isinstance(first, Quote)
    assert (first.bid, first.ask) == (86.728, 86.728)


def test_months_are_told_from_their_steps(tmp_path: Path) -> None:
    def kinds(*days: str, interval: str | None = None) -> set[str]:
        rows = "".join(f"{day},5,6,4,5\n" for day in days)
        content = f"Date,Open,High,Low,Close\n{rows}"
        bars = read(tmp_path, "ohlcv", content, interval=interval)
        return {str(bar.timeframe) for bar in bars if isinstance(bar, Bar)}

    assert kinds("2024-01-01", "2024-02-01") == {"1M"}
    assert kinds("2024-01-31", "2024-02-29", "2024-03-31") == {"1M"}
    assert kinds("2024-01-01", "2024-02-01", "2024-05-01") == {"1M"}
    assert kinds("2024-01-01", "2024-01-31", "2024-03-01", "2024-03-31") == {"30d"}
    assert kinds("2024-01-01", "2024-01-29", interval="4w") == {"4w"}
    assert kinds("2024-01-01", "2024-04-01", interval="3M") == {"3M"}
    assert kinds("2024-01-01", "2024-01-02") == {"1d"}


def test_a_month_twice_is_the_same_bar_again(tmp_path: Path) -> None:
    content = "Date,Open,High,Low,Close\n2024-01-01,5,6,4,5\n2024-01-31,5,6,4,5\n"
    with pytest.raises(DataError, match=r"x\.csv:3: the same bar a second time"):
        read(tmp_path, "ohlcv", content, interval="1M")


def test_bars_that_no_clock_ends_are_no_interval_of_a_file(tmp_path: Path) -> None:
    content = "Date,Open,High,Low,Close\n2024-01-01,5,6,4,5\n"
    with pytest.raises(ConfigError, match="interval: 500t has no length"):
        read(tmp_path, "ohlcv", content, interval="500t")


def test_settings_of_how_a_table_is_read_are_part_of_its_identity(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Date,Open,High,Low,Close\n2024-01-01,5,6,4,5\n")
    plain = make_feed("ohlcv", path)
    mapped = make_feed("ohlcv", path, columns={"close": "Open", "open": "Close"})
    timed = make_feed("ohlcv", path, time_format="%Y-%m-%d")
    assert mapped.identity()["columns"] == "close=Open,open=Close"
    assert len({str(feed.identity()) for feed in (plain, mapped, timed)}) == 3
    assert structs.asdict(mapped._settings)["columns"] == {
        "close": "Open",
        "open": "Close",
    }
