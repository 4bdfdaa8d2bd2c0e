"""Bars from ticks and from feed bars: boundaries, empty intervals, aggregation."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market.fakes import market
from workstation.market.bars import BarBuilder
from workstation.market.settings import StorageSettings
from workstation.model.events import BarClosed
from workstation.model.market import Bar, Quote, Trade
from workstation.model.records import FeedRecord
from workstation.model.timeframes import NS_PER_S, Timeframe

S = NS_PER_S
M = 60 * S
MINUTE = Timeframe.of_ns(M)
FIVE = Timeframe.of_ns(5 * M)
HOUR = Timeframe.of_ns(60 * M)
BTC = "BTCUSDT"


def trade(ts: int, price: float, size: float = 1.0, name: str = BTC) -> Trade:
    return Trade(name, ts, price, size)


def kline(minute: int, close: float = 1.0, length: int = M, name: str = BTC) -> Bar:
    start = minute * M
    return Bar(
        name,
        start + length,
        Timeframe.of_ns(length),
        start,
        close - 0.5,
        close + 2.0,
        close - 2.0,
        close,
        10.0,
        100.0,
        3,
    )


@pytest.mark.parametrize(
    ("word", "start"),
    [
        ("1s", "2024-08-08T23:54:13"),
        ("5m", "2024-08-08T23:50:00"),
        ("4h", "2024-08-08T20:00:00"),
        ("1d", "2024-08-08T00:00:00"),
        ("1w", "2024-08-05T00:00:00"),
    ],
)
def test_intervals_are_aligned_to_utc_and_weeks_to_monday(
    word: str, start: str
) -> None:
    ts = 1_723_161_253_937_000_000
    found = Timeframe.parse(word).start(ts)
    assert str(_utc(found)) == f"{start}+00:00".replace("T", " ")


def _utc(ts: int) -> object:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ts // S, UTC)


def test_a_bar_closes_at_its_boundary_and_an_event_at_that_time_is_in_the_next() -> (
    None
):
    part, core = market(watch=["1m"])
    core.feed(
        part,
        [
            trade(5 * S, 10.0),
            trade(6 * S, 12.0),
            trade(7 * S, 9.0, 2.0),
            trade(M, 50.0),
        ],
    )
    (bar,) = core.bars()
    assert bar == Bar(BTC, M, MINUTE, 0, 10.0, 12.0, 9.0, 9.0, 4.0, 40.0, 3)
    assert core.fired == [(M, "bar:1m")]
    forming = part.forming(BTC, MINUTE)
    assert forming is not None
    assert (forming.ts_open, forming.open, forming.close) == (M, 50.0, 50.0)
    assert [type(event) for event in core.emitted] == [BarClosed]
    assert core.published == core.emitted
    assert part.bars(BTC, MINUTE).close() == 9.0


def test_empty_intervals_repeat_the_close_but_nothing_precedes_the_first_trade() -> (
    None
):
    part, core = market(watch=["1m"])
    core.feed(part, [Quote(BTC, S, 9.0, 1.0, 11.0, 1.0), trade(M + S, 10.0)])
    core.advance(4 * M)
    flat = [(b.open, b.high, b.low, b.close, b.volume, b.trades) for b in core.bars()]
    assert [bar.ts_open for bar in core.bars()] == [M, 2 * M, 3 * M]
    assert flat[0] == (10.0, 10.0, 10.0, 10.0, 1.0, 1)
    assert flat[1:] == [(10.0, 10.0, 10.0, 10.0, 0.0, 0)] * 2


def test_empty_intervals_may_be_skipped() -> None:
    settings = StorageSettings(empty_bars="skip")
    part, core = market(watch=["1m"], settings=settings)
    core.feed(part, [trade(S, 10.0), trade(3 * M + S, 11.0)])
    core.advance(4 * M)
    assert [bar.ts_open for bar in core.bars()] == [0, 3 * M]


def test_all_lengths_that_end_together_close_in_one_input_shorter_first() -> None:
    part, core = market("ETHUSDT", BTC, watch=["1m", "2m", "3m"])
    core.feed(part, [trade(S, 10.0), trade(2 * S, 20.0, name="ETHUSDT")])
    core.advance(6 * M)
    assert [name for _, name in core.fired] == [
        "bar:1m",
        "bar:1m+2m",
        "bar:1m+3m",
        "bar:1m+2m",
        "bar:1m",
        "bar:1m+2m+3m",
    ]
    last = [(b.timeframe.length_ns // M, b.instrument) for b in core.bars()][-6:]
    assert last == [(n, name) for n in (1, 2, 3) for name in ("ETHUSDT", BTC)]


def test_an_instrument_that_starts_later_joins_the_timetable() -> None:
    part, core = market("ETHUSDT", BTC, watch=["1m"])
    core.feed(part, [trade(S, 10.0), trade(M + S, 20.0, name="ETHUSDT")])
    core.advance(2 * M)
    assert [(b.instrument, b.ts_open) for b in core.bars()] == [
        (BTC, 0),
        ("ETHUSDT", M),
        (BTC, M),
    ]
    assert len(core.fired) == 2


def test_bars_may_be_built_from_the_mid() -> None:
    part, core = market(watch=["1m"], settings=StorageSettings(bar_source="mid"))
    core.feed(
        part,
        [
            Quote(BTC, S, 9.0, 1.0, 11.0, 1.0),
            Quote(BTC, 2 * S, 11.0, 1.0, 13.0, 1.0),
            trade(3 * S, 99.0),
            Quote(BTC, 4 * S, 10.0, 1.0, 12.0, 1.0),
            Quote(BTC, 5 * S, 0.0, 0.0, 12.0, 1.0),
        ],
    )
    core.advance(M)
    (bar,) = core.bars()
    assert (bar.open, bar.high, bar.low, bar.close) == (10.0, 12.0, 10.0, 11.0)
    assert (bar.volume, bar.trades) == (0.0, 0)


def test_with_mid_bars_an_instrument_without_quotes_still_has_bars() -> None:
    part, core = market(watch=["1m"], settings=StorageSettings(bar_source="mid"))
    core.feed(part, [trade(S, 10.0)])
    core.advance(M)
    assert [bar.close for bar in core.bars()] == [10.0]


@given(
    st.lists(
        st.tuples(st.integers(0, 40 * S), st.integers(1, 50), st.integers(1, 9)),
        min_size=1,
        max_size=60,
    )
)
def test_tick_bars_of_several_lengths_are_group_bys(
    rows: list[tuple[int, int, int]],
) -> None:
    rows.sort(key=lambda row: row[0])
    settings = StorageSettings(empty_bars="skip")
    part, core = market(watch=["1s", "3s", "10s"], settings=settings)
    core.feed(part, [trade(ts, float(p), float(q)) for ts, p, q in rows])
    core.advance(60 * S)
    for length in (S, 3 * S, 10 * S):
        expected = []
        for start, group in groupby(rows, key=lambda row: row[0] // length * length):
            part_rows = list(group)
            prices = [float(p) for _, p, _ in part_rows]
            expected.append(
                Bar(
                    BTC,
                    start + length,
                    Timeframe.of_ns(length),
                    start,
                    prices[0],
                    max(prices),
                    min(prices),
                    prices[-1],
                    float(sum(q for *_, q in part_rows)),
                    float(sum(p * q for _, p, q in part_rows)),
                    len(part_rows),
                )
            )
        assert core.bars(Timeframe.of_ns(length)) == expected


# --- feeds that bring bars


def test_feed_bars_pass_through_and_make_longer_ones() -> None:
    part, core = market(watch=["1m", "5m", "1h"])
    bars = [kline(minute, 100.0 + minute % 7) for minute in range(120)]
    core.feed(part, bars)
    assert core.bars(MINUTE) == bars
    fives = core.bars(FIVE)
    assert [bar.ts_open for bar in fives] == [i * 5 * M for i in range(24)]
    for index, bar in enumerate(fives):
        group = bars[index * 5 : index * 5 + 5]
        assert bar.open == group[0].open
        assert bar.high == max(item.high for item in group)
        assert bar.low == min(item.low for item in group)
        assert bar.close == group[-1].close
        assert (bar.volume, bar.turnover, bar.trades) == (50.0, 500.0, 15)
        assert bar.ts_recv == group[-1].ts_recv, "closes with its last component"
    assert len(core.bars(HOUR)) == 2
    assert part.instrument(BTC).bars_only
    assert core.fired == [], "bars that arrive need no timer"


def test_a_longer_bar_without_its_last_component_closes_with_a_later_one() -> None:
    part, core = market(watch=["5m"])
    core.feed(part, [kline(0, 1.0), kline(2, 3.0)])
    forming = part.forming(BTC, FIVE)
    assert forming is not None
    assert (forming.ts_open, forming.close, forming.volume) == (0, 3.0, 20.0)
    core.feed(part, [kline(7, 9.0)])
    (bar,) = core.bars()
    assert (bar.ts_open, bar.close, bar.ts_recv) == (0, 3.0, 8 * M)


def test_doubled_and_late_feed_bars_change_nothing() -> None:
    part, core = market(watch=["1m", "5m"])
    core.feed(part, [kline(0), kline(1), kline(1, 50.0), kline(0, 60.0), kline(2)])
    assert [bar.close for bar in core.bars(MINUTE)] == [1.0, 1.0, 1.0]
    forming = part.forming(BTC, FIVE)
    assert forming is not None
    assert forming.volume == 30.0


def test_bars_too_long_for_the_timeframe_are_reported_once() -> None:
    part, core = market(watch=["1m", "1h"])
    core.feed(part, [kline(0, length=60 * M), kline(60, length=60 * M)])
    assert core.bars(MINUTE) == []
    assert len(core.bars(HOUR)) == 2
    (told,) = [r for r in core.records if isinstance(r, FeedRecord)]
    assert (told.what, told.detail) == (
        "timeframe",
        "BTCUSDT: 1m bars cannot be made of 1h",
    )


def test_once_ticks_came_feed_bars_are_counted_and_ignored() -> None:
    part, core = market(watch=["1m"])
    core.feed(part, [kline(0, 7.0), trade(M + S, 10.0), kline(1, 8.0)])
    core.advance(3 * M)
    live = part.instrument(BTC)
    assert (live.bars_only, live.bars_feed, live.bars_ignored) == (False, 1, 1)
    assert [(b.ts_open, b.close) for b in core.bars()] == [
        (0, 7.0),
        (M, 10.0),
        (2 * M, 10.0),
    ]


def test_a_forming_bar_is_none_before_its_first_tick() -> None:
    assert BarBuilder(BTC, MINUTE).forming() is None
    part, _ = market()
    assert part.forming(BTC, MINUTE) is None


def sent(ts: int, sent_ns: int, price: float, trade_id: int = 0) -> Trade:
    return Trade(BTC, ts, price, 1.0, 1, trade_id, sent_ns)


@pytest.mark.parametrize(
    ("rule", "second"), [("include", (5.0, 20.0, 2)), ("drop", (20.0, 20.0, 1))]
)
def test_a_late_trade_is_counted_and_goes_by_the_rule(
    rule: Literal["include", "drop"], second: tuple[float, float, int]
) -> None:
    part, core = market(watch=["1m"], settings=StorageSettings(late_trades=rule))
    core.feed(part, [sent(S, S, 10.0), sent(M + S, M - S, 5.0), sent(M + 2 * S, M, 20)])
    core.advance(2 * M)
    first, last = core.bars()
    assert (first.open, first.close, first.trades) == (10.0, 10.0, 1)
    assert (last.open, last.close, last.trades) == second
    live = part.instrument(BTC)
    assert (live.late_trades, live.trades, live.last) == (1, 3, 20.0)
    trades = part.trades(BTC)
    assert trades is not None
    assert trades.tail()["price"].tolist() == [10.0, 5.0, 20.0]


def test_a_trade_that_comes_twice_counts_once() -> None:
    part, core = market(watch=["1m", "2t"])
    core.feed(
        part, [sent(S, S, 10.0, 7), sent(2 * S, S, 10.0, 7), sent(3 * S, S, 9, 6)]
    )
    core.feed(part, [sent(4 * S, S, 11.0, 8)])
    core.advance(M)
    (minute,) = core.bars(MINUTE)
    assert (minute.volume, minute.trades, minute.close) == (2.0, 2, 11.0)
    assert [bar.volume for bar in core.bars(Timeframe.parse("2t"))] == [2.0]
    live = part.instrument(BTC)
    assert (live.repeated, live.trades) == (2, 2)
    # After a stop of the feed ids may begin anew.
    part.mark_untrusted(BTC, "paused")
    core.feed(part, [sent(M + S, M, 12.0, 1)])
    assert (live.repeated, live.last) == (2, 12.0)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10**6)), max_size=60),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_looking_at_an_open_bar_changes_no_bar(
    rows: list[tuple[int, int]], looks: list[int]
) -> None:
    def run(look: bool) -> tuple[list[Bar], object]:
        part, core = market(watch=["1s", "1m"])
        ts = 0
        for index, (step, size) in enumerate(rows):
            ts += step * NS_PER_S
            core.feed(part, [Trade(BTC, ts, 100.0 + index % 7 / 10, size / 1e5)])
            if look and index in looks:
                part.forming(BTC, MINUTE)
        return core.bars(), part.digest()

    assert run(look=True) == run(look=False)


def test_the_open_bar_shows_ticks_that_no_builder_has_absorbed_yet() -> None:
    part, core = market(watch=["1m"])
    core.feed(part, [trade(S, 10.0, 1.5), trade(2 * S, 12.0, 0.5), trade(3 * S, 9.0)])
    forming = part.forming(BTC, MINUTE)
    assert forming == Bar(BTC, 0, MINUTE, 0, 10.0, 12.0, 9.0, 9.0, 3.0, 30.0, 3)


def test_a_month_of_days_and_a_cut_session_are_built_of_feed_bars() -> None:
    day = 24 * 60 * M
    part, core = market(watch=["1M", "1d", "1d@12:00"])
    first = 59 * 24  # of March 1970
    hours = [
        kline((first + hour) * 60, float(hour + 1), 60 * M) for hour in range(24 * 40)
    ]
    core.feed(part, hours)
    (march,) = core.bars(Timeframe.parse("1M"))
    assert (march.ts_open, march.ts_close) == (59 * day, 90 * day)
    assert (march.close, march.trades) == (31 * 24.0, 3 * 31 * 24)
    days = core.bars(Timeframe.parse("1d"))
    assert [bar.ts_open for bar in days] == [(59 + i) * day for i in range(40)]
    sessions = core.bars(Timeframe.parse("1d@12:00"))
    half = day // 2
    assert [bar.ts_open for bar in sessions] == [
        59 * day - half + i * day for i in range(40)
    ]
    assert [bar.trades for bar in sessions[:2]] == [3 * 12, 3 * 24]


@given(
    st.lists(
        st.tuples(st.integers(0, 3 * M), st.integers(1, 800), st.integers(1, 800)).map(
            lambda row: (row[0], row[1] / 8, row[2] / 8)
        ),
        max_size=60,
    ),
    st.sampled_from(["repeat", "skip"]),
)
def test_bars_conserve_what_was_traded_and_follow_one_another(
    steps: list[tuple[int, float, float]], empty: Literal["repeat", "skip"]
) -> None:
    part, core = market(
        watch=["7s", "1m", "7m@00:03"], settings=StorageSettings(empty_bars=empty)
    )
    ts = 10 * 24 * 60 * M  # no session of the epoch began before it
    for step, price, size in steps:
        ts += step
        core.feed(part, [trade(ts, price, size)])
    for timeframe in part.timeframes(BTC):
        bars = core.bars(timeframe)
        forming = part.forming(BTC, timeframe)
        every = [*bars, *([] if forming is None else [forming])]
        # Eighths add up without rounding.
        assert sum(bar.volume for bar in every) == sum(size for *_, size in steps)
        assert sum(bar.turnover for bar in every) == sum(p * q for _, p, q in steps)
        assert sum(bar.trades for bar in every) == len(steps)
        for bar in every:
            assert bar.low <= bar.open <= bar.high
            assert bar.low <= bar.close <= bar.high
            assert timeframe.start(bar.ts_open) == bar.ts_open
        for before, after in pairwise(every):
            assert before.ts_close <= after.ts_open
        for bar in bars:
            assert bar.ts_recv == bar.ts_close
