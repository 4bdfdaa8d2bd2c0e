"""The supertrend: bands that follow price, and the side of it they are on.

Sequential by nature, and the one kernel with Python-level loops over bars. They run in
the stream's own arithmetic and read memory without making lists of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workstation.indicators.arrays.blocks import Floats, unknown
from workstation.indicators.arrays.ranges import ranges


def supertrend(
    high: Floats,
    low: Floats,
    close: Floats,
    *,
    period: int,
    multiplier: float,
    by_band: bool,
) -> tuple[Floats, Floats]:
    """Return the line and its direction, +1 for up.

    ``by_band``: the average counts the first bar's range, the first direction is down,
    and a side is the band that the line was equal to.
    """
    line, direction = unknown(2, len(close))
    first = period - 1 if by_band else period
    if len(close) <= first:
        return line, direction
    spans = ranges(high, low, close)
    if by_band:
        spans = np.concatenate((high[:1] - low[:1], spans))
    width = _exact_average(spans, period)
    width *= multiplier
    middle = (high + low)[first:] / 2.0
    flips: list[int] = []
    line[first:] = _filled(
        _followed(middle + width, middle - width, close[first:], by_band, flips),
        len(middle),
    )
    turns = np.zeros(len(middle), dtype=np.int64)
    turns[flips] = 1
    direction[first:] = 1.0 - 2.0 * ((np.cumsum(turns) + by_band) % 2)
    return line, direction


def _exact_average(x: Floats, period: int) -> Floats:
    """Return Wilder's average from its seed on, in the stream's own arithmetic.

    The recursion in blocks differs in the last digit, which can decide on which side
    of a band a close is; this takes twenty times as long.
    """
    seed = float(np.cumsum(x[:period])[-1]) / period
    steps = _steps(seed, 1.0 / period, x[period:])
    return _filled(steps, len(x) - period + 1)


def _steps(value: float, gain: float, x: Floats) -> Iterator[float]:
    yield value
    for each in x.data:
        value += gain * (each - value)
        yield value


def _followed(
    upper: Floats, lower: Floats, close: Floats, by_band: bool, flips: list[int]
) -> Iterator[float]:
    """Yield the line from the bands around each bar's middle; note where it flips.

    A loop over bars: each needs the bands and the side the one before ended with.
    """
    up = not by_band
    # Both bands begin with those of the first bar, whichever side its close is on.
    ceiling, floor, previous = float(upper[0]), float(lower[0]), float(close[0])
    yield floor if up else ceiling
    bars = zip(upper[1:].data, lower[1:].data, close[1:].data, strict=True)
    for at, (high, low, price) in enumerate(bars, start=1):
        side = up and not (by_band and floor == ceiling)
        if high < ceiling or previous > ceiling:
            ceiling = high
        if low > floor or previous < floor:
            floor = low
        previous = price
        side = price >= floor if side else price > ceiling
        if side != up:
            up = side
            flips.append(at)
        yield floor if up else ceiling


def _filled(values: Iterator[float], count: int) -> Floats:
    return np.fromiter(values, dtype=np.float64, count=count)
