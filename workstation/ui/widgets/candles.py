"""The chart under the operator's hand: scroll, scale, crosshair, by keys and mouse.

What it looks like is ``chart_face``'s. Knows no engine.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from workstation.ui.widgets.chart_data import Candle, ChartData, Style
from workstation.ui.widgets.chart_face import ZOOMS, ChartFace
from workstation.ui.widgets.chart_lines import sample_of
from workstation.ui.widgets.inks import CHART_INKS, component_css

__all__ = ["CandleChart"]


class CandleChart(ChartFace, can_focus=True):
    """The chart. ``show`` replaces everything it shows."""

    ALLOW_MAXIMIZE = True
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

    # -- what the caller sets and reads --------------------------------------------

    def show(self, data: ChartData) -> None:
        """Show ``data`` in place of what was shown."""
        if data.subject != self.data.subject:
            self.kept.forget()
            self.panes.clear()
            if self.cross is not None:
                self.cross = (self.cross[0], None)
        self.data = data
        self.redraw()

    @property
    def following(self) -> bool:
        """Whether the newest bar is kept in view."""
        return self.edge_ts is None

    @following.setter
    def following(self, value: bool) -> None:
        candles = self.data.candles
        if value != self.following and candles:
            self.edge_ts = None if value else candles[self.last_index()].ts_ns
            self.redraw()

    @property
    def crosshair(self) -> Candle | None:
        """The bar below the crosshair, if it is out."""
        at = self.cross_index()
        return None if at is None else self.data.candles[at]

    def hide_crosshair(self) -> bool:
        """Put the crosshair away; tell whether it was out."""
        if self.cross is None:
            return False
        self.cross = None
        self.redraw()
        return True

    def sample(self, plot: int, style: Style) -> str:
        """Return one cell of the line at a place, for a title without colours."""
        if not self.plain:
            return ""
        return sample_of(plot, style, plain=True, ascii=self.glyphs.ascii)

    # -- the operator's hand -------------------------------------------------------

    def action_crosshair(self, bars: int, rows: int) -> None:
        """Take the crosshair out, or move it by bars and rows."""
        view, candles = self.view, self.data.candles
        if not candles or view is None:
            return
        at = self.cross_index()
        if at is None or self.cross is None:
            self._put_cross(view.last, None)
            return
        price = self.cross[1]
        if bars:
            at = max(0, min(len(candles) - 1, at + bars))
            price = None
        if rows:
            axis = view.axis
            row = max(0, min(axis.rows - 1, axis.row(self.cross_price(at)) + rows))
            price = axis.price(row)
        self._put_cross(at, price)

    def _put_cross(self, at: int, price: float | None) -> None:
        candles = self.data.candles
        # The close of the forming bar moves; the crosshair must not.
        self.cross = (candles[at].ts_ns, candles[at].close if price is None else price)
        columns = 1 if self.view is None else self.view.columns
        last = self.last_index()
        if at > last:
            self.edge_ts = candles[at].ts_ns
        elif at < last + 1 - columns:
            edge = min(at + columns - 1, len(candles) - 1)
            self.edge_ts = candles[edge].ts_ns
        self.redraw()

    def action_edge(self, end: int) -> None:
        """Go to the oldest bar, or to the newest and follow it."""
        if not self.data.candles:
            return
        if end:
            self.edge_ts = None
            self.cross = None
            self.redraw()
        else:
            self._put_cross(0, None)

    def action_zoom(self, steps: int) -> None:
        """Stretch or shrink the price scale."""
        self.zoom = ZOOMS[max(0, min(len(ZOOMS) - 1, self.zoom_step + steps))]

    def action_follow(self) -> None:
        """Follow the newest bar, or stop."""
        self.following = not self.following

    def on_click(self, event: events.Click) -> None:
        """Put the crosshair where the mouse is."""
        view = self.view
        if view is None or event.y >= self.size.height - 1:
            return
        at = view.first + event.x - view.offset
        if view.first <= at <= view.last and event.x < view.columns:
            row = view.rows.price_row(event.y)
            self._put_cross(at, None if row is None else view.axis.price(row))
