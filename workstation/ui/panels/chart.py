"""The chart of the focused symbol: bars, the script's lines, levels, own fills."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
from textual.widget import Widget

from workstation.model.timeframes import Timeframe
from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice, Panel, PanelState
from workstation.ui.typeset import plain, utc_clock
from workstation.ui.widgets.candles import Candle, CandleChart, Level, Marker
from workstation.ui.widgets.inks import Part

if TYPE_CHECKING:
    from workstation.engine.frames import ChartFrame, Focus, Frame

__all__ = ["ChartPanel", "SecondChartPanel"]

_LONGER = 5
_MINUTE = Timeframe.parse("1m")
_LEVEL_INKS = {"last": "strong", "in": "accent", "stop": "down", "target": "up"}


class ChartPanel(Panel):
    """Candles of one symbol."""

    panel_id = "chart"
    title = "Chart"
    needs = frozenset({"chart"})
    scope = Scope.CHART
    follows_focus = True
    empty = (
        "No bars yet.",
        "The first one closes with its timeframe; comma goes to it.",
    )

    def __init__(self, scales: object, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)  # type: ignore[arg-type]
        self.chart = CandleChart(empty=self.empty)
        self._shown: ChartFrame | None = None
        self._titled: Focus | None = None
        self.base = _MINUTE
        """The strategy's own bars."""

    def bodies(self) -> Iterable[Widget]:
        """Make the chart."""
        yield self.chart

    @property
    def body(self) -> Widget:
        """The chart."""
        return self.chart

    def apply(self, frame: Frame) -> None:
        """Show the chart of a frame, if it is another one."""
        shown = frame.chart
        if shown is None:
            return
        if shown == self._shown and self.pinned == self._titled:
            return
        self._shown, self._titled = shown, self.pinned
        bars = shown.bars if shown.forming is None else (*shown.bars, shown.forming)
        candles = [Candle(b[0], b[1], b[2], b[3], b[4]) for b in bars]
        room = len(candles)
        overlays = {
            name: [*([None] * (len(shown.bars) - len(values))), *values][:room]
            for name, values in shown.overlays
        }
        if shown.forming is not None:
            for values in overlays.values():
                values.append(None)
        starts = [bar[0] for bar in bars]
        markers = [
            Marker(at, marker.price, marker.side > 0)
            for marker in shown.markers
            if (at := _bar_of(starts, marker.ts)) is not None
        ]
        levels = [
            Level(name, value, _LEVEL_INKS.get(name, "strong"))
            for name, value in shown.levels
        ]
        self.chart.set_chart(
            candles,
            overlays=overlays,
            markers=markers,
            levels=levels,
            decimals=shown.decimals,
        )
        self._title(shown)

    def _title(self, shown: ChartFrame) -> None:
        parts: list[Part] = [
            *self.pin_parts(),
            (self.title, "title"),
            (f" {shown.symbol}", "strong"),
            (f" {shown.timeframe}", "dim"),
        ]
        for place, (name, _) in enumerate(shown.overlays[:4], start=1):
            head, _, tail = name.partition(" ")
            before = shown.overlays[place - 2][0].partition(" ")[0] if place > 1 else ""
            text = f" {tail}" if head == before else f"  {head} {tail}"
            parts.append((text, f"overlay-{place}"))
        info = "" if self.chart.following else "not following  f"
        self.set_title(parts, info)

    @property
    def choice(self) -> Choice | None:
        """The symbol shown."""
        return None if self._shown is None else Choice(self._shown.instrument)

    def follow(self) -> bool:
        """Follow the newest bar, or stop."""
        self.chart.following = not self.chart.following
        self._shown = None
        self.again()
        return self.chart.following

    def capture(self) -> PanelState:
        """Keep whether it follows."""
        return PanelState(following=self.chart.following, pinned=self.pinned)

    def copy_text(self) -> str:
        """Return the bar below the crosshair, else the newest."""
        bar = self.chart.crosshair
        if bar is None:
            rows = self.export_rows()
            return "\t".join(rows[-1]) if len(rows) > 1 else ""
        values = (bar.open, bar.high, bar.low, bar.close)
        return "\t".join([utc_clock(bar.ts_ns), *[plain(value) for value in values]])

    def export_rows(self) -> list[list[str]]:
        """Return the bars."""
        head = ["TIME", "OPEN", "HIGH", "LOW", "CLOSE", "VOLUME"]
        bars = () if self._shown is None else self._shown.bars
        return [
            head,
            *[
                [utc_clock(int(bar[0])), *[plain(value) for value in bar[1:]]]
                for bar in bars
            ],
        ]


class SecondChartPanel(ChartPanel):
    """The same symbol in bars five times as long, for wide screens; ``w`` pins it."""

    panel_id = "chart2"

    def focus_of(self, focus: Focus | None) -> Focus | None:
        """Return the focus in the longer timeframe, else what is pinned."""
        if self.pinned is not None or focus is None:
            return self.pinned
        base = focus.timeframe or self.base
        return msgspec.structs.replace(
            focus, timeframe=base.times(_LONGER if base.is_clocked else 1)
        )


def _bar_of(starts: list[int], ts: int) -> int | None:
    """Return the index of the bar a moment falls into."""
    for index in range(len(starts) - 1, -1, -1):
        if starts[index] <= ts:
            return index
    return None
