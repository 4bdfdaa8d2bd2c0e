"""What polling a Binance account costs, and when it rests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import msgspec
import pytest
from aiohttp import web

from tests.venues.binance_host import Host, hosted, placed, stored
from tests.venues.test_binance_venue import order
from workstation.model.errors import VenueSilent
from workstation.model.orders import OrderStatus
from workstation.model.reports import OrderCanceled, OrderRejected, OrderStatusReport
from workstation.model.requests import CancelOrder, SubmitOrder
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.venue import BinanceVenue

BTC = "BTCUSDT"
CANCELED = {
    "orderId": 1,
    "origClientOrderId": "",
    "transactTime": 1,
    "executedQty": "0",
}


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    async with hosted() as found:
        found.answers = {"POST order": placed, "DELETE order": CANCELED}
        yield found


def venue_at(host: Host, *symbols: str) -> BinanceVenue:
    settings = BinanceVenueSettings(base_url=host.url, key="k", secret="s")
    return BinanceVenue(
        settings, {each: each for each in symbols or (BTC,)}, host.clock
    )


async def test_orders_that_have_not_changed_cost_one_list_and_are_not_told(
    host: Host,
) -> None:
    venue = venue_at(host)
    names = [f"w-{number}" for number in range(60)]
    for name in names:
        await venue.send(SubmitOrder(order(name, "1", "90")))
    host.answers["GET openOrders"] = [stored(name, BTC) for name in names]
    assert len(await venue.news()) == 60
    host.seen.clear()
    for _ in range(3):
        host.pass_s(1)
        assert await venue.news() == []
    assert host.seen == [f"GET openOrders {BTC}"] * 3
    await venue.close()


async def test_only_an_order_that_is_gone_from_the_list_is_asked_about(
    host: Host,
) -> None:
    venue = venue_at(host)
    for name in ("w-1", "w-2"):
        await venue.send(SubmitOrder(order(name, "1", "90")))
    host.answers["GET openOrders"] = [stored("w-1", BTC), stored("w-2", BTC)]
    await venue.news()
    host.seen.clear()
    host.answers["GET openOrders"] = [stored("w-1", BTC)]
    host.answers["GET order"] = stored("w-2", BTC, status="CANCELED")
    (status,) = await venue.news()
    assert isinstance(status, OrderStatusReport)
    assert (status.order_id, status.status) == ("w-2", OrderStatus.CANCELED)
    assert await venue.news() == []
    asked = [each.removesuffix(f" {BTC}") for each in host.seen]
    assert asked == ["GET openOrders", "GET order", "GET openOrders"]
    await venue.close()


async def test_what_is_answered_while_the_list_comes_is_newer_than_the_list(
    host: Host,
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("openOrders"):
            await venue.send(SubmitOrder(order("w-2", "1", "90")))
            await venue.send(CancelOrder("w-1", BTC))
            return web.json_response([stored("w-1", BTC)])
        return await host.answer(request)

    async with hosted(answer) as slow:
        settings = BinanceVenueSettings(base_url=slow.url, key="k", secret="s")
        venue = BinanceVenue(settings, {BTC: BTC}, host.clock)
        await venue.send(SubmitOrder(order("w-1", "1", "90")))
        assert await venue.news() == []
        await venue.close()


async def test_a_list_is_asked_for_again_when_it_has_grown_old_meanwhile(
    host: Host,
) -> None:
    def trades(query: Mapping[str, str]) -> list[object]:
        # Slow: the other order ends before it is looked at.
        host.pass_s(1)
        host.answers["GET openOrders"] = [partly]
        return []

    venue = venue_at(host)
    for name in ("w-1", "w-2"):
        await venue.send(SubmitOrder(order(name, "1", "90")))
    partly = stored("w-1", BTC, executedQty="0.5")
    host.answers["GET openOrders"] = [partly, stored("w-2", BTC)]
    host.answers["GET myTrades"] = trades
    host.answers["GET order"] = stored("w-2", BTC, status="CANCELED")
    told = await venue.news()
    assert [
        (each.order_id, each.status)
        for each in told
        if isinstance(each, OrderStatusReport)
    ] == [("w-1", OrderStatus.ACCEPTED), ("w-2", OrderStatus.CANCELED)]
    await venue.close()


@pytest.mark.parametrize(
    ("symbols", "lists", "every_s"), [(6, 6, 1), (13, 13, 1), (14, 1, 2), (60, 1, 2)]
)
async def test_many_symbols_are_listed_at_once_and_less_often(
    host: Host, symbols: int, lists: int, every_s: int
) -> None:
    names = [f"S{number}" for number in range(symbols)]
    venue = venue_at(host, *names)
    for name in names:
        each = msgspec.structs.replace(order(name, "1", "90"), instrument=name)
        await venue.send(SubmitOrder(each))
    whole = [stored(name, name) for name in names]
    host.answers["GET openOrders"] = lambda query: [
        each for each in whole if query.get("symbol") in (None, each["symbol"])
    ]
    await venue.news()
    host.seen.clear()
    for _ in range(4):
        host.pass_s(1)
        assert await venue.news() == []
    assert len(host.seen) == lists * (4 // every_s)
    await venue.close()


async def test_polling_rests_at_four_fifths_of_the_weight_and_a_cancel_still_goes(
    host: Host,
) -> None:
    venue = venue_at(host)
    await venue.send(SubmitOrder(order("w-1", "1", "90")))
    host.answers["GET openOrders"] = [stored("w-1", BTC)]
    host.headers["X-MBX-USED-WEIGHT-1M"] = "4799"
    await venue.news()
    assert await venue.news() == []
    host.headers["X-MBX-USED-WEIGHT-1M"] = "4800"
    assert await venue.news() == []
    host.seen.clear()
    with pytest.raises(VenueSilent, match="4800 of weight are used, what is beyond"):
        await venue.news()
    assert host.seen == []
    (canceled,) = await venue.send(CancelOrder("w-1", BTC))
    assert isinstance(canceled, OrderCanceled)
    await venue.send(SubmitOrder(order("w-2", "1", "90")))
    # The venue counts anew with each minute.
    host.pass_s(60)
    host.headers["X-MBX-USED-WEIGHT-1M"] = "6"
    host.answers["GET openOrders"] = [stored("w-2", BTC)]
    assert len(await venue.news()) == 1
    await venue.close()


async def test_a_ban_keeps_everything_back_for_as_long_as_it_says(host: Host) -> None:
    venue = venue_at(host)
    await venue.send(SubmitOrder(order("w-1", "1", "90")))
    host.answers["GET openOrders"] = lambda _: web.json_response(
        {"code": -1003, "msg": "Too much"}, status=429, headers={"Retry-After": "20"}
    )
    with pytest.raises(VenueSilent, match="Too much"):
        await venue.news()
    host.seen.clear()
    with pytest.raises(VenueSilent, match="hears us again in 20 s"):
        await venue.send(CancelOrder("w-1", BTC))
    (rejected,) = await venue.send(SubmitOrder(order("w-2", "1", "90")))
    assert isinstance(rejected, OrderRejected)
    assert host.seen == []
    host.pass_s(20)
    (canceled,) = await venue.send(CancelOrder("w-1", BTC))
    assert isinstance(canceled, OrderCanceled)
    await venue.close()


@pytest.mark.parametrize(("status", "what"), [(401, "key"), (403, "address")])
async def test_a_refused_key_or_address_is_not_knocked_on(
    host: Host, status: int, what: str
) -> None:
    venue = venue_at(host)
    await venue.send(SubmitOrder(order("w-1", "1", "90")))
    host.answers["GET openOrders"] = [stored("w-1", BTC)]
    await venue.news()
    host.answers["POST order"] = lambda _: web.Response(status=status, text="<html>")
    (rejected,) = await venue.send(SubmitOrder(order("w-2", "1", "90")))
    assert isinstance(rejected, OrderRejected)
    host.seen.clear()
    said = f"HTTP {status}: the {what} is refused; not polled for 300 s"
    for _ in range(30):
        host.pass_s(1)
        with pytest.raises(VenueSilent, match=said):
            await venue.news()
    assert host.seen == []
    # What the operator asks for is asked for; if it is answered, the door is open.
    host.answers["POST order"] = placed
    await venue.send(SubmitOrder(order("w-3", "1", "90")))
    host.answers["GET openOrders"] = [stored("w-1", BTC), stored("w-3", BTC)]
    assert len(await venue.news()) == 1
    host.answers["POST order"] = lambda _: web.Response(status=status, text="<html>")
    await venue.send(SubmitOrder(order("w-4", "1", "90")))
    host.pass_s(300)
    assert await venue.news() == []
    await venue.close()
