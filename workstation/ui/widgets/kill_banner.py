"""The kill banner: one reversed line that says what is killed, since when and why.

It has its place on every screen before anything is killed, so nothing moves for it:
layouts give it the alert line, dialogs the blank line below the live one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.strip import Strip

from workstation.ui.typeset import truncate, width
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import TEXT_INKS, Part, component_css

__all__ = ["KILL_INK", "KillBanner", "KillWords", "lay_kill"]

KILL_INK = "bad reverse"
_ROOMY = 110
_LEAST_REASON = 6


@dataclass(frozen=True, slots=True)
class KillWords:
    """What a banner says: ``level`` and what it means, since when, why, the way back.

    ``lasting`` is for how long, shown where there is room beside ``since``. ``note``
    is for what else waits in its place, such as alerts.
    """

    mode: str
    level: str
    meaning: str
    since: str
    lasting: str
    reason: str
    way: str
    note: str = ""


def lay_kill(words: KillWords, cells: int, *, with_mode: bool = False) -> list[Part]:
    """Return the parts of one line: level, since when, reason and the way back.

    Where it is too narrow the reason is shortened first, then how long it lasts goes,
    and the time at last.
    """
    lead = f" {words.mode}" if with_mode else ""
    level = f"{lead} {words.level}"
    if cells >= _ROOMY:
        level += f": {words.meaning}"
    tail = f"{words.way} "
    if words.note and cells >= _ROOMY:
        tail = f"{words.note}  {tail}"
    room = cells - width(level) - width(tail) - 2
    since = f"  since {words.since}"
    if words.lasting and width(f"{since}{words.lasting}") + _LEAST_REASON <= room:
        since += words.lasting
    text = ""
    if width(since) <= room:
        text = since
        room -= width(since)
        if words.reason and room >= _LEAST_REASON:
            text += truncate(f": {words.reason}", room)
    gap = cells - width(level) - width(text) - width(tail)
    return [(f"{level}{text}{' ' * max(2, gap)}{tail}", "")]


class KillBanner(Canvas):
    """A line that is blank until something is killed."""

    INKS = TEXT_INKS
    DEFAULT_CSS = f"""
    KillBanner {{ width: 1fr; height: 1; }}
    {component_css("KillBanner", TEXT_INKS)}
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words: KillWords | None = None

    def set_kill(self, words: KillWords | None) -> None:
        """Show these words, or nothing."""
        if words != self._words:
            self._words = words
            self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the whole line reversed."""
        if self._words is None:
            return [self.strip([], cells)]
        return [self.strip(lay_kill(self._words, cells), cells, KILL_INK)]
