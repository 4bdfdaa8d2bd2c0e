"""Frames of feeds and gaps: which book is not trusted and why, who is silent."""

from __future__ import annotations

from tests.engine.runs import frame_of, running, small
from workstation.engine.frames import FeedRow, GapRow
from workstation.engine.session import Session
from workstation.model.market import BookDelta, BookSnapshot, Quote

S = 1_000_000_000


def feed_of(session: Session, *more: str) -> FeedRow:
    feeds = frame_of(session, 0, "feeds", *more).feeds
    assert feeds is not None
    return feeds[0]


def gaps_of(session: Session) -> tuple[GapRow, ...]:
    gaps = frame_of(session, 0, "gaps").gaps
    assert gaps is not None
    return gaps


def started() -> Session:
    session = small()
    session.engine.start()
    for name in ("BTCUSDT", "ETHUSDT"):
        snapshot(session, name, 100)
    return session


def snapshot(session: Session, name: str, last_id: int, at: int = 0) -> None:
    ts = session.engine.core.ts + at * S
    session.engine.core.ts = ts
    levels = ((1.0, 1.0),), ((2.0, 1.0),)
    session.aggregator.handle_event(BookSnapshot(name, ts, last_id, *levels))


def tear(session: Session, name: str = "BTCUSDT", first_id: int = 150) -> None:
    ts = session.engine.core.ts + S
    session.engine.core.ts = ts
    session.aggregator.handle_event(
        BookDelta(name, ts, first_id, first_id + 1, bids=((1.0, 3.0),), asks=())
    )


def test_a_feed_counts_its_trusted_books_and_names_the_first_that_is_not() -> None:
    session = started()
    assert (feed_of(session).books_ok, feed_of(session).book_count) == (2, 2)
    assert feed_of(session).distrusted == ""
    tear(session, "ETHUSDT")
    row = feed_of(session)
    assert (row.books_ok, row.book_count, row.gaps) == (1, 2, 1)
    assert row.distrusted == (
        "ETHUSDT book untrusted: gap: expected update 101, got 150"
    )


def test_the_symbol_that_has_been_silent_for_longest_is_named() -> None:
    session = started()
    now = session.engine.core.ts
    session.aggregator.handle_event(Quote("BTCUSDT", now + 9 * S, 1.0, 1.0, 2.0, 1.0))
    session.engine.core.ts = now + 10 * S
    assert (feed_of(session).worst_symbol, feed_of(session).worst_ns) == (
        "ETHUSDT",
        10 * S,
    )


def test_a_feed_that_has_brought_nothing_has_no_silent_symbol() -> None:
    row = feed_of(small())
    assert (row.worst_symbol, row.worst_ns, row.book_count) == ("", None, 0)


def test_all_books_are_brought_only_where_they_are_asked_for() -> None:
    session = started()
    assert feed_of(session).books == ()
    assert [b.symbol for b in feed_of(session, "feed_books").books] == [
        "BTCUSDT",
        "ETHUSDT",
    ]


def test_open_gaps_come_first_and_the_newest_first_among_them() -> None:
    session = started()
    tear(session, "BTCUSDT")
    tear(session, "ETHUSDT")
    tear(session, "BTCUSDT", 300)
    snapshot(session, "BTCUSDT", 400, at=1)
    tear(session, "BTCUSDT", 900)
    shown = [(g.instrument, g.expected, g.until_ns is None) for g in gaps_of(session)]
    assert shown == [
        ("BTCUSDT", 401, True),
        ("ETHUSDT", 101, True),
        ("BTCUSDT", 101, False),
    ]
    assert gaps_of(session)[0].feed == "market"
    assert gaps_of(session)[2].mended.startswith("snapshot 400")


def test_a_ledger_that_stands_is_not_made_again() -> None:
    session = started()
    tear(session)
    first = gaps_of(session)
    assert gaps_of(session) is first
    snapshot(session, "BTCUSDT", 400, at=1)
    assert gaps_of(session) is not first
    assert gaps_of(session)[0].until_ns is not None


def test_the_book_says_what_the_alert_says_will_mend_it() -> None:
    session = started()
    tear(session)
    frame = frame_of(session, 0, "book")
    assert frame.book is not None
    (alert,) = frame.alerts
    assert frame.book.remedy == alert.remedy != ""


def test_a_running_feed_has_every_book_trusted() -> None:
    row = feed_of(running())
    assert row.books_ok == row.book_count == row.symbols == 2
