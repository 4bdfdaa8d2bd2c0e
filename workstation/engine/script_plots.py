"""What a row's script draws, laid along the bars of a chart. Called by ``charting``."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from workstation.engine.frames import CandleRow, Plot, PlotLine
from workstation.indicators import Drawing, Pane
from workstation.strategy.plots import Plots

__all__ = ["script_plots"]

_NEAR = 0.5
"""Values within this fraction of the last close are prices and go over the bars."""


def script_plots(plots: Plots, bars: Sequence[CandleRow]) -> tuple[Plot, ...]:
    """Return a plot of each series that has a value at these bars.

    Where a bar of the chart is longer than the script's the last value in it counts.
    Series near the price are drawn over it, others in a pane of their own.
    """
    if not bars:
        return ()
    opens = [each[0] for each in bars]
    close = bars[-1][4]
    made = []
    for name, points in plots.series().items():
        values: list[float | None] = [None] * len(bars)
        for ts_open, value in points:
            place = bisect_right(opens, ts_open) - 1
            if place >= 0:
                values[place] = value
        known = [value for value in values if value is not None]
        if not known:
            continue
        near = all(abs(value - close) <= _NEAR * abs(close) for value in known)
        made.append(
            Plot(
                key=name,
                label=name,
                pane=Pane.PRICE if near else Pane.OWN,
                bounds=None,
                lines=(PlotLine(name, Drawing.LINE, tuple(values)),),
                added=False,
                scripted=True,
            )
        )
    return tuple(made)
