"""A venue for tests of the order path: what one does, written for itself.

It shares nothing with the code under test but the messages. It keeps its own orders,
positions and cash, answers requests, and does what a venue does unasked. It never
looks at what anybody else believes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType, TimeInForce
from workstation.model.reports import (
    AccountReport,
    Balance,
    CancelRejected,
    ExternalOrder,
    OpenOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderStatusReport,
    OrderTriggered,
    ReplaceRejected,
    Report,
)
from workstation.model.requests import (
    BatchRequest,
    CancelOrder,
    QueryAccount,
    QueryOrder,
    ReplaceOrder,
    Request,
    SubmitOrder,
)

FEE = Decimal("0.001")
STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
WORDS = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}


class VenueOrder:
    """One order as the venue has it."""

    def __init__(
        self,
        name: str,
        instrument: str,
        buys: bool,
        size: Decimal,
        limit: Decimal | None,
        made_here: bool,
        trigger: Decimal | None = None,
    ) -> None:
        self.name = name
        self.instrument = instrument
        self.buys = buys
        self.size = size
        self.limit = limit
        self.made_here = made_here
        self.trigger = trigger
        self.waits = trigger is not None
        self.state = "open"
        self.trades: list[OrderFilledReport] = []

    @property
    def kind(self) -> OrderType:
        if not self.waits:
            return OrderType.LIMIT
        return OrderType.STOP if self.limit is None else OrderType.STOP_LIMIT

    @property
    def done(self) -> Decimal:
        return sum((trade.quantity for trade in self.trades), Decimal(0))


class VenueModel:
    """Orders, holdings and cash of one account; every event has a later time.

    ``in_kind``: the fee of a purchase comes off what was bought.
    """

    def __init__(
        self, began_with: Decimal = Decimal(0), *, in_kind: bool = False
    ) -> None:
        self.in_kind = in_kind
        self.orders: dict[str, VenueOrder] = {}
        self.forgotten: set[str] = set()
        self.began_with = began_with
        self.cash = Decimal(0)
        self.moved: dict[str, Decimal] = {}
        self.holdings: dict[str, Decimal] = {}
        self.time = 1_000
        self.trades = 0
        self.refuse_next = False

    def _tick(self) -> int:
        self.time += 1
        return self.time

    def open(self) -> list[VenueOrder]:
        return [o for o in self.orders.values() if o.state == "open"]

    def waiting(self) -> list[VenueOrder]:
        return [o for o in self.open() if o.waits]

    # What arrives.

    def take(self, request: Request) -> list[Report]:
        match request:
            case SubmitOrder(order=order):
                if self.refuse_next:
                    self.refuse_next = False
                    refused = VenueOrder(
                        order.id, order.instrument, True, order.quantity, None, False
                    )
                    refused.state = "rejected"
                    self.orders[order.id] = refused
                    return [OrderRejected(order.id, "not today", self._tick())]
                made = VenueOrder(
                    order.id,
                    order.instrument,
                    order.side is Side.BUY,
                    order.quantity,
                    order.price,
                    False,
                    order.trigger if order.type in STOPS else None,
                )
                self.orders[order.id] = made
                said: list[Report] = [
                    OrderAccepted(order.id, f"v-{order.id}", self._tick())
                ]
                if made.waits:
                    return said
                if order.time_in_force is TimeInForce.FOK:
                    said += self.trade(made, made.size, order.price or Decimal(100))
                elif order.time_in_force is TimeInForce.IOC:
                    half = (made.size / 2).quantize(Decimal("0.001"))
                    if half:
                        said += self.trade(made, half, order.price or Decimal(100))
                    if made.state == "open":
                        said += self.expire(made)
                return said
            case CancelOrder(order_id=name):
                found = self.orders.get(name)
                if found is None or found.state != "open":
                    why = "no such order" if found is None else found.state
                    return [CancelRejected(name, why, self._tick())]
                return self.cancel(found)
            case ReplaceOrder(
                order_id=name, quantity=size, price=limit, trigger=trigger
            ):
                found = self.orders.get(name)
                if found is None or found.state != "open" or size <= found.done:
                    return [ReplaceRejected(name, "too late", self._tick())]
                if (trigger is not None) is not found.waits:
                    return [ReplaceRejected(name, "woken meanwhile", self._tick())]
                found.size, found.limit = size, limit
                found.trigger = trigger or found.trigger
                now = self._tick()
                return [OrderReplaced(name, size, limit, now, trigger)]
            case QueryOrder():
                return self._answer(request)
            case QueryAccount():
                return [self.statement(request)]
            case BatchRequest(requests=requests):
                return [report for each in requests for report in self.take(each)]

    def totals(self) -> dict[str, Decimal]:
        """Return what there is of each currency."""
        held = {"USDT": self.began_with + self.cash, **self.holdings}
        for name, amount in self.moved.items():
            held[name] = held.get(name, Decimal(0)) + amount
        return held

    def statement(self, request: QueryAccount) -> AccountReport:
        """Say what the account has, and which orders are open, or ever were."""
        wanted = (
            order
            for order in self.orders.values()
            if order.state == "open" or request.since_ns is not None
        )
        return AccountReport(
            number=request.number,
            balances=tuple(Balance(*each) for each in self.totals().items()),
            orders=tuple(
                OpenOrder(
                    order_id=order.name,
                    instrument=order.instrument,
                    side=Side.BUY if order.buys else Side.SELL,
                    order_type=order.kind,
                    quantity=order.size,
                    filled=order.done,
                    price=order.limit,
                    trigger=order.trigger,
                    status=WORDS.get(order.state, OrderStatus.ACCEPTED),
                )
                for order in wanted
                if order.name not in self.forgotten
            ),
            ts_event=self._tick(),
        )

    def _answer(self, request: QueryOrder) -> list[Report]:
        name = request.order_id
        found = self.orders.get(name)
        now = self._tick()
        if found is None or name in self.forgotten:
            return [
                OrderStatusReport(name, None, ts_event=now, asked_ns=request.asked_ns)
            ]
        said: list[Report] = [self.sighting(found)] if found.made_here else []
        said += found.trades
        status = WORDS.get(found.state)
        if status is None:
            partly = OrderStatus.PARTIALLY_FILLED
            status = partly if found.done else OrderStatus.ACCEPTED
        said.append(
            OrderStatusReport(
                name,
                status,
                found.done,
                now,
                found.size,
                found.limit,
                f"v-{name}",
                request.asked_ns,
                found.trigger is not None and not found.waits,
                found.trigger,
            )
        )
        return said

    # What it does.

    def wake(self, order: VenueOrder) -> list[Report]:
        order.waits = False
        return [OrderTriggered(order.name, self._tick())]

    def trade(
        self, order: VenueOrder, size: Decimal, price: Decimal
    ) -> Sequence[Report]:
        self.trades += 1
        order.waits = False
        in_kind = self.in_kind and order.buys
        fee = size * FEE if in_kind else size * price * FEE
        report = OrderFilledReport(
            order.name,
            f"t-{self.trades}",
            size,
            price,
            fee,
            order.instrument if in_kind else "USDT",
            False,
            self._tick(),
        )
        order.trades.append(report)
        signed = size if order.buys else -size
        left = self.holdings.get(order.instrument, Decimal(0)) + signed
        self.holdings[order.instrument] = left - fee if in_kind else left
        self.cash -= signed * price if in_kind else signed * price + fee
        if order.done >= order.size:
            order.state = "filled"
        return [report]

    def cancel(self, order: VenueOrder) -> list[Report]:
        order.state = "canceled"
        return [OrderCanceled(order.name, "", self._tick(), order.done)]

    def expire(self, order: VenueOrder) -> list[Report]:
        order.state = "expired"
        return [OrderExpired(order.name, "its time is up", self._tick(), order.done)]

    def reject(self, order: VenueOrder) -> list[Report]:
        order.state = "rejected"
        return [OrderRejected(order.name, "second thoughts", self._tick())]

    def move(self, currency: str, amount: Decimal) -> None:
        """Let money come in or go out by no trade."""
        self.moved[currency] = self.moved.get(currency, Decimal(0)) + amount

    def by_hand(self, instrument: str, buys: bool, size: Decimal) -> list[Report]:
        """Let somebody make an order at the venue itself."""
        name = f"web-{len(self.orders) + 1}"
        order = VenueOrder(name, instrument, buys, size, Decimal(90), True)
        self.orders[name] = order
        return [self.sighting(order)]

    def sighting(self, order: VenueOrder) -> Report:
        return ExternalOrder(
            order_id=order.name,
            instrument=order.instrument,
            side=Side.BUY if order.buys else Side.SELL,
            order_type=OrderType.LIMIT,
            quantity=order.size,
            price=order.limit,
            venue_id=f"v-{order.name}",
        )
