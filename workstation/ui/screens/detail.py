"""The detail dialog: everything about one row, read-only, following the frames.

``/`` shows only the entries with some words: a feed may have a thousand books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from workstation.engine.frames import Frame
from workstation.ui.actions import Hint
from workstation.ui.panels.lines import FilterBar
from workstation.ui.screens.ritual import Ritual, Timer
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.sifting import sifted
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.panel_frame import PanelRule
from workstation.ui.widgets.status_lines import Field
from workstation.ui.widgets.text_panel import Line, TextPanel

__all__ = ["DetailScreen"]


class DetailScreen(Ritual[None]):
    """Show what ``lines`` makes of each scene; ``details`` has makers for all rows."""

    DEFAULT_CSS = """
    DetailScreen > #ritual { height: 1fr; }
    DetailScreen.-wide > #ritual { max-width: 100%; }
    DetailScreen #body { height: 1fr; }
    DetailScreen .verbs { display: none; }
    DetailScreen #text { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", show=False, id="find.filter"),
        Binding("e", "export", show=False, id="view.export"),
    ]

    def __init__(
        self,
        frame: Frame,
        title: str,
        lines: Callable[[Scene], Sequence[Line]],
        *,
        live: Callable[[Scene], Sequence[Field]] = lambda scene: (),
        panels: frozenset[str] = frozenset(),
        wide: bool = False,
        export: Callable[[], str] | None = None,
        timer: Timer | None = None,
    ) -> None:
        """Open on ``frame``; ``wide`` lines may take the whole width of the screen.

        ``export`` writes what is shown to a file and returns what became of it.
        """
        super().__init__(frame, timer=timer)
        self._title = title
        self._lines = lines
        self._live = live
        self._needs = panels
        self._export = export
        self.set_class(wide, "-wide")
        self.bar = FilterBar()

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
        yield self.bar

    def first_focus(self) -> None:
        """Let the arrows move the text."""
        self.query_one("#text", TextPanel).focus()
        self._show_lines()

    def _show_lines(self) -> None:
        lines = sifted(self._lines(self.scene), self.bar.value)
        self.query_one("#text", TextPanel).set_lines(lines)
        wanted = self.bar.value.strip()
        title: list[Part] = [(self._title, "title")]
        if wanted:
            title.append((f"  /{wanted}", "key"))
        self.query_one("#rule", PanelRule).set_title(title, "")

    def has_key(self, id: str) -> bool:
        """Tell which keys of dialogs do something here."""
        return id == "dialog.back"

    def footer(self) -> Sequence[Hint]:
        """Return the keys shown at the bottom."""
        move = Hint(glyph="↑ ↓", label="move", id="dialog.up", rank=1)
        find = Hint(glyph="/", label="filter", id="find.filter", rank=2)
        hints = (*super().footer(), move, find)
        if self._export is None:
            return hints
        return (*hints, Hint(glyph="e", label="export", id="view.export", rank=3))

    def refresh_from(self, frame: Frame) -> None:
        """Write the lines anew."""
        super().refresh_from(frame)
        if self.shown:
            self._show_lines()

    # -- the filter ----------------------------------------------------------------

    def action_filter(self) -> None:
        """Open the filter."""
        self.bar.add_class("-open")
        self.bar.focus()

    def action_export(self) -> None:
        """Write it to a file, and say where."""
        if self._export is not None:
            self.say(self._export())

    def action_back(self) -> None:
        """Take the filter away first, then go back."""
        if self.bar.value:
            self.bar.value = ""
        else:
            super().action_back()

    def on_input_changed(self, event: FilterBar.Changed) -> None:
        """Filter while it is typed."""
        event.stop()
        if self.shown:
            self._show_lines()

    def on_input_submitted(self, event: FilterBar.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self.bar.action_keep()

    def on_filter_bar_left(self, event: FilterBar.Left) -> None:
        """Close the field and move the text again."""
        event.stop()
        self.bar.remove_class("-open")
        self.query_one("#text", TextPanel).focus()
