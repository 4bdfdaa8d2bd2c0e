"""What is made of the ranges of bars: true range, directional movement, channels.

Highs, lows and closes of the same length in; averages as in ``averages``.
"""

from __future__ import annotations

import numpy as np

from workstation.indicators.arrays.averages import average, recursion
from workstation.indicators.arrays.blocks import Floats, unknown
from workstation.indicators.average import ema_gain


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return the true range, which the first bar has not."""
    out = np.full(len(close), np.nan)
    out[1:] = ranges(high, low, close)
    return out


def atr(
    high: Floats, low: Floats, close: Floats, period: int, first_bar: bool
) -> Floats:
    """Return Wilder's average; ``first_bar``: the first bar's own range counts."""
    spans = ranges(high, low, close)
    if first_bar:
        return average(np.concatenate((high[:1] - low[:1], spans)), period, 1 / period)
    out = np.full(len(close), np.nan)
    out[1:] = average(spans, period, 1 / period)
    return out


def adx(
    high: Floats,
    low: Floats,
    close: Floats,
    *,
    period: int,
    still: float,
    full_seed: bool,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return (plus_di, minus_di, dx, adx).

    The sums are seeded with ``period`` − 1 bars, or with ``period`` (``full_seed``).
    """
    plus_di, minus_di, dx, mean = unknown(4, len(close))
    if len(close) <= period:
        return plus_di, minus_di, dx, mean
    up, down = np.diff(high), -np.diff(low)
    rises = np.where((up > down) & (up > 0.0), up, 0.0)
    falls = np.where((down > up) & (down > 0.0), down, 0.0)
    plus = _wilder_sum(rises, period, full_seed)
    minus = _wilder_sum(falls, period, full_seed)
    spans = _wilder_sum(ranges(high, low, close), period, full_seed)
    for index, part in ((plus_di, plus), (minus_di, minus)):
        index[period:] = 0.0
        np.divide(part, spans, out=index[period:], where=spans > still)
        index[period:] *= 100.0
    total = plus + minus
    moved = total > still
    place = np.zeros(len(total))
    np.divide(np.abs(plus - minus), total, out=place, where=moved)
    place *= 100.0
    # The last bar that moved, for every bar; none before the first that did.
    last = np.maximum.accumulate(np.where(moved, np.arange(len(total)), -1))
    dx[period:] = np.where(last >= 0, place[last], 0.0)
    if len(place) >= period:
        moved[:period] = True
        counted = average(place[moved], period, 1 / period)
        mean[period:] = counted[np.cumsum(moved) - 1]
    return plus_di, minus_di, dx, mean


def keltner(
    high: Floats,
    low: Floats,
    close: Floats,
    *,
    period: int,
    atr_period: int,
    multiplier: float,
) -> tuple[Floats, Floats, Floats]:
    """Return (upper, middle, lower); both averages are seeded to begin together."""
    first = max(period - 1, atr_period)
    middle, width = unknown(2, len(close))
    at = first - period + 1
    typical = typical_price(high[at:], low[at:], close[at:])
    middle[at:] = average(typical, period, ema_gain(period))
    at = first - atr_period
    width[at:] = atr(high[at:], low[at:], close[at:], atr_period, False)
    return _channel(middle, width, multiplier)


def keltner_of_closes(
    high: Floats,
    low: Floats,
    close: Floats,
    *,
    period: int,
    atr_period: int,
    multiplier: float,
) -> tuple[Floats, Floats, Floats]:
    """Return (upper, middle, lower) around the average of closes, seeded from bar 0."""
    middle = average(close, period, ema_gain(period))
    width = atr(high, low, close, atr_period, True)
    middle[: atr_period - 1] = np.nan
    return _channel(middle, width, multiplier)


def typical_price(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return the mean of high, low and close."""
    total = high + low
    total += close
    total /= 3.0
    return total


def ranges(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return the true ranges of all bars but the first."""
    spans = high[1:] - low[1:]
    np.maximum(spans, high[1:] - close[:-1], out=spans)
    np.maximum(spans, close[:-1] - low[1:], out=spans)
    return spans


def _wilder_sum(x: Floats, period: int, full_seed: bool) -> Floats:
    """Return S ← S − S/period + x from the ``period``-th value on."""
    out = np.empty(len(x) - period + 1)
    rate = float(np.log1p(-1 / period))
    if full_seed:
        out[0] = np.cumsum(x[:period])[-1]
        out[1:] = recursion(x[period:], 1.0, rate, out[0])
    else:
        seed = np.cumsum(x[: period - 1])[-1]
        out[:] = recursion(x[period - 1 :], 1.0, rate, seed)
    return out


def _channel(
    middle: Floats, width: Floats, multiplier: float
) -> tuple[Floats, Floats, Floats]:
    width *= multiplier
    return middle + width, middle, middle - width
