"""The books beside the venue: what each says of orders, positions and balances.

Made by the Executor for whoever looks; a line carries its verdict, and what the
operator may make of it is a ``Resolution``. What tells two orders apart is here, too.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderStatus
from workstation.model.reports import ExternalOrder, OpenOrder

__all__ = [
    "BalanceLine",
    "OrderLine",
    "OrderSide",
    "PositionLine",
    "ReconciliationView",
    "Resolution",
    "Subject",
    "Verdict",
    "is_another",
]


class Subject(StrEnum):
    """What a line is about."""

    ORDER = "order"
    POSITION = "position"
    BALANCE = "balance"


class Verdict(StrEnum):
    """What is made of a line."""

    AGREES = "agrees"
    ASKING = "asking"
    """They differ, and the venue is being asked once more; or it has not answered."""
    EXTERNAL = "external"
    """Made at the venue, not here; books and venue agree about it."""
    DIFFERS = "differs"
    """They differ, and the venue has confirmed it."""
    IGNORED = "ignored"
    """They differ, and the operator has said why that may stay."""


class Resolution(StrEnum):
    """What the operator makes of a line that is not as it should be."""

    ADOPT = "adopt"
    """Take it over: an order or position becomes the operator's, a balance the venue's
    figure, as money that was put in or taken out."""
    ATTRIBUTE = "attribute"
    """Give it to a named owner: an order, a position, or a balance as a position."""
    CANCEL = "cancel"
    """Cancel the order at the venue."""
    IGNORE = "ignore"
    """Let it be, for a reason; a difference that changes is one again."""


class OrderSide(Struct, frozen=True):
    """One side's word about an order; ``price`` None is at market.

    ``trigger`` is that of a stop which waits.
    """

    status: OrderStatus
    filled: Decimal
    quantity: Decimal
    price: Decimal | None
    trigger: Decimal | None = None


class OrderLine(Struct, frozen=True, kw_only=True):
    """An order that either side has open; a side that has none is None.

    Where the venue has another order under an id that is known here, ``order_id`` says
    the instrument and the venue's id as well: no command about the one meets the other.
    """

    order_id: str
    instrument: str
    side: Side
    owner: str
    here: OrderSide | None
    venue: OrderSide | None
    verdict: Verdict
    reason: str = ""


class PositionLine(Struct, frozen=True, kw_only=True):
    """A position, signed; that of ``external`` was made at the venue."""

    owner: str
    instrument: str
    quantity: Decimal
    average_price: Decimal
    verdict: Verdict
    reason: str = ""


class BalanceLine(Struct, frozen=True, kw_only=True):
    """A currency: what the books come to, and what the venue has.

    ``venue`` is None before it has answered; ``locked`` is the part of it that its
    open orders reserve. ``difference`` is venue less here; ``since_ns`` is since when
    it has been as it is.
    """

    currency: str
    here: Decimal
    venue: Decimal | None
    locked: Decimal | None
    difference: Decimal
    verdict: Verdict
    since_ns: int | None = None
    reason: str = ""


class ReconciliationView(Struct, frozen=True, kw_only=True):
    """Both sides of the account at one moment.

    ``asked_ns``, ``answered_ns`` and ``agreed_ns`` are run times of the last question,
    answer and full agreement; ``waiting`` says that nothing is entered until the venue
    has answered. ``answers`` is False for a broker that cannot be asked.
    """

    answers: bool
    waiting: bool
    asked_ns: int | None
    answered_ns: int | None
    agreed_ns: int | None
    orders: tuple[OrderLine, ...]
    positions: tuple[PositionLine, ...]
    balances: tuple[BalanceLine, ...]


def is_another(there: OpenOrder | ExternalOrder, here: Order) -> bool:
    """Tell whether an order of the venue is not the one that has its client id here.

    A venue lets an id be used again once its order is over, and in another symbol at
    any time. The symbol and the venue's own id, where both sides know it, tell them
    apart; so does the side, which no order changes.
    """
    if (there.instrument, there.side) != (here.instrument, here.side):
        return True
    known = bool(there.venue_id and here.venue_id)
    return known and there.venue_id != here.venue_id
