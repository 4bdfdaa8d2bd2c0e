"""Positions and the account, as the ledger states them; all money is Decimal."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = ["AccountView", "Position", "average_after"]

ZERO = Decimal(0)


class Position(Struct, frozen=True, kw_only=True):
    """The position of one owner in one instrument, at average cost.

    ``quantity`` is signed (long > 0). ``realized`` is before fees, in the quote
    currency; ``fees`` by currency are in the account.
    """

    owner: str
    instrument: str
    quantity: Decimal = ZERO
    average_price: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    opened_ns: int | None = None
    fills: int = 0

    @property
    def is_flat(self) -> bool:
        """Tell whether nothing is held."""
        return self.quantity == 0

    def open_pnl(self, mark: Decimal) -> Decimal:
        """Return the unrealized profit at ``mark``, before fees."""
        return (mark - self.average_price) * self.quantity


class AccountView(Struct, frozen=True, kw_only=True):
    """Money of the account in its currency at one moment.

    ``equity`` = cash put in + realized − fees + unrealized.
    """

    currency: str
    initial: Decimal
    realized: Decimal
    unrealized: Decimal
    fees: Decimal
    equity: Decimal
    day_start: Decimal
    exposure: Decimal
    fills: int
    orders: int


def average_after(
    average: Decimal, held: Decimal, change: Decimal, price: Decimal
) -> Decimal:
    """Return the entry price once ``change`` of a position was filled at ``price``.

    ``held`` and ``change`` are signed. Adding weights it, reducing keeps it, crossing
    zero starts again at ``price``; 0 where nothing is left.
    """
    total = held + change
    if not total:
        return ZERO
    if not held or (total > 0) != (held > 0):
        return price
    if (change > 0) != (held > 0) or price == average:
        return average
    return (average * abs(held) + price * abs(change)) / abs(total)
