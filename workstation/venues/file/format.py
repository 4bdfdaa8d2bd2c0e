"""What every recorded format offers to the lane that reads it.

A reader is made per file from its first lines and the memory that files of one symbol
share; ``parse`` is called once per line, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from workstation.model.market import MarketEvent
from workstation.model.timeframes import Timeframe
from workstation.venues.file.times import any_time

__all__ = ["HEAD_LINES", "Grouping", "Memory", "Reader", "ReaderFactory"]

HEAD_LINES = 64
"""Lines a reader may look at before the first: header, column count, bar interval."""


class Memory:
    """What the files of one symbol, read in turn, have in common."""

    def __init__(
        self,
        instrument: str | None,
        names: dict[str, str],
        interval: Timeframe | None,
        *,
        symbol: str = "",
        columns: Mapping[str, str] | None = None,
        read_time: Callable[[bytes], int] = any_time,
    ) -> None:
        self.instrument = instrument or ""
        """Instrument id; empty for captures, which name their symbols."""
        self.symbol = symbol
        """The venue's symbol that is wanted of a file with several."""
        self.names = names
        """Instrument ids by venue symbol."""
        self.interval = interval
        """Which bars they are, once it is known."""
        self.columns: Mapping[str, str] = columns or {}
        """Names of the columns of a table, where the user gives them."""
        self.read_time = read_time
        """Reads the times of a table."""
        self.last_ts = 0
        """Receive time of the last event; none may be before it."""
        self.last_id = 0
        """Number of the last message of a feed whose messages have none."""
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


@runtime_checkable
class Grouping(Protocol):
    """A reader whose events are made of several lines."""

    def finish(self) -> MarketEvent | None:
        """Return what the last lines made, at the end of a file that is whole."""


ReaderFactory = Callable[[Sequence[bytes], Memory], Reader]
