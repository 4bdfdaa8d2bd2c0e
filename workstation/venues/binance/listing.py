"""The lists of a Binance account: open orders, recent ones, trades, balances.

The venue asks for them; what is listed page by page is put together here.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus
from workstation.model.reports import AccountReport, Balance, OpenOrder
from workstation.model.requests import QueryAccount
from workstation.model.timeframes import NS_PER_MS
from workstation.venues.binance.allowance import weight_of_call
from workstation.venues.binance.messages import STATUS, Account, Stored, Trade
from workstation.venues.binance.rest import BinanceRest

__all__ = ["Listing", "by_symbol", "weight_of"]

_OPEN_ORDERS = "GET /api/v3/openOrders"
_BY_SYMBOL = weight_of_call(_OPEN_ORDERS)
_WHOLE = weight_of_call(_OPEN_ORDERS, of_symbol=False)
# The most that one answer lists.
_PAGE = 1_000
_DAY_MS = 86_400_000
# More than the clocks are compared wrong by; an order told of twice is known.
_SLACK_MS = 1_000


def by_symbol(symbols: int) -> bool:
    """Tell whether open orders of so many symbols are cheaper one by one."""
    return symbols * _BY_SYMBOL <= _WHOLE


def weight_of(symbols: int) -> int:
    """Return what it weighs to list the open orders of so many symbols."""
    return min(symbols * _BY_SYMBOL, _WHOLE)


class Listing:
    """Asks one account; ``instruments`` are the run's, by the venue's symbols."""

    def __init__(self, rest: BinanceRest, instruments: Mapping[str, str]) -> None:
        self._rest = rest
        self._instruments = instruments

    async def account(self, request: QueryAccount) -> AccountReport:
        """Return balances and open orders, in the venue's order: first the orders.

        An order that fills between the two is still listed, and has its balances.
        """
        # By symbol and the venue's number: a client id may be used again once its order
        # is over, and in another symbol at any time.
        orders: dict[tuple[str, int], OpenOrder] = {}
        since_ns = request.since_ns
        if since_ns is not None:
            for symbol in self._instruments:
                for stored in await self._recent(symbol, since_ns):
                    self._list(stored, orders)
        symbols = list(self._instruments)
        for symbol in symbols if by_symbol(len(symbols)) else ("",):
            await self._rest.room(_OPEN_ORDERS, of_symbol=bool(symbol))
            for stored in await self.open_orders(symbol):
                self._list(stored, orders)
        await self._rest.room("GET /api/v3/account")
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

    async def open_orders(self, symbol: str) -> list[Stored]:
        """Return the open orders of a symbol, or of all symbols where it is empty."""
        found: list[Stored] = await self._rest.call(
            "GET",
            "/api/v3/openOrders",
            [("symbol", symbol)] if symbol else [],
            list[Stored],
        )
        return found

    async def trades(self, symbol: str, venue_id: int) -> list[Trade]:
        """Return the trades of an order by its number there, oldest first."""
        params = [
            *(("symbol", symbol), ("orderId", str(venue_id))),
            ("limit", str(_PAGE)),
        ]
        found: list[Trade] = []
        # Without a number to begin from it lists the newest ones.
        first = 0
        while True:
            page: list[Trade] = await self._rest.call(
                "GET",
                "/api/v3/myTrades",
                [*params, ("fromId", str(first))],
                list[Trade],
            )
            found += page
            if len(page) < _PAGE:
                return found
            first = page[-1].id + 1

    async def _recent(self, symbol: str, since_ns: int) -> list[Stored]:
        """Return the orders made since a time of ours, over or not."""
        page = await self._orders(symbol)
        # Known once anything was answered, to within the way there and back.
        since_ms = max(0, self._rest.there_ns(since_ns) // NS_PER_MS - _SLACK_MS)
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
        await self._rest.room("GET /api/v3/allOrders")
        params = [("symbol", symbol), *((name, str(each)) for name, each in wanted)]
        found: list[Stored] = await self._rest.call(
            "GET",
            "/api/v3/allOrders",
            [*params, ("limit", str(_PAGE))],
            list[Stored],
        )
        return found

    def _list(self, stored: Stored, orders: dict[tuple[str, int], OpenOrder]) -> None:
        instrument = self._instruments.get(stored.symbol)
        if instrument is None:
            return
        orders[stored.symbol, stored.orderId] = OpenOrder(
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
