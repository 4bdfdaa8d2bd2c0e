"""Wishes: sized, on the tick, and never a looser stop."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.strategy.fakes import ENTER, SEEN, Stand
from workstation.model.orders import OrderRole, OrderStatus, OrderType
from workstation.model.signals import SignalAction

S = OrderStatus


def test_an_entry_of_less_than_a_lot_is_given_up(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.books.equity = Decimal("0.1")
    stand.bar()
    stand.bar()
    assert stand.core.signals == []
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "denied")
    assert "less than a lot of 0.001" in stand.row.answer


def test_stops_are_only_tightened(tmp_path: Path) -> None:
    manage = "return {'action': 'update_stop_loss', 'stop': market.close * 0.95}"
    stand = Stand.in_trade(tmp_path, manage=manage)
    stand.update(S.HELD, OrderRole.STOP)
    assert stand.row.stop == Decimal(90)
    stand.bar(100.0)
    assert stand.core.signals[-1].action is SignalAction.PROTECT
    assert stand.core.signals[-1].stop == Decimal("95.00")
    made = len(stand.core.signals)
    stand.bar(80.0)
    assert len(stand.core.signals) == made
    assert stand.row.answer == "stop 76.00 would loosen 90: kept"


def test_a_looser_stop_does_not_take_a_trailing_distance_with_it(
    tmp_path: Path,
) -> None:
    manage = "return {'action': 'update_stop_loss', 'stop': 80, 'trailing_bps': 50}"
    stand = Stand.in_trade(tmp_path, manage=manage)
    stand.update(S.HELD, OrderRole.STOP)
    stand.bar(100.0)
    wish = stand.core.signals[-1]
    assert (wish.action, wish.stop, wish.trailing_bps) == (
        SignalAction.PROTECT,
        None,
        50.0,
    )
    assert stand.row.answer == "stop 80.00 would loosen 90: kept"


def test_a_stop_that_is_there_already_is_not_called_looser(tmp_path: Path) -> None:
    manage = "return {'action': 'update_stop_loss', 'stop': 90}"
    stand = Stand.in_trade(tmp_path, manage=manage)
    stand.update(S.HELD, OrderRole.STOP)
    made = len(stand.core.signals)
    stand.bar(100.0)
    assert len(stand.core.signals) == made
    assert stand.row.answer == "stop 90.00 is there: kept"


def test_a_stop_entry_goes_out_on_the_tick_and_is_sized_at_its_trigger(
    tmp_path: Path,
) -> None:
    entry = "return {'action': 'enter_long', 'trigger': 110.004, 'price': 111}"
    stand = Stand.of(tmp_path, detect=SEEN, filter=entry)
    stand.bar()
    stand.bar()
    wish = stand.core.signals[-1]
    assert (wish.order_type, wish.trigger, wish.limit_price) == (
        OrderType.STOP_LIMIT,
        Decimal("110.00"),
        Decimal("111.00"),
    )
    entry = "return {'action': 'enter_long', 'trigger': 125, 'size': 0.5}"
    stand = Stand.of(tmp_path, detect=SEEN, filter=entry)
    stand.books.equity = Decimal(1000)
    stand.bar()
    stand.bar()
    assert stand.core.signals[-1].quantity == Decimal(4)
