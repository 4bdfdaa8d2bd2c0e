"""Where prices and times fall on the chart's grid: nice ticks, half cells, labels.

Pure arithmetic for ``candles``; a half cell is the unit of height.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_NS_PER_S = 1_000_000_000
_TIME_STEPS_S = (
    *(1, 5, 10, 15, 30),
    *(60, 120, 300, 600, 900, 1_800),
    *(3_600, 7_200, 14_400, 21_600, 43_200),
    *(86_400, 172_800, 604_800, 2_592_000),
)


@dataclass(frozen=True, slots=True)
class PriceAxis:
    """The prices ``low`` to ``high`` over ``rows`` cells, two steps to a cell."""

    low: float
    high: float
    rows: int

    def half(self, price: float) -> int:
        """Return the half cell of ``price``, 0 at the top; may lie outside."""
        steps = 2 * self.rows - 1
        return round((self.high - price) / (self.high - self.low) * steps)

    def row(self, price: float) -> int:
        """Return the row of ``price``, 0 at the top; may lie outside."""
        return self.half(price) // 2

    def price(self, row: int) -> float:
        """Return the price at the middle of ``row``."""
        steps = 2 * self.rows - 1
        return self.high - (2 * row + 0.5) / steps * (self.high - self.low)

    def holds(self, price: float) -> bool:
        """Tell whether ``price`` is on the axis."""
        return 0 <= self.half(price) < 2 * self.rows


def nice_step(span: float, most: int) -> float:
    """Return the least 1, 2 or 5 × 10ⁿ that has at most ``most`` steps in ``span``."""
    raw = span / max(1, most)
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1, 2, 5):
        if factor * power >= raw * (1 - 1e-9):
            return factor * power
    return 10 * power


def step_decimals(step: float) -> int:
    """Return the digits after the point that tell two ticks of ``step`` apart."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


def price_ticks(axis: PriceAxis, spacing: int = 2) -> tuple[list[float], int]:
    """Return nice prices at least ``spacing`` rows apart, and their decimals."""
    step = nice_step(axis.high - axis.low, max(1, axis.rows // spacing))
    first = math.ceil(axis.low / step - 1e-9)
    last = math.floor(axis.high / step + 1e-9)
    return [index * step for index in range(first, last + 1)], step_decimals(step)


def price_range(
    lows: Sequence[float], highs: Sequence[float], zoom: float
) -> tuple[float, float]:
    """Return the range to show: all of it at ``zoom`` 1, less of it above."""
    low, high = min(lows), max(highs)
    middle, reach = (low + high) / 2, (high - low) / 2 / zoom
    least = max(abs(middle) * 1e-6, 1e-12)
    # A flat market still needs a scale.
    reach = max(reach, least)
    return middle - reach, middle + reach


def time_step(bar_ns: int, label_cells: int) -> int:
    """Return the distance of time labels in ns, for bars one cell wide."""
    least = bar_ns * label_cells
    for step in _TIME_STEPS_S:
        if step * _NS_PER_S >= least:
            return step * _NS_PER_S
    return least
