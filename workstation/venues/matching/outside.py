"""The outside of a matching engine: liquidity that is seen, not entered.

A paper venue reads it from market data. A venue whose whole book is its accounts'
orders has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple, Protocol

from workstation.model.instruments import Side

__all__ = ["NOBODY", "Front", "Nobody", "Offer", "Outside"]


class Offer(NamedTuple):
    """What the outside gives at a price on the tick; ``source`` is its own note."""

    price: Decimal
    quantity: Decimal
    source: object = None


class Front(NamedTuple):
    """The size that a new order joins behind at a price, and when it was told.

    Public trades that are in it already may be told after that; ``told_ns`` None: none
    are.
    """

    size: Decimal
    told_ns: int | None = None


class Outside(Protocol):
    """What the engine asks of the outside world."""

    def offers(self, instrument: str, side: Side) -> Iterator[Offer]:
        """Yield what an order of this side could take now, best price first."""

    def take(
        self, instrument: str, side: Side, offer: Offer, quantity: Decimal
    ) -> None:
        """Learn that an order of this side took so much of an offer."""

    def ahead(self, instrument: str, side: Side, price: Decimal) -> Front:
        """Return what is in front of a new order at a price; UNKNOWN if not shown.

        Asked for each order that joins a queue.
        """


class Nobody:
    """No outside: accounts trade with each other only."""

    def offers(self, instrument: str, side: Side) -> Iterator[Offer]:
        """Yield nothing."""
        return iter(())

    def take(
        self, instrument: str, side: Side, offer: Offer, quantity: Decimal
    ) -> None:
        """Refuse: nothing was offered."""
        raise AssertionError("nothing was offered")

    def ahead(self, instrument: str, side: Side, price: Decimal) -> Front:
        """Return 0: only orders of accounts are in front."""
        return Front(Decimal(0))


NOBODY = Nobody()
