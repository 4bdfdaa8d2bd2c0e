"""Windows of the last quotes and trades of one instrument, as numpy records.

Written by the Aggregator (as watchers of the instrument's ticks), read by the screen
and by batch arithmetic from any thread. Rows are appended to a page and never
rewritten: a view handed out stays true for ever. A full page is replaced by a new one
that begins with the last ``size`` rows.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from workstation.model.market import Trade

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = ["QUOTE_ROW", "TRADE_ROW", "QuoteWindow", "TickWindow", "TradeWindow"]

QUOTE_ROW = Struct("<qdddd")
"""ts (ns), bid, bid size, ask, ask size: 40 bytes."""
TRADE_ROW = Struct("<qddq")
"""ts (ns), price, size, aggressor (+1, −1, 0): 32 bytes."""
_FIRST_ROWS = 64
"""Rows of the first page: a thousand symbols need not pay for windows not filled."""


class _Page:
    """A buffer and how much of it is filled; ``end`` only grows.

    One object, so that a reader in another thread never sees the end of one buffer
    with the memory of another.
    """

    __slots__ = ("buffer", "end")

    def __init__(self, size: int, head: bytes | memoryview = b"") -> None:
        self.buffer = bytearray(size)
        self.buffer[: len(head)] = head
        self.end = len(head)


class TickWindow:
    """Keep the last ``size`` rows; at most ``memory_bytes`` of memory."""

    __slots__ = ("_full", "_page", "_row", "fields", "size", "total")

    def __init__(self, row: Struct, fields: tuple[tuple[str, str], ...], size: int):
        self.fields = fields
        self.size = size
        self.total = 0
        """Rows ever written."""
        self._row = row.size
        self._page = _Page(min(_FIRST_ROWS, 2 * size) * row.size)
        self._full = len(self._page.buffer)

    def __len__(self) -> int:
        return min(self._page.end // self._row, self.size)

    @property
    def memory_bytes(self) -> int:
        """Return the most memory the rows take; views that are held come on top."""
        return 2 * self.size * self._row

    def tail(self, n: int | None = None) -> Any:
        """Return a read-only record array of the last ``n`` rows, oldest first.

        Costs no copy. A column of it (``tail()["price"]``) is a view too. Any: numpy
        is imported late.
        """
        import numpy as np

        page = self._page
        end = page.end // self._row
        count = min(end, self.size if n is None else max(0, min(n, self.size)))
        rows = np.frombuffer(page.buffer, dtype=list(self.fields))[end - count : end]
        rows.flags.writeable = False
        return rows

    def _turn(self) -> _Page:
        """Replace a full page: by one twice as large, or by one with the last rows."""
        old = self._page
        most = 2 * self.size * self._row
        kept = old.end if self._full < most else self.size * self._row
        head = memoryview(old.buffer)[old.end - kept : old.end]
        page = _Page(min(2 * self._full, most), head)
        self._full = len(page.buffer)
        self._page = page
        return page


class QuoteWindow(TickWindow):
    """The last best prices (a ``TopWatcher``), of quotes or of the book's top."""

    __slots__ = ()

    def __init__(self, size: int) -> None:
        names = ("bid", "bid_size", "ask", "ask_size")
        fields = (("ts", "<i8"), *((name, "<f8") for name in names))
        super().__init__(QUOTE_ROW, fields, size)

    def __call__(self, live: LiveInstrument, ts: int) -> None:
        """Take the best prices as they are at ``ts``."""
        page = self._page
        end = page.end
        if end == self._full:
            page = self._turn()
            end = page.end
        _pack_quote(
            page.buffer, end, ts, live.bid, live.bid_size, live.ask, live.ask_size
        )
        page.end = end + 40
        self.total += 1


class TradeWindow(TickWindow):
    """The last public trades (a ``TradeWatcher``)."""

    __slots__ = ()

    def __init__(self, size: int) -> None:
        fields = (
            *(("ts", "<i8"), ("price", "<f8"), ("size", "<f8")),
            ("aggressor", "<i8"),
        )
        super().__init__(TRADE_ROW, fields, size)

    def __call__(self, live: LiveInstrument, trade: Trade) -> None:
        """Take a trade."""
        page = self._page
        end = page.end
        if end == self._full:
            page = self._turn()
            end = page.end
        _pack_trade(
            page.buffer, end, trade.ts_recv, trade.price, trade.size, trade.aggressor
        )
        page.end = end + 32
        self.total += 1


_pack_quote = QUOTE_ROW.pack_into
_pack_trade = TRADE_ROW.pack_into
