"""What polling a Binance account costs, and when it rests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import pytest
from aiohttp import web

from tests.venues.binance_host import Host, hosted, placed, stored
from tests.venues.test_binance_venue import order
from workstation.engine.distant import DistantBroker
from workstation.kernel.clock import RealClock
from workstation.model.errors import VenueSilent
from workstation.model.orders import OrderStatus
from workstation.model.reports import (
    AccountReport,
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderRejected,
    OrderStatusReport,
    Report,
)
from workstation.model.requests import (
    CancelOrder,
    QueryAccount,
    QueryOrder,
    SubmitOrder,
)
from workstation.model.timeframes import NS_PER_S
from workstation.venues.binance.allowance import WEIGHT, Allowance, weight_of_call
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
        settings, {each: each for each in symbols or (BTC,)}, host.clock, host.steady
    )


async def next_look(venue: BinanceVenue, host: Host) -> Sequence[Report]:
    """Return the news of a second later."""
    host.pass_s(1)
    return await venue.news()


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
        assert await next_look(venue, host) == []
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
    (status,) = await next_look(venue, host)
    assert isinstance(status, OrderStatusReport)
    assert (status.order_id, status.status) == ("w-2", OrderStatus.CANCELED)
    assert await next_look(venue, host) == []
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
        venue = BinanceVenue(settings, {BTC: BTC}, host.clock, host.steady)
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
    # In two parts: it took a second.
    told = [*await venue.news(), *await venue.news()]
    assert [
        (each.order_id, each.status)
        for each in told
        if isinstance(each, OrderStatusReport)
    ] == [("w-1", OrderStatus.ACCEPTED), ("w-2", OrderStatus.CANCELED)]
    await venue.close()


async def test_what_is_found_early_is_told_before_the_look_is_over(host: Host) -> None:
    def ended(query: Mapping[str, str]) -> object:
        # Slow: an order and its trades, one order after the other.
        host.pass_s(1)
        return stored(query["origClientOrderId"], BTC, status="CANCELED")

    venue = venue_at(host)
    names = ["w-1", "w-2", "w-3"]
    for name in names:
        await venue.send(SubmitOrder(order(name, "1", "90")))
    host.answers |= {"GET openOrders": [], "GET order": ended}
    told = [await venue.news() for _ in range(4)]
    assert [
        [each.order_id for each in part if isinstance(each, OrderStatusReport)]
        for part in told
    ] == [["w-1"], ["w-2"], ["w-3"], []]
    await venue.close()


async def test_an_order_that_the_venue_has_archived_has_ended_without_a_fill(
    host: Host,
) -> None:
    def refusal(code: int, said: str) -> web.Response:
        return web.json_response({"code": code, "msg": said}, status=400)

    archived = (
        "Order was canceled or expired with no executed qty over 90 days ago and has "
        "been archived."
    )
    host.answers["GET order"] = lambda _: refusal(-2026, archived)
    host.answers["DELETE order"] = lambda _: refusal(-2011, "Unknown order sent.")
    venue = venue_at(host)
    await venue.send(SubmitOrder(order("w-1", "1", "90")))
    ended = OrderStatusReport("w-1", OrderStatus.CANCELED, asked_ns=7)
    assert list(await venue.send(QueryOrder("w-1", BTC, 7))) == [ended]
    host.seen.clear()
    assert await venue.news() == []
    assert host.seen == [], "it is no longer looked for"
    refused, status = await venue.send(CancelOrder("w-1", BTC))
    assert isinstance(refused, CancelRejected)
    assert status == OrderStatusReport("w-1", OrderStatus.CANCELED)
    await venue.close()


@pytest.mark.parametrize(
    ("symbols", "lists", "every_s"), [(6, 6, 1), (7, 7, 2), (13, 13, 2), (14, 1, 2)]
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
        assert await next_look(venue, host) == []
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
    assert await next_look(venue, host) == []
    host.headers["X-MBX-USED-WEIGHT-1M"] = "4800"
    assert await next_look(venue, host) == []
    host.seen.clear()
    with pytest.raises(VenueSilent, match="4800 of weight are used, what is beyond"):
        await next_look(venue, host)
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


def test_of_two_waits_the_longer_one_counts() -> None:
    allowance = Allowance(6_000)
    allowance.heard(418, {"Retry-After": "120"}, 100 * NS_PER_S, 1)
    # It left before, and was longer on its way.
    allowance.heard(429, {"Retry-After": "5"}, 101 * NS_PER_S, 1)
    assert "in 120 s" in allowance.bar(219 * NS_PER_S)
    assert allowance.bar(220 * NS_PER_S) == ""
    allowance.heard(429, {"Retry-After": "5"}, 230 * NS_PER_S, 1)
    allowance.heard(418, {"Retry-After": "10"}, 231 * NS_PER_S, 1)
    assert "in 10 s" in allowance.bar(240 * NS_PER_S)


def test_what_is_on_its_way_counts_for_polls_and_questions() -> None:
    allowance = Allowance(1_000)
    allowance.heard(200, {WEIGHT: "700"}, 0, 7)
    assert allowance.rest(0, 7) == ""
    assert not allowance.holds(9, 7)
    allowance.leaves(100)
    assert "800 of weight are used" in allowance.rest(0, 7)
    assert not allowance.holds(9, 7)
    allowance.leaves(100)
    assert allowance.holds(9, 7)
    allowance.returns(100, 7, told=True)
    assert not allowance.holds(9, 7)
    # Nobody said whether it was counted.
    allowance.returns(100, 7, told=False)
    assert not allowance.holds(100, 7)
    assert allowance.holds(101, 7)
    # What no minute has room for goes when half of one is free.
    assert allowance.holds(5_000, 7)
    assert not allowance.holds(5_000, 8)


@pytest.mark.parametrize(
    ("where", "of_symbol", "weight"),
    [
        ("GET /api/v3/order", True, 4),
        ("POST /api/v3/order", True, 1),
        ("DELETE /api/v3/order", True, 1),
        ("GET /api/v3/openOrders", True, 6),
        ("GET /api/v3/openOrders", False, 80),
        ("GET /api/v3/myTrades", True, 5),
        ("GET /api/v3/account", False, 20),
    ],
)
def test_a_call_weighs_what_the_venue_says(
    where: str, of_symbol: bool, weight: int
) -> None:
    assert weight_of_call(where, of_symbol=of_symbol) == weight


class Weighing(Host):
    """Counts the weight of each minute and refuses what is beyond ``most``."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.used: dict[int, int] = {}
        self.refused = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        minute = self.ns // (60 * NS_PER_S)
        where, name = f"{request.method} {request.path}", request.query.get("symbol")
        weight = weight_of_call(where, of_symbol=name is not None)
        self.used[minute] = used = self.used.get(minute, 0) + weight
        self.headers[WEIGHT] = str(used)
        if used > self.most:
            self.refused += 1
            return web.json_response(
                {"code": -1003, "msg": "Too much request weight used"}, status=429
            )
        return await super().answer(request)


async def test_many_questions_are_spread_over_minutes_and_bar_no_exit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workstation.engine.distant._LOOK_S", 0.01)
    weighing = Weighing(600)
    weighing.answers = {"POST order": placed, "DELETE order": CANCELED}
    weighing.answers["GET order"] = lambda query: stored(
        query["origClientOrderId"], BTC, status="FILLED", executedQty="1"
    )
    weighing.answers["GET myTrades"] = []
    async with hosted(weighing.answer) as host:
        settings = BinanceVenueSettings(
            base_url=host.url, key="k", secret="s", weight_per_minute=600
        )
        venue = BinanceVenue(settings, {BTC: BTC}, weighing.clock, weighing.steady)
        broker = DistantBroker(venue, poll_s=60)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(broker.run())
            for number in range(100):
                broker.request(QueryOrder(f"bot-{number}", BTC, 1))
            while broker.waiting and (  # noqa: ASYNC110
                broker._queues or broker._look_again is None
            ):
                await asyncio.sleep(0)
            # The share of this minute is used; what reduces risk goes all the same.
            assert weighing.used[30_000_000] <= 540
            held = broker.waiting
            assert 40 <= held <= 50
            broker.request(CancelOrder("bot-99", BTC))
            broker.request(SubmitOrder(order("exit-1", "1", "90")))
            while broker.waiting > held:  # noqa: ASYNC110
                await asyncio.sleep(0)
            last = [type(each) for each in list(broker.arrived)[-2:]]
            assert set(last) == {OrderCanceled, OrderAccepted}
            weighing.pass_s(60)
            while broker.waiting:  # noqa: ASYNC110
                await asyncio.sleep(0)
            broker.stop()
    assert weighing.refused == 0
    assert broker.silence == ""
    told = [each for each in broker.arrived if isinstance(each, OrderStatusReport)]
    assert sorted(int(each.order_id[4:]) for each in told) == list(range(100))


async def test_a_question_about_a_large_account_waits_between_its_calls(
    host: Host,
) -> None:
    waits: list[int] = []

    class Passing(RealClock):
        async def sleep_until(self, ns: int) -> None:
            waits.append(ns)
            host.ns = ns
            host.headers[WEIGHT] = "0"

    names = [f"S{number}" for number in range(12)]
    settings = BinanceVenueSettings(base_url=host.url, key="k", secret="s")
    steady = Passing(lambda: host.ns)
    venue = BinanceVenue(settings, {each: each for each in names}, host.clock, steady)
    host.headers[WEIGHT] = "5370"
    host.answers |= {"GET openOrders": [], "GET account": {"balances": []}}
    (told,) = await venue.send(QueryAccount(1, 5))
    assert isinstance(told, AccountReport)
    # Of the account alone nobody knew yet how much is used.
    assert waits == []
    assert venue.holds_s(QueryAccount(2, 5), 0) == 0
    assert venue.holds_s(QueryOrder("a", BTC), 2) == 0
    assert venue.holds_s(QueryOrder("a", BTC), 3) == 60
    host.headers[WEIGHT] = "5395"
    (told,) = await venue.send(QueryAccount(2, 5))
    assert isinstance(told, AccountReport)
    assert waits == [1_800_000_060 * NS_PER_S]
    await venue.close()


async def test_a_clock_that_is_set_back_prolongs_no_wait(host: Host) -> None:
    venue = venue_at(host)
    await venue.send(SubmitOrder(order("w-1", "1", "90")))
    host.answers["GET openOrders"] = [stored("w-1", BTC)]
    host.headers[WEIGHT] = "4800"
    assert len(await venue.news()) == 1
    host.set_back_ns = 600 * NS_PER_S
    with pytest.raises(VenueSilent, match="4800 of weight are used"):
        await next_look(venue, host)
    host.pass_s(60)
    host.headers[WEIGHT] = "6"
    host.seen.clear()
    assert await venue.news() == []
    assert host.seen == [f"GET openOrders {BTC}"], "a minute later it is looked at"
    host.answers["GET openOrders"] = lambda _: web.json_response(
        {"code": -1003, "msg": "Too much"}, status=429, headers={"Retry-After": "20"}
    )
    with pytest.raises(VenueSilent, match="Too much"):
        await next_look(venue, host)
    host.set_back_ns = 1_200 * NS_PER_S
    host.pass_s(20)
    (accepted,) = await venue.send(SubmitOrder(order("w-2", "1", "90")))
    assert isinstance(accepted, OrderAccepted)
    await venue.close()


async def test_a_request_has_the_time_of_the_venue_whatever_becomes_of_ours(
    host: Host,
) -> None:
    def late_s(query: Mapping[str, str]) -> object:
        late.append(host.ns // NS_PER_S - int(query["timestamp"]) // 1_000)
        return CANCELED

    late: list[int] = []
    host.answers["DELETE order"] = late_s
    venue = venue_at(host)
    for _ in range(3):
        await venue.send(CancelOrder("w-1", BTC))
        host.set_back_ns += 600 * NS_PER_S
        host.pass_s(30)
    assert late == [0, 0, 0]
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
        with pytest.raises(VenueSilent, match=said):
            await next_look(venue, host)
    assert host.seen == []
    # What the operator asks for is asked for; if it is answered, the door is open.
    host.answers["POST order"] = placed
    await venue.send(SubmitOrder(order("w-3", "1", "90")))
    host.answers["GET openOrders"] = [stored("w-1", BTC), stored("w-3", BTC)]
    assert len(await next_look(venue, host)) == 1
    host.answers["POST order"] = lambda _: web.Response(status=status, text="<html>")
    await venue.send(SubmitOrder(order("w-4", "1", "90")))
    host.pass_s(300)
    assert await venue.news() == []
    await venue.close()
