"""What the crosshair reads: time, prices, volume, and every indicator at its bar.

Pure. As much as fits, in that order; what is left out leaves an ellipsis.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.ui.typeset import ELLIPSIS, number, short, width
from workstation.ui.widgets.chart_data import ChartData, Plot
from workstation.ui.widgets.chart_lines import value_at
from workstation.ui.widgets.time_axis import bar_time

__all__ = ["plot_values", "read_bar", "reading_line"]

_VOLUME_CELLS = 8

_MAIN = 6
"""Time, four prices and volume come first in a reading."""


def read_bar(
    data: ChartData, at: int, price: float | None, digits_of: Mapping[str, int]
) -> list[tuple[str, str]]:
    """Return (name, value) of all there is to read at a bar; the first is the time.

    ``digits_of`` has the decimals of the indicators that are seen in a pane.
    """
    bar, digits = data.candles[at], data.decimals
    moment = bar_time(bar.ts_ns, data.bar_ns)
    read = [
        ("", moment),
        ("o", number(bar.open, digits)),
        ("h", number(bar.high, digits)),
        ("l", number(bar.low, digits)),
        ("c", number(bar.close, digits)),
        ("v", short(bar.volume, _VOLUME_CELLS, 3)),
    ]
    for plot in data.plots:
        own = digits_of.get(plot.label) if plot.pane else digits
        read += plot_values(plot, at, own)
    if price is not None:
        read.append(("y", number(price, digits)))
    return read


def plot_values(plot: Plot, at: int, decimals: int | None) -> list[tuple[str, str]]:
    """Return (name, value) of each line of an indicator at a bar.

    The first has the indicator's name; one line needs no other. Without ``decimals``
    each value has four figures or more.
    """
    values = []
    for place, line in enumerate(plot.lines):
        name = plot.label if place == 0 else ""
        if len(plot.lines) > 1:
            name = f"{name} {line.name}".strip()
        value = value_at(line.values, at)
        digits = _digits(value or 0.0) if decimals is None else decimals
        values.append((name, number(value, digits)))
    return values


def reading_line(read: list[tuple[str, str]], cells: int) -> str:
    """Return a line of at most ``cells``, closer set where prices would not fit."""
    texts = [f"{name} {value}".strip() for name, value in read]
    moment = texts[0]
    brief = moment.rpartition(" ")[2]
    for time, gap in ((moment, "  "), (brief, "  "), (brief, " ")):
        line, whole = _joined([time, *texts[1:]], gap, cells)
        if whole:
            break
    return line


def _joined(texts: list[str], gap: str, cells: int) -> tuple[str, bool]:
    """Return what fits, and whether at least time, prices and volume do."""
    line = f" {texts[0]}"
    for place, text in enumerate(texts[1:], start=1):
        longer = f"{line}{gap}{text}"
        more = 0 if place == len(texts) - 1 else 2
        if width(longer) + more > cells:
            return f"{line} {ELLIPSIS}", place >= _MAIN
        line = longer
    return line, True


def _digits(value: float) -> int:
    """Return decimals for four or more figures of a value on a scale of its own."""
    size = abs(value)
    return 2 if size >= 10 else 3 if size >= 1 else 4 if size >= 0.01 else 6
