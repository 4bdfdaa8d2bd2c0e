"""The journal: what it holds is proven, what it cannot hold it says."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Event

import msgspec
import pytest

from tests.engine.runs import SMALL, finish, settings, small, small_disk
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.hashing import encode
from workstation.engine.journal import Journal, journal_file
from workstation.engine.journal_reader import JournalReader
from workstation.engine.journalled import Interrupt
from workstation.engine.replay import replay_journal
from workstation.model.commands import Command, Hold, Inject, Override, PauseTask
from workstation.model.errors import JournalError
from workstation.model.market import BookSnapshot, Quote
from workstation.model.records import NoteRecord
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import SymbolState
from workstation.strategy.script import Script


def _note(seq: int) -> NoteRecord:
    return NoteRecord(seq=seq, ts=seq, strategy="s", instrument="i", text=str(seq))


def _write(journal: Journal, *seqs: int) -> None:
    for seq in seqs:
        journal.record(_note(seq), encode(_note(seq)))


def _committed(journal: Journal) -> list[int]:
    """Return how many rows are durable after each commit, noted as it is made."""
    commits: list[int] = []
    journal.on_durable = lambda: commits.append(journal.durable_rows)
    return commits


def test_what_an_input_has_led_to_is_committed_together(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    journal = Journal(path, {"format": 1})
    commits = _committed(journal)
    journal.whole()
    journal.input(1, 0, Hold(on=True))
    _write(journal, 1, 1, 1)
    _write(journal, 2, 2, 3)
    journal.close({})
    # The header, then whole inputs: 4 rows of the first, 2 of the second, 1 with the
    # summary of the end.
    assert commits[-1] == 9
    assert set(commits) <= {1, 5, 7, 9}


def test_an_input_that_is_not_over_is_not_committed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite", {"format": 1})
    over = Event()
    journal.on_durable = over.set
    _write(journal, 1, 1, 2)
    # Only of the first input it is known that no more rows come.
    while journal.durable_rows < 3:
        assert over.wait(10)
        over.clear()
    assert journal.durable_rows == 3
    assert journal.rows == 4
    journal.whole()
    journal.whole()
    while journal.durable_rows < 4:
        assert over.wait(10)
        over.clear()
    journal.close({})
    assert journal.durable_rows == journal.rows == 5


def test_what_was_written_is_read_again_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "j.sqlite"
    values: list[Command | Interrupt] = [
        PauseTask(task="x", reason="ünd"),
        Hold(on=True),
        Override(strategy="s", instrument="i", state=SymbolState.WATCH, lock=True),
        Inject(event=Quote("i", 1, 1.5, 2.0, 3.0, 4.0)),
        Inject(event=BookSnapshot("i", 1, 7, ((1.0, 2.0),), ((3.0, 4.0),))),
        Inject(event=Signal(strategy="s", instrument="i", action=SignalAction.EXIT)),
        Interrupt("s", "i", 3, (("ema", (10,), (("x", 1.5),)),)),
    ]
    journal = Journal(path, {"format": 1, "word": "ä"})
    for seq, value in enumerate(values):
        journal.input(seq, seq * 10, value)
    _write(journal, 1, 2, 2, 3)
    journal.close({"inputs": 9})
    assert journal.failure is None
    assert journal.rows == journal.durable_rows == len(values) + 4 + 2
    reader = JournalReader(path)
    assert reader.header == {"format": 1, "word": "ä"}
    assert reader.summary == {"inputs": 9}
    assert [(r.seq, r.pulled, r.value) for r in reader.inputs()] == [
        (seq, seq * 10, value) for seq, value in enumerate(values)
    ]
    assert list(reader.records()) == [(n, encode(_note(n))) for n in (1, 2, 2, 3)]
    assert reader.last_seq() == 6
    reader.close()


def test_a_second_engine_on_the_same_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    first = Journal(path, {})
    with pytest.raises(JournalError, match=r"j\.sqlite: .*(locked|holds a run)"):
        Journal(path, {})
    other = Journal(path, {}, strict=False)
    assert other.failure is not None
    assert "locked" in other.failure
    assert 'path = ""' in other.failure
    _write(other, 1)
    other.close({})
    _write(first, 1)
    first.close({})
    assert first.failure is None
    reader = JournalReader(path)
    assert len(list(reader.records())) == 1
    reader.close()


def test_a_file_that_holds_a_run_takes_no_second(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    Journal(path, {}).close({})
    with pytest.raises(JournalError, match="holds a run already"):
        Journal(path, {})


def test_a_folder_gets_a_new_file_per_run_and_a_name_is_taken_as_it_is() -> None:
    assert journal_file("/x/j.sqlite", "paper", 0) == Path("/x/j.sqlite")
    first = journal_file("/x", "simulation", 1_723_075_200_000_001_000)
    assert first == Path("/x/20240808-000000.000001-simulation.sqlite")
    assert journal_file("/x", "simulation", 1_723_075_200_000_002_000) != first


def test_a_folder_that_cannot_be_written_stops_only_a_strict_run(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "j.sqlite"
    with pytest.raises(JournalError, match="give another folder"):
        Journal(path, {})
    failure = Journal(path, {}, strict=False).failure
    assert failure is not None
    assert 'or path = "" for none' in failure
    with pytest.raises(JournalError, match=r"with \[journal\] path$"):
        Journal(path, {}, synced=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "no such table"),
        (b"hello" * 500, "not a database"),
    ],
)
def test_what_is_no_journal_is_named(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "j.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(JournalError, match=said):
        JournalReader(path)


def test_a_database_of_others_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table meta (key text, value blob)")
    connection.commit()
    connection.close()
    with pytest.raises(JournalError, match="has no header"):
        JournalReader(path)


@pytest.mark.parametrize(
    ("table", "column"), [("meta", "value"), ("inputs", "blob"), ("records", "blob")]
)
def test_a_damaged_journal_is_a_journal_error_or_a_difference(
    tmp_path: Path, table: str, column: str
) -> None:
    path = tmp_path / "j.sqlite"
    session = small('feeds.0.duration="30s"', journal=path)
    session.engine.start()
    session.execute(Hold(on=True))
    finish(session)
    _change(path, f"update {table} set {column} = x'c1ff00'")
    if table == "records":
        result = replay_journal(path)
        assert not result.matches
        assert result.first_seq == 0
        assert "a damaged record" in (result.first_difference or "")
        return
    with pytest.raises(JournalError, match="damaged"):
        replay_journal(path)


def test_a_journal_that_was_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    finish(small(journal=path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(JournalError, match=r"j\.sqlite: "):
        replay_journal(path)


def _change(path: Path, sql: str) -> int:
    connection = sqlite3.connect(path)
    with connection:
        count = connection.execute(sql).rowcount
    connection.close()
    return count


# Full disks.


def test_a_full_disk_does_not_stop_the_run_and_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_disk(monkeypatch)
    session = small(journal=tmp_path / "j.sqlite")
    state_hash = finish(session)
    assert state_hash == finish(small())
    journal = session.engine.journal
    assert journal is not None
    assert journal.failure is not None
    assert "database or disk is full; the run goes on" in journal.failure
    for _ in range(5):
        frame = session.frame(0, frozenset())
    assert frame.header.journal_failure == journal.failure
    (alert,) = [a for a in frame.alerts if a.subject == "journal"]
    assert (alert.severity, alert.count, alert.active) == ("bad", 1, True)
    # What it proves up to there still replays.
    reader_summary = JournalReader(tmp_path / "j.sqlite")
    assert reader_summary.summary is None
    reader_summary.close()
    result = replay_journal(tmp_path / "j.sqlite")
    assert result.matches, result.first_difference


def test_a_row_that_no_database_holds_is_a_failure_and_not_the_end(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path / "j.sqlite", {})
    journal.input(1 << 70, 0, Hold(on=True))
    journal.close({})
    assert journal.failure is not None
    assert "the run goes on" in journal.failure


# Killed processes.

_KILLED = """
import os, sys, pathlib, time
from tests.engine.runs import small
from workstation.model.commands import Hold, PauseTask
session = small('feeds.0.duration="10m"', journal=pathlib.Path(sys.argv[1]))
engine, stop = session.engine, int(sys.argv[2])
engine.start()
while engine.delivered < stop:
    engine.step()
    if engine.delivered == 900:
        session.execute(PauseTask(task="ema_cross"))
    if engine.delivered == 1200:
        session.execute(Hold(on=True))
journal = engine.journal
deadline = time.monotonic() + 30
while journal.durable_rows < journal.rows * float(sys.argv[3]):
    if time.monotonic() > deadline:
        sys.exit("the journal was not written")
    time.sleep(0.001)
os._exit(9)
"""


@pytest.mark.parametrize(
    ("stop", "share"), [("600", "1"), ("2500", "1"), ("4000", "0.3")]
)
def test_a_killed_run_replays_as_far_as_it_was_committed(
    tmp_path: Path, stop: str, share: str
) -> None:
    path = tmp_path / "j.sqlite"
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(path), stop, share],
        cwd=root,
        env=environment,
        check=False,
        timeout=60,
    )
    assert done.returncode == 9
    # The commits are in the file beside it: the reader must take them along.
    assert path.with_name("j.sqlite-wal").stat().st_size > 0
    before = path.read_bytes()
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.journal_hash is None
    assert result.records > 20
    assert path.read_bytes() == before
    assert path.with_name("j.sqlite-wal").exists()


def test_a_journal_that_broke_off_within_a_step_replays(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    finish(small(journal=path))
    total = _change(path, "update records set ts = ts")
    # Cut behind each of some records, whatever step they belong to.
    for kept in (total - 1, total // 2 + 1, total // 2, 40, 12):
        _change(path, f"delete from records where id > {kept}")
        _change(path, "delete from meta where key = 'summary'")
        result = replay_journal(path)
        assert result.matches, result.first_difference


def test_the_header_says_what_the_run_was(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    finish(small(journal=path))
    reader = JournalReader(path)
    run = msgspec.convert(reader.header["run"], type(settings()))
    assert run.seed == 7
    assert run.feeds == settings(*SMALL).feeds
    scripts = msgspec.convert(reader.header["scripts"], dict[str, Script])
    assert [(name, each.name) for name, each in scripts.items()] == [
        ("ema_cross", "ema_cross.py")
    ]
    assert scripts["ema_cross"].text == Path(scripts["ema_cross"].path).read_text()
    assert reader.summary is not None
    assert reader.summary["state_hash"]
    reader.close()


def test_the_run_itself_is_the_same_with_a_journal_and_without(tmp_path: Path) -> None:
    run = settings(*SMALL, f"journal.path={json.dumps(str(tmp_path))}")
    session = assemble_session(run)
    run_backtest(session.engine, Until(events=2_000))
    bare = small()
    run_backtest(bare.engine, Until(events=2_000))
    assert session.engine.state_hash() == bare.engine.state_hash()
    session.close()
    session.close()
    (path,) = tmp_path.glob("*-simulation.sqlite")
    result = replay_journal(path)
    assert result.matches
    assert result.state_hash == session.engine.state_hash()
    assert result.inputs == session.engine.core.seq
