"""The frame around a panel: one rule with its title, one divider, no boxes.

``PanelFrame`` holds one body widget below its rule; neighbours share the line, joined
by ``┬`` where a divider begins. Focus is a heavy rule and a brighter title.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.strip import Strip
from textual.widget import Widget

from workstation.ui.typeset import clean, truncate
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import Part, component_css
from workstation.ui.widgets.status_lines import parts_width

RULE_INKS = frozenset(
    (
        *("strong", "dim", "title", "focus", "rule", "key", "accent", "stale", "info"),
        *("warn", "bad", "good", "up", "down", "state-manual", "state-in-trade"),
        *(f"overlay-{place}" for place in range(1, 5)),
    )
)


def rule_parts(
    title: Sequence[Part],
    info: Sequence[Part],
    cells: int,
    *,
    rule: str = "─",
    ink: str = "rule",
    end: str = "",
) -> list[Part]:
    """Lay out ``─ title ───── info ─`` in ``cells``; info goes before title is cut.

    ``end`` replaces the last cell ("┬" above a divider).
    """
    last = 1 if end else 0
    space = cells - last
    head = parts_width(title)
    tail = parts_width(info)
    if head and head + 4 > space:
        title = [(truncate("".join(text for text, _ in title), space - 4), title[0][1])]
        head = parts_width(title)
    if tail and head + tail + 8 > space:
        info, tail = (), 0
    parts: list[Part] = []
    if head:
        parts = [(f"{rule} ", ink), *title, (" ", ink)]
    used = parts_width(parts)
    if tail:
        filler = space - used - tail - 3
        parts += [(rule * filler + " ", ink), *info, (f" {rule}", ink)]
    else:
        parts.append((rule * max(0, space - used), ink))
    if end:
        parts.append((end, "rule"))
    return parts


class PanelRule(Canvas):
    """The one-line rule on top of a panel: title at the left, facts at the right."""

    INKS = RULE_INKS
    DEFAULT_CSS = f"""
    PanelRule {{ height: 1; width: 1fr; }}
    {component_css("PanelRule", RULE_INKS)}
    """

    def __init__(self, *, junction: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title: tuple[Part, ...] = ()
        self._info: tuple[Part, ...] = ()
        self._junction = junction
        self._lit = False

    def set_title(
        self, title: Sequence[Part] | str, info: Sequence[Part] | str
    ) -> None:
        """Show ``title`` and ``info``; a plain string takes the rule's own ink."""
        new = (_as_parts(title, "title"), _as_parts(info, "dim"))
        if new != (self._title, self._info):
            self._title, self._info = new
            self.redraw()

    @property
    def lit(self) -> bool:
        """Whether the panel below has the focus."""
        return self._lit

    @lit.setter
    def lit(self, value: bool) -> None:
        if value != self._lit:
            self._lit = value
            self.redraw()

    @property
    def junction(self) -> bool:
        """Whether the rule ends in ``┬``."""
        return self._junction

    @junction.setter
    def junction(self, value: bool) -> None:
        if value != self._junction:
            self._junction = value
            self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the rule, heavy and bright under focus."""
        glyphs = self.glyphs
        title = self._title
        if self._lit:
            title = tuple(
                (text, "focus" if ink in ("", "title", "dim") else ink)
                for text, ink in title
            )
        parts = rule_parts(
            title,
            self._info,
            cells,
            rule=glyphs.rule_focus if self._lit else glyphs.rule,
            ink="focus" if self._lit else "rule",
            end=glyphs.junction if self._junction else "",
        )
        return [self.strip(parts, cells)]


class Divider(Canvas):
    """A column of ``│`` between two panels."""

    INKS = frozenset({"rule"})
    DEFAULT_CSS = f"""
    Divider {{ width: 1; height: 1fr; }}
    {component_css("Divider", ["rule"])}
    """

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the column."""
        return [self.strip([(self.glyphs.divider, "rule")], cells)] * rows


class PanelFrame(Vertical):
    """A rule, a body and, with ``divider``, a line at the right edge."""

    ALLOW_MAXIMIZE = True
    DEFAULT_CSS = """
    PanelFrame { width: 1fr; height: 1fr; }
    PanelFrame > Horizontal { width: 1fr; height: 1fr; }
    PanelFrame .panel-body { width: 1fr; height: 1fr; }
    """

    def __init__(
        self,
        *body: Widget,
        title: Sequence[Part] | str = "",
        info: Sequence[Part] | str = "",
        divider: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.rule = PanelRule(junction=divider)
        self.rule.set_title(title, info)
        self._body = body
        self._line = Divider()
        self._line.display = divider

    def compose(self) -> ComposeResult:
        """Stack the rule over the body."""
        yield self.rule
        with Horizontal():
            for widget in self.body_widgets():
                widget.add_class("panel-body")
                yield widget
            yield self._line

    def body_widgets(self) -> Iterable[Widget]:
        """Return the body: what was passed in; subclasses may make their own."""
        return self._body

    @property
    def divider(self) -> bool:
        """Whether a line and its junction part this panel from its right neighbour."""
        return self.rule.junction

    @divider.setter
    def divider(self, value: bool) -> None:
        self.rule.junction = value
        self._line.display = value

    def set_title(
        self, title: Sequence[Part] | str, info: Sequence[Part] | str = ""
    ) -> None:
        """Change the rule's texts; repaints only when they differ."""
        self.rule.set_title(title, info)

    def on_descendant_focus(self) -> None:
        """Light the rule."""
        self.rule.lit = True

    def on_descendant_blur(self) -> None:
        """Put the rule out again."""
        self.rule.lit = False


def _as_parts(value: Sequence[Part] | str, ink: str) -> tuple[Part, ...]:
    if isinstance(value, str):
        value = [(value, ink)]
    # Cleaned here, as the rule counts cells before the strip is made.
    return tuple((clean(text), part_ink) for text, part_ink in value if text)
