"""The life of a position from flat to flat, and the closed trade it leaves.

The ledger owns them; a hand-over lets the life go on under its new owner.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.instruments import Side
from workstation.model.orders import Fill

__all__ = ["ClosedTrade", "Life"]

ZERO = Decimal(0)


class ClosedTrade(Struct, frozen=True, kw_only=True):
    """One round trip: ``entry`` and ``exit`` are mean prices, ``pnl`` before fees."""

    owner: str
    instrument: str
    side: Side
    quantity: Decimal
    entry: Decimal
    exit: Decimal
    pnl: Decimal
    fees: Decimal
    reason: str
    opened_ns: int
    closed_ns: int

    @property
    def net(self) -> Decimal:
        """Return the profit after fees."""
        return self.pnl - self.fees


class Life:
    """Sums of a position since it was last flat."""

    __slots__ = ("entered", "exited", "fees", "opened_ns", "paid", "pnl", "received")

    def __init__(self, opened_ns: int) -> None:
        self.opened_ns = opened_ns
        self.entered = self.paid = self.exited = self.received = ZERO
        self.pnl = self.fees = ZERO

    def enter(self, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        """Add to the position."""
        self.entered += quantity
        self.paid += quantity * price
        self.fees += fee

    def leave(
        self, quantity: Decimal, price: Decimal, gained: Decimal, fee: Decimal
    ) -> None:
        """Take from the position; ``gained`` is what that realized."""
        self.exited += quantity
        self.received += quantity * price
        self.pnl += gained
        self.fees += fee

    def close(self, fill: Fill, *, long: bool) -> ClosedTrade:
        """Return the trade that this last fill completed."""
        return ClosedTrade(
            owner=fill.owner,
            instrument=fill.instrument,
            side=Side.BUY if long else Side.SELL,
            quantity=self.exited,
            entry=self.paid / self.entered,
            exit=self.received / self.exited,
            pnl=self.pnl,
            fees=self.fees,
            reason=fill.reason or fill.role.value,
            opened_ns=self.opened_ns,
            closed_ns=fill.ts,
        )

    def __add__(self, other: Life) -> Life:
        both = Life(min(self.opened_ns, other.opened_ns))
        for name in ("entered", "paid", "exited", "received", "pnl", "fees"):
            setattr(both, name, getattr(self, name) + getattr(other, name))
        return both
