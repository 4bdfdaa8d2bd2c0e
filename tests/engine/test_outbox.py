"""The outbox: nothing leaves before what led to it is on disk."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.requests import submit
from workstation.engine.journal import Journal
from workstation.engine.outbox import Outbox
from workstation.model.requests import (
    CancelOrder,
    QueryOrder,
    ReplaceOrder,
    Request,
)


def _journal(rows: int = 0, durable: int = 0) -> SimpleNamespace:
    journal = SimpleNamespace(rows=rows, durable_rows=durable, failure=None, over=0)

    def whole() -> None:
        journal.over = journal.rows

    journal.whole = whole
    return journal


def _outbox(journal: SimpleNamespace) -> Outbox:
    return Outbox(cast(Journal, journal))


def test_without_a_journal_nothing_waits() -> None:
    outbox = Outbox(None)
    outbox.put(submit("a"))
    assert len(outbox) == 1
    assert outbox.take() == ([submit("a")], [])
    assert len(outbox) == 0


def test_a_request_waits_for_the_rows_that_were_there_when_it_was_made() -> None:
    journal = _journal(rows=3)
    outbox = _outbox(journal)
    outbox.put(submit("a"))
    journal.rows = 5
    outbox.put(CancelOrder("a"))
    journal.durable_rows = 2
    assert outbox.take() == ([], [])
    journal.durable_rows = 3
    assert outbox.take() == ([submit("a")], [])
    journal.durable_rows = 5
    assert outbox.take() == ([CancelOrder("a")], [])


def test_who_looks_what_may_leave_says_that_the_input_is_over() -> None:
    journal = _journal(rows=3)
    outbox = _outbox(journal)
    outbox.take()
    assert journal.over == 0, "nothing waits for it"
    outbox.put(submit("a"))
    outbox.take()
    assert journal.over == 3


def test_once_the_journal_has_failed_only_what_reduces_risk_leaves() -> None:
    journal = _journal(rows=2)
    outbox = _outbox(journal)
    entry, stop = submit("a"), submit("b", reduce_only=True)
    replace = ReplaceOrder("d", Decimal(1), None)
    for request in (entry, stop, CancelOrder("c"), replace, QueryOrder("e")):
        outbox.put(request)
    journal.failure = "disk full"
    leaving, refused = outbox.take()
    assert leaving == [stop, CancelOrder("c"), QueryOrder("e")]
    assert refused == [entry, replace]


def test_an_order_is_taken_out_as_long_as_it_is_here() -> None:
    outbox = _outbox(_journal(rows=1))
    for request in (submit("a"), submit("b"), QueryOrder("a")):
        outbox.put(request)
    assert outbox.withdraw("a")
    assert not outbox.withdraw("a")
    assert len(outbox) == 2
    outbox = Outbox(None)
    outbox.put(submit("a"))
    outbox.take()
    assert not outbox.withdraw("a"), "it has left"


@given(st.lists(st.tuples(st.sampled_from("pwc"), st.integers(1, 4)), max_size=40))
def test_requests_leave_in_order_and_never_before_their_rows(
    steps: list[tuple[str, int]],
) -> None:
    journal = _journal()
    outbox = _outbox(journal)
    made: list[tuple[int, Request]] = []
    left: list[Request] = []
    for step, count in steps:
        if step == "p":
            request = CancelOrder(f"{len(made)}")
            made.append((journal.rows, request))
            outbox.put(request)
        elif step == "w":
            journal.rows += count
        else:
            journal.durable_rows = min(journal.rows, journal.durable_rows + count)
        left += outbox.take()[0]
        due = [request for mark, request in made if mark <= journal.durable_rows]
        assert left == due
