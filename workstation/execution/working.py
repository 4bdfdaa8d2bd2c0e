"""Working orders as requoting sees them: what each is, or may still be."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.model.instruments import Side

__all__ = ["Phase", "Working"]


class Phase(StrEnum):
    """How sure it is what an order is, and what may be asked of it now."""

    OPEN = "open"
    SENT = "sent"
    CHANGING = "changing"
    LEAVING = "leaving"
    UNKNOWN = "unknown"


class Working(Struct, frozen=True, kw_only=True):
    """An order of the row that works, or may.

    ``price`` and ``quantity`` (left to fill) are what it will be; while a change is
    under way ``old_price`` and ``old_quantity`` are what it may still be. A ``rigid``
    one is not to be changed: the venue has refused that. ``since_ns`` is when it got
    its price.
    """

    order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    phase: Phase = Phase.OPEN
    since_ns: int = 0
    rigid: bool = False
    old_price: Decimal | None = None
    old_quantity: Decimal | None = None

    @property
    def at_worst(self) -> Decimal:
        """Return the most that it may still fill."""
        if self.old_quantity is None:
            return self.quantity
        return max(self.quantity, self.old_quantity)

    @property
    def reach(self) -> Decimal:
        """Return the price at which the other side would meet it first."""
        if self.old_price is None:
            return self.price
        best = max if self.side is Side.BUY else min
        return best(self.price, self.old_price)
