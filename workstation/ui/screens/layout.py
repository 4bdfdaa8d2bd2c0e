"""What every layout is: lines around panels, and which panels a terminal has room for.

A layout decides which of its panels are seen; the bridge asks it which parts of a frame
those need. ``layouts`` has the layouts themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from workstation.ui.panels.base import Panel, PanelState
from workstation.ui.panels.lines import FilterBar, Footer
from workstation.ui.panels.split import Split
from workstation.ui.widgets.kill_banner import KILL_INK, KillWords, lay_kill
from workstation.ui.widgets.status_lines import (
    AlertLine,
    HeaderLines,
    StatusLine,
    TransportLine,
)

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp

__all__ = ["LayoutScreen", "SizeClass", "size_class"]


class SizeClass(StrEnum):
    """How much of a layout a terminal has room for."""

    TINY = "tiny"
    SMALL = "small"
    COMPACT = "compact"
    LARGE = "large"
    HUGE = "huge"


def size_class(columns: int, rows: int) -> SizeClass:
    """Return the class of a terminal: 40×10, 80×24, 120×36 and 200×50 begin one each.

    Both measures must reach it, which Textual's breakpoints cannot say.
    """
    if columns < 40 or rows < 10:
        return SizeClass.TINY
    if columns < 80 or rows < 24:
        return SizeClass.SMALL
    if columns < 120 or rows < 36:
        return SizeClass.COMPACT
    if columns < 200 or rows < 50:
        return SizeClass.LARGE
    return SizeClass.HUGE


class TooSmall(StatusLine):
    """The one line of a terminal in which nothing else fits."""

    DEFAULT_CSS = "TooSmall { display: none; }"
    _kill: KillWords | None = None

    def set_kill(self, words: KillWords | None) -> None:
        """Say what is killed instead."""
        if words != self._kill:
            self._kill = words
            self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the sentence."""
        if self._kill is not None:
            return [self.strip(lay_kill(self._kill, cells), cells, KILL_INK)]
        text = "terminal too small, engine runs, ctrl+k kills"
        if cells < len(text):
            text = "too small, engine runs, ctrl+k kills"
        return [self.strip([(text, "warn")], cells)]


class LayoutScreen(Screen[None], inherit_bindings=False):
    """A layout; subclasses compose ``panels_area`` and say which panels fit."""

    ALLOW_SELECT = False
    # Not None: the app's own would take the first panel, seen at this size or not.
    AUTO_FOCUS = ""
    layout_title: ClassVar[str] = ""
    shown_at: ClassVar[dict[SizeClass, tuple[str, ...]]] = {}
    """The panels seen at each size, in the order of ``tab``."""

    DEFAULT_CSS = """
    LayoutScreen { layout: vertical; overflow: hidden; background: $background; }
    LayoutScreen #area { width: 1fr; height: 1fr; }
    LayoutScreen Horizontal, LayoutScreen Vertical { width: 1fr; height: 1fr; }
    LayoutScreen .-alone { width: 1fr !important; height: 1fr !important; }
    LayoutScreen.-small AlertLine, LayoutScreen.-small TransportLine { display: none; }
    LayoutScreen.-filtering Footer { display: none; }
    LayoutScreen.-tiny HeaderLines, LayoutScreen.-tiny AlertLine,
    LayoutScreen.-tiny TransportLine, LayoutScreen.-tiny Footer,
    LayoutScreen.-tiny FilterBar, LayoutScreen.-tiny #area { display: none; }
    LayoutScreen.-tiny TooSmall { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.size_class = SizeClass.COMPACT
        self.zoomed = False
        self.current = ""
        self.panels: dict[str, Panel] = {}
        self.too_small = TooSmall()
        self.header_lines = HeaderLines(id="header")
        self.alert_line = AlertLine(id="alert")
        self.transport = TransportLine(id="transport")
        self.footer = Footer(id="footer")
        self.filter_bar = FilterBar()

    @property
    def workstation(self) -> WorkstationApp:
        """The app, by its own type."""
        return cast("WorkstationApp", self.app)

    # -- composing -------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Stack header, alert, panels, transport and footer."""
        # Before there is anything to style: afterwards all would be styled twice.
        self._take_size()
        yield self.too_small
        yield self.header_lines
        yield self.alert_line
        with Vertical(id="area"):
            yield from self.panels_area()
        yield self.transport
        yield self.filter_bar
        yield self.footer

    def panels_area(self) -> Iterable[Widget]:
        """Return the panels in their rows and columns."""
        return ()

    @property
    def boxes(self) -> list[Widget]:
        """The rows and columns that panels stand in."""
        found = self.query("#area Horizontal, #area Vertical").results(Widget)
        return [
            box
            for box in found
            if not isinstance(box, Panel)
            and not any(isinstance(node, Panel) for node in box.ancestors)
        ]

    def make(self, kind: type[Panel]) -> Panel:
        """Make a panel of this layout."""
        panel = self.workstation.make_panel(kind)
        self.panels[panel.panel_id] = panel
        self.current = self.current or panel.panel_id
        return panel

    def on_mount(self) -> None:
        """Take up what the panels kept, and fit."""
        for panel in self.panels.values():
            panel.restore(self.workstation.panel_state(panel.panel_id))
        self.fit()

    def on_screen_resume(self) -> None:
        """Give the focus back to the panel that had it."""
        for panel in self.panels.values():
            panel.restore(self.workstation.panel_state(panel.panel_id))
        self.call_after_refresh(self.focus_panel, self.current)
        self.call_after_refresh(self.workstation.bridge_now)

    def on_screen_suspend(self) -> None:
        """Keep what the panels are at for the other layouts."""
        self.keep()

    def keep(self) -> None:
        """Keep every panel's state by its id."""
        for panel in self.panels.values():
            self.workstation.keep_state(panel.panel_id, panel.capture())

    # -- size, zoom, focus -----------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Choose the size class."""
        self.fit()

    def fit(self) -> None:
        """Show the panels there is room for."""
        self._take_size()
        compact = self.size_class not in (SizeClass.LARGE, SizeClass.HUGE)
        for panel in self.panels.values():
            panel.set_compact(compact)
        self.lay_out()

    def _take_size(self) -> None:
        size = self.app.size
        found = size_class(size.width, size.height)
        if not self.has_class(f"-{found.value}"):
            # One change of classes at a time: each styles the whole screen anew.
            others = {f"-{each.value}" for each in SizeClass}
            self.classes = (self.classes - others) | {f"-{found.value}"}
        self.size_class = found

    def grid_panels(self) -> tuple[str, ...]:
        """Return the panels seen side by side at this size."""
        shown = self.shown_at.get(self.size_class)
        if shown is None:
            shown = self.shown_at[SizeClass.LARGE]
        return tuple(name for name in shown if name in self.panels)

    @property
    def order(self) -> tuple[str, ...]:
        """All panels in the order of ``tab``: those seen first."""
        grid = self.grid_panels()
        return (*grid, *[name for name in self.panels if name not in grid])

    @property
    def alone(self) -> bool:
        """Whether only the current panel is seen."""
        small = self.size_class in (SizeClass.SMALL, SizeClass.TINY)
        return self.zoomed or small or self.current not in self.grid_panels()

    def visible_panels(self) -> tuple[Panel, ...]:
        """Return the panels the bridge must feed."""
        if self.size_class is SizeClass.TINY:
            return ()
        names = (self.current,) if self.alone else self.grid_panels()
        return tuple(self.panels[name] for name in names if name in self.panels)

    def lay_out(self) -> None:
        """Hide what is not seen, and the rows and columns that are empty then."""
        if not self.panels:
            return
        seen = set(self.visible_panels())
        alone = self.alone
        branches: set[Widget] = set()
        for panel in seen:
            branches.update(
                node for node in panel.ancestors if isinstance(node, Widget)
            )
        for box in self.boxes:
            _show(box, box in branches)
            box.set_class(alone and box in branches, "-alone")
        for panel in self.panels.values():
            _show(panel, panel in seen)
            panel.set_class(alone and panel in seen, "-alone")
        for split in self.query(Split):
            parent = split.parent
            siblings = [] if parent is None else list(parent.children)
            place = siblings.index(split)
            # A split belongs to the panel before it; the last one seen has none.
            right = any(
                node.display
                for node in siblings[place + 1 :]
                if not isinstance(node, Split)
            )
            beside = isinstance(parent, Horizontal) and not self.is_stacked(parent)
            left = siblings[place - 1].display
            _show(split, left and right and beside and not alone)
        self.size_rows()

    def is_stacked(self, box: Widget) -> bool:
        """Tell whether a row of panels is a column at this size."""
        return False

    def size_rows(self) -> None:
        """Give rows whose height depends on their content that height."""

    @property
    def panel(self) -> Panel | None:
        """The panel that has the focus, or had it last."""
        return self.panels.get(self.current)

    def focus_panel(self, name: str) -> None:
        """Give a panel the focus, showing it alone where it has no place."""
        panel = self.panels.get(name)
        if panel is None:
            return
        was_alone = self.alone
        changed = name != self.current
        self.current = name
        if changed and (was_alone or self.alone):
            self.lay_out()
        # A body that has just been shown can take the focus only after the layout.
        self.call_after_refresh(panel.body.focus, False)
        self.workstation.panel_changed()

    def turn(self, step: int) -> None:
        """Focus the next panel."""
        order = self.order
        at = order.index(self.current) if self.current in order else 0
        self.focus_panel(order[(at + step) % len(order)])
        self.workstation.bridge_now()

    def zoom(self) -> bool:
        """Give the current panel the whole screen, or take it back."""
        self.zoomed = not self.zoomed
        self.lay_out()
        self.workstation.bridge_now()
        return self.zoomed

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Note which panel a click or key has focused."""
        node: Widget | None = event.widget
        while node is not None and not isinstance(node, Panel):
            parent = node.parent
            node = parent if isinstance(parent, Widget) else None
        if not isinstance(node, Panel) or node.panel_id == self.current:
            return
        # What is not seen never gets the keys: word of its focus comes too late.
        if node in self.visible_panels():
            self.current = node.panel_id
            self.workstation.panel_changed()

    def show_kill(self, words: KillWords | None) -> None:
        """Show what is killed where this size has a line for it."""
        self.alert_line.set_kill(words)
        small = self.size_class is SizeClass.SMALL
        self.header_lines.set_kill(words if small else None)
        self.too_small.set_kill(words)

    def states(self) -> dict[str, PanelState]:
        """Return the state of every panel."""
        return {name: panel.capture() for name, panel in self.panels.items()}


def _show(widget: Widget, shown: bool) -> None:
    # Setting it to what it is would still lay the screen out again.
    if widget.display != shown:
        widget.display = shown
