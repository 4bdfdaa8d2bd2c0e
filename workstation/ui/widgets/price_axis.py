"""Where prices fall on the chart's grid: nice ticks, half and quarter cells, the range.

Pure arithmetic for the chart; a half cell is the unit of a candle's height, a quarter
that of a line's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = [
    "KeptRange",
    "PriceAxis",
    "nice_step",
    "price_ticks",
    "step_decimals",
    "zoomed",
]

_MARGIN = 0.06
"""Room above and below a new range, so that the next bars need no other one."""

_LEAST_USE = 0.5
"""A range is chosen anew when less of it is used."""


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

    def quarter(self, price: float) -> int:
        """Return the quarter cell of ``price``, 0 at the top; may lie outside."""
        steps = 4 * self.rows - 1
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


class KeptRange:
    """A range that stands still until a value leaves it, or less than half is used.

    A chart that fits its scale to every tick moves as a whole, and hides the one move
    that matters.
    """

    def __init__(self) -> None:
        self.low = 0.0
        self.high = 0.0

    def forget(self) -> None:
        """Choose anew at the next look."""
        self.low = self.high = 0.0

    def fit(self, low: float, high: float) -> tuple[float, float]:
        """Return the range for values from ``low`` to ``high``."""
        kept = self.high - self.low
        # A flat market still needs a scale.
        span = max(high - low, 2 * max(abs(low), abs(high)) * 1e-6, 1e-12)
        inside = self.low <= low and high <= self.high
        if not inside or kept <= 0.0 or span < _LEAST_USE * kept:
            middle, reach = (low + high) / 2, span * (0.5 + _MARGIN)
            self.low, self.high = middle - reach, middle + reach
        return self.low, self.high


def zoomed(low: float, high: float, zoom: float) -> tuple[float, float]:
    """Return the middle of a range, ``zoom`` times as large."""
    middle, reach = (low + high) / 2, (high - low) / 2 / zoom
    return middle - reach, middle + reach


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
