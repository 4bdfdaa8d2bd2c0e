"""A Binance account as a venue, against an independent one on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal

import msgspec
import pytest

from tests.crash.loopback import SECRET, Loopback
from workstation.kernel.clock import RealClock
from workstation.model.errors import VenueSilent
from workstation.model.instruments import Side
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.reports import (
    AccountReport,
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    OrderStatusReport,
    ReplaceRejected,
)
from workstation.model.requests import (
    CancelOrder,
    QueryAccount,
    QueryOrder,
    ReplaceOrder,
    SubmitOrder,
)
from workstation.model.timeframes import NS_PER_MS, NS_PER_S
from workstation.venues.binance.messages import order_params
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.venue import BinanceVenue

BTC = "BTCUSDT"
DAY_MS = 86_400_000
ONE, TWO, NINETY, HUNDRED = map(Decimal, (1, 2, 90, 100))


def order(
    order_id: str, quantity: str = "1", price: str | None = None, **more: object
) -> Order:
    """Return a buy order, at market unless it has a price."""
    return Order(
        id=order_id,
        instrument=BTC,
        owner="s",
        role=OrderRole.ENTRY,
        side=Side.BUY,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        quantity=Decimal(quantity),
        price=None if price is None else Decimal(price),
        **more,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def process() -> Iterator[Loopback]:
    with Loopback() as running:
        running.price(BTC, "100")
        yield running


@pytest.fixture
async def venue(process: Loopback) -> AsyncIterator[BinanceVenue]:
    settings = BinanceVenueSettings(
        base_url=process.url,
        key="k",
        secret=SECRET,
        # Nobody waits between two looks.
        weight_per_minute=10**9,
    )
    found = BinanceVenue(settings, {BTC: BTC})
    yield found
    await found.close()


async def test_a_market_order_is_accepted_and_filled(venue: BinanceVenue) -> None:
    accepted, fill = await venue.send(SubmitOrder(order("m-1", "2")))
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(fill, OrderFilledReport)
    assert (fill.quantity, fill.price, fill.fee) == (TWO, HUNDRED, Decimal("0.2"))
    assert await venue.news() == []


async def test_a_resting_order_is_told_of_its_fills_once_and_canceled(
    venue: BinanceVenue, process: Loopback
) -> None:
    (accepted,) = await venue.send(SubmitOrder(order("r-1", "3", "90")))
    assert isinstance(accepted, OrderAccepted)
    process.fill("r-1", "1")
    fill, status = await venue.news()
    assert isinstance(fill, OrderFilledReport)
    assert (fill.quantity, fill.price, fill.maker) == (ONE, NINETY, True)
    assert isinstance(status, OrderStatusReport)
    assert status.status is OrderStatus.PARTIALLY_FILLED
    assert status.venue_id == accepted.venue_id
    assert await venue.news() == [], "nothing has changed"
    process.fill("r-1", "1")
    *fills, canceled = await venue.send(CancelOrder("r-1", BTC))
    assert isinstance(canceled, OrderCanceled)
    assert canceled.filled == TWO
    # The one that was told before is dropped by its trade id.
    assert len(fills) == 2
    assert await venue.news() == []


async def test_what_was_told_is_not_lost_when_the_next_order_is_not_answered(
    venue: BinanceVenue, process: Loopback
) -> None:
    for order_id in ("s-1", "s-2"):
        await venue.send(SubmitOrder(order(order_id, "3", "90")))
        process.fill(order_id, "1")
    # The first order's fills are answered, the second one's are not.
    process.fault("GET myTrades", "heard")
    process.fault("GET myTrades", "broken")
    fill, status = await venue.news()
    assert isinstance(fill, OrderFilledReport)
    assert isinstance(status, OrderStatusReport)
    assert fill.order_id == status.order_id == "s-1"
    # The one that was not answered keeps nobody else waiting.
    process.fill("s-1", "1")
    process.fault("GET myTrades", "heard")
    process.fault("GET myTrades", "broken")
    *_, status = await venue.news()
    assert isinstance(status, OrderStatusReport)
    assert (status.order_id, status.filled) == ("s-1", TWO)
    process.fault("GET openOrders", "broken")
    with pytest.raises(VenueSilent):
        await venue.news()
    fill, status = await venue.news()
    assert isinstance(fill, OrderFilledReport)
    assert fill.order_id == "s-2"
    for order_id in ("s-1", "s-2"):
        await venue.send(CancelOrder(order_id, BTC))


async def test_a_question_is_answered_with_all_fills_told_before_or_not(
    venue: BinanceVenue, process: Loopback
) -> None:
    await venue.send(SubmitOrder(order("f-1", "3", "90")))
    process.fill("f-1", "1")
    assert len(await venue.news()) == 2
    for _ in range(2):
        fill, status = await venue.send(QueryOrder("f-1", BTC))
        assert isinstance(fill, OrderFilledReport)
        assert isinstance(status, OrderStatusReport)
    await venue.send(CancelOrder("f-1", BTC))


async def test_an_order_of_many_fills_is_told_of_all_of_them(
    venue: BinanceVenue, process: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.venues.binance.listing._PAGE", 2)
    await venue.send(SubmitOrder(order("y-1", "6", "90")))
    for _ in range(5):
        process.fill("y-1", "1")
    *fills, _ = await venue.send(QueryOrder("y-1", BTC))
    assert len(fills) == 5
    await venue.send(CancelOrder("y-1", BTC))


async def test_an_order_of_more_fills_than_are_listed_is_told_of_the_first_ones(
    venue: BinanceVenue, process: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a number to begin from the venue lists the newest ones.
    monkeypatch.setattr("workstation.venues.binance.listing._PAGE", 3)
    await venue.send(SubmitOrder(order("y-2", "6", "90")))
    for _ in range(4):
        process.fill("y-2", "1")
    *fills, status = await venue.news()
    assert isinstance(status, OrderStatusReport)
    assert (len(fills), status.filled) == (4, Decimal(4))
    await venue.send(CancelOrder("y-2", BTC))


async def test_the_account_is_answered_with_balances_and_open_orders(
    venue: BinanceVenue, process: Loopback
) -> None:
    process.deposit("BTC", "0.25")
    await venue.send(SubmitOrder(order("a-1", "3", "90")))
    process.fill("a-1", "1")
    process.by_hand(BTC, "SELL", "0.5", "200")
    (told,) = await venue.send(QueryAccount(7, 5))
    assert isinstance(told, AccountReport)
    assert told.number == 7
    state = process.state()["balances"]
    assert {each.currency: str(each.total) for each in told.balances} == state
    ours, by_hand = told.orders
    assert (ours.order_id, ours.side, ours.price) == ("a-1", Side.BUY, NINETY)
    assert (ours.quantity, ours.filled) == (Decimal(3), ONE)
    assert ours.status is OrderStatus.PARTIALLY_FILLED
    assert (by_hand.side, by_hand.quantity) == (Side.SELL, Decimal("0.5"))
    assert by_hand.order_id.startswith("web")


async def test_orders_that_are_over_are_listed_where_they_are_asked_for(
    venue: BinanceVenue, process: Loopback
) -> None:
    process.by_hand(BTC, "BUY", "1")
    (now,) = await venue.send(QueryAccount(1, 5))
    (all_,) = await venue.send(QueryAccount(2, 5, since_ns=0))
    assert isinstance(now, AccountReport)
    assert isinstance(all_, AccountReport)
    assert all(each.status is not OrderStatus.FILLED for each in now.orders)
    last = all_.orders[-1]
    assert (last.status, last.filled) == (OrderStatus.FILLED, ONE)
    assert (last.order_type, last.price) == (OrderType.MARKET, None)


async def test_many_orders_are_listed_page_by_page(
    venue: BinanceVenue, process: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workstation.venues.binance.listing._PAGE", 2)
    for _ in range(5):
        process.by_hand(BTC, "BUY", "1", "1")
    made = process.state()["orders"]
    (told,) = await venue.send(QueryAccount(1, 5, made[0]["time"] * NS_PER_MS))
    assert isinstance(told, AccountReport)
    assert len(told.orders) == len(made)


@pytest.mark.parametrize("page", [2, 1_000])
async def test_orders_are_found_however_long_nobody_looked(
    venue: BinanceVenue,
    process: Loopback,
    monkeypatch: pytest.MonkeyPatch,
    page: int,
) -> None:
    monkeypatch.setattr("workstation.venues.binance.listing._PAGE", page)
    process.by_hand(BTC, "BUY", "1")
    since_ms = process.state()["orders"][-1]["time"]
    process.by_hand(BTC, "BUY", "1")
    process.age(3 * DAY_MS)
    for _ in range(3):
        process.by_hand(BTC, "BUY", "1")
    # Five days: the venue lists no more than one of them by time.
    since_ns = (since_ms - 5 * DAY_MS) * NS_PER_MS
    made = process.state()["orders"]
    wanted = [each for each in made if each["time"] * NS_PER_MS >= since_ns]
    (told,) = await venue.send(QueryAccount(1, 5, since_ns))
    assert isinstance(told, AccountReport)
    listed = {each.venue_id for each in told.orders}
    assert listed == {
        str(each["orderId"]) for each in made if each in wanted or each["open"]
    }


async def test_recent_is_told_by_the_clock_of_the_venue(process: Loopback) -> None:
    right = RealClock()
    ahead = RealClock(lambda: right.now() + 300 * NS_PER_S)
    settings = BinanceVenueSettings(base_url=process.url, key="k", secret=SECRET)
    venue = BinanceVenue(settings, {BTC: BTC}, ahead)
    since_ns = ahead.now() - 60 * NS_PER_S
    process.by_hand(BTC, "BUY", "1")
    last = process.state()["orders"][-1]
    (told,) = await venue.send(QueryAccount(1, 5, since_ns))
    assert isinstance(told, AccountReport)
    assert last["clientOrderId"] in {each.order_id for each in told.orders}
    await venue.close()


async def test_an_account_that_is_not_answered_is_silence(
    venue: BinanceVenue, process: Loopback
) -> None:
    process.fault("GET account", "broken")
    with pytest.raises(VenueSilent, match="/api/v3/account"):
        await venue.send(QueryAccount(1, 5))
    settings = BinanceVenueSettings(base_url=process.url, key="k", secret="wrong")
    stranger = BinanceVenue(settings, {BTC: BTC})
    # A refusal is no answer about the account either.
    with pytest.raises(VenueSilent, match="Signature"):
        await stranger.send(QueryAccount(1, 5))
    await stranger.close()


async def test_an_order_that_ends_by_itself_comes_with_its_reason(
    venue: BinanceVenue,
) -> None:
    ioc = order("i-1", "1", "90", time_in_force=TimeInForce.IOC)
    _, expired = await venue.send(SubmitOrder(ioc))
    assert isinstance(expired, OrderExpired)
    assert expired.filled == 0


async def test_what_the_venue_refuses_is_a_rejection(venue: BinanceVenue) -> None:
    maker = order("p-1", "1", "110", post_only=True)
    (rejected,) = await venue.send(SubmitOrder(maker))
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason == (
        "Order would immediately match and take. (code -2010, HTTP 400)"
    )
    gtd = order("g-1", "1", "90", time_in_force=TimeInForce.GTD, expires_ns=5)
    (rejected,) = await venue.send(SubmitOrder(gtd))
    assert isinstance(rejected, OrderRejected)
    assert "GTD" in rejected.reason
    replace = ReplaceOrder("m-1", Decimal(1), None, BTC)
    (refused,) = await venue.send(replace)
    assert isinstance(refused, ReplaceRejected)


@pytest.mark.parametrize("word", ["lost", "unanswered", "broken"])
async def test_without_an_answer_only_a_query_tells_what_became_of_an_order(
    venue: BinanceVenue, process: Loopback, word: str
) -> None:
    process.fault("POST order", word)
    with pytest.raises(VenueSilent, match="POST /api/v3/order"):
        await venue.send(SubmitOrder(order(f"q-{word}")))
    reports = await venue.send(QueryOrder(f"q-{word}", BTC))
    status = reports[-1]
    assert isinstance(status, OrderStatusReport)
    if word == "lost":
        assert status.status is None
    else:
        assert status.status is OrderStatus.FILLED
        assert isinstance(reports[0], OrderFilledReport)


async def test_an_id_that_lives_there_already_is_not_taken_for_a_rejection(
    venue: BinanceVenue, process: Loopback
) -> None:
    process.fault("POST order", "unanswered")
    with pytest.raises(VenueSilent):
        await venue.send(SubmitOrder(order("d-1", "1", "90")))
    with pytest.raises(VenueSilent, match="Duplicate order sent"):
        await venue.send(SubmitOrder(order("d-1", "1", "90")))
    await venue.send(CancelOrder("d-1", BTC))


async def test_a_refused_cancel_comes_with_what_the_order_is(
    venue: BinanceVenue,
) -> None:
    await venue.send(SubmitOrder(order("c-1")))
    refused, *rest = await venue.send(CancelOrder("c-1", BTC))
    assert isinstance(refused, CancelRejected)
    status = rest[-1]
    assert isinstance(status, OrderStatusReport)
    assert status.status is OrderStatus.FILLED


async def test_where_nobody_listens_an_order_was_certainly_not_sent() -> None:
    settings = BinanceVenueSettings(base_url="http://127.0.0.1:9", secret=SECRET)
    venue = BinanceVenue(settings, {BTC: BTC})
    (rejected,) = await venue.send(SubmitOrder(order("n-1")))
    assert isinstance(rejected, OrderRejected)
    assert "no connection" in rejected.reason
    with pytest.raises(VenueSilent):
        await venue.send(QueryOrder("n-1", BTC))
    await venue.close()


# Stops, which the venue keeps.


def stop(order_id: str, trigger: str, price: str | None = None) -> Order:
    return msgspec.structs.replace(
        order(order_id, "1", price),
        type=OrderType.STOP if price is None else OrderType.STOP_LIMIT,
        trigger=Decimal(trigger),
    )


@pytest.mark.parametrize(
    ("asked", "params"),
    [
        (stop("s", "105"), [("type", "STOP_LOSS"), ("stopPrice", "105")]),
        (
            stop("s", "105", "106.50"),
            [
                ("type", "STOP_LOSS_LIMIT"),
                ("timeInForce", "GTC"),
                ("price", "106.50"),
                ("stopPrice", "105"),
            ],
        ),
    ],
)
def test_a_stop_is_asked_for_with_just_the_parameters_that_its_type_takes(
    asked: Order, params: list[tuple[str, str]]
) -> None:
    # One more, or one less, is refused: codes -1106 and -1102.
    assert order_params(asked, BTC) == [
        ("symbol", BTC),
        ("side", "BUY"),
        *params,
        ("quantity", "1"),
        ("newClientOrderId", "s"),
        ("newOrderRespType", "FULL"),
    ]


def test_a_target_is_held_by_us_and_never_asked_for() -> None:
    asked = msgspec.structs.replace(stop("s", "105"), type=OrderType.TARGET)
    with pytest.raises(ValueError, match="no target orders from us"):
        order_params(asked, BTC)


async def test_a_stop_waits_there_and_a_query_tells_that_it_was_triggered(
    venue: BinanceVenue, process: Loopback
) -> None:
    assert venue.abilities.stops
    (accepted,) = await venue.send(SubmitOrder(stop("st-1", "105", "104")))
    assert isinstance(accepted, OrderAccepted)
    (status,) = await venue.news()
    assert isinstance(status, OrderStatusReport)
    assert (status.status, status.triggered) == (OrderStatus.ACCEPTED, False)
    process.price(BTC, "105")
    (status,) = await venue.news()
    assert isinstance(status, OrderStatusReport)
    assert (status.status, status.triggered) == (OrderStatus.ACCEPTED, True)
    process.price(BTC, "104")
    fill, status = await venue.news()
    assert isinstance(fill, OrderFilledReport)
    assert fill.price == Decimal(104)
    process.price(BTC, "100")


async def test_a_stop_that_is_met_already_is_refused_there(
    venue: BinanceVenue,
) -> None:
    (rejected,) = await venue.send(SubmitOrder(stop("st-2", "99")))
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason.startswith("Order would trigger immediately.")


async def test_the_account_lists_a_stop_as_what_it_is_by_now(
    venue: BinanceVenue, process: Loopback
) -> None:
    await venue.send(SubmitOrder(stop("st-3", "105", "104")))
    await venue.send(SubmitOrder(stop("st-4", "108")))
    process.price(BTC, "106")
    (account,) = await venue.send(QueryAccount(1, 5))
    assert isinstance(account, AccountReport)
    listed = {
        each.order_id: (each.order_type, each.price, each.trigger)
        for each in account.orders
    }
    assert listed["st-3"] == (OrderType.LIMIT, Decimal(104), Decimal(105))
    assert listed["st-4"] == (OrderType.STOP, None, Decimal(108))
    for order_id in ("st-3", "st-4"):
        await venue.send(CancelOrder(order_id, BTC))
    process.price(BTC, "100")
