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

from tests.indicators.series import feed, prices
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
    for name, oracle in (("sma", talib.SMA), ("ema", talib.EMA)):
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
    stream = indicator.stream(period=period)
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
