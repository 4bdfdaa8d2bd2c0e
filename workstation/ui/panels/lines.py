"""The lines around the panels: alert, transport, footer with its messages, filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from workstation.ui.actions import Fact, Scope, action, footer_for
from workstation.ui.panels.base import Panel
from workstation.ui.panels.cells import spaced_age
from workstation.ui.screens.heading import compact_line, money_line, trust_line
from workstation.ui.typeset import utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.status_lines import (
    AlertLine,
    Field,
    FooterKey,
    FooterKeys,
    HeaderLines,
    TransportLine,
    parts_width,
)

if TYPE_CHECKING:
    from workstation.engine.frames import Alert, Header

__all__ = [
    "FilterBar",
    "Footer",
    "clock_keys",
    "show_alert",
    "show_header",
    "show_transport",
]

_NS_PER_MS = 1_000_000
_SLOW_LOOP_MS = 50
_INKS = {"bad": "bad", "warn": "warn", "info": "info"}


def show_header(
    lines: HeaderLines, header: Header, *, loop_ns: int, screen_old_s: int
) -> None:
    """Show a header; ``screen_old_s`` > 0 takes the clock's place, reversed."""
    locked = bool(getattr(lines.app, "locked", False))
    trust = list(trust_line(header, locked=locked))
    compact = list(compact_line(header, locked=locked))
    loop_ms = loop_ns // _NS_PER_MS
    slow = "warn" if loop_ms >= _SLOW_LOOP_MS else ""
    trust.append(Field((("loop ", "dim"), (f"{loop_ms} ms", slow)), priority=5))
    if screen_old_s:
        old = Field(((f" SCREEN {screen_old_s} s OLD ", "bad reverse"),))
        trust[2] = old
        compact.insert(1, old)
    lines.set_lines(trust, money_line(header), compact)


def show_alert(
    line: AlertLine, alerts: Sequence[Alert], now_ns: int, *, compact: bool
) -> None:
    """Show the worst of the alerts that wait to be acknowledged.

    ``compact`` leaves out the time and counts ``1/2 a``.
    """
    if not alerts:
        line.clear()
        return
    worst = alerts[0]
    ink = _INKS[worst.severity]
    parts: list[Part] = [("! " if worst.severity != "info" else "  ", ink)]
    # Before the first frame the run has no clock yet.
    if worst.last_ts and not compact:
        parts.append((f"{utc_time(worst.last_ts)} ", "dim"))
    age_ns = now_ns - worst.ts
    if worst.ts and age_ns >= 1_000_000_000:
        parts.append((f"{spaced_age(age_ns)}  ", "dim"))
    parts.append((worst.text.rstrip("."), ink))
    if worst.count > 1:
        parts.append((f", {worst.count} times", ""))
    parts.append((f". {worst.remedy}", "dim"))
    waiting = len(alerts)
    if compact:
        right: list[Part] = [(f"1/{waiting} ", "dim"), ("a", "key")]
    else:
        count = f"1 of {waiting} alerts" if waiting > 1 else "1 alert"
        right = [(f"{count}  ", "dim"), ("a", "key"), (" open", "dim")]
    line.set_alert(parts, right, bad=worst.severity == "bad")


def clock_keys(
    facts: frozenset[Fact], keymap: Mapping[str, tuple[str, ...]], *, playing: bool
) -> list[FooterKey]:
    """Return the hints of the clock for the transport line."""
    return [
        FooterKey(
            hint.glyph,
            "play" if hint.id == "clock.play" and not playing else hint.label,
            action(hint.id).call,
            hint.rank,
        )
        for hint in footer_for(Scope.CLOCK, facts, keymap)
    ]


def show_transport(
    line: TransportLine,
    header: Header,
    keys: Sequence[FooterKey],
    bookmarks: Sequence[float],
    goal: str,
) -> None:
    """Show where a driven run stands."""
    share = header.progress
    if share is None and header.events_total:
        share = header.events / header.events_total
    label = "endless" if share is None else f"{share * 100:.0f}%"
    state: list[Part] = [(header.word, "strong"), (f" ×{header.speed:g}", "")]
    if goal:
        state.append((f" until {goal}", "accent"))
    if share is None:
        label = f"event {header.events:,}"
    line.set_transport(state, share, label, bookmarks, keys)


class Footer(FooterKeys):
    """The keys that act now; for a few seconds, why the last one did not."""

    def __init__(self, *, id: str | None = None) -> None:
        kill = action("app.kill")
        super().__init__(
            kill=FooterKey(kill.glyph, kill.label, kill.call, ink="bad"), id=id
        )
        self._said: tuple[Part, ...] = ()

    @property
    def said(self) -> str:
        """The message shown in place of the keys, or nothing."""
        return "".join(text for text, _ in self._said)

    def set_keys(self, keys: Sequence[FooterKey]) -> None:
        """Show these hints, but none that does nothing in the focused panel."""
        panel = getattr(self.app, "panel", None)
        idle = panel.idle_keys if isinstance(panel, Panel) else frozenset()
        calls = {action(id).call for id in idle}
        super().set_keys([key for key in keys if key.action not in calls])

    def say(self, parts: Sequence[Part]) -> None:
        """Show a message; nothing brings the keys back."""
        if tuple(parts) != self._said:
            self._said = tuple(parts)
            self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the message or the keys, and the kill key at the right of both."""
        if not self._said:
            return super().draw(cells, rows)
        kill = self.key_segments(self._kill)
        tail = sum(len(segment.text) for segment in kill)
        room = cells - tail - 4
        parts: list[Part] = [(" ", ""), *self._said]
        line = self.strip(parts, min(room, parts_width(parts)))
        gap = cells - line.cell_length - tail - 1
        return [
            Strip([*line, self.blank(gap), *kill, self.blank(1)]).adjust_cell_length(
                cells, self.ink()
            )
        ]


class FilterBar(Input):
    """One line to type a filter in; it takes the footer's place while it is open."""

    DEFAULT_CSS = """
    FilterBar {
        display: none;
        height: 1;
        border: none;
        padding: 0 1;
        background: $header-bg;
        &:focus { border: none; background-tint: transparent; }
    }
    FilterBar.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("down,tab", "keep", show=False),
    ]

    class Left(Message):
        """The operator left the field; ``kept`` says whether the filter stays."""

        def __init__(self, kept: bool) -> None:
            super().__init__()
            self.kept = kept

    def __init__(self) -> None:
        super().__init__(
            placeholder="words a row must have, !word it must not; esc clears",
            id="filter",
            compact=True,
        )
        self.cursor_blink = False

    def action_leave(self) -> None:
        """Clear the filter and leave."""
        self.value = ""
        self.post_message(self.Left(False))

    def action_keep(self) -> None:
        """Keep the filter and leave."""
        self.post_message(self.Left(True))
