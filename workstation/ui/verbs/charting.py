"""Verbs of the focused chart: its timeframe, its scale, its indicators."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from workstation.ui.panels.chart import ChartPanel

if TYPE_CHECKING:
    from workstation.indicators import Request
    from workstation.ui.app import WorkstationApp

__all__ = ["VERBS"]


def _chart(app: WorkstationApp) -> ChartPanel | None:
    panel = app.panel
    return panel if isinstance(panel, ChartPanel) else None


def chart_timeframe(app: WorkstationApp) -> None:
    """Show the next timeframe of the chart."""
    panel = _chart(app)
    if panel is None:
        return
    if panel.next_timeframe() is None:
        shown = panel.shown
        only = "none" if shown is None or shown.own is None else f"{shown.own} only"
        app.say(f"Bars of this symbol: {only}. A strategy's timeframe builds others.")
    app.bridge_now()


def chart_zoom(step: int) -> Any:
    """Return the verb that stretches the price scale."""
    # Any: a function of one app, as all the others are.

    def zoom(app: WorkstationApp) -> None:
        panel = _chart(app)
        if panel is not None:
            panel.chart.action_zoom(step)

    return zoom


def chart_plots(app: WorkstationApp) -> None:
    """Choose the chart's indicators."""
    # Late: the dialog is not needed for the first paint.
    from workstation.indicators import Request
    from workstation.ui.screens.plots import PlotsScreen

    panel = _chart(app)
    frame = app.bridge.look(frozenset())
    if panel is None:
        return
    shown = panel.shown
    if frame is None or shown is None:
        app.say("The chart has no bars yet.")
        return
    app.push_screen(
        PlotsScreen(
            frame,
            shown.symbol,
            asked=[
                Request.parse(each.key)
                for each in shown.plots
                if not each.added and not each.scripted
            ],
            added=panel.plots,
            change=partial(_take, app, panel),
        )
    )


def _take(app: WorkstationApp, panel: ChartPanel, plots: tuple[Request, ...]) -> None:
    panel.plots = plots
    app.keep_state(panel.panel_id, panel.capture())
    app.remember(f"ui.{panel.panel_id}", [str(request) for request in plots])


VERBS: dict[str, Any] = {
    "chart.timeframe": chart_timeframe,
    "chart.plots": chart_plots,
    "chart.zoom_in": chart_zoom(1),
    "chart.zoom_out": chart_zoom(-1),
}
