from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.venues.recordings import KLINE, make_feed, take
from workstation.model.errors import DataError
from workstation.model.market import Bar, Quote, Trade
from workstation.model.timeframes import NS_PER_MS, NS_PER_S, NS_PER_US, Timeframe
from workstation.venues.file.times import any_time

HOUR = 3_600 * NS_PER_S
FROZEN_PATH = [HealthCheck.function_scoped_fixture]
OHLCV = b"Date,Open,High,Low,Close,Volume\n"
SPOT_TRADE = b"3735683259,61837.63,0.02,1236.7526,1723161255342,True,True"
FUTURES_TRADE = b"3735683259,61837.63,0.02,1236.7526,1723161255342,true"
SPOT_AGG = b"13519807,0.00141342,23.0,15373518,15373520,1570752011620,False,True"
FUTURES_AGG = b"13519807,0.00141342,23.0,15373518,15373520,1570752011620,false"


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def reason(form: str, path: Path, content: bytes, interval: str | None = None) -> str:
    """Return why the content is refused, with the line it says."""
    with pytest.raises(DataError) as caught:
        take(make_feed(form, write(path, content), interval=interval))
    assert caught.value.source == path.name
    return f"{caught.value.line}: {caught.value.reason}"


def test_a_kline_is_a_bar_received_at_its_close(tmp_path: Path) -> None:
    feed = make_feed("binance-klines", write(tmp_path / "k.csv", KLINE + b"\n"))

    opened = 1_730_419_200_000 * NS_PER_MS
    assert take(feed) == [
        Bar(
            "BTCUSDT.id",
            opened + HOUR,
            Timeframe.of_ns(HOUR),
            opened,
            70292.01,
            70470.0,
            70146.8,
            70173.73,
            840.4529,
            59096143.4,
            128807,
            opened + HOUR,
        )
    ]


def test_milliseconds_and_microseconds_are_told_apart_row_by_row(
    tmp_path: Path,
) -> None:
    later = KLINE.replace(b"1730419200000", b"1730422800000000").replace(
        b"1730422799999", b"1730426399999999"
    )
    path = write(tmp_path / "k.csv", KLINE + b"\n" + later + b"\n")

    first, second = take(make_feed("binance-klines", path))
    assert isinstance(first, Bar)
    assert isinstance(second, Bar)
    assert (second.ts_open, second.timeframe.length_ns) == (first.ts_close, HOUR)


def test_a_header_line_is_passed_over(tmp_path: Path) -> None:
    header = (
        b"open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,c\n"
    )
    path = write(tmp_path / "k.csv", header + KLINE.replace(b",", b",") + b"\r\n")

    assert len(take(make_feed("binance-klines", path))) == 1


def test_calendar_months_are_one_timeframe(tmp_path: Path) -> None:
    january = KLINE.replace(b"1730419200000", b"1704067200000").replace(
        b"1730422799999", b"1706745599999"
    )
    february = KLINE.replace(b"1730419200000", b"1706745600000").replace(
        b"1730422799999", b"1709251199999"
    )
    path = write(tmp_path / "k.csv", january + b"\n" + february + b"\n")

    bars = take(make_feed("binance-klines", path))
    assert [str(bar.timeframe) for bar in bars if isinstance(bar, Bar)] == ["1M"] * 2
    assert bars[1].ts_recv == 1_709_251_200_000 * NS_PER_MS


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b"70470.0", b"70100.0", "is below low"),
        (b"70292.01", b"80000", "open 80000.0 is outside"),
        (b"70173.73", b"1", "close 1.0 is outside"),
        (b"70146.8", b"nan", "low nan is not more than 0"),
        (b"70146.8", b"-1", "low -1 is not more than 0"),
        (b"70470.0", b"inf", "high inf is not more than 0"),
        (b"70470.0", b"7_0470", "is not a number"),
        (b"70470.0", b"", "is not a number"),
        (b"840.4529", b"-1", "volume -1 is not 0 or more"),
        (b"128807", b"1.5", "is not a count"),
        (b"1730419200000", b"173041920000", "neither ms nor"),
        (b"1730422799999", b"1730419199998", "not after the open"),
        (b",0", b"", "11 columns"),
        (b",0", b",0,1", "13 columns"),
        (KLINE[60:], b"", "columns"),
    ],
)
def test_a_damaged_kline_is_refused(
    tmp_path: Path, old: bytes, new: bytes, words: str
) -> None:
    row = (b"," + KLINE).replace(b"," + old, b"," + new, 1)[1:]
    if row == KLINE:
        row = KLINE.replace(old, new)
    assert row != KLINE
    early = KLINE.replace(b"17304192", b"17304156").replace(b"17304227", b"17304191")
    told = reason("binance-klines", tmp_path / "k.csv", early + b"\n" + row + b"\n")

    assert told.startswith("2: ")
    assert words in told


def test_a_row_of_another_interval_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    assert "row lasts 1h, the bars before or the interval 1m" in reason(
        "binance-klines", path, KLINE, interval="1m"
    )


def test_the_same_bar_twice_or_an_earlier_one_is_refused(tmp_path: Path) -> None:
    early = KLINE.replace(b"17304192", b"17304156").replace(b"17304227", b"17304191")
    path = tmp_path / "k.csv"

    assert "2: the same bar" in reason("binance-klines", path, KLINE + b"\n" + KLINE)
    assert "2: time goes back by 3600 s" in reason(
        "binance-klines", path, KLINE + b"\n" + early
    )


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ("binance-trades", SPOT_TRADE),
        ("binance-trades", FUTURES_TRADE),
        (
            "binance-trades",
            b"id,price,qty,quote_qty,time,is_buyer_maker\n" + FUTURES_TRADE,
        ),
    ],
)
def test_trades_of_spot_and_futures_are_read(
    tmp_path: Path, form: str, row: bytes
) -> None:
    ts = 1_723_161_255_342 * NS_PER_MS
    assert take(make_feed(form, write(tmp_path / "t.csv", row + b"\n"))) == [
        Trade("BTCUSDT.id", ts, 61837.63, 0.02, -1, 3735683259, ts)
    ]


@pytest.mark.parametrize("row", [SPOT_AGG, FUTURES_AGG])
def test_aggregate_trades_of_spot_and_futures_are_read(
    tmp_path: Path, row: bytes
) -> None:
    ts = 1_570_752_011_620 * NS_PER_MS
    path = write(tmp_path / "t.csv", row + b"\n")
    assert take(make_feed("binance-aggtrades", path)) == [
        Trade("BTCUSDT.id", ts, 0.00141342, 23.0, 1, 13519807, ts)
    ]


@pytest.mark.parametrize(
    ("form", "row", "old", "new", "words"),
    [
        ("binance-trades", SPOT_TRADE, b",True,True", b",True", "6 columns where"),
        ("binance-trades", SPOT_TRADE, b",True,True", b",True,Tr", "'Tr' is neither"),
        ("binance-trades", SPOT_TRADE, b",0.02,", b",0,", "quantity 0"),
        ("binance-trades", SPOT_TRADE, b",61837.63,", b",NaN,", "price NaN"),
        ("binance-trades", SPOT_TRADE, b",1236.7526,", b",x,", "'x' is not a number"),
        ("binance-trades", SPOT_TRADE, b"3735683259,", b"-1,", "'-1' is not a count"),
        ("binance-trades", SPOT_TRADE, b"1723161255342", b"17231612", "neither ms"),
        ("binance-aggtrades", SPOT_AGG, b",False", b",maybe", "'maybe' is neither"),
        ("binance-aggtrades", SPOT_AGG, b"15373520", b"", "is not a count"),
    ],
)
def test_a_damaged_trade_row_is_refused(
    tmp_path: Path, form: str, row: bytes, old: bytes, new: bytes, words: str
) -> None:
    damaged = row.replace(old, new, 1)
    assert damaged != row
    told = reason(form, tmp_path / "t.csv", row + b"\n" + damaged + b"\n")

    assert told.startswith("2: ")
    assert words in told


def test_quotes_without_sizes_have_size_zero(tmp_path: Path) -> None:
    content = b"timestamp,bid,ask\n2013-01-01 22:00:00.295000+00:00,86.655,86.728\n"
    ts = 1_357_077_600_295 * NS_PER_MS
    assert take(make_feed("quotes", write(tmp_path / "q.csv", content))) == [
        Quote("BTCUSDT.id", ts, 86.655, 0.0, 86.728, 0.0, ts)
    ]


def test_quotes_find_their_columns_by_name(tmp_path: Path) -> None:
    content = b'"Ask","ask_size","BID","bid_size","Time"\n10,3,9,2,1723161255\n'
    ts = 1_723_161_255 * NS_PER_S
    assert take(make_feed("quotes", write(tmp_path / "q.csv", content))) == [
        Quote("BTCUSDT.id", ts, 9.0, 2.0, 10.0, 3.0, ts)
    ]


def test_a_locked_quote_passes_and_a_crossed_one_does_not(tmp_path: Path) -> None:
    head = b"timestamp,bid,ask\n1723161255,5,5\n"
    assert "3: bid 6.0 is above ask 5.0" in reason(
        "quotes", tmp_path / "q.csv", head + b"1723161256,6,5\n"
    )


def test_trades_of_a_table_have_an_aggressor_where_it_is_given(tmp_path: Path) -> None:
    content = (
        b"ts,price,qty,side\n1723161255,5,1,BUY\n1723161255,5,1,s\n1723161256,5,1,\n"
    )
    trades = take(make_feed("trades", write(tmp_path / "t.csv", content)))

    assert [trade.aggressor for trade in trades if isinstance(trade, Trade)] == [
        1,
        -1,
        0,
    ]
    assert "2: side 'up'" in reason(
        "trades", tmp_path / "t.csv", b"ts,price,qty,side\n1723161255,5,1,up\n"
    )


def test_bars_of_a_table_have_the_smallest_step_of_the_first_rows(
    tmp_path: Path,
) -> None:
    content = (
        b",OPEN,High,low,Close\n2017-04-21,5,6,4,5\n2017-04-24,5,6,4,5\n"
        b"2017-04-25,5,6,4,5\n"
    )
    bars = take(make_feed("ohlcv", write(tmp_path / "o.csv", content)))
    day = 24 * HOUR

    assert [bar.timeframe.length_ns for bar in bars if isinstance(bar, Bar)] == [
        day
    ] * 3
    opened = 1_492_732_800 * NS_PER_S
    assert bars[0] == Bar(
        "BTCUSDT.id",
        opened + day,
        Timeframe.of_ns(day),
        opened,
        5.0,
        6.0,
        4.0,
        5.0,
        0.0,
    )


def test_the_interval_of_the_settings_wins(tmp_path: Path) -> None:
    content = OHLCV + b"2017-04-21,5,6,4,5,1\n"
    path = tmp_path / "o.csv"
    (bar,) = take(make_feed("ohlcv", write(path, content), interval="4h"))

    assert isinstance(bar, Bar)
    assert bar.timeframe.length_ns == 4 * HOUR
    assert "does not tell the interval" in reason("ohlcv", path, content)


@pytest.mark.parametrize(
    ("form", "content", "words"),
    [
        ("ohlcv", b"Date,Open,High,Low\n1,2,3,4\n", "1: header lacks close"),
        ("quotes", b"1723161255,5,6\n", "1: header lacks time, bid, ask"),
        ("trades", b"time,price,size,price\n", "1: header has price twice"),
        ("ohlcv", OHLCV + b"2017-04-21,5,6,4,5\n", "2: 5 columns where"),
        ("ohlcv", OHLCV + b"2017-04-21,5,6,4,5,nan\n", "2: volume nan"),
        ("ohlcv", OHLCV + b"21.4.2017,5,6,4,5,1\n", "2: time '21.4.2017'"),
        ("ohlcv", OHLCV + b'2017-04-21,"5,6,4,5,1\n', "2: quotes inside"),
        ("quotes", b"time,bid,ask\n\xff,1,2\n", "2: time"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    tmp_path: Path, form: str, content: bytes, words: str
) -> None:
    assert words in reason(form, tmp_path / "x.csv", content)


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        (b"2024-08-08", 1_723_075_200 * NS_PER_S),
        (b"20240808", 1_723_075_200 * NS_PER_S),
        (b"2024-08-08T01:00:00+01:00", 1_723_075_200 * NS_PER_S),
        (b"2024-08-08 00:00:00.000001Z", 1_723_075_200 * NS_PER_S + NS_PER_US),
        (b"1723075200", 1_723_075_200 * NS_PER_S),
        (b"1723075200.5", 1_723_075_200_500 * NS_PER_MS),
        (b"1723075200123", 1_723_075_200_123 * NS_PER_MS),
        (b"1723075200123.25", 1_723_075_200_123_250 * NS_PER_US),
        (b"1723075200123456", 1_723_075_200_123_456 * NS_PER_US),
        (b"1723075200123456789", 1_723_075_200_123_456_789),
    ],
)
def test_a_time_is_read_in_the_unit_it_is_written_in(text: bytes, ts: int) -> None:
    assert any_time(text) == ts


@settings(deadline=None, suppress_health_check=FROZEN_PATH)
@given(
    form=st.sampled_from(
        ["binance-klines", "binance-trades", "binance-aggtrades", "quotes", "ohlcv"]
    ),
    content=st.binary(max_size=80) | st.text("0123456789,.-\ntimebdask", max_size=80),
)
def test_no_content_raises_anything_but_data_errors(
    tmp_path: Path, form: str, content: bytes | str
) -> None:
    raw = content.encode() if isinstance(content, str) else content
    head = b"time,bid,ask,open,high,low,close\n" if form in ("quotes", "ohlcv") else b""
    path = write(tmp_path / "x.csv", head + raw)
    # Content without a header or a sound row is no such file, however damage is met.
    with suppress(DataError):
        for event in take(make_feed(form, path, on_error="skip")):
            assert 0 <= event.ts_recv < 2**63
