"""Both sides of an order, as they are shown: with its trigger, and why it is asked."""

from __future__ import annotations

from decimal import Decimal

from tests.execution.test_reconciliation import Account, web
from workstation.model.instruments import Side
from workstation.model.orders import OrderType
from workstation.model.reconciliation import Verdict
from workstation.model.reports import ExternalOrder


def test_a_stop_tells_its_trigger_on_both_sides() -> None:
    account = Account()
    account.begin()
    stop = web(
        side=Side.SELL, order_type=OrderType.STOP, price=None, trigger=Decimal(80)
    )
    account.answer([stop])
    line = account.order("web_1")
    assert line.here is not None
    assert line.venue is not None
    assert (line.here.price, line.here.trigger) == (None, Decimal(80))
    assert (line.venue.price, line.venue.trigger) == (None, Decimal(80))


def test_an_order_that_came_before_any_question_waits_for_the_first() -> None:
    account = Account()
    made = web()
    account.give(
        ExternalOrder(
            order_id=made.order_id,
            instrument=made.instrument,
            side=made.side,
            order_type=made.order_type,
            quantity=made.quantity,
            price=made.price,
        )
    )
    line = account.order("web_1")
    assert (line.verdict, line.venue) == (Verdict.ASKING, None)
    assert line.reason == "the venue has not been asked yet"
