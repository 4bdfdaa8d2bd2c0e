"""The help dialog: all keys, those of the focused panel first, made from the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from workstation.engine.frames import Frame
from workstation.ui.actions import Scope
from workstation.ui.help import help_lines
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.ritual import Timer
from workstation.ui.widgets.text_panel import TextPanel

__all__ = ["HelpScreen"]


class HelpScreen(DetailScreen):
    """Show the help; ``?`` closes it again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "back", show=False, id="app.help"),
    ]

    def __init__(
        self,
        frame: Frame,
        focused: Scope | None = None,
        *,
        keymap: Mapping[str, tuple[str, ...]] | None = None,
        log_path: str = "",
        themes: Sequence[str] = (),
        theme: str = "",
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, "Keys", lambda scene: (), timer=timer)
        self._focused_scope = focused
        self._keymap = keymap
        self._log_path = log_path
        self._themes = tuple(themes)
        self._theme_name = theme
        self._lines = lambda scene: help_lines(
            self._focused_scope,
            self.size.width if self.size.width < 100 else 100,
            keymap=self._keymap,
            log_path=self._log_path,
            journal=scene.header.journal,
            themes=self._themes,
            theme=self._theme_name,
        )

    def on_resize(self, event: events.Resize) -> None:
        """Lay the lines out for the new width."""
        self.query_one("#text", TextPanel).set_lines(self._lines(self.scene))
