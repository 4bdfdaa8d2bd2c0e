"""Windows of quotes and trades: what is kept, and readers in other threads."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market.fakes import market
from workstation.market.settings import StorageSettings
from workstation.market.ticks import QuoteWindow, TickWindow, TradeWindow
from workstation.market.window import BarWindow
from workstation.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from workstation.model.timeframes import Timeframe

BTC = "BTCUSDT"


def rows_of(window: TickWindow, n: int | None = None) -> list[tuple[float, ...]]:
    columns = [column.tolist() for column in window.tail(n).values()]
    return list(zip(*columns, strict=True))


def _held_bytes(view: object) -> int:
    """Return the size of the buffer below a view, and a view of that."""
    base = getattr(view, "base", None)
    return memoryview(view).nbytes if base is None else _held_bytes(base)  # type: ignore[arg-type]


def trade(index: int) -> Trade:
    return Trade(BTC, index, index + 0.5, index * 2.0, index % 3 - 1)


@given(st.integers(1, 40), st.integers(0, 300), st.integers(0, 50))
def test_a_window_is_the_tail_of_all_that_came(size: int, count: int, n: int) -> None:
    window = TradeWindow(size)
    for index in range(count):
        window.extend([trade(index)])
    kept = min(size, count)
    assert len(window) == kept
    assert window.total == count
    assert rows_of(window) == [
        (i, i + 0.5, i * 2.0, i % 3 - 1) for i in range(count - kept, count)
    ]
    assert len(rows_of(window, n)) == min(n, kept)
    assert window.memory_bytes == 64 * size


@given(st.integers(1, 40), st.lists(st.integers(1, 90), max_size=20))
def test_rows_written_in_bulk_are_as_if_written_one_by_one(
    size: int, bulks: list[int]
) -> None:
    window, single = TradeWindow(size), TradeWindow(size)
    at = 0
    for bulk in bulks:
        trades = [trade(index) for index in range(at, at + bulk)]
        window.extend(trades)
        for each in trades:
            single.extend([each])
        at += bulk
        assert rows_of(window) == rows_of(single)
    assert window.total == single.total == at


def test_the_memory_stays_within_what_is_stated() -> None:
    window = QuoteWindow(100)
    for ts in range(1_000):
        window.extend([Quote(BTC, ts, 1.0, 1.0, 2.0, 1.0)])
        assert sum(_held_bytes(column) for column in window.tail().values()) <= 8_000
    assert window.memory_bytes == 8_000


def test_a_held_view_never_changes_and_cannot_be_written() -> None:
    window = TradeWindow(10)
    for index in range(15):
        window.extend([trade(index)])
    held = window.tail()["price"]
    before = held.copy()
    for index in range(15, 200):
        window.extend([trade(index)])
    assert (held == before).all()
    with pytest.raises(ValueError, match="read-only"):
        held[0] = 0.0


def test_quotes_are_the_confirmed_best_prices_of_tickers_and_of_the_book() -> None:
    part, core = market()
    core.feed(
        part,
        [
            Quote(BTC, 1, 9.0, 1.0, 11.0, 2.0, None, 5),
            Quote(BTC, 2, 8.0, 1.0, 11.0, 2.0, None, 4),
            BookSnapshot(BTC, 3, 6, ((9.5, 3.0),), ((10.5, 4.0),)),
            BookDelta(BTC, 4, 7, 7, ((9.75, 1.0),), ()),
            Trade(BTC, 5, 10.0, 0.5, 1),
        ],
    )
    quotes, trades = part.quotes(BTC), part.trades(BTC)
    assert quotes is not None
    assert trades is not None
    assert rows_of(quotes) == [
        (1, 9.0, 1.0, 11.0, 2.0),
        (3, 9.5, 3.0, 10.5, 4.0),
        (4, 9.75, 1.0, 10.5, 4.0),
    ]
    assert rows_of(trades) == [(5, 10.0, 0.5, 1)]


def test_asking_brings_the_windows_up_to_date_and_changes_no_state() -> None:
    def run(look: bool) -> tuple[object, object]:
        part, core = market(watch=["1s"])
        for ts in range(0, 3_000_000_000, 70_000_000):
            bid = 9.0 + ts % 7 / 8
            core.feed(
                part, [Quote(BTC, ts, bid, 1.0, 11.0, 2.0), Trade(BTC, ts, bid, 1)]
            )
            if look:
                quotes, trades = part.quotes(BTC), part.trades(BTC)
                assert quotes is not None
                assert trades is not None
                assert rows_of(quotes, 1) == [(ts, bid, 1.0, 11.0, 2.0)]
                assert rows_of(trades, 1) == [(ts, bid, 1.0, 0)]
        return part.digest(), core.records

    assert run(look=True) == run(look=False)


def test_no_window_is_kept_where_none_is_wanted() -> None:
    part, core = market(settings=StorageSettings(quotes=0, trades=2))
    core.feed(part, [Trade(BTC, ts, 1.0, 1.0) for ts in range(5)])
    assert part.quotes(BTC) is None
    assert [len(w) for w in (part.trades(BTC),) if w is not None] == [2]


def _read_until(done: threading.Event, read: object, faults: list[str]) -> None:
    assert callable(read)
    while not done.is_set():
        read(faults)


def test_readers_in_other_threads_see_whole_rows_while_the_writer_goes_on() -> None:
    trades, bars = TradeWindow(50), BarWindow(Timeframe.of_ns(10), 50)
    done = threading.Event()
    faults: list[str] = []
    views: list[tuple[object, object]] = []

    def read(faults: list[str]) -> None:
        rows = trades.tail()
        if len(rows["ts"]):
            first = int(rows["ts"][0])
            expected = np.arange(first, first + len(rows["ts"]))
            if not (rows["ts"] == expected).all():
                faults.append(f"times {rows['ts']}")
            if not (rows["price"] == expected + 0.5).all():
                faults.append(f"prices {rows['price']}")
            if len(views) < 200:
                views.append((rows["size"], rows["size"].copy()))
        columns = bars.columns()
        if not (columns["close"] == columns["ts_open"] / 10).all():
            faults.append("bars torn")

    readers = [
        threading.Thread(target=_read_until, args=(done, read, faults))
        for _ in range(3)
    ]
    before = sys.getswitchinterval()
    # Switch as often as the interpreter can, or the threads would hardly meet.
    sys.setswitchinterval(1e-6)
    try:
        for reader in readers:
            reader.start()
        for index in range(20_000):
            trades.extend([trade(index)])
            if index % 4 == 0:
                at = float(index)
                bars.append(
                    Bar(BTC, 0, bars.timeframe, index * 10, at, at, at, at, 1.0)
                )
    finally:
        done.set()
        sys.setswitchinterval(before)
        for reader in readers:
            reader.join()
    assert faults == []
    assert views
    assert all((held == copy).all() for held, copy in views)  # type: ignore[attr-defined]
