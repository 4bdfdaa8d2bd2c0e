"""The button of dialogs: a verb with its number, on one line.

The dialog says when it is ready; a click gives the focus, a double click presses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip

from workstation.ui.typeset import width
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    component_css,
)

__all__ = ["Verb"]


class Verb(Canvas, can_focus=True):
    """A button of one line: a verb with its number."""

    INKS = TEXT_INKS
    DEFAULT_CSS = f"""
    Verb {{ width: auto; height: 1; margin: 0 2 0 0; }}
    {component_css("Verb", TEXT_INKS)}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "press", show=False, id="dialog.press"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    def __init__(
        self, label: str, press: Callable[[], None], *, ink: str = "key", id: str
    ) -> None:
        """Make a button; ``ink`` is ``key``, or ``bad`` for what removes protection."""
        super().__init__(id=id)
        self.label = label
        self._press = press
        self._ink = ink
        self._ready = True

    @property
    def ready(self) -> bool:
        """Whether pressing it does something now."""
        return self._ready

    @ready.setter
    def ready(self, value: bool) -> None:
        if value != self._ready:
            self._ready = value
            self.redraw()

    def set_label(self, label: str) -> None:
        """Change the verb."""
        if label != self.label:
            self.label = label
            # A label of the same width changes no size, so it must be drawn as well.
            self.redraw()
            self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Return the label's width and its brackets."""
        return width(self.label) + 4

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw ``[ label ]``: reversed in focus, dim while it cannot be pressed."""
        ink = self._ink if self._ready else "dim"
        if self.has_focus:
            ink = f"{ink} reverse"
        return [self.strip([("[ ", ink), (self.label, ink), (" ]", ink)], cells)]

    def action_press(self) -> None:
        """Do what the label says, if the dialog is armed."""
        if self._ready:
            self._press()

    def on_focus(self) -> None:
        """Reverse."""
        self.redraw()

    def on_blur(self) -> None:
        """Stand back."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Press on the second click of a pair; the first gives the focus."""
        if event.chain == 2:
            self.action_press()
