"""The running indicators: their outputs now, and a line of the last values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workstation.ui.panels.base import Choice
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import number, plain
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, IndicatorRow

__all__ = ["IndicatorsPanel"]

_COLUMNS = (
    Column("symbol", "SYMBOL", 9),
    Column("timeframe", "TF", 4, priority=3),
    Column("name", "INDICATOR", 12),
    Column("value", "VALUE", 12, "right"),
    Column("change", "BAR", 3, priority=1),
    Column("tail", "LAST BARS", 12, gap=2, flex=True, priority=2),
)
_STEPS = "▁▂▃▄▅▆▇"
_ASCII_STEPS = "_.-=+*#"


def _trail(values: Sequence[float], steps: str) -> str:
    if not values:
        return ""
    low, high = min(values), max(values)
    most = len(steps) - 1
    if high == low:
        return steps[most // 2] * len(values)
    return "".join(steps[round((v - low) / (high - low) * most)] for v in values)


class IndicatorsPanel(TablePanel):
    """One row for each output of each running indicator."""

    panel_id = "indicators"
    title = "Indicators"
    needs = frozenset({"indicators"})
    empty = (
        "No indicators are running.",
        "A script's first call starts those it asks for.",
    )
    forms = (Form("wide", 0, _COLUMNS),)

    def apply(self, frame: Frame) -> None:
        """Show the indicators of a frame."""
        if frame.indicators is None:
            return
        items = [item for row in frame.indicators for item in self._rows(row)]
        self.set_items(items, frame.ts)
        self.set_title(self.title_parts(len(items)), "")

    def _rows(self, row: IndicatorRow) -> list[Item]:
        scale = self.scales.get(row.instrument)
        digits = 4 if scale is None else scale.price_decimals + 2
        steps = _ASCII_STEPS if self.table.glyphs.ascii else _STEPS
        items = []
        for place, (output, value) in enumerate(row.outputs):
            name = f"{row.name} {row.params}"
            if len(row.outputs) > 1:
                name = f"{row.name} {output}"
            tail = row.tail if place == 0 else ()
            rising = len(tail) > 1 and tail[-1] >= tail[-2]
            falling = len(tail) > 1 and tail[-1] < tail[-2]
            cells: list[Cell] = [
                row.instrument,
                (row.timeframe, "dim"),
                name,
                number(value, digits),
                ("▲", "up") if rising else ("▼", "down") if falling else "",
                (_trail(tail, steps), "dim"),
            ]
            values: list[float | int | str | None] = [
                row.instrument,
                row.timeframe,
                name,
                value,
                None,
                None,
            ]
            exact = {
                "value": plain(value),
                "change": "up" if rising else "down" if falling else "",
                "tail": " ".join(plain(each) for each in tail),
            }
            row_key = f"{row.key}/{output}"
            shown = Row(row_key, hash(tuple(cells)), cells)
            items.append(Item(shown, Choice(row.instrument), values, exact))
        return items
