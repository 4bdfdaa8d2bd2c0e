"""File feeds in a whole run: one that cannot be read fails alone and is seen."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from tests.engine.runs import BINANCE, settings
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import run_backtest
from workstation.engine.report import report_dict
from workstation.engine.session import Session
from workstation.engine.settings import RunSettings
from workstation.kernel import TaskState
from workstation.model.records import FeedRecord, Record

HEAD = b"time,price,size\n"
ROWS = b"".join(b"%d,5,1\n" % (1_723_161_255 + i) for i in range(50))


def _run(run: RunSettings) -> tuple[Session, list[Record]]:
    session = assemble_session(run)
    records: list[Record] = []
    session.engine.core.sinks.append(lambda record, encoded: records.append(record))
    run_backtest(session.engine, None)
    return session, records


def _beside(path: Path, *more: str) -> RunSettings:
    """Return the shipped recording of one symbol, with a feed of trades beside it."""
    return settings(
        'feeds.0.files=["demo-btcusdt.gz"]',
        'feeds.0.symbols=["BTCUSDT"]',
        "feeds.1={type='file',name='other',format='trades',symbols=['XRPUSDT'],"
        f"files=[{json.dumps(str(path))}]}}",
        *more,
        config=BINANCE,
    )


def _cut(path: Path) -> None:
    path.write_bytes(gzip.compress(HEAD + ROWS)[:-20])


def _text(path: Path) -> None:
    path.write_bytes(gzip.compress(HEAD + ROWS + b"x,5,1\n"))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _header(path: Path) -> None:
    path.write_bytes(gzip.compress(b"when,how much\n" + ROWS))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_cut, "packed data is cut short or damaged"),
        (_text, "t.csv.gz:52: time 'x' cannot be read"),
        (_empty, "t.csv.gz:1: no rows"),
        (_header, "t.csv.gz:1: header lacks time, price, size"),
    ],
)
def test_a_feed_that_cannot_be_read_fails_alone_and_says_why(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    path = tmp_path / "t.csv.gz"
    make(path)
    session, records = _run(_beside(path))
    alone, _ = _run(
        settings(
            'feeds.0.files=["demo-btcusdt.gz"]',
            'feeds.0.symbols=["BTCUSDT"]',
            config=BINANCE,
        )
    )
    feeds = {feed.name: feed for feed in session.engine.sources.feeds}

    assert session.engine.registry.get("other").state is TaskState.FAILED
    assert feeds["spot"].delivered == alone.engine.sources.feeds[0].delivered > 1_000
    (failed,) = [
        record
        for record in records
        if isinstance(record, FeedRecord) and record.what == "failed"
    ]
    assert failed.feed == "other"
    assert words in failed.detail
    told = report_dict(session)["feeds"]
    assert isinstance(told, dict)
    assert (told["other"]["errors"], told["spot"]["errors"]) == (1, 0)
    for each in (session, alone):
        each.close()


def test_a_damaged_row_that_is_skipped_is_counted_and_the_feed_goes_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(HEAD + ROWS[:70] + b"1723161260,nan,1\n" + ROWS[70:])
    session, _ = _run(_beside(path, 'feeds.1.on_error="skip"'))
    told = report_dict(session)["feeds"]
    assert isinstance(told, dict)
    assert told["other"]["errors"] == 0
    assert told["other"]["skipped"] > 0
    assert told["other"]["events"] > 40
    session.close()


def test_a_file_without_permission_fails_its_feed_also_where_a_journal_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(HEAD + ROWS)
    run = _beside(path, f"journal.path={json.dumps(str(tmp_path / 'journal'))}")
    really_open = Path.open

    def refusing(self: Path, mode: str = "r", **options: Any) -> IO[Any]:
        if self == path:
            raise PermissionError(13, "Permission denied", str(self))
        opened: IO[Any] = really_open(self, mode, **options)
        return opened

    monkeypatch.setattr(Path, "open", refusing)
    session, _ = _run(run)
    feeds = {feed.name: feed for feed in session.engine.sources.feeds}
    assert feeds["other"].error == (
        "t.csv:1: cannot be read: Permission denied; make it readable for this user"
    )
    assert feeds["spot"].delivered > 1_000
    session.close()


def test_a_run_from_the_cache_has_the_hash_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(HEAD + ROWS)
    hashes = set()
    for cache in ("false", "true", "true"):
        session, _ = _run(_beside(path, f"feeds.1.cache={cache}"))
        hashes.add(session.engine.state_hash())
        session.close()
    assert len(hashes) == 1
