"""The gap ledger: when a book could not be trusted, why, and how that was mended.

Written by the Aggregator at changes of trust, read by the screen; never a decision.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["GapEntry", "GapLedger"]

LIMIT = 256
"""Entries kept; a feed that breaks more often has a problem worth one look."""


class GapEntry(Struct, frozen=True, kw_only=True):
    """One span of distrust; times in ns of the run's clock, ids of the venue.

    ``tries`` counts how often the whole book was wished for, ``mended`` is what
    brought the trust back.
    """

    when_ns: int
    instrument: str
    reason: str
    expected: int | None = None
    got: int | None = None
    until_ns: int | None = None
    tries: int = 0
    mended: str = ""


class GapLedger:
    """Keep the newest spans of distrust, oldest first."""

    __slots__ = ("_entries", "total")

    def __init__(self) -> None:
        self._entries: deque[GapEntry] = deque(maxlen=LIMIT)
        self.total = 0

    def open(self, entry: GapEntry) -> None:
        """Begin a span."""
        self.total += 1
        self._entries.append(entry)

    def tried(self, instrument: str) -> None:
        """Count a try in the open span; harmless where there is none."""
        index = self._open(instrument)
        if index is not None:
            entry = self._entries[index]
            self._entries[index] = replace(entry, tries=entry.tries + 1)

    def mend(self, instrument: str, until_ns: int, how: str) -> None:
        """End the open span of an instrument; harmless where there is none."""
        index = self._open(instrument)
        if index is not None:
            entry = self._entries[index]
            self._entries[index] = replace(entry, until_ns=until_ns, mended=how)

    def _open(self, instrument: str) -> int | None:
        entries = self._entries
        for index in range(len(entries) - 1, -1, -1):
            if entries[index].instrument == instrument:
                return index if entries[index].until_ns is None else None
        return None

    def entries(self) -> tuple[GapEntry, ...]:
        """Return all that is kept."""
        return tuple(self._entries)
