"""Closed trades of an Executor: their record, their reasons, what bars they saw."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import Hand, Run, bar, quote, signal
from workstation.model.orders import OrderType
from workstation.model.records import FillRecord, PositionRecord, TradeRecord
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal


def test_a_closed_trade_is_recorded_after_its_fill_and_position() -> None:
    hand = Hand()
    order = hand.enter("1")
    hand.fill(order, "1", price="100")
    assert not hand.core.kept(TradeRecord)
    hand.give(signal("exit", reason="had enough"))
    hand.quote(104.0, 104.2)
    hand.fill(hand.submitted()[-1], "1", price="103")
    kinds = (FillRecord, PositionRecord, TradeRecord)
    said = [type(r) for r in hand.core.records if isinstance(r, kinds)]
    assert said[-3:] == list(kinds)
    (record,) = hand.core.kept(TradeRecord)
    trade = record.trade
    assert trade is hand.executor.ledger.trades[-1]
    assert (trade.exit_reason, trade.pnl, trade.mfe) == ("had enough", D(3), D("4.1"))


def test_a_bar_counts_whole_while_a_position_is_open() -> None:
    run = Run()
    run.feed(bar(60, 100, 101, 99, 100), signal("enter_long", "1"))
    run.feed(bar(120, 100, 107, 94, 102))
    run.feed(bar(180, 102, 103, 101, 102), signal("exit"))
    run.feed(bar(240, 102, 150, 50, 102))
    (trade,) = run.executor.ledger.trades
    assert (trade.lowest, trade.highest) == (D(94), D(107))


def test_what_a_bar_did_after_the_stop_in_it_is_not_the_trade_s() -> None:
    run = Run()
    run.feed(bar(60, 100, 101, 99, 100), signal("enter_long", "1", stop="95"))
    run.feed(bar(120, 100, 102, 98, 101))
    run.feed(bar(180, 101, 130, 70, 80))
    run.wait(1)
    (trade,) = run.executor.ledger.trades
    assert trade.exit < 96
    assert trade.lowest == min(D(98), trade.exit)
    assert trade.highest == D(102)


@pytest.mark.parametrize(
    ("action", "limit", "seen", "lowest", "highest"),
    [
        ("enter_long", "98", (100, 120, 97, 99), 97, 99),
        ("enter_short", "102", (100, 103, 80, 101), 101, 103),
    ],
)
def test_of_the_bar_of_its_entry_a_trade_saw_what_came_after_that(
    action: str,
    limit: str,
    seen: tuple[float, float, float, float],
    lowest: int,
    highest: int,
) -> None:
    run = Run(PaperBrokerSettings(spread_bps=0.0))
    entry = signal(action, "1", order_type=OrderType.LIMIT, limit_price=limit)
    run.feed(bar(60, 100, 101, 99, 100), entry)
    run.feed(bar(120, *seen))
    price = float(limit)
    run.feed(bar(180, price, price, price, price), signal("exit"))
    run.feed(bar(240, price, 150, 50, price))
    (trade,) = run.executor.ledger.trades
    assert (trade.lowest, trade.highest) == (D(lowest), D(highest))


def test_without_a_position_a_quote_wakes_nothing_before_the_day_ends() -> None:
    run = Run()
    run.feed(quote(1, 100, 100.2))
    ledger = run.executor.ledger
    taken = ledger.curve.samples
    for second in range(2, 200):
        run.feed(quote(second, 100, 100.2))
    assert ledger.curve.samples == taken
    run.feed(quote(200, 100, 100.2), signal("enter_long", "1"))
    run.feed(quote(201, 101, 101.2))
    sampled = ledger.curve.samples
    run.feed(quote(202, 90, 90.2))
    assert ledger.curve.samples == sampled + 1
    assert ledger.curve.now.trough < 100_000
