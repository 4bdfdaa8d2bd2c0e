"""What a broker reports of orders, and of the account.

Facts as the venue tells them, which may come late, twice, out of turn or not at all.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType

__all__ = [
    "AccountReport",
    "Balance",
    "CancelRejected",
    "ExternalOrder",
    "OpenOrder",
    "OrderAccepted",
    "OrderCanceled",
    "OrderExpired",
    "OrderFilledReport",
    "OrderRejected",
    "OrderReplaced",
    "OrderReport",
    "OrderStatusReport",
    "OrderTriggered",
    "ReplaceRejected",
    "Report",
    "ReportsLost",
]


class OrderAccepted(Struct, frozen=True, gc=False, tag="accepted"):
    """The venue works the order."""

    order_id: str
    venue_id: str
    ts_event: int | None = None


class OrderRejected(Struct, frozen=True, gc=False, tag="rejected"):
    """The venue refused the order."""

    order_id: str
    reason: str
    ts_event: int | None = None


class OrderFilledReport(Struct, frozen=True, gc=False, tag="filled"):
    """The venue executed ``quantity`` at ``price``; ``trade_id`` is unique there."""

    order_id: str
    trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    maker: bool
    ts_event: int | None = None


class OrderCanceled(Struct, frozen=True, gc=False, tag="canceled"):
    """The venue canceled the order, asked for or not.

    ``filled`` is what it filled of it in all; None = it does not say.
    """

    order_id: str
    reason: str = ""
    ts_event: int | None = None
    filled: Decimal | None = None


class CancelRejected(Struct, frozen=True, gc=False, tag="cancel_rejected"):
    """The venue refused to cancel."""

    order_id: str
    reason: str
    ts_event: int | None = None


class OrderExpired(Struct, frozen=True, gc=False, tag="expired"):
    """The order ended by its time in force; ``filled`` as in OrderCanceled."""

    order_id: str
    reason: str = ""
    ts_event: int | None = None
    filled: Decimal | None = None


class OrderReplaced(Struct, frozen=True, gc=False, tag="replaced"):
    """The venue changed the order."""

    order_id: str
    quantity: Decimal
    price: Decimal | None
    ts_event: int | None = None
    trigger: Decimal | None = None


class OrderTriggered(Struct, frozen=True, gc=False, tag="triggered"):
    """The trigger of a stop at the venue was met: it is market or limit from now on."""

    order_id: str
    ts_event: int | None = None


class ReplaceRejected(Struct, frozen=True, gc=False, tag="replace_rejected"):
    """The venue refused to change the order."""

    order_id: str
    reason: str
    ts_event: int | None = None


class OrderStatusReport(Struct, frozen=True, gc=False, tag="order_status"):
    """The venue's answer to a query; ``status`` None means it knows no such order.

    ``filled`` is the sum of its fills; ``quantity``, ``price`` and the ``trigger`` of a
    stop are what the order has now, None where the venue does not say. ``asked_ns`` is
    the query's: without it the answer counts as asked for when it arrives.
    ``triggered`` tells that a stop waits no more.
    """

    order_id: str
    status: OrderStatus | None
    filled: Decimal = Decimal(0)
    ts_event: int | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    venue_id: str | None = None
    asked_ns: int | None = None
    triggered: bool = False
    trigger: Decimal | None = None


class ExternalOrder(Struct, frozen=True, gc=False, kw_only=True, tag="external_order"):
    """The venue has an order that was not made here; its reports follow as usual."""

    order_id: str
    instrument: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    trigger: Decimal | None = None
    venue_id: str | None = None
    ts_event: int | None = None


class ReportsLost(Struct, frozen=True, gc=False, tag="reports_lost"):
    """Reports may have been lost: the way to the venue was broken, and is back."""

    reason: str = ""


class Balance(Struct, frozen=True, gc=False, tag="balance"):
    """What the account has of a currency; ``locked`` is reserved by open orders."""

    currency: str
    free: Decimal
    locked: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """Return all of it."""
        return self.free + self.locked


class OpenOrder(Struct, frozen=True, gc=False, kw_only=True, tag="open_order"):
    """An order as the venue lists it; ``status`` may be final in a list of recent ones.

    ``price`` is None for a market order; a stop is one of its type while it waits.
    """

    order_id: str
    instrument: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    filled: Decimal = Decimal(0)
    price: Decimal | None = None
    trigger: Decimal | None = None
    status: OrderStatus = OrderStatus.ACCEPTED
    venue_id: str | None = None


class AccountReport(Struct, frozen=True, gc=False, kw_only=True, tag="account"):
    """The venue's answer about the account: a currency not named has nothing.

    ``number`` is the question's. ``orders`` are all that are open in the run's
    instruments, and recent ones where they were asked for.
    """

    number: int
    balances: tuple[Balance, ...]
    orders: tuple[OpenOrder, ...] = ()
    ts_event: int | None = None


OrderReport = (
    OrderAccepted
    | OrderRejected
    | OrderFilledReport
    | OrderCanceled
    | CancelRejected
    | OrderExpired
    | OrderReplaced
    | ReplaceRejected
    | OrderTriggered
    | OrderStatusReport
)
"""Reports about one order that is known."""

Report = OrderReport | ExternalOrder | ReportsLost | AccountReport
