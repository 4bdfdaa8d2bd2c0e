"""The raster of a chart's plot: glyphs and inks of each cell, before any styling.

One column per bar, the newest at the right. The chart draws candles, lines, histograms,
trails, markers and the crosshair into it, and turns it into strips.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workstation.ui.widgets.chart_data import Candle
from workstation.ui.widgets.price_axis import PriceAxis

__all__ = [
    "ASCII_HOLLOW",
    "ASCII_SOLID",
    "FINE",
    "HOLLOW",
    "SOLID",
    "Grid",
    "Shapes",
]

# Indexed by what the upper and lower half of a cell hold: 0 none, 1 wick, 2 body.
SOLID = ((" ", "╷", "╻"), ("╵", "│", "╽"), ("╹", "╿", "┃"))
HOLLOW = ((" ", "╷", "╻"), ("╵", "│", "╽"), ("╹", "╿", "║"))
ASCII_SOLID = ((" ", ".", "#"), ("'", "|", "#"), ("#", "#", "#"))
ASCII_HOLLOW = ((" ", ".", "O"), ("'", "|", "O"), ("O", "O", "O"))

FINE = "⠉⠒⠤⣀"
"""A line at each quarter of a cell, from the top."""

Shapes = tuple[tuple[str, str, str], tuple[str, str, str], tuple[str, str, str]]

_FREE = frozenset(" ┈╌─" + FINE)
# Cells that a marker's letter and the crosshair may take.


class Grid:
    """``axis.rows`` by ``columns`` cells for ``count`` bars, which end at the right."""

    def __init__(self, axis: PriceAxis, columns: int, count: int) -> None:
        self.axis = axis
        self.count = count
        self.offset = columns - count
        self.glyphs = [[" "] * columns for _ in range(axis.rows)]
        self.inks = [[""] * columns for _ in range(axis.rows)]
        # Columns whose candle is one cell: a line drawn over it would hide all of it.
        self._thin: dict[int, int] = {}

    def put(self, row: int, column: int, glyph: str, ink: str) -> None:
        """Set one cell."""
        self.glyphs[row][column] = glyph
        self.inks[row][column] = ink

    def draw_bars(
        self, bars: Sequence[Candle], rising_shapes: Shapes, falling_shapes: Shapes
    ) -> None:
        """Draw each bar in its column: wick from low to high, body over it."""
        axis, glyphs, inks = self.axis, self.glyphs, self.inks
        bottom = 2 * axis.rows
        # In the order of the axis' own arithmetic: both must round alike.
        steps, span, top_price = bottom - 1, axis.high - axis.low, axis.high
        for column, bar in enumerate(bars, start=self.offset):
            rising = bar.close >= bar.open
            upper, lower = (bar.close, bar.open) if rising else (bar.open, bar.close)
            wick_top = round((top_price - bar.high) / span * steps)
            wick_end = round((top_price - bar.low) / span * steps)
            body_top = round((top_price - upper) / span * steps)
            body_end = round((top_price - lower) / span * steps)
            shapes = rising_shapes if rising else falling_shapes
            ink = "up" if rising else "down"
            first = max(0, wick_top) & ~1
            if wick_end <= first + 1:
                self._thin[column] = first >> 1
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

    def draw_line(self, values: Iterable[float | None], glyphs: str, ink: str) -> None:
        """Draw one value per bar; None and NaN leave gaps.

        ``glyphs`` is one, or one for each quarter of a cell from the top.
        """
        axis, thin = self.axis, self._thin
        bottom = 4 * axis.rows
        steps, span = bottom - 1, axis.high - axis.low
        high, rows, inks = axis.high, self.glyphs, self.inks
        fine = len(glyphs) > 1
        for column, value in enumerate(values, start=self.offset):
            if value is None or value != value:
                continue
            quarter = round((high - value) / span * steps)
            if not 0 <= quarter < bottom:
                continue
            row = quarter >> 2
            if thin and thin.get(column) == row:
                continue
            rows[row][column] = glyphs[quarter & 3] if fine else glyphs
            inks[row][column] = ink

    def draw_trail(self, values: Iterable[float | None], glyph: str, ink: str) -> None:
        """Draw a price that holds for whole bars, below what is drawn afterwards."""
        axis = self.axis
        for column, value in enumerate(values, start=self.offset):
            if value is not None and axis.holds(value):
                self.put(axis.row(value), column, glyph, ink)

    def draw_rule(self, value: float, glyph: str) -> None:
        """Draw a value across the whole plot."""
        if self.axis.holds(value):
            row = self.axis.row(value)
            columns = len(self.glyphs[row])
            self.glyphs[row] = [glyph] * columns
            self.inks[row] = ["rule"] * columns

    def draw_histogram(self, values: Iterable[float | None], shapes: Shapes) -> None:
        """Draw columns from zero, or from the nearest edge where zero is not seen."""
        axis, glyphs, inks = self.axis, self.glyphs, self.inks
        bottom = 2 * axis.rows
        zero = min(max(axis.half(0.0), 0), bottom - 1)
        for column, value in enumerate(values, start=self.offset):
            if value is None or value != value:
                continue
            end = min(max(axis.half(value), 0), bottom - 1)
            top, low = (end, zero) if end <= zero else (zero, end)
            ink = "up" if value >= 0.0 else "down"
            for half in range(top & ~1, low + 1, 2):
                one = 2 if top <= half <= low else 0
                two = 2 if top <= half + 1 <= low else 0
                glyphs[half >> 1][column] = shapes[one][two]
                inks[half >> 1][column] = ink

    def draw_marker(
        self, bar: int, price: float, glyph: str, letter: str, ink: str
    ) -> None:
        """Draw a glyph at a bar and a price, its letter above or below where free.

        ``bar`` counts from the first shown; an upward glyph has its letter below.
        """
        if not (0 <= bar < self.count and self.axis.holds(price)):
            return
        row, column = self.axis.row(price), bar + self.offset
        self.put(row, column, glyph, ink)
        if not letter:
            return
        below = glyph in "▲^"
        for at in (row + 1, row - 1) if below else (row - 1, row + 1):
            if 0 <= at < self.axis.rows and self.glyphs[at][column] == letter:
                return
            if 0 <= at < self.axis.rows and self.glyphs[at][column] in _FREE:
                self.put(at, column, letter, ink)
                return

    def draw_cross(self, bar: int, price: float | None) -> None:
        """Draw the crosshair through a bar, and a price if given, over free cells."""
        column = bar + self.offset
        for y, line in enumerate(self.glyphs):
            if line[column] in _FREE:
                self.put(y, column, "┊", "dim")
        if price is None:
            return
        row = max(0, min(self.axis.rows - 1, self.axis.row(price)))
        for x, glyph in enumerate(self.glyphs[row]):
            if glyph in _FREE:
                self.put(row, x, "─", "rule")
            elif glyph == "┊":
                self.put(row, x, "┼", "dim")
