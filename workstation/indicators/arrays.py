"""The kernels over whole arrays: closes in, outputs of the same length out.

Pure functions on finite float64 arrays, called through ``Indicator.batch``, which takes
bad rows out beforehand. Each gives what its stream gives: window sums in the stream's
own order, recursions to within a few units in the last place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOCK = 32
"""Steps of a recursion done as one triangular product: small enough that the 32-fold
arithmetic is cheaper than a Python-level step, large enough that few levels remain."""

PRODUCT_ROWS = 256
"""Blocks per product. Larger ones make OpenBLAS start threads, which then spin: twice
the CPU time for the same wall time, and a second core taken from the event loop."""


def sma(x: Floats, period: int) -> Floats:
    """Return the mean of each window of ``period`` values."""
    out = np.full(len(x), np.nan)
    if len(x) >= period:
        blocks = _blocks(x, period)
        sums = _window_sums(blocks, blocks[1:])
        np.divide(_by_start(sums, x), float(period), out=out[period - 1 :])
    return out


def ema(x: Floats, period: int) -> Floats:
    """Return the average with a = 2/(period + 1), seeded at ``period`` − 1."""
    out = np.full(len(x), np.nan)
    if len(x) >= period:
        _average(out[period - 1 :], x, period, 2.0 / (period + 1))
    return out


def rsi(x: Floats, period: int, still: float) -> Floats:
    """Return Wilder's index; U + D up to ``still`` counts as no movement."""
    out = np.full(len(x), np.nan)
    if len(x) <= period:
        return out
    change = np.diff(x)
    up, down = np.empty((2, len(x) - period))
    _average(up, np.maximum(change, 0.0), period, 1.0 / period)
    _average(down, np.maximum(-change, 0.0), period, 1.0 / period)
    total = up + down
    up *= 100.0
    index = out[period:]
    index[:] = 0.0
    np.divide(up, total, out=index, where=total > still)
    return out


def macd(x: Floats, fast: int, slow: int, signal: int) -> tuple[Floats, Floats, Floats]:
    """Return (line, signal, histogram), which begin together."""
    line, mean, histogram = np.full((3, len(x)), np.nan)
    first = slow + signal - 2
    if len(x) <= first:
        return line, mean, histogram
    quick, slack = np.empty((2, len(x) - slow + 1))
    _average(quick, x[slow - fast :], fast, 2.0 / (fast + 1))
    _average(slack, x, slow, 2.0 / (slow + 1))
    quick -= slack
    _average(mean[first:], quick, signal, 2.0 / (signal + 1))
    line[first:] = quick[signal - 1 :]
    np.subtract(line, mean, out=histogram)
    return line, mean, histogram


def bollinger(
    x: Floats, period: int, deviations: float
) -> tuple[Floats, Floats, Floats]:
    """Return (upper, middle, lower).

    The sums of a window are shifted by the last value of the block it starts in.
    """
    upper, middle, lower = np.full((3, len(x)), np.nan)
    if len(x) < period:
        return upper, middle, lower
    blocks = _blocks(x, period)
    bases = blocks[:, -1:]
    older = blocks - bases
    newer = blocks[1:] - bases[:-1]
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
    centre, half = _by_start(mean, x), _by_start(width, x)
    middle[period - 1 :] = centre
    np.add(centre, half, out=upper[period - 1 :])
    np.subtract(centre, half, out=lower[period - 1 :])
    return upper, middle, lower


def _blocks(x: Floats, size: int) -> Floats:
    """Return ``x`` in rows of ``size``, the last one filled up with zeros."""
    rows = -(-len(x) // size)
    if rows * size == len(x):
        return x.reshape(rows, size)
    blocks = np.zeros((rows, size))
    blocks.reshape(-1)[: len(x)] = x
    return blocks


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


def _by_start(blocks: Floats, x: Floats) -> Floats:
    """Return a flat view over the full windows of ``x``, by their first value."""
    return blocks.reshape(-1)[: len(x) - blocks.shape[1] + 1]


def _average(out: Floats, x: Floats, period: int, alpha: float) -> None:
    """Fill ``out`` with the average of ``x`` from its seed on (``period`` − 1)."""
    # A running sum, not np.sum: the streams' order gives the same seed to the bit.
    out[0] = np.cumsum(x[:period])[-1] / period
    if alpha < 1.0:
        out[1:] = _recursion(x[period:], alpha, float(np.log1p(-alpha)), out[0])
    else:
        out[1:] = x[period:]


def _recursion(x: Floats, gain: float, rate: float, start: float) -> Floats:
    """Return y with y[k] = e^rate · y[k − 1] + gain · x[k], from y[−1] = ``start``.

    Each block of 32 is one row of a triangular product; what a block hands to the next
    is the same recursion over the blocks' ends, at 32 times the rate. Powers come from
    ``exp`` of the exact logarithm: 1 − a, rounded and raised to thousands, would be
    off.
    """
    powers = np.exp(rate * np.arange(BLOCK + 1))
    lags = np.subtract.outer(np.arange(BLOCK), np.arange(BLOCK))
    weights = np.where(lags >= 0, gain * powers[np.abs(lags)], 0.0)
    blocks = _blocks(x, BLOCK)
    y = np.empty_like(blocks)
    for row in range(0, len(blocks), PRODUCT_ROWS):
        rows = slice(row, row + PRODUCT_ROWS)
        np.matmul(blocks[rows], weights.T, out=y[rows])
    if len(y) > 1:
        ends = _recursion(y[:, -1], 1.0, rate * BLOCK, start)
        y[1:] += np.multiply.outer(ends[:-1], powers[1:])
    y[:1] += start * powers[1:]
    return y.reshape(-1)[: len(x)]
