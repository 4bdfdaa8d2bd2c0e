"""TA-Lib as an oracle on random series.

TA-Lib has absolute thresholds near 1e-14 and keeps running sums, so it is asked about
the series scaled to at most 1 by a power of two (exact), and believed to within what a
spike leaves behind in its sums.
"""

from __future__ import annotations

import math

import numpy as np
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.indicators.series import Bar, bars, close_stream, columns_of, feed, prices
from workstation import indicators

Floats = NDArray[np.float64]

EXAMPLES = settings(max_examples=60, deadline=None)


def scaled(closes: list[float]) -> tuple[Floats, float]:
    factor = 2.0 ** -math.frexp(max(closes))[1]
    return np.array(closes) * factor, factor


def agree(found: Floats, oracle: Floats, tolerance: float) -> None:
    np.testing.assert_array_equal(np.isnan(found), np.isnan(oracle))
    np.testing.assert_allclose(found, oracle, rtol=0, atol=tolerance)


@EXAMPLES
@given(prices, st.integers(2, 30))
def test_the_moving_averages_agree_with_the_oracle(
    closes: list[float], period: int
) -> None:
    x, factor = scaled(closes)
    columns = {"close": np.array(closes)}
    for name, oracle in (("sma", talib.SMA), ("ema", talib.EMA), ("rma", talib.RMA)):
        found = indicators.get(name).batch(columns, period=period)[name]
        agree(found * factor, oracle(x, period), 1e-13)


@EXAMPLES
@given(prices, st.integers(2, 12), st.integers(1, 12), st.integers(1, 9))
def test_the_macd_agrees_with_the_oracle(
    closes: list[float], fast: int, more: int, signal: int
) -> None:
    x, factor = scaled(closes)
    params = {"fast": fast, "slow": fast + more, "signal": signal}
    found = indicators.get("macd").batch({"close": np.array(closes)}, **params)
    for column, oracle in zip(
        found.values(), talib.MACD(x, fast, fast + more, signal), strict=True
    ):
        agree(column * factor, oracle, 1e-13)


@EXAMPLES
@given(prices, st.integers(2, 30))
def test_the_rsi_agrees_with_the_oracle_where_anything_moves(
    closes: list[float], period: int
) -> None:
    x, _ = scaled(closes)
    indicator = indicators.get("rsi")
    found = indicator.batch({"close": np.array(closes)}, period=period)["rsi"]
    oracle = talib.RSI(x, period)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(oracle))
    stream = close_stream("rsi", period=period)
    for i, close in enumerate(x.tolist()):
        feed(stream, [close])
        _, _, up, down = stream.state()
        if up + down > 1e-12:
            # Differences of neighbours cancel; the averages themselves do not.
            np.testing.assert_allclose(found[i], oracle[i], rtol=0, atol=1e-9)


@EXAMPLES
@given(prices, st.integers(2, 30), st.floats(0.1, 5.0))
def test_the_bands_agree_with_the_oracle(
    closes: list[float], period: int, deviations: float
) -> None:
    x, factor = scaled(closes)
    found = indicators.get("bollinger").batch(
        {"close": np.array(closes)}, period=period, deviations=deviations
    )
    upper, middle, lower = talib.BBANDS(x, period, deviations, deviations)
    agree(found["middle"] * factor, middle, 1e-13)
    for band, oracle in ((found["upper"], upper), (found["lower"], lower)):
        width = (band * factor - middle) / deviations
        # The oracle subtracts sums of squares near 1: compare variances, and know
        # that below 1e-14 it says zero.
        agree(width**2, ((oracle - middle) / deviations) ** 2, 3e-14)


def small(series: list[Bar]) -> tuple[dict[str, Floats], float]:
    """Return the columns of ``series`` with prices at most 1, and the factor."""
    columns = columns_of(series)
    factor = 2.0 ** -math.frexp(float(columns["high"].max()))[1]
    for name in ("open", "high", "low", "close"):
        columns[name] *= factor
    return columns, factor


@EXAMPLES
@given(bars, st.integers(2, 30))
def test_the_true_range_and_its_average_agree_with_the_oracle(
    series: list[Bar], period: int
) -> None:
    x, factor = small(series)
    bar = (x["high"], x["low"], x["close"])
    found = indicators.get("true_range").batch(columns_of(series))["true_range"]
    agree(found * factor, talib.TRANGE(*bar), 1e-15)
    found = indicators.get("atr").batch(columns_of(series), period=period)["atr"]
    agree(found * factor, talib.ATR(*bar, period), 1e-13)


@EXAMPLES
@given(bars, st.integers(2, 30))
def test_the_channel_of_extremes_agrees_with_the_oracle(
    series: list[Bar], period: int
) -> None:
    x, factor = small(series)
    found = indicators.get("donchian").batch(columns_of(series), period=period)
    oracle = talib.DONCHIAN(x["high"], x["low"], period)
    for column, expected in zip(found.values(), oracle, strict=True):
        agree(column * factor, expected, 1e-16)


@EXAMPLES
@given(bars, st.integers(2, 30), st.integers(1, 30), st.floats(0.1, 5.0))
def test_the_channel_of_averages_agrees_with_the_oracle(
    series: list[Bar], period: int, atr_period: int, multiplier: float
) -> None:
    x, factor = small(series)
    found = indicators.get("keltner").batch(
        columns_of(series), period=period, atr_period=atr_period, multiplier=multiplier
    )
    oracle = talib.KC(x["high"], x["low"], x["close"], period, atr_period, multiplier)
    for column, expected in zip(found.values(), oracle, strict=True):
        agree(column * factor, expected, 1e-12)


@EXAMPLES
@given(bars, st.integers(1, 20), st.integers(1, 9), st.integers(1, 9))
def test_the_stochastic_agrees_with_the_oracle(
    series: list[Bar], period: int, smooth_k: int, smooth_d: int
) -> None:
    x, _ = small(series)
    found = indicators.get("stochastic").batch(
        columns_of(series), period=period, smooth_k=smooth_k, smooth_d=smooth_d
    )
    oracle = talib.STOCH(
        x["high"],
        x["low"],
        x["close"],
        period,
        slowk_period=smooth_k,
        slowd_period=smooth_d,
    )
    for column, expected in zip(found.values(), oracle, strict=True):
        agree(column, expected, 1e-10)


@EXAMPLES
@given(bars)
def test_the_totals_agree_with_the_oracle(series: list[Bar]) -> None:
    x, factor = small(series)
    bar = (x["high"], x["low"], x["close"], x["volume"])
    found = indicators.get("vwap").batch(columns_of(series))["vwap"]
    traded = np.cumsum(x["volume"]) > 0.0
    np.testing.assert_array_equal(np.isnan(found), ~traded)
    # Before any volume the oracle says 0, which is no price.
    agree(found[traded] * factor, talib.VWAP(*bar)[traded], 1e-13)
    found = indicators.get("obv").batch(columns_of(series))["obv"]
    oracle = talib.OBV(x["close"], x["volume"])
    agree(found, oracle, 1e-14 * max(1.0, float(x["volume"].sum())))


@EXAMPLES
@given(bars, st.integers(2, 20))
def test_directional_movement_agrees_with_the_oracle_where_anything_moves(
    series: list[Bar], period: int
) -> None:
    x, _ = small(series)
    bar = (x["high"], x["low"], x["close"])
    indicator = indicators.get("adx")
    found = indicator.batch(columns_of(series), period=period)
    oracle = [
        function(*bar, period)
        for function in (talib.PLUS_DI, talib.MINUS_DI, talib.DX, talib.ADX)
    ]
    for column, expected in zip(found.values(), oracle, strict=True):
        np.testing.assert_array_equal(np.isnan(column), np.isnan(expected))
    stream = indicator.stream(period=period)
    for i, row in enumerate(zip(*bar, strict=True)):
        high, low, close = map(float, row)
        stream.update(Bar(close, high, low, close))
        plus, minus, reach = stream.state()[4:7]
        # Below 1e-14 the oracle takes a sum, or a share of 100, for nothing and keeps
        # its averages from then on.
        if 0.0 < reach < 1e-12 or 0.0 < plus + minus < 1e-12 * reach:
            break
        # A sum that is what a fall left of a greater one has lost digits to it.
        for column, expected in zip(found.values(), oracle, strict=True):
            np.testing.assert_allclose(column[i], expected[i], rtol=0, atol=1e-8)


@EXAMPLES
@given(bars, st.integers(2, 20), st.floats(0.05, 5.0))
def test_the_supertrend_agrees_with_the_oracle_where_no_close_is_on_a_band(
    series: list[Bar], period: int, multiplier: float
) -> None:
    x, factor = small(series)
    bar = (x["high"], x["low"], x["close"])
    indicator = indicators.get("supertrend")
    found = indicator.batch(columns_of(series), period=period, multiplier=multiplier)
    line, direction = talib.SUPERTREND(*bar, period, multiplier)
    there = np.arange(len(line)) >= period
    np.testing.assert_array_equal(~np.isnan(found["supertrend"]), there)
    stream = indicator.stream(period=period, multiplier=multiplier)
    for i, row in enumerate(zip(*bar, strict=True)):
        high, low, close = map(float, row)
        if stream.update(Bar(close, high, low, close)) is None:
            continue
        _, _, ceiling, floor, *_ = stream.state()
        # There the last digit of an average decides, and it is not the oracle's.
        if min(abs(close - ceiling), abs(close - floor)) < 1e-13:
            break
        assert found["direction"][i] == direction[i]
        assert abs(found["supertrend"][i] * factor - line[i]) <= 1e-12
