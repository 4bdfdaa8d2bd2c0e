"""How a simulated account comes to differ from its books.

Either something happens at its venue of which nobody here has asked, or a report is
told here of what the venue has not done. Injected to rehearse what a reconciliation is
for; a real venue needs no such help.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.instruments import Side
from workstation.model.reports import ExternalOrder, OrderReport, ReportsLost

__all__ = ["HandOrder", "Happening", "ToldReport", "Transfer"]


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
"""What the venue does."""

ToldReport = OrderReport | ExternalOrder | ReportsLost
"""What is told of it; an answer about the account needs a question."""
