"""A panel of styled lines: machine, gates, details, help.

Handed whole lines; shows those that fit and moves a window over the rest with the
keys, without Textual's scrolling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from workstation.ui.typeset import plain_text
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    Part,
    component_css,
)
from workstation.ui.widgets.panel_frame import rule_parts
from workstation.ui.widgets.status_lines import parts_width


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of parts, with ``right`` at the other end when there is room."""

    parts: tuple[Part, ...]
    right: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule inside a panel: ``─ title ──── info``, edge to edge."""

    title: str
    info: str = ""
    info_ink: str = "dim"


Line = TextLine | RuleLine | Sequence[Part] | str


class TextPanel(Canvas, can_focus=True):
    """Lines of text in a window that the arrow keys move."""

    ALLOW_MAXIMIZE = True
    INKS = TEXT_INKS
    DEFAULT_CSS = f"""
    TextPanel {{ width: 1fr; height: 1fr; }}
    {component_css("TextPanel", TEXT_INKS)}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False, id="text.up"),
        Binding("down", "move(1)", show=False, id="text.down"),
        Binding("pageup", "page(-1)", show=False, id="text.page_up"),
        Binding("pagedown", "page(1)", show=False, id="text.page_down"),
        Binding("home", "edge(0)", show=False, id="text.home"),
        Binding("end", "edge(1)", show=False, id="text.end"),
    ]

    def __init__(self, *, margin: int = 1, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._top = 0
        self._margin = margin

    @property
    def top(self) -> int:
        """The number of the first line shown."""
        return self._top

    @top.setter
    def top(self, value: int) -> None:
        value = max(0, min(value, len(self._lines) - self.size.height))
        if value != self._top:
            self._top = value
            self.redraw()

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines; the window stays where it is."""
        new = tuple(lines)
        if new != self._lines:
            self._lines = new
            self._top = max(0, min(self._top, len(new) - self.size.height))
            self.redraw()

    def plain(self) -> str:
        """Return the text of all lines, for copy."""
        texts = []
        for line in self._lines:
            if isinstance(line, RuleLine):
                texts.append(f"{line.title} {line.info}")
            else:
                parts, right = _ends(line)
                texts.append(
                    "  ".join("".join(t for t, _ in p) for p in (parts, right))
                )
        return "\n".join(plain_text(text) for text in texts)

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the lines inside the window, and what is below it in the last cell."""
        glyphs = self.glyphs
        strips: list[Strip] = []
        top = max(0, min(self._top, len(self._lines) - rows))
        for line in self._lines[top : top + rows]:
            if isinstance(line, RuleLine):
                info: list[Part] = [(line.info, line.info_ink)] if line.info else []
                parts = rule_parts(
                    [(line.title, "title")], info, cells, rule=glyphs.rule
                )
                strips.append(self.strip(parts, cells))
                continue
            left, right = _ends(line)
            parts = [(" " * self._margin, ""), *left]
            room = cells - parts_width(parts) - parts_width(right) - 1
            if right and room > 0:
                parts += [(" " * room, ""), *right]
            strips.append(self.strip(parts, cells))
        hidden = len(self._lines) - top - rows
        if hidden > 0 and strips and cells > 12:
            note = f"{hidden + 1} more {glyphs.sort_down}"
            strips[-1] = self.strip([(note.rjust(cells - 1), "dim")], cells)
        return strips

    def action_move(self, lines: int) -> None:
        """Move the window by ``lines``."""
        self.top += lines

    def action_page(self, pages: int) -> None:
        """Move the window by its own height."""
        self.top += pages * max(1, self.size.height - 1)

    def action_edge(self, end: int) -> None:
        """Show the first or the last lines."""
        self.top = len(self._lines) if end else 0

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Move the window down."""
        event.stop()
        self.top += 3

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Move the window up."""
        event.stop()
        self.top -= 3


def _ends(line: TextLine | Sequence[Part] | str) -> tuple[list[Part], list[Part]]:
    if isinstance(line, str):
        return [(line, "")], []
    if isinstance(line, TextLine):
        return list(line.parts), list(line.right)
    return list(line), []
