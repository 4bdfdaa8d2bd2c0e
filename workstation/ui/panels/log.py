"""The log: one line for each record, newest first; in layout 7 with a rail of kinds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice, Panel, PanelState
from workstation.ui.typeset import number
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    Part,
    component_css,
)
from workstation.ui.widgets.tail_log import LogLine, TailLog
from workstation.ui.wording import KINDS

if TYPE_CHECKING:
    from workstation.engine.frames import Frame

__all__ = ["KindRail", "LogPanel", "WideLogPanel"]

RAIL_CELLS = 16
_QUIET = frozenset({"bar", "edge"})
# On Monitor, bars would push all else out; layout 7 has them. Opportunities have a
# panel of their own.


class LogPanel(Panel):
    """The log of Monitor: all kinds but bars and opportunities."""

    panel_id = "log"
    title = "Log"
    scope = Scope.LOG
    empty = ("Nothing has happened yet.", "space lets the clock run.")
    opens = True
    quiet: ClassVar[frozenset[str]] = _QUIET

    def __init__(self, scales: object, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)  # type: ignore[arg-type]
        self.tail = TailLog(empty=f"{self.empty[0]} {self.empty[1]}")

    def bodies(self) -> Iterable[Widget]:
        """Make the log."""
        yield self.tail

    @property
    def body(self) -> Widget:
        """The log."""
        return self.tail

    def extend(self, lines: Sequence[LogLine], step: frozenset[int]) -> None:
        """Add lines, oldest first; ``step`` are the inputs of the last step."""
        shown = [line for line in lines if line.kind not in self.quiet]
        if shown:
            self.tail.extend(shown)
        self.tail.highlight = step
        self.titles()

    def apply(self, frame: Frame) -> None:
        """Lines come by ``extend``; a frame only refreshes the title."""
        self.titles()

    def titles(self) -> None:
        """Say what is shown of what there is."""
        shown, held = self.tail.line_count
        parts: list[Part] = [(self.title, "title")]
        text = self.tail.filter_text.strip()
        if text or self.tail.kinds is not None:
            parts.append((f" {number(shown, 0)} of {number(held, 0)}", "dim"))
        if text:
            parts.append((f"  /{text}", "key"))
        kinds = self.tail.kinds
        what = "all" if kinds is None else " ".join(k for k in KINDS if k in kinds)
        follows = self.tail.following
        state: Part = ("following", "dim") if follows else ("held  f follows", "warn")
        self.set_title(parts, [(f"{what}  ", "dim"), state])

    # -- keys ---------------------------------------------------------------------

    @property
    def choice(self) -> Choice | None:
        """The symbol or task of the line below the cursor."""
        line = self.tail.cursor_line
        return None if line is None or not line.key else self.choice_of(line)

    def choice_of(self, line: LogLine) -> Choice:
        """Return what a line is about."""
        about = (line.seq, line.plain)
        if line.key in self.scales:
            return Choice(line.key, line=about)
        return Choice(task=line.key, line=about)

    @property
    def filter_text(self) -> str:
        """The filter."""
        return self.tail.filter_text

    def set_filter(self, text: str) -> None:
        """Show only lines with all these words."""
        self.tail.filter_text = text
        self.titles()

    def find(self, text: str, step: int) -> int:
        """Go to the next match, older or newer."""
        self.tail.find_text = text
        return self.tail.find_next() if step > 0 else self.tail.find_previous()

    def follow(self) -> bool:
        """Follow the newest line, or stop."""
        self.tail.following = not self.tail.following
        self.titles()
        return self.tail.following

    def copy_text(self) -> str:
        """Return the line below the cursor, else the newest."""
        line = self.tail.cursor_line
        if line is not None:
            return line.plain
        text = self.tail.plain()
        return text.rsplit("\n", 1)[-1]

    def export_rows(self) -> list[list[str]]:
        """Return the lines that pass the filters, oldest first."""
        return [[line] for line in self.tail.plain().splitlines()]

    def capture(self) -> PanelState:
        """Keep filter and kinds; the place is kept by the log itself."""
        return PanelState(
            filter_text=self.tail.filter_text,
            find_text=self.tail.find_text,
            kinds=self.tail.kinds,
        )

    def restore(self, state: PanelState) -> None:
        """Take up filter and kinds."""
        self.tail.filter_text = state.filter_text
        self.tail.find_text = state.find_text
        self.tail.kinds = state.kinds
        self.titles()

    def on_tail_log_follow_changed(self, event: TailLog.FollowChanged) -> None:
        """Say in the title whether it follows."""
        event.stop()
        self.titles()

    def on_tail_log_line_highlighted(self, event: TailLog.LineHighlighted) -> None:
        """Tell which symbol the line is about."""
        event.stop()
        if event.line.key and not isinstance(event, TailLog.LineSelected):
            self.post_message(self.Moved(self, self.choice_of(event.line)))

    def on_tail_log_line_selected(self, event: TailLog.LineSelected) -> None:
        """Tell that the line was opened."""
        event.stop()
        if event.line.key:
            self.post_message(self.Opened(self, self.choice_of(event.line)))


class KindRail(Canvas):
    """How many lines of each kind there are; a click shows only that kind."""

    INKS = TEXT_INKS
    DEFAULT_CSS = f"""
    KindRail {{ width: {RAIL_CELLS}; height: 1fr; }}
    {component_css("KindRail", TEXT_INKS)}
    """

    def __init__(self) -> None:
        super().__init__()
        self._counts: tuple[tuple[str, int, bool], ...] = ()

    def set_counts(self, counts: dict[str, int], only: frozenset[str] | None) -> None:
        """Show these counts; kinds outside ``only`` are dimmed."""
        rows = tuple(
            (kind, counts.get(kind, 0), only is None or kind in only) for kind in KINDS
        )
        if rows != self._counts:
            self._counts = rows
            self.redraw()

    def kind_at(self, row: int) -> str | None:
        """Return the kind drawn in a row."""
        return self._counts[row][0] if 0 <= row < len(self._counts) else None

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw kind and count, and a line at the right."""
        strips = []
        for kind, count, shown in self._counts[:rows]:
            ink = "strong" if shown and count else "dim"
            parts: list[Part] = [
                (f" {kind:<6}", ink),
                (number(count, 0).rjust(cells - 9), "" if shown and count else "dim"),
                (" ", ""),
                (self.glyphs.divider, "rule"),
            ]
            strips.append(self.strip(parts, cells))
        blank: list[Part] = [(" " * (cells - 1), ""), (self.glyphs.divider, "rule")]
        while len(strips) < rows:
            strips.append(self.strip(blank, cells))
        return strips


class WideLogPanel(LogPanel):
    """The log of layout 7: every kind, with their counts; left and right choose one."""

    panel_id = "log_all"
    DEFAULT_CSS = f"WideLogPanel KindRail.panel-body {{ width: {RAIL_CELLS}; }}"
    quiet = frozenset()

    def __init__(self, scales: object, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self.rail = KindRail()

    def bodies(self) -> Iterable[Widget]:
        """Make the rail and the log."""
        yield self.rail
        yield self.tail

    def titles(self) -> None:
        """Refresh the rail, too."""
        super().titles()
        self.rail.set_counts(self.tail.kind_counts, self.tail.kinds)

    def turn(self, step: int) -> str:
        """Show the next kind that has lines, or all; return which."""
        counts = self.tail.kind_counts
        ring: list[str | None] = [None, *[k for k in KINDS if counts.get(k)]]
        kinds = self.tail.kinds
        here = None if kinds is None else next(iter(kinds))
        at = ring.index(here) if here in ring else 0
        kind = ring[(at + step) % len(ring)]
        self.tail.kinds = None if kind is None else {kind}
        self.titles()
        return kind or "all"

    def on_click(self, event: events.Click) -> None:
        """Show only the kind that was clicked; again shows all."""
        if event.widget is not self.rail:
            return
        kind = self.rail.kind_at(event.y)
        if kind is not None:
            only = frozenset({kind})
            self.tail.kinds = None if self.tail.kinds == only else only
            self.titles()

    def on_key(self, event: events.Key) -> None:
        """Choose the kind with left and right."""
        if event.key in ("left", "right"):
            event.stop()
            self.turn(1 if event.key == "right" else -1)
