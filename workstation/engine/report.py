"""The report of a run: one JSON object, and the lines a person reads."""

from __future__ import annotations

from typing import Any

from workstation.engine.session import Session
from workstation.model.money import plain
from workstation.model.positions import AccountView
from workstation.model.states import BookTrust
from workstation.venues.paper.broker import PaperBroker
from workstation.venues.recording.feed import RecordingFeed

__all__ = ["report_dict"]

# The report is JSON by design: values are plain.
Json = dict[str, Any]


def report_dict(session: Session, *, wall_s: float | None = None) -> Json:
    """Return the outcome of a run; money and book prices are strings."""
    engine, run = session.engine, session.run
    account: AccountView = session.executor.account()
    store = engine.store
    report: Json = {
        "mode": run.mode,
        "seed": run.seed,
        "events": engine.delivered,
        "inputs": engine.core.seq,
        "first_ts": engine.first_ts,
        "last_ts": engine.core.ts if engine.started else None,
        "wall_s": wall_s,
        "state_hash": engine.state_hash(),
        "records": store.number,
        "orders": account.orders,
        "fills": account.fills,
        "fees": plain(account.fees),
        "realized_pnl": plain(account.realized),
        "unrealized_pnl": plain(account.unrealized),
        "equity": plain(account.equity),
        "positions": _positions(session),
        "states": {
            strategy.name: {
                name: row.state.value for name, row in strategy.rows.items()
            }
            for strategy in session.strategies
        },
        **_fills(session),
        "feeds": {
            feed.name: {
                "events": feed.delivered,
                "gaps": _gaps(session, feed.instruments),
                "skipped": feed.skipped,
                "errors": 1 if feed.error else 0,
                "shed": feed.shed,
            }
            for feed in engine.sources.feeds
        },
        "books": _books(session),
        "tasks": {handle.name: handle.state.value for handle in engine.registry},
    }
    if engine.journal is not None:
        report["journal"] = str(engine.journal.path)
        report["journal_failure"] = engine.journal.failure
    recorder = session.recorder
    if recorder.folder is not None or recorder.failure is not None:
        report["recording"] = None if recorder.folder is None else str(recorder.folder)
        report["recording_failure"] = recorder.failure
    if (recorded := _recorded(session)) is not None:
        report["recorded"] = recorded
    return report


def _recorded(session: Session) -> Json | None:
    """Return the hash of the run that was recorded, where this one should have it."""
    feeds = [feed.connector for feed in session.engine.sources.feeds]
    recordings = [each.recording for each in feeds if isinstance(each, RecordingFeed)]
    names = {each.recorded for each in feeds if isinstance(each, RecordingFeed)}
    if not recordings or len(recordings) < len(feeds):
        return None
    first = recordings[0]
    if (
        len({each.header.id for each in recordings}) > 1
        or len(names) < len(first.header.feeds)
        or first.end is None
        or not first.gives_the_same
        or not session.engine.ended
    ):
        return None
    expected = first.end.state_hash
    return {
        "state_hash": expected,
        "same": expected == session.engine.state_hash(),
    }


def _positions(session: Session) -> dict[str, str]:
    return {
        instrument.id: plain(net)
        for instrument in session.run.instruments
        if (net := session.executor.net(instrument.id)) != 0
    }


def _fills(session: Session) -> Json:
    """Return by which model orders were filled, where no venue did."""
    if not any(isinstance(each, PaperBroker) for each in session.engine.brokers):
        return {}
    settings = session.run.brokers[0]
    names = [each.id for each in session.run.instruments]
    return {
        "fill_model": settings.fill_model,
        "assumptions": settings.assumptions,
        "filled_from": {name: _source(session, name) for name in names},
    }


def _source(session: Session, instrument: str) -> str:
    """Return the best kind of data that orders of an instrument were filled from."""
    live = session.aggregator.instrument(instrument)
    if live.bars_only:
        return "bars" if live.bars_feed else "nothing yet"
    if live.book is not None:
        return "book"
    return "quotes" if live.bid > 0 or live.ask > 0 else "trades"


def _gaps(session: Session, instruments: tuple[str, ...]) -> int:
    books = (session.aggregator.instrument(name).book for name in instruments)
    return sum(book.gaps for book in books if book is not None)


def _books(session: Session) -> Json:
    books: Json = {}
    for instrument in session.run.instruments:
        book = session.aggregator.instrument(instrument.id).book
        if book is None:
            continue
        bid, ask = book.best_bid(), book.best_ask()
        bids, asks = book.depth()
        books[instrument.id] = {
            "update_id": book.update_id,
            "bid": _level(session, instrument.id, bid),
            "ask": _level(session, instrument.id, ask),
            "bid_levels": bids,
            "ask_levels": asks,
            "trusted": book.trust is BookTrust.TRUSTED,
            "crossed": book.crossed,
            "gaps": book.gaps,
            "applied": book.applied,
            "dropped": book.dropped,
        }
    return books


def _level(
    session: Session, instrument: str, level: tuple[float, float] | None
) -> list[str] | None:
    if level is None:
        return None
    details = session.instruments[instrument]
    return [
        f"{level[0]:.{details.price_decimals}f}",
        f"{level[1]:.{details.quantity_decimals}f}",
    ]
