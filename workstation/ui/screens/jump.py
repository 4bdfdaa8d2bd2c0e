"""The jump overlay: one letter on every panel; pressing it goes there.

The one dialog through which the panels stay visible, as it names them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

__all__ = ["JUMP_KEYS", "JumpScreen", "JumpTarget"]

JUMP_KEYS = "asdfghjklqwertuiop"
"""Given out in this order: the home row first."""


class JumpTarget(Struct, frozen=True):
    """A panel: its id, its title, and where its top left corner is on the screen."""

    id: str
    title: str
    x: int
    y: int


class JumpScreen(ModalScreen[str]):
    """Dismisses with the id of the panel chosen, or None."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    JumpScreen { background: transparent; layers: base; }
    JumpScreen > Static {
        position: absolute;
        width: auto;
        height: 1;
        padding: 0 1;
        background: $accent;
        color: $background;
        text-style: bold;
        &:ansi { background: ansi_cyan; color: ansi_black; }
    }
    """

    def __init__(self, targets: Sequence[JumpTarget]) -> None:
        super().__init__()
        self.targets = dict(zip(JUMP_KEYS, targets, strict=False))

    def compose(self) -> ComposeResult:
        """Put a letter on every panel."""
        for letter, target in self.targets.items():
            label = Static(f"{letter} {target.title}", markup=False)
            label.styles.offset = (target.x, target.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        """Go to the panel of the letter; any other key closes."""
        event.stop()
        event.prevent_default()
        target = self.targets.get(event.key)
        self.dismiss(None if target is None else target.id)

    def on_click(self) -> None:
        """Close."""
        self.dismiss(None)
