"""The fixed lines of every screen: header, alert, transport, footer.

Each is handed ready texts and drops whole fields by priority when it is too narrow; no
word is ever cut in half. Key hints are clickable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from workstation.ui.typeset import truncate, width
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    Part,
    component_css,
)
from workstation.ui.widgets.kill_banner import KILL_INK, KillWords, lay_kill

WIDE = 120
"""From this many columns the header has two lines."""

STATUS_INKS = frozenset(
    name
    for name in TEXT_INKS
    if not name.startswith(("cursor", "tint", "mark", "match", "focus"))
)


@dataclass(frozen=True, slots=True)
class Field:
    """One piece of a line that is shown whole or not at all.

    The field with the highest ``priority`` goes first, the rightmost of equals.
    ``gap`` is the least number of blanks before it; ``right`` fields stand at the end.
    """

    parts: tuple[Part, ...]
    priority: int = 0
    gap: int = 2
    right: bool = False


def field(
    text: str, ink: str = "", priority: int = 0, *, gap: int = 2, right: bool = False
) -> Field:
    """Make a ``Field`` of one part."""
    return Field(((text, ink),), priority, gap, right)


@dataclass(frozen=True, slots=True)
class FooterKey:
    """A key hint: ``glyph label``; pressing it with the mouse runs ``action``."""

    glyph: str
    label: str
    action: str
    priority: int = 0
    ink: str = "key"


def parts_width(parts: Sequence[Part]) -> int:
    """Return the cells of ``parts`` side by side."""
    return sum(width(text) for text, _ in parts)


def _needed(fields: Sequence[Field]) -> int:
    gaps = sum(item.gap for item in fields[1:])
    right = 1 if any(item.right for item in fields) else 0
    return 1 + gaps + right + sum(parts_width(item.parts) for item in fields)


def keep_fields(fields: Sequence[Field], cells: int) -> list[Field]:
    """Drop fields by priority until the rest fits ``cells``; keep at least one."""
    kept = list(fields)
    while len(kept) > 1 and _needed(kept) > cells:
        worst = max(range(len(kept)), key=lambda i: (kept[i].priority, i))
        del kept[worst]
    return kept


def lay_fields(fields: Sequence[Field], cells: int) -> list[Part]:
    """Return the parts of one line: a blank, left fields, room, right fields."""
    kept = keep_fields(fields, cells)
    left = [f for f in kept if not f.right]
    right = [f for f in kept if f.right]
    parts: list[Part] = [(" ", "")]
    for index, item in enumerate(left):
        if index:
            parts.append((" " * item.gap, ""))
        parts.extend(item.parts)
    if right:
        tail: list[Part] = []
        for index, item in enumerate(right):
            if index:
                tail.append((" " * item.gap, ""))
            tail.extend(item.parts)
        room = cells - parts_width(parts) - parts_width(tail) - 1
        parts.append((" " * max(1, room), ""))
        parts.extend(tail)
    return parts


class StatusLine(Canvas):
    """One or two lines on the header's background."""

    INKS = STATUS_INKS
    DEFAULT_CSS = f"""
    StatusLine {{
        height: 1;
        width: 1fr;
        background: $header-bg;
        color: $foreground;
    }}
    {component_css("StatusLine", STATUS_INKS)}
    """


class HeaderLines(StatusLine):
    """Trust and money: two lines from 120 columns, below that one of its own."""

    DEFAULT_CSS = "HeaderLines { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._trust: tuple[Field, ...] = ()
        self._money: tuple[Field, ...] = ()
        self._compact: tuple[Field, ...] = ()
        self._kill: KillWords | None = None

    def set_kill(self, words: KillWords | None) -> None:
        """Show a kill in place of the last line, where no other line can."""
        if words != self._kill:
            self._kill = words
            self.redraw()

    def set_lines(
        self,
        trust: Sequence[Field],
        money: Sequence[Field],
        compact: Sequence[Field],
    ) -> None:
        """Show these fields: the two wide lines and the one narrow line."""
        lines = (tuple(trust), tuple(money), tuple(compact))
        if lines != (self._trust, self._money, self._compact):
            self._trust, self._money, self._compact = lines
            self.redraw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return 2 from 120 columns on, else 1."""
        return 2 if width >= WIDE else 1

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Lay out the lines for this width."""
        lines = (self._trust, self._money) if cells >= WIDE else (self._compact,)
        strips = [self.strip(lay_fields(line, cells), cells) for line in lines]
        if self._kill is not None:
            alone = len(strips) == 1
            parts = lay_kill(self._kill, cells, with_mode=alone)
            strips[-1] = self.strip(parts, cells, KILL_INK)
        return strips


class AlertLine(StatusLine):
    """The worst unacknowledged alert, in one line that is always reserved."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: tuple[Part, ...] = (("no alerts", "dim"),)
        self._right: tuple[Part, ...] = ()
        self._bad = False
        self._kill: KillWords | None = None

    def set_kill(self, words: KillWords | None) -> None:
        """Show a kill in place of all alerts; None brings them back."""
        if words != self._kill:
            self._kill = words
            self.redraw()

    def set_alert(
        self,
        parts: Sequence[Part],
        right: Sequence[Part] = (),
        *,
        bad: bool = False,
    ) -> None:
        """Show an alert: its text, the count at the right, ``bad`` tints the line."""
        new = (tuple(parts), tuple(right), bad)
        if new != (self._parts, self._right, self._bad):
            self._parts, self._right, self._bad = new
            self.redraw()

    def clear(self) -> None:
        """Say that there are no alerts."""
        self.set_alert((("no alerts", "dim"),))

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Give the text what the count leaves, cut between words."""
        if self._kill is not None:
            return [self.strip(lay_kill(self._kill, cells), cells, KILL_INK)]
        under = "alarm" if self._bad else ""
        tail = parts_width(self._right)
        room = cells - 1 - (tail + 2 if tail else 0)
        parts: list[Part] = [(" ", "")]
        for text, ink in self._parts:
            if width(text) > room:
                parts.append((_cut_words(text, room), ink))
                break
            parts.append((text, ink))
            room -= width(text)
        if tail:
            pad = cells - parts_width(parts) - tail - 1
            parts.append((" " * max(1, pad), ""))
            parts.extend(self._right)
        return [self.strip(parts, cells, under)]


def _cut_words(text: str, cells: int) -> str:
    cut = truncate(text, cells)
    head, blank, _ = cut[:-1].rpartition(" ")
    return f"{head}…" if blank and text[: len(cut)] != cut else cut


class KeyLine(StatusLine):
    """A line with clickable key hints."""

    def key_segments(self, key: FooterKey) -> list[Segment]:
        """Return the segments of one hint; both carry the action to click."""
        show = self.glyphs.show
        meta = Style(meta={"@click": key.action})
        segments = [Segment(show(key.glyph), self.ink(key.ink) + meta)]
        if key.label:
            label = "bad" if key.ink == "bad" else "dim"
            segments.append(Segment(show(f" {key.label}"), self.ink(label) + meta))
        return segments

    def blank(self, cells: int) -> Segment:
        """Return ``cells`` of background."""
        return Segment(" " * cells, self.ink())


def _key_width(key: FooterKey) -> int:
    return width(key.glyph) + (1 + width(key.label) if key.label else 0)


def keep_keys(keys: Sequence[FooterKey], cells: int) -> list[FooterKey]:
    """Drop hints by priority, the rightmost of equals first, until they fit."""
    kept = list(keys)
    while kept and sum(_key_width(key) + 2 for key in kept) - 2 > cells:
        del kept[max(range(len(kept)), key=lambda i: (kept[i].priority, i))]
    return kept


class FooterKeys(KeyLine):
    """The keys that act now, and the kill key at the right that never goes away."""

    def __init__(
        self,
        *,
        kill: FooterKey = FooterKey("ctrl+k", "KILL", "app.kill", ink="bad"),
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._kill = kill
        self._keys: tuple[FooterKey, ...] = ()

    def set_keys(self, keys: Sequence[FooterKey]) -> None:
        """Show these hints."""
        if tuple(keys) != self._keys:
            self._keys = tuple(keys)
            self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Lay out the hints that fit and the kill key."""
        kill = self.key_segments(self._kill)
        tail = _key_width(self._kill)
        segments = [self.blank(1)]
        taken = 1
        for index, key in enumerate(keep_keys(self._keys, cells - tail - 4)):
            if index:
                segments.append(self.blank(2))
                taken += 2
            segments.extend(self.key_segments(key))
            taken += _key_width(key)
        room = cells - taken - tail - 1
        if room > 0:
            segments.append(self.blank(room))
        segments.extend(kill)
        segments.append(self.blank(1))
        return [Strip(segments).adjust_cell_length(cells, self.ink())]


class TransportLine(KeyLine):
    """Where a driven run stands: word, bar with bookmarks, share, clock keys."""

    BAR_LEAST = 8
    BAR_MOST = 48

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._state: tuple[Part, ...] = ()
        self._share: float | None = None
        self._label = ""
        self._bookmarks: tuple[float, ...] = ()
        self._keys: tuple[FooterKey, ...] = ()

    def set_transport(
        self,
        state: Sequence[Part],
        share: float | None,
        label: str,
        bookmarks: Sequence[float],
        keys: Sequence[FooterKey],
    ) -> None:
        """Show the driver's word, the ``share`` done (None: endless), and hints.

        ``label`` stands behind the bar ("63%" or "48,210/76,867"); ``bookmarks`` are
        shares of the run.
        """
        new = (tuple(state), share, label, tuple(bookmarks), tuple(keys))
        old = (self._state, self._share, self._label, self._bookmarks, self._keys)
        if new != old:
            self._state, self._share, self._label, self._bookmarks, self._keys = new
            self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Lay out word, bar, label and the hints that fit."""
        count = len(self._bookmarks)
        marks = f"{count} bookmark{'' if count == 1 else 's'}" if count else ""
        fixed = 1 + parts_width(self._state) + 1
        label = f" {self._label}" if self._label else ""
        least = fixed + self.BAR_LEAST + width(label) + 1
        keys = keep_keys(self._keys, cells - least - 2)
        hints = sum(_key_width(key) + 2 for key in keys)
        if marks and least + hints + len(marks) + 2 > cells:
            marks = ""
        rest = cells - fixed - width(label) - hints - (len(marks) + 2 if marks else 0)
        bar = min(self.BAR_MOST, rest - 1)
        parts: list[Part] = [(" ", ""), *self._state, (" ", "")]
        parts.extend(self._bar(max(0, bar)))
        parts.append((label, ""))
        if marks:
            parts.append((f"  {marks}", "dim"))
        line = self.strip(parts, parts_width(parts))
        segments = list(line)
        for key in keys:
            segments.append(self.blank(2))
            segments.extend(self.key_segments(key))
        return [Strip(segments).adjust_cell_length(cells, self.ink())]

    def _bar(self, cells: int) -> list[Part]:
        if self._share is None or cells < 1:
            return []
        glyphs = self.glyphs
        share = min(1.0, max(0.0, self._share))
        done = int(share * cells)
        text = [glyphs.done] * done + [glyphs.rule] * (cells - done)
        if 0 < done < cells:
            text[done - 1] = glyphs.head
        parts: list[Part] = []
        marked = {
            min(cells - 1, int(mark * cells))
            for mark in self._bookmarks
            if 0 <= mark <= 1
        }
        for index, glyph in enumerate(text):
            if index in marked:
                parts.append(("┊", "warn"))
            else:
                parts.append((glyph, "accent" if index < done else "rule"))
        return parts
