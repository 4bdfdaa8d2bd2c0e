"""An account's journal: one engine at a time, and read to its end or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path
from random import Random

import pytest

from tests.engine.runs import small_disk
from workstation.engine.account_journal import AccountJournal, runs_of
from workstation.engine.formats import FORMAT
from workstation.engine.hashing import encode
from workstation.engine.journal import Journal
from workstation.engine.journal_reader import JournalReader
from workstation.model.commands import Hold
from workstation.model.errors import JournalError
from workstation.model.records import NoteRecord
from workstation.strategy.script import Script


def _run(path: Path, *seqs: int, **header: object) -> None:
    journal = Journal(path, {"format": FORMAT, **header})
    _write(journal, *seqs)
    journal.close({})


def _write(journal: Journal, *seqs: int) -> None:
    for seq in seqs:
        note = NoteRecord(seq=seq, ts=seq, strategy="s", instrument="i", text="t")
        journal.record(note, encode(note))


def test_runs_are_numbered_and_read_oldest_first(tmp_path: Path) -> None:
    account = AccountJournal(tmp_path / "demo")
    assert account.runs() == []
    for seq in (1, 2):
        _run(account.next_run(), seq, seq + 10)
    assert [path.name for path in account.runs()] == ["000001.sqlite", "000002.sqlite"]
    assert account.next_run().name == "000003.sqlite"
    seqs = [r.seq for run in runs_of(account.runs()) for r in run.records]
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


def test_what_is_no_run_at_all_is_not_taken_up(tmp_path: Path) -> None:
    account = AccountJournal(tmp_path)
    account.next_run().write_bytes(b"nothing of the kind" * 50)
    with pytest.raises(JournalError, match="not a database"):
        account.runs()
    account.close()


def _seqs(folder: Path) -> list[int]:
    """Return the seqs of all records that are taken up."""
    account = AccountJournal(folder)
    try:
        return [r.seq for run in runs_of(account.runs()) for r in run.records]
    finally:
        account.close()


def _sql(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


# Runs that are missing.


def test_a_run_whose_number_is_missing_is_not_done_without(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        _run(tmp_path / f"{number:06}.sqlite", number)
    assert _seqs(tmp_path) == [1, 2, 3]
    (tmp_path / "000003.sqlite").rename(tmp_path / "aside")
    assert _seqs(tmp_path) == [1, 2], "nothing came after it"
    (tmp_path / "aside").rename(tmp_path / "000003.sqlite")
    for name in ("000001.sqlite", "000002.sqlite"):
        (tmp_path / name).rename(tmp_path / "aside")
        with pytest.raises(JournalError, match=rf"{tmp_path}: {name} is missing or"):
            _seqs(tmp_path)
        (tmp_path / "aside").rename(tmp_path / name)
    assert _seqs(tmp_path) == [1, 2, 3]


def test_a_run_that_was_taken_up_may_not_be_empty_now(tmp_path: Path) -> None:
    _run(tmp_path / "000001.sqlite", 1)
    (tmp_path / "000002.sqlite").touch()
    _run(tmp_path / "000003.sqlite", 3, takes_up=["000001.sqlite"])
    assert _seqs(tmp_path) == [1, 3]
    _run(tmp_path / "000004.sqlite", 4, takes_up=["000001.sqlite", "000003.sqlite"])
    (tmp_path / "000003.sqlite").write_bytes(b"")
    with pytest.raises(JournalError, match=r"000003\.sqlite is missing or empty"):
        _seqs(tmp_path)


def test_the_newest_run_that_began_may_not_be_gone(tmp_path: Path) -> None:
    account = AccountJournal(tmp_path)
    for seq in (1, 2):
        path = account.next_run()
        _run(path, seq)
        account.begun(path)
    account.close()
    # Begun, and killed before it was noted.
    (tmp_path / "000003.sqlite").touch()
    assert _seqs(tmp_path) == [1, 2]
    (tmp_path / "000003.sqlite").unlink()
    (tmp_path / "000002.sqlite").rename(tmp_path / "aside")
    with pytest.raises(JournalError) as caught:
        _seqs(tmp_path)
    assert str(caught.value).startswith(
        f"journal {tmp_path}: 000002.sqlite is missing or empty, the newest that began "
        f"by {tmp_path}/newest: "
    )
    (tmp_path / "newest").write_text("two")
    with pytest.raises(JournalError, match=r"newest: holds 'two', not the number"):
        _seqs(tmp_path)
    (tmp_path / "newest").unlink()
    assert _seqs(tmp_path) == [1], "a folder of before it was noted"


def test_a_run_that_cannot_be_noted_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    account = AccountJournal(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    said = "newest: No space left on device; make room"
    with pytest.raises(JournalError, match=said):
        account.begun(account.next_run())
    account.close()


# Rows that are not what was written.

DAMAGE = (
    "update records set blob = cast(replace(blob, x'a173', x'a172') as blob)",
    "update records set seq = 3 where seq = 2",
    "update records set ts = null where seq = 2",
    "update records set id = 9 where id = 2",
    "update records set blob = x'c1' where seq = 2",
    "delete from records where seq = 2",
    "delete from records where seq = 4",
    "insert into records (seq, ts, blob) select seq, ts, blob from records",
    "update inputs set pulled = 1",
    "delete from inputs",
    "update scripts set hash = 'other'",
    "update meta set value = cast(replace(value, '\"a\"', '\"b\"') as blob)",
    # Not even if it says that it has a format without a proof.
    "update meta set value = cast(replace(value, '4', '3') as blob)",
    "delete from meta where key = 'summary'",
    "update proof set mark = zeroblob(16) where name = 'records' and count > 0",
    "update proof set count = 3 where name = 'records' and count = 4",
    "delete from proof where name = 'records' and count = 4",
    "delete from proof where name = 'scripts'",
    "drop table proof",
)


@pytest.mark.parametrize("sql", DAMAGE)
def test_rows_that_are_not_what_was_written_are_not_taken_up(
    tmp_path: Path, sql: str
) -> None:
    path = tmp_path / "000001.sqlite"
    journal = Journal(path, {"format": FORMAT, "mark": "a"})
    journal.input(1, 0, Hold(on=True))
    journal.script("s", Script(name="s", path="s.py", hash="h", params=()))
    _write(journal, 1, 2, 3, 4)
    journal.close({"inputs": 1})
    assert _seqs(tmp_path) == [1, 2, 3, 4]
    before = path.read_bytes()
    _sql(path, sql)
    assert path.read_bytes() != before
    with pytest.raises(JournalError, match=r"000001\.sqlite: damaged: "):
        _seqs(tmp_path)


def test_no_record_behind_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "000001.sqlite"
    journal = Journal(path, {"format": FORMAT})
    for seq in range(1, 9):
        _write(journal, seq)
        journal.whole()
        while journal.durable_rows < journal.rows:
            pass
    journal.close({})
    _sql(path, "update records set ts = 0 where seq = 5")
    with pytest.raises(JournalError, match="records: what is behind row 4 is not"):
        _seqs(tmp_path)
    reader = JournalReader(path)
    told: list[int] = []
    with pytest.raises(JournalError):
        told.extend(seq for seq, _ in reader.proven_records())
    reader.close()
    assert told == [1, 2, 3, 4]


# Runs that were killed.


def _killed(folder: Path, records: int) -> Path:
    """Return a run as a kill leaves it, each record a commit, as is its header."""
    path = folder / "000001.sqlite"
    child = os.fork()
    if child == 0:
        journal = Journal(path, {"format": FORMAT}, synced=True)
        for seq in range(records + 1):
            if seq:
                _write(journal, seq)
                journal.whole()
            while journal.durable_rows < journal.rows:
                pass
        os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    return path


PAGE = 4_096 + 24


def _frames(wal: Path) -> list[int]:
    """Return where the pages of each commit of this turn of the file begin, and end."""
    data = wal.read_bytes()
    starts = range(32, len(data) - PAGE + 1, PAGE)
    mine = [at for at in starts if data[at + 8 : at + 16] == data[16:24]]
    ends = [at + PAGE for at in mine if any(data[at + 4 : at + 8])]
    return [32, *ends]


def test_a_killed_run_is_taken_up_to_its_last_commit(tmp_path: Path) -> None:
    _killed(tmp_path, 9)
    assert _seqs(tmp_path) == list(range(1, 10))


def test_a_wal_that_is_missing_is_missed(tmp_path: Path) -> None:
    wal = Path(f"{_killed(tmp_path, 9)}-wal")
    wal.rename(tmp_path / "aside")
    said = r"the last commits were in 000001\.sqlite-wal, which is missing"
    with pytest.raises(JournalError, match=said):
        _seqs(tmp_path)
    wal.touch()
    with pytest.raises(JournalError, match=said):
        _seqs(tmp_path)
    (tmp_path / "aside").rename(wal)
    assert len(_seqs(tmp_path)) == 9


def test_a_main_file_that_is_missing_or_empty_is_missed(tmp_path: Path) -> None:
    path = _killed(tmp_path, 9)
    path.write_bytes(b"")
    with pytest.raises(JournalError, match="it is empty, what was written after it is"):
        _seqs(tmp_path)


def test_damage_in_a_wal_is_noticed_unless_a_loss_of_power_may_have_left_it(
    tmp_path: Path,
) -> None:
    wal = Path(f"{_killed(tmp_path, 9)}-wal")
    whole = wal.read_bytes()
    commits = _frames(wal)
    assert len(commits) == 11, "the header is one, too"
    rng = Random(1)
    for begin, end in pairwise([0, *commits[:-1]]):
        for _ in range(6):
            data = bytearray(whole)
            data[rng.randrange(begin, end)] ^= 1 << rng.randrange(8)
            if begin == commits[-3]:
                # Its last page may be the one that is not recognised any more.
                data = bytearray(whole)
                data[end - PAGE // 2] ^= 1
            wal.write_bytes(data)
            with pytest.raises(JournalError, match="damaged: "):
                _seqs(tmp_path)
    # As a commit that was not on the disk yet when the power went.
    data = bytearray(whole)
    data[commits[-2] + 100] ^= 1
    wal.write_bytes(data)
    assert _seqs(tmp_path) == list(range(1, 9))
    # Something is missing in the middle.
    for at, gap in product((commits[4], commits[-2] + 10), (1, 24)):
        wal.write_bytes(whole[:at] + whole[at + gap :])
        with pytest.raises(JournalError, match="damaged: "):
            _seqs(tmp_path)


@pytest.mark.parametrize("pages", range(0, 40, 3))
def test_what_a_kill_left_of_a_commit_is_no_damage(tmp_path: Path, pages: int) -> None:
    wal = Path(f"{_killed(tmp_path, 9)}-wal")
    whole = wal.read_bytes()
    commits = _frames(wal)
    cut = 32 + pages * PAGE + 1_000
    wal.write_bytes(whole[:cut])
    kept = sum(end <= cut for end in commits[1:])
    assert _seqs(tmp_path) == list(range(1, kept))


def test_every_state_that_a_journal_goes_through_is_taken_up(tmp_path: Path) -> None:
    """Copies the files after each commit, over several turns of the -wal."""
    path = tmp_path / "000001.sqlite"
    states: list[tuple[Path, int]] = []

    def copied() -> None:
        folder = tmp_path / f"state-{len(states)}"
        folder.mkdir()
        for name in (path.name, f"{path.name}-wal"):
            shutil.copyfile(path.with_name(name), folder / name)
        states.append((folder, journal.durable_rows))

    journal = Journal(path, {"format": FORMAT})
    journal.on_durable = copied
    for seq in range(1, 41):
        text = "x" * (150_000 if seq % 4 else 9)
        note = NoteRecord(seq=seq, ts=seq, strategy="s", instrument="i", text=text)
        journal.record(note, encode(note))
        journal.whole()
        while journal.durable_rows < journal.rows:
            pass
    journal.close({})
    # A turn has a thousand pages.
    assert path.stat().st_size > 1_000 * 4_096
    assert len(states) >= 40
    for folder, rows in states[:-1]:
        assert _seqs(folder) == list(range(1, rows))


def test_a_run_whose_disk_was_full_is_taken_up_to_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_disk(monkeypatch)
    journal = Journal(tmp_path / "000001.sqlite", {"format": FORMAT})
    for seq in range(1, 1_000):
        _write(journal, seq)
        journal.whole()
        while journal.durable_rows < journal.rows and journal.failure is None:
            pass
    journal.close({})
    assert journal.failure is not None
    kept = journal.durable_rows
    assert 1 < kept < 1_000
    assert [each.name for each in tmp_path.iterdir()] == ["000001.sqlite"]
    assert _seqs(tmp_path) == list(range(1, kept))


# Full disks.


def test_a_lock_without_its_words_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    account = AccountJournal(tmp_path)
    with pytest.raises(JournalError, match="process unknown runs this account"):
        AccountJournal(tmp_path)
    account.close()
    AccountJournal(tmp_path).close()


@pytest.mark.parametrize("error", [errno.EWOULDBLOCK, errno.ENOLCK])
def test_a_lock_that_is_not_had_is_left_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def none(*args: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", none)
    before = os.listdir("/proc/self/fd")
    said = "unknown runs this" if error == errno.EWOULDBLOCK else "No locks available"
    with pytest.raises(JournalError, match=rf"{tmp_path}: .*{said}"):
        AccountJournal(tmp_path)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("what", ["shutil.copyfile", "tempfile.TemporaryDirectory"])
def test_no_room_to_read_a_run_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    _run(tmp_path / "000001.sqlite", 1)
    monkeypatch.setattr(what, full)
    with pytest.raises(JournalError) as caught:
        _seqs(tmp_path)
    assert f"{tmp_path}/000001.sqlite: cannot be copied to " in str(caught.value)
    assert "No space left on device; make room there, or" in str(caught.value)
    assert "TMPDIR" in str(caught.value)


def test_a_full_disk_ends_a_start_with_a_word(tmp_path: Path) -> None:
    """In a process of its own: no file there grows beyond a limit."""
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from tests.engine.test_distant import on_account\n"
        "from workstation.model.errors import JournalError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try:\n    on_account(Path(sys.argv[1]))\n"
        "except JournalError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"journal {tmp_path}/000001.sqlite: ")
    assert "; make room there, or give another folder" in done.stdout
