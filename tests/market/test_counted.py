"""Bars that trading ends: volume is conserved, no trade is split, order is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market.fakes import market
from workstation.market.counted import CountedBuilder
from workstation.market.settings import StorageSettings
from workstation.model.market import Bar, Quote, Trade
from workstation.model.records import FeedRecord
from workstation.model.timeframes import Timeframe

BTC = "BTCUSDT"
# Eighths add up exactly, so that sums can be compared without a tolerance.
EIGHTHS = st.integers(1, 400).map(lambda n: n / 8)
TRADES = st.lists(st.tuples(EIGHTHS, EIGHTHS), max_size=80)


def build(word: str, trades: list[tuple[float, float]]) -> list[Bar]:
    builder = CountedBuilder(BTC, Timeframe.parse(word))
    made = [builder.add(ts, price, size) for ts, (price, size) in enumerate(trades)]
    return [bar for bar in made if bar is not None]


@given(TRADES, st.integers(1, 9))
def test_a_tick_bar_is_so_many_trades(
    trades: list[tuple[float, float]], count: int
) -> None:
    bars = build(f"{count}t", trades)
    assert len(bars) == len(trades) // count
    for index, bar in enumerate(bars):
        own = trades[index * count : (index + 1) * count]
        prices = [price for price, _ in own]
        assert (bar.open, bar.high, bar.low, bar.close) == (
            *(prices[0], max(prices), min(prices)),
            prices[-1],
        )
        assert bar.trades == count
        assert bar.volume == sum(size for _, size in own)
        assert bar.turnover == sum(price * size for price, size in own)
        assert (bar.ts_open, bar.ts_close) == (index * count, (index + 1) * count - 1)


@pytest.mark.parametrize("unit", ["v", "q"])
@given(trades=TRADES, limit=st.integers(1, 300))
def test_volume_and_value_bars_conserve_both_and_overshoot_by_one_trade_at_most(
    unit: str, trades: list[tuple[float, float]], limit: int
) -> None:
    bars = build(f"{limit}{unit}", trades)
    used = sum(bar.trades for bar in bars)
    assert sum(bar.volume for bar in bars) == sum(size for _, size in trades[:used])
    assert sum(bar.turnover for bar in bars) == sum(p * q for p, q in trades[:used])
    at = 0
    for bar in bars:
        own = trades[at : at + bar.trades]
        at += bar.trades
        sizes = [size if unit == "v" else price * size for price, size in own]
        assert sum(sizes) >= limit > sum(sizes[:-1])
        assert bar.low <= bar.open <= bar.high
        assert bar.low <= bar.close <= bar.high


def test_the_aggregator_closes_them_with_the_trade_that_fills_them() -> None:
    part, core = market(watch=["3t", "1s"])
    frame = Timeframe.parse("3t")
    sma = part.indicator(BTC, frame, "sma", period=2)
    core.feed(part, [Trade(BTC, ts, 10.0 + ts, 1.0) for ts in range(1, 8)])
    bars = core.bars(frame)
    assert [(bar.ts_open, bar.ts_recv, bar.close) for bar in bars] == [
        (1, 3, 13.0),
        (4, 6, 16.0),
    ]
    assert sma.value == (14.5,)
    assert part.bars(BTC, frame).close() == 16.0
    forming = part.forming(BTC, frame)
    assert forming is not None
    assert (forming.ts_open, forming.close, forming.trades) == (7, 17.0, 1)
    assert part.timeframes(BTC) == (Timeframe.parse("1s"), frame)


@given(st.lists(st.sampled_from((10.0, 10.5, 11.0)), max_size=60), st.integers(1, 5))
def test_a_tick_bar_of_mids_is_so_many_changes_of_the_mid(
    mids: list[float], count: int
) -> None:
    builder = CountedBuilder(BTC, Timeframe.parse(f"{count}t"))
    made = [builder.add_mid(ts, mid) for ts, mid in enumerate(mids)]
    bars = [bar for bar in made if bar is not None]
    moves = [(ts, mid) for ts, mid in enumerate(mids) if ts == 0 or mid != mids[ts - 1]]
    assert len(bars) == len(moves) // count
    for index, bar in enumerate(bars):
        own = moves[index * count : (index + 1) * count]
        prices = [mid for _, mid in own]
        assert (bar.ts_open, bar.ts_recv) == (own[0][0], own[-1][0])
        assert (bar.open, bar.high, bar.low, bar.close) == (
            *(prices[0], max(prices), min(prices)),
            prices[-1],
        )
        assert (bar.volume, bar.turnover, bar.trades) == (0.0, 0.0, 0)


def test_bars_of_mids_count_mids_by_ticks_and_trades_by_volume() -> None:
    kept = StorageSettings(bar_source="mid")
    part, core = market(watch=["2t", "5v"], settings=kept)
    quotes = [
        Quote(BTC, ts, 10.0 + ts, 1.0, 12.0 + ts, 1.0, None, ts) for ts in range(1, 6)
    ]
    core.feed(part, [Trade(BTC, 0, 10.0, 1.0), *quotes])
    core.feed(part, [Trade(BTC, ts, 20.0, 2.5) for ts in (7, 8)])
    by_ticks = core.bars(Timeframe.parse("2t"))
    assert [(bar.ts_open, bar.close, bar.trades) for bar in by_ticks] == [
        (0, 12.0, 1),
        (2, 14.0, 0),
        (4, 16.0, 0),
    ]
    assert [bar.volume for bar in core.bars(Timeframe.parse("5v"))] == [6.0]


def test_nothing_has_come_yet() -> None:
    assert CountedBuilder(BTC, Timeframe.parse("3t")).forming() is None


def test_feed_bars_cannot_fill_them_and_that_is_told_once() -> None:
    part, core = market(watch=["100t"])
    minute = Timeframe.parse("1m")
    for index in (1, 2):
        close = index * 60_000_000_000
        core.feed(
            part, [Bar(BTC, close, minute, close - 60_000_000_000, 1, 2, 1, 2, 5)]
        )
    (told,) = [record for record in core.records if isinstance(record, FeedRecord)]
    assert told.detail == f"{BTC}: 100t bars cannot be made of 1m"


@given(TRADES, st.integers(0, 80))
def test_the_digest_tells_any_two_open_bars_apart(
    trades: list[tuple[float, float]], at: int
) -> None:
    one, other = (CountedBuilder(BTC, Timeframe.parse("1000t")) for _ in range(2))
    for ts, (price, size) in enumerate(trades):
        one.add(ts, price, size)
        other.add(ts, price + (0.125 if ts == at else 0.0), size)
    changed = at < len(trades)
    assert (one.digest() != other.digest()) is changed
