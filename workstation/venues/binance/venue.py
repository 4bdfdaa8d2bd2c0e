"""A Binance spot account as a ``Venue``: our requests there, its reports here.

It knows which of our orders it has seen open, and how much of each it has reported; it
polls for what is new, since the account's stream is not read yet, and leaves room for
cancels and exits. It holds no position.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from workstation.kernel.clock import Clock, steady_clock
from workstation.model.errors import VenueSilent
from workstation.model.orders import TERMINAL, Order, OrderStatus
from workstation.model.rates import BrokerAbilities
from workstation.model.reports import (
    CancelRejected,
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
from workstation.model.timeframes import NS_PER_MS, NS_PER_S
from workstation.venues.binance.allowance import weight_of_call
from workstation.venues.binance.listing import Listing, by_symbol, weight_of
from workstation.venues.binance.messages import (
    STATUS,
    Canceled,
    Placed,
    Stored,
    order_params,
)
from workstation.venues.binance.rest import BinanceRefused, BinanceRest
from workstation.venues.binance.settings import BinanceVenueSettings

__all__ = ["BinanceVenue"]

ZERO = Decimal(0)
_ORDER = "/api/v3/order"
_NO_SUCH_ORDER = -2013
# Canceled or expired without a fill, over 90 days ago: which of the two is not kept.
_ARCHIVED = -2026
_DUPLICATE = "Duplicate order sent."
# An order with its trades; more than a thousand of them cost another page.
_QUERY_WEIGHT = weight_of_call("GET /api/v3/order") + weight_of_call(
    "GET /api/v3/myTrades"
)
# Of the weight of a minute, what looking at open orders may use while nothing happens.
_LOOKS = 0.4
# Orders are compared with a list for so long; asking for fills takes its time.
_FRESH_NS = NS_PER_S
# What was found waits for no more than this and a call or two: a fill of one order must
# not wait for the trades of all others.
_PART_NS = 250 * NS_PER_MS


class BinanceVenue:
    """One account; ``symbols`` are the venue's names of the run's instruments."""

    # Spot symbols have STOP_LOSS and STOP_LOSS_LIMIT; one that has not refuses them.
    abilities = BrokerAbilities(account=True, stops=True)

    def __init__(
        self,
        settings: BinanceVenueSettings,
        symbols: Mapping[str, str],
        clock: Clock | None = None,
        steady: Clock | None = None,
    ) -> None:
        """``steady`` is what waits are measured by; see ``BinanceRest``."""
        self.name = settings.name
        self._settings = settings
        self._steady = steady or steady_clock()
        self._rest = BinanceRest(settings, clock, self._steady)
        self._symbols = symbols
        instruments = {symbol: name for name, symbol in symbols.items()}
        self._listing = Listing(self._rest, instruments)
        self._open: dict[str, str] = {}
        self._told: dict[str, Decimal] = {}
        self._seen: dict[str, tuple[object, ...]] = {}
        self._look_from_ns = 0
        # What this look has still to compare, and the lists it has, by symbol or "" for
        # all, each with the time until which it is good.
        self._to_look: deque[tuple[str, str]] = deque()
        self._one_by_one = True
        self._lists: dict[str, tuple[int, Mapping[tuple[str, str], Stored]]] = {}

    async def send(self, request: SingleRequest) -> Sequence[Report]:
        """Carry a request out; see ``model.roles.Venue``."""
        match request:
            case SubmitOrder(order=order):
                return await self._submit(order)
            case CancelOrder(order_id=order_id, instrument=instrument):
                if instrument not in self._symbols:
                    return (CancelRejected(order_id, self._lacks(instrument)),)
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
                    return (await self._listing.account(request),)
                except BinanceRefused as refusal:
                    # There is no answer but the account: it is asked for again.
                    raise VenueSilent(str(refusal)) from refusal
            case ReplaceOrder(order_id=order_id):
                # Its amend takes another client order id, and its cancel-replace is
                # two orders: both would be one order here and two there.
                reason = "this venue changes no order in its place"
                return (ReplaceRejected(order_id, reason),)

    async def news(self) -> Sequence[Report]:
        """Return what became of the orders that were open when last looked at.

        An order is told of once it has changed. A look that takes long is handed on in
        parts: the next call goes on where this one stopped. Raises VenueSilent also
        while nothing may be polled, with the reason.
        """
        found: list[Report] = []
        try:
            await self._look(found)
        except VenueSilent:
            # The next look begins anew.
            self._to_look.clear()
            # What was found before must not be lost with this.
            if not found:
                raise
        return found

    async def _look(self, found: list[Report]) -> None:
        """Compare the orders that are open with what was seen of them."""
        began_ns = self._steady.now()
        if not self._to_look:
            if not self._open or began_ns < self._look_from_ns:
                return
            self._begin_look(began_ns)
        while self._to_look:
            if found and self._steady.now() - began_ns >= _PART_NS:
                return
            if rests := self._rest.rests():
                raise VenueSilent(rests)
            order_id, symbol = self._to_look.popleft()
            try:
                stored = await self._listed(order_id, symbol)
                found += await self._compare(order_id, symbol, stored)
            except BinanceRefused as refusal:
                self._put_last(symbol, order_id)
                raise VenueSilent(str(refusal)) from refusal
            except VenueSilent:
                self._put_last(symbol, order_id)
                raise

    def _begin_look(self, now_ns: int) -> None:
        self._to_look.extend(self._open.items())
        symbols = len(set(self._open.values()))
        a_minute = self._settings.weight_per_minute * _LOOKS
        wait_s = weight_of(symbols) * 60 / a_minute
        self._look_from_ns = now_ns + int(wait_s * NS_PER_S)
        self._one_by_one = by_symbol(symbols)
        self._lists.clear()

    async def _listed(self, order_id: str, symbol: str) -> Stored | None:
        """Return an order as it is listed; None if it is not among the open ones."""
        name = symbol if self._one_by_one else ""
        fresh_until_ns, orders = self._lists.get(name, (0, {}))
        if self._steady.now() >= fresh_until_ns:
            orders = {
                (each.symbol, each.clientOrderId): each
                for each in await self._listing.open_orders(name)
            }
            self._lists[name] = self._steady.now() + _FRESH_NS, orders
        return orders.get((symbol, order_id))

    async def _compare(
        self, order_id: str, symbol: str, stored: Stored | None
    ) -> Sequence[Report]:
        if order_id not in self._open:
            # An answer to a request has ended it since the list was asked for.
            return ()
        if stored is None:
            return await self._query(order_id, symbol)
        if self._seen.get(order_id) == stored.state:
            return ()
        found = await self._describe(order_id, symbol, stored)
        if order_id in self._open:
            self._seen[order_id] = stored.state
        return found

    def _put_last(self, symbol: str, order_id: str) -> None:
        """Let the others come first next time, those of other symbols before all."""
        same = [each for each, its in self._open.items() if its == symbol]
        for each in (*same, order_id):
            if each in self._open:
                self._open[each] = self._open.pop(each)

    def holds_s(self, question: QueryOrder | QueryAccount, others: int) -> float:
        """Return for how many seconds a question is better held back; 0 for none.

        ``others`` may have calls to send still. One about the account waits between
        its calls by itself: nothing is behind it.
        """
        if isinstance(question, QueryAccount):
            return 0.0
        return self._rest.holds_s(_QUERY_WEIGHT * (others + 1))

    @property
    def answers(self) -> int:
        """Return how many calls the venue has answered."""
        return self._rest.answers

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
        symbol = self._symbols.get(order.instrument)
        if symbol is None:
            return (OrderRejected(order.id, self._lacks(order.instrument)),)
        try:
            params = order_params(order, symbol)
        except ValueError as error:
            return (OrderRejected(order.id, str(error)),)
        try:
            placed: Placed = await self._rest.call("POST", _ORDER, params, Placed)
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
            if refusal.code == _ARCHIVED:
                self._keep(order_id, symbol, OrderStatus.CANCELED)
                return (OrderStatusReport(order_id, OrderStatus.CANCELED),)
            if refusal.code != _NO_SUCH_ORDER:
                raise VenueSilent(str(refusal)) from refusal
            self._keep(order_id, symbol, OrderStatus.REJECTED)
            return (OrderStatusReport(order_id, None),)
        return await self._describe(order_id, symbol, stored)

    async def _describe(
        self, order_id: str, symbol: str, stored: Stored
    ) -> Sequence[Report]:
        fills = await self._fills(order_id, symbol, stored.orderId, stored.executedQty)
        status = STATUS.get(stored.status, OrderStatus.ACCEPTED)
        self._keep(order_id, symbol, status)
        report = OrderStatusReport(
            order_id,
            status,
            stored.executedQty,
            stored.updateTime * NS_PER_MS,
            quantity=stored.origQty,
            venue_id=str(stored.orderId),
            triggered=stored.was_triggered,
            trigger=stored.stopPrice or None,
        )
        return (*fills, report)

    async def _fills(
        self, order_id: str, symbol: str, venue_id: int, executed: Decimal
    ) -> Sequence[Report]:
        """Return the fills of an order, where there are more than were told."""
        if executed <= self._told.get(order_id, ZERO):
            return ()
        try:
            trades = await self._listing.trades(symbol, venue_id)
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

    def _keep(self, order_id: str, symbol: str, status: OrderStatus) -> None:
        if status in TERMINAL:
            for known in (self._open, self._told, self._seen):
                known.pop(order_id, None)
        else:
            self._open[order_id] = symbol

    def _lacks(self, instrument: str) -> str:
        return f"this account has no {instrument}; it has {', '.join(self._symbols)}"


def _asked(report: Report, query: QueryOrder) -> Report:
    """Return a status with the time it was asked for; other reports as they are."""
    if isinstance(report, OrderStatusReport):
        return msgspec.structs.replace(report, asked_ns=query.asked_ns)
    return report
