"""The channels of the bus: published, delivered, depth, high water, dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.panels.base import Choice
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import number
from workstation.ui.widgets.line_table import Column, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame
    from workstation.kernel import ChannelStats

__all__ = ["ChannelsPanel"]

_COLUMNS = (
    Column("name", "CHANNEL", 16, flex=True),
    Column("subscribers", "SUBS", 4, "right", priority=3),
    Column("published", "PUBLISHED", 10, "right"),
    Column("delivered", "DELIVERED", 10, "right", priority=1),
    Column("depth", "DEPTH", 6, "right", priority=2),
    Column("high", "HIGH", 6, "right", priority=2),
    Column("capacity", "ROOM", 6, "right", priority=4),
    Column("dropped", "DROPPED", 7, "right"),
    Column("errors", "ERRORS", 6, "right", priority=2),
)


class ChannelsPanel(TablePanel):
    """One row for each channel."""

    panel_id = "channels"
    title = "Channels"
    needs = frozenset({"channels"})
    empty = ("No channels yet.", "They open with the engine.")
    forms = (Form("wide", 0, _COLUMNS),)

    def apply(self, frame: Frame) -> None:
        """Show the channels of a frame."""
        if frame.channels is None:
            return
        self.set_items([self._item(row) for row in frame.channels], frame.ts)
        dropped = sum(row.dropped for row in frame.channels)
        info = [(f"dropped {number(dropped, 0)}", "warn" if dropped else "dim")]
        self.set_title(self.title_parts(len(frame.channels)), info)

    def _item(self, row: ChannelStats) -> Item:
        bad = "warn" if row.dropped else "dim"
        cells: list[Cell] = [
            row.name,
            (number(row.subscribers, 0), "dim"),
            number(row.published, 0),
            number(row.delivered, 0),
            number(row.depth, 0),
            (number(row.high_water, 0), "dim"),
            (number(row.capacity, 0), "dim"),
            (number(row.dropped, 0), bad),
            (number(row.errors, 0), "bad" if row.errors else "dim"),
        ]
        values: list[float | int | str | None] = [
            *(row.name, row.subscribers, row.published, row.delivered, row.depth),
            *(row.high_water, row.capacity, row.dropped, row.errors),
        ]
        return Item(Row(row.name, hash(tuple(cells)), cells), Choice(), values)
