"""The journal: what cannot be had again, and the records to prove a replay by.

One sqlite file per run (WAL, exclusive lock: a second engine on it fails at once),
written by one thread with group commit. What one input has led to is committed together
or not at all, so that a kill cuts between inputs, never through one. Each commit holds
the proof of its rows, and the file says whether it was closed. A journal that cannot be
written never stops the engine: ``failure`` says why, and the screen shows it.
"""

from __future__ import annotations

import queue
import shutil
import sqlite3
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from workstation.engine.formats import Proof, proven
from workstation.model.commands import Command
from workstation.model.errors import JournalError
from workstation.model.records import Record
from workstation.model.reports import Report
from workstation.strategy.inputs import Asked
from workstation.strategy.replies import ScriptAnswered
from workstation.strategy.script import Script

__all__ = [
    "InputRow",
    "Interrupt",
    "Journal",
    "JournalReader",
    "as_journalled",
    "journal_file",
    "run_name",
]

SUFFIX = ".sqlite"
# Rows gathered into one transaction, and then those of the last input in it; more
# would only delay the durable mark.
_BATCH = 2_000
_BUSY_S = 0.2

# ``proof`` has the mark of each commit by table; the one of ``end`` says whether the
# file was closed, and takes no more room then: a full disk may be why.
_SCHEMA = """
begin;
create table if not exists meta (key text primary key, value blob);
create table if not exists inputs (seq integer, pulled integer, kind text, blob blob);
create table if not exists scripts (strategy text, hash text, blob blob);
create table if not exists records (id integer primary key, seq integer, ts integer,
                                    blob blob);
create table if not exists proof (name text, count integer, mark blob,
                                  primary key (name, count)) without rowid;
insert or ignore into proof values ('end', 0, cast('open' as blob));
commit;
"""
_CLOSE = "update proof set mark = cast('done' as blob) where name = 'end'"
_DONE = b"done"
_COLUMNS = {
    "inputs": "seq, pulled, kind, blob",
    "records": "seq, ts, blob",
    "scripts": "strategy, hash, blob",
    "meta": "key, value",
}
_INSERT = {
    name: f"insert into {name} ({columns}) "
    f"values ({', '.join('?' * len(columns.split()))})"
    for name, columns in _COLUMNS.items()
}
_MARK = "insert or ignore into proof values (?, ?, ?)"
_BRING_BACK = (
    "bring the file back from a copy, or name another folder with [journal] path"
)
# Of the -wal file: its header, and the header of each page in it.
_WAL_HEADER = 32
_FRAME_HEADER = 24
_WAL_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}

_Row = tuple[str, tuple[object, ...]]


class Interrupt(msgspec.Struct, frozen=True, tag="interrupt"):
    """A script call that ran over its budget was interrupted.

    ``asked`` are the indicators it had asked for by then; they stay.
    """

    strategy: str
    instrument: str
    line: int | None = None
    asked: tuple[Asked, ...] = ()


class InputRow(msgspec.Struct, frozen=True):
    """One journalled input; ``pulled`` source events had been read before it."""

    seq: int
    pulled: int
    value: Command | Interrupt | ScriptAnswered | Report


def as_journalled(command: Command) -> Command:
    """Return the command as a replay will read it: a whole number as a price too."""
    return cast(Command, _decode(_encode(command)))


def journal_file(path: str, mode: str, now_ns: int) -> Path:
    """Return the file of a new run: ``path`` itself, or a dated one in that folder."""
    if path.endswith(SUFFIX):
        return Path(path)
    return Path(path) / f"{run_name(mode, now_ns)}{SUFFIX}"


def run_name(mode: str, now_ns: int) -> str:
    """Return the name of a run that begins now, for its file or folder."""
    moment = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC)
    micros = now_ns // 1_000 % 1_000_000
    return f"{moment:%Y%m%d-%H%M%S}.{micros:06}-{mode}"


class Journal:
    """Writes one run; call ``close`` to make it whole.

    With ``strict`` a journal that cannot be opened raises JournalError; without, the
    run goes on and ``failure`` says why nothing is kept. With ``synced`` a commit is on
    the disk itself before it counts as durable: it survives a loss of power, too.
    """

    def __init__(
        self,
        path: Path,
        header: dict[str, object],
        *,
        strict: bool = True,
        synced: bool = False,
    ) -> None:
        self.path = path
        self.on_durable: Callable[[], None] = lambda: None
        """Called on the writer's thread after each commit, and when it has failed."""
        self.failure: str | None = None
        self.rows = 0
        self.durable_rows = 0
        # What whole inputs have led to, each as one; None ends it.
        self._queue: queue.SimpleQueue[list[_Row] | None] = queue.SimpleQueue()
        # The input that is under way, and its rows so far.
        self._seq = 0
        self._rows: list[_Row] = []
        self._proofs = {name: Proof() for name in _COLUMNS}
        self._thread: threading.Thread | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = _connect(path, synced)
        except (OSError, sqlite3.Error) as error:
            self.failure = (
                f"journal {path}: {error}; make room there, or give another folder "
                "with [journal] path"
            )
            if not synced:
                # Real orders go nowhere without a journal.
                self.failure += ', or path = "" for none'
            if strict:
                raise JournalError(self.failure) from error
            return
        self._thread = threading.Thread(
            target=self._write, args=(connection,), name="journal", daemon=True
        )
        self._put("meta", ("header", msgspec.json.encode(header)))
        # It does not wait for the first input: a disk may be full by then.
        self.whole()
        self._thread.start()

    def record(self, record: Record, encoded: bytes) -> None:
        """Keep one record (a sink of the core)."""
        if record.seq != self._seq:
            self._begin(record.seq)
        self._put("records", (record.seq, record.ts, encoded))

    def input(
        self,
        seq: int,
        pulled: int,
        value: Command | Interrupt | ScriptAnswered | Report,
    ) -> None:
        """Keep one input that cannot be derived again, and its place in the run."""
        if seq != self._seq:
            self._begin(seq)
        self._put("inputs", (seq, pulled, type(value).__name__, _encode(value)))

    def script(self, strategy: str, script: Script) -> None:
        """Keep a version that a strategy may go on with, before it does."""
        self._put("scripts", (strategy, script.hash, msgspec.msgpack.encode(script)))

    def _begin(self, seq: int) -> None:
        self.whole()
        self._seq = seq

    def whole(self) -> None:
        """Note that an input is over: what was put since the last one is whole.

        Called where no input is being dispatched; another input's row says it, too.
        """
        if self._rows:
            self._queue.put(self._rows)
            self._rows = []

    def close(self, summary: dict[str, object]) -> None:
        """Write the summary of the run's end and wait until all is on disk."""
        if self._thread is None or not self._thread.is_alive():
            return
        self._put("meta", ("summary", msgspec.json.encode(summary)))
        self.whole()
        self._queue.put(None)
        self._thread.join()

    def _put(self, table: str, row: tuple[object, ...]) -> None:
        if self._thread is None and table != "meta":
            return
        self.rows += 1
        self._rows.append((table, row))

    def _write(self, connection: sqlite3.Connection) -> None:
        open_ = True
        while open_:
            rows: list[_Row] = []
            while True:
                led_to = self._queue.get()
                if led_to is None:
                    open_ = False
                    break
                rows += led_to
                if len(rows) >= _BATCH or self._queue.empty():
                    break
            if rows and self.failure is None:
                self._commit(connection, rows)
        try:
            # First, so that the mark of the end needs no room in a file beside it.
            _checkpoint(connection)
            with connection:
                connection.execute(_CLOSE)
        except sqlite3.Error as error:
            self.failure = self.failure or f"journal {self.path}: {error}"
        try:
            connection.close()
        except sqlite3.Error as error:
            self.failure = self.failure or f"journal {self.path}: {error}"

    def _commit(self, connection: sqlite3.Connection, rows: list[_Row]) -> None:
        by_table: dict[str, list[tuple[object, ...]]] = {name: [] for name in _INSERT}
        for table, row in rows:
            by_table[table].append(row)
        try:
            proofs = {
                table: self._proofs[table].after(chosen)
                for table, chosen in by_table.items()
                if chosen
            }
            marks = [(table, *proof.mark) for table, proof in proofs.items()]
            with connection:
                for table in proofs:
                    connection.executemany(_INSERT[table], by_table[table])
                connection.executemany(_MARK, marks)
        except Exception as error:  # the edge of the writer: it must outlive all rows
            self.failure = (
                f"journal {self.path}: {error}; the run goes on, "
                f"rows after {self.durable_rows} are not kept"
            )
        else:
            self._proofs |= proofs
            self.durable_rows += len(rows)
        self.on_durable()


class JournalReader:
    """Reads a finished or broken-off journal without changing it.

    Raises JournalError for what is none. Rows are believed as they are, but for those
    that ``prove`` and ``proven_records`` have looked at. A run ``of_account`` may have
    done nothing: its ``header`` is empty then. And it was on the disk commit by commit:
    its -wal must not go on behind what can be read.
    """

    def __init__(self, path: Path, *, of_account: bool = False) -> None:
        if not path.is_file():
            raise JournalError(f"journal {path}: no such file")
        self._path = path
        self._folder, copy = _copy(path)
        self._connection = sqlite3.connect(copy)
        self.header: dict[str, object] = {}
        self.summary: dict[str, object] | None = None
        try:
            self._check_wal(copy, of_account)
            if not (of_account and self._is_empty()):
                self._read_meta()
        except JournalError:
            self.close()
            raise

    def _check_wal(self, copy: Path, of_account: bool) -> None:
        """Raise JournalError where the -wal lacks, or has lost, what it must have had.

        The last commits of a run that was not closed are in there, and nowhere else.
        """
        wal = copy.with_name(f"{copy.name}-wal")
        # Before the first look into the file: that changes what is beside it.
        found = wal.read_bytes() if wal.exists() else b""
        if not copy.stat().st_size and found:
            raise self._damaged("it is empty, what was written after it is not")
        tables = self._tables()
        closed = b""
        if "proof" in tables:
            rows = [*self._rows("select mark from proof where name = 'end'")]
            closed = rows[0][0] if rows else b""
        if not _is_wal(found):
            if closed != _DONE and (found or "proof" in tables) and tables:
                raise self._damaged(
                    f"the last commits were in {self._path.name}-wal, which is "
                    f"{'damaged' if found else 'missing'}"
                )
        elif of_account:
            # On the copy, where nothing has to outlast a loss of power.
            list(self._rows("pragma synchronous=off"))
            ((_, pages, _),) = self._rows("pragma wal_checkpoint")
            if _goes_on(found, pages):
                raise self._damaged(
                    f"{self._path.name}-wal cannot be read behind page {pages}, and "
                    "goes on"
                )

    def _damaged(self, what: str) -> JournalError:
        return JournalError(f"journal {self._path}: damaged: {what}; {_BRING_BACK}")

    def _tables(self) -> set[str]:
        found = self._rows("select name from sqlite_master where type = 'table'")
        return {name for (name,) in found}

    def _is_empty(self) -> bool:
        """Tell whether a run was killed before it had written anything."""
        tables = self._tables()
        if not tables <= {*_COLUMNS, "proof"}:
            return False
        rows = [self._rows(f"select 1 from {name}") for name in tables & {*_COLUMNS}]
        if "proof" in tables:
            rows.append(self._rows("select 1 from proof where count > 0"))
        return not any(next(each, None) for each in rows)

    def _read_meta(self) -> None:
        rows = dict(self._rows("select key, value from meta"))
        if "header" not in rows:
            raise JournalError(f"journal {self._path}: has no header; not one of ours")
        try:
            self.header = msgspec.json.decode(rows["header"], type=dict[str, object])
            if "summary" in rows:
                self.summary = msgspec.json.decode(
                    rows["summary"], type=dict[str, object]
                )
        except (msgspec.MsgspecError, TypeError) as error:
            raise JournalError(f"journal {self._path}: damaged: {error}") from error

    @property
    def has_proof(self) -> bool:
        """Tell whether its rows can be proven; in older formats they cannot."""
        return "proof" in self._tables()

    def prove(self) -> None:
        """Raise JournalError unless all but the records are what was written."""
        if not self.has_proof:
            raise self._damaged("it has no proof of its rows")
        for table in ("meta", "scripts", "inputs"):
            for _ in self._proven(table):
                pass

    def proven_records(self) -> Iterator[tuple[int, bytes]]:
        """Yield what ``records`` does, but nothing that is not what was written."""
        for seq, _, blob in self._proven("records"):
            yield seq, blob

    def _proven(self, table: str) -> Iterator[tuple[Any, ...]]:
        rows = self._rows(f"select {_COLUMNS[table]} from {table} order by rowid")
        marks = self._rows(
            f"select count, mark from proof where name = '{table}' order by count"
        )
        try:
            yield from proven(rows, marks)
        except (ValueError, TypeError) as error:
            raise self._damaged(f"{table}: {error}") from error

    def inputs(self) -> Iterator[InputRow]:
        """Yield the journalled inputs in order."""
        for seq, pulled, blob in self._rows(
            "select seq, pulled, blob from inputs order by seq, rowid"
        ):
            try:
                yield InputRow(seq, pulled, _decode(blob))
            except (msgspec.MsgspecError, TypeError) as error:
                raise JournalError(
                    f"journal {self._path}: the input at seq {seq} is damaged: {error}"
                ) from error

    def scripts(self) -> dict[tuple[str, str], Script]:
        """Return the versions that were loaded during the run, by strategy and hash."""
        found = {}
        for strategy, version, blob in self._rows(
            "select strategy, hash, blob from scripts"
        ):
            try:
                found[strategy, version] = msgspec.msgpack.decode(blob, type=Script)
            except (msgspec.MsgspecError, TypeError) as error:
                raise JournalError(
                    f"journal {self._path}: script {version[:8]} of {strategy} is "
                    f"damaged: {error}"
                ) from error
        return found

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Yield (seq, canonical bytes) of the records in order."""
        yield from self._rows("select seq, blob from records order by id")

    def last_seq(self) -> int:
        """Return the last seq that the journal proves."""
        ((seq,),) = self._rows(
            "select max(seq) from (select max(seq) as seq from inputs "
            "union all select max(seq) from records)"
        )
        return int(seq or 0)

    # Any: sqlite3 types no columns.
    def _rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        try:
            # Not "yield from": that closes the cursor, which may outlive its file.
            for row in self._connection.execute(sql):  # noqa: UP028
                yield row
        except sqlite3.Error as error:
            raise JournalError(f"journal {self._path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        self._folder.cleanup()


def _copy(path: Path) -> tuple[tempfile.TemporaryDirectory[str], Path]:
    # A killed run leaves its last commits in the -wal file, and reading those
    # rewrites the journal: so a copy is read, never the original.
    folder: tempfile.TemporaryDirectory[str] | None = None
    try:
        folder = tempfile.TemporaryDirectory(prefix="workstation-journal-")
        for name in (path.name, f"{path.name}-wal"):
            if path.with_name(name).exists():
                shutil.copyfile(path.with_name(name), Path(folder.name) / name)
    except OSError as error:
        place = "the folder for temporary files" if folder is None else folder.name
        if folder is not None:
            folder.cleanup()
        raise JournalError(
            f"journal {path}: cannot be copied to {place} to be read: "
            f"{error.strerror or error}; make room there, or name another folder with "
            "the environment variable TMPDIR"
        ) from error
    return folder, Path(folder.name) / path.name


def _is_wal(found: bytes) -> bool:
    """Tell whether a -wal file begins with a header that is whole."""
    order = _WAL_MAGIC.get(int.from_bytes(found[:4], "big"))
    if order is None or len(found) < _WAL_HEADER:
        return False
    first = second = 0
    words = struct.unpack(f"{order}6I", found[:24])
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = first + even + second & 0xFFFFFFFF
        second = second + odd + first & 0xFFFFFFFF
    return struct.unpack(">2I", found[24:_WAL_HEADER]) == (first, second)


def _goes_on(wal: bytes, frames: int) -> bool:
    """Tell whether a whole commit follows the last frame that sqlite could read.

    It reads up to the first one that is damaged. What a kill or a loss of power left of
    the commit that was being written is no whole one: it ends with a frame that has the
    size of the file, and is on the disk before the next one begins.
    """
    size = _FRAME_HEADER + int.from_bytes(wal[8:12], "big")
    # Frames of this turn of the file have the salts of its header, older ones others.
    salts = wal[16:24]
    committed = False
    place = wal.find(salts, _WAL_HEADER + frames * size)
    while place >= 0:
        start = place - 8
        if committed or (start - _WAL_HEADER) % size:
            return True
        committed = any(wal[start + 4 : start + 8])
        place = wal.find(salts, place + len(salts))
    return False


def _checkpoint(connection: sqlite3.Connection) -> None:
    """Move what is in the -wal file to the file itself."""
    connection.execute("pragma wal_checkpoint").fetchall()


def _connect(path: Path, synced: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    try:
        connection.execute("pragma locking_mode=exclusive")
        connection.execute("pragma journal_mode=wal")
        connection.execute(f"pragma synchronous={'full' if synced else 'normal'}")
        tables = connection.execute("select name from sqlite_master").fetchall()
        if ("meta",) in tables and connection.execute(
            "select 1 from meta limit 1"
        ).fetchone():
            raise JournalError(
                f"journal {path}: holds a run already; name a new file or a folder"
            )
        connection.executescript(_SCHEMA)
        nothing = Proof().mark
        with connection:
            connection.executemany(_MARK, [(name, *nothing) for name in _COLUMNS])
        # From here on the file itself says that the one beside it must be there.
        _checkpoint(connection)
    except (sqlite3.Error, JournalError):
        connection.close()
        raise
    return connection


_encode = msgspec.msgpack.Encoder(decimal_format="string").encode
_decode = msgspec.msgpack.Decoder(Command | Interrupt | ScriptAnswered | Report).decode
