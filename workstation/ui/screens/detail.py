"""The detail dialog: everything about one row, read-only, following the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual.widget import Widget

from workstation.engine.frames import Frame
from workstation.ui.actions import Hint
from workstation.ui.screens.ritual import Ritual, Timer
from workstation.ui.screens.scene import Scene
from workstation.ui.widgets.status_lines import Field
from workstation.ui.widgets.text_panel import Line, TextPanel

__all__ = ["DetailScreen"]


class DetailScreen(Ritual[None]):
    """Show what ``lines`` makes of each scene; ``details`` has makers for all rows."""

    DEFAULT_CSS = """
    DetailScreen > #ritual { height: 1fr; }
    DetailScreen #body { height: 1fr; }
    DetailScreen .verbs { display: none; }
    DetailScreen #text { height: 1fr; }
    """

    def __init__(
        self,
        frame: Frame,
        title: str,
        lines: Callable[[Scene], Sequence[Line]],
        *,
        live: Callable[[Scene], Sequence[Field]] = lambda scene: (),
        panels: frozenset[str] = frozenset(),
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, timer=timer)
        self._title = title
        self._lines = lines
        self._live = live
        self._needs = panels

    @property
    def panels(self) -> frozenset[str]:
        """The parts its lines are made from."""
        return self._needs

    def title_text(self) -> str:
        """Name the row."""
        return self._title

    def live_fields(self) -> Sequence[Field]:
        """Show the row's live line."""
        return self._live(self.scene)

    def compose_body(self) -> Iterable[Widget]:
        """Show the lines."""
        yield TextPanel(margin=2, id="text")

    def first_focus(self) -> None:
        """Let the arrows move the text."""
        panel = self.query_one("#text", TextPanel)
        panel.focus()
        panel.set_lines(self._lines(self.scene))

    def has_key(self, id: str) -> bool:
        """Tell which keys of dialogs do something here."""
        return id == "dialog.back"

    def footer(self) -> Sequence[Hint]:
        """Return the keys shown at the bottom."""
        move = Hint(glyph="↑ ↓", label="move", id="dialog.up", rank=1)
        return (*super().footer(), move)

    def refresh_from(self, frame: Frame) -> None:
        """Write the lines anew."""
        super().refresh_from(frame)
        if self.shown:
            self.query_one("#text", TextPanel).set_lines(self._lines(self.scene))
