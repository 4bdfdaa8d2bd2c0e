"""A chart's picture: which bars are seen, on which scale, and every line of it.

The base of the chart widget, which adds what keys and mouse do. Heavy bodies, light
wicks, lines over them, panes below that share the times. Without colours a rising body
is hollow and lines differ by their glyphs. Draws 120 by 30 cells in under 3 ms.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.segment import Segment
from textual.strip import Strip

from workstation.ui.widgets.candle_grid import (
    ASCII_HOLLOW,
    ASCII_SOLID,
    HOLLOW,
    SOLID,
    Grid,
)
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.chart_data import ChartData, Level, Plot
from workstation.ui.widgets.chart_lines import ink_of, values_range
from workstation.ui.widgets.chart_pane import Look, Pane
from workstation.ui.widgets.chart_reading import read_bar, reading_line
from workstation.ui.widgets.chart_rows import ChartRows, share_rows
from workstation.ui.widgets.chart_scale import (
    LABEL_CELLS,
    blank_scale,
    off_scale,
    pane_scale,
    price_scale,
    scale_cells,
)
from workstation.ui.widgets.inks import CHART_INKS, Part
from workstation.ui.widgets.price_axis import KeptRange, PriceAxis, zoomed
from workstation.ui.widgets.time_axis import time_labels

__all__ = ["ZOOMS", "ChartFace", "View"]

ZOOMS = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 8.0)

_MOST_TAILS = 512
# Rows of scales that are kept: more than a screen has.

_LINES_REACH = 0.5
"""How far lines may widen the scale beyond the bars, in heights of the bars."""


@dataclass(frozen=True, slots=True)
class View:
    """Which bars are seen and where: what was drawn last."""

    first: int
    last: int
    columns: int
    scale: int
    axis: PriceAxis
    rows: ChartRows

    @property
    def offset(self) -> int:
        """The column of the first bar."""
        return self.columns - (self.last + 1 - self.first)


class ChartFace(Canvas):
    """Draws ``data`` as far as it fits."""

    INKS = CHART_INKS

    def __init__(
        self,
        *,
        empty: Sequence[str] = ("No bars yet.",),
        bodies: Literal["auto", "solid", "hollow"] = "auto",
        id: str | None = None,
    ) -> None:
        """Make a chart.

        ``bodies``: "hollow" draws rising bodies hollow, "auto" only without colours.
        """
        super().__init__(id=id)
        self.data = ChartData()
        """What is shown."""
        self.edge_ts: int | None = None
        """The time of the last bar to show; None follows the newest."""
        self.cross: tuple[int, float | None] | None = None
        """The crosshair's bar, by its time, and price; None = the bar's close."""
        self.zoom_step = 0
        self.kept = KeptRange()
        self.panes: dict[str, Pane] = {}
        self.view: View | None = None
        """What was drawn last."""
        self._empty = tuple(empty)
        self._bodies = bodies
        self._tails: dict[tuple[object, ...], list[Segment]] = {}

    @property
    def zoom(self) -> float:
        """How many times the price scale is stretched."""
        return ZOOMS[self.zoom_step]

    @zoom.setter
    def zoom(self, value: float) -> None:
        step = min(range(len(ZOOMS)), key=lambda at: abs(ZOOMS[at] - value))
        if step != self.zoom_step:
            self.zoom_step = step
            self.redraw()

    @property
    def plain(self) -> bool:
        """Whether there are no colours to tell lines apart."""
        return self.app.no_color or self.glyphs.ascii

    # -- which bars ----------------------------------------------------------------

    def index_at(self, ts_ns: int) -> int:
        """Return the bar a moment falls into, −1 where it is older than all."""
        candles = self.data.candles
        return bisect_right(candles, ts_ns, key=lambda candle: candle.ts_ns) - 1

    def last_index(self) -> int:
        newest = len(self.data.candles) - 1
        if self.edge_ts is None:
            return newest
        return max(0, min(self.index_at(self.edge_ts), newest))

    def cross_index(self) -> int | None:
        if self.cross is None or not self.data.candles:
            return None
        at = self.index_at(self.cross[0])
        return at if at >= 0 else None

    def cross_price(self, at: int) -> float:
        assert self.cross is not None
        price = self.cross[1]
        return self.data.candles[at].close if price is None else price

    def reading(self) -> list[tuple[str, str]]:
        """Return (name, value) of what the crosshair reads; the first is the time."""
        at = self.cross_index()
        if at is None or self.cross is None:
            return []
        digits = {label: pane.digits for label, pane in self.panes.items()}
        return read_bar(self.data, at, self.cross_price(at), digits)

    # -- drawing -------------------------------------------------------------------

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the whole chart."""
        if not self.data.candles:
            self.view = None
            return [
                self.strip([(f"  {text}", "dim")], cells) for text in ("", *self._empty)
            ]
        if rows < 3 or cells < 24:
            return [self.strip([(" too small for a chart", "dim")], cells)]
        look = Look(self.glyphs, self.plain)
        panes = [plot for plot in self.data.plots if plot.pane]
        # Levels that may leave the scale keep their line, so that none comes and goes.
        noted = any(level.name != "last" for level in self.data.levels)
        lines = share_rows(rows, len(panes), note=noted)
        view = self.view = self._place(cells, lines)
        cross = self.cross_index()
        if cross is not None and not view.first <= cross <= view.last:
            shown_cross = None
        else:
            shown_cross = cross
        strips = self._price_strips(view, look, shown_cross, cells)
        at = view.last if cross is None else cross
        for plot in panes[: lines.panes]:
            strips += self._pane_strips(plot, view, look, at, shown_cross, cells)
        if cross is not None:
            text = reading_line(self.reading(), cells)
            strips[0] = self.strip([(text, "strong")], cells)
        if lines.note:
            hidden = panes[lines.panes :]
            strips.append(self._note(view, hidden, cells))
        strips.append(self._time_line(view, cells))
        return strips

    def _place(self, cells: int, lines: ChartRows) -> View:
        """Return which bars are seen and on which scale."""
        candles, last = self.data.candles, self.last_index()
        # The scale's width depends on the range, and that on how many bars are seen.
        scale = 0 if self.view is None else self.view.scale
        axis = PriceAxis(0.0, 1.0, lines.price)
        first = 0
        for _ in range(2):
            columns = max(1, cells - scale - 3 - LABEL_CELLS)
            last = max(last, min(columns, len(candles)) - 1)
            first = max(0, last + 1 - columns)
            low, high = self._price_range(first, last)
            axis = PriceAxis(*zoomed(low, high, self.zoom), lines.price)
            needed = scale_cells(axis, self.data.decimals)
            if needed == scale:
                break
            scale = needed
        columns = max(1, cells - scale - 3 - LABEL_CELLS)
        first = max(0, last + 1 - columns)
        return View(first, last, columns, scale, axis, lines)

    def _price_range(self, first: int, last: int) -> tuple[float, float]:
        bars = self.data.candles[first : last + 1]
        low = min(bar.low for bar in bars)
        high = max(bar.high for bar in bars)
        over = [plot for plot in self.data.plots if not plot.pane]
        found = values_range(over, first, last)
        if found is not None:
            reach = (high - low) * _LINES_REACH
            low, high = (
                min(low, max(found[0], low - reach)),
                max(high, min(found[1], high + reach)),
            )
        return self.kept.fit(low, high)

    def _price_strips(
        self, view: View, look: Look, cross: int | None, cells: int
    ) -> list[Strip]:
        data, first, last = self.data, view.first, view.last
        bars = data.candles[first : last + 1]
        grid = Grid(view.axis, view.columns, len(bars))
        grid.draw_trail(data.held[first : last + 1], "┈", "accent")
        grid.draw_trail(data.stops[first : last + 1], "╌", "down")
        poor = look.glyphs.ascii
        hollow = self._bodies == "hollow" or (self._bodies == "auto" and look.plain)
        solid = ASCII_SOLID if poor else SOLID
        rising = (ASCII_HOLLOW if poor else HOLLOW) if hollow else solid
        grid.draw_bars(bars, rising, solid)
        over = [plot for plot in data.plots if not plot.pane]
        # The first was asked for first: it lies on top.
        for place, plot in reversed(list(enumerate(over))):
            for line in plot.lines:
                glyph = look.glyph(place, line.style)
                grid.draw_line(line.values[first : last + 1], glyph, ink_of(place))
        for marker in data.markers:
            glyph = look.glyphs.up if marker.up else look.glyphs.down
            ink = "strong bold" if marker.opens else "accent bold"
            grid.draw_marker(
                marker.bar - first, marker.price, glyph, marker.letter, ink
            )
        levels = tuple(data.levels)
        if cross is not None:
            price = self.cross_price(cross)
            grid.draw_cross(cross - first, price)
            levels = (Level("here", price, "accent"), *levels)
        scale = price_scale(view.axis, view.scale, levels, data.decimals, look.glyphs)
        return self._grid_strips(grid, scale, cells)

    def _pane_strips(
        self,
        plot: Plot,
        view: View,
        look: Look,
        at: int,
        cross: int | None,
        cells: int,
    ) -> list[Strip]:
        pane = self.panes.get(plot.label)
        if pane is None:
            pane = self.panes[plot.label] = Pane()
        axis = pane.axis(plot, view.first, view.last, view.rows.body)
        grid = pane.grid(plot, axis, view.columns, view.first, view.last, look)
        if cross is not None:
            grid.draw_cross(cross - view.first, None)
        if at == view.last and cross is None:
            # The forming bar has no value: the last closed one has.
            known = min(len(line.values) for line in plot.lines) - 1
            at = min(at, known)
        title = pane.title(plot, at, view.columns, look)
        head = self.strip([*title, *blank_scale(view.scale, look.glyphs)], cells)
        scale = pane_scale(axis, view.scale, look.glyphs)
        return [head, *self._grid_strips(grid, scale, cells)]

    def _grid_strips(
        self, grid: Grid, scale: Sequence[list[Part]], cells: int
    ) -> list[Strip]:
        columns = len(grid.glyphs[0])
        return [
            Strip(
                [
                    *self._runs(grid.glyphs[row], grid.inks[row]),
                    *self._tail(scale[row], cells - columns),
                ],
                cells,
            )
            for row in range(grid.axis.rows)
        ]

    def _runs(self, glyphs: list[str], inks: list[str]) -> list[Segment]:
        """Return a row of the plot; neighbours of one ink are one segment."""
        ascii = self.glyphs.ascii
        show = self.glyphs.show
        segments: list[Segment] = []
        text = "".join(glyphs)
        if ascii:
            text = show(text)
        if text.isspace():
            return [Segment(text, self.ink())]
        start, ink = 0, inks[0]
        for column, name in enumerate(inks):
            # A blank takes any ink, so runs grow longer and segments fewer.
            if name != ink and glyphs[column] != " ":
                run = text[start:column]
                if run:
                    segments.append(
                        Segment(run, self.ink("" if run.isspace() else ink))
                    )
                start, ink = column, name
        segments.append(Segment(text[start:], self.ink(ink)))
        return segments

    def _tail(self, parts: list[Part], cells: int) -> list[Segment]:
        """Return the scale of a row; most stay from frame to frame."""
        key = (self.style_epoch, cells, *parts)
        tail = self._tails.get(key)
        if tail is None:
            if len(self._tails) > _MOST_TAILS:
                self._tails.clear()
            tail = self._tails[key] = list(self.strip(parts, cells))
        return tail

    def _note(self, view: View, hidden: Sequence[Plot], cells: int) -> Strip:
        """Return the line that names what is not seen: levels and panes."""
        notes = []
        away = off_scale(view.axis, self.data.levels, self.data.decimals, self.glyphs)
        if hidden:
            labels = ", ".join(plot.label for plot in hidden)
            notes.append(f"hidden: {labels}; make the chart taller, z")
        if away:
            notes.append(away)
        room = view.columns
        text = f" {'   '.join(notes)}" if notes else ""
        line = self.strip([(text, "dim")], room)
        tail = self.strip(blank_scale(view.scale, self.glyphs), cells - room)
        return Strip([*line, *tail], cells)

    def _time_line(self, view: View, cells: int) -> Strip:
        """Return the times of the bars that begin a round interval."""
        data = self.data
        starts = [bar.ts_ns for bar in data.candles[view.first : view.last + 1]]
        line = [" "] * view.columns
        for index, text in time_labels(starts, data.bar_ns, data.number + view.first):
            column = view.offset + index
            if column + len(text) <= view.columns:
                line[column : column + len(text)] = text
        zone = "UTC".rjust(view.scale + 1)
        return self.strip([(f"{''.join(line)}{zone}", "dim")], cells)
