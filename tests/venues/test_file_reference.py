from __future__ import annotations

import gzip
from collections import Counter
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from tests.reference import reference
from tests.venues.recordings import make_feed, take
from workstation.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

pytestmark = pytest.mark.reference

HOUR = 3_600 * NS_PER_S
SPOT_BTC = ("data", "binance", "spot-ws", "btcusdt_20240808.gz")
SPOT_ETH = ("data", "binance", "spot-ws", "ethusdt_20240808.gz")
USDM_BTC = ("data", "binance", "usdm-ws", "btcusdt_20240808.gz")


def klines(name: str) -> Path:
    return reference("data", "binance", "klines", name)


def bars_of(events: list[MarketEvent]) -> list[Bar]:
    bars = [event for event in events if isinstance(event, Bar)]
    assert len(bars) == len(events)
    return bars


@pytest.mark.parametrize(
    ("parts", "symbol", "counts", "span"),
    [
        (
            SPOT_BTC,
            "BTCUSDT",
            (3_451, 28_040, 9_757, 1),
            (1_723_161_253_937_085_768, 1_723_161_599_999_231_384),
        ),
        (
            SPOT_ETH,
            "ETHUSDT",
            (3_434, 24_077, 6_106, 1),
            (1_723_161_254_024_619_568, 1_723_161_599_900_862_584),
        ),
        (
            USDM_BTC,
            "BTCUSDT",
            (6_551, 66_089, 21_313, 1),
            (1_723_161_255_030_314_667, 1_723_161_599_833_492_584),
        ),
    ],
)
def test_every_line_of_a_capture_is_an_event_of_its_kind(
    parts: tuple[str, ...],
    symbol: str,
    counts: tuple[int, int, int, int],
    span: tuple[int, int],
) -> None:
    feed = make_feed("binance-raw", reference(*parts), symbols=[symbol])
    events = take(feed)
    found = Counter(map(type, events))

    kinds = (BookDelta, Quote, Trade, BookSnapshot)
    assert tuple(found[kind] for kind in kinds) == counts
    assert (events[0].ts_recv, events[-1].ts_recv) == span
    assert feed.first_ts == span[0]
    assert feed.skipped_by_kind == {}
    trade_ids = [event.trade_id for event in events if isinstance(event, Trade)]
    assert trade_ids == list(range(trade_ids[0], trade_ids[0] + len(trade_ids)))
    deltas = [event for event in events if isinstance(event, BookDelta)]
    for before, after in pairwise(deltas):
        if after.previous_id is None:
            assert after.first_id == before.last_id + 1
        else:
            assert after.previous_id == before.last_id


def test_the_snapshot_is_the_eighth_line_of_the_spot_capture() -> None:
    events = take(make_feed("binance-raw", reference(*SPOT_BTC)))
    snapshot = events[7]

    assert isinstance(snapshot, BookSnapshot)
    assert snapshot.last_id == 50_093_239_218
    assert (len(snapshot.bids), len(snapshot.asks)) == (1_000, 1_000)
    assert snapshot.bids[0] == (61837.63, 3.78826)


def test_two_captures_are_merged_in_the_order_of_receipt() -> None:
    feed = make_feed(
        "binance-raw",
        reference(*SPOT_BTC),
        reference(*SPOT_ETH),
        symbols=["BTCUSDT", "ETHUSDT"],
    )
    events = take(feed)

    assert feed.delivered == len(events) == 41_249 + 33_618
    assert all(a.ts_recv <= b.ts_recv for a, b in pairwise(events))


def test_the_typed_decoder_says_what_plain_json_says() -> None:
    with gzip.open(reference(*USDM_BTC)) as lines:
        for line, event in zip(
            lines, take(make_feed("binance-raw", reference(*USDM_BTC))), strict=False
        ):
            if not isinstance(event, BookDelta):
                continue
            data = msgspec.json.decode(line[20:])["data"]
            bids = tuple((float(p), float(q)) for p, q in data["b"])
            asks = tuple((float(p), float(q)) for p, q in data["a"])
            assert event == BookDelta(
                "BTCUSDT.id",
                int(line[:19]),
                data["U"],
                data["u"],
                bids,
                asks,
                data["E"] * NS_PER_MS,
                data["pu"],
            )


def test_klines_join_without_a_hole_where_milliseconds_become_microseconds() -> None:
    months = ("2024-11", "2024-12", "2025-01", "2025-02")
    paths = [klines(f"BTCUSDT-1h-{month}.csv") for month in months]
    bars = bars_of(take(make_feed("binance-klines", *paths)))

    assert len(bars) == 720 + 744 + 744 + 672
    assert {bar.timeframe.length_ns for bar in bars} == {HOUR}
    assert all(b.ts_open == a.ts_close == a.ts_recv for a, b in pairwise(bars))
    assert bars[720 + 744].ts_open == 1_735_689_600 * NS_PER_S


def test_zips_are_read_in_turn() -> None:
    paths = [klines(f"BTCUSDT-1m-2020-01-0{day}.zip") for day in (1, 2)]
    bars = bars_of(take(make_feed("binance-klines", *paths)))

    assert len(bars) == 2 * 1_440
    assert all(b.ts_open == a.ts_close for a, b in pairwise(bars))


def test_the_futures_file_with_its_header_is_read() -> None:
    feed = make_feed(
        "binance-klines",
        klines("um-AVAXUSDT-1m-2024-02.csv.gz"),
        symbols=["AVAXUSDT"],
    )
    bars = bars_of(take(feed))

    assert len(bars) == 41_760
    assert (bars[0].open, bars[0].volume, bars[0].trades) == (33.173, 31_584.0, 2_093)


@pytest.mark.parametrize(
    ("symbol", "capture", "count"),
    [("BTCUSDT", SPOT_BTC, 9_757), ("ETHUSDT", SPOT_ETH, 6_106)],
)
def test_the_trade_dump_equals_the_trades_of_the_capture(
    symbol: str, capture: tuple[str, ...], count: int
) -> None:
    name = f"{symbol}-trades-20240808-2354_2359.csv.gz"
    dump = reference("data", "binance", "trades", name)
    dumped = take(make_feed("binance-trades", dump, symbols=[symbol]))
    captured = take(make_feed("binance-raw", reference(*capture), symbols=[symbol]))

    def facts(events: list[MarketEvent]) -> list[tuple[object, ...]]:
        return [
            (e.trade_id, e.price, e.size, e.aggressor, e.ts_event)
            for e in events
            if isinstance(e, Trade)
        ]

    assert len(dumped) == count
    assert facts(dumped) == facts(captured)
    assert [event.ts_recv for event in dumped] == [event.ts_event for event in dumped]


def test_aggregate_trades_are_read() -> None:
    name = "XRPETH-aggTrades-2019-10-part1.csv.gz"
    path = reference("data", "binance", "trades", name)
    trades = take(make_feed("binance-aggtrades", path, symbols=["XRPETH"]))

    assert len(trades) == 6_238
    assert trades[0].ts_recv == 1_570_752_011_620 * NS_PER_MS
    assert trades[-1].ts_recv == 1_570_847_334_533 * NS_PER_MS


def test_dealer_quotes_are_read_to_the_end() -> None:
    path = reference("data", "ohlcv", "usdjpy-ticks.csv")
    quotes = take(make_feed("quotes", path, symbols=["USDJPY"]))

    assert len(quotes) == 1_000
    assert quotes[0].ts_recv == 1_357_077_600_295 * NS_PER_MS
    assert isinstance(quotes[0], Quote)
    assert (quotes[0].bid, quotes[0].bid_size, quotes[0].ask) == (86.655, 0.0, 86.728)


@pytest.mark.parametrize(
    ("name", "rows", "timeframe"),
    [
        ("GOOG.csv", 2_148, "1d"),
        ("EURUSD.csv", 5_000, "1h"),
        ("BTCUSD.csv", 156, "1M"),
        ("usdjpy-m1-bid-2013.csv.gz", 28_761, "1m"),
        ("usdjpy-m1-ask-2013.csv.gz", 28_761, "1m"),
    ],
)
def test_bars_of_other_sources_are_read(name: str, rows: int, timeframe: str) -> None:
    path = reference("data", "ohlcv", name)
    bars = bars_of(take(make_feed("ohlcv", path, symbols=["X"])))

    assert len(bars) == rows
    assert {str(bar.timeframe) for bar in bars} == {timeframe}
    assert all(a.ts_close <= b.ts_open for a, b in pairwise(bars))


@pytest.mark.parametrize("interval", [None, "1M"])
def test_months_named_by_their_last_day_are_whole_months(interval: str | None) -> None:
    path = reference("data", "ohlcv", "BTCUSD.csv")
    bars = bars_of(take(make_feed("ohlcv", path, symbols=["X"], interval=interval)))

    first, last = bars[0], bars[-1]
    assert first.ts_open == 1_325_376_000 * NS_PER_S  # 2012-01-01
    assert last.ts_close == last.ts_recv == 1_735_689_600 * NS_PER_S  # 2025-01-01
    assert all(a.ts_close == b.ts_open for a, b in pairwise(bars))
    assert (first.open, first.close, first.volume) == (4.58, 5.55, 2012.25343589)
