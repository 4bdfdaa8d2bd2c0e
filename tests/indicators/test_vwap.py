"""How the average price by volume knows where a session begins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.indicators.series import (
    Bar,
    SessionBar,
    as_columns,
    candles,
    columns_of,
    feed_bars,
    in_session,
)
from workstation import indicators
from workstation.indicators import BadColumns
from workstation.model.market import Bar as MarketBar
from workstation.model.timeframes import Timeframe

MINUTE = 60_000_000_000
DAY = 1440 * MINUTE
MIDNIGHT = 19_800 * DAY
VWAP = indicators.get("vwap")


def market_bars(times: list[int]) -> list[MarketBar]:
    return [
        MarketBar(
            "BTCUSDT@x",
            ts + MINUTE,
            Timeframe.of_ns(MINUTE),
            ts,
            each.open,
            each.high,
            each.low,
            each.close,
            each.volume,
        )
        for ts, each in zip(times, candles(len(times), seed=21), strict=True)
    ]


def mean_price(bars: list[MarketBar]) -> float:
    worth = sum((b.high + b.low + b.close) / 3.0 * b.volume for b in bars)
    return worth / sum(b.volume for b in bars)


@pytest.mark.parametrize("start", [0, 810, 1439])
def test_bars_of_the_product_begin_a_session_at_a_minute_of_the_utc_day(
    start: int,
) -> None:
    first = MIDNIGHT + start * MINUTE
    # The last ns before the session, its first, two later ones, and the next day's.
    times = [first - 1, first, first + MINUTE, first + DAY - 1, first + DAY]
    bars = market_bars(times)
    stream = VWAP.stream(session_start=start)
    streamed = [stream.update(bar) for bar in bars]
    expected = [
        mean_price(bars[:1]),
        mean_price(bars[1:2]),
        mean_price(bars[1:3]),
        mean_price(bars[1:4]),
        mean_price(bars[4:]),
    ]
    assert [row[0] for row in streamed if row] == pytest.approx(expected, rel=1e-14)
    columns: dict[str, NDArray[np.float64] | NDArray[np.int64]] = {
        **columns_of(candles(len(times), seed=21)),
        "ts_open": np.array(times, dtype=np.int64),
    }
    batch = VWAP.batch(columns, session_start=start)["vwap"]
    np.testing.assert_allclose(batch, expected, rtol=1e-14)


def test_a_session_column_goes_before_times_and_no_anchor_before_both() -> None:
    series = candles(40, seed=22)
    columns = columns_of(series)
    alone = VWAP.batch(columns)["vwap"]
    columns["ts_open"] = np.arange(40.0) * DAY
    columns["session"] = np.floor(np.arange(40) / 10)
    found = VWAP.batch(columns)["vwap"]
    stream = VWAP.stream()
    bars = [in_session(each, i // 10) for i, each in enumerate(series)]
    streamed = as_columns(feed_bars(stream, bars), VWAP.outputs)["vwap"]
    np.testing.assert_allclose(found, streamed, rtol=1e-14)
    np.testing.assert_allclose(found[:10], alone[:10], rtol=1e-14)
    assert abs(found[39] - alone[39]) > 1e-3
    cumulative = VWAP.batch(columns, anchor="none")["vwap"]
    np.testing.assert_array_equal(cumulative, alone)
    unanchored = as_columns(feed_bars(VWAP.stream(anchor="none"), bars), VWAP.outputs)[
        "vwap"
    ]
    np.testing.assert_allclose(unanchored, alone, rtol=1e-14)


def test_every_row_may_be_a_session_and_great_volumes_before_leave_nothing() -> None:
    series = candles(500, seed=23)
    columns = columns_of(series)
    columns["volume"][::2] = 1e18
    columns["session"] = np.arange(500.0)
    found = VWAP.batch(columns)["vwap"]
    typical = (columns["high"] + columns["low"] + columns["close"]) / 3.0
    np.testing.assert_allclose(found, typical, rtol=1e-15)
    # Long sessions cross the blocks the totals are made in.
    begins = np.array([1, 33, 64, 65, 300])
    sessions = np.searchsorted(begins, np.arange(500), "right")
    columns["session"] = sessions.astype(np.float64)
    found = VWAP.batch(columns)["vwap"]
    for begin, end in ((0, 1), (1, 33), (33, 64), (64, 65), (65, 300), (300, 500)):
        rows = slice(begin, end)
        worth = math.fsum((typical * columns["volume"])[rows])
        expected = worth / math.fsum(columns["volume"][rows])
        assert found[end - 1] == pytest.approx(expected, rel=1e-15)


def test_there_is_no_value_in_a_session_before_it_has_volume() -> None:
    bars = [
        SessionBar(close=1.0, high=1.0, low=1.0, volume=volume, session=session)
        for session, volume in ((0, 0.0), (0, 2.0), (0, 0.0), (1, 0.0), (1, 1.0))
    ]
    assert feed_bars(VWAP.stream(), bars) == [None, (1.0,), (1.0,), None, (1.0,)]
    columns = columns_of([Bar(volume=each.volume) for each in bars])
    columns["session"] = np.array([each.session for each in bars])
    found = VWAP.batch(columns)["vwap"]
    np.testing.assert_array_equal(np.isnan(found), [True, False, False, True, False])


def test_a_bar_whose_session_is_no_number_is_rejected() -> None:
    series = [SessionBar(session=x) for x in (0.0, math.nan, 0.0, math.inf, 1.0)]
    stream = VWAP.stream()
    rows = feed_bars(stream, series)
    assert rows == [(1.0,), None, (1.0,), None, (1.0,)]
    assert stream.rejected == 2
    columns = columns_of([Bar()] * 5)
    columns["session"] = np.array([each.session for each in series])
    found = VWAP.batch(columns)["vwap"]
    np.testing.assert_array_equal(np.isnan(found), [False, True, False, True, False])


def test_a_session_column_that_does_not_fit_is_refused() -> None:
    columns = columns_of(candles(3, seed=1))
    with pytest.raises(BadColumns, match="'session' has 2 rows, 'high' has 3"):
        VWAP.batch(columns | {"session": np.zeros(2)})
    words = np.array(["a", "b", "c"])
    with pytest.raises(BadColumns, match="'session' must be numbers"):
        VWAP.batch(columns | {"session": words})
