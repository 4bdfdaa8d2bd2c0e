"""An account's journal: one engine at a time, and read to its end or not at all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from workstation.engine.account_journal import AccountJournal, runs_of
from workstation.engine.formats import FORMAT
from workstation.engine.hashing import encode
from workstation.engine.journal import Journal
from workstation.model.errors import JournalError
from workstation.model.records import NoteRecord


def _run(path: Path, *seqs: int, version: int = FORMAT) -> None:
    journal = Journal(path, {"format": version})
    for seq in seqs:
        note = NoteRecord(seq=seq, ts=seq, strategy="s", instrument="i", text="t")
        journal.record(note, encode(note))
    journal.close({})


def test_runs_are_numbered_and_read_oldest_first(tmp_path: Path) -> None:
    account = AccountJournal(tmp_path / "demo")
    assert account.runs() == []
    for seq in (1, 2):
        _run(account.next_run(), seq, seq + 10)
    assert [path.name for path in account.runs()] == ["000001.sqlite", "000002.sqlite"]
    assert account.next_run().name == "000003.sqlite"
    seqs = [r.seq for _, records in runs_of(account.runs()) for r in records]
    assert seqs == [1, 11, 2, 12]
    account.close()


def test_a_second_engine_is_kept_out_and_told_who_runs_the_account(
    tmp_path: Path,
) -> None:
    account = AccountJournal(tmp_path)
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from workstation.engine.account_journal import AccountJournal\n"
        "AccountJournal(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"process {os.getpid()} runs this account" in other.stderr
    account.close()
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert other.returncode == 0, other.stderr


def test_a_run_that_was_killed_before_its_header_is_no_run(tmp_path: Path) -> None:
    account = AccountJournal(tmp_path)
    _run(account.next_run(), 1)
    account.next_run().touch()
    sqlite3.connect(account.next_run()).close()
    assert [path.name for path in account.runs()] == ["000001.sqlite"]
    account.close()


def test_a_damaged_run_is_not_taken_up(tmp_path: Path) -> None:
    account = AccountJournal(tmp_path)
    path = account.next_run()
    _run(path, 1, 2)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("update records set blob = x'c1' where seq = 2")
    connection.close()
    with pytest.raises(JournalError, match=r"000001\.sqlite: the record at seq 2 is"):
        [list(records) for _, records in runs_of(account.runs())]
    path.write_bytes(b"nothing of the kind" * 50)
    with pytest.raises(JournalError, match="not a database"):
        account.runs()
    account.close()
