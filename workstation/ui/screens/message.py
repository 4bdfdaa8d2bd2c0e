"""A message that must be read: what happened, where, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.widget import Widget
from textual.widgets import Static

from workstation.engine.frames import Frame
from workstation.ui.screens.ritual import Ritual, Timer
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["MessageScreen"]


class MessageScreen(Ritual[None]):
    """Show sentences, each on its own lines; text from outside stays text."""

    DEFAULT_CSS = """
    MessageScreen #message { height: auto; margin: 0 2; }
    """

    def __init__(
        self,
        frame: Frame,
        title: str,
        lines: Sequence[str],
        *,
        about: str = "",
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, timer=timer)
        self._title = title
        self._lines = tuple(lines)
        self._about = about

    def title_text(self) -> str:
        """Say what it is about."""
        return self._title

    def live_fields(self) -> Sequence[Field]:
        """Show where it happened."""
        return (field(self._about, "warn"),) if self._about else ()

    def compose_body(self) -> Iterable[Widget]:
        """Show the sentences."""
        text = self.words("\n".join(self._lines))
        yield Static(text, id="message", markup=False)
