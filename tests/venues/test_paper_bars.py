"""Fills from bars: what came before what, and who was there when the bar opened."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.execution.fakes import NS, Run, bar, quote, signal, ticket
from tests.venues.paper_venue import Venue
from workstation.execution.settings import RiskSettings
from workstation.model.commands import Kill, KillLevel, PlaceOrder
from workstation.model.instruments import Side
from workstation.model.market import Quote, Trade
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    TimeInForce,
)
from workstation.model.records import FaultRecord, FillRecord
from workstation.model.reports import OrderExpired
from workstation.model.requests import ReplaceOrder, SubmitOrder
from workstation.model.signals import Signal
from workstation.model.timeframes import Timeframe
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
GTD = TimeInForce.GTD
FREE = PaperBrokerSettings(spread_bps=0.0, taker_fee_bps=0.0, maker_fee_bps=0.0)
KEPT = replace(FREE, native_stops=True)
WIDE = RiskSettings(max_order_value=None, max_position_value=None, leverage=D(100))
Prices = tuple[float, float, float, float]
FLAT: Prices = (100, 101, 99, 100)


def fills(run: Run) -> list[tuple[str, Decimal]]:
    return [(r.fill.role.value, r.fill.price) for r in run.core.kept(FillRecord)]


def ended(run: Run) -> list[tuple[str, float]]:
    """Return the ends of all orders that are over, with their seconds."""
    return [
        (order.status.value, order.updated_ns / NS)
        for order in run.executor.orders()
        if order.is_terminal
    ]


def entry(limit: str | None = None, /, **fields: object) -> Signal:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    return signal(
        "enter_long", "1", **(fields | {"order_type": kind, "limit_price": limit})
    )


def stop_at_105(price: str | None = None, until_s: int | None = None) -> PlaceOrder:
    """Return a stop order of the operator, a stop-limit where it has a price."""
    return replace(
        ticket(price=price),
        order_type=OrderType.STOP if price is None else OrderType.STOP_LIMIT,
        trigger=D(105),
        time_in_force=TimeInForce.GTC if until_s is None else GTD,
        expires_ns=None if until_s is None else until_s * NS,
    )


def holding(
    settings: PaperBrokerSettings = FREE, exit_at: str | None = None, **fields: object
) -> Run:
    """Return a run that is long at 100 since the bar that closed at 120."""
    run = Run(settings, WIDE)
    run.feed(bar(60, *FLAT), entry(**fields))
    if exit_at is None:
        run.feed(bar(120, *FLAT))
    else:
        exit_ = signal("exit", order_type=OrderType.LIMIT, limit_price=exit_at)
        run.feed(bar(120, *FLAT), exit_)
    return run


# Who was there when the bar opened.


def test_an_order_sent_in_the_middle_of_a_bar_waits_for_the_next_open() -> None:
    run = holding()
    run.wait(30)
    run.tell(Kill(level=KillLevel.FLATTEN, reason="half way through the bar"))
    run.feed(bar(180, 100, 101, 60, 61))
    assert fills(run) == [("entry", D(100))]
    run.feed(bar(240, 61, 62, 60, 61))
    assert fills(run)[1:] == [("flatten", D(61))]


@pytest.mark.parametrize(
    ("price", "tif"), [("99", TimeInForce.GTC), ("105", TimeInForce.IOC)]
)
def test_the_range_of_a_bar_that_had_opened_fills_nothing_either(
    price: str, tif: TimeInForce
) -> None:
    venue = Venue(FREE)
    venue.feed(bar(60, *FLAT))
    venue.core.advance(90 * NS)
    venue.submit(BUY, "1", price, tif)
    venue.feed(bar(120, 100, 101, 90, 100))
    assert venue.fills() == []
    venue.feed(bar(180, 98, 99, 97, 98))
    assert venue.fills() == [(D(1), D(98), False)]


def test_a_price_that_was_changed_in_the_middle_of_a_bar_waits_too() -> None:
    venue = Venue(FREE)
    venue.feed(bar(60, *FLAT))
    order_id = venue.submit(BUY, "1", "90")
    venue.feed(bar(120, *FLAT))
    venue.core.advance(150 * NS)
    venue.ask(ReplaceOrder(order_id, D(1), D(99)))
    venue.feed(bar(180, 100, 101, 98, 100))
    assert venue.fills() == []
    venue.feed(bar(240, 100, 101, 98, 100))
    assert venue.fills() == [(D(1), D(99), True)]


def test_less_of_an_order_is_still_the_same_one() -> None:
    venue = Venue(FREE)
    venue.feed(bar(60, *FLAT))
    order_id = venue.submit(BUY, "2", "95")
    venue.feed(bar(120, *FLAT))
    venue.core.advance(150 * NS)
    venue.ask(ReplaceOrder(order_id, D(1), D(95)))
    venue.feed(bar(180, 100, 101, 94, 100))
    assert venue.fills() == [(D(1), D(95), True)]


@pytest.mark.parametrize("settings", [FREE, KEPT])
def test_a_stop_order_set_in_the_middle_of_a_bar_waits_too(
    settings: PaperBrokerSettings,
) -> None:
    run = Run(settings, WIDE)
    run.feed(bar(60, *FLAT))
    run.wait(30)
    run.tell(stop_at_105())
    run.feed(bar(120, 100, 106, 99, 100))
    assert fills(run) == []
    run.feed(bar(180, 100, 106, 99, 100))
    assert fills(run) == [("entry", D(105))]


@pytest.mark.parametrize("settings", [FREE, KEPT])
def test_what_is_decided_on_a_bar_that_was_told_late_fills_at_the_next_open(
    settings: PaperBrokerSettings,
) -> None:
    run = Run(settings, WIDE)
    late = [replace(bar(60 * n, *FLAT), ts_recv=(60 * n + 2) * NS) for n in (1, 2)]
    run.feed(late[0], entry())
    run.tell(replace(stop_at_105(), trigger=D(101)))
    run.feed(late[1])
    assert fills(run) == [("entry", D(100)), ("entry", D(101))]


# What comes first in a bar.


@pytest.mark.parametrize("how", ["target", "exit"])
@pytest.mark.parametrize(
    ("seen", "leg", "price"),
    [
        ((90, 106, 89, 100), "stop", 90),
        ((100, 106, 94, 100), "stop", 95),
        ((106, 107, 94, 100), "out", 106),
        ((100, 106, 96, 100), "out", 105),
    ],
)
def test_the_open_comes_first_then_the_stop_then_what_gains(
    how: str, seen: Prices, leg: str, price: int
) -> None:
    at = ("105", None) if how == "exit" else (None, "105")
    run = holding(exit_at=at[0], stop="95", target=at[1])
    run.feed(bar(180, *seen))
    assert fills(run)[1:] == [(how if leg == "out" else leg, D(price))]
    assert run.executor.net("BTC") == 0
    assert not run.executor.desk.orders.row("s", "BTC")
    # Nothing of what was in the way is left to fill.
    run.feed(bar(240, 100, 120, 80, 100))
    assert run.executor.net("BTC") == 0
    assert not run.core.kept(FaultRecord)


def test_a_short_position_is_stopped_before_its_exit_too() -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), signal("enter_short", "1", stop="105"))
    exit_ = signal("exit", order_type=OrderType.LIMIT, limit_price="95")
    run.feed(bar(120, *FLAT), exit_)
    run.feed(bar(180, 100, 106, 94, 100))
    assert fills(run)[1:] == [("stop", D(105))]


def test_a_trade_that_is_stopped_saw_nothing_after_its_stop() -> None:
    run = holding(exit_at="105", stop="95")
    run.feed(bar(180, 100, 104, 96, 100))
    run.feed(bar(240, 100, 130, 70, 80))
    (trade,) = run.executor.ledger.trades
    assert (trade.lowest, trade.highest) == (D(95), D(104))


def test_a_trade_sees_the_bar_in_the_middle_of_which_its_end_was_sent() -> None:
    run = holding()
    run.wait(30)
    run.tell(Kill(level=KillLevel.FLATTEN, reason="half way through the bar"))
    run.feed(bar(180, 100, 104, 60, 61))
    run.feed(bar(240, 61, 70, 50, 61))
    (trade,) = run.executor.ledger.trades
    assert (trade.lowest, trade.highest) == (D(60), D(104))


def test_a_target_comes_before_an_exit_that_is_farther() -> None:
    run = holding(exit_at="107", stop="90", target="105")
    run.feed(bar(180, 100, 108, 99, 100))
    assert fills(run)[1:] == [("target", D(105))]
    assert run.executor.net("BTC") == 0


def test_an_exit_comes_before_a_target_that_is_farther() -> None:
    run = holding(exit_at="103", stop="90", target="105")
    run.feed(bar(180, 100, 108, 99, 100))
    assert fills(run)[1:] == [("exit", D(103))]


@pytest.mark.parametrize(
    ("limit", "seen", "then"),
    [
        # It is met on the way to the stop, which closes both.
        ("97", (100, 101, 94, 100), [("entry", D(97)), ("stop", D(95))]),
        # The stop is met on the way to it, and ends it.
        ("93", (100, 101, 92, 100), [("stop", D(95))]),
        ("88", (90, 101, 87, 100), [("stop", D(90))]),
        # So does a target at the open.
        ("97", (106, 107, 96, 100), [("target", D(106))]),
    ],
)
def test_an_addition_fills_where_nothing_on_its_way_ends_it(
    limit: str, seen: Prices, then: list[tuple[str, Decimal]]
) -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), entry(stop="95", target="105"))
    run.feed(bar(120, *FLAT), entry(limit, add=True))
    run.feed(bar(180, *seen))
    assert fills(run)[1:] == then
    assert run.executor.net("BTC") == 0


def test_a_stop_of_another_owner_ends_no_exit() -> None:
    run = holding(exit_at="105", stop="90")
    run.tell(signal("enter_long", "1", strategy="other", stop="95"))
    run.feed(bar(180, *FLAT))
    run.feed(bar(240, 100, 106, 94, 100))
    assert sorted(fills(run)[2:]) == [("exit", D(105)), ("stop", D(95))]


def test_a_stop_that_the_venue_keeps_comes_before_an_exit_and_not_with_it() -> None:
    venue = Venue(KEPT)
    venue.feed(bar(60, *FLAT))
    stop = Order(
        id="stop",
        instrument="BTC",
        owner="s",
        role=OrderRole.EXIT,
        side=SELL,
        type=OrderType.STOP,
        quantity=D(1),
        trigger=D(95),
        reduce_only=True,
    )
    venue.ask(SubmitOrder(stop))
    venue.submit(SELL, "1", "105", reduce_only=True)
    venue.submit(SELL, "2", "105", reduce_only=True, owner="other")
    venue.submit(BUY, "3", "96")
    venue.feed(bar(120, 100, 106, 94, 100))
    assert [(quantity, price) for quantity, price, _ in venue.fills()] == [
        (D(3), D(96)),
        (D(1), D(95)),
        (D(2), D(105)),
    ]


# What a position sees of the bar in which it was made.


@pytest.mark.parametrize(
    ("action", "limit", "stop", "target", "seen"),
    [
        ("enter_long", "98", "90", "104", (100, 105, 97.5, 98.5)),
        ("enter_short", "102", "110", "96", (100, 102.5, 95, 101.5)),
    ],
)
def test_the_target_of_an_entry_within_a_bar_begins_with_the_next(
    action: str, limit: str, stop: str, target: str, seen: Prices
) -> None:
    run = Run(FREE, WIDE)
    at = {"order_type": OrderType.LIMIT, "limit_price": limit}
    run.feed(bar(60, *FLAT), signal(action, "1", stop=stop, target=target, **at))
    run.feed(bar(120, *seen))
    assert fills(run) == [("entry", D(limit))]
    run.feed(bar(180, *seen))
    assert fills(run)[1:] == [("target", D(target))]


def test_the_stop_of_an_entry_within_a_bar_is_on_its_way() -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), entry("98", stop="90", target="104"))
    run.feed(bar(120, 100, 105, 89, 98.5))
    assert fills(run) == [("entry", D(98)), ("stop", D(90))]


def test_an_entry_at_the_open_sees_the_whole_bar() -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), entry("98", stop="90", target="104"))
    run.feed(bar(120, 97, 105, 96, 98))
    assert fills(run) == [("entry", D(97)), ("target", D(104))]


def test_a_stop_does_not_trail_what_came_before_the_entry() -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), entry("98", trailing_bps=1_000.0))
    run.feed(bar(120, 100, 120, 97, 98))
    (stop,) = run.executor.held_protection()
    assert stop.trigger == D("88.2")
    run.feed(bar(180, 98, 110, 97, 98))
    (stop,) = run.executor.held_protection()
    assert stop.trigger == D("99")


def test_an_addition_within_a_bar_lets_the_target_wait() -> None:
    run = holding(stop="90", target="105")
    run.tell(entry("97", add=True))
    run.feed(bar(180, 100, 106, 96, 98))
    assert fills(run)[1:] == [("entry", D(97))]
    run.feed(bar(240, 98, 106, 96, 98))
    assert fills(run)[2:] == [("target", D(105))]


def test_a_kept_stop_that_enters_within_a_bar_is_protected_from_the_next() -> None:
    run = Run(KEPT, WIDE)
    at = {"order_type": OrderType.STOP, "trigger": "105"}
    run.feed(bar(60, *FLAT), signal("enter_long", "1", stop="98", **at))
    run.feed(bar(120, 100, 106, 97, 104))
    assert fills(run) == [("entry", D(105))]
    run.feed(bar(180, 104, 105, 97, 100))
    assert fills(run)[1:] == [("stop", D(98))]


@pytest.mark.parametrize("settings", [FREE, KEPT])
def test_what_the_bar_before_has_filled_sees_this_one(
    settings: PaperBrokerSettings,
) -> None:
    run = Run(settings, WIDE)
    at = {"order_type": OrderType.STOP, "trigger": "105"}
    run.feed(bar(60, *FLAT), signal("enter_long", "1", target="108", **at))
    run.feed(bar(120, 100, 109, 99, 100))
    assert fills(run) == [("entry", D(105))]
    run.feed(bar(180, 100, 109, 99, 100))
    assert fills(run)[1:] == [("target", D(108))]


def test_what_a_kept_stop_adds_within_a_bar_takes_no_stop_away() -> None:
    run = holding(KEPT, stop="95", target="106")
    at = {"order_type": OrderType.STOP, "trigger": "105"}
    run.tell(signal("enter_long", "1", add=True, **at))
    run.feed(bar(180, 100, 107, 94, 100))
    assert fills(run)[1:] == [("entry", D(105)), ("stop", D(95))]
    assert run.executor.net("BTC") == 0


# Until when.


@pytest.mark.parametrize("good_for", [1, 30, 60, 90])
def test_an_order_good_for_less_than_two_bars_fills_at_the_open_in_its_time(
    good_for: int,
) -> None:
    run = Run(FREE, WIDE)
    run.feed(
        bar(60, *FLAT),
        entry("101", time_in_force=GTD, good_for_ns=good_for * NS),
    )
    run.feed(bar(120, *FLAT))
    assert fills(run) == [("entry", D(100))]


@pytest.mark.parametrize(
    ("good_for", "filled"), [(59, []), (60, [D(95)]), (61, [D(95)])]
)
def test_the_range_fills_what_is_good_until_the_bar_has_closed(
    good_for: int, filled: list[Decimal]
) -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), entry("95", time_in_force=GTD, good_for_ns=good_for * NS))
    run.feed(bar(120, 100, 101, 94, 100))
    assert [price for _, price in fills(run)] == filled
    assert ended(run) == [("filled" if filled else "expired", 120.0)]


def test_an_order_whose_time_ends_with_a_bar_has_no_part_in_the_next() -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), entry("95", time_in_force=GTD, good_for_ns=60 * NS))
    run.feed(bar(120, *FLAT))
    assert ended(run) == [("expired", 120.0)]
    run.feed(bar(180, 90, 91, 89, 90))
    assert fills(run) == []


def test_where_no_bar_comes_it_ends_one_bar_later() -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), entry("95", time_in_force=GTD, good_for_ns=30 * NS))
    run.wait(89)
    assert ended(run) == []
    run.wait(1)
    assert ended(run) == [("expired", 150.0)]


def test_a_bar_that_opened_after_the_end_of_an_order_fills_nothing_of_it() -> None:
    venue = Venue(FREE)
    hour = Timeframe.of_ns(3_600 * NS)
    venue.feed(replace(bar(3_600, *FLAT), timeframe=hour, ts_open=0))
    venue.submit(BUY, "1", "105", GTD, expires_ns=3_630 * NS)
    # Bars of a minute go on where some are missing: the hour is not over.
    venue.feed(bar(3_720, *FLAT))
    assert venue.fills() == []
    assert len(venue.got(OrderExpired)) == 1


def test_the_end_of_an_order_elsewhere_ends_none_whose_bar_is_still_to_come() -> None:
    venue = Venue(FREE)
    venue.feed(bar(60, *FLAT))
    venue.feed(quote(60, 10.0, 10.2, instrument="ETH"))
    venue.submit(BUY, "1", "105", GTD, expires_ns=90 * NS)
    venue.ask(
        SubmitOrder(
            Order(
                id="eth",
                instrument="ETH",
                owner="s",
                role=OrderRole.ENTRY,
                side=BUY,
                type=OrderType.LIMIT,
                quantity=D(1),
                price=D(9),
                time_in_force=GTD,
                expires_ns=100 * NS,
            )
        )
    )
    venue.core.advance(110 * NS)
    assert [each.order_id for each in venue.got(OrderExpired)] == ["eth"]
    venue.feed(bar(120, *FLAT))
    assert venue.fills() == [(D(1), D(100), False)]


@pytest.mark.parametrize("settings", [FREE, KEPT])
@pytest.mark.parametrize(
    ("good_for", "seen", "filled"),
    [
        (30, (100, 106, 99, 105), []),
        (30, (106, 107, 99, 105), [D(106)]),
        (60, (100, 106, 99, 105), [D(105)]),
    ],
)
def test_a_stop_order_is_good_for_a_bar_in_the_same_way(
    settings: PaperBrokerSettings, good_for: int, seen: Prices, filled: list[Decimal]
) -> None:
    run = Run(settings, WIDE)
    run.feed(bar(60, *FLAT))
    run.tell(stop_at_105(until_s=60 + good_for))
    run.feed(bar(120, *seen))
    assert [price for _, price in fills(run)] == filled
    assert ended(run) == [("filled" if filled else "expired", 120.0)]


@pytest.mark.parametrize("settings", [FREE, KEPT])
def test_a_stop_order_ends_one_bar_later_where_none_comes(
    settings: PaperBrokerSettings,
) -> None:
    run = Run(settings, WIDE)
    run.feed(bar(60, *FLAT))
    run.tell(stop_at_105(until_s=90))
    run.wait(90)
    assert ended(run) == [("expired", 150.0)]


@pytest.mark.parametrize("settings", [FREE, KEPT])
def test_a_stop_limit_that_is_met_in_its_last_bar_still_fills(
    settings: PaperBrokerSettings,
) -> None:
    run = Run(settings, WIDE)
    run.feed(bar(60, *FLAT))
    for price in ("106", "104"):
        run.tell(stop_at_105(price, until_s=120))
    run.feed(bar(120, 100, 106, 99, 105))
    assert fills(run) == [("entry", D(105))]
    assert sorted(ended(run)) == [("expired", 120.0), ("filled", 120.0)]


@pytest.mark.parametrize("settings", [FREE, KEPT])
@pytest.mark.parametrize(("until_s", "filled"), [(90, []), (120, [D(104)])])
def test_a_range_comes_back_to_a_stop_limit_only_in_its_time(
    settings: PaperBrokerSettings, until_s: int, filled: list[Decimal]
) -> None:
    run = Run(settings, WIDE)
    run.feed(bar(60, *FLAT))
    run.tell(stop_at_105("104", until_s))
    run.feed(bar(120, 106, 107, 103, 105))
    assert [price for _, price in fills(run)] == filled


def test_an_order_that_comes_after_its_time_takes_nothing() -> None:
    venue = Venue(FREE)
    venue.feed(bar(60, *FLAT))
    venue.submit(BUY, "1", "105", expires_ns=60 * NS)
    assert [report.reason for report in venue.got(OrderExpired)] == ["good till date"]
    venue.feed(bar(120, *FLAT))
    assert venue.fills() == []


# Against every path.


State = tuple[bool, bool]  # Holds a position; has an exit at a price.


def path_fills(
    path: list[int], state: State, limit: int, stop: int, target: int, exit_at: int
) -> list[tuple[str, int]]:
    """Return what a price that goes this way, step by step, fills of a long trade."""
    holds, has_exit = state
    fresh = False
    found: list[tuple[str, int]] = []
    steps = [path[0]]
    for end in path[1:]:
        step = 1 if end > steps[-1] else -1
        steps.extend(range(steps[-1] + step, end + step, step))
    for at, price in enumerate(steps):
        if not holds and price <= limit:
            holds, fresh = True, at > 0
            found.append(("entry", price))
        if not holds:
            continue
        gains = None
        if not fresh and has_exit and price >= exit_at:
            gains = "exit"
        elif not fresh and price >= target:
            gains = "target"
        if price <= stop or gains:
            return [*found, (gains or "stop", price)]
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(
        st.integers(92, 101), st.integers(2, 6), st.integers(2, 6), st.integers(1, 7)
    ),
    st.lists(st.tuples(*[st.integers(88, 112)] * 4), min_size=1, max_size=6),
)
def test_what_a_bar_fills_is_what_some_way_through_it_would_and_the_worse_one(
    trade: tuple[int, int, int, int], bars: list[tuple[int, int, int, int]]
) -> None:
    limit, below, above, beyond = trade
    stop, target, exit_at = limit - below, limit + above, limit + beyond
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT), entry(str(limit), stop=str(stop), target=str(target)))
    seen = 0
    state = False, False
    for number, figures in enumerate(bars, 2):
        opened, _, _, closed = figures
        high, low = max(figures), min(figures)
        said = []
        if state == (True, False):
            said = [signal("exit", order_type="limit", limit_price=str(exit_at))]
        run.feed(bar(60 * number, opened, high, low, closed))
        made = [(role, int(price)) for role, price in fills(run)[seen:]]
        ways = [
            path_fills(path, state, limit, stop, target, exit_at)
            for path in ([opened, low, high, closed], [opened, high, low, closed])
        ]
        assert made in ways
        assert worth(made, state, closed) == min(
            worth(way, state, closed) for way in ways
        )
        seen += len(made)
        if seen == 2:
            break
        state = seen == 1, state[1]
        if state == (True, False) and said:
            state = True, True
        if said:
            run.tell(said[0])
    assert run.executor.net("BTC") == run.broker.balances.get("BTC", D(0))
    filled = [o for o in run.executor.orders() if o.status is OrderStatus.FILLED]
    assert len(filled) == seen


def worth(made: list[tuple[str, int]], state: State, closed: int) -> int:
    """Return what a bar's fills are worth at its close."""
    cash, coins = 0, int(state[0])
    for role, price in made:
        sign = 1 if role == "entry" else -1
        cash -= sign * price
        coins += sign
    return cash + coins * closed


# Where ticks follow the bars.


def test_a_market_order_of_the_time_of_bars_fills_at_the_first_trade() -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT))
    run.tell(ticket("1"))
    assert fills(run) == []
    run.feed(Trade("BTC", 61 * NS, 102.0, 0.1, 1))
    run.feed(Trade("BTC", 62 * NS, 103.0, 5.0, 1))
    assert fills(run) == [("entry", D(102))]


@pytest.mark.parametrize("at_once", [TimeInForce.IOC, TimeInForce.FOK])
@pytest.mark.parametrize(
    "tick",
    [Trade("BTC", 61 * NS, 94.0, 5.0, 1), quote(61, 94.0, 94.1)],
    ids=["trade", "quote"],
)
def test_what_was_for_the_next_open_ends_where_ticks_come_before(
    at_once: TimeInForce, tick: Trade | Quote
) -> None:
    run = Run(FREE, WIDE)
    run.feed(bar(60, *FLAT))
    run.tell(ticket("1", "95", time_in_force=at_once))
    run.feed(tick)
    run.wait(1)
    (order,) = run.executor.orders()
    assert (order.status, order.filled) == (OrderStatus.EXPIRED, D(0))
    assert order.reason == "ticks came before the next open"


def test_a_stop_that_is_kept_is_woken_by_quotes_after_bars_until_trades_are_told() -> (
    None
):
    run = Run(replace(KEPT, latency_ms=40), WIDE)
    run.feed(bar(60, *FLAT))
    run.feed(quote(61, 100.0, 100.1))
    run.tell(stop_at_105())
    run.feed(quote(62, 104.9, 105.0))
    run.wait(0.1)
    assert fills(run) == [("entry", D(105))]
    # Another one is met on its way, where the close of the bar is far.
    run.tell(replace(stop_at_105(), trigger=D(106)))
    run.feed(quote(62.11, 106.0, 106.1))
    run.wait(0.1)
    assert fills(run)[1:] == [("entry", D("106.1"))]
    run.feed(Trade("BTC", 63 * NS, 106.0, 1.0, 1))
    run.tell(replace(stop_at_105(), trigger=D(107)))
    run.feed(quote(64, 107.0, 107.1))
    run.wait(0.1)
    assert len(fills(run)) == 2
