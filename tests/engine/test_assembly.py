"""What a run with a venue is refused without, and what its watchdog is told of."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.runs import SMALL, settings
from tests.execution.fakes import NS, Hand
from workstation.config import load_config
from workstation.engine.assembly import assemble_session, entries_at_venue
from workstation.engine.drivers import run_backtest
from workstation.execution.queries import WATCH_INFERRED_NS
from workstation.model.commands import PlaceOrder
from workstation.model.errors import JournalError
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType
from workstation.model.rates import BrokerAbilities
from workstation.model.reports import (
    ExternalOrder,
    OrderRejected,
    OrderStatusReport,
    Report,
)
from workstation.model.requests import Request

D = Decimal


class Silent:
    """A venue that knows nothing."""

    name = "venue"
    abilities = BrokerAbilities()

    async def send(self, request: Request) -> Sequence[Report]:
        """Do nothing."""
        return ()

    async def news(self) -> Sequence[Report]:
        """Know nothing."""
        return ()

    def account(self) -> None:
        """Need no watchdog."""

    async def close(self) -> None:
        """Have nothing open."""


def test_real_orders_need_a_journal() -> None:
    run = settings(*SMALL, 'journal.path=""')
    with pytest.raises(JournalError, match="name a folder"):
        assemble_session(run, venue=Silent())


def test_with_a_journal_they_have_one(tmp_path: Path) -> None:
    run = settings(*SMALL, f'journal.path="{tmp_path}"')
    session = assemble_session(run, venue=Silent())
    assert session.engine.journal is not None
    session.close()


def test_a_watchdog_is_told_of_entries_that_are_ours_and_at_the_venue() -> None:
    hand = Hand(abilities=BrokerAbilities(stops=False))
    hand.enter("1")
    hand.accept("o-1")
    hand.give(
        ExternalOrder(
            order_id="web_1",
            instrument="BTC",
            side=Side.SELL,
            order_type=OrderType.STOP,
            quantity=D(1),
            trigger=D(95),
        )
    )
    held = PlaceOrder(
        instrument="BTC",
        side=Side.BUY,
        quantity=D(1),
        order_type=OrderType.STOP,
        trigger=D(110),
    )
    hand.give(held)
    assert len(hand.executor.desk.orders.entries()) == 3
    assert entries_at_venue(hand.executor) == {"o-1": "BTC"}


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_watchdog_keeps_an_entry_whose_end_is_only_concluded(confirmed: bool) -> None:
    hand = Hand()
    hand.core.ts = NS
    hand.enter("1", order_type="limit", limit_price="99")
    hand.core.advance(hand.core.ts + 31 * NS)
    hand.give(OrderStatusReport("o-1", None, asked_ns=hand.core.ts))
    (order,) = hand.executor.orders()
    assert (order.status, order.inferred) == (OrderStatus.REJECTED, True)
    assert entries_at_venue(hand.executor) == {"o-1": "BTC"}
    if confirmed:
        hand.give(OrderRejected("o-1", "it was refused"))
        assert entries_at_venue(hand.executor) == {}
        return
    hand.core.ts += WATCH_INFERRED_NS
    assert entries_at_venue(hand.executor) == {"o-1": "BTC"}
    hand.core.ts += 1
    assert entries_at_venue(hand.executor) == {}


BARS = """
mode = "recording"
[[instruments]]
id = "file:AAA"
venue = "file"
symbol = "AAA"
base = "AAA"
quote = "USDT"
tick_size = "0.1"
lot_size = "0.001"
[[feeds]]
name = "bars"
type = "file"
format = "ohlcv"
files = ["bars.csv"]
symbols = ["AAA"]
interval = "1m"
[[brokers]]
name = "paper"
type = "paper"
spread_bps = 0
[[strategies]]
name = "held"
script = "./held.py"
symbols = ["*"]
timeframe = "1m"
[journal]
path = ""
"""
HELD = """
def detect_opportunity(market, context, indicators):
    return {"x": 1}


def filter_commitment(market, context, indicators):
    return {"action": "enter_long", "quantity": 1, "stop": 95}


def manage_position(market, context, indicators):
    if "done" in context:
        return None
    context["done"] = True
    return {"action": "exit", "price": 105, "order_type": "limit"}
"""


def test_a_stop_that_is_held_here_comes_before_an_exit_in_the_bar_at_the_venue(
    tmp_path: Path,
) -> None:
    quiet = [f"2024-01-01T10:0{n}:00,100,101,99,100" for n in range(6)]
    gap = "2024-01-01T10:06:00,90,106,89,91"
    rows = ["time,open,high,low,close", *quiet, gap]
    (tmp_path / "bars.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "held.py").write_text(HELD)
    (tmp_path / "bars.toml").write_text(BARS)
    session = assemble_session(load_config(tmp_path / "bars.toml").run)
    run_backtest(session.engine)
    (trade,) = session.executor.ledger.trades
    assert (trade.entry, trade.exit) == (D(100), D(90))
    session.close()
