"""A pane below the price: an indicator on a scale of its own, with a title over it.

Makes raster, title and scale; the chart turns them into strips.
"""

from __future__ import annotations

from dataclasses import dataclass

from workstation.ui.glyphs import GlyphSet
from workstation.ui.typeset import truncate, width
from workstation.ui.widgets.candle_grid import ASCII_SOLID, SOLID, Grid
from workstation.ui.widgets.chart_data import Plot, Style
from workstation.ui.widgets.chart_lines import glyph_of, ink_of, values_range
from workstation.ui.widgets.chart_reading import plot_values
from workstation.ui.widgets.chart_scale import pane_decimals
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.price_axis import KeptRange, PriceAxis

__all__ = ["Look", "Pane"]

_FLAT = (0.0, 1.0)
# What a pane shows until its indicator has a value.


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart draws: its glyph set, and whether there are colours."""

    glyphs: GlyphSet
    plain: bool

    def glyph(self, place: int, style: Style) -> str:
        """Return the glyph of a line."""
        return glyph_of(place, style, plain=self.plain, ascii=self.glyphs.ascii)


class Pane:
    """One pane; it keeps its range from frame to frame."""

    def __init__(self) -> None:
        self._range = KeptRange()
        self.digits = 2
        """Decimals of the values in its title."""

    def forget(self) -> None:
        """Choose the range anew at the next look."""
        self._range.forget()

    def axis(self, plot: Plot, first: int, last: int, rows: int) -> PriceAxis:
        """Return the scale of bars ``first`` to ``last`` in ``rows``."""
        low, high = plot.bounds or self._fit(plot, first, last)
        self.digits = pane_decimals(low, high)
        return PriceAxis(low, high, rows)

    def _fit(self, plot: Plot, first: int, last: int) -> tuple[float, float]:
        found = values_range((plot,), first, last)
        if found is None:
            return _FLAT
        low, high = found
        if any(line.style is Style.HISTOGRAM for line in plot.lines):
            low, high = min(low, 0.0), max(high, 0.0)
        return self._range.fit(low, high)

    def grid(
        self,
        plot: Plot,
        axis: PriceAxis,
        columns: int,
        first: int,
        last: int,
        look: Look,
    ) -> Grid:
        """Draw the lines over the histogram, that over the line of zero."""
        grid = Grid(axis, columns, last + 1 - first)
        if axis.low < 0.0 < axis.high:
            grid.draw_rule(0.0, "┈")
        shapes = ASCII_SOLID if look.glyphs.ascii else SOLID
        for line in plot.lines:
            if line.style is Style.HISTOGRAM:
                grid.draw_histogram(line.values[first : last + 1], shapes)
        for place, line in enumerate(plot.lines):
            if line.style is not Style.HISTOGRAM:
                glyph = look.glyph(place, line.style)
                grid.draw_line(line.values[first : last + 1], glyph, ink_of(place))
        return grid

    def title(self, plot: Plot, at: int, cells: int, look: Look) -> list[Part]:
        """Return the rule over the pane with the values at bar ``at``."""
        rule = look.glyphs.rule
        parts: list[Part] = [(f"{rule} ", "rule")]
        used = 2
        values = plot_values(plot, at, self.digits)
        for place, (name, value) in enumerate(values):
            line = plot.lines[place]
            histogram = line.style is Style.HISTOGRAM
            ink = "strong" if histogram else ink_of(place)
            sample = ""
            if look.plain and not histogram and len(values) > 1:
                glyph = look.glyph(place, line.style)
                sample = f"{glyph[len(glyph) // 2]} "
            text = f"{sample}{name} {value}".strip()
            text = truncate(text, cells - used - 2)
            if not text:
                break
            parts += [(text, ink), ("  " if place < len(values) - 1 else " ", "")]
            used += width(text) + (2 if place < len(values) - 1 else 1)
            if text.endswith("…"):
                break
        parts.append((rule * max(0, cells - used), "rule"))
        return parts
