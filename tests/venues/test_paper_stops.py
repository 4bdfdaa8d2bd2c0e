"""Stop orders that the paper venue keeps, and those that are held for it, on data."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.execution.fakes import NS, FakeBook, Run, bar, quote, signal
from tests.venues.paper_venue import AT_ONCE, Venue
from workstation.execution.settings import RiskSettings
from workstation.model.commands import AmendOrder, CancelOrders, PlaceOrder
from workstation.model.instruments import Side
from workstation.model.market import Trade
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.records import FillRecord, OrderRecord
from workstation.model.reports import (
    OrderAccepted,
    OrderFilledReport,
    OrderRejected,
    OrderReplaced,
    OrderStatusReport,
    OrderTriggered,
)
from workstation.model.requests import QueryOrder, ReplaceOrder, SubmitOrder
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
FREE = PaperBrokerSettings(spread_bps=0.0, taker_fee_bps=0.0, maker_fee_bps=0.0)
KEPT = replace(FREE, native_stops=True)
WIDE = RiskSettings(max_order_value=None, collar_through_bps=None, collar_away_bps=None)


def trade(seconds: float, price: float, size: float = 1.0) -> Trade:
    return Trade("BTC", int(seconds * NS), price, size, 1)


def ticket(
    trigger: str, price: str | None = None, side: Side = BUY, **rest: object
) -> PlaceOrder:
    given: dict[str, object] = {
        "instrument": "BTC",
        "side": side,
        "quantity": D(1),
        "order_type": OrderType.STOP if price is None else OrderType.STOP_LIMIT,
        "trigger": D(trigger),
        "price": None if price is None else D(price),
    }
    return PlaceOrder(**(given | rest))  # type: ignore[arg-type]


def prices(run: Run) -> list[Decimal]:
    return [r.fill.price for r in run.core.kept(FillRecord)]


def order_of(run: Run, order_id: str = "o-1") -> Order:
    return next(o for o in run.executor.orders() if o.id == order_id)


def moves(run: Run) -> list[str]:
    return [r.event.value for r in run.core.kept(OrderRecord)]


# On quotes and trades.


def test_a_kept_stop_is_woken_by_a_trade_and_takes_what_is_offered_then() -> None:
    run = Run(KEPT)
    run.feed(quote(1, 100.0, 100.2))
    run.feed(trade(1.1, 100.1))
    run.tell(ticket("105"))
    run.wait(0.5)
    assert moves(run) == ["submit", "accept"]
    # Quotes alone wake up nothing where trades are told.
    run.feed(quote(3, 105.5, 105.7))
    run.wait(0.5)
    assert moves(run) == ["submit", "accept"]
    run.feed(trade(4, 105.0))
    run.wait(0.5)
    assert moves(run) == ["submit", "accept", "trigger", "fill"]
    assert prices(run) == [D("105.7")]


def test_what_the_venue_keeps_saves_the_way_to_it() -> None:
    fills = {}
    for settings in (FREE, KEPT):
        run = Run(replace(settings, latency_ms=40))
        run.feed(quote(1, 100.0, 100.2))
        run.tell(ticket("105"))
        run.wait(0.5)
        run.feed(quote(2, 104.9, 105.0))
        # In the time that an order takes to get there the price runs away.
        run.feed(quote(2.02, 106.9, 107.0))
        run.wait(0.5)
        fills[settings.native_stops] = prices(run)
    assert fills == {False: [D("107.0")], True: [D("105.0")]}


def test_a_kept_stop_limit_rests_where_it_does_not_cross() -> None:
    run = Run(KEPT)
    run.feed(quote(1, 100.0, 100.2))
    run.feed(trade(1.1, 100.1))
    run.tell(ticket("105", "105.5"))
    run.wait(0.5)
    run.feed(quote(3, 107.0, 107.2))
    run.feed(trade(3.1, 107.2))
    run.wait(0.5)
    assert (order_of(run).type, order_of(run).status) == (
        OrderType.LIMIT,
        OrderStatus.ACCEPTED,
    )
    run.feed(quote(5, 105.3, 105.5))
    run.wait(0.5)
    assert prices(run) == [D("105.5")]


def test_a_kept_stop_takes_its_turn_in_time_from_its_trigger_on() -> None:
    run = Run(KEPT, WIDE)
    run.feed(quote(1, 100.0, 100.2))
    run.feed(trade(1.1, 100.1))
    run.tell(ticket("105", "104"))
    run.wait(0.1)
    run.feed(quote(2, 104.9, 105.0))
    run.feed(trade(2.1, 105.0))
    run.tell(
        PlaceOrder(
            instrument="BTC",
            side=BUY,
            quantity=D(1),
            order_type=OrderType.LIMIT,
            price=D(104),
        )
    )
    run.wait(0.1)
    run.feed(trade(4, 103.9, 1.0))
    run.wait(0.1)
    assert [order_of(run, i).filled for i in ("o-1", "o-2")] == [D(1), D(0)]


def test_a_kept_stop_can_be_moved_canceled_and_ends_at_its_time() -> None:
    run = Run(KEPT)
    run.feed(quote(1, 100.0, 100.2))
    run.tell(ticket("105", "106"))
    run.tell(ticket("105"))
    end = 4 * NS
    run.tell(ticket("105", time_in_force=TimeInForce.GTD, expires_ns=end))
    run.wait(0.5)
    run.tell(AmendOrder(order_id="o-1", quantity=D(2), price=D(108), trigger=D(107)))
    run.tell(CancelOrders(order_ids=("o-2",)))
    run.wait(0.5)
    moved = order_of(run)
    assert (moved.quantity, moved.trigger, moved.price) == (D(2), D(107), D(108))
    assert order_of(run, "o-2").status is OrderStatus.CANCELED
    run.feed(quote(5, 106.0, 106.2))
    assert order_of(run, "o-3").status is OrderStatus.EXPIRED
    assert prices(run) == []
    run.feed(quote(6, 106.9, 107.0))
    run.wait(0.5)
    assert prices(run) == [D("107.0")]


def test_what_a_woken_stop_leaves_waits_on_beyond_the_end_that_it_had() -> None:
    run = Run(KEPT)
    run.feed(quote(1, 100.0, 100.2, 0.4))
    run.feed(trade(1.1, 100.1))
    run.tell(ticket("105", time_in_force=TimeInForce.GTD, expires_ns=10 * NS))
    run.wait(0.5)
    run.feed(quote(9, 105.0, 105.2, 0.4))
    run.feed(trade(9.1, 105.1))
    run.feed(quote(13, 105.0, 105.3, 0.9))
    run.wait(0.5)
    assert moves(run) == ["submit", "accept", "trigger", "partial_fill", "fill"]


def test_a_kept_stop_limit_that_was_met_at_its_arrival_ends_at_its_time() -> None:
    run = Run(replace(KEPT, latency_ms=40))
    run.feed(quote(1, 100.0, 100.2))
    run.feed(trade(1.1, 100.1))
    end = 10 * NS
    run.tell(ticket("105", "105", time_in_force=TimeInForce.GTD, expires_ns=end))
    run.feed(trade(1.11, 105.0))
    run.feed(quote(1.12, 106.0, 106.2))
    run.wait(1)
    assert moves(run) == ["submit", "accept", "trigger"]
    run.feed(quote(11, 106.0, 106.2))
    assert moves(run)[-1] == "expire"


def test_a_trigger_that_was_met_on_the_way_wakes_the_stop_at_its_arrival() -> None:
    run = Run(replace(KEPT, latency_ms=40))
    run.feed(quote(1, 100.0, 100.2))
    run.tell(ticket("105"))
    run.feed(quote(1.02, 105.8, 106.0))
    run.wait(0.5)
    assert moves(run) == ["submit", "accept", "trigger", "fill"]


def test_a_stop_that_is_moved_is_compared_with_the_price_of_now() -> None:
    run = Run(replace(KEPT, latency_ms=40))
    run.feed(quote(1, 100.0, 100.2))
    run.tell(ticket("101"))
    run.wait(0.5)
    run.feed(quote(3, 90.0, 90.2))
    run.tell(AmendOrder(order_id="o-1", quantity=D(1), price=None, trigger=D(95)))
    run.feed(quote(3.02, 94.8, 94.9))
    run.wait(0.5)
    assert moves(run)[-1] == "replace"
    # Met on the way, it is woken as it arrives.
    run.feed(quote(4, 92.0, 92.2))
    run.tell(AmendOrder(order_id="o-1", quantity=D(1), price=None, trigger=D(93)))
    run.feed(quote(4.02, 93.0, 93.2))
    assert moves(run)[-1] == "request_replace"
    run.wait(0.5)
    assert moves(run)[-3:] == ["replace", "trigger", "fill"]


def stop_order(order_id: str = "o-1", **rest: object) -> Order:
    given: dict[str, object] = {
        "id": order_id,
        "instrument": "BTC",
        "owner": "s",
        "role": OrderRole.ENTRY,
        "side": BUY,
        "type": OrderType.STOP,
        "quantity": D(1),
        "trigger": D(105),
    }
    return Order(**(given | rest))  # type: ignore[arg-type]


def triggered(venue: Venue) -> list[str]:
    return [each.order_id for each in venue.got(OrderTriggered)]


def test_an_own_fill_at_an_assumed_price_wakes_no_kept_stop() -> None:
    venue = Venue(replace(AT_ONCE, native_stops=True, spread_bps=20.0))
    venue.feed(trade(1, 100.0))
    venue.ask(SubmitOrder(stop_order("st", trigger=D("100.1"))))
    venue.submit(BUY, "1")
    assert venue.fills() == [(D(1), D("100.1"), False)]
    assert triggered(venue) == []
    venue.feed(trade(2, 100.0))
    assert triggered(venue) == []
    venue.feed(trade(3, 100.1))
    assert triggered(venue) == ["st"]


def test_an_own_fill_in_the_book_wakes_no_kept_stop_before_a_public_trade() -> None:
    venue = Venue(replace(AT_ONCE, native_stops=True))
    venue.feed(quote(1, 100.0, 100.2, 1.0))
    venue.feed(trade(1.1, 100.1))
    venue.market.views["BTC"].book = FakeBook(
        [(100.0, 1.0)], [(100.2, 1.0), (105.0, 5.0)]
    )
    venue.ask(SubmitOrder(stop_order("buys", trigger=D(105))))
    venue.submit(SELL, "1", "106.0")
    # One takes to beyond the trigger; one that rests is crossed there by a quote.
    venue.submit(BUY, "2")
    venue.market.views["BTC"].book = None
    venue.feed(quote(2, 106.0, 106.2))
    assert [price for _, price, _ in venue.fills()] == [D("100.2"), D(105), D(106)]
    assert triggered(venue) == []
    # Nor is it known to the next stop, which the last trade is told to.
    venue.ask(SubmitOrder(stop_order("later", trigger=D("100.2"))))
    assert triggered(venue) == []
    venue.feed(trade(3, 106.0))
    assert triggered(venue) == ["buys", "later"]


def test_without_the_setting_the_venue_knows_no_stops() -> None:
    venue = Venue()
    venue.feed(quote(1, 100.0, 100.2))
    venue.ask(SubmitOrder(stop_order()))
    (report,) = venue.got(OrderRejected)
    assert report.reason == "order type stop is not known here"


def test_a_status_says_whether_a_stop_was_woken() -> None:
    venue = Venue(replace(AT_ONCE, native_stops=True))
    venue.feed(quote(1, 100.0, 100.2))
    limit = stop_order(type=OrderType.STOP_LIMIT, price=D(104))
    venue.ask(SubmitOrder(limit))
    venue.ask(QueryOrder("o-1"))
    assert not venue.got(OrderStatusReport)[-1].triggered
    assert venue.broker.place("o-1") is None
    venue.feed(quote(2, 104.9, 105.0))
    venue.ask(QueryOrder("o-1"))
    assert venue.got(OrderStatusReport)[-1].triggered
    kinds = [type(report) for _, report in venue.reports]
    assert kinds.index(OrderAccepted) < kinds.index(OrderTriggered)


def test_a_kept_stop_reserves_what_it_would_pay_at_its_trigger() -> None:
    settings = replace(
        AT_ONCE,
        native_stops=True,
        check_balance=True,
        taker_fee_bps=0.0,
        cash={"USDT": D(209)},
    )
    venue = Venue(settings)
    venue.feed(quote(1, 100.0, 100.2))
    venue.ask(SubmitOrder(stop_order()))
    venue.ask(SubmitOrder(stop_order("o-2", quantity=D(1))))
    (report,) = venue.got(OrderRejected)
    assert report.reason == "insufficient balance: needs 105 USDT, free 104"
    venue.ask(ReplaceOrder("o-1", D(1), None, "BTC", D(210)))
    assert venue.got(OrderReplaced) == []


# Where only bars exist: the same, whoever keeps the stop.


@pytest.mark.parametrize("settings", [FREE, KEPT])
@pytest.mark.parametrize(
    ("command", "seen", "filled"),
    [
        # Within the range, and at the open where the bar gapped beyond the trigger.
        (ticket("105"), (100, 106, 99, 104), ["105"]),
        (ticket("105"), (107, 108, 103, 104), ["107"]),
        (ticket("105"), (100, 104.9, 99, 104), []),
        (ticket("95", side=SELL), (100, 101, 94, 96), ["95"]),
        (ticket("95", side=SELL), (92, 97, 91, 96), ["92"]),
        # A limit beyond the trigger takes there; one that the open is beyond may be
        # come back to, for the open was the trigger.
        (ticket("105", "106"), (100, 107, 99, 104), ["105"]),
        (ticket("105", "106"), (107, 108, 105.5, 107), ["106"]),
        (ticket("105", "106"), (107, 108, 106.5, 107), []),
        # A limit this side of it: nobody knows whether the price came back.
        (ticket("105", "104"), (100, 106, 99, 105), []),
        (
            ticket("105", "104", time_in_force=TimeInForce.IOC),
            (104, 106, 99, 105),
            [],
        ),
    ],
)
def test_on_bars_a_stop_fills_at_its_trigger_or_at_the_open_beyond_it(
    settings: PaperBrokerSettings,
    command: PlaceOrder,
    seen: tuple[float, float, float, float],
    filled: list[str],
) -> None:
    run = Run(settings, WIDE)
    run.feed(bar(60, 100, 101, 99, 100))
    run.tell(command)
    run.feed(bar(120, *seen))
    assert prices(run) == [D(each) for each in filled]
    ends = command.time_in_force is TimeInForce.IOC
    assert order_of(run).status is not OrderStatus.EXPIRED or ends


@pytest.mark.parametrize("settings", [FREE, KEPT])
def test_on_bars_what_a_woken_stop_limit_leaves_rests_in_the_next(
    settings: PaperBrokerSettings,
) -> None:
    run = Run(settings, WIDE)
    run.feed(bar(60, 100, 101, 99, 100))
    run.tell(ticket("105", "104"))
    run.feed(bar(120, 100, 106, 99, 105))
    run.feed(bar(180, 103, 106, 102, 105))
    assert prices(run) == [D(103)]


@pytest.mark.parametrize("settings", [FREE, KEPT])
def test_on_bars_half_the_spread_is_paid_at_the_trigger(
    settings: PaperBrokerSettings,
) -> None:
    run = Run(replace(settings, spread_bps=200.0), WIDE)
    run.feed(bar(60, 100, 101, 99, 100))
    run.tell(ticket("105"))
    run.feed(bar(120, 100, 106, 99, 104))
    assert prices(run) == [D("106.1")]


def test_on_bars_a_script_enters_at_a_stop_and_is_protected_from_the_next_bar() -> None:
    run = Run(FREE, WIDE)
    entry = signal("enter_long", "1", order_type="stop", trigger="105", stop="98")
    run.feed(bar(60, 100, 101, 99, 100), entry)
    # The low may have come before the trigger: nobody knows.
    run.feed(bar(120, 100, 106, 97, 104))
    assert run.executor.position("s", "BTC").quantity == 1
    run.feed(bar(180, 100, 101, 97, 100))
    assert prices(run) == [D(105), D(98)]


def test_fills_of_a_run_with_kept_stops_are_told_with_what_is_assumed() -> None:
    assert KEPT.assumptions["stops"] == "kept by the venue"
    assert FREE.assumptions["stops"] == "held here"
    assert not PaperBrokerSettings().native_stops


def test_a_late_fill_of_a_kept_stop_needs_no_trigger_to_be_told() -> None:
    run = Run(KEPT)
    run.feed(quote(1, 100.0, 100.2))
    run.tell(ticket("105"))
    run.wait(0.2)
    report = OrderFilledReport("o-1", "t", D(1), D(105), D(0), "USDT", False)
    run.tell(report)
    assert order_of(run).type is OrderType.MARKET
    assert order_of(run).status is OrderStatus.FILLED
