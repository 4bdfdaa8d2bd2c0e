"""A tiny app that shows one widget, with our theme variables and glyph sets."""

from __future__ import annotations

from pathlib import Path

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widget import Widget

from workstation.ui.glyphs import ASCII, UNICODE
from workstation.ui.theming import default_variables, load_themes
from workstation.ui.widgets.book_ladder import BookLadder
from workstation.ui.widgets.line_table import LineTable
from workstation.ui.widgets.tail_log import TailLog

THEMES = Path(__file__).resolve().parents[3] / "themes"


class Host(App[None]):
    """Shows ``widget``; keeps the messages it sends and the actions it runs."""

    AUTO_FOCUS = None
    CSS = "Screen { background: $background; color: $foreground; }"

    def __init__(
        self, widget: Widget, *, ascii: bool = False, theme: str = "harbor-dark"
    ) -> None:
        super().__init__()
        self.glyphs = ASCII if ascii else UNICODE
        for found in load_themes([THEMES])[0]:
            self.register_theme(found)
        self.theme = theme
        self.widget = widget
        self.heard: list[Message] = []
        self.pressed: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return default_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_line_table_row_highlighted(self, message: LineTable.RowHighlighted) -> None:
        self.heard.append(message)

    def on_line_table_row_selected(self, message: LineTable.RowSelected) -> None:
        self.heard.append(message)

    def on_tail_log_line_selected(self, message: TailLog.LineSelected) -> None:
        self.heard.append(message)

    def on_tail_log_follow_changed(self, message: TailLog.FollowChanged) -> None:
        self.heard.append(message)

    def on_book_ladder_price_selected(self, message: BookLadder.PriceSelected) -> None:
        self.heard.append(message)

    def action_pressed(self, what: str) -> None:
        self.pressed.append(what)

    def lines(self) -> list[str]:
        """Return the text on the screen, line by line."""
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]


def painted(widget: Widget) -> list[str]:
    """Return what ``widget`` paints, line by line."""
    return [widget.render_line(y).text for y in range(widget.size.height)]
