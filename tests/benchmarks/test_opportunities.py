"""What the opportunity detector adds to a quote, by the number of venues.

The baseline is the same quotes in an Aggregator without a detector. Prices never cross:
what an open opportunity costs is measured apart, with a life that never ends.
"""

from __future__ import annotations

import statistics
from decimal import Decimal
from typing import Any

import pytest

from tests.benchmarks.budget import ROUNDS, cpu_ns
from tests.market.fakes import FakeCore
from workstation.market.aggregator import Aggregator
from workstation.market.opportunities import OpportunityDetector
from workstation.market.settings import OpportunitySettings, StorageSettings
from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument
from workstation.model.market import Quote

pytestmark = pytest.mark.benchmark(group="opportunities")

QUOTES = 40_000


def instruments(venues: int) -> list[Instrument]:
    """Return one market at this many venues."""
    return [
        Instrument(
            id=f"BTCUSDT.v{index}",
            venue=f"v{index}",
            symbol="BTCUSDT",
            base="BTC",
            quote="USDT",
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.001"),
        )
        for index in range(venues)
    ]


def quotes(venues: int, apart: float = 0.0) -> list[Quote]:
    """Return quotes by turns; each venue is ``apart`` dearer than the one before."""
    return [
        Quote(
            f"BTCUSDT.v{index % venues}",
            1_000 + index * 1_000,
            100.0 + index % 7 * 0.01 + index % venues * apart,
            1.0,
            100.1 + index % 7 * 0.01 + index % venues * apart,
            1.0,
        )
        for index in range(QUOTES)
    ]


def aggregator(venues: int, detecting: bool) -> Aggregator:
    """Return an Aggregator over the venues of one market."""
    chosen = instruments(venues)
    fees = {each.venue: VenueFees(Decimal(1), Decimal(4)) for each in chosen}
    detector = OpportunityDetector(OpportunitySettings(), chosen, fees)
    part = Aggregator(StorageSettings(), chosen, detector if detecting else None)
    part.attach(FakeCore(1_000))
    return part


def ns_per_quote(venues: int, detecting: bool, apart: float = 0.0) -> float:
    """Return the CPU time of a quote, median of five rounds, in ns."""
    events = quotes(venues, apart)

    def once() -> float:
        on_quote = aggregator(venues, detecting).on_quote

        def work() -> None:
            for event in events:
                on_quote(event)

        return cpu_ns(work) / QUOTES

    return statistics.median(once() for _ in range(ROUNDS))


def added_ns(venues: int, apart: float = 0.0) -> tuple[float, float]:
    """Return what the detector adds to a quote, and the quote without it, in ns."""
    bare = ns_per_quote(venues, False, apart)
    return ns_per_quote(venues, True, apart) - bare, bare


@pytest.mark.parametrize("venues", [1, 2, 5])
def test_quotes_of_several_venues(benchmark: Any, venues: int) -> None:
    events = quotes(venues)

    def setup() -> tuple[tuple[Any], dict[str, Any]]:
        return (aggregator(venues, True).on_quote,), {}

    def run(on_quote: Any) -> None:
        for event in events:
            on_quote(event)

    benchmark.pedantic(run, setup=setup, rounds=5)
    if benchmark.stats is not None:
        median = benchmark.stats.stats.median
        benchmark.extra_info["ns_per_quote"] = median / QUOTES * 1e9


def test_one_venue_has_no_watcher() -> None:
    watched, bare = (aggregator(1, detecting) for detecting in (True, False))
    count = [len(p.instrument("BTCUSDT.v0").top_watchers) for p in (watched, bare)]
    assert count[0] == count[1]
