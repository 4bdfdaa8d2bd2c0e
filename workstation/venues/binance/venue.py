"""A Binance spot account as a ``Venue``: our requests there, its reports here.

It knows which of our orders it has seen open, and how much of each it has reported; it
polls for what is new, since the account's stream is not read yet. It holds no position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from workstation.kernel.clock import Clock
from workstation.model.errors import VenueSilent
from workstation.model.instruments import Side
from workstation.model.orders import TERMINAL, Order, OrderStatus
from workstation.model.rates import BrokerAbilities
from workstation.model.reports import (
    AccountReport,
    Balance,
    CancelRejected,
    OpenOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderStatusReport,
    ReplaceRejected,
    Report,
)
from workstation.model.requests import (
    CancelOrder,
    QueryAccount,
    QueryOrder,
    ReplaceOrder,
    SingleRequest,
    SubmitOrder,
)
from workstation.model.timeframes import NS_PER_MS
from workstation.venues.binance.messages import (
    STATUS,
    Account,
    Canceled,
    Placed,
    Stored,
    Trade,
    order_params,
)
from workstation.venues.binance.rest import BinanceRefused, BinanceRest
from workstation.venues.binance.settings import BinanceVenueSettings

__all__ = ["BinanceVenue"]

ZERO = Decimal(0)
_ORDER = "/api/v3/order"
_NO_SUCH_ORDER = -2013
_DUPLICATE = "Duplicate order sent."
# Open orders weigh 6 with a symbol and 80 without.
_MOST_BY_SYMBOL = 13
# The most that one answer lists.
_PAGE = 1_000
_DAY_MS = 86_400_000


class BinanceVenue:
    """One account; ``symbols`` are the venue's names of the run's instruments."""

    # Spot symbols have STOP_LOSS and STOP_LOSS_LIMIT; one that has not refuses them.
    abilities = BrokerAbilities(account=True, stops=True)

    def __init__(
        self,
        settings: BinanceVenueSettings,
        symbols: Mapping[str, str],
        clock: Clock | None = None,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._rest = BinanceRest(settings, clock)
        self._symbols = symbols
        self._instruments = {symbol: name for name, symbol in symbols.items()}
        self._open: dict[str, str] = {}
        self._told: dict[str, Decimal] = {}

    async def send(self, request: SingleRequest) -> Sequence[Report]:
        """Carry a request out; see ``model.roles.Venue``."""
        match request:
            case SubmitOrder(order=order):
                return await self._submit(order)
            case CancelOrder(order_id=order_id, instrument=instrument):
                return await self._cancel(order_id, self._symbols[instrument])
            case QueryOrder(order_id=order_id, instrument=instrument):
                if instrument not in self._symbols:
                    # It answers about an order only with its symbol.
                    return ()
                # All fills are wanted: those told before may not have been heard.
                self._told.pop(order_id, None)
                answer = await self._query(order_id, self._symbols[instrument])
                return [_asked(report, request) for report in answer]
            case QueryAccount():
                try:
                    return (await self._account(request),)
                except BinanceRefused as refusal:
                    # There is no answer but the account: it is asked for again.
                    raise VenueSilent(str(refusal)) from refusal
            case ReplaceOrder(order_id=order_id):
                # Its amend takes another client order id, and its cancel-replace is
                # two orders: both would be one order here and two there.
                reason = "this venue changes no order in its place"
                return (ReplaceRejected(order_id, reason),)

    async def news(self) -> Sequence[Report]:
        """Return what became of the orders that were open when last looked at."""
        reports: list[Report] = []
        for order_id, symbol in list(self._open.items()):
            try:
                reports += await self._query(order_id, symbol)
            except VenueSilent:
                if order_id in self._open:
                    # The others come first next time.
                    self._open[order_id] = self._open.pop(order_id)
                if not reports:
                    raise
                # What was told before must not be lost with this.
                break
        return reports

    def account(self) -> Mapping[str, object] | None:
        """Return settings and symbols; see ``model.roles.Venue``."""
        settings = self._settings
        if not settings.watchdog_s:
            return None
        return {
            "venue": msgspec.to_builtins(settings),
            "symbols": dict(self._symbols),
            "silence_s": settings.watchdog_s,
        }

    async def close(self) -> None:
        """Close the connection."""
        await self._rest.close()

    async def _submit(self, order: Order) -> Sequence[Report]:
        symbol = self._symbols[order.instrument]
        try:
            params = order_params(order, symbol)
            placed: Placed = await self._rest.call("POST", _ORDER, params, Placed)
        except ValueError as error:
            return (OrderRejected(order.id, str(error)),)
        except BinanceRefused as refusal:
            if refusal.message == _DUPLICATE:
                # An order of this id lives there: ours, of which we had no answer.
                raise VenueSilent(str(refusal)) from refusal
            return (OrderRejected(order.id, str(refusal)),)
        ts = placed.transactTime * NS_PER_MS
        accepted = OrderAccepted(order.id, str(placed.orderId), ts)
        fills = (
            OrderFilledReport(
                order_id=order.id,
                trade_id=str(fill.tradeId),
                quantity=fill.qty,
                price=fill.price,
                fee=fill.commission,
                fee_currency=fill.commissionAsset,
                maker=False,
                ts_event=ts,
            )
            for fill in placed.fills
        )
        reports: list[Report] = [accepted, *fills]
        self._told[order.id] = sum((fill.qty for fill in placed.fills), ZERO)
        status = STATUS.get(placed.status, OrderStatus.ACCEPTED)
        if status is OrderStatus.EXPIRED:
            reason = placed.expiryReason or "by its time in force"
            reports.append(OrderExpired(order.id, reason, ts, placed.executedQty))
        self._keep(order.id, symbol, status)
        return reports

    async def _cancel(self, order_id: str, symbol: str) -> Sequence[Report]:
        params = [("symbol", symbol), ("origClientOrderId", order_id)]
        try:
            canceled: Canceled = await self._rest.call(
                "DELETE", _ORDER, params, Canceled
            )
        except BinanceRefused as refusal:
            # Not open any more: what it is then comes along.
            refused = CancelRejected(order_id, str(refusal))
            return (refused, *await self._query(order_id, symbol))
        fills = await self._fills(
            order_id, symbol, canceled.orderId, canceled.executedQty
        )
        self._keep(order_id, symbol, OrderStatus.CANCELED)
        ts, filled = canceled.transactTime * NS_PER_MS, canceled.executedQty
        return (*fills, OrderCanceled(order_id, "", ts, filled))

    async def _query(self, order_id: str, symbol: str) -> Sequence[Report]:
        """Return what the venue knows of an order, its fills first."""
        params = [("symbol", symbol), ("origClientOrderId", order_id)]
        try:
            stored: Stored = await self._rest.call("GET", _ORDER, params, Stored)
        except BinanceRefused as refusal:
            if refusal.code != _NO_SUCH_ORDER:
                raise VenueSilent(str(refusal)) from refusal
            self._keep(order_id, symbol, OrderStatus.REJECTED)
            return (OrderStatusReport(order_id, None),)
        fills = await self._fills(order_id, symbol, stored.orderId, stored.executedQty)
        status = STATUS.get(stored.status, OrderStatus.ACCEPTED)
        self._keep(order_id, symbol, status)
        report = OrderStatusReport(
            order_id,
            status,
            stored.executedQty,
            stored.updateTime * NS_PER_MS,
            quantity=stored.origQty,
            triggered=stored.was_triggered,
            trigger=stored.stopPrice or None,
        )
        return (*fills, report)

    async def _account(self, request: QueryAccount) -> AccountReport:
        """Return balances and open orders, in the venue's order: first the orders.

        An order that fills between the two is still listed, and has its balances.
        """
        orders: dict[str, OpenOrder] = {}
        since_ns = request.since_ns
        if since_ns is not None:
            for symbol in self._instruments:
                for stored in await self._recent(symbol, since_ns):
                    self._list(stored, orders)
        names = [("symbol", symbol) for symbol in self._instruments]
        wholes = [[]] if len(names) > _MOST_BY_SYMBOL else [[name] for name in names]
        for params in wholes:
            listed: list[Stored] = await self._rest.call(
                "GET", "/api/v3/openOrders", params, list[Stored]
            )
            for stored in listed:
                self._list(stored, orders)
        account: Account = await self._rest.call(
            "GET", "/api/v3/account", [("omitZeroBalances", "true")], Account
        )
        return AccountReport(
            number=request.number,
            balances=tuple(
                Balance(each.asset, each.free, each.locked) for each in account.balances
            ),
            orders=tuple(orders.values()),
            ts_event=account.updateTime * NS_PER_MS,
        )

    async def _recent(self, symbol: str, since_ns: int) -> list[Stored]:
        """Return the orders made since a time of ours, over or not."""
        page = await self._orders(symbol)
        # Known once anything was answered.
        since_ms = max(0, self._rest.there_ns(since_ns) // NS_PER_MS)
        if len(page) < _PAGE or min(each.time for each in page) < since_ms:
            return [each for each in page if each.time >= since_ms]
        newest_ms = max(each.time for each in page)
        page = []
        # Between two times it lists no more than a day; by number, whatever follows.
        while not page and since_ms <= newest_ms:
            day = (("startTime", since_ms), ("endTime", since_ms + _DAY_MS))
            page = await self._orders(symbol, *day)
            since_ms += _DAY_MS
        found = page
        while page:
            page = await self._orders(symbol, ("orderId", page[-1].orderId + 1))
            found += page
        return found

    async def _orders(self, symbol: str, *wanted: tuple[str, int]) -> list[Stored]:
        """Return orders, oldest first; the newest ones unless others are wanted."""
        params = [("symbol", symbol), *((name, str(each)) for name, each in wanted)]
        found: list[Stored] = await self._rest.call(
            "GET",
            "/api/v3/allOrders",
            [*params, ("limit", str(_PAGE))],
            list[Stored],
        )
        return found

    def _list(self, stored: Stored, orders: dict[str, OpenOrder]) -> None:
        instrument = self._instruments.get(stored.symbol)
        if instrument is None:
            return
        orders[stored.clientOrderId] = OpenOrder(
            order_id=stored.clientOrderId,
            instrument=instrument,
            side=Side(stored.side.lower()),
            order_type=stored.order_type,
            quantity=stored.origQty,
            filled=stored.executedQty,
            price=stored.price or None,
            trigger=stored.stopPrice or None,
            status=STATUS.get(stored.status, OrderStatus.ACCEPTED),
            venue_id=str(stored.orderId),
        )

    async def _fills(
        self, order_id: str, symbol: str, venue_id: int, executed: Decimal
    ) -> Sequence[Report]:
        """Return the fills of an order, where there are more than were told."""
        if executed <= self._told.get(order_id, ZERO):
            return ()
        try:
            trades = await self._trades(symbol, venue_id)
        except BinanceRefused as refusal:
            raise VenueSilent(str(refusal)) from refusal
        self._told[order_id] = sum((trade.qty for trade in trades), ZERO)
        return [
            OrderFilledReport(
                order_id=order_id,
                trade_id=str(trade.id),
                quantity=trade.qty,
                price=trade.price,
                fee=trade.commission,
                fee_currency=trade.commissionAsset,
                maker=trade.isMaker,
                ts_event=trade.time * NS_PER_MS,
            )
            for trade in trades
        ]

    async def _trades(self, symbol: str, venue_id: int) -> list[Trade]:
        params = [
            *(("symbol", symbol), ("orderId", str(venue_id))),
            ("limit", str(_PAGE)),
        ]
        found: list[Trade] = []
        after: list[tuple[str, str]] = []
        while True:
            page: list[Trade] = await self._rest.call(
                "GET", "/api/v3/myTrades", [*params, *after], list[Trade]
            )
            found += page
            if len(page) < _PAGE:
                return found
            after = [("fromId", str(page[-1].id + 1))]

    def _keep(self, order_id: str, symbol: str, status: OrderStatus) -> None:
        if status in TERMINAL:
            self._open.pop(order_id, None)
            self._told.pop(order_id, None)
        else:
            self._open[order_id] = symbol


def _asked(report: Report, query: QueryOrder) -> Report:
    """Return a status with the time it was asked for; other reports as they are."""
    if isinstance(report, OrderStatusReport):
        return msgspec.structs.replace(report, asked_ns=query.asked_ns)
    return report
