"""Inks: the named styles of the line widgets, and how names become Rich styles.

A widget lists the inks it may use; each is a CSS class (``ws--up``) whose colours are
theme variables. Callers write names, several joined by spaces ("tint-up up"), the later
ones on top. Looking up is a dictionary access until the style changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.strip import Strip

from workstation.ui.glyphs import UNICODE, GlyphSet
from workstation.ui.typeset import clean, truncate, width

if TYPE_CHECKING:
    from textual.widget import Widget

    _Base = Widget
else:
    _Base = object

Part = tuple[str, str]
"""A text and the inks it is written in ("" for plain text)."""

_RULES = {
    "strong": "color: $text-strong;",
    "bold": "text-style: bold;",
    "dim": "color: $muted;",
    "head": "color: $muted;",
    "title": "color: $text-strong;",
    "focus": "color: $focus-line; text-style: bold;",
    "rule": "color: $rule;",
    "key": "color: $key; text-style: bold;",
    "accent": "color: $accent;",
    "reverse": "text-style: bold reverse;",
    "up": "color: $tick-up;",
    "down": "color: $tick-down;",
    "good": "color: $success;",
    "info": "color: $severity-info;",
    "warn": "color: $severity-warn;",
    "bad": "color: $severity-bad; text-style: bold;",
    "alarm": "background: $severity-bad-bg;",
    "stale": "color: $stale;",
    "tint": "background: $tint-bg;",
    "tint-up": "background: $tint-up-bg;",
    "tint-down": "background: $tint-down-bg;",
    "cursor": "background: $cursor-bg;",
    "cursor-blurred": "background: $cursor-blurred-bg;",
    "mark": "background: $mark-bg;",
    "match": "background: $match-bg; color: $text-strong; text-style: underline;",
    "state-watch": "color: $state-watch;",
    "state-close-watch": "color: $state-close-watch;",
    "state-in-trade": "color: $state-in-trade;",
    "state-manual": "color: $state-manual;",
    "bid": "color: $book-bid;",
    "ask": "color: $book-ask;",
    "bid-bar": "color: $book-bid-bar;",
    "ask-bar": "color: $book-ask-bar;",
    "overlay-1": "color: $overlay-1;",
    "overlay-2": "color: $overlay-2;",
    "overlay-3": "color: $overlay-3;",
    "overlay-4": "color: $overlay-4;",
}

_ANSI_RULES = {
    "cursor": "text-style: reverse;",
    "cursor-blurred": "text-style: bold;",
    "mark": "text-style: italic;",
    "match": "color: ansi_default; text-style: bold underline;",
    "alarm": "text-style: bold;",
}
# The terminal's own sixteen colours have no background that suits every text.

TEXT_INKS = frozenset(_RULES) - {
    name
    for name in _RULES
    if name.startswith(("overlay", "bid", "ask")) or name.endswith("-bar")
}
"""What any panel of text may use: all but the colours of charts and ladders."""

CHART_INKS = frozenset(
    ["strong", "bold", "dim", "rule", "up", "down", "warn", "accent", "state-in-trade"]
) | {name for name in _RULES if name.startswith("overlay")}
"""The inks of the candle chart."""

BOOK_INKS = frozenset(
    ["strong", "bold", "dim", "head", "rule", "up", "down", "warn", "bad", "stale"]
) | {name for name in _RULES if name.startswith(("bid", "ask", "cursor", "state"))}
"""The inks of the book ladder."""


def component_css(widget: str, names: Iterable[str]) -> str:
    """Return the CSS of the inks ``names`` inside the widget type ``widget``."""
    inks = sorted(names)
    rules = [f"{widget} > .ws--{name} {{ {_RULES[name]} }}" for name in inks]
    rules += [
        f"{widget}:ansi > .ws--{name} {{ {_ANSI_RULES[name]} }}"
        for name in inks
        if name in _ANSI_RULES
    ]
    return "\n".join(rules)


class Inked(_Base):
    """A mixin for line widgets: inks, strips of exact width, and the glyph set.

    ``style_epoch`` grows whenever the widget's styles may have changed; whoever caches
    strips keys them by it.
    """

    INKS: frozenset[str] = TEXT_INKS
    style_epoch: int = 0
    _glyphs: GlyphSet | None = None
    _inked: dict[str, Style] | None = None
    _plain: dict[str, RenderStyles] | None = None

    def notify_style_update(self) -> None:
        """Forget the styles: theme, focus or CSS has changed."""
        self.style_epoch += 1
        self._inked = None
        self._plain = None
        super().notify_style_update()
        if self.is_mounted:
            self.refresh()

    @property
    def glyphs(self) -> GlyphSet:
        """The widget's own glyph set, else ``app.glyphs``, else Unicode."""
        if self._glyphs is not None:
            return self._glyphs
        found = getattr(self.app, "glyphs", None)
        return found if isinstance(found, GlyphSet) else UNICODE

    @glyphs.setter
    def glyphs(self, value: GlyphSet) -> None:
        self._glyphs = value
        self.style_epoch += 1
        if self.is_mounted:
            self.refresh()

    def ink(self, names: str = "") -> Style:
        """Return the Rich style of ``names``; a name it does not know adds nothing."""
        inked = self._inked
        if inked is None:
            inked = self._inked = {}
        style = inked.get(names)
        if style is None:
            style = inked[names] = self._mix(names)
        return style

    def _mix(self, names: str) -> Style:
        _, background = self.background_colors
        color: Color = self.colors[3]
        style = Style()
        for name in names.split():
            if name not in self.INKS:
                continue
            styles = self._styles_of(name)
            if styles.has_rule("background"):
                background += styles.background
            if styles.has_rule("color"):
                color = styles.color
            if styles.has_rule("text_style"):
                style += styles.text_style
        front = background + color
        return Style.from_color(front.rich_color, background.rich_color) + style

    def _styles_of(self, name: str) -> RenderStyles:
        """Return the CSS of one ink, worked out when it is first used.

        Textual's component classes would be worked out for every ink of every widget
        each time anything is styled: that was half of the time to the first paint.
        """
        plain = self._plain
        if plain is None:
            plain = self._plain = {}
        styles = plain.get(name)
        if styles is None:
            node = DOMNode(classes=f"ws--{name}")
            node._attach(self)
            self.app.stylesheet.apply(node, animate=False)
            styles = plain[name] = node.styles
        return styles

    def strip(self, parts: Iterable[Part], cells: int, under: str = "") -> Strip:
        """Lay ``parts`` out in exactly ``cells``; ``under`` is inked below them all.

        Too long a line ends in ``…``; neighbours of one style become one segment.
        """
        show = self.glyphs.show
        segments: list[Segment] = []
        left = cells
        for text, names in parts:
            if not text:
                continue
            shown = show(clean(text))
            taken = width(shown)
            if taken > left:
                shown = show(truncate(shown, left))
                taken = width(shown)
            style = self.ink(f"{under} {names}" if under else names)
            if segments and segments[-1].style is style:
                segments[-1] = Segment(segments[-1].text + shown, style)
            elif shown:
                segments.append(Segment(shown, style))
            left -= taken
            if left <= 0 or taken < width(text):
                break
        if left > 0:
            blank = self.ink(under)
            if segments and segments[-1].style is blank:
                segments[-1] = Segment(segments[-1].text + " " * left, blank)
            else:
                segments.append(Segment(" " * left, blank))
        return Strip(segments, cells)
