"""What a matching engine tells of: one frozen Struct per change, in order."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = [
    "OUTSIDE",
    "Accepted",
    "AmendRefused",
    "Amended",
    "CancelRefused",
    "Canceled",
    "Executed",
    "Expired",
    "MatchingEvent",
    "Party",
    "Refused",
    "Triggered",
]


class Party(Struct, frozen=True):
    """One side of an execution; ``maker`` if its order rested at the price.

    ``is_done`` tells that this filled the rest of the order.
    """

    order_id: str
    account: str
    maker: bool
    is_done: bool


OUTSIDE = Party("", "", False, False)
"""The anonymous rest of the market: whoever is at the other side of market data."""


class Accepted(Struct, frozen=True):
    """The order works; ``number`` is its place in time."""

    order_id: str
    number: int


class Refused(Struct, frozen=True):
    """The order was not taken."""

    order_id: str
    reason: str


class Executed(Struct, frozen=True, kw_only=True):
    """A trade with its two sides; at least one is an order's."""

    number: int
    instrument: str
    price: Decimal
    quantity: Decimal
    buyer: Party
    seller: Party


class Canceled(Struct, frozen=True):
    """The order ended by a cancel; ``reason`` says why where nobody asked."""

    order_id: str
    reason: str = ""


class CancelRefused(Struct, frozen=True):
    """There was nothing to cancel."""

    order_id: str
    reason: str


class Expired(Struct, frozen=True):
    """The order ended by its own terms."""

    order_id: str
    reason: str


class Amended(Struct, frozen=True):
    """The order has a new price, quantity or trigger.

    ``number`` changes with its place. A stop without a limit has no ``price``; only one
    that still waits has a ``trigger``.
    """

    order_id: str
    quantity: Decimal
    price: Decimal | None
    number: int
    trigger: Decimal | None = None


class AmendRefused(Struct, frozen=True):
    """The order stays as it was."""

    order_id: str
    reason: str


class Triggered(Struct, frozen=True):
    """The last price reached the trigger; the order enters the book now."""

    order_id: str


MatchingEvent = (
    Accepted
    | Refused
    | Executed
    | Canceled
    | CancelRefused
    | Expired
    | Amended
    | AmendRefused
    | Triggered
)
