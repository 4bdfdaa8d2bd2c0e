"""Reads journals, finished or broken off, and what proves that they are whole.

Replay and the account's folder use it. It works on a copy: looking into a file whose
run was killed would rewrite what lies beside it.
"""

from __future__ import annotations

import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from workstation.engine.formats import proven
from workstation.engine.journalled import (
    COLUMNS,
    DONE,
    FAILED,
    InputRow,
    decode_input,
)
from workstation.model.errors import JournalError
from workstation.strategy.script import Script

__all__ = ["JournalReader"]

_BRING_BACK = (
    "bring the file back from a copy, or name another folder with [journal] path"
)
# Of the -wal file: its header, and the header of each page in it.
_WAL_HEADER = 32
_FRAME_HEADER = 24
_WAL_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}


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
        self.end = b""
        """``DONE`` where the run was closed, ``FAILED`` where it lacks rows as well."""
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
        if "proof" in tables:
            rows = [*self._rows("select mark from proof where name = 'end'")]
            self.end = rows[0][0] if rows else b""
        if not _is_wal(found):
            was_open = self.end not in (DONE, FAILED)
            if was_open and (found or "proof" in tables) and tables:
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
        if not tables <= {*COLUMNS, "proof"}:
            return False
        rows = [self._rows(f"select 1 from {name}") for name in tables & {*COLUMNS}]
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
        rows = self._rows(f"select {COLUMNS[table]} from {table} order by rowid")
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
                yield InputRow(seq, pulled, decode_input(blob))
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
