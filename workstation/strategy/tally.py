"""What stopped a row's entry: how often each cause came first.

At the close of each bar; where the script is asked at ticks, at each of its answers.

Counted by the row's own parts where it is decided, read by the screen. No decision and
no digest may read it. The causes are closed sets, so it stays small.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["ENTERED", "Stop", "Tally"]

ENTERED = "entered"
"""What is counted where nothing stopped the entry."""


class Stop(StrEnum):
    """What keeps a row from entering before the Executor is asked."""

    STOPPED = "stopped"
    PAUSED = "paused"
    LOCKED = "locked"
    IN_TRADE = "in trade"
    NO_SIGNAL = "no signal"
    NOT_COMMITTED = "not committed"
    GIVEN_UP = "given up"
    SCRIPT_ERROR = "script error"
    TOO_LATE = "answered too late"


class Tally:
    """Counts of one row: each evaluation once, for the first cause that stopped it."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[str, int] | None = None

    def count(self, cause: str) -> None:
        """Count an evaluation that ended with this cause."""
        self._add(cause, 1)

    def deny(self, code: str) -> None:
        """Count the entry that was just wished for as denied with this code."""
        self._add(ENTERED, -1)
        self._add(code, 1)

    def _add(self, cause: str, number: int) -> None:
        counts = self._counts
        if counts is None:
            counts = self._counts = {}
        counts[cause] = counts.get(cause, 0) + number

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each cause was counted, denials by their code."""
        return self._counts or {}
