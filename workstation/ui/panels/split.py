"""The line between two panels side by side: ``┬`` at the rule, ``│`` below it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import component_css

__all__ = ["Split"]


class Split(Canvas):
    """One column wide; the first row joins the panels' rules."""

    INKS = frozenset({"rule"})
    DEFAULT_CSS = f"""
    Split {{ width: 1; height: 1fr; }}
    {component_css("Split", ["rule"])}
    """

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the column."""
        glyphs = self.glyphs
        head = self.strip([(glyphs.junction, "rule")], cells)
        return [head, *[self.strip([(glyphs.divider, "rule")], cells)] * (rows - 1)]
