from __future__ import annotations

import gc
import hashlib
import math
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from itertools import pairwise

import msgspec
import pytest

from workstation.model.errors import ConfigError
from workstation.model.instruments import to_decimal
from workstation.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.roles import Connector
from workstation.model.timeframes import NS_PER_S
from workstation.venues.simulated.feed import SimulatedFeed
from workstation.venues.simulated.instruments import default_instrument
from workstation.venues.simulated.settings import SimulatedFeedSettings

START_NS = 1_723_075_200 * NS_PER_S
SYMBOLS = ("BTCUSDT", "ETHUSDT", "ADAUSDT", "NEWUSDT")


def make_feed(
    *symbols: str, seed: int = 7, settings: SimulatedFeedSettings | None = None
) -> SimulatedFeed:
    chosen = symbols or SYMBOLS
    return SimulatedFeed(
        settings or SimulatedFeedSettings(name="sim", symbols=chosen),
        [default_instrument(symbol) for symbol in chosen],
        seed,
    )


def take(feed: SimulatedFeed, count: int) -> list[MarketEvent]:
    events: list[MarketEvent] = []
    while len(events) < count and (item := feed.next()) is not None:
        assert item[0] == item[1].ts_recv
        events.append(item[1])
    return events


def digest(count: int) -> str:
    packed = msgspec.msgpack.encode(take(make_feed(), count))
    return hashlib.blake2b(packed).hexdigest()


class Replica:
    """A client's book, built by the venue's rules from snapshots and differences."""

    def __init__(self) -> None:
        self.last_id: int | None = None
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.tops: dict[int, Quote] = {}
        self.gaps = 0
        self.compared = 0

    def take(self, event: MarketEvent) -> None:
        if isinstance(event, Quote):
            assert event.update_id is not None
            self.tops[event.update_id] = event
        elif isinstance(event, BookSnapshot):
            self.bids, self.asks = dict(event.bids), dict(event.asks)
            self.last_id = event.last_id
        elif isinstance(event, BookDelta) and self.last_id is not None:
            self.apply(event)

    def apply(self, delta: BookDelta) -> None:
        assert self.last_id is not None
        assert delta.first_id <= delta.last_id
        assert delta.bids or delta.asks
        if delta.last_id <= self.last_id:
            return
        if delta.first_id > self.last_id + 1:
            self.gaps += 1
            self.last_id = None
            return
        for levels, side in ((delta.bids, self.bids), (delta.asks, self.asks)):
            for price, size in levels:
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)
        self.last_id = delta.last_id
        bid, ask = max(self.bids), min(self.asks)
        assert bid < ask
        top = self.tops.get(delta.last_id)
        self.tops.clear()
        if top is not None:
            self.compared += 1
            assert (top.bid, top.bid_size) == (bid, self.bids[bid])
            assert (top.ask, top.ask_size) == (ask, self.asks[ask])


def test_it_is_a_connector() -> None:
    assert isinstance(make_feed(), Connector)


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_same_seed_gives_the_same_bytes_in_every_process(hash_seed: str) -> None:
    program = (
        "from tests.venues.test_simulated_feed import digest; print(digest(20000))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.strip() == digest(20_000)


def test_another_seed_name_or_offset_gives_another_market() -> None:
    def first(**changed: object) -> bytes:
        seed = changed.pop("seed", 7)
        assert isinstance(seed, int)
        fields = {"name": "sim", "symbols": ["BTCUSDT"], "type": "simulated", **changed}
        settings = msgspec.convert(fields, SimulatedFeedSettings)
        feed = make_feed("BTCUSDT", seed=seed, settings=settings)
        return msgspec.msgpack.encode(take(feed, 50))

    alike = [first(), first(seed=8), first(name="other"), first(seed_offset=2)]

    assert len(set(alike)) == 4
    assert first() == alike[0]


def test_a_symbol_is_the_same_whoever_else_is_there() -> None:
    def trades(*symbols: str) -> list[tuple[float, float]]:
        settings = SimulatedFeedSettings(name="sim", symbols=symbols, duration="10m")
        events = take(make_feed(*symbols, settings=settings), 10**6)
        return [
            (event.price, event.size)
            for event in events
            if isinstance(event, Trade) and event.instrument == "BTCUSDT"
        ]

    assert len(trades("BTCUSDT")) > 300
    assert trades("BTCUSDT") == trades("BTCUSDT", "ETHUSDT", "SOLUSDT")


def test_time_starts_at_the_start_and_never_goes_back() -> None:
    feed = make_feed()
    events = take(feed, 20_000)

    assert feed.first_ts == events[0].ts_recv == START_NS
    assert feed.delivered == 20_000
    times = [event.ts_recv for event in events]
    assert times == sorted(times)
    for symbol in SYMBOLS:
        sent = [e.ts_event for e in events if e.instrument == symbol]
        assert sent == sorted(x for x in sent if x is not None)
    late = [e.ts_recv - e.ts_event for e in events if e.ts_event is not None]
    assert min(late) > 0
    assert sum(late) / len(late) < 50_000_000


def test_every_book_starts_with_a_snapshot() -> None:
    first: dict[str, type] = {}
    for event in take(make_feed(), 500):
        first.setdefault(event.instrument, type(event))

    assert first == dict.fromkeys(SYMBOLS, BookSnapshot)


def test_all_kinds_come_at_their_mean_rates() -> None:
    settings = SimulatedFeedSettings(name="sim", symbols=SYMBOLS, duration="2h")
    events = take(make_feed(settings=settings), 10**6)
    seconds = 7_200 * len(SYMBOLS)
    rate = {kind: n / seconds for kind, n in Counter(map(type, events)).items()}

    assert rate[Quote] == pytest.approx(4.0, rel=0.1)
    assert rate[Trade] == pytest.approx(1.5, rel=0.1)
    assert rate[BookDelta] == pytest.approx(2.0, rel=0.02)
    assert events[-1].ts_recv <= START_NS + 7_200 * NS_PER_S


def test_activity_comes_in_bursts() -> None:
    settings = SimulatedFeedSettings(name="sim", symbols=("BTCUSDT",), duration="2h")
    per_second = Counter(
        event.ts_recv // NS_PER_S
        for event in take(make_feed("BTCUSDT", settings=settings), 10**6)
        if isinstance(event, Quote)
    )

    assert max(per_second.values()) > 25
    assert 7_200 - len(per_second) > 50  # a quiet second at this rate is e**-4 of all


def test_a_client_can_keep_every_book_and_sees_each_gap_and_its_resync() -> None:
    settings = SimulatedFeedSettings(
        name="sim", symbols=SYMBOLS, gaps_per_hour=120, depth_interval_ms=100
    )
    feed = make_feed(settings=settings)
    books = {symbol: Replica() for symbol in SYMBOLS}
    for _ in range(60_000):
        (event,) = take(feed, 1)
        book = books[event.instrument]
        book.take(event)
        if book.last_id is None:
            feed.resync(event.instrument)

    assert sum(book.compared for book in books.values()) > 50
    assert 10 < sum(book.gaps for book in books.values()) <= feed.lost
    assert sum(book.last_id is not None for book in books.values()) >= 2


def test_a_whole_book_comes_once_however_often_it_is_asked_for() -> None:
    settings = SimulatedFeedSettings(name="sim", symbols=SYMBOLS, gaps_per_hour=0)
    feed = make_feed(settings=settings)
    take(feed, 1_000)
    asked_at = take(feed, 1)[0].ts_recv
    for _ in range(3):
        feed.resync("ETHUSDT")
    events = take(feed, 2_000)
    (answer,) = (event for event in events if isinstance(event, BookSnapshot))
    assert answer.instrument == "ETHUSDT"
    assert 0.2 * NS_PER_S <= answer.ts_recv - asked_at <= 3 * NS_PER_S
    assert [e.ts_recv for e in events] == sorted(e.ts_recv for e in events)
    with pytest.raises(KeyError):
        feed.resync("XYZ")


def test_the_market_goes_the_same_way_whoever_asks_for_books() -> None:
    silent, asked = make_feed(), make_feed()
    expected = take(silent, 6_000)
    found: list[MarketEvent] = []
    while len(found) < len(expected):
        (event,) = take(asked, 1)
        if len(found) % 50 == 0:
            asked.resync(event.instrument)
        if not isinstance(event, BookSnapshot) or event in expected:
            found.append(event)
    assert found == expected


def test_without_gaps_no_difference_is_ever_missing() -> None:
    settings = SimulatedFeedSettings(name="sim", symbols=SYMBOLS, gaps_per_hour=0)
    feed = make_feed(settings=settings)
    books = {symbol: Replica() for symbol in SYMBOLS}
    events = take(feed, 40_000)
    for event in events:
        books[event.instrument].take(event)

    assert feed.lost == 0
    assert [book.gaps for book in books.values()] == [0, 0, 0, 0]
    assert sum(isinstance(event, BookSnapshot) for event in events) == len(SYMBOLS)


def test_quotes_and_trades_are_on_the_grid_and_at_the_best_price() -> None:
    instruments = {symbol: default_instrument(symbol) for symbol in SYMBOLS}
    quotes: dict[str, Quote] = {}
    trade_ids: dict[str, int] = {}
    trades = 0
    for event in take(make_feed(), 20_000):
        instrument = instruments[event.instrument]
        if isinstance(event, Quote):
            assert 0 < event.bid < event.ask
            for price in (event.bid, event.ask):
                assert instrument.is_on_tick(to_decimal(price))
            for size in (event.bid_size, event.ask_size):
                assert size > 0
                assert instrument.is_on_lot(to_decimal(size))
            quotes[event.instrument] = event
        elif isinstance(event, Trade):
            assert instrument.is_on_lot(to_decimal(event.size))
            if event.instrument in quotes:
                quote = quotes[event.instrument]
                assert event.price == (quote.ask if event.aggressor > 0 else quote.bid)
                trades += 1
            before = trade_ids.get(event.instrument, event.trade_id - 1)
            assert event.trade_id == before + 1
            trade_ids[event.instrument] = event.trade_id
    assert trades > 2_000


def test_prices_move_like_a_market_and_together() -> None:
    symbols = ("BTCUSDT", "ETHUSDT")
    settings = SimulatedFeedSettings(name="sim", symbols=symbols, duration="6h")
    step_ns = 10 * NS_PER_S
    paths: dict[str, dict[int, float]] = {symbol: {} for symbol in symbols}
    for event in take(make_feed(*symbols, settings=settings), 10**6):
        if isinstance(event, Quote):
            mid = (event.bid + event.ask) / 2
            paths[event.instrument].setdefault(event.ts_recv // step_ns, mid)
    slots = sorted(paths["BTCUSDT"].keys() & paths["ETHUSDT"].keys())
    moves = {
        symbol: [
            math.log(path[after] / path[before]) * 1e4
            for before, after in pairwise(slots)
            if after == before + 1
        ]
        for symbol, path in paths.items()
    }

    sums = {symbol: sum(x * x for x in moves[symbol]) for symbol in symbols}
    for symbol in symbols:
        volatility = math.sqrt(sums[symbol] / len(moves[symbol]) / 10)
        assert 1.0 < volatility < 5.0
        calm = [x * x for x in moves[symbol]]
        hours = [sum(calm[i : i + 60]) for i in range(0, len(calm) - 60, 60)]
        assert max(hours) > 4 * min(hours)  # clusters
    product = sum(x * y for x, y in zip(*moves.values(), strict=True))
    assert product / math.sqrt(math.prod(sums.values())) > 0.2


@pytest.mark.parametrize("start", ["2024-08-08T00:00:00Z", "2024-08-08T00:00:30.5Z"])
def test_bars_are_those_of_the_trades(start: str) -> None:
    settings = SimulatedFeedSettings(
        name="sim",
        symbols=("BTCUSDT",),
        start=start,
        duration="30m",
        bars="1m",
        trades_per_s=0.05,
    )
    minute = 60 * NS_PER_S
    trades: dict[int, list[Trade]] = {}
    bars: list[Bar] = []
    for event in take(make_feed("BTCUSDT", settings=settings), 10**6):
        if isinstance(event, Trade):
            trades.setdefault(event.ts_recv // minute * minute, []).append(event)
        elif isinstance(event, Bar):
            assert event.ts_recv == event.ts_close
            bars.append(event)

    assert len(bars) >= 25
    assert [b.ts_open - a.ts_open for a, b in pairwise(bars)] == [minute] * (
        len(bars) - 1
    )
    last = 0.0
    empty = 0
    for bar in bars:
        inside = trades.get(bar.ts_open, [])
        prices = [trade.price for trade in inside]
        if prices:
            last = prices[-1]
            assert (bar.open, bar.close) == (prices[0], last)
            assert (bar.high, bar.low) == (max(prices), min(prices))
        else:
            empty += 1
            if bar is not bars[0]:
                assert bar.open == bar.high == bar.low == bar.close == last
        assert bar.trades == len(inside)
        assert bar.volume == pytest.approx(sum(t.size for t in inside))
        assert bar.turnover == pytest.approx(sum(t.price * t.size for t in inside))
    assert empty > 0


def test_memory_does_not_grow_with_the_run() -> None:
    def used_after(count: int) -> int:
        for _ in range(count):
            feed.next()
        gc.collect()  # empties the interpreter's free lists, which fill up slowly
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    feed = make_feed()
    early, late = used_after(10_000), used_after(30_000)
    tracemalloc.stop()

    assert late - early < 10_000


def test_a_thin_book_of_one_level_still_works() -> None:
    settings = SimulatedFeedSettings(name="sim", symbols=SYMBOLS, depth_levels=1)
    books = {symbol: Replica() for symbol in SYMBOLS}
    for event in take(make_feed(settings=settings), 10_000):
        books[event.instrument].take(event)

    assert all(len(book.bids) == len(book.asks) == 1 for book in books.values())


def test_it_ends_after_its_duration_and_after_close() -> None:
    settings = SimulatedFeedSettings(name="sim", symbols=("BTCUSDT",), duration="10s")
    feed = make_feed("BTCUSDT", settings=settings)
    take(feed, 10**6)
    assert feed.next() is None

    closed = make_feed()
    closed.close()
    assert closed.next() is None


def test_identity_names_the_seed_and_changes_with_the_settings() -> None:
    plain = make_feed().identity()
    lively = SimulatedFeedSettings(name="sim", symbols=SYMBOLS, quotes_per_s=5)

    assert plain["seed"] == "7"
    assert plain == make_feed().identity()
    assert plain != make_feed(settings=lively).identity()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"symbols": ("BTCUSDT", "BTCUSDT")}, "twice"),
        ({"symbols": ("WHAT",)}, "no instrument for WHAT"),
        ({"start": "yesterday"}, "yesterday"),
        ({"duration": "long"}, "long"),
        ({"bars": "1x"}, "1x"),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_the_value(
    changed: dict[str, object], words: str
) -> None:
    plain = SimulatedFeedSettings(name="sim", symbols=("BTCUSDT",))
    with pytest.raises(ConfigError, match=words):
        SimulatedFeed(
            msgspec.structs.replace(plain, **changed),
            [default_instrument("BTCUSDT")],
            7,
        )


# Venues that share a price.


def venue_feed(venue: str, symbol: str = "BTCUSDT", **changes: object) -> SimulatedFeed:
    values: dict[str, object] = {
        "name": venue,
        "venue": venue,
        "symbols": (symbol,),
        "shared_price": "world",
        "noise_bps": 0.0,
    }
    settings = SimulatedFeedSettings(**{**values, **changes})  # type: ignore[arg-type]
    instrument = msgspec.structs.replace(
        default_instrument("BTCUSDT", venue), symbol=symbol, market="BTCUSDT"
    )
    return SimulatedFeed(settings, [instrument], 7)


def mids(feed: SimulatedFeed, count: int = 3_000) -> list[tuple[int, float]]:
    quotes = [event for event in take(feed, count) if isinstance(event, Quote)]
    return [(quote.ts_recv, (quote.bid + quote.ask) / 2) for quote in quotes]


def mid_at(path: list[tuple[int, float]], ts: int) -> float:
    return [mid for when, mid in path if when <= ts][-1]


def strays(one: SimulatedFeed, other: SimulatedFeed) -> list[float]:
    """Return how far two venues are apart in bps, twice a second after the first."""
    a, b = mids(one), mids(other)
    end = min(a[-1][0], b[-1][0])
    times = range(START_NS + 2 * NS_PER_S, end, NS_PER_S // 2)
    return [(mid_at(a, ts) / mid_at(b, ts) - 1) * 10_000 for ts in times]


def deviation(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))


def test_venues_that_share_a_price_stay_together() -> None:
    together = deviation(strays(venue_feed("a"), venue_feed("b")))
    apart = deviation(
        strays(venue_feed("a", shared_price=None), venue_feed("b", shared_price=None))
    )
    assert together < 3.0
    assert apart > 4 * together


def test_the_noise_of_a_venue_is_as_large_as_said() -> None:
    quiet = deviation(strays(venue_feed("a"), venue_feed("b")))
    loud = deviation(strays(venue_feed("a"), venue_feed("b", noise_bps=10.0)))
    assert math.sqrt(loud**2 - quiet**2) == pytest.approx(10.0, rel=0.25)


def test_a_late_venue_shows_what_the_early_one_showed() -> None:
    early, late = mids(venue_feed("a")), mids(venue_feed("b", lag_ms=20_000))
    end = min(early[-1][0], late[-1][0])
    times = range(START_NS + 25 * NS_PER_S, end, NS_PER_S)
    then = [mid_at(early, ts - 20 * NS_PER_S) / mid_at(late, ts) - 1 for ts in times]
    now = [mid_at(early, ts) / mid_at(late, ts) - 1 for ts in times]
    assert deviation(then) < deviation(now) / 3


def test_a_market_shares_its_price_whatever_a_venue_calls_it() -> None:
    together = deviation(strays(venue_feed("a"), venue_feed("b", "XBT-USDT")))
    assert together < 3.0


def test_a_feed_is_the_same_whether_another_shares_its_price_or_not() -> None:
    alone = take(venue_feed("a"), 500)
    one, other = venue_feed("a"), venue_feed("b")
    beside = []
    for _ in range(500):
        take(other, 3)
        beside += take(one, 1)
    assert beside == alone


def test_a_symbol_of_two_venues_is_each_feeds_own_instrument() -> None:
    both = [
        msgspec.structs.replace(
            default_instrument("BTCUSDT", venue), id=f"BTCUSDT.{venue}"
        )
        for venue in ("a", "b")
    ]
    for venue in ("a", "b"):
        settings = SimulatedFeedSettings(
            name="market", symbols=("BTCUSDT",), venue=venue
        )
        first = take(SimulatedFeed(settings, both, 7), 1)[0]
        assert first.instrument == f"BTCUSDT.{venue}"
