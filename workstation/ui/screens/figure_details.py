"""The lines of all figures of one symbol, by processor. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.engine.frames import FigureTable
from workstation.ui.panels.figures import figure_text
from workstation.ui.typeset import NONE
from workstation.ui.widgets.text_panel import Line, RuleLine

__all__ = ["figure_lines"]

_NAME = 26
_VALUE = 12
_UNIT = 20


def figure_lines(table: FigureTable | None, instrument: str) -> Sequence[Line]:
    """Return each figure with its unit and what it is, or when there is none."""
    rows = () if table is None else table.rows
    row = next((each for each in rows if each.instrument == instrument), None)
    if table is None or row is None:
        return [f"{instrument} has no figures."]
    lines: list[Line] = []
    processor = ""
    for head, value in zip(table.heads, row.values, strict=True):
        if head.processor != processor:
            processor = head.processor
            lines += [*([""] if lines else []), RuleLine(processor)]
        text = figure_text(head, value, row.decimals)
        lines.append(
            [
                (head.name.ljust(_NAME), "strong"),
                (text.rjust(_VALUE), "" if text != NONE else "dim"),
                (f"  {head.unit}".ljust(_UNIT), "dim"),
            ]
        )
        why = f"none while: {head.none_when}" if text == NONE else head.text
        lines.append([("    ", ""), (why, "warn" if text == NONE else "dim")])
    return lines
