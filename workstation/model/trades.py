"""Trades: round trips of positions, from flat to flat, as the ledger closes them."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.instruments import Side
from workstation.model.money import minus

__all__ = ["ClosedTrade"]


class ClosedTrade(Struct, frozen=True, gc=False):
    """One round trip of one owner.

    ``entry`` and ``exit`` are mean prices, rounded; ``pnl`` is before ``fees``, both in
    the account's currency. ``lowest`` and ``highest`` are the prices it saw: marks and
    its own fills. ``mae`` ≤ 0 and ``mfe`` ≥ 0 are the worst and the best that it stood
    at, in money and before fees. ``fills`` counts those of entry and exit.
    """

    number: int
    owner: str
    instrument: str
    side: Side
    quantity: Decimal
    entry: Decimal
    exit: Decimal
    pnl: Decimal
    fees: Decimal
    fills: int
    lowest: Decimal
    highest: Decimal
    mae: Decimal
    mfe: Decimal
    entry_reason: str
    exit_reason: str
    opened_ns: int
    closed_ns: int

    @property
    def net(self) -> Decimal:
        """Return the profit after fees."""
        return minus(self.pnl, self.fees)

    @property
    def worst(self) -> Decimal:
        """Return how far the price went against the mean entry, ≤ 0, per unit."""
        long = self.side is Side.BUY
        away = (
            minus(self.lowest, self.entry) if long else minus(self.entry, self.highest)
        )
        return min(away, Decimal(0))

    @property
    def best(self) -> Decimal:
        """Return how far the price went with it, ≥ 0, per unit."""
        long = self.side is Side.BUY
        away = (
            minus(self.highest, self.entry) if long else minus(self.entry, self.lowest)
        )
        return max(away, Decimal(0))

    @property
    def held_ns(self) -> int:
        """Return how long it was held, ns."""
        return self.closed_ns - self.opened_ns
