"""The last orders that the risk stage refused: when, whose, the code, the numbers."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from workstation.ui.panels.base import Choice
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import utc_time
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import DenialRow, Frame

__all__ = ["DenialsPanel"]

_NARROW = (
    Column("time", "UTC", 8),
    Column("symbol", "SYMBOL", 8),
    Column("code", "DENIED", 22, flex=True),
)
_WIDE = (
    Column("time", "UTC", 8),
    Column("symbol", "SYMBOL", 8),
    Column("owner", "OWNER", 10),
    Column("code", "DENIED", 26),
    Column("text", "WHY", 10, gap=2, flex=True),
)
_ROOMY = 100


class DenialsPanel(TablePanel):
    """One row for each denial that is kept, the newest first."""

    panel_id = "denials"
    title = "Denied"
    needs = frozenset({"risk"})
    empty = ("Nothing was denied.", "Here stand orders that the limits refuse.")
    newest_first = True
    forms = (Form("wide", _ROOMY, _WIDE), Form("narrow", 0, _NARROW))

    def apply(self, frame: Frame) -> None:
        """Show the denials of a frame; below them why the cursor's was one."""
        table = frame.risk
        if table is None:
            return
        rows = {str(row.number): row for row in table.denials}
        self._texts = {key: row.text for key, row in rows.items()}
        items = [self._item(key, row) for key, row in rows.items()]
        self.set_items(items, frame.ts)
        self.set_title(self.title_parts(table.denied), "")

    _texts: dict[str, str] = {}

    def notes(self, key: str) -> tuple[Row, ...]:
        """Say below the cursor's row why, where there is no column for it."""
        here = self.table.cursor_key or next(iter(self._texts), "")
        if key != here or self.form.name == "wide":
            return ()
        room = max(20, self.size.width - self.gutter_cells - 3)
        return tuple(
            Row(f"why/{key}/{place}", hash(text), note=((f"  {text}", "dim"),))
            for place, text in enumerate(wrap(self._texts[key], room))
        )

    def _item(self, key: str, row: DenialRow) -> Item:
        cells: dict[str, Cell] = {
            "time": (utc_time(row.ts), "dim"),
            "symbol": row.instrument,
            "owner": row.owner,
            "code": (row.code, "warn"),
            "text": (row.text, "dim"),
        }
        names = [column.key for column in self.columns]
        shown = [cells[name] for name in names]
        return Item(
            Row(key, hash((row.number, self.form.name)), shown),
            Choice(row.instrument, row.owner, denial=row.number),
            [str(cell if isinstance(cell, str) else cell[0]) for cell in shown],
        )
