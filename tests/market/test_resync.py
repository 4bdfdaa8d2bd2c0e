"""Wishes for a whole book: when, how often, and until when."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.market.fakes import FakeCore, market
from tests.market.test_aggregator import BTC, S, delta, quote, snapshot
from workstation.market.aggregator import Aggregator
from workstation.model.events import ResyncWanted
from workstation.model.market import BookSnapshot, MarketEvent
from workstation.model.records import ResyncRecord


def broken() -> tuple[Aggregator, FakeCore]:
    """Return a market whose book lost a difference at 10 s."""
    part, core = market()
    core.feed(part, [snapshot(9 * S, 10), delta(10 * S, 13, 14)])
    return part, core


def tries(core: FakeCore) -> list[tuple[int, float, float]]:
    """Return number, time and time of the next try of each, in seconds."""
    return [
        (record.attempt, record.ts / S, record.again_ns / S)
        for record in core.records
        if isinstance(record, ResyncRecord)
    ]


def test_a_gap_is_asked_about_at_once_and_in_the_ledger() -> None:
    part, core = broken()
    reason = "gap: expected update 11, got 13"
    assert core.records[-1] == ResyncRecord(
        seq=2, ts=10 * S, instrument=BTC, attempt=1, again_ns=11 * S, reason=reason
    )
    assert core.emitted[-1] == ResyncWanted(BTC, 10 * S, 1)
    core.advance(11 * S)
    (entry,) = part.gap_ledger()
    assert (entry.tries, entry.until_ns, entry.mended) == (2, None, "")
    core.feed(part, [snapshot(12 * S, 20)])
    (entry,) = part.gap_ledger()
    assert (entry.tries, entry.until_ns) == (2, 12 * S)
    assert entry.mended == "snapshot 20 and 0 buffered differences"


def test_the_wait_doubles_up_to_a_minute_with_one_wish_at_a_time() -> None:
    _, core = broken()
    core.advance(250 * S)
    assert tries(core) == [
        (1, 10.0, 11.0),
        (2, 11.0, 13.0),
        (3, 13.0, 17.0),
        (4, 17.0, 25.0),
        (5, 25.0, 41.0),
        (6, 41.0, 73.0),
        (7, 73.0, 133.0),
        (8, 133.0, 193.0),
        (9, 193.0, 253.0),
    ]
    assert {name for _, name in core.fired} == {f"resync:{BTC}"}


def test_a_mended_book_is_asked_for_no_more() -> None:
    part, core = broken()
    core.feed(part, [snapshot(10 * S + 1, 20)])
    core.advance(500 * S)
    assert len(tries(core)) == 1
    assert part.distrust(BTC, 10 * S + 1) is None


def test_a_snapshot_that_does_not_help_leaves_the_wish_open() -> None:
    part, core = broken()
    core.feed(part, [snapshot(10 * S + 1, 9)])
    core.advance(11 * S)
    assert [attempt for attempt, _, _ in tries(core)] == [1, 2]
    assert part.distrust(BTC, 11 * S) == (
        "book untrusted: gap: expected update 11, got 13"
    )


def test_a_book_that_breaks_again_and_again_is_asked_for_ever_more_rarely() -> None:
    part, core = broken()
    for second in range(10, 40):
        at = second * S + S // 2
        core.feed(
            part,
            [
                snapshot(at, 20 * second),
                delta(at + 1, 20 * second + 9, 20 * second + 9),
            ],
        )
    times = [ts for _, ts, _ in tries(core)]
    assert all(b - a >= 2.0**i for i, (a, b) in enumerate(pairwise(times)))
    assert len(times) <= 5
    core.feed(part, [snapshot(40 * S, 9_000)])
    assert part.distrust(BTC, 40 * S) is None
    core.feed(part, [snapshot(120 * S, 9_100), delta(121 * S, 9_200, 9_200)])
    assert tries(core)[-1] == (1, 121.0, 122.0), "peace as long as the wait ends it"


@pytest.mark.parametrize(
    "event",
    [
        delta(10 * S, 11, 11, bids=((101.5, 1.0),)),
        delta(10 * S, 11, 11, bids=((99.0, -1.0),)),
        BookSnapshot(BTC, 10 * S, 12, ((99.0, 1.0), (99.0, 2.0)), ((101.0, 1.0),)),
        BookSnapshot(BTC, 10 * S, 12, (), ()),
    ],
    ids=["crossed", "no number", "doubled", "empty"],
)
def test_every_break_is_asked_about(event: MarketEvent) -> None:
    part, core = market()
    core.feed(part, [snapshot(9 * S, 10), event])
    assert tries(core) == [(1, 10.0, 11.0)]
    assert part.distrust(BTC, 10 * S) is not None


def test_differences_without_a_first_snapshot_are_asked_about_after_a_while() -> None:
    part, core = market()
    core.feed(part, [delta(10 * S, 5, 6), delta(11 * S, 7, 8)])
    core.advance(14 * S)
    assert tries(core) == []
    core.advance(15 * S)
    assert tries(core) == [(1, 15.0, 16.0)]
    core.feed(part, [snapshot(15 * S + 1, 6)])
    core.advance(100 * S)
    assert len(tries(core)) == 1
    assert part.gap_ledger() == ()


def test_a_first_snapshot_in_time_is_not_asked_for() -> None:
    part, core = market()
    core.feed(part, [delta(10 * S, 5, 6), snapshot(12 * S, 6)])
    core.advance(100 * S)
    assert tries(core) == []


def test_a_paused_feed_is_not_asked_before_it_delivers_again() -> None:
    part, core = broken()
    part.mark_untrusted(BTC, "feed spot paused")
    core.advance(200 * S)
    assert len(tries(core)) == 1
    core.feed(part, [quote(200 * S, 99.0, 101.0)])
    assert tries(core)[1:] == [(1, 200.0, 201.0)]
    core.feed(part, [snapshot(200 * S + 1, 3)])
    assert part.distrust(BTC, 200 * S + 1) is None


def test_a_feed_that_begins_again_with_a_whole_book_is_not_asked_for_one() -> None:
    part, core = market()
    core.feed(part, [snapshot(S, 10)])
    part.mark_untrusted(BTC, "feed spot paused")
    core.feed(part, [snapshot(2 * S, 3)])
    core.advance(100 * S)
    assert tries(core) == []


def test_best_prices_are_proven_by_a_ticker_or_by_a_trusted_book() -> None:
    part, core = market()
    live = part.instrument(BTC)
    assert live.is_top_proven, "there are none"
    core.feed(part, [snapshot(9 * S, 10)])
    assert live.is_top_proven
    core.feed(part, [delta(10 * S, 13, 14)])
    assert not live.is_top_proven, "they are the broken book's"
    core.feed(part, [quote(10 * S, 98.0, 102.0, 9)])
    assert not live.is_top_proven, "a late ticker proves nothing"
    core.feed(part, [quote(10 * S, 98.0, 102.0, 15)])
    assert live.is_top_proven
    assert part.distrust(BTC, 10 * S) is not None, "but nothing is entered"
    core.feed(part, [snapshot(11 * S, 20), delta(12 * S, 30, 31)])
    assert not live.is_top_proven
    core.feed(part, [snapshot(13 * S, 32)])
    assert live.is_top_proven


def test_an_open_wish_is_part_of_the_state() -> None:
    part, core = broken()
    before = part.digest()
    core.advance(11 * S)
    assert part.digest() != before
