"""The chart of the focused symbol: bars, indicators, levels, own trading.

Each chart keeps a timeframe and added indicators of its own. What it shows comes with
frames; what it wants of them is in its ``focus_of``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec
from textual.widget import Widget

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice, Panel, PanelState
from workstation.ui.typeset import plain, plain_text, utc_clock
from workstation.ui.widgets.candles import CandleChart
from workstation.ui.widgets.chart_data import (
    Candle,
    ChartData,
    Level,
    Marker,
    Plot,
    PlotLine,
    Style,
)
from workstation.ui.widgets.chart_lines import ink_of
from workstation.ui.widgets.inks import Part

if TYPE_CHECKING:
    from workstation.engine.frames import CandleRow, ChartFrame, Focus, Frame, Move
    from workstation.engine.frames import Plot as PlotFrame
    from workstation.indicators import Request
    from workstation.model.timeframes import Timeframe

__all__ = ["ChartPanel", "SecondChartPanel"]

_LEVEL_INKS = {"last": "strong", "in": "accent", "stop": "down", "target": "up"}
_LETTERS = {
    "entry": "E",
    "exit": "X",
    "stop": "S",
    "target": "T",
    "flatten": "F",
    "quote": "Q",
    "manual": "M",
}


class ChartPanel(Panel):
    """Candles of one symbol."""

    panel_id = "chart"
    title = "Chart"
    needs = frozenset({"chart"})
    scope = Scope.CHART
    follows_focus = True
    factor: ClassVar[int] = 1
    """The strategy's bars in one of its own, until a timeframe is chosen."""
    empty = (
        "No bars yet.",
        "The first one closes with its timeframe; comma goes to it.",
    )

    def __init__(self, scales: object, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)  # type: ignore[arg-type]
        self.chart = CandleChart(empty=self.empty)
        self.timeframe: Timeframe | None = None
        """The timeframe chosen; None = the strategy's own, times ``factor``."""
        self.plots: tuple[Request, ...] = ()
        """The indicators that the operator has added."""
        self.shown: ChartFrame | None = None
        self._titled: Focus | None = None
        self._rows: tuple[CandleRow, ...] = ()
        self._candles: list[Candle] = []
        self._plotted: tuple[tuple[PlotFrame, ...], tuple[Plot, ...]] = ((), ())

    def bodies(self) -> Iterable[Widget]:
        """Make the chart."""
        yield self.chart

    @property
    def body(self) -> Widget:
        """The chart."""
        return self.chart

    def focus_of(self, focus: Focus | None) -> Focus | None:
        """Return the focused or pinned row with this chart's bars and indicators."""
        row = super().focus_of(focus)
        if row is None:
            return None
        return msgspec.structs.replace(
            row, timeframe=self.timeframe, factor=self.factor, plots=self.plots
        )

    def apply(self, frame: Frame) -> None:
        """Show the chart of a frame, if it is another one."""
        shown = frame.chart
        if shown is None:
            return
        if shown == self.shown and self.pinned == self._titled:
            return
        self.shown, self._titled = shown, self.pinned
        if shown.bars is not self._rows:
            self._rows = shown.bars
            self._candles = [Candle(*row) for row in shown.bars]
        if shown.plots != self._plotted[0]:
            self._plotted = (shown.plots, tuple(map(_plot, shown.plots)))
        candles = list(self._candles)
        if shown.forming is not None:
            candles.append(Candle(*shown.forming))
        starts = [candle.ts_ns for candle in candles]
        timeframe = shown.timeframe
        self.chart.show(
            ChartData(
                candles=candles,
                plots=self._plotted[1],
                markers=_markers(shown, starts),
                levels=[
                    Level(name, value, _LEVEL_INKS.get(name, "strong"))
                    for name, value in shown.levels
                ],
                held=_through(shown.held, starts),
                stops=_through(shown.stops, starts),
                decimals=shown.decimals,
                subject=f"{shown.instrument} {timeframe}",
                bar_ns=0 if timeframe is None else timeframe.length_ns,
                number=shown.number,
            )
        )
        self._title(shown)

    def _title(self, shown: ChartFrame) -> None:
        parts: list[Part] = [
            *self.pin_parts(),
            (self.title, "title"),
            (f" {shown.symbol}", "strong"),
        ]
        if shown.timeframe is not None:
            parts.append((f" {shown.timeframe}", "dim"))
            if shown.own is not None and shown.timeframe != shown.own:
                parts.append((f" of {shown.own}", "dim"))
        before = ""
        for place, plot in enumerate(p for p in self._plotted[1] if not p.pane):
            head, _, tail = plot.label.partition(" ")
            sample = self.chart.sample(place, plot.lines[0].style)
            if sample:
                text = f"  {sample} {plot.label}"
            else:
                text = f" {tail}" if head == before and tail else f"  {plot.label}"
            parts.append((text, ink_of(place)))
            before = head
        info = "" if self.chart.following else "not following  f"
        self.set_title(parts, info)

    @property
    def choice(self) -> Choice | None:
        """The symbol shown."""
        return None if self.shown is None else Choice(self.shown.instrument)

    # -- what keys ask of it -----------------------------------------------------------

    def next_timeframe(self) -> str | None:
        """Show the next timeframe; return it, or None where there is but one."""
        shown = self.shown
        if shown is None or shown.timeframe is None or len(shown.choices) < 2:
            return None
        at = shown.choices.index(shown.timeframe)
        chosen = shown.choices[(at + 1) % len(shown.choices)]
        # The strategy's own follows the row to other strategies.
        first = self.factor == 1 and chosen == shown.own
        self.timeframe = None if first else chosen
        return str(chosen)

    def follow(self) -> bool:
        """Follow the newest bar, or stop."""
        self.chart.following = not self.chart.following
        self.shown = None
        self.again()
        return self.chart.following

    def step_back(self) -> bool:
        """Put the crosshair away."""
        return self.chart.hide_crosshair()

    def capture(self) -> PanelState:
        """Keep what it shows and whether it follows."""
        return PanelState(
            following=self.chart.following,
            pinned=self.pinned,
            timeframe=self.timeframe,
            plots=self.plots,
        )

    def restore(self, state: PanelState) -> None:
        """Take up a kept state."""
        super().restore(state)
        self.timeframe = state.timeframe
        self.plots = state.plots

    def copy_text(self) -> str:
        """Return what the crosshair reads, else the newest closed bar."""
        if (bar := self.chart.crosshair) is None:
            rows = self.export_rows()
            return "\t".join(rows[-1]) if len(rows) > 1 else ""
        prices = (bar.open, bar.high, bar.low, bar.close, bar.volume)
        read = self.chart.reading()[1 + len(prices) :]
        return "\t".join(
            [
                utc_clock(bar.ts_ns),
                *[plain(value) for value in prices],
                *[plain_text(f"{name} {value}") for name, value in read],
            ]
        )

    def export_rows(self) -> list[list[str]]:
        """Return the bars with the values of every indicator."""
        head = ["TIME", "OPEN", "HIGH", "LOW", "CLOSE", "VOLUME"]
        shown = self.shown
        if shown is None:
            return [head]
        lines = [(plot, line) for plot in shown.plots for line in plot.lines]
        for plot, line in lines:
            word = plot.key if len(plot.lines) == 1 else f"{plot.key} {line.name}"
            head.append(word)
        return [
            head,
            *[
                [
                    utc_clock(int(bar[0])),
                    *[plain(value) for value in bar[1:]],
                    *[plain(line.values[place]) for _, line in lines],
                ]
                for place, bar in enumerate(shown.bars)
            ],
        ]


class SecondChartPanel(ChartPanel):
    """The same symbol in bars five times as long, for wide screens; ``w`` pins it."""

    panel_id = "chart2"
    factor = 5


def _plot(plot: PlotFrame) -> Plot:
    return Plot(
        label=plot.label,
        lines=tuple(
            PlotLine(line.name, line.values, Style(line.drawing.value))
            for line in plot.lines
        ),
        pane=plot.pane.value == "own",
        bounds=plot.bounds,
    )


def _markers(shown: ChartFrame, starts: Sequence[int]) -> list[Marker]:
    markers = []
    for marker in shown.markers:
        at = bisect_right(starts, marker.ts) - 1
        if at >= 0:
            role = marker.role.value
            letter = _LETTERS.get(role, "")
            opens = role in ("entry", "quote")
            markers.append(Marker(at, marker.price, marker.side > 0, letter, opens))
    return markers


def _through(moves: Sequence[Move], starts: Sequence[int]) -> list[float | None]:
    """Return the price in force at each bar, else the last that was in it."""
    if not moves:
        return []
    values: list[float | None] = [None] * len(starts)
    price, place = None, 0
    for at in range(len(starts)):
        end = starts[at + 1] if at + 1 < len(starts) else None
        seen = price
        while place < len(moves) and (end is None or moves[place].ts < end):
            price = moves[place].price
            seen = price if price is not None else seen
            place += 1
        values[at] = seen
    return values
