"""A widget that paints all its lines itself and repaints only those that changed.

Base of chart, ladder, text panel, status lines and rules. Subclasses implement
``draw`` and call ``redraw`` when their data changed; nothing here scrolls or lays out.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from workstation.ui.widgets.inks import Inked


class Canvas(Inked, Widget):
    """Lines made by ``draw``, kept until data, size or style change."""

    ALLOW_SELECT = False

    _frame: Sequence[Strip] = ()
    _frame_of: tuple[int, int, int] | None = None
    draws: int = 0
    """How often ``draw`` has run; tests count it."""

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Return the strips of the whole widget, each ``cells`` wide; here none."""
        return ()

    def redraw(self) -> None:
        """Draw again and mark the lines that differ for repaint."""
        if not self.is_mounted or not self.size:
            self._frame_of = None
            return
        old = self._frame
        if self._frame_of != self._key():
            self._make_frame()
            self.refresh()
            return
        self._make_frame()
        new = self._frame
        cells = self.size.width
        changed = [
            y
            for y in range(max(len(old), len(new)))
            if y >= len(old) or y >= len(new) or old[y] != new[y]
        ]
        if changed:
            self.refresh(*(Region(0, y, cells, 1) for y in changed))

    def _key(self) -> tuple[int, int, int]:
        return (*self.size, self.style_epoch)

    def _make_frame(self) -> None:
        cells, rows = self.size
        self.draws += 1
        self._frame = self.draw(cells, rows)
        self._frame_of = self._key()

    def render_line(self, y: int) -> Strip:
        """Return line ``y`` of the frame, drawing it first when it is out of date."""
        if self._frame_of != self._key():
            self._make_frame()
        if y < len(self._frame):
            return self._frame[y]
        return Strip.blank(self.size.width, self.ink())
