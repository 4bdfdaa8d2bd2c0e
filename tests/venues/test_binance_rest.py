"""Calls of a Binance account: what an answer means, and what is told to nobody."""

from __future__ import annotations

import asyncio
import hmac
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from tests.venues.binance_host import Host, hosted, placed
from tests.venues.test_binance_venue import order
from workstation.model.errors import VenueSilent
from workstation.model.reports import CancelRejected, OrderCanceled, OrderRejected
from workstation.model.requests import CancelOrder, QueryOrder, SubmitOrder
from workstation.model.timeframes import NS_PER_MS
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.venue import BinanceVenue

BTC = "BTCUSDT"
LATIN = '{"code":0,"msg":"spät","clientOrderId":"spät"}'.encode("latin-1")


def venue_at(url: str) -> BinanceVenue:
    settings = BinanceVenueSettings(base_url=url, key="THE-KEY", secret="THE-SECRET")
    return BinanceVenue(settings, {BTC: BTC})


def answered(body: bytes, status: int) -> Any:  # Any: a host's answer
    return lambda _: web.Response(
        status=status, body=body, content_type="application/json"
    )


@pytest.mark.parametrize("status", [200, 504])
async def test_bytes_that_are_no_text_leave_the_fate_of_a_request_unknown(
    status: int,
) -> None:
    async with hosted() as host:
        venue = BinanceVenue(
            BinanceVenueSettings(base_url=host.url, secret="s"), {BTC: BTC}, host.clock
        )
        host.answers["POST order"] = answered(LATIN, status)
        host.answers["GET order"] = answered(LATIN, status)
        with pytest.raises(VenueSilent, match="POST /api/v3/order: "):
            await venue.send(SubmitOrder(order("u-1", "1", "90")))
        with pytest.raises(VenueSilent, match="GET /api/v3/order: "):
            await venue.send(QueryOrder("u-1", BTC))
        # What was refused for certain is refused in whatever words.
        host.answers["POST order"] = answered(LATIN, 400)
        (rejected,) = await venue.send(SubmitOrder(order("u-2", "1", "90")))
        assert isinstance(rejected, OrderRejected)
        await venue.close()


async def test_what_the_venue_has_not_said_is_no_answer() -> None:
    async with hosted() as host:
        venue = await _with_one_order(host)
        # The time was asked for, too.
        assert venue.answers == 2
        host.answers["GET openOrders"] = []
        host.answers["GET order"] = answered(LATIN, 504)
        with pytest.raises(VenueSilent):
            await venue.send(QueryOrder("r-1", BTC))
        assert venue.answers == 2
        host.answers["POST order"] = answered(b"{}", 400)
        await venue.send(SubmitOrder(order("r-2", "1", "90")))
        assert venue.answers == 3
        venue._open.clear()
        assert await venue.news() == []
        assert venue.answers == 3
        await venue.close()
    dead = venue_at("http://127.0.0.1:9")
    (rejected,) = await dead.send(SubmitOrder(order("r-3", "1", "90")))
    assert isinstance(rejected, OrderRejected)
    assert dead.answers == 0
    await dead.close()


async def test_neither_key_nor_signature_goes_to_where_a_redirect_points() -> None:
    elsewhere: list[str] = []

    async def other(request: web.Request) -> web.StreamResponse:
        elsewhere.append(request.method)
        return web.json_response({})

    async with hosted(other) as there, hosted() as host:
        venue = BinanceVenue(
            BinanceVenueSettings(base_url=host.url, secret="s"), {BTC: BTC}, host.clock
        )
        moved = {"Location": there.url.replace("127.0.0.1", "localhost")}
        for status in (301, 307):
            redirect = web.Response(status=status, headers=moved)
            host.answers["POST order"] = redirect
            with pytest.raises(VenueSilent, match=f"HTTP {status}"):
                await venue.send(SubmitOrder(order(f"z-{status}", "1", "90")))
        await venue.close()
    assert elsewhere == []


@pytest.mark.parametrize("order_id", ["u-1", "web:a/1", "ä&=+ %"])
async def test_a_query_arrives_as_it_was_signed(order_id: str) -> None:
    signed: list[bool] = []

    async def check(request: web.Request) -> web.StreamResponse:
        query, _, signature = request.raw_path.partition("?")[2].rpartition(
            "&signature="
        )
        if query:
            expected = hmac.new(b"s", query.encode(), "sha256").hexdigest()
            signed.append(signature == expected)
            assert request.query["origClientOrderId"] == order_id
        return web.json_response({"serverTime": host.ns // NS_PER_MS})

    async with hosted(check) as host:
        venue = BinanceVenue(
            BinanceVenueSettings(base_url=host.url, secret="s"), {BTC: BTC}, host.clock
        )
        with pytest.raises(VenueSilent):
            await venue.send(QueryOrder(order_id, BTC))
        await venue.close()
    assert signed == [True]


async def test_no_error_text_has_an_address_in_it() -> None:
    async def nonsense(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/9.x nonsense\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(nonsense, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    venue = venue_at(f"http://127.0.0.1:{port}")
    # As if the clock had been measured: the first call is signed.
    venue._rest._ahead_ns = 0
    with pytest.raises(VenueSilent) as silence:
        await venue.send(QueryOrder("z-1", BTC))
    await venue.close()
    for text in (str(silence.value), repr(silence.value.__cause__)):
        assert "signature" not in text
        assert "127.0.0.1" not in text
    server.close()
    await server.wait_closed()


async def test_however_many_cancels_are_sent_at_once_none_waits_for_another() -> None:
    count, come = 120, asyncio.Event()
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            seen.append(request.query["origClientOrderId"])
            if len(seen) == count:
                come.set()
            await come.wait()
            return web.json_response(
                {
                    "orderId": 1,
                    "origClientOrderId": seen[-1],
                    "transactTime": 1,
                    "executedQty": "0",
                }
            )
        return web.json_response({"serverTime": host.ns // NS_PER_MS})

    async with hosted(answer) as host:
        venue = venue_at(host.url)
        names = [f"c-{number}" for number in range(count)]
        answers = [venue.send(CancelOrder(name, BTC)) for name in names]
        told = [report for (report,) in await asyncio.gather(*answers)]
        assert told == [
            OrderCanceled(name, "", NS_PER_MS, Decimal(0)) for name in names
        ]
        await venue.close()


def test_neither_key_nor_secret_is_shown() -> None:
    settings = BinanceVenueSettings(key="THE-KEY", secret="THE-SECRET")
    for shown in (repr(settings), str(settings), str(settings.__rich_repr__())):
        assert "THE-" not in shown
        assert "https://api.binance.com" in shown


async def test_an_instrument_that_the_account_has_not_is_refused_here() -> None:
    async with hosted() as host:
        venue = await _with_one_order(host)
        host.seen.clear()
        (canceled,) = await venue.send(CancelOrder("k-1", "BTCUSDT.kraken"))
        assert canceled == CancelRejected(
            "k-1", "this account has no BTCUSDT.kraken; it has BTCUSDT"
        )
        venue._symbols = {"ETHUSDT": "ETHUSDT"}
        (rejected,) = await venue.send(SubmitOrder(order("k-1", "1", "90")))
        assert rejected == OrderRejected(
            "k-1", "this account has no BTCUSDT; it has ETHUSDT"
        )
        assert host.seen == []
        await venue.close()


async def _with_one_order(host: Host) -> BinanceVenue:
    venue = BinanceVenue(
        BinanceVenueSettings(base_url=host.url, secret="s"), {BTC: BTC}, host.clock
    )
    host.answers["POST order"] = placed
    await venue.send(SubmitOrder(order("r-1", "1", "90")))
    return venue
