"""Orders as a venue sees them: what was asked, and what has become of it so far."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.model.instruments import Side
from workstation.model.orders import TimeInForce

__all__ = ["UNKNOWN", "SelfTrade", "Terms", "Working"]

ZERO = Decimal(0)
UNKNOWN = Decimal("Infinity")
"""A size nobody can tell: more than any trade consumes, less than nothing if known."""


class SelfTrade(StrEnum):
    """What happens where an account would trade with itself; it never does.

    Either the order that rests is canceled and the incoming one goes on, or the
    incoming one ends there, or both.
    """

    CANCEL_RESTING = "cancel_resting"
    CANCEL_INCOMING = "cancel_incoming"
    CANCEL_BOTH = "cancel_both"


class Terms(Struct, frozen=True, kw_only=True):
    """What an account asks for.

    ``price`` None is a market order; with a ``trigger`` it waits outside the book until
    the last price is there. ``expires_ns`` ends it at that time, a stop without a limit
    only while it waits for its trigger. A ``reduce_only`` order fills no more than the
    account's position on the other side.
    """

    id: str
    account: str
    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    reduce_only: bool = False
    expires_ns: int | None = None


class Working:
    """An order at the venue; ``left`` is what is not filled.

    ``number`` is its place in time. ``ahead`` is the outside's size that is to trade
    before it at its price; it never increases while the order keeps its place.
    ``anticipated`` is how much of what has left ``ahead`` without a trade may still be
    explained by one; until ``settles_ns``, ``ahead`` may lack what a trade will tell of
    (see ``Level``).
    """

    __slots__ = (
        "ahead",
        "anticipated",
        "filled",
        "left",
        "number",
        "settles_ns",
        "terms",
    )

    def __init__(self, terms: Terms, number: int) -> None:
        self.terms = terms
        self.number = number
        self.left = terms.quantity
        self.filled = ZERO
        self.ahead = ZERO
        self.anticipated = ZERO
        self.settles_ns = 0

    def digest(self) -> tuple[object, ...]:
        """Return what is left and where it stands, in plain values."""
        return (
            self.terms.id,
            self.number,
            str(self.left),
            str(self.ahead),
            str(self.anticipated),
            self.settles_ns,
        )
