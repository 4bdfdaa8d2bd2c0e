"""How long requests and reports travel: drawn by the seed, never overtaking."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.requests import submit
from tests.execution.fakes import NS, quote
from tests.venues.paper_venue import Venue
from workstation.model.instruments import Side
from workstation.model.randomness import random_stream
from workstation.model.reports import (
    OrderAccepted,
    OrderCanceled,
    OrderFilledReport,
    OrderReplaced,
)
from workstation.model.requests import (
    CancelOrder,
    QueryOrder,
    ReplaceOrder,
    SubmitOrder,
)
from workstation.venues.paper.latency import Latency, quantile
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
MS = 1_000_000
BUY, SELL = Side.BUY, Side.SELL
SPREAD = (1.0, 30.0, 80.0, 200.0, 500.0)


def test_the_five_numbers_are_its_quantiles() -> None:
    shares = [0.0, 0.25, 0.5, 0.7, 0.9, 0.99, 1.0]
    drawn = [quantile(SPREAD, share) for share in shares]
    assert drawn == pytest.approx([1, 15.5, 30, 55, 80, 200, 500])
    assert quantile((7.0,), 0.3) == 7.0


@given(
    st.lists(st.floats(0, 1000), min_size=5, max_size=5).map(sorted), st.floats(0, 1)
)
def test_what_is_drawn_lies_between_least_and_most(
    values: list[float], share: float
) -> None:
    drawn = quantile(tuple(values), share)
    assert values[0] <= drawn <= values[-1] * (1 + 1e-12)


@pytest.mark.parametrize(
    ("field", "due_ms"),
    [("place_ms", 9), ("cancel_ms", 90), ("replace_ms", 900), ("report_ms", 5)],
)
def test_each_way_has_its_own_key(field: str, due_ms: int) -> None:
    given = msgspec.convert(
        {"type": "paper", "latency_ms": 0, field: [due_ms]}, PaperBrokerSettings
    )
    venue = Venue(given)
    venue.feed(quote(1, 100.0, 100.2))
    order_id = venue.submit(BUY, "1", "99.0")
    sent = {"place": NS}
    venue.core.advance(2 * NS)
    sent["replace"] = 2 * NS
    venue.ask(ReplaceOrder(order_id, D(1), D("98.0")))
    venue.core.advance(3 * NS + 100 * MS)
    sent["cancel"] = venue.core.ts
    venue.ask(CancelOrder(order_id))
    venue.core.advance(5 * NS)
    times = {type(report): ts for ts, report in venue.reports}
    took = {
        "place_ms": times[OrderAccepted] - sent["place"],
        "replace_ms": times[OrderReplaced] - sent["replace"],
        "cancel_ms": times[OrderCanceled] - sent["cancel"],
    }
    expected = dict.fromkeys(took, due_ms * MS if field == "report_ms" else 0)
    if field != "report_ms":
        expected[field] = due_ms * MS
    assert took == expected


def test_requests_about_one_order_never_overtake_each_other() -> None:
    settings = PaperBrokerSettings(place_ms=(200.0,), cancel_ms=(1.0,))
    latency = Latency(settings, random_stream(1, "x"))
    cancel = CancelOrder("o")
    placed = latency.arrival(QueryOrder("o"), "o", 0)
    assert (placed, latency.arrival(cancel, "o", 5)) == (200 * MS, 200 * MS)
    assert latency.arrival(cancel, "p", 5) == 5 + MS


def test_what_clears_the_way_of_an_order_is_there_before_it() -> None:
    settings = PaperBrokerSettings(
        place_ms=(1.0,), replace_ms=(2.0,), cancel_ms=(50.0,)
    )
    latency = Latency(settings, random_stream(1, "x"))
    assert latency.arrival(CancelOrder("a"), "a", 0) == 50 * MS
    order = submit("o").order
    assert latency.arrival(SubmitOrder(order, ("a", "gone")), "o", 0) == 51 * MS
    change = ReplaceOrder("q", D(1), None, after=("a",))
    assert latency.arrival(change, "q", 0) == 52 * MS
    assert latency.arrival(SubmitOrder(order), "p", 0) == MS


@given(st.integers(0, 1000), st.lists(st.integers(0, 10**8), max_size=40))
def test_neither_do_reports(seed: int, gaps: list[int]) -> None:
    latency = Latency(
        PaperBrokerSettings(report_ms=SPREAD), random_stream(seed, "paper latency")
    )
    now, last = 0, 0
    for gap in gaps:
        now += gap
        due = latency.report("o", now)
        assert max(last, now + MS) <= due <= max(last, now + 500 * MS)
        last = due


def _times(seed: int) -> list[int]:
    venue = Venue(PaperBrokerSettings(place_ms=SPREAD, report_ms=SPREAD), seed=seed)
    for number in range(1, 6):
        venue.feed(quote(number, 100.0, 100.2))
        venue.submit(BUY if number % 2 else SELL, "1")
    venue.core.advance(9 * NS)
    assert len(venue.got(OrderFilledReport)) == 5
    return [ts for ts, _ in venue.reports]


def test_the_seed_decides_and_nothing_else() -> None:
    assert _times(7) == _times(7)
    assert _times(7) != _times(8)


@pytest.mark.parametrize("given", [[1, 2], [5, 4, 3, 2, 1], [-1]])
def test_other_shapes_are_refused(given: list[float]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"type": "paper", "place_ms": given}, PaperBrokerSettings)
