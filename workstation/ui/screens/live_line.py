"""The live line of a dialog: facts about its object, anew with every frame."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    component_css,
)
from workstation.ui.widgets.status_lines import Field, lay_fields

__all__ = ["LiveLine"]


class LiveLine(Canvas):
    """One line of facts about the dialog's object; whole fields go for want of room."""

    INKS = TEXT_INKS
    DEFAULT_CSS = f"""
    LiveLine {{ width: 1fr; height: 1; }}
    {component_css("LiveLine", TEXT_INKS)}
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._fields: tuple[Field, ...] = ()

    def set_fields(self, fields: Sequence[Field]) -> None:
        """Show these fields."""
        if tuple(fields) != self._fields:
            self._fields = tuple(fields)
            self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Lay out the fields that fit."""
        return [self.strip(lay_fields(self._fields, cells), cells)]
