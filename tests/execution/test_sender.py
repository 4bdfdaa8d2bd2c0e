"""One road to the broker: counted, in batches where it takes them, never held back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import FakeCore, signal
from tests.execution.quoting import Quoter
from workstation.execution.rates import RateBudgets
from workstation.execution.sender import Sender
from workstation.model.events import OrderDenied
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.requests import (
    BatchRequest,
    CancelOrder,
    QueryOrder,
    ReplaceOrder,
    SubmitOrder,
)

D = Decimal
LIMIT = RateLimit(window_s=60, weight=100, place=1, modify=2, cancel=3, query=5)


def sender(batch: int = 1, *limits: RateLimit) -> tuple[Sender, FakeCore]:
    core = FakeCore()
    made = Sender(RateBudgets(limits or (LIMIT,)), BrokerAbilities(batch=batch))
    made.attach(core)
    return made, core


def test_each_request_is_sent_and_counted_by_its_kind() -> None:
    box, core = sender()
    box.send(CancelOrder("a"))
    box.send(QueryOrder("b"))
    box.send(ReplaceOrder("c", D(1), D(1)))
    assert core.requests == [
        CancelOrder("a"),
        QueryOrder("b"),
        ReplaceOrder("c", D(1), D(1)),
    ]
    assert box.rates.used(core.ts) == 0.1


def test_what_is_gathered_leaves_in_batches_of_one_kind_in_order() -> None:
    box, core = sender(2)
    with box.gather():
        for name in "abc":
            box.send(CancelOrder(name))
        box.send(ReplaceOrder("d", D(1), D(1)))
        assert core.requests == []
    assert core.requests == [
        BatchRequest((CancelOrder("a"), CancelOrder("b"))),
        CancelOrder("c"),
        ReplaceOrder("d", D(1), D(1)),
    ]
    # Nothing says that a batch weighs less here.
    assert box.rates.used(core.ts) == 0.11


def test_a_broker_without_batches_gets_them_one_by_one() -> None:
    box, core = sender(1)
    with box.gather():
        box.send(CancelOrder("a"))
        assert core.requests == [CancelOrder("a")]


def test_what_was_gathered_leaves_though_something_fails() -> None:
    box, core = sender(5)

    def fail() -> None:
        with box.gather():
            box.send(CancelOrder("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert core.requests == [CancelOrder("a")]
    box.send(CancelOrder("b"))
    assert len(core.requests) == 2


def test_an_entry_beyond_the_rate_is_denied_and_an_exit_is_not() -> None:
    desk = Quoter(rates=[RateLimit(window_s=60, weight=2)], cancel_share=0.5)
    desk.give(signal("enter_long", "1"))
    desk.fill("o-1", "1", "100.2")
    desk.give(signal("enter_long", "1", instrument="ETH"))
    desk.quote(10.0, 10.1, "ETH")
    desk.give(signal("enter_long", "1", instrument="ETH"))
    denied = desk.core.said(OrderDenied)[-1]
    assert denied.code == "RATE_LIMITED"
    assert denied.text == (
        "1 of 1 used in 60 s, 1 of 2 are kept for cancels; place weighs 1, free in "
        "60.00 s"
    )
    desk.give(signal("exit"))
    left = [r.order for r in desk.asked() if isinstance(r, SubmitOrder)]
    assert [order.reduce_only for order in left] == [False, True]
