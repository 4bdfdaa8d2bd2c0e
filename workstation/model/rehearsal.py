"""What happens to a simulated account at its venue and not here, so that it differs.

Injected to rehearse what a reconciliation is for; a real venue needs no such help.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.instruments import Side

__all__ = ["HandOrder", "Happening", "Transfer"]


class Transfer(Struct, frozen=True, kw_only=True, tag="transfer"):
    """Money that comes into the account at the venue or, negative, leaves it."""

    currency: str
    amount: Decimal


class HandOrder(Struct, frozen=True, kw_only=True, tag="hand_order"):
    """An order that is made at the venue by hand; without a price it is at market."""

    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal | None = None


Happening = Transfer | HandOrder
