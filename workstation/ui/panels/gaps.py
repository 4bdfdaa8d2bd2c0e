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
    Column("lasted", "OPEN", 4, "right"),
    Column("expected", "WANTED", 11, "right", priority=3),
    Column("got", "GOT", 11, "right", priority=2),
    Column("tries", "TRIES", 5, "right", priority=1),
    Column("reason", "WHY, HOW MENDED", 8, gap=2, flex=True),
)
# Where the numbers have no room of their own, the reason has them in words.
_NARROW = (*_COLUMNS[:3], _COLUMNS[-1])


class GapsPanel(TablePanel):
    """One row for each gap: those still open first, the newest of each first."""

    panel_id = "gaps"
    title = "Gaps"
    needs = frozenset({"gaps"})
    empty = ("No gaps.", "A book that loses a difference is written down here.")
    gutter_cells = 2
    forms = (Form("wide", 80, _COLUMNS), Form("narrow", 0, _NARROW))

    def apply(self, frame: Frame) -> None:
        """Show the gap ledger of a frame."""
        if frame.gaps is None:
            return
        items = [self._item(row, frame.ts) for row in frame.gaps]
        self.set_items(items, frame.ts)
        still = sum(1 for row in frame.gaps if row.until_ns is None)
        title = self.title_parts(len(frame.gaps))
        title.append((f"  open {still}", "warn" if still else "dim"))
        self.set_title(title, "enter detail" if items else "")

    def _item(self, row: GapRow, now: int) -> Item:
        still = row.until_ns is None
        lasted = (now if row.until_ns is None else row.until_ns) - row.ts
        wide = self.form.name == "wide"
        known = row.expected is not None and row.got is not None
        numbered = known and (wide or not still)
        why = row.reason.partition(":")[0] if numbered else row.reason
        how = why if still or not row.mended else f"{why}; {row.mended}"
        cells: list[Cell] = [
            (utc_time(row.ts, 1), "dim"),
            (row.instrument, "strong" if still else ""),
            (short_age(lasted), "warn" if still else "dim"),
        ]
        values: list[float | int | str | None] = [row.ts, row.instrument, lasted]
        if wide:
            cells += [
                NONE if row.expected is None else str(row.expected),
                NONE if row.got is None else str(row.got),
                (str(row.tries) if row.tries else NONE, "" if still else "dim"),
            ]
            values += [row.expected, row.got, row.tries]
        cells.append((how, "" if still else "dim"))
        values.append(row.reason)
        key = f"{row.ts}/{row.instrument}"
        flag: Cell = ("!", "warn") if still else ""
        return Item(
            Row(key, hash(tuple(cells)), cells, flag=flag),
            Choice(row.instrument, gap_ns=row.ts),
            values,
        )
