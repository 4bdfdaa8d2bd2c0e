"""Lists of a Binance account: each order once, whatever its client id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.venues.binance_host import Host, hosted, stored
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus
from workstation.model.reports import AccountReport
from workstation.model.requests import QueryAccount
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.venue import BinanceVenue

BTC, ETH = "BTCUSDT", "ETHUSDT"


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with hosted() as found:
        found.answers["GET account"] = {"balances": []}
        yield found


async def told(host: Host, since_ns: int | None = None) -> AccountReport:
    settings = BinanceVenueSettings(base_url=host.url, key="k", secret="s")
    venue = BinanceVenue(settings, {"BTC": BTC, "ETH": ETH}, host.clock)
    (report,) = await venue.send(QueryAccount(1, 5, since_ns))
    await venue.close()
    assert isinstance(report, AccountReport)
    return report


def made(order_id: str, symbol: str, number: int, **more: Any) -> dict[str, Any]:
    """Return an order as a list has it; ``number`` is the venue's, of its symbol."""
    sized = {"side": "BUY", "type": "LIMIT", "origQty": "1", "price": "90"}
    return stored(order_id, symbol, **(sized | more)) | {"orderId": number}


async def test_orders_of_two_symbols_with_one_client_id_are_both_told_of(
    host: Host,
) -> None:
    # The venue numbers the orders of each symbol apart.
    host.answers["GET openOrders"] = lambda query: [made("grid1", query["symbol"], 7)]
    report = await told(host)
    assert [(o.order_id, o.instrument, o.venue_id) for o in report.orders] == [
        ("grid1", "BTC", "7"),
        ("grid1", "ETH", "7"),
    ]


async def test_a_client_id_that_was_used_again_is_two_orders(host: Host) -> None:
    over = made("tp1", BTC, 1, status="FILLED", executedQty="1")
    again = made("tp1", BTC, 2, side="SELL")
    recent = {BTC: [over, again], ETH: []}
    host.answers["GET allOrders"] = lambda query: recent[query["symbol"]]
    # What is open is listed in both lists, and told of once.
    host.answers["GET openOrders"] = lambda query: recent[query["symbol"]][1:]
    report = await told(host, since_ns=0)
    assert [(o.venue_id, o.side, o.status) for o in report.orders] == [
        ("1", Side.BUY, OrderStatus.FILLED),
        ("2", Side.SELL, OrderStatus.ACCEPTED),
    ]
