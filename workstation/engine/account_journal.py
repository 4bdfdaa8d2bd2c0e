"""The journal of an account: a folder with a file for each run, held by one engine.

The files are read in order to take up an account where it was left, however it was
left, and only if they are all there and as they were written. The lock goes with the
process, so a killed engine never has to be cleared away.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from workstation.engine.formats import PROVEN, check_format, record_decoder
from workstation.engine.journal_reader import JournalReader
from workstation.engine.journalled import DONE, SUFFIX
from workstation.model.errors import JournalError
from workstation.model.records import Record

__all__ = ["AccountJournal", "TakenUp", "runs_of"]

_LOCK = "lock"
_NEWEST = "newest"


class _Look(NamedTuple):
    """Header of a run, empty where it did not get as far and did nothing; its end."""

    header: dict[str, object]
    end: bytes


class AccountJournal:
    """One account's runs. Made to write, it keeps all other engines out."""

    def __init__(self, folder: Path) -> None:
        """Raise JournalError where another engine runs the account."""
        self.folder = folder
        self._looks: dict[Path, _Look] = {}
        with ExitStack() as undo:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
                undo.callback(os.close, self._lock)
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise JournalError(
                    f"journal {folder}: process {self._holder()} runs this account; "
                    "one engine at a time may"
                ) from None
            except OSError as error:
                raise JournalError(
                    f"journal {folder}: {error.strerror}; name another folder with "
                    "[journal] path"
                ) from error
            undo.pop_all()
        with suppress(OSError):
            # For whoever is kept out. A full disk has no room for it: the lock holds.
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def _holder(self) -> str:
        try:
            told = os.pread(self._lock, 20, 0).decode(errors="replace").strip()
        except OSError:
            told = ""
        return told or "unknown"

    def mark(self, runs: list[Path]) -> str:
        """Return what sets the next run's client order ids apart from any others.

        A venue keeps the orders of another engine, or of a journal that was lost: an
        order of theirs must never be taken for one of ours. Nor may an id be given
        again that a run which did not end in order gave to an order that is not on
        record. It is in the header of each run; those of before it was given have none.
        """
        newest = self._looks[runs[-1]] if runs else None
        if newest is None or newest.end != DONE:
            return os.urandom(3).hex()
        return str(newest.header.get("mark", ""))

    def next_run(self) -> Path:
        """Return the file of the run that begins now."""
        last = max((int(path.stem) for path in _files(self.folder)), default=0)
        return self.folder / f"{last + 1:06}{SUFFIX}"

    def begun(self, run: Path) -> None:
        """Note on disk that this run's file is there: that it goes is noticed then.

        Raises JournalError where there is no room for it.
        """
        note = self.folder / _NEWEST
        fresh = note.with_suffix(".new")
        try:
            with fresh.open("w", encoding="ascii") as file:
                file.write(run.stem)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(note)
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise JournalError(
                f"journal {note}: {error.strerror}; make room there, or name another "
                "folder with [journal] path"
            ) from error

    def runs(self) -> list[Path]:
        """Return the files of the runs so far, oldest first; empty ones are no runs.

        Raises JournalError where one is missing: its number, the newest that ever
        began, or what a later one says that it has taken up.
        """
        files = _files(self.folder)
        for number, path in enumerate(files, 1):
            if int(path.stem) != number:
                raise self._lacks(
                    f"{number:06}{SUFFIX}", f"which {path.name} came after"
                )
        newest = self._newest()
        if len(files) < newest:
            noted = f"the newest that began by {self.folder / _NEWEST}"
            raise self._lacks(f"{newest:06}{SUFFIX}", noted)
        looks = {path: _look(path) for path in files}
        self._looks = {path: look for path, look in looks.items() if look.header}
        there = {path.name for path in self._looks}
        for path, look in self._looks.items():
            for name in _taken_up(look.header, path):
                if name not in there:
                    raise self._lacks(name, f"which {path.name} came after")
        return list(self._looks)

    def _newest(self) -> int:
        """Return the number of the newest run that began; 0 where none is noted.

        Folders of before it was noted have no such file.
        """
        note = self.folder / _NEWEST
        try:
            text = note.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise JournalError(f"journal {note}: {error.strerror}") from error
        if not text.isdecimal():
            raise JournalError(
                f"journal {note}: holds {text[:20]!r}, not the number of a run; see "
                "that the newest run is there, and delete it"
            )
        return int(text)

    def _lacks(self, name: str, proof: str) -> JournalError:
        return JournalError(
            f"journal {self.folder}: {name} is missing or empty, {proof}: what it held "
            "is not known; bring it back from a copy, or name another folder with "
            "[journal] path"
        )

    def close(self) -> None:
        """Let another engine run the account."""
        os.close(self._lock)


class TakenUp(NamedTuple):
    """A run that is read: its header, how it ended, its records as they are today."""

    header: dict[str, object]
    end: bytes
    records: Iterator[Record]


def runs_of(runs: list[Path]) -> Iterator[TakenUp]:
    """Yield all these runs, oldest first.

    The records of a run are to be read before the next one is asked for. Raises
    JournalError where one cannot be read to its end: what it proves is then not known,
    and nothing may be traded on it.
    """
    for path in runs:
        reader = JournalReader(path, of_account=True)
        try:
            found = check_format(reader.header, path)
            # Whatever it says of its format: what can be proven is.
            is_proven = found >= PROVEN or reader.has_proof
            if is_proven:
                reader.prove()
            records = _records(reader, found, is_proven, path)
            yield TakenUp(reader.header, reader.end, records)
        finally:
            reader.close()


def _records(
    reader: JournalReader, found: int, is_proven: bool, path: Path
) -> Iterator[Record]:
    decode = record_decoder(found)
    try:
        for seq, blob in reader.proven_records() if is_proven else reader.records():
            try:
                yield decode(blob)
            except (msgspec.MsgspecError, TypeError) as error:
                raise JournalError(
                    f"journal {path}: the record at seq {seq} is damaged: {error}"
                ) from error
    except JournalError:
        # Now: whoever asked for the runs may not come back for the next one.
        reader.close()
        raise


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal())
    return sorted(found, key=lambda path: int(path.stem))


def _look(path: Path) -> _Look:
    reader = JournalReader(path, of_account=True)
    reader.close()
    return _Look(reader.header, reader.end)


def _taken_up(header: dict[str, object], path: Path) -> list[str]:
    try:
        return msgspec.convert(header.get("takes_up", []), list[str])
    except msgspec.ValidationError as error:
        raise JournalError(f"journal {path}: runs before it: {error}") from error
