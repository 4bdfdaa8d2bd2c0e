"""Recursive averages, and what is made of averages of closes.

Each is seeded with the mean of its first inputs. The recursion runs in blocks.
"""

from __future__ import annotations

import numpy as np

from workstation.indicators.arrays.blocks import Floats, blocks, unknown
from workstation.indicators.average import ema_gain

BLOCK = 32
"""Steps of a recursion done as one triangular product: small enough that the 32-fold
arithmetic is cheaper than a Python-level step, large enough that few levels remain."""

PRODUCT_ROWS = 256
"""Blocks per product. Larger ones make OpenBLAS start threads, which then spin: twice
the CPU time for the same wall time, and a second core taken from the event loop."""


def average(x: Floats, seeds: int, gain: float) -> Floats:
    """Return y ← y + gain·(x − y), seeded with the mean of the first ``seeds``."""
    out = np.full(len(x), np.nan)
    if len(x) >= seeds:
        fill_average(out[seeds - 1 :], x, seeds, gain)
    return out


def rsi(x: Floats, period: int, still: float, unmoved: float) -> Floats:
    """Return Wilder's index; U + D up to ``still`` is no movement: ``unmoved``."""
    out = np.full(len(x), np.nan)
    if len(x) <= period:
        return out
    change = np.diff(x)
    up, down = np.empty((2, len(x) - period))
    fill_average(up, np.maximum(change, 0.0), period, 1.0 / period)
    fill_average(down, np.maximum(-change, 0.0), period, 1.0 / period)
    total = up + down
    moved = total > still
    index = out[period:]
    np.divide(up, total, out=index, where=moved)
    index *= 100.0
    index[~moved] = unmoved
    return out


def macd(x: Floats, fast: int, slow: int, signal: int) -> tuple[Floats, Floats, Floats]:
    """Return (line, signal, histogram), which begin together."""
    line, mean, histogram = unknown(3, len(x))
    first = slow + signal - 2
    if len(x) <= first:
        return line, mean, histogram
    quick, slack = np.empty((2, len(x) - slow + 1))
    fill_average(quick, x[slow - fast :], fast, ema_gain(fast))
    fill_average(slack, x, slow, ema_gain(slow))
    quick -= slack
    fill_average(mean[first:], quick, signal, ema_gain(signal))
    line[first:] = quick[signal - 1 :]
    np.subtract(line, mean, out=histogram)
    return line, mean, histogram


def macd_of_early_seeds(
    x: Floats, fast: int, slow: int, signal: int
) -> tuple[Floats, Floats, Floats]:
    """Return (line, signal, histogram), both averages seeded from the first value on.

    The line begins with the slow average, the others with the signal.
    """
    line = average(x, fast, ema_gain(fast))
    line -= average(x, slow, ema_gain(slow))
    mean = np.full(len(x), np.nan)
    mean[slow - 1 :] = average(line[slow - 1 :], signal, ema_gain(signal))
    return line, mean, line - mean


def fill_average(out: Floats, x: Floats, seeds: int, gain: float) -> None:
    """Fill ``out`` with the average of ``x`` from its seed on (``seeds`` − 1)."""
    # A running sum, not np.sum: the streams' order gives the same seed to the bit.
    out[0] = np.cumsum(x[:seeds])[-1] / seeds
    if gain < 1.0:
        out[1:] = recursion(x[seeds:], gain, float(np.log1p(-gain)), out[0])
    else:
        out[1:] = x[seeds:]


def recursion(x: Floats, gain: float, rate: float, start: float) -> Floats:
    """Return y with y[k] = e^rate · y[k − 1] + gain · x[k], from y[−1] = ``start``.

    Each block of 32 is one row of a triangular product; what a block hands to the next
    is the same recursion over the blocks' ends, at 32 times the rate. Powers come from
    ``exp`` of the exact logarithm: 1 − a, rounded and raised to thousands, would be
    off.
    """
    powers = np.exp(rate * np.arange(BLOCK + 1))
    lags = np.subtract.outer(np.arange(BLOCK), np.arange(BLOCK))
    weights = np.where(lags >= 0, gain * powers[np.abs(lags)], 0.0)
    table = blocks(x, BLOCK)
    y = np.empty_like(table)
    for row in range(0, len(table), PRODUCT_ROWS):
        rows = slice(row, row + PRODUCT_ROWS)
        np.matmul(table[rows], weights.T, out=y[rows])
    if len(y) > 1:
        ends = recursion(y[:, -1], 1.0, rate * BLOCK, start)
        y[1:] += np.multiply.outer(ends[:-1], powers[1:])
    y[:1] += start * powers[1:]
    return y.reshape(-1)[: len(x)]
