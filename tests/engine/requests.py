"""Requests for tests of the road to a venue, where only their kind and id matter."""

from __future__ import annotations

from decimal import Decimal

from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.requests import SubmitOrder

__all__ = ["submit"]


def submit(order_id: str, *, reduce_only: bool = False) -> SubmitOrder:
    """Return the request for one BTCUSDT, bought at market."""
    return SubmitOrder(
        Order(
            id=order_id,
            instrument="BTCUSDT",
            owner="s",
            role=OrderRole.ENTRY,
            side=Side.BUY,
            type=OrderType.MARKET,
            quantity=Decimal(1),
            reduce_only=reduce_only,
        )
    )
