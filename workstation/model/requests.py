"""What is asked of a broker: messages of the Executor, carried by the edge.

Each is answered by reports (``model.reports``), for itself, also where it was asked for
in a batch.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.orders import Order

__all__ = [
    "BatchRequest",
    "CancelOrder",
    "QueryAccount",
    "QueryOrder",
    "ReplaceOrder",
    "Request",
    "SingleRequest",
    "SubmitOrder",
]


class SubmitOrder(Struct, frozen=True, gc=False, tag="submit"):
    """Ask the broker to work this order, once it has answered the cancels ``after``.

    Those are orders of ours, by client order id, that it would trade with.
    """

    order: Order
    after: tuple[str, ...] = ()


class CancelOrder(Struct, frozen=True, gc=False, tag="cancel"):
    """Ask the broker to cancel; venues find an order by its instrument and id."""

    order_id: str
    instrument: str = ""


class ReplaceOrder(Struct, frozen=True, gc=False, tag="replace"):
    """Ask the broker to change price and quantity, of a waiting stop also its trigger.

    ``trigger`` is None for an order that has none, or whose trigger was met. ``after``
    as of a new order.
    """

    order_id: str
    quantity: Decimal
    price: Decimal | None
    instrument: str = ""
    trigger: Decimal | None = None
    after: tuple[str, ...] = ()


class QueryOrder(Struct, frozen=True, gc=False, tag="query"):
    """Ask the broker what it knows of an order.

    The answer is the order's OrderFilledReports, all of them (known ones are dropped
    by trade id), then one OrderStatusReport that repeats ``asked_ns``. An order that
    was not sent from here is described by an ExternalOrder first.
    """

    order_id: str
    instrument: str = ""
    asked_ns: int | None = None


class QueryAccount(Struct, frozen=True, gc=False, tag="query_account"):
    """Ask the broker for the account: all open orders and balances.

    With ``since_ns`` also for the orders that have ended since then: an order made by
    hand may be over before anybody heard of it. The answer is an AccountReport that
    repeats ``number``, which no other question has.
    """

    number: int
    asked_ns: int
    since_ns: int | None = None


SingleRequest = SubmitOrder | CancelOrder | ReplaceOrder | QueryOrder | QueryAccount


class BatchRequest(Struct, frozen=True, gc=False, tag="batch"):
    """Ask for several things of one kind at once; each is answered for itself."""

    requests: tuple[SubmitOrder | CancelOrder | ReplaceOrder, ...]


Request = SingleRequest | BatchRequest
