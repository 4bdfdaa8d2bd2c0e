"""The feeds: state, rate, age, gaps, recording, what was skipped or shed, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import short_age
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import number
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import FeedRow, Frame

__all__ = ["FeedsPanel", "state_ink"]

_COLUMNS = (
    Column("name", "FEED", 12),
    Column("kind", "KIND", 10, priority=5),
    Column("state", "STATE", 8),
    Column("symbols", "SYM", 4, "right", priority=6),
    Column("rate", "EVENTS/s", 8, "right"),
    Column("events", "EVENTS", 10, "right", priority=3),
    Column("age", "AGE", 4, "right"),
    Column("gaps", "GAPS", 5, "right", priority=1),
    Column("recording", "REC", 3, priority=2),
    Column("skipped", "SKIPPED", 7, "right", priority=4),
    Column("shed", "SHED", 6, "right", priority=2),
    Column("error", "LAST ERROR", 10, gap=2, flex=True, priority=7),
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
        trouble = "warn" if row.gaps else "dim"
        cells: list[Cell] = [
            row.name,
            (row.kind, "dim"),
            (row.state, state_ink(row.state)),
            (number(row.symbols, 0), "dim"),
            number(row.rate, 0),
            number(row.events, 0),
            (short_age(row.age_ns), "dim"),
            (number(row.gaps, 0), trouble),
            ("on", "good") if row.recording is not None else ("", "dim"),
            (number(row.skipped, 0), "warn" if row.skipped else "dim"),
            (number(row.shed, 0), "warn" if row.shed else "dim"),
            (row.last_error or "none", "bad" if row.last_error else "dim"),
        ]
        values: list[float | int | str | None] = [
            *(row.name, row.kind, row.state, row.symbols, row.rate, row.events),
            *(row.age_ns, row.gaps, int(row.recording is not None), row.skipped),
            *(row.shed, row.last_error),
        ]
        return Item(
            Row(row.name, hash(tuple(cells)), cells), Choice(task=row.name), values
        )
