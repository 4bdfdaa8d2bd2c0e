"""The merge of sources: by time, then by feed; one that fails takes no other along."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.engine.runs import Deaf, ListFeed, quote
from workstation.engine.builder import EngineBuilder
from workstation.engine.engine import Engine
from workstation.engine.sources import Sources
from workstation.kernel import TaskState
from workstation.model.market import Quote
from workstation.model.records import FeedRecord, Record


def _drain(sources: Sources) -> list[tuple[int, str]]:
    taken = []
    while sources.peek_ts() is not None:
        ts, _, _, feed = sources.pop()
        taken.append((ts, feed.name))
    return taken


def _engine(*feeds: ListFeed) -> tuple[Engine, list[int], list[Record]]:
    seen: list[int] = []
    builder = EngineBuilder().with_aggregator(
        Deaf("aggregator", Quote, on=lambda core, event: seen.append(event.ts_recv))
    )
    for feed in feeds:
        builder.with_connector(feed)
    engine = builder.with_strategy(Deaf("s")).with_executor(Deaf("x")).build()
    records: list[Record] = []
    engine.core.sinks.append(lambda record, encoded: records.append(record))
    return engine, seen, records


@given(st.lists(st.lists(st.integers(1, 20), max_size=8), min_size=1, max_size=4))
def test_events_come_by_time_then_feed_then_place(times: list[list[int]]) -> None:
    feeds = [
        ListFeed(f"f{order}", [quote(ts) for ts in sorted(each)])
        for order, each in enumerate(times)
    ]
    expected = sorted(
        (ts, f"f{order}") for order, each in enumerate(times) for ts in sorted(each)
    )
    sources = Sources(feeds)
    assert _drain(sources) == expected
    assert all(feed.ended for feed in sources.feeds)


def test_a_feed_that_raises_has_failed_and_the_others_go_on() -> None:
    engine, seen, records = _engine(
        ListFeed("a", [quote(1), quote(3), quote(5)], fail_at=1),
        ListFeed("b", [quote(2), quote(4)]),
    )
    engine.start()
    while engine.step():
        pass
    assert seen == [1, 2, 4]
    assert engine.registry.get("a").state is TaskState.FAILED
    assert engine.registry.get("b").state is TaskState.RUNNING
    (failed,) = [r for r in records if isinstance(r, FeedRecord) and r.feed == "a"]
    assert (failed.what, failed.detail) == ("failed", "the disk is gone")


def test_a_feed_that_fails_at_its_first_event_has_failed_too() -> None:
    engine, seen, _ = _engine(ListFeed("a", [], fail_at=0), ListFeed("b", [quote(2)]))
    engine.start()
    while engine.step():
        pass
    assert seen == [2]
    assert engine.registry.get("a").state is TaskState.FAILED


def test_a_paused_feed_that_fails_has_failed() -> None:
    engine, _, _ = _engine(ListFeed("a", [quote(1), quote(2)], fail_at=2))
    engine.start()
    engine.registry.pause("a")
    engine.sources.feeds[0].paused = True
    engine.step()
    engine.step()
    assert engine.registry.get("a").state is TaskState.FAILED


def test_a_stopped_feed_delivers_nothing_of_what_it_had_left() -> None:
    engine, seen, _ = _engine(
        ListFeed("a", [quote(1), quote(3)]), ListFeed("b", [quote(2), quote(4)])
    )
    engine.start()
    engine.step()
    engine.sources.stop("a")
    while engine.step():
        pass
    assert seen == [1, 2, 4]
    assert engine.ended


def test_a_paused_feed_sheds_and_time_goes_on() -> None:
    engine, seen, _ = _engine(
        ListFeed("a", [quote(1), quote(2), quote(6)]), ListFeed("b", [quote(4)])
    )
    feed = engine.sources.feeds[0]
    engine.start()
    feed.paused = True
    engine.step()
    assert engine.clock.now() == 1
    feed.passes = 1
    while engine.step():
        pass
    assert seen == [2, 4]
    assert (feed.delivered, feed.shed) == (1, 2)
    assert (engine.pulled, engine.delivered) == (4, 2)
    assert engine.clock.now() == 6


def test_closing_the_engine_closes_each_feed_once() -> None:
    feeds = [ListFeed("a", []), ListFeed("b", [])]
    engine, _, _ = _engine(*feeds)
    engine.close()
    engine.close()
    assert [feed.closed for feed in feeds] == [True, True]


def test_a_feed_whose_time_goes_back_does_not_turn_the_clock() -> None:
    engine, seen, _ = _engine(ListFeed("a", [quote(5), quote(3)]))
    engine.start()
    while engine.step():
        pass
    assert seen == [5, 3]
    assert engine.core.ts == 5


def test_a_feed_is_said_to_have_ended_after_its_last_event() -> None:
    engine, seen, records = _engine(ListFeed("f", [quote(1), quote(2)]))
    engine.start()
    assert engine.step()
    assert engine.step()
    assert seen == [1, 2]
    (ended,) = [r for r in records if isinstance(r, FeedRecord)]
    assert (ended.what, ended.seq) == ("ended", 2)
