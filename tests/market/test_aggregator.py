"""What the Aggregator knows and says: quotes, trust, staleness, figures, sharing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.market.fakes import market
from workstation.indicators import BadParameter, get
from workstation.market.errors import UnknownInstrument, UnknownTimeframe
from workstation.market.settings import StorageSettings
from workstation.model.events import BarClosed, BookTrustChanged, MarketDataUpdated
from workstation.model.market import Bar, BookDelta, BookSnapshot, Level, Quote, Trade
from workstation.model.ports import (
    BarsView,
    BookView,
    IndicatorView,
    InstrumentView,
    MarketView,
)
from workstation.model.records import BarRecord, BookRecord, FeedRecord
from workstation.model.roles import Part
from workstation.model.states import BookTrust
from workstation.model.timeframes import NS_PER_MS, NS_PER_S, Timeframe

S = NS_PER_S
M = 60 * S
MINUTE = Timeframe.of_ns(M)
FIVE = Timeframe.of_ns(5 * M)
BTC = "BTCUSDT"


def quote(
    ts: int, bid: float, ask: float, update_id: int | None = None, name: str = BTC
) -> Quote:
    return Quote(name, ts, bid, 1.0, ask, 2.0, None, update_id)


def snapshot(
    ts: int, last_id: int, bid: float = 99.0, ask: float = 101.0
) -> BookSnapshot:
    return BookSnapshot(BTC, ts, last_id, ((bid, 1.0),), ((ask, 2.0),))


def delta(
    ts: int,
    first: int,
    last: int,
    bids: tuple[Level, ...] = (),
    asks: tuple[Level, ...] = (),
) -> BookDelta:
    return BookDelta(BTC, ts, first, last, bids, asks)


def kline(minute: int, close: float) -> Bar:
    start = minute * M
    return Bar(BTC, start + M, MINUTE, start, close, close, close, close, 1.0)


def test_it_is_a_part_and_a_market_view() -> None:
    part, _ = market(watch=["1m"])
    assert isinstance(part, Part)
    view: MarketView = part
    live: InstrumentView = view.instrument(BTC)
    bars: BarsView = view.bars(BTC, MINUTE)
    indicator: IndicatorView = view.indicator(BTC, MINUTE, "sma", period=3)
    assert live.instrument == BTC
    assert (len(bars), indicator.value, live.book) == (0, None, None)
    assert set(part.handlers()) == set(part.subscriptions)


# --- quotes and books


def test_figures_are_unknown_until_something_came() -> None:
    part, _ = market()
    live = part.instrument(BTC)
    assert (live.bid, live.last, live.mid, live.mark) == (0.0, 0.0, None, None)
    assert part.distrust(BTC, 5) == "no data yet"


def test_quotes_and_trades_show_at_once_with_their_latency() -> None:
    part, core = market()
    core.feed(part, [quote(S, 99.0, 101.0), Trade(BTC, 2 * S, 100.5, 1.0, 1, 1, 3 * S)])
    live = part.instrument(BTC)
    assert (live.bid, live.ask, live.mid, live.mark) == (99.0, 101.0, 100.0, 100.0)
    assert (live.last, live.latency_ns, live.ts_recv) == (100.5, -S, 2 * S)
    assert (live.quotes, live.trades, live.bars_only) == (1, 1, False)


def test_without_quotes_a_position_is_marked_at_the_last_trade() -> None:
    part, core = market()
    core.feed(part, [Trade(BTC, S, 100.5, 1.0)])
    assert part.instrument(BTC).mark == 100.5


def test_the_shown_quote_is_the_newer_of_ticker_and_book() -> None:
    part, core = market()
    live = part.instrument(BTC)
    core.feed(part, [snapshot(S, 10)])
    assert (live.bid, live.ask) == (99.0, 101.0)
    core.feed(part, [quote(S + 1, 99.5, 100.5, 12)])
    assert (live.bid, live.ask) == (99.5, 100.5)
    core.feed(part, [delta(S + 2, 11, 11, bids=((99.25, 1.0),))])
    assert live.bid == 99.5, "the ticker is at 12, the book at 11"
    core.feed(part, [delta(S + 3, 12, 13, bids=((99.25, 0.0), (99.75, 3.0)))])
    assert (live.bid, live.bid_size) == (99.75, 3.0)
    core.feed(part, [quote(S + 4, 90.0, 91.0, 12)])
    assert (live.bid, live.late) == (99.75, 1)


def test_a_quote_without_an_id_is_newer_because_it_came_later() -> None:
    part, core = market()
    core.feed(part, [snapshot(S, 10), quote(S + 1, 98.0, 102.0)])
    assert part.instrument(BTC).bid == 98.0


def test_tickers_are_compared_with_the_book_when_it_reaches_their_id() -> None:
    part, core = market()
    right = Quote(BTC, S, 99.5, 1.0, 101.0, 2.0, None, 12)
    wrong = Quote(BTC, S, 99.5, 1.0, 101.0, 9.0, None, 13)
    core.feed(
        part,
        [
            snapshot(S, 10),
            right,
            delta(S, 11, 12, bids=((99.5, 1.0),)),
            wrong,
            delta(S, 13, 13),
        ],
    )
    book = part.book(BTC)
    assert book is not None
    assert (book.ticker_agreed, book.ticker_compared) == (1, 2)


def test_a_gap_is_recorded_emitted_published_and_entered_in_the_ledger() -> None:
    part, core = market()
    core.feed(part, [snapshot(S, 10), delta(2 * S, 13, 14)])
    assert core.records[-2] == BookRecord(
        core.seq,
        2 * S,
        BTC,
        BookTrust.TRUSTED,
        BookTrust.UNTRUSTED,
        "gap: expected update 11, got 13",
        11,
        13,
    )
    told = core.emitted[-2]
    assert isinstance(told, BookTrustChanged)
    assert told == core.published[-1]
    assert part.distrust(BTC, 2 * S) == (
        "book untrusted: gap: expected update 11, got 13"
    )
    view: BookView | None = part.instrument(BTC).book
    assert view is not None
    assert view.best_bid() == (99.0, 1.0), "the last levels stay on the screen"
    (entry,) = part.gap_ledger()
    assert (entry.when_ns, entry.until_ns, entry.expected, entry.got) == (
        2 * S,
        None,
        11,
        13,
    )
    core.feed(part, [snapshot(3 * S, 20)])
    (entry,) = part.gap_ledger()
    assert (entry.until_ns, entry.mended) == (
        3 * S,
        "snapshot 20 and 0 buffered differences",
    )
    assert part.distrust(BTC, 3 * S) is None


def test_an_untrusted_book_never_moves_the_quote() -> None:
    part, core = market()
    core.feed(part, [snapshot(S, 10), delta(S, 11, 11, bids=((105.0, 1.0),))])
    live = part.instrument(BTC)
    assert live.bid == 99.0
    assert part.distrust(BTC, S) == (
        "book untrusted: crossed: bid 105.0 is not below ask 101.0 at update 11"
    )


# --- trust


def test_a_stale_quote_is_named_with_its_age_and_the_limit() -> None:
    part, core = market()
    core.feed(part, [quote(S, 99.0, 101.0)])
    assert part.distrust(BTC, 6 * S) is None
    assert part.distrust(BTC, 13 * S + 300 * NS_PER_MS) == (
        "quote 12.3 s old, limit 5.0 s"
    )
    core.feed(part, [Trade(BTC, 13 * S, 100.0, 1.0)])
    assert part.distrust(BTC, 13 * S) == "quote 12.0 s old, limit 5.0 s"


def test_differences_that_are_not_applied_do_not_refresh_the_quote() -> None:
    part, core = market()
    core.feed(part, [snapshot(S, 10), delta(9 * S, 5, 9), snapshot(9 * S, 8)])
    assert part.distrust(BTC, 9 * S) == "quote 8.0 s old, limit 5.0 s"


def test_bars_may_be_two_bars_older() -> None:
    part, core = market(watch=["1m"])
    core.feed(part, [kline(0, 1.0)])
    assert part.distrust(BTC, M + 2 * M + 5 * S) is None
    assert part.distrust(BTC, M + 2 * M + 6 * S) == "bar 126.0 s old, limit 125.0 s"


def test_one_sided_and_crossed_quotes_are_not_traded_on() -> None:
    part, core = market()
    core.feed(part, [quote(S, 0.0, 101.0)])
    assert part.distrust(BTC, S) == "no bid"
    core.feed(part, [quote(S, 99.0, 0.0)])
    assert part.distrust(BTC, S) == "no ask"
    core.feed(part, [quote(S, 102.0, 101.0)])
    assert part.distrust(BTC, S) == "quote crossed: bid 102.0 above ask 101.0"


def test_a_book_that_waits_for_its_snapshot_is_not_traded_on() -> None:
    part, core = market()
    core.feed(part, [delta(S, 5, 9), quote(S, 99.0, 101.0, 9)])
    assert part.distrust(BTC, S) == "book syncing: waiting for a snapshot"


def test_a_paused_feed_is_distrusted_until_it_delivers_again() -> None:
    part, core = market("ETHUSDT", BTC)
    core.feed(part, [quote(S, 99.0, 101.0, 50), quote(S, 9.0, 10.0, name="ETHUSDT")])
    part.mark_untrusted(BTC, "feed spot paused")
    assert part.distrust(BTC, S) == "feed spot paused"
    assert part.distrust("ETHUSDT", S) is None
    core.feed(part, [quote(2 * S, 98.0, 101.0, 3)])
    assert part.distrust(BTC, 2 * S) is None
    assert part.instrument(BTC).bid == 98.0, "ids may have begun anew"


def test_the_book_of_a_paused_feed_needs_a_new_snapshot() -> None:
    part, core = market()
    core.feed(part, [snapshot(S, 10)])
    part.mark_untrusted(BTC, "feed spot paused")
    part.mark_untrusted(BTC, "feed spot paused")
    assert len(part.gap_ledger()) == 1
    core.feed(part, [quote(2 * S, 99.0, 101.0), delta(2 * S, 15, 16)])
    assert part.distrust(BTC, 2 * S) == "book untrusted: feed spot paused"
    core.feed(part, [snapshot(3 * S, 15)])
    assert part.distrust(BTC, 3 * S) is None


def test_bars_go_on_over_a_pause_of_the_feed() -> None:
    part, core = market(watch=["1m"])
    core.feed(part, [Trade(BTC, S, 10.0, 1.0)])
    part.mark_untrusted(BTC, "feed spot paused")
    core.feed(part, [Trade(BTC, 2 * M + S, 11.0, 1.0)])
    core.advance(3 * M)
    assert [bar.close for bar in core.bars()] == [10.0, 10.0, 11.0]


# --- events nobody can use


def test_an_unknown_instrument_is_reported_once() -> None:
    part, core = market()
    core.feed(part, [quote(S, 1.0, 2.0, name="XYZ"), quote(S, 1.0, 2.0, name="XYZ")])
    (told,) = core.records
    assert isinstance(told, FeedRecord)
    assert (told.what, told.detail) == ("unknown", "XYZ is no instrument of this run")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_figures_that_are_not_finite_are_left_out_and_reported_once(
    bad: float,
) -> None:
    part, core = market(watch=["1m"])
    before = part.instrument(BTC).tape
    core.feed(
        part,
        [
            quote(S, bad, 101.0),
            Trade(BTC, S, bad, 1.0),
            Trade(BTC, S, 1.0, bad),
            Bar(BTC, S, MINUTE, 0, 1.0, bad, 1.0, 1.0, 1.0),
        ],
    )
    live = part.instrument(BTC)
    assert (live.rejected, live.tape, live.quotes, live.trades) == (4, before, 0, 0)
    assert len(core.records) == 1


def test_wrong_questions_are_answered_with_what_there_is() -> None:
    part, core = market(watch=["1m"])
    with pytest.raises(UnknownInstrument, match="there are: BTCUSDT"):
        part.instrument("XYZ")
    with pytest.raises(UnknownTimeframe, match="no 5m bars; built are: 1m"):
        part.bars(BTC, FIVE)
    with pytest.raises(BadParameter):
        part.indicator(BTC, MINUTE, "ema", period=2.5)
    core.feed(part, [quote(S, 1.0, 2.0)])
    part.watch(BTC, MINUTE)
    with pytest.raises(UnknownTimeframe, match="before the first event"):
        part.watch(BTC, FIVE)


# --- market figures


def test_market_figures_are_told_when_the_mid_changed_and_not_too_often() -> None:
    part, core = market()
    step = 100 * NS_PER_MS
    core.feed(
        part,
        [
            quote(S, 99.0, 101.0),
            quote(S + step, 99.5, 101.5),
            quote(S + 3 * step, 98.0, 102.0),
            quote(S + 4 * step, 99.5, 101.5),
            quote(S + 30 * step, 99.0, 101.0),
        ],
    )
    told = [e for e in core.published if isinstance(e, MarketDataUpdated)]
    assert [(e.ts - S, e.mid) for e in told] == [
        (0, 100.0),
        (4 * step, 100.5),
        (30 * step, 100.0),
    ]
    assert told[0].spread_bps == pytest.approx(200.0)
    # The mid is sampled on the second: the first return is known after two of them.
    assert [e.volatility_bps is None for e in told] == [True, True, False]
    assert core.emitted == []


def test_the_first_price_of_a_day_in_utc_is_kept() -> None:
    part, core = market()
    day = 86_400 * S
    live = part.instrument(BTC)
    core.feed(part, [Trade(BTC, day + S, 10.0, 1.0), Trade(BTC, day + M, 11.0, 1.0)])
    assert live.day_open == 10.0
    core.feed(part, [quote(2 * day - 1, 11.0, 13.0), quote(2 * day, 11.0, 13.0)])
    assert live.day_open == 12.0
    core.feed(part, [Trade(BTC, 2 * day + S, 15.0, 1.0)])
    assert live.day_open == 12.0


# --- indicators


def test_equal_requests_share_one_indicator() -> None:
    part, _ = market(watch=["1m"])
    first = part.indicator(BTC, MINUTE, "ema", period=20)
    assert part.indicator(BTC, MINUTE, "ema", period=20.0) is first
    assert part.indicator(BTC, MINUTE, "ema") is first
    assert part.indicator(BTC, MINUTE, "ema", period=5) is not first
    assert len(part.indicators(BTC, MINUTE)) == 2


def test_indicators_are_set_before_anyone_hears_of_the_bar() -> None:
    part, core = market(watch=["1m"])
    sma = part.indicator(BTC, MINUTE, "sma", period=2)
    seen: list[object] = []

    class Listening(type(core)):  # type: ignore[misc]
        def emit(self, event: object) -> None:
            if isinstance(event, BarClosed):
                seen.append((event.bar.close, sma.value, sma.previous))

    core.__class__ = Listening
    core.feed(part, [kline(0, 1.0), kline(1, 3.0), kline(2, 5.0)])
    assert seen == [(1.0, None, None), (3.0, (2.0,), None), (5.0, (4.0,), (2.0,))]


def test_a_late_indicator_is_warmed_from_the_window() -> None:
    part, core = market(watch=["1m"], settings=StorageSettings(window=50))
    closes = [float(10 + index * 7 % 13) for index in range(80)]
    core.feed(part, [kline(index, close) for index, close in enumerate(closes)])
    late = part.indicator(BTC, MINUTE, "rsi", period=14)
    stream = get("rsi").stream(period=14)
    values = [stream.update(kline(0, close)) for close in closes[-50:]]
    assert (late.value, late.previous) == (values[-1], values[-2])


# --- the state


def test_every_changed_figure_changes_tape_and_bar_record() -> None:
    tapes = set()
    for change in range(4):
        part, core = market(watch=["1s"])
        core.feed(
            part,
            [
                Quote(BTC, 1, 99.0, 1.0 + (change == 1), 101.0, 2.0),
                Trade(BTC, 2, 100.0, 1.0 + (change == 2), 1 if change == 3 else -1),
                quote(S, 99.0, 101.0),
            ],
        )
        (record,) = [r for r in core.records if isinstance(r, BarRecord)]
        tapes.add(record.tape)
    assert len(tapes) == 4


SCRIPT = """
import json, msgspec
from tests.market.fakes import market
from workstation.model.market import BookDelta, BookSnapshot, Quote, Trade
part, core = market("BTCUSDT", "ETHUSDT", watch=["1s", "5s"])
from workstation.model.timeframes import Timeframe
part.indicator("BTCUSDT", Timeframe.parse("1s"), "macd")
core.feed(part, [BookSnapshot("BTCUSDT", 1, 5, ((9.0, 1.0),), ((11.0, 1.0),))])
for i in range(400):
    ts = i * 10**8
    core.feed(part, [
        Quote("ETHUSDT", ts, 10.0 + i % 7 / 8, 1.5, 12.0, 2.5, None, i),
        Trade("BTCUSDT", ts, 10.0 + i % 5 / 4, 0.5),
        BookDelta("BTCUSDT", ts, 6 + i, 6 + i, ((9.0 + i % 3 / 4, 2.0),), ()),
    ])
print(json.dumps(msgspec.to_builtins([part.digest(), core.records])))
"""


def test_the_state_is_the_same_for_any_hash_seed_and_packs() -> None:
    answers = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert answers[0] == answers[1]
    assert len(json.loads(answers[0])[1]) > 40


def test_importing_the_market_loads_no_numpy() -> None:
    code = "import sys, workstation.market.aggregator; print('numpy' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert answer.stdout.strip() == "False"
