"""The raster of the candle chart: glyphs and inks of each cell, before any styling.

Draws bars in half cells, levels, overlays, markers and the crosshair in that order;
``candles`` turns it into strips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workstation.ui.widgets.price_axis import PriceAxis

# Indexed by what the upper and lower half of a cell hold: 0 none, 1 wick, 2 body.
SOLID = ((" ", "╷", "╻"), ("╵", "│", "╽"), ("╹", "╿", "┃"))
HOLLOW = ((" ", "╷", "╻"), ("╵", "│", "╽"), ("╹", "╿", "║"))
ASCII_SOLID = ((" ", ".", "#"), ("'", "|", "#"), ("#", "#", "#"))
ASCII_HOLLOW = ((" ", ".", "O"), ("'", "|", "O"), ("O", "O", "O"))

Shapes = tuple[tuple[str, str, str], tuple[str, str, str], tuple[str, str, str]]

_FREE = " ·┈"
# Cells the crosshair may draw over.


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar: the start of its interval in ns UTC, and its four prices."""

    ts_ns: int
    open: float
    high: float
    low: float
    close: float


class Grid:
    """``axis.rows`` by ``columns`` cells; the newest of ``bars`` is at the right."""

    def __init__(self, axis: PriceAxis, columns: int, bars: Sequence[Candle]) -> None:
        self.axis = axis
        self.bars = bars
        self.offset = columns - len(bars)
        self.glyphs = [[" "] * columns for _ in range(axis.rows)]
        self.inks = [[""] * columns for _ in range(axis.rows)]

    def put(self, row: int, column: int, glyph: str, ink: str) -> None:
        """Set one cell."""
        self.glyphs[row][column] = glyph
        self.inks[row][column] = ink

    def draw_bars(self, rising_shapes: Shapes, falling_shapes: Shapes) -> None:
        """Draw each bar in its column: wick from low to high, body over it."""
        axis, glyphs, inks = self.axis, self.glyphs, self.inks
        bottom = 2 * axis.rows
        scale = (bottom - 1) / (axis.high - axis.low)
        top_price = axis.high
        for column, bar in enumerate(self.bars, start=self.offset):
            rising = bar.close >= bar.open
            upper, lower = (bar.close, bar.open) if rising else (bar.open, bar.close)
            wick_top = round((top_price - bar.high) * scale)
            wick_end = round((top_price - bar.low) * scale)
            body_top = round((top_price - upper) * scale)
            body_end = round((top_price - lower) * scale)
            shapes = rising_shapes if rising else falling_shapes
            ink = "up" if rising else "down"
            first = max(0, wick_top) & ~1
            for half in range(first, min(bottom, wick_end + 1), 2):
                # Inlined for both halves: a call per half doubles the frame's cost.
                if half < wick_top or half > wick_end:
                    one = 0
                else:
                    one = 2 if body_top <= half <= body_end else 1
                if half + 1 < wick_top or half + 1 > wick_end:
                    two = 0
                else:
                    two = 2 if body_top <= half + 1 <= body_end else 1
                row = half >> 1
                glyphs[row][column] = shapes[one][two]
                inks[row][column] = ink

    def draw_level(self, price: float) -> None:
        """Draw a price across the whole chart."""
        if self.axis.holds(price):
            row = self.axis.row(price)
            columns = len(self.glyphs[row])
            self.glyphs[row] = ["┈"] * columns
            self.inks[row] = ["rule"] * columns

    def draw_overlay(self, values: Iterable[float | None], ink: str) -> None:
        """Draw one value per bar as dots; None and NaN leave gaps."""
        axis = self.axis
        for column, value in enumerate(values, start=self.offset):
            if value is None or value != value or not axis.holds(value):
                continue
            self.put(axis.row(value), column, "·", ink)

    def draw_marker(self, bar: int, price: float, glyph: str) -> None:
        """Draw a glyph at a bar (counted from the first shown) and a price."""
        if 0 <= bar < len(self.bars) and self.axis.holds(price):
            self.put(self.axis.row(price), bar + self.offset, glyph, "strong bold")

    def draw_cross(self, bar: int, price: float) -> None:
        """Draw the crosshair through a bar and a price, over free cells."""
        column = bar + self.offset
        row = max(0, min(self.axis.rows - 1, self.axis.row(price)))
        for y, line in enumerate(self.glyphs):
            if line[column] in _FREE:
                self.put(y, column, "┊", "dim")
        for x, glyph in enumerate(self.glyphs[row]):
            if glyph in _FREE:
                self.put(row, x, "─", "rule")
