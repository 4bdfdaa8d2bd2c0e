"""Sums and extremes of windows, in blocks of a window's length.

A window is the end of one block and the beginning of the next: what both give is put
together, in the order in which the streams do it.
"""

from __future__ import annotations

import numpy as np

from workstation.indicators.arrays.blocks import Floats, blocks, by_start, unknown


def sma(x: Floats, period: int) -> Floats:
    """Return the mean of each window of ``period`` values."""
    out = np.full(len(x), np.nan)
    if len(x) >= period:
        table = blocks(x, period)
        sums = _window_sums(table, table[1:])
        np.divide(by_start(sums, x), float(period), out=out[period - 1 :])
    return out


def bollinger(
    x: Floats, period: int, deviations: float
) -> tuple[Floats, Floats, Floats]:
    """Return (upper, middle, lower).

    The sums of a window are shifted by the last value of the block it starts in.
    """
    upper, middle, lower = unknown(3, len(x))
    if len(x) < period:
        return upper, middle, lower
    table = blocks(x, period)
    bases = table[:, -1:]
    older = table - bases
    newer = table[1:] - bases[:-1]
    mean = _window_sums(older, newer)
    mean /= float(period)
    np.square(older, out=older)
    np.square(newer, out=newer)
    width = _window_sums(older, newer)
    width /= float(period)
    width -= np.square(mean)
    np.maximum(width, 0.0, out=width)
    np.sqrt(width, out=width)
    width *= deviations
    mean += bases
    centre, half = by_start(mean, x), by_start(width, x)
    middle[period - 1 :] = centre
    np.add(centre, half, out=upper[period - 1 :])
    np.subtract(centre, half, out=lower[period - 1 :])
    return upper, middle, lower


def donchian(high: Floats, low: Floats, period: int) -> tuple[Floats, Floats, Floats]:
    """Return (upper, middle, lower)."""
    upper = _extremes(np.maximum, high, period)
    lower = _extremes(np.minimum, low, period)
    middle = upper + lower
    middle /= 2.0
    return upper, middle, lower


def stochastic(
    high: Floats,
    low: Floats,
    close: Floats,
    *,
    period: int,
    smooth_k: int,
    smooth_d: int,
    skip_flat: bool,
) -> tuple[Floats, Floats]:
    """Return (k, d), which begin together.

    A window without range counts as 0, or is left out (``skip_flat``).
    """
    k, d = unknown(2, len(close))
    if len(close) < period:
        return k, d
    at = period - 1
    bottom = _extremes(np.minimum, low, period)[at:]
    span = _extremes(np.maximum, high, period)[at:]
    span -= bottom
    ranged = span > 0.0
    raw = np.zeros(len(span))
    np.divide(close[at:] - bottom, span, out=raw, where=ranged)
    raw *= 100.0
    if skip_flat:
        smooth, signal = _smoothed(raw[ranged], smooth_k, smooth_d)
        k[at:][ranged], d[at:][ranged] = smooth, signal
    else:
        k[at:], d[at:] = _smoothed(raw, smooth_k, smooth_d)
    return k, d


def _smoothed(raw: Floats, smooth_k: int, smooth_d: int) -> tuple[Floats, Floats]:
    k = sma(raw, smooth_k)
    at = smooth_k - 1
    d = unknown(1, len(raw))[0]
    d[at:] = sma(k[at:], smooth_d)
    k[: at + smooth_d - 1] = np.nan
    return k, d


def _window_sums(older: Floats, newer: Floats) -> Floats:
    """Return the sum of each window, in the place of its first value.

    A window is the end of a row of ``older`` and the beginning of the same row of
    ``newer`` (the block after it; the last row has none). Both parts are added in the
    order in which the streams add them.
    """
    sums = np.empty_like(older)
    np.cumsum(older[:, ::-1], axis=1, out=sums[:, ::-1])
    sums[: len(newer), 1:] += np.cumsum(newer[:, :-1], axis=1)
    return sums


def _extremes(better: np.ufunc, x: Floats, period: int) -> Floats:
    """Return the best value of each window, as ``better`` chooses from two."""
    out = np.full(len(x), np.nan)
    if len(x) < period:
        return out
    table = blocks(x, period)
    best = np.empty_like(table)
    better.accumulate(table[:, ::-1], axis=1, out=best[:, ::-1])
    newer = better.accumulate(table[1:, :-1], axis=1)
    better(best[:-1, 1:], newer, out=best[:-1, 1:])
    out[period - 1 :] = by_start(best, x)
    return out
