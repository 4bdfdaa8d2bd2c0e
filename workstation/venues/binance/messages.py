"""Orders and trades as Binance's REST API says them, and as we do.

Field names are the venue's. Source: Binance spot API, "Trading endpoints" and
"Account endpoints".
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.orders import Order, OrderStatus, OrderType, TimeInForce

__all__ = [
    "STATUS",
    "TYPE",
    "Account",
    "Canceled",
    "Placed",
    "Stored",
    "Trade",
    "order_params",
]

STATUS = {
    "NEW": OrderStatus.ACCEPTED,
    "PENDING_NEW": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
"""The venue's statuses; PENDING_CANCEL is not used there."""

TYPE = {"MARKET": OrderType.MARKET}
"""The venue's types of orders that have no limit price; all others here have one."""


class _Fill(Struct):
    price: Decimal
    qty: Decimal
    commission: Decimal
    commissionAsset: str
    tradeId: int


class Placed(Struct):
    """The full answer to a new order."""

    orderId: int
    clientOrderId: str
    transactTime: int
    status: str
    executedQty: Decimal
    fills: list[_Fill] = []
    expiryReason: str = ""


class Canceled(Struct):
    """The answer to a cancel."""

    orderId: int
    origClientOrderId: str
    transactTime: int
    executedQty: Decimal


class Stored(Struct):
    """An order as a query returns it, and lists of orders."""

    symbol: str
    orderId: int
    clientOrderId: str
    status: str
    executedQty: Decimal
    side: str = ""
    type: str = ""
    origQty: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    time: int = 0
    updateTime: int = 0


class _Asset(Struct):
    asset: str
    free: Decimal
    locked: Decimal


class Account(Struct):
    """The balances of the account."""

    balances: list[_Asset]
    updateTime: int = 0


class Trade(Struct):
    """One of the account's trades."""

    id: int
    orderId: int
    price: Decimal
    qty: Decimal
    commission: Decimal
    commissionAsset: str
    time: int
    isMaker: bool


def order_params(order: Order, symbol: str) -> list[tuple[str, str]]:
    """Return the parameters of a new order; ValueError for what the venue lacks."""
    if order.time_in_force is TimeInForce.GTD:
        raise ValueError("this venue has no GTD orders")
    params = [("symbol", symbol), ("side", order.side.value.upper())]
    if order.type is OrderType.MARKET:
        params.append(("type", "MARKET"))
    elif order.type is not OrderType.LIMIT or order.price is None:
        raise ValueError(f"this venue gets no {order.type.value} orders from us")
    elif order.post_only:
        params += [("type", "LIMIT_MAKER"), ("price", f"{order.price:f}")]
    else:
        params += [
            ("type", "LIMIT"),
            ("timeInForce", order.time_in_force.value),
            ("price", f"{order.price:f}"),
        ]
    return [
        *params,
        ("quantity", f"{order.quantity:f}"),
        ("newClientOrderId", order.id),
        ("newOrderRespType", "FULL"),
    ]
