"""The ring behind the tail log: numbered lines, what passes the filters, find.

Knows no widget. Numbers grow by one per line and never repeat, so a position survives
eviction and filtering.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.rows import matches

MAX_LINES = 2_000
"""What a tail keeps; the journal has the rest."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One record as the log shows it.

    ``seq`` is the input that caused it; several lines may share one. ``plain`` is what
    is copied and searched, ``key`` the symbol or task that ``enter`` jumps to.
    """

    seq: int
    kind: str
    parts: tuple[Part, ...]
    plain: str
    key: str = ""


class Held(NamedTuple):
    """A line and its number in the ring."""

    number: int
    line: LogLine


def _number(held: Held) -> int:
    return held.number


class LogRing:
    """The last ``most`` lines, and the view of those that pass the filters."""

    def __init__(self, most: int = MAX_LINES) -> None:
        self.most = most
        self.lines: deque[Held] = deque()
        self.view: deque[Held] = self.lines
        self.evicted = 0
        self.filter_text = ""
        self.kinds: frozenset[str] | None = None
        self._next = 0
        self._counts: Counter[str] = Counter()

    def extend(self, lines: Iterable[LogLine]) -> bool:
        """Add lines, oldest first; tell whether the view has changed."""
        filtered = self.view is not self.lines
        changed = False
        for line in lines:
            held = Held(self._next, line)
            self._next += 1
            self._counts[line.kind] += 1
            self.lines.append(held)
            if not filtered:
                changed = True
            elif self._passes(line):
                self.view.append(held)
                changed = True
            if len(self.lines) > self.most:
                lost = self.lines.popleft()
                self.evicted += 1
                self._counts[lost.line.kind] -= 1
                if filtered and self.view and self.view[0].number <= lost.number:
                    self.view.popleft()
                    changed = True
        return changed

    def clear(self) -> None:
        """Forget all lines; filters stay."""
        self.lines.clear()
        self.view.clear()
        self._counts.clear()
        self.evicted = 0

    def sift(self) -> None:
        """Make the view anew after a filter changed."""
        if self.kinds is None and not self.filter_text.strip():
            self.view = self.lines
        else:
            self.view = deque(held for held in self.lines if self._passes(held.line))

    def _passes(self, line: LogLine) -> bool:
        if self.kinds is not None and line.kind not in self.kinds:
            return False
        return matches(line.plain.lower(), self.filter_text)

    def counts(self) -> dict[str, int]:
        """Return how many lines of each kind the ring holds."""
        return {kind: count for kind, count in self._counts.items() if count}

    def index(self, number: int) -> int:
        """Return the view's index of line ``number``, else of the next newer one."""
        at = bisect_left(self.view, number, key=_number)
        return min(at, len(self.view) - 1)

    def number_of_seq(self, seq: int) -> int | None:
        """Return the number of the oldest line in the view from ``seq`` on."""
        for held in self.view:
            if held.line.seq >= seq:
                return held.number
        return None

    def hits(self, wanted: str) -> list[int]:
        """Return the view's indices of the lines that contain ``wanted``."""
        wanted = wanted.lower()
        return [
            index
            for index, held in enumerate(self.view)
            if wanted and wanted in held.line.plain.lower()
        ]
