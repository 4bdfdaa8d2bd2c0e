"""What accounts can pay, where a venue looks at that; the engine keeps no money."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from workstation.venues.matching.orders import Working

__all__ = ["Funds"]


class Funds(Protocol):
    """What the engine asks about the money of an account."""

    def affords(
        self,
        order: Working,
        price: Decimal,
        spent: Decimal,
        working: Iterable[Working],
    ) -> Decimal:
        """Return how much of a market order its account can pay at ``price``.

        ``spent`` is the notional of what it takes before. What the other ``working``
        orders reserve is not free for it.
        """
