"""The column at the right of a plot: round prices, and names of levels over them.

Pure: parts for the chart's strips. A pane's scale has its least and largest value.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.ui.glyphs import GlyphSet
from workstation.ui.typeset import fit, number, short
from workstation.ui.widgets.chart_data import Level
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.price_axis import (
    PriceAxis,
    nice_step,
    price_ticks,
    step_decimals,
)

__all__ = [
    "LABEL_CELLS",
    "blank_scale",
    "off_scale",
    "pane_decimals",
    "pane_scale",
    "price_scale",
    "scale_cells",
]

LABEL_CELLS = 6
"""Room for a level's name beside the scale: "last", "in", "stop", "target"."""

_LEAST_CELLS = 5
# A pane's 0.005 or 1.2M.


def scale_cells(axis: PriceAxis, decimals: int) -> int:
    """Return how many cells the prices of an axis take."""
    _, needed = price_ticks(axis)
    digits = min(decimals, needed)
    widest = max(len(number(axis.low, digits)), len(number(axis.high, digits)))
    return max(_LEAST_CELLS, widest)


def price_scale(
    axis: PriceAxis,
    cells: int,
    levels: Sequence[Level],
    decimals: int,
    glyphs: GlyphSet,
) -> list[list[Part]]:
    """Return a line per row: round prices, and levels over them, the first first."""
    ticks, needed = price_ticks(axis)
    digits = min(decimals, needed)
    texts: dict[int, tuple[str, str, str]] = {}
    for tick in ticks:
        row = axis.row(tick)
        if 0 <= row < axis.rows:
            texts[row] = (number(tick, digits), "", "dim")
    taken: set[int] = set()
    for level in levels:
        if not axis.holds(level.price):
            continue
        row = axis.row(level.price)
        free = [
            r for r in (row, row + 1, row - 1) if 0 <= r < axis.rows and r not in taken
        ]
        if free:
            taken.add(free[0])
            texts[free[0]] = (number(level.price, digits), level.name, level.ink)
    lines: list[list[Part]] = []
    for row in range(axis.rows):
        text, name, ink = texts.get(row, ("", "", ""))
        mark = glyphs.pointer if name else glyphs.tick if text else glyphs.divider
        lines.append(_line(text[-cells:].rjust(cells), ink, mark, name))
    return lines


def off_scale(
    axis: PriceAxis, levels: Sequence[Level], decimals: int, glyphs: GlyphSet
) -> str:
    """Name the levels that are not on the axis, and where they are."""
    digits = min(decimals, price_ticks(axis)[1])
    away = [
        f"{level.name} {number(level.price, digits)} "
        f"{glyphs.up if level.price > axis.high else glyphs.down}"
        for level in levels
        if not axis.holds(level.price)
    ]
    return f"off scale: {'  '.join(away)}" if away else ""


def pane_decimals(low: float, high: float) -> int:
    """Return digits that tell a thousandth of a pane's range."""
    return min(8, step_decimals(nice_step(high - low, 1_000)))


def pane_scale(axis: PriceAxis, cells: int, glyphs: GlyphSet) -> list[list[Part]]:
    """Return a line per row of a pane: the ends of its range."""
    digits = step_decimals(nice_step(axis.high - axis.low, 20))
    lines: list[list[Part]] = []
    for row in range(axis.rows):
        value = axis.high if row == 0 else axis.low if row == axis.rows - 1 else None
        text = "" if value is None else short(value, cells, digits)
        mark = glyphs.divider if value is None else glyphs.tick
        lines.append(_line(text.rjust(cells), "dim", mark, ""))
    return lines


def blank_scale(cells: int, glyphs: GlyphSet) -> list[Part]:
    """Return the scale of a row that has no value."""
    return _line(" " * cells, "", glyphs.divider, "")


def _line(text: str, ink: str, mark: str, name: str) -> list[Part]:
    return [
        (" ", ""),
        (text, ink),
        (" ", ""),
        (mark, ink if name else "rule"),
        (fit(name, LABEL_CELLS), ink),
    ]
