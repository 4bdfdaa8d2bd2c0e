"""A candle chart in one column per bar, drawn in half cells.

Heavy bodies, light wicks, a price scale with the levels that matter, overlays as dots,
entries and exits, a crosshair. Without colours a rising body is hollow. Draws a frame
of 120 by 30 in about 2 ms; knows no engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from workstation.ui.typeset import fit, number, utc_clock, utc_minute, width
from workstation.ui.widgets.candle_grid import (
    ASCII_HOLLOW,
    ASCII_SOLID,
    HOLLOW,
    SOLID,
    Candle,
    Grid,
)
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    CHART_INKS,
    Part,
    component_css,
)
from workstation.ui.widgets.price_axis import (
    PriceAxis,
    price_range,
    price_ticks,
    time_step,
)

__all__ = ["Candle", "CandleChart", "Level", "Marker"]

LABEL_CELLS = 5
"""Room for a level's name beside the scale: "last", "in", "stop"."""

_ZOOMS = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 8.0)
_NS_PER_DAY = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Marker:
    """An entry or exit at the bar of index ``bar`` (into the candles) and a price."""

    bar: int
    price: float
    up: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A price named on the scale; ``line`` also draws it across the chart."""

    name: str
    price: float
    ink: str = "strong"
    line: bool = False


class CandleChart(Canvas, can_focus=True):
    """The chart. ``set_chart`` replaces everything it shows."""

    ALLOW_MAXIMIZE = True
    INKS = CHART_INKS
    DEFAULT_CSS = f"""
    CandleChart {{ width: 1fr; height: 1fr; }}
    {component_css("CandleChart", CHART_INKS)}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "crosshair(-1, 0)", show=False, id="chart.left"),
        Binding("right", "crosshair(1, 0)", show=False, id="chart.right"),
        Binding("up", "crosshair(0, -1)", show=False, id="chart.up"),
        Binding("down", "crosshair(0, 1)", show=False, id="chart.down"),
        Binding("home", "edge(0)", show=False, id="chart.home"),
        Binding("end", "edge(1)", show=False, id="chart.end"),
        Binding("plus,equals_sign", "zoom(1)", show=False, id="chart.zoom_in"),
        Binding("minus", "zoom(-1)", show=False, id="chart.zoom_out"),
        Binding("f", "follow", show=False, id="chart.follow"),
    ]

    class CrosshairMoved(Message):
        """The operator moved the crosshair; ``bar`` is None when it is put away."""

        def __init__(self, chart: CandleChart, bar: Candle | None) -> None:
            super().__init__()
            self.chart = chart
            self.bar = bar

        @property
        def control(self) -> CandleChart:
            """The chart it happened in."""
            return self.chart

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
        self._empty = tuple(empty)
        self._bodies = bodies
        self._candles: Sequence[Candle] = ()
        self._overlays: Mapping[str, Sequence[float | None]] = {}
        self._markers: Sequence[Marker] = ()
        self._levels: Sequence[Level] = ()
        self._decimals = 2
        self._zoom = 0
        self._edge_ts: int | None = None
        self._cross: tuple[int, float] | None = None
        self._axis: PriceAxis | None = None

    # -- what the caller sets and reads --------------------------------------------

    def set_chart(
        self,
        candles: Sequence[Candle],
        *,
        overlays: Mapping[str, Sequence[float | None]] | None = None,
        markers: Sequence[Marker] = (),
        levels: Sequence[Level] = (),
        decimals: int = 2,
    ) -> None:
        """Show ``candles``, oldest first.

        Each overlay has one value (or None, NaN) per candle; the first four are drawn.
        ``levels`` come in order of importance. ``decimals`` are the instrument's.
        """
        self._candles = candles
        self._overlays = overlays or {}
        self._markers = markers
        self._levels = levels
        self._decimals = decimals
        self.redraw()

    @property
    def following(self) -> bool:
        """Whether the newest bar is kept in view."""
        return self._edge_ts is None

    @following.setter
    def following(self, value: bool) -> None:
        if value != self.following and self._candles:
            self._edge_ts = None if value else self._candles[self._last()].ts_ns
            self.redraw()

    @property
    def crosshair(self) -> Candle | None:
        """The bar below the crosshair, if it is out."""
        at = self._cross_index()
        return None if at is None else self._candles[at]

    def hide_crosshair(self) -> None:
        """Put the crosshair away."""
        if self._cross is not None:
            self._cross = None
            self.redraw()

    @property
    def zoom(self) -> float:
        """How many times the price scale is stretched."""
        return _ZOOMS[self._zoom]

    @zoom.setter
    def zoom(self, value: float) -> None:
        step = min(range(len(_ZOOMS)), key=lambda at: abs(_ZOOMS[at] - value))
        if step != self._zoom:
            self._zoom = step
            self.redraw()

    # -- geometry ------------------------------------------------------------------

    def _index_of(self, ts_ns: int) -> int:
        low, high = 0, len(self._candles)
        while low < high:
            middle = (low + high) // 2
            if self._candles[middle].ts_ns < ts_ns:
                low = middle + 1
            else:
                high = middle
        return min(low, len(self._candles) - 1)

    def _last(self) -> int:
        if self._edge_ts is None:
            return len(self._candles) - 1
        return self._index_of(self._edge_ts)

    def _cross_index(self) -> int | None:
        if self._cross is None or not self._candles:
            return None
        return self._index_of(self._cross[0])

    def _scale_cells(self, low: float, high: float) -> int:
        digits = max(len(f"{low:,.0f}"), len(f"{high:,.0f}"))
        span = (high - low) / 4 or 1.0
        decimals = min(self._decimals, max(0, -math.floor(math.log10(span))))
        return digits + (decimals + 1 if decimals else 0)

    # -- drawing -------------------------------------------------------------------

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the whole chart."""
        if not self._candles:
            self._axis = None
            return [
                self.strip([(f"  {text}", "dim")], cells) for text in ("", *self._empty)
            ]
        if rows < 3 or cells < 24:
            return [self.strip([(" too small for a chart", "dim")], cells)]
        last = self._last()
        price_cells = self._scale_cells(
            min(c.low for c in self._candles[-400:]),
            max(c.high for c in self._candles[-400:]),
        )
        plot = cells - price_cells - 3 - LABEL_CELLS
        first = max(0, last + 1 - plot)
        bars = self._candles[first : last + 1]
        low, high = price_range(
            [bar.low for bar in bars], [bar.high for bar in bars], self.zoom
        )
        grid_rows = rows - 1
        away = self._off_scale(PriceAxis(low, high, grid_rows))
        notes = 1 if away and grid_rows > 6 else 0
        axis = PriceAxis(low, high, grid_rows - notes)
        self._axis = axis
        grid = self._raster(axis, plot, first, last)
        cross = self._cross_index()
        reading, levels = "", tuple(self._levels)
        if cross is not None and self._cross is not None and first <= cross <= last:
            grid.draw_cross(cross - first, self._cross[1])
            reading = self._reading(cross, cells)
            levels = (Level("here", self._cross[1], "accent"), *levels)
        scale = self._scale(axis, price_cells, levels)
        strips = [
            self._grid_strip(grid.glyphs[row], grid.inks[row], scale[row], cells)
            for row in range(axis.rows)
        ]
        if reading:
            strips[0] = self.strip([(fit(reading, cells), "strong")], cells)
        if notes:
            room = plot + price_cells + 2
            line: list[Part] = [(fit(f" {away}", room), "dim")]
            strips.append(self.strip([*line, (self.glyphs.divider, "rule")], cells))
        strips.append(self._time_line(bars, grid.offset, plot, cells))
        return strips

    def _raster(self, axis: PriceAxis, plot: int, first: int, last: int) -> Grid:
        grid = Grid(axis, plot, self._candles[first : last + 1])
        for level in self._levels:
            if level.line:
                grid.draw_level(level.price)
        for place, values in enumerate(list(self._overlays.values())[:4], start=1):
            grid.draw_overlay(values[first : last + 1], f"overlay-{place}")
        poor = self.glyphs.ascii
        hollow = self._bodies == "hollow" or (
            self._bodies == "auto" and (self.app.no_color or poor)
        )
        solid = ASCII_SOLID if poor else SOLID
        open_shapes = (ASCII_HOLLOW if poor else HOLLOW) if hollow else solid
        grid.draw_bars(open_shapes, solid)
        for marker in self._markers:
            glyph = self.glyphs.up if marker.up else self.glyphs.down
            grid.draw_marker(marker.bar - first, marker.price, glyph)
        return grid

    def _reading(self, at: int, cells: int) -> str:
        """Return time and prices of a bar, as much as fits."""
        bar, digits = self._candles[at], self._decimals
        prices = (("o", bar.open), ("h", bar.high), ("l", bar.low), ("c", bar.close))
        texts = [f"{name} {number(value, digits)}" for name, value in prices]
        moment = utc_clock(bar.ts_ns)
        for words in (
            [moment[5:16], *texts],
            [moment[11:16], *texts],
            [moment[11:16], texts[-1]],
        ):
            reading = " " + "  ".join(words)
            if width(reading) < cells:
                return reading
        return f" {moment[11:16]}"

    def _grid_strip(
        self, glyphs: list[str], inks: list[str], scale: list[Part], cells: int
    ) -> Strip:
        show = self.glyphs.show
        segments: list[Segment] = []
        start, ink = 0, inks[0]
        for column, name in enumerate(inks):
            # A blank takes any ink, so runs grow longer and segments fewer.
            if name != ink and glyphs[column] != " ":
                text = show("".join(glyphs[start:column]))
                if text.isspace():
                    segments.append(Segment(text, self.ink()))
                else:
                    segments.append(Segment(text, self.ink(ink)))
                start, ink = column, name
        segments.append(Segment(show("".join(glyphs[start:])), self.ink(ink)))
        used = len(glyphs)
        tail = self.strip(scale, cells - used)
        return Strip([*segments, *tail], cells)

    def _off_scale(self, axis: PriceAxis) -> str:
        glyphs = self.glyphs
        digits = min(self._decimals, price_ticks(axis)[1])
        away = [
            f"{level.name} {number(level.price, digits)} "
            f"{glyphs.up if level.price > axis.high else glyphs.down}"
            for level in self._levels
            if not axis.holds(level.price)
        ]
        return f"off scale: {'  '.join(away)}" if away else ""

    def _scale(
        self, axis: PriceAxis, price_cells: int, levels: Sequence[Level]
    ) -> list[list[Part]]:
        """Return the scale's parts per row: ticks, and the levels over them."""
        glyphs = self.glyphs
        ticks, decimals = price_ticks(axis)
        decimals = min(decimals, self._decimals)
        texts: dict[int, tuple[str, str, str]] = {}
        for tick in ticks:
            row = axis.row(tick)
            if 0 <= row < axis.rows:
                texts[row] = (number(tick, decimals), "", "dim")
        taken: set[int] = set()
        for level in levels:
            if not axis.holds(level.price):
                continue
            row = axis.row(level.price)
            free = [
                r
                for r in (row, row + 1, row - 1)
                if 0 <= r < axis.rows and r not in taken
            ]
            if free:
                taken.add(free[0])
                texts[free[0]] = (
                    number(level.price, decimals),
                    level.name,
                    level.ink,
                )
        lines: list[list[Part]] = []
        for row in range(axis.rows):
            text, name, ink = texts.get(row, ("", "", ""))
            mark = glyphs.pointer if name else glyphs.tick if text else glyphs.divider
            lines.append(
                [
                    (" ", ""),
                    (text[-price_cells:].rjust(price_cells), ink),
                    (" ", ""),
                    (mark, ink if name else "rule"),
                    (fit(name, LABEL_CELLS), ink),
                ]
            )
        return lines

    def _time_line(
        self, bars: Sequence[Candle], offset: int, plot: int, cells: int
    ) -> Strip:
        """Return the times of the bars that begin a round interval."""
        line = [" "] * plot
        bar_ns = bars[1].ts_ns - bars[0].ts_ns if len(bars) > 1 else 60_000_000_000
        step = time_step(max(1, bar_ns), 9)
        free = 0
        for column, bar in enumerate(bars, start=offset):
            if bar.ts_ns % step or column < free:
                continue
            text = utc_minute(bar.ts_ns)
            if step >= _NS_PER_DAY:
                text = utc_clock(bar.ts_ns)[5:10]
            elif step < 60_000_000_000:
                text = utc_clock(bar.ts_ns)[11:]
            if column + len(text) <= plot:
                line[column : column + len(text)] = text
                free = column + len(text) + 2
        text = "".join(line).rstrip()
        return self.strip([(f"{text} UTC", "dim")], cells)

    # -- the operator's hand -------------------------------------------------------

    def action_crosshair(self, bars: int, rows: int) -> None:
        """Take the crosshair out, or move it by bars and rows."""
        axis = self._axis
        if not self._candles or axis is None:
            return
        if self._cross is None:
            at = self._last()
            self._put_cross(at, self._candles[at].close)
            return
        at = self._cross_index() or 0
        price = self._cross[1]
        if bars:
            at = max(0, min(len(self._candles) - 1, at + bars))
            price = self._candles[at].close
        if rows:
            row = max(0, min(axis.rows - 1, axis.row(price) + rows))
            price = axis.price(row)
        self._put_cross(at, price)

    def _put_cross(self, at: int, price: float) -> None:
        self._cross = (self._candles[at].ts_ns, price)
        price_cells = self._scale_cells(price, price)
        plot = max(1, self.size.width - price_cells - 3 - LABEL_CELLS)
        last = self._last()
        if at > last:
            self._edge_ts = self._candles[at].ts_ns
        elif at < last + 1 - plot:
            edge = min(at + plot - 1, len(self._candles) - 1)
            self._edge_ts = self._candles[edge].ts_ns
        self.redraw()
        self.post_message(self.CrosshairMoved(self, self._candles[at]))

    def action_edge(self, end: int) -> None:
        """Go to the oldest bar, or to the newest and follow it."""
        if not self._candles:
            return
        if end:
            self._edge_ts = None
            self._cross = None
            self.redraw()
            self.post_message(self.CrosshairMoved(self, None))
        else:
            self._put_cross(0, self._candles[0].close)

    def action_zoom(self, steps: int) -> None:
        """Stretch or shrink the price scale."""
        self.zoom = _ZOOMS[max(0, min(len(_ZOOMS) - 1, self._zoom + steps))]

    def action_follow(self) -> None:
        """Follow the newest bar, or stop."""
        self.following = not self.following

    def on_click(self, event: events.Click) -> None:
        """Put the crosshair where the mouse is."""
        axis = self._axis
        if axis is None or event.y >= axis.rows:
            return
        price_cells = self._scale_cells(axis.low, axis.high)
        plot = self.size.width - price_cells - 3 - LABEL_CELLS
        at = self._last() - (plot - 1 - event.x)
        if 0 <= at < len(self._candles) and event.x < plot:
            self._put_cross(at, axis.price(event.y))
