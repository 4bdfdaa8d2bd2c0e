"""The parameters of the focused row's script: value, default, range, what each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import NONE
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, ParamRow, ParamTable
    from workstation.strategy.script import ParamValue

__all__ = ["ParamsPanel", "range_text", "value_text"]

_COLUMNS = (
    Column("name", "PARAMETER", 12),
    Column("value", "VALUE", 10, "left"),
    Column("default", "DEFAULT", 10, "left", priority=1),
    Column("range", "RANGE", 14, priority=2),
    Column("kind", "TYPE", 5, priority=3),
)
_WIDE = (*_COLUMNS, Column("help", "WHAT IT IS", 10, gap=2, flex=True))
_ROOMY = 90
# Cells from which on the help has a column of its own.


def value_text(value: ParamValue) -> str:
    """Write a parameter's value as one types it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    # The shortest text that is read back as the same number.
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def range_text(row: ParamRow) -> str:
    """Write what a parameter may be: ``1 to 500``, ``at least 0``, or nothing."""
    low, high = row.minimum, row.maximum
    if low is not None and high is not None:
        return f"{value_text(low)} to {value_text(high)}"
    if low is not None:
        return f"at least {value_text(low)}"
    return "" if high is None else f"at most {value_text(high)}"


class ParamsPanel(TablePanel):
    """One row for each parameter that the script declares."""

    panel_id = "params"
    title = "Parameters"
    needs = frozenset({"params"})
    scope = Scope.ROW
    follows_focus = True
    empty = ("Its script declares no parameters.", "They are named in PARAMS.")
    gutter_cells = 2
    forms = (Form("wide", _ROOMY, _WIDE), Form("narrow", 0, _COLUMNS))

    def apply(self, frame: Frame) -> None:
        """Show the parameters of a frame."""
        table = frame.params
        items = [] if table is None else [self._item(row) for row in table.params]
        tail = [] if table is None else self._tail(table)
        self.set_items(items, frame.ts, tail if items else ())
        title: list[Part] = self.title_parts(len(items))
        if table is not None:
            title.append((f"  {table.instrument} {table.strategy}", "dim"))
        self.set_title(title, "enter edit" if items else "")

    def _tail(self, table: ParamTable) -> list[Row]:
        """Return what the cursor's parameter is, where its column has no room."""
        key = self.table.cursor_key or table.params[0].name if table.params else ""
        row = next((each for each in table.params if each.name == key), None)
        if row is None or self.form.name == "wide":
            return []
        text = f"  {row.help}"
        blank = Row("/blank", 0, note=[(" ", "dim")])
        return [blank, Row("/help", hash(text), note=[(text, "dim")])]

    def _item(self, row: ParamRow) -> Item:
        changed = row.value != row.default
        wide = self.form.name == "wide"
        cells: list[Cell] = [
            row.name,
            (value_text(row.value), "strong" if changed else ""),
            (value_text(row.default), "dim"),
            (range_text(row) or NONE, "dim"),
            (row.kind, "dim"),
            *([(row.help, "dim")] if wide else []),
        ]
        table = None if self._frame is None else self._frame.params
        where = ("", "") if table is None else (table.instrument, table.strategy)
        return Item(
            Row(row.name, hash(tuple(cells)), cells),
            Choice(*where, param=row.name),
            [str(cell if isinstance(cell, str) else cell[0]) for cell in cells],
        )
