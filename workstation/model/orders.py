"""Orders and fills: what they are, and what can happen to them.

Immutable: the Executor replaces an ``Order`` by its successor on every event.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from workstation.model.instruments import Side

__all__ = [
    "TERMINAL",
    "Fill",
    "Order",
    "OrderEvent",
    "OrderHistory",
    "OrderMove",
    "OrderRole",
    "OrderStatus",
    "OrderType",
    "TimeInForce",
    "order_number",
]


class OrderType(StrEnum):
    """Kind of order, now: a stop is market or limit once its trigger was met.

    A stop becomes a market order, a stop-limit a limit order. A target, the other way
    round from the market, is only ever kept here (held).
    """

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TARGET = "target"


# Bound once: looking a member up in its enum costs ten times a global (3.11).
_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_UNTRIGGERED = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TARGET)


class TimeInForce(StrEnum):
    """How long an order works: till canceled, immediate or cancel, fill or kill.

    GTD ends at ``expires_ns`` of the order, at the venue.
    """

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"


class OrderRole(StrEnum):
    """Why an order exists; protection (stop, target) survives "cancel all"."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"
    TARGET = "target"
    FLATTEN = "flatten"
    QUOTE = "quote"
    MANUAL = "manual"


class OrderStatus(StrEnum):
    """Where an order is; document 003's Creating is SUBMITTED, its Open ACCEPTED."""

    INITIALIZED = "initialized"
    DENIED = "denied"
    HELD = "held"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_REPLACE = "pending_replace"
    PENDING_CANCEL = "pending_cancel"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


TERMINAL = frozenset(
    {
        OrderStatus.DENIED,
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
    }
)
"""No more is expected; a late fill after any but the first is still booked."""
_NONE = Decimal(0)
_HELD, _PENDING_CANCEL = OrderStatus.HELD, OrderStatus.PENDING_CANCEL


class OrderEvent(StrEnum):
    """What can happen to an order: the columns of its state table."""

    DENY = "deny"
    HOLD = "hold"
    SUBMIT = "submit"
    ACCEPT = "accept"
    REJECT = "reject"
    PARTIAL_FILL = "partial_fill"
    FILL = "fill"
    REQUEST_CANCEL = "request_cancel"
    CANCEL = "cancel"
    REJECT_CANCEL = "reject_cancel"
    REQUEST_REPLACE = "request_replace"
    REPLACE = "replace"
    REJECT_REPLACE = "reject_replace"
    EXPIRE = "expire"
    TRIGGER = "trigger"
    TIME_OUT = "time_out"
    DOUBT = "doubt"


class Order(Struct, frozen=True, gc=False, kw_only=True):
    """One order as far as it is known now.

    ``id`` is the client order id; ``owner`` a strategy's name, ``operator`` or
    ``external``; ``trigger`` the price at which a stop or target wakes up, kept when it
    has; ``prior`` the status to restore when a cancel or replace is refused. A
    ``post_only`` order is refused where it would take; ``trailing`` says that the
    trigger of a stop was last moved by the price it follows. ``inferred`` says that its
    end was concluded (the venue knew no such order, or the operator closed it), not
    reported by the venue.
    """

    id: str
    instrument: str
    owner: str
    role: OrderRole
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    post_only: bool = False
    expires_ns: int | None = None
    trailing: bool = False
    status: OrderStatus = OrderStatus.INITIALIZED
    prior: OrderStatus | None = None
    filled: Decimal = Decimal(0)
    average_price: Decimal | None = None
    created_ns: int = 0
    updated_ns: int = 0
    venue_id: str | None = None
    reason: str = ""
    inferred: bool = False

    @property
    def remaining(self) -> Decimal:
        """Return the quantity not yet filled; an overfill has left nothing."""
        left = self.quantity - self.filled
        return left if left > 0 else _NONE

    @property
    def is_terminal(self) -> bool:
        """Tell whether no more is expected of this order."""
        return self.status in TERMINAL

    @property
    def closes_now(self) -> bool:
        """Tell whether it closes a position now, and is at the venue.

        An exit that waits for its price may never fill; a flatten does not wait.
        """
        return (
            self.reduce_only
            and (self.price is None or self.role is OrderRole.FLATTEN)
            and self.type not in _UNTRIGGERED
        )

    @property
    def blocks_close(self) -> bool:
        """Tell whether it reduces, is at the venue, and a close waits for its end.

        An exit that waits for its price, or whatever is being canceled.
        """
        status = self.status
        if not self.reduce_only or status in TERMINAL or status is _HELD:
            return False
        return status is _PENDING_CANCEL or (
            self.role is OrderRole.EXIT and not self.closes_now
        )

    @property
    def may_open(self) -> bool:
        """Tell whether it may open or enlarge a position, whoever made it.

        These are the entries that "cancel entries" and the kill ladder mean.
        """
        return not self.reduce_only and not self.is_protection

    @property
    def is_untriggered(self) -> bool:
        """Tell whether it waits for its trigger, here or at the venue."""
        return self.type in _UNTRIGGERED

    @property
    def is_leg(self) -> bool:
        """Tell whether it is the stop or the target of a position."""
        return self.role is OrderRole.STOP or self.role is OrderRole.TARGET

    @property
    def is_protection(self) -> bool:
        """Tell whether this order only limits the loss of a position.

        Stops and targets of a position do, and stops of one's own that only reduce.
        """
        return self.is_leg or (self.reduce_only and self.type in _UNTRIGGERED)

    def woken(self) -> Order:
        """Return it as it is once its trigger was met: a market or a limit order.

        A market order does not wait: the end it had was that of its waiting.
        """
        if self.price is not None:
            return replace(self, type=_LIMIT)
        return replace(
            self, type=_MARKET, time_in_force=TimeInForce.GTC, expires_ns=None
        )


class OrderMove(Struct, frozen=True, gc=False):
    """One line of an order's history.

    ``quantity`` and ``price`` are the execution's on a fill; else what the order got
    by this move, None where it stayed.
    """

    ts: int
    before: OrderStatus
    event: OrderEvent
    after: OrderStatus
    reason: str = ""
    quantity: Decimal | None = None
    price: Decimal | None = None


class OrderHistory(Struct, frozen=True, gc=False):
    """An order and its last moves, oldest first; ``dropped`` older ones are gone."""

    order: Order
    moves: tuple[OrderMove, ...]
    dropped: int = 0


class Fill(Struct, frozen=True, gc=False, kw_only=True):
    """One execution of one of our orders; ``fee`` > 0 is paid, < 0 a rebate."""

    order_id: str
    trade_id: str
    instrument: str
    owner: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    ts: int
    role: OrderRole
    reason: str = ""


def order_number(order_id: str) -> str:
    """Return the short form of a client order id: its last part, without zeros."""
    tail = order_id.rsplit("-", 1)[-1]
    return tail.lstrip("0") or tail
