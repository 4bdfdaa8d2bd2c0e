"""Lines of indicators: ink and glyph of each, its value at a bar, their range.

Pure; the chart's plot, its panes, its title and the reading take them from here, so
that a line is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workstation.ui.widgets.candle_grid import FINE
from workstation.ui.widgets.chart_data import Plot, Style, Values

__all__ = ["glyph_of", "ink_of", "sample_of", "value_at", "values_range"]

INKS = 4
"""Overlays that have a colour of their own; the theme has no more."""

_MORE = ("+", "x", "%")
# Without colours lines differ by these; with colours they serve a fifth line and on.
_ASCII = ("+", "x", "%", "@")
# The crosshair and the trails have "-" there.


def ink_of(place: int) -> str:
    """Return the ink of the line at ``place``."""
    return f"overlay-{place % INKS + 1}"


def glyph_of(place: int, style: Style, *, plain: bool, ascii: bool) -> str:
    """Return the glyph of the line at ``place``; four are quarters of a cell.

    ``plain`` where there are no colours to tell lines apart.
    """
    turn = place if plain or ascii else place // INKS
    if ascii:
        return _ASCII[turn % len(_ASCII)]
    choices = (FINE if style is Style.LINE else "·", *_MORE)
    return choices[turn % len(choices)]


def sample_of(place: int, style: Style, *, plain: bool, ascii: bool) -> str:
    """Return one cell of the line, for a title."""
    glyph = glyph_of(place, style, plain=plain, ascii=ascii)
    return glyph[len(glyph) // 2]


def value_at(values: Values, at: int) -> float | None:
    """Return the value at a bar, None where there is none."""
    if not 0 <= at < len(values):
        return None
    value = values[at]
    return None if value is None or value != value else value


def values_range(
    plots: Iterable[Plot], first: int, last: int
) -> tuple[float, float] | None:
    """Return the least and the largest value of bars ``first`` to ``last``."""
    low = high = None
    for plot in plots:
        for line in plot.lines:
            known = _known(line.values[first : last + 1])
            if not known:
                continue
            least, most = min(known), max(known)
            low = least if low is None or least < low else low
            high = most if high is None or most > high else high
    return None if low is None or high is None else (low, high)


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None and value == value]
