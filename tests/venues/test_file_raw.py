from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.venues.recordings import RAW_START, make_feed, raw_lines, take
from workstation.model.errors import DataError
from workstation.model.market import BookDelta, BookSnapshot, Quote, Trade
from workstation.model.timeframes import NS_PER_MS

INSTRUMENT = "BTCUSDT.id"


def write(path: Path, lines: list[bytes]) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_each_kind_becomes_its_event(tmp_path: Path) -> None:
    events = take(make_feed("binance-raw", write(tmp_path / "a.txt", raw_lines())))

    assert events == [
        BookDelta(
            INSTRUMENT,
            RAW_START,
            101,
            105,
            ((61837.63, 0.5), (61730.17, 0.0)),
            ((61837.64, 1.25),),
            1_723_161_255_208 * NS_PER_MS,
        ),
        BookSnapshot(
            INSTRUMENT,
            RAW_START + 1_000,
            105,
            ((61837.63, 0.5), (61837.62, 2.0)),
            ((61837.64, 1.25),),
        ),
        Quote(
            INSTRUMENT,
            RAW_START + 2_000,
            61837.63,
            3.78826,
            61837.64,
            1.54698,
            None,
            106,
        ),
        Trade(
            INSTRUMENT,
            RAW_START + 3_000,
            61837.63,
            0.02,
            -1,
            3735683259,
            1_723_161_255_342 * NS_PER_MS,
        ),
        Trade(
            INSTRUMENT,
            RAW_START + 4_000,
            61837.64,
            0.5,
            1,
            77,
            1_723_161_255_399 * NS_PER_MS,
        ),
        BookDelta(
            INSTRUMENT,
            RAW_START + 5_000,
            108,
            110,
            ((58710.20, 0.014),),
            (),
            1_723_161_256_299 * NS_PER_MS,
            105,
        ),
    ]


def test_other_kinds_and_symbols_are_counted(tmp_path: Path) -> None:
    ts = RAW_START + 100_000
    lines = [
        *raw_lines(),
        b"%d " % ts + b'{"result":null,"id":1}',
        b"%d " % ts + b'{"stream":"btcusdt@kline_1m","data":{"e":"kline"}}',
        b"%d " % ts + b'{"stream":"!miniTicker@arr","data":[]}',
        b"%d " % ts + b'{"stream":"ethusdt@trade","data":{"e":"trade"}}',
        b"%d " % ts + b'{"stream":"btcusdt@depth20","data":{"lastUpdateId":160}}',
        b"%d " % ts + b'{"e":"serverShutdown","E":1}',
        b"",
    ]
    feed = make_feed("binance-raw", write(tmp_path / "a.txt", lines))

    assert len(take(feed)) == feed.delivered == 6
    assert feed.skipped == 0
    assert feed.skipped_by_kind == {
        "control": 1,
        "kline_1m": 1,
        "!miniTicker@arr": 1,
        "symbol ETHUSDT": 1,
        "depth20": 1,
        "serverShutdown": 1,
    }


def test_messages_without_an_envelope_and_with_other_spacing_are_read(
    tmp_path: Path,
) -> None:
    trade = (
        b'{"e":"trade","E":1,"s":"BTCUSDT","t":5,"p":"10.5","q":"2","T":3,"m":false}'
    )
    lines = [
        b"%d " % RAW_START + trade,
        b"%d " % RAW_START + b'{ "data" : ' + trade + b', "stream":"btcusdt@trade"}',
        b"%d " % RAW_START + b'{"stream": "btcusdt@trade", "data": ' + trade + b"}\r",
    ]
    events = take(make_feed("binance-raw", write(tmp_path / "a.txt", lines)))

    assert events == [Trade(INSTRUMENT, RAW_START, 10.5, 2.0, 1, 5, 3 * NS_PER_MS)] * 3


def test_notes_of_the_insurance_fund_are_no_trades(tmp_path: Path) -> None:
    note = raw_lines()[3].replace(b'"m":true', b'"m":true,"X":"NA"')
    feed = make_feed("binance-raw", write(tmp_path / "a.txt", [note]))

    assert take(feed) == []
    assert feed.skipped_by_kind == {"trade of no market": 1}


def test_a_snapshot_first_belongs_to_the_symbol_that_follows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", raw_lines("ETHUSDT")[1:])
    feed = make_feed("binance-raw", path, symbols=["BTCUSDT", "ETHUSDT"])

    assert {event.instrument for event in take(feed)} == {"ETHUSDT.id"}


def test_a_snapshot_among_several_symbols_is_not_guessed(tmp_path: Path) -> None:
    lines = [raw_lines()[2], *raw_lines("ETHUSDT", RAW_START + 10_000)[:2]]
    feed = make_feed(
        "binance-raw", write(tmp_path / "a.txt", lines), symbols=["BTCUSDT", "ETHUSDT"]
    )

    with pytest.raises(DataError, match="a snapshot names no symbol"):
        take(feed)


@pytest.mark.parametrize(
    ("index", "old", "new", "reason"),
    [
        (2, b'"a":"61837.64"', b'"a":"61837.63"', "not below ask"),
        (2, b'"b":"61837.63",', b"", "missing required field `b`"),
        (2, b'"b":"61837.63"', b'"b":"NaN"', "Expected `float`"),
        (2, b'"B":"3.78826"', b'"B":"Infinity"', "Expected `float`"),
        (2, b'"B":"3.78826"', b'"B":"-1"', "Expected `float`"),
        (2, b'"s":"BTCUSDT"', b'"s":"ETHUSDT"', "carries ETHUSDT"),
        (2, b'"u":106', b'"u":99999999999999999999', "Expected `int`"),
        (3, b'"p":"61837.63"', b'"p":"0"', "trade of"),
        (3, b'"q":"0.02"', b'"q":"x"', "Expected `float`"),
        (0, b'"U":101', b'"U":106', "first update 106 is after the last 105"),
        (0, b'"1.25"', b'"1.25","3"', "Expected `array`"),
        (1, b'"asks":[["61837.64"', b'"asks":[["61837.63"', "crossed"),
        (2, b"17231", b"17331x", "receive time"),
        (2, b" ", b"", "no space"),
        (2, b"}}", b"}} {}", "trailing"),
        (2, b"bookTicker", b"book\xff", "utf-8"),
    ],
)
def test_a_damaged_line_is_named_with_file_line_and_reason(
    tmp_path: Path, index: int, old: bytes, new: bytes, reason: str
) -> None:
    lines = [raw_lines()[0], raw_lines()[index].replace(old, new, 1)]
    assert lines[1] != raw_lines()[index]
    feed = make_feed("binance-raw", write(tmp_path / "a.txt", lines))
    assert feed.next() is not None

    with pytest.raises(DataError) as caught:
        feed.next()

    assert (caught.value.source, caught.value.line) == ("a.txt", 2)
    assert reason in caught.value.reason
    assert feed.last_error is caught.value


def test_a_receive_time_that_goes_back_is_damage(tmp_path: Path) -> None:
    early = b"%d" % (RAW_START - 1) + raw_lines()[2][19:]
    feed = make_feed(
        "binance-raw",
        write(tmp_path / "a.txt", [raw_lines()[3], early]),
        on_error="skip",
    )
    feed.next()
    assert feed.next() is None
    assert feed.skipped == 1
    assert "time goes back" in str(feed.last_error)


def test_a_line_nested_without_end_is_damage(tmp_path: Path) -> None:
    sound, line = raw_lines()[0], raw_lines()[2][:20] + b'{"data":' + b"[" * 100_000
    path = write(tmp_path / "a.txt", [sound, line])
    feed = make_feed("binance-raw", path, on_error="skip")

    assert len(take(feed)) == 1
    assert feed.skipped == 1


@pytest.mark.parametrize("index", range(6))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_line_cut_anywhere_is_whole_or_damage_never_something_else(
    tmp_path: Path, index: int, data: st.DataObject
) -> None:
    before, line = raw_lines()[0], raw_lines()[index]
    whole = take(make_feed("binance-raw", write(tmp_path / "b.txt", [before, line])))
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, len(line)))
    cut = line[start:end]
    path = write(tmp_path / "a.txt", [before, cut])
    feed = make_feed("binance-raw", path, on_error="skip")
    events = take(feed)

    if cut == line:
        assert events == whole
    else:
        assert events == whole[:1]
        assert feed.skipped == (1 if cut.strip() else 0)
        assert feed.skipped_by_kind == {}


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    index=st.integers(0, 5),
    at=st.integers(0, 200),
    junk=st.binary(min_size=1, max_size=4),
)
def test_no_bytes_raise_anything_but_a_data_error(
    tmp_path: Path, index: int, at: int, junk: bytes
) -> None:
    line = raw_lines()[index]
    broken = line[:at] + junk + line[at + len(junk) :]
    path = write(tmp_path / "a.txt", [raw_lines()[0], broken])
    feed = make_feed("binance-raw", path, on_error="skip")

    for event in take(feed):
        assert event.instrument == INSTRUMENT
        if isinstance(event, Quote):
            assert 0 < event.bid < event.ask
