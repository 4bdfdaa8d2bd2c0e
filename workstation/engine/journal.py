"""The journal: what cannot be had again, and the records to prove a replay by.

One sqlite file per run (WAL, exclusive lock: a second engine on it fails at once),
written by one thread with group commit. What one input has led to is committed together
or not at all, so that a kill cuts between inputs, never through one. Each commit holds
the proof of its rows, and the file says whether it was closed. A journal that cannot be
written never stops the engine: ``failure`` says why, and the screen shows it.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from workstation.engine.formats import Proof
from workstation.engine.journalled import (
    COLUMNS,
    DONE,
    FAILED,
    SUFFIX,
    Interrupt,
    encode_input,
)
from workstation.model.commands import Command
from workstation.model.errors import JournalError
from workstation.model.records import Record
from workstation.model.reports import Report
from workstation.strategy.replies import ScriptAnswered
from workstation.strategy.script import Script

__all__ = ["Journal", "journal_file", "run_name"]

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
_CLOSE = "update proof set mark = ? where name = 'end'"
_INSERT = {
    name: f"insert into {name} ({columns}) "
    f"values ({', '.join('?' * len(columns.split()))})"
    for name, columns in COLUMNS.items()
}
_MARK = "insert or ignore into proof values (?, ?, ?)"
_Row = tuple[str, tuple[object, ...]]


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
        self._proofs = {name: Proof() for name in COLUMNS}
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
        self._put("inputs", (seq, pulled, type(value).__name__, encode_input(value)))

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
                end = DONE if self.failure is None else FAILED
                connection.execute(_CLOSE, (end,))
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
            connection.executemany(_MARK, [(name, *nothing) for name in COLUMNS])
        # From here on the file itself says that the one beside it must be there.
        _checkpoint(connection)
    except (sqlite3.Error, JournalError):
        connection.close()
        raise
    return connection
