"""CSV files of Tardis: what their rows become, and books that are never half true."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reference import reference
from tests.venues.recordings import make_feed, take
from workstation.market.book import Book
from workstation.model.errors import DataError
from workstation.model.market import BookDelta, BookSnapshot, MarketEvent, Quote, Trade
from workstation.model.states import BookTrust
from workstation.model.timeframes import NS_PER_US
from workstation.venues.file.feed import FileFeed

FROZEN_PATH = [HealthCheck.function_scoped_fixture]
START_US = 1_585_699_200_000_000
COMMON = "exchange,symbol,timestamp,local_timestamp"
L2_HEAD = f"{COMMON},is_snapshot,side,price,amount"
TRADE_HEAD = f"{COMMON},id,side,price,amount"
QUOTE_HEAD = f"{COMMON},ask_amount,ask_price,bid_price,bid_amount"
SNAPSHOT_HEAD = (
    f"{COMMON},asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,"
    "asks[1].price,asks[1].amount,bids[1].price,bids[1].amount"
)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def row(*fields: object, us: int = 0, symbol: str = "BTCUSDT") -> str:
    """Return a row received ``us`` after the start, sent 100 µs before that."""
    at = START_US + us
    return ",".join(map(str, ("x", symbol, at - 100, at, *fields)))


def l2(us: int, is_snapshot: bool, side: str, price: float, amount: float) -> str:
    return row("true" if is_snapshot else "false", side, price, amount, us=us)


def ns(us: int) -> int:
    return (START_US + us) * NS_PER_US


def tardis(
    path: Path, symbols: Sequence[str] = ("BTCUSDT",), on_error: str = "stop"
) -> FileFeed:
    return make_feed("tardis", path, symbols=symbols, on_error=on_error)


# --- the samples of the reference ----------------------------------------------------


def sample(name: str) -> Path:
    return reference("data", "tardis", name)


@pytest.mark.reference
@pytest.mark.parametrize("depth", [5, 25])
def test_book_snapshots_of_the_sample_are_books(depth: int) -> None:
    path = sample(f"binance-futures_book_snapshot_{depth}_BTCUSDT.csv")
    events = take(tardis(path))

    assert [type(event) for event in events] == [BookSnapshot] * 10
    first = events[0]
    assert isinstance(first, BookSnapshot)
    assert (first.ts_event, first.ts_recv) == (
        1_598_918_403_696_000_000,
        1_598_918_403_810_979_000,
    )
    assert len(first.bids) == len(first.asks) == depth
    assert first.bids[:2] == ((11657.07, 10.896), (11656.97, 0.2))
    assert first.asks[:2] == ((11657.08, 1.714), (11657.54, 5.4))
    assert [e.last_id for e in events if isinstance(e, BookSnapshot)] == [*range(1, 11)]


@pytest.mark.reference
def test_the_incremental_sample_is_one_snapshot() -> None:
    path = sample("deribit_incremental_book_L2_BTC-PERPETUAL.csv")
    (event,) = take(tardis(path, symbols=["BTC-PERPETUAL"]))

    assert isinstance(event, BookSnapshot)
    assert (len(event.asks), len(event.bids)) == (15, 0)
    assert event.asks[0] == (6421.5, 18640.0)
    assert event.ts_recv == 1_585_699_200_355_684_000


@pytest.mark.reference
def test_trades_of_the_sample_have_no_number_for_an_id() -> None:
    events = take(tardis(sample("bitmex_trades_XBTUSD.csv"), symbols=["XBTUSD"]))

    assert len(events) == 10
    assert events[0] == Trade(
        "XBTUSD.id",
        1_583_020_803_307_160_000,
        8531.5,
        2152.0,
        -1,
        0,
        1_583_020_803_145_000_000,
    )


@pytest.mark.reference
def test_quotes_of_the_sample_are_read() -> None:
    path = sample("huobi-dm-swap_quotes_BTC-USD.csv")
    events = take(tardis(path, symbols=["BTC-USD"]))

    assert len(events) == 10
    assert events[0] == Quote(
        "BTC-USD.id",
        1_588_291_201_234_268_000,
        8629.2,
        806.0,
        8629.3,
        5494.0,
        1_588_291_201_099_000_000,
    )


# --- rows ------------------------------------------------------------------------


def test_a_trade_with_a_number_for_an_id_keeps_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", TRADE_HEAD, row(77, "unknown", 5, 2))
    assert take(tardis(path)) == [
        Trade("BTCUSDT.id", ns(0), 5.0, 2.0, 0, 77, ns(-100)),
    ]


def test_a_quote_of_one_side_is_counted_and_half_a_side_is_damage(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "q.csv",
        QUOTE_HEAD,
        row("", "", 5, 2, us=0),
        row(1, 6, 5, 2, us=1),
        row("", 6, 5, 2, us=2),
        row(1, 4, 5, 2, us=3),
    )
    feed = tardis(path, on_error="skip")
    assert [event.ts_recv for event in take(feed)] == [ns(1)]
    assert feed.skipped_by_kind == {"one-sided quote": 1}
    assert [(e.line, e.reason) for e in feed.errors] == [
        (4, "ask has no amount"),
        (5, "bid 5.0 is above ask 4.0"),
    ]


def test_a_thin_snapshot_has_fewer_levels_and_a_crossed_one_is_damage(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "s.csv",
        SNAPSHOT_HEAD,
        row(6, 1, 5, 2, "", "", 4, 3, us=0),
        row(5, 1, 5, 2, 7, 1, 4, 3, us=1),
        row(6, 1, 5, 2, 7, 1, 4, 3, us=2),
    )
    feed = tardis(path, on_error="skip")
    first, second = take(feed)
    assert first == BookSnapshot(
        "BTCUSDT.id", ns(0), 1, ((5.0, 2.0), (4.0, 3.0)), ((6.0, 1.0),), ns(-100)
    )
    assert isinstance(second, BookSnapshot)
    assert second.last_id == 3
    assert str(feed.last_error) == "s.csv:3: snapshot is crossed at 5.0"


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "price,amount,side,id,local_timestamp,timestamp,symbol,more\n"
        f"5,2,buy,7,{START_US},{START_US - 100},BTCUSDT,x\n"
    )
    assert take(tardis(path)) == [Trade("BTCUSDT.id", ns(0), 5.0, 2.0, 1, 7, ns(-100))]


def test_a_header_of_no_known_kind_names_the_kinds(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", f"{COMMON},funding_rate", row("0.01"))
    with pytest.raises(DataError, match=r"d\.csv:1: header is none of Tardis") as told:
        take(tardis(path))
    assert "book_snapshot_N" in told.value.remedy


@pytest.mark.parametrize("time", ["1585699200355", "", "x" * 16, "-585699200355684"])
def test_times_are_microseconds_and_nothing_else(tmp_path: Path, time: str) -> None:
    line = row(7, "buy", 5, 2).replace(str(START_US), time)
    path = write(tmp_path / "t.csv", TRADE_HEAD, line)
    with pytest.raises(DataError, match=r"t\.csv:2: time .* is not µs since 1970"):
        take(tardis(path))


def test_rows_of_other_symbols_are_counted_and_do_not_part_a_message(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "b.csv",
        L2_HEAD,
        l2(0, True, "bid", 5, 1),
        row("true", "ask", "no number", 1, symbol="ETHUSDT"),
        l2(0, True, "ask", 6, 1),
        row("false", "ask", 9, 1, symbol="ETHUSDT"),
    )
    feed = tardis(path)
    assert take(feed) == [
        BookSnapshot("BTCUSDT.id", ns(0), 1, ((5.0, 1.0),), ((6.0, 1.0),), ns(-100))
    ]
    assert feed.skipped_by_kind == {"symbol ETHUSDT": 2}


def test_two_symbols_of_one_file_are_read_by_naming_it_twice(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv",
        TRADE_HEAD,
        row(1, "buy", 5, 2, us=0),
        row(2, "buy", 5, 2, us=1, symbol="ETHUSDT"),
        row(3, "buy", 5, 2, us=2),
    )
    events = take(make_feed("tardis", path, path, symbols=["BTCUSDT", "ETHUSDT"]))
    assert [event.instrument for event in events] == [
        "BTCUSDT.id",
        "ETHUSDT.id",
        "BTCUSDT.id",
    ]


def test_a_file_without_a_row_of_the_symbol_names_those_it_has(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", TRADE_HEAD, row(1, "buy", 5, 2, symbol="XBTUSD"))
    with pytest.raises(DataError) as told:
        take(tardis(path))
    assert str(told.value) == (
        "t.csv:2: nothing of symbol BTCUSDT; the file holds XBTUSD; "
        "name its symbol under symbols"
    )


# --- incremental books -----------------------------------------------------------


def test_rows_are_grouped_into_numbered_messages(tmp_path: Path) -> None:
    path = write(
        tmp_path / "b.csv",
        L2_HEAD,
        l2(0, True, "bid", 5, 1),
        l2(0, True, "ask", 6, 1),
        l2(1, True, "bid", 4, 1),
        l2(1, True, "ask", 7, 1),
        l2(1, False, "bid", 4, 2),
        l2(1, False, "ask", 7, 0),
        l2(3, False, "ask", 8, 5),
    )
    assert take(tardis(path)) == [
        BookSnapshot("BTCUSDT.id", ns(0), 1, ((5.0, 1.0),), ((6.0, 1.0),), ns(-100)),
        BookSnapshot("BTCUSDT.id", ns(1), 2, ((4.0, 1.0),), ((7.0, 1.0),), ns(-99)),
        BookDelta("BTCUSDT.id", ns(1), 3, 3, ((4.0, 2.0),), ((7.0, 0.0),), ns(-99)),
        BookDelta("BTCUSDT.id", ns(3), 4, 4, (), ((8.0, 5.0),), ns(-97)),
    ]


def test_messages_of_one_receive_time_are_told_apart_by_the_venues(
    tmp_path: Path,
) -> None:
    other = l2(1, False, "bid", 4, 3).replace(str(START_US - 99), str(START_US - 98))
    path = write(tmp_path / "b.csv", L2_HEAD, l2(1, False, "bid", 4, 2), other)
    events = take(tardis(path))
    assert [e.ts_event for e in events] == [ns(-99), ns(-98)]


def test_a_damaged_row_leaves_a_hole_before_its_message(tmp_path: Path) -> None:
    path = write(
        tmp_path / "b.csv",
        L2_HEAD,
        l2(0, True, "bid", 5, 1),
        l2(1, False, "bid", 5, 2),
        l2(2, False, "bid", 5, 3),
        l2(2, False, "bid", -4, 3),
        l2(3, False, "bid", 5, 4),
    )
    feed = tardis(path, on_error="skip")
    book = Book()
    trust = []
    for event in take(feed):
        if isinstance(event, BookSnapshot):
            book.snapshot(event)
        else:
            assert isinstance(event, BookDelta)
            book.delta(event)
        trust.append(book.trust)
    assert trust == [BookTrust.TRUSTED] * 2 + [BookTrust.UNTRUSTED] * 2
    assert feed.last_error is not None
    assert str(feed.last_error) == "b.csv:5: price -4 is not more than 0"


@pytest.mark.parametrize("damaged", [2, 3, 4, 5])
def test_a_snapshot_beside_a_damaged_row_is_not_given(
    tmp_path: Path, damaged: int
) -> None:
    lines = [
        L2_HEAD,
        l2(1, False, "bid", 5, 1),
        l2(2, True, "bid", 5, 1),
        l2(2, True, "ask", 6, 1),
        l2(3, False, "bid", 5, 2),
    ]
    lines[damaged - 1] += ",one too many"
    feed = tardis(write(tmp_path / "b.csv", *lines), on_error="skip")

    assert not [e for e in take(feed) if isinstance(e, BookSnapshot)]
    assert feed.skipped_by_kind == {"snapshot beside a damaged row": 1}


def test_time_that_goes_back_is_named_at_its_own_row(tmp_path: Path) -> None:
    lines = [L2_HEAD, l2(5, True, "bid", 5, 1), l2(4, False, "bid", 5, 2)]
    with pytest.raises(DataError, match=r"b\.csv:3: time goes back by 1e-06 s"):
        take(tardis(write(tmp_path / "b.csv", *lines)))


def test_the_next_file_continues_the_numbers_behind_a_hole(tmp_path: Path) -> None:
    one = write(
        tmp_path / "1.csv",
        L2_HEAD,
        l2(0, True, "bid", 5, 1),
        l2(1, False, "bid", 5, 2),
    )
    two = write(
        tmp_path / "2.csv",
        L2_HEAD,
        l2(2, False, "bid", 5, 3),
        l2(3, True, "bid", 5, 1),
    )
    book = Book()
    trust = []
    for event in take(make_feed("tardis", one, two)):
        if isinstance(event, BookSnapshot):
            book.snapshot(event)
        else:
            assert isinstance(event, BookDelta)
            book.delta(event)
        trust.append(book.trust is BookTrust.TRUSTED)
    assert trust == [True, True, False, True]


MANGLES = (
    lambda line: line + ",",
    lambda line: line.rpartition(",")[0],
    lambda line: line.replace("false", "fals").replace("true", "tru"),
    lambda line: line.replace("bid", "bit").replace("ask", "as"),
    lambda line: line.rpartition(",")[0] + ",nan",
    lambda line: line.replace(",1585", ",2585", 1).replace("1585", "x585", 1),
)

MESSAGES = st.lists(
    st.tuples(
        st.booleans(),
        st.integers(1, 3),  # µs to the next message
        st.lists(
            st.tuples(
                st.sampled_from(["bid", "ask"]), st.integers(0, 4), st.integers(0, 3)
            ),
            min_size=1,
            max_size=4,
            unique_by=lambda level: level[:2],
        ),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=120, suppress_health_check=FROZEN_PATH)
@given(messages=MESSAGES, data=st.data())
def test_a_book_of_damaged_rows_is_right_or_not_trusted(
    tmp_path: Path,
    messages: list[tuple[bool, int, list[tuple[str, int, int]]]],
    data: st.DataObject,
) -> None:
    lines = [L2_HEAD]
    truth: dict[int, tuple[dict[float, float], dict[float, float]]] = {}
    sides: tuple[dict[float, float], dict[float, float]] = ({}, {})
    us = 0
    for number, (is_snapshot, step, levels) in enumerate(messages):
        us += step
        is_snapshot = is_snapshot or number == 0
        if is_snapshot:
            sides = ({}, {})
        for side, level, size in levels:
            # A snapshot without a level would prove nothing, and is not believed.
            amount = max(1, size) if is_snapshot else size
            price = 100.0 - level if side == "bid" else 101.0 + level
            lines.append(l2(us, is_snapshot, side, price, amount))
            held = sides[side == "ask"]
            held[price] = amount
            if not amount:
                del held[price]
        sides = (dict(sides[0]), dict(sides[1]))
        truth[ns(us)] = (dict(sides[0]), dict(sides[1]))
    damaged = data.draw(st.sets(st.integers(1, len(lines) - 1), max_size=3))
    for index in damaged:
        lines[index] = data.draw(st.sampled_from(MANGLES))(lines[index])
    path = write(tmp_path / "b.csv", *lines)

    feed = tardis(path, on_error="skip")
    book = Book()
    checked = 0
    events: list[MarketEvent] = []
    with suppress(DataError):  # not one sound row
        events = take(feed)
    for event in events:
        if isinstance(event, BookSnapshot):
            book.snapshot(event)
        else:
            assert isinstance(event, BookDelta)
            book.delta(event)
        if book.trust is BookTrust.TRUSTED:
            bids, asks = truth[event.ts_recv]
            assert dict(book.bids(99)) == bids
            assert dict(book.asks(99)) == asks
            checked += 1
    assert feed.skipped == len(damaged)
    assert damaged or checked == len(truth) == len(messages)
