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

TYPE = {
    "MARKET": OrderType.MARKET,
    "STOP_LOSS": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "TAKE_PROFIT": OrderType.TARGET,
    "TAKE_PROFIT_LIMIT": OrderType.TARGET,
}
"""The venue's types and ours; all others are limit orders. Once its trigger was met an
order ``isWorking``, whatever its type goes on saying."""


_LIMIT = OrderType.LIMIT
_WAITING = (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TARGET)


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
    stopPrice: Decimal = Decimal(0)
    isWorking: bool = True
    time: int = 0
    updateTime: int = 0

    @property
    def state(self) -> tuple[object, ...]:
        """Return what differs once anything has become of it."""
        return (
            self.status,
            self.executedQty,
            self.origQty,
            self.isWorking,
            self.updateTime,
        )

    @property
    def was_triggered(self) -> bool:
        """Tell whether it is a stop, or a target, that waits no more."""
        return self.isWorking and TYPE.get(self.type, _LIMIT) in _WAITING

    @property
    def order_type(self) -> OrderType:
        """Return what kind of order it is now."""
        order_type = TYPE.get(self.type, _LIMIT)
        if order_type not in _WAITING or not self.isWorking:
            return order_type
        return _LIMIT if self.price else OrderType.MARKET


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
    kind, trigger = order.type, order.trigger
    if kind is OrderType.MARKET:
        params.append(("type", "MARKET"))
    elif kind is OrderType.STOP and trigger is not None:
        params += [("type", "STOP_LOSS"), ("stopPrice", f"{trigger:f}")]
    elif order.price is None:
        raise ValueError(f"this venue gets no {kind.value} orders from us")
    elif kind is OrderType.STOP_LIMIT and trigger is not None:
        params += [
            ("type", "STOP_LOSS_LIMIT"),
            ("timeInForce", order.time_in_force.value),
            ("price", f"{order.price:f}"),
            ("stopPrice", f"{trigger:f}"),
        ]
    elif kind is not OrderType.LIMIT:
        raise ValueError(f"this venue gets no {kind.value} orders from us")
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
