"""What the rows of all Tardis files have in common: two times and a symbol."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.venues.file.format import Memory
from workstation.venues.file.table import Columns

__all__ = ["TardisRows"]

_COMMON = ("symbol", "timestamp", "local_timestamp")


class TardisRows:
    """Splits rows and passes over those of other symbols.

    ``places`` are the columns of ``names``, in that order; ``sent`` and ``received``
    those of the venue's and the recorder's time.
    """

    def __init__(
        self, head: Sequence[bytes], memory: Memory, names: Sequence[str]
    ) -> None:
        wanted = (*_COMMON, *names)
        self._columns = Columns(head, {name: (name,) for name in wanted}, wanted)
        self._symbol_at, self.sent, self.received = (
            self._columns[name] for name in _COMMON
        )
        self.places = [self._columns[name] for name in names]
        self.instrument = memory.instrument
        self._memory = memory
        self._symbol = memory.symbol.encode()

    def wanted(self, line: bytes, number: int) -> list[bytes] | None:
        """Return the fields of a row of our symbol; None for the header and others."""
        if number == 1:
            return None
        row = self._columns.row(line)
        symbol = row[self._symbol_at]
        if symbol != self._symbol:
            self._memory.ignore(f"symbol {symbol[:40].decode(errors='replace')}")
            return None
        return row
