"""What a row's script draws, laid along the bars of a chart. Called by ``charting``."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from workstation.engine.frames import CandleRow, Plot, PlotLine
from workstation.indicators import Drawing, Pane
from workstation.strategy.plots import Plots

__all__ = ["script_plots"]

_NEAR = 0.5
"""Values within this fraction of the last close are prices and go over the bars."""


def script_plots(
    plots: Plots, bars: Sequence[CandleRow], forming: CandleRow | None
) -> tuple[Plot, ...]:
    """Return a plot of each series that has a value at these closed bars.

    ``forming`` is the bar after them: what was drawn in it is not shown yet.

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
        first = bisect_left(points, (opens[0],))
        end = len(points) if forming is None else bisect_left(points, (forming[0],))
        for ts_open, value in points[first:end]:
            values[bisect_right(opens, ts_open) - 1] = value
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
