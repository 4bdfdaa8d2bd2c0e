"""The gap ledger: every hole in a book, what was expected, how long it was open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import short_age
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import NONE, utc_time
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, GapRow

__all__ = ["GapsPanel"]

_COLUMNS = (
    Column("time", "TIME", 10),
    Column("symbol", "SYMBOL", 8),
    Column("open", "OPEN", 4, "right"),
    Column("expected", "WANTED", 11, "right", priority=2),
    Column("got", "GOT", 11, "right", priority=1),
    Column("reason", "REASON", 8, gap=2, flex=True),
)


class GapsPanel(TablePanel):
    """One row for each gap, the newest first."""

    panel_id = "gaps"
    title = "Gaps"
    needs = frozenset({"gaps"})
    empty = ("No gaps.", "A book that loses a difference is written down here.")
    forms = (Form("wide", 0, _COLUMNS),)

    def apply(self, frame: Frame) -> None:
        """Show the gap ledger of a frame."""
        if frame.gaps is None:
            return
        items = [self._item(row, frame.ts) for row in frame.gaps]
        self.set_items(items, frame.ts)
        still = sum(1 for row in frame.gaps if row.until_ns is None)
        info = [(f"open {still}", "warn" if still else "dim")]
        self.set_title(self.title_parts(len(frame.gaps)), info)

    def _item(self, row: GapRow, now: int) -> Item:
        still = row.until_ns is None
        lasted = (now if row.until_ns is None else row.until_ns) - row.ts
        cells: list[Cell] = [
            (utc_time(row.ts, 1), "dim"),
            row.instrument,
            (short_age(lasted), "warn" if still else "dim"),
            NONE if row.expected is None else str(row.expected),
            NONE if row.got is None else str(row.got),
            (row.reason, "dim"),
        ]
        values: list[float | int | str | None] = [
            row.ts,
            row.instrument,
            lasted,
            row.expected,
            row.got,
            row.reason,
        ]
        key = f"{row.ts}/{row.instrument}"
        return Item(Row(key, hash(tuple(cells)), cells), Choice(row.instrument), values)
