"""Positions and the account, as the ledger states them; all money is Decimal."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.money import minus, plus, ratio, share, times

__all__ = ["AccountView", "Position", "Refill", "refill"]

ZERO = Decimal(0)


class Position(Struct, frozen=True, gc=False, kw_only=True):
    """The position of one owner in one instrument, at average cost.

    ``quantity`` is signed (long > 0), and so is ``cost``, what it was entered at in
    all: money is reckoned from the cost, which is exact; ``average_price`` is the cost
    of one, rounded. ``realized`` is before fees, in the quote currency; ``fees`` are in
    the account's.
    """

    owner: str
    instrument: str
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
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
        return minus(times(mark, self.quantity), self.cost)


class AccountView(Struct, frozen=True, gc=False, kw_only=True):
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


class Refill(Struct, frozen=True, gc=False):
    """What a fill makes of a position; ``gained`` is what it realized."""

    quantity: Decimal
    cost: Decimal
    average_price: Decimal
    gained: Decimal = ZERO


def refill(held: Position, change: Decimal, price: Decimal) -> Refill:
    """Return what is left once ``change`` (signed) of a position fills at ``price``.

    Average cost: adding adds what was paid. Reducing takes the same share of the cost
    as of the quantity, to the grain of ``money``, and leaves the entry price. Crossing
    zero realizes all, and starts again at ``price``. Realized plus cost is always what
    was paid and received, to the last digit.
    """
    had, cost = held.quantity, held.cost
    total = plus(had, change)
    if not had or (change > 0) == (had > 0):
        cost = plus(cost, times(change, price))
        if had:
            return Refill(total, cost, ratio(cost, total))
        return Refill(total, cost, price if total else ZERO)
    if total and (total > 0) == (had > 0):
        closed = minus(had, total)
        gone = share(cost, closed, had)
        gained = minus(times(price, closed), gone)
        return Refill(total, minus(cost, gone), held.average_price, gained)
    gained = minus(times(price, had), cost)
    if not total:
        return Refill(ZERO, ZERO, ZERO, gained)
    return Refill(total, times(total, price), price, gained)
