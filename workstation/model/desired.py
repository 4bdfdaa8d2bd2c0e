"""Desired orders: what a strategy's row wants to have resting at the venue.

A wish, not a list of actions: the Executor compares it with what works and sends as
little as makes the two equal (docs/quoting.md).
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = ["DesiredLevel", "DesiredOrders"]


class DesiredLevel(Struct, frozen=True):
    """One limit order that should rest: its price, and what of it is left to fill."""

    price: Decimal
    quantity: Decimal


class DesiredOrders(Struct, frozen=True, kw_only=True, tag="desired"):
    """Every resting order one (strategy, instrument) row wants from now on.

    It replaces what the row wished before; without levels everything is withdrawn.
    Levels may come in any order and off the grid: bids are rounded down, asks up,
    quantities to the lot. What fills is taken off the wish: a filled level is placed
    again only by the next one. With ``post_only`` no order of it may take.
    """

    strategy: str
    instrument: str
    bids: tuple[DesiredLevel, ...] = ()
    asks: tuple[DesiredLevel, ...] = ()
    post_only: bool = True
    reason: str = ""
