"""Indicators on a chart: computed in batch from columns, kept until a bar closes.

Observers must not ask the Aggregator for an indicator, as it would become part of the
state; here nothing does. Called by ``charting``.
"""

from __future__ import annotations

from collections import OrderedDict

from workstation.engine.frames import Plot, PlotLine
from workstation.engine.series import Series
from workstation.indicators import Drawing, Request

__all__ = ["Plots"]

_KEPT = 512
"""Indicators whose values are kept; one of 240 bars and three outputs is ~20 KB."""

_MOST_BARS = 20_000
# A window can be configured to a million bars; this many forget any seed and cost
# 0.2 ms for an EMA.

SeriesKey = tuple[str, object]


class Plots:
    """Plots of (instrument, timeframe), each computed once per closed bar."""

    def __init__(self) -> None:
        self._made: OrderedDict[
            tuple[SeriesKey, Request, bool], tuple[int, int, Plot]
        ] = OrderedDict()
        self.computed = 0
        """How often values were computed; tests count it."""

    def plot(
        self, key: SeriesKey, series: Series, request: Request, count: int, added: bool
    ) -> Plot:
        """Return an indicator along the last ``count`` closed bars of a series."""
        place = (key, request, added)
        made = self._made.get(place)
        if made is not None and made[:2] == (series.total, count):
            self._made.move_to_end(place)
            return made[2]
        plot = self._compute(series, request, count, added)
        self._made[place] = (series.total, count, plot)
        self._made.move_to_end(place)
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return plot

    def _compute(
        self, series: Series, request: Request, count: int, added: bool
    ) -> Plot:
        self.computed += 1
        definition = request.definition
        columns = dict(series.columns(_MOST_BARS))
        batch = definition.batch(columns, **dict(request.params))
        return Plot(
            key=str(request),
            label=request.label,
            pane=definition.pane,
            bounds=definition.bounds,
            lines=tuple(
                PlotLine(
                    name=output,
                    drawing=definition.drawing(output),
                    values=tuple(
                        None if value != value else value
                        for value in (batch[output][-count:].tolist() if count else ())
                    ),
                )
                for output in definition.outputs
                if definition.drawing(output) is not Drawing.HIDDEN
            ),
            added=added,
        )
