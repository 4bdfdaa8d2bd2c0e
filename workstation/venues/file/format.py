"""What every recorded format offers to the lane that reads it.

A reader is made per file from its first lines and the memory that files of one symbol
share; ``parse`` is called once per line, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from workstation.model.market import MarketEvent

__all__ = ["HEAD_LINES", "Memory", "Reader", "ReaderFactory"]

HEAD_LINES = 64
"""Lines a reader may look at before the first: header, column count, bar interval."""


class Memory:
    """What the files of one symbol, read in turn, have in common."""

    def __init__(
        self, instrument: str | None, names: dict[str, str], interval_ns: int | None
    ) -> None:
        self.instrument = instrument or ""
        """Instrument id; empty for captures, which name their symbols."""
        self.names = names
        """Instrument ids by venue symbol."""
        self.interval_ns = interval_ns
        """Length of the bars, once it is known."""
        self.ignored: dict[str, int] = {}
        """Lines that are no market events, counted by kind."""

    def ignore(self, kind: str) -> None:
        """Count a line that is well formed but of no use."""
        self.ignored[kind] = self.ignored.get(kind, 0) + 1


class Reader(Protocol):
    """Understands the lines of one file."""

    def parse(self, line: bytes, number: int) -> MarketEvent | None:
        """Return the line's event, None for a line of another kind.

        Raises Damaged; MsgspecError, ValueError and RecursionError count as that.
        """


ReaderFactory = Callable[[Sequence[bytes], Memory], Reader]
