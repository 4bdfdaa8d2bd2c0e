"""The journal: what cannot be had again, and the records to prove a replay by.

One sqlite file per run (WAL, exclusive lock: a second engine on it fails at once),
written by one thread with group commit. What one input has led to is committed together
or not at all, so that a kill cuts between inputs, never through one. A journal that
cannot be written never stops the engine: ``failure`` says why, and the screen shows it.
"""

from __future__ import annotations

import queue
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec

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

_SCHEMA = """
create table if not exists meta (key text primary key, value blob);
create table if not exists inputs (seq integer, pulled integer, kind text, blob blob);
create table if not exists scripts (strategy text, hash text, blob blob);
create table if not exists records (id integer primary key, seq integer, ts integer,
                                    blob blob);
"""
_INSERT = {
    "inputs": "insert into inputs values (?, ?, ?, ?)",
    "records": "insert into records (seq, ts, blob) values (?, ?, ?)",
    "scripts": "insert into scripts values (?, ?, ?)",
    "meta": "insert or replace into meta values (?, ?)",
}

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
        self._thread: threading.Thread | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = _connect(path, synced)
        except (OSError, sqlite3.Error) as error:
            self.failure = (
                f"journal {path}: {error}; give another folder with [journal] path, "
                'or path = "" for none'
            )
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
            connection.close()
        except sqlite3.Error as error:
            self.failure = self.failure or f"journal {self.path}: {error}"

    def _commit(self, connection: sqlite3.Connection, rows: list[_Row]) -> None:
        by_table: dict[str, list[tuple[object, ...]]] = {name: [] for name in _INSERT}
        for table, row in rows:
            by_table[table].append(row)
        try:
            with connection:
                for table, chosen in by_table.items():
                    if chosen:
                        connection.executemany(_INSERT[table], chosen)
        except Exception as error:  # the edge of the writer: it must outlive all rows
            self.failure = (
                f"journal {self.path}: {error}; the run goes on, "
                f"rows after {self.durable_rows} are not kept"
            )
        else:
            self.durable_rows += len(rows)
        self.on_durable()


class JournalReader:
    """Reads a finished or broken-off journal without changing it."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise JournalError(f"journal {path}: no such file")
        self._path = path
        self._folder = tempfile.TemporaryDirectory(prefix="workstation-journal-")
        copy = _copy(path, Path(self._folder.name))
        self._connection = sqlite3.connect(copy)
        self.header: dict[str, object] = {}
        self.summary: dict[str, object] | None = None
        try:
            self._read_meta()
        except JournalError:
            self.close()
            raise

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


def _copy(path: Path, folder: Path) -> Path:
    # A killed run leaves its last commits in the -wal file, and reading those
    # rewrites the journal: so a copy is read, never the original.
    for name in (path.name, f"{path.name}-wal"):
        if path.with_name(name).exists():
            shutil.copyfile(path.with_name(name), folder / name)
    return folder / path.name


def _connect(path: Path, synced: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    try:
        connection.execute("pragma locking_mode=exclusive")
        connection.execute("pragma journal_mode=wal")
        connection.execute(f"pragma synchronous={'full' if synced else 'normal'}")
        connection.executescript(_SCHEMA)
        if connection.execute("select 1 from meta limit 1").fetchone():
            raise JournalError(
                f"journal {path}: holds a run already; name a new file or a folder"
            )
    except (sqlite3.Error, JournalError):
        connection.close()
        raise
    return connection


_encode = msgspec.msgpack.Encoder(decimal_format="string").encode
_decode = msgspec.msgpack.Decoder(Command | Interrupt | ScriptAnswered | Report).decode
