"""A broken book asks its feed; a recording of the same run decides the same."""

from __future__ import annotations

import pytest

from tests.engine.runs import ListFeed, finish, frame_of, kept, small
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.session import Session
from workstation.engine.sources import Sources
from workstation.model.commands import PauseTask, ResumeTask
from workstation.model.market import BookSnapshot, MarketEvent
from workstation.model.records import BookRecord, ResyncRecord, TaskRecord
from workstation.model.roles import Resyncing
from workstation.model.states import BookTrust

GAPS = ("feeds.0.gaps_per_hour=120",)
"""One difference in sixty is lost: some three in a minute of both symbols."""


class Teed:
    """A connector that keeps what another delivers; it can be asked as that can."""

    def __init__(self, session: Session) -> None:
        (self.feed,) = session.engine.sources.feeds
        connector = self.feed.connector
        assert isinstance(connector, Resyncing)
        self.name, self.resync = connector.name, connector.resync
        self.asked: list[str] = []
        self.events: list[MarketEvent] = []
        self._connector = connector
        self._next = connector.next
        self.feed.pull = self.next
        self.feed.resync = self._resync

    def next(self) -> tuple[int, MarketEvent] | None:
        following = self._next()
        if following is not None:
            self.events.append(following[1])
        return following

    def _resync(self, instrument: str) -> None:
        self.asked.append(instrument)
        self.resync(instrument)


def played(session: Session, events: list[MarketEvent]) -> Session:
    """Return the session with a recording in place of its feed."""
    sources = session.engine.sources
    (feed,) = sources.feeds
    replaced = Sources([ListFeed(feed.name, events)])
    replaced.feeds[0].instruments = feed.instruments
    replaced.on_end, replaced.on_error = sources.on_end, sources.on_error
    session.engine.sources = replaced
    return session


def test_a_simulated_feed_mends_its_gaps_when_it_is_asked() -> None:
    session = small(*GAPS)
    teed = Teed(session)
    finish(session)
    ledger = session.aggregator.gap_ledger()
    assert len(ledger) > 3
    assert all(entry.tries >= 1 for entry in ledger)
    mended = [entry for entry in ledger if entry.until_ns is not None]
    assert len(mended) >= len(ledger) - 2, "what broke at the very end stays open"
    assert all(entry.mended.startswith("snapshot ") for entry in mended)
    assert len(teed.asked) == sum(entry.tries for entry in ledger)
    asked_twice = [entry for entry in mended if entry.tries > 1]
    assert asked_twice, "an answer may take longer than the first wait"
    rows = frame_of(session, 0, "gaps").gaps
    assert rows is not None
    assert {(row.feed, row.asked) for row in rows} == {("market", True)}
    assert [row.tries for row in rows] == [entry.tries for entry in reversed(ledger)]
    assert [row.mended for row in rows] == [e.mended for e in reversed(ledger)]


def test_a_recording_of_a_run_with_gaps_decides_the_same() -> None:
    first = small(*GAPS)
    teed = Teed(first)
    made = kept(first)
    expected = finish(first)
    again = played(small(*GAPS), teed.events)
    found = kept(again)
    assert finish(again) == expected
    assert found == made
    assert any(isinstance(record, ResyncRecord) for record in made)


def test_a_recording_cannot_be_asked_and_says_so() -> None:
    first = small(*GAPS)
    teed = Teed(first)
    finish(first)
    snapshots = [e for e in teed.events if isinstance(e, BookSnapshot)]
    unmended = [e for e in teed.events if e not in snapshots[2:]]
    session = played(small(*GAPS), unmended)
    finish(session)
    frame = frame_of(session, 0, "gaps")
    assert frame.gaps is not None
    assert {(row.asked, row.until_ns) for row in frame.gaps} == {(False, None)}
    assert {alert.remedy for alert in frame.alerts if "book" in alert.text} == {
        "A recording can't be asked; its next snapshot mends it."
    }


def test_the_alert_tells_the_try_and_the_wait() -> None:
    session = small(*GAPS)
    engine = session.engine
    while not session.aggregator.gap_ledger():
        engine.step()
    (alert,) = (a for a in frame_of(session).alerts if a.active)
    assert alert.text.endswith("book untrusted: gap. Will not trade.")
    assert alert.remedy == "Resync try 2 in 1 s."


def test_a_feed_that_fails_when_asked_is_counted_and_the_run_goes_on() -> None:
    def fail(instrument: str) -> None:
        raise OSError("no route to the venue")

    session = small(*GAPS)
    (feed,) = session.engine.sources.feeds
    feed.resync = fail
    made = kept(session)
    finish(session)
    stats = {task.name: task for task in frame_of(session, 0, "tasks").tasks or ()}
    asked = sum(isinstance(record, ResyncRecord) for record in made)
    assert stats["market"].errors == asked > 5
    after = [r for r in made if isinstance(r, TaskRecord) and r.after == "failed"]
    assert after == []


def test_a_resumed_feed_is_asked_for_whole_books_at_its_first_event() -> None:
    session = small("feeds.0.gaps_per_hour=0")
    teed = Teed(session)
    run_backtest(session.engine, Until(events=500))
    session.execute(PauseTask(task="market"))
    for _ in range(100):
        session.engine.step()
    assert teed.asked == []
    session.execute(ResumeTask(task="market"))
    found = kept(session)
    finish(session)
    assert sorted(set(teed.asked)) == ["BTCUSDT", "ETHUSDT"]
    trusted = [
        record.instrument
        for record in found
        if isinstance(record, BookRecord) and record.after is BookTrust.TRUSTED
    ]
    assert sorted(trusted) == ["BTCUSDT", "ETHUSDT"]


@pytest.mark.parametrize("gaps", [0, 600])
def test_nothing_is_entered_on_a_book_that_waits_for_its_resync(gaps: int) -> None:
    session = small(f"feeds.0.gaps_per_hour={gaps}")
    engine, aggregator = session.engine, session.aggregator
    bad = 0
    while engine.step():
        for name in aggregator.instruments:
            book = aggregator.book(name)
            if book is not None and book.trust is BookTrust.UNTRUSTED:
                bad += 1
                assert aggregator.distrust(name, engine.core.ts) is not None
    session.close()
    assert (bad > 0) == (gaps > 0)
