"""Windows of the last quotes and trades of one instrument, as numpy columns.

Ticks wait in a list that the Aggregator appends to, and are written in bulk: when many
wait, or when somebody reads. The columns are read by the screen and by
batch arithmetic from any thread. Rows are appended to a page and never rewritten: a
view handed out stays true for ever. A full page is replaced by a new one that begins
with the last ``size`` rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from struct import pack_into
from typing import TYPE_CHECKING, Any

from workstation.model.market import Quote, Trade

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Column = NDArray[np.float64] | NDArray[np.int64]

__all__ = ["QUOTE_FIELDS", "TRADE_FIELDS", "QuoteWindow", "TickWindow", "TradeWindow"]

QUOTE_FIELDS = ("ts", "bid", "bid_size", "ask", "ask_size")
"""Columns of quotes; ``ts`` is ns and an integer: 40 bytes a row."""
TRADE_FIELDS = ("ts", "price", "size", "aggressor")
"""Columns of trades; ``ts`` and ``aggressor`` are integers: 32 bytes a row."""
_WHOLE = ("ts", "aggressor")
_FIRST_ROWS = 64
"""Rows of the first page: a thousand symbols need not pay for windows not filled."""


class _Page:
    """Columns and how much of them is filled; ``end`` only grows.

    One object, so that a reader in another thread never sees the end of one page with
    the memory of another.
    """

    __slots__ = ("columns", "end")

    def __init__(self, fields: Sequence[str], rows: int) -> None:
        self.columns: tuple[array[Any], ...] = tuple(
            array("q" if name in _WHOLE else "d", bytes(8 * rows)) for name in fields
        )
        self.end = 0


class TickWindow:
    """Keep the last ``size`` rows; at most ``memory_bytes`` of memory."""

    __slots__ = ("_page", "_rows", "fields", "size", "total")

    def __init__(self, fields: tuple[str, ...], size: int) -> None:
        self.fields = fields
        self.size = size
        self.total = 0
        """Rows ever written."""
        self._rows = min(_FIRST_ROWS, 2 * size)
        self._page = _Page(fields, self._rows)

    def __len__(self) -> int:
        return min(self._page.end, self.size)

    @property
    def memory_bytes(self) -> int:
        """Return the most memory the rows take; views that are held come on top."""
        return 2 * self.size * 8 * len(self.fields)

    def tail(self, n: int | None = None) -> dict[str, Column]:
        """Return read-only views of the last ``n`` rows by column, oldest first.

        Costs no copy, and all columns are of one moment.
        """
        import numpy as np

        page = self._page
        end = page.end
        start = end - min(end, self.size if n is None else max(0, min(n, self.size)))
        views: dict[str, Column] = {}
        for name, cells in zip(self.fields, page.columns, strict=True):
            # Any: a column's type depends on its name.
            view: Any = np.frombuffer(cells, cells.typecode)[start:end]
            view.flags.writeable = False
            views[name] = view
        return views

    def _extend(self, *columns: list[Any]) -> None:
        """Write rows given by column; a page's worth at a time."""
        count = len(columns[0])
        self.total += count
        if count > self.size:
            # Only the last ones would be kept.
            columns = tuple(column[-self.size :] for column in columns)
            count = self.size
        page = self._page
        while page.end + count > self._rows:
            page = self._turn()
        start, end = page.end, page.end + count
        for cells, values in zip(page.columns, columns, strict=True):
            # Half the price of an array that is made to be copied.
            pack_into(f"{count}{cells.typecode}", cells, 8 * start, *values)
        page.end = end

    def _turn(self) -> _Page:
        """Replace a page: by one twice as large, or by one with the last rows."""
        old = self._page
        most = 2 * self.size
        kept = old.end if self._rows < most else min(old.end, self.size)
        page = _Page(self.fields, min(2 * self._rows, most))
        for cells, values in zip(page.columns, old.columns, strict=True):
            cells[:kept] = values[old.end - kept : old.end]
        page.end = kept
        self._rows = len(page.columns[0])
        self._page = page
        return page


class QuoteWindow(TickWindow):
    """The last best prices, of quotes or of the book's top."""

    __slots__ = ()

    def __init__(self, size: int) -> None:
        super().__init__(QUOTE_FIELDS, size)

    def extend(self, quotes: Sequence[Quote]) -> None:
        """Take quotes, oldest first."""
        self._extend(
            [quote.ts_recv for quote in quotes],
            [quote.bid for quote in quotes],
            [quote.bid_size for quote in quotes],
            [quote.ask for quote in quotes],
            [quote.ask_size for quote in quotes],
        )


class TradeWindow(TickWindow):
    """The last public trades."""

    __slots__ = ()

    def __init__(self, size: int) -> None:
        super().__init__(TRADE_FIELDS, size)

    def extend(self, trades: Sequence[Trade]) -> None:
        """Take trades, oldest first."""
        self._extend(
            [trade.ts_recv for trade in trades],
            [trade.price for trade in trades],
            [trade.size for trade in trades],
            [trade.aggressor for trade in trades],
        )
