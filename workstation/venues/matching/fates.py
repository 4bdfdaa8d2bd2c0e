"""How orders ended, for late cancels and questions; the oldest are forgotten."""

from __future__ import annotations

from decimal import Decimal

from workstation.model.orders import OrderStatus

__all__ = ["KEEP", "Fates"]

# A request is late by seconds, not by ten thousand orders.
KEEP = 10_000


class Fates:
    """Status and filled quantity of orders that are final."""

    def __init__(self) -> None:
        self._fates: dict[str, tuple[OrderStatus, Decimal]] = {}

    def __contains__(self, order_id: object) -> bool:
        """Tell whether an order of this id is final."""
        return order_id in self._fates

    def keep(self, order_id: str, status: OrderStatus, filled: Decimal) -> None:
        """Remember an end."""
        self._fates[order_id] = (status, filled)
        if len(self._fates) > KEEP:
            del self._fates[next(iter(self._fates))]

    def get(self, order_id: str) -> tuple[OrderStatus, Decimal] | None:
        """Return status and filled quantity, or None."""
        return self._fates.get(order_id)

    def said(self, order_id: str) -> str:
        """Return in words why nothing can be done with an order any more."""
        fate = self._fates.get(order_id)
        return "unknown order" if fate is None else f"already {fate[0].value}"
