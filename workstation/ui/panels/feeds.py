"""The feeds: state, rate, ages, proven books, gaps, recording, losses, last error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import short_age
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import NONE, number
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import FeedRow, Frame

__all__ = ["FeedsPanel", "state_ink"]

_COLUMNS = (
    Column("name", "FEED", 12),
    Column("kind", "KIND", 10, priority=8),
    Column("state", "STATE", 8),
    Column("symbols", "SYM", 4, "right", priority=7),
    Column("rate", "EVENTS/s", 8, "right"),
    Column("events", "EVENTS", 10, "right", priority=4),
    Column("age", "AGE", 4, "right"),
    Column("worst", "LONGEST SILENT", 14, gap=2, priority=6),
    Column("books", "BOOKS", 5, "right"),
    Column("gaps", "GAPS", 5, "right", priority=1),
    Column("recording", "REC", 3, priority=2),
    Column("skipped", "SKIPPED", 7, "right", priority=5),
    Column("shed", "SHED", 6, "right", priority=3),
    Column("error", "LAST ERROR", 16, gap=2, flex=True, priority=1),
)
_BAD = frozenset({"failed", "stopped"})


def state_ink(state: str) -> str:
    """Return the ink of a task's or feed's state."""
    if state in _BAD:
        return "bad" if state == "failed" else "warn"
    return {"running": "good", "paused": "warn"}.get(state, "dim")


class FeedsPanel(TablePanel):
    """One row for each feed."""

    panel_id = "feeds"
    title = "Feeds"
    needs = frozenset({"feeds"})
    scope = Scope.TASK
    empty = ("No feeds in this run.", "Add one as [[feeds]] in the config.")
    gutter_cells = 2
    forms = (Form("wide", 0, _COLUMNS),)

    def apply(self, frame: Frame) -> None:
        """Show the feeds of a frame."""
        if frame.feeds is None:
            return
        self.set_items([self._item(row) for row in frame.feeds], frame.ts)
        self.set_title(self.title_parts(len(frame.feeds)), "p pause  x stop  W record")

    def _item(self, row: FeedRow) -> Item:
        books = f"{row.books_ok}/{row.book_count}" if row.book_count else NONE
        doubted = row.books_ok < row.book_count
        worst = f"{row.worst_symbol} {short_age(row.worst_ns)}"
        # A book that is not proven is trouble, too, if there is no worse.
        error, ink = row.last_error or row.distrusted, "warn"
        if row.last_error or not error:
            error, ink = row.last_error or "none", "bad" if row.last_error else "dim"
        cells: list[Cell] = [
            row.name,
            (row.kind, "dim"),
            (row.state, state_ink(row.state)),
            (number(row.symbols, 0), "dim"),
            number(row.rate, 0),
            number(row.events, 0),
            (short_age(row.age_ns), "dim"),
            (worst if row.worst_symbol else NONE, "dim"),
            (books, "warn" if doubted else "dim"),
            (number(row.gaps, 0), "warn" if row.gaps else "dim"),
            ("on", "good") if row.recording is not None else ("", "dim"),
            (number(row.skipped, 0), "warn" if row.skipped else "dim"),
            (number(row.shed, 0), "warn" if row.shed else "dim"),
            (error, ink),
        ]
        values: list[float | int | str | None] = [
            *(row.name, row.kind, row.state, row.symbols, row.rate, row.events),
            *(row.age_ns, row.worst_ns, row.books_ok, row.gaps),
            *(int(row.recording is not None), row.skipped, row.shed, row.last_error),
        ]
        flag: Cell = ("!", "warn") if doubted or row.last_error else ""
        return Item(
            Row(row.name, hash((flag, *cells)), cells, flag=flag),
            Choice(task=row.name),
            values,
        )
