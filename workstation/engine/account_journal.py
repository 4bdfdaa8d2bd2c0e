"""The journal of an account: a folder with a file for each run, held by one engine.

The files are read in order to take up an account where it was left, however it was
left. The lock goes with the process, so a killed engine never has to be cleared away.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from workstation.engine.formats import check_format, record_decoder
from workstation.engine.journal import SUFFIX, JournalReader
from workstation.model.errors import JournalError
from workstation.model.records import Record

__all__ = ["AccountJournal", "runs_of"]

_LOCK = "lock"


class AccountJournal:
    """One account's runs. Made to write, it keeps all other engines out."""

    def __init__(self, folder: Path) -> None:
        """Raise JournalError where another engine runs the account."""
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalError(
                f"journal {folder}: {error.strerror}; name another folder with "
                "[journal] path"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._lock, 20, 0).decode(errors="replace").strip()
            os.close(self._lock)
            raise JournalError(
                f"journal {folder}: process {holder or 'unknown'} runs this account; "
                "one engine at a time may"
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def mark(self, runs: list[Path]) -> str:
        """Return what sets this journal's client order ids apart from any other's.

        A venue keeps the orders of another engine, or of a journal that was lost: an
        order of theirs must never be taken for one of ours. It is in the header of
        each run; those of before it was given have none.
        """
        if not runs:
            return os.urandom(3).hex()
        reader = JournalReader(runs[-1])
        try:
            return str(reader.header.get("mark", ""))
        finally:
            reader.close()

    def next_run(self) -> Path:
        """Return the file of the run that begins now."""
        last = max((int(path.stem) for path in _files(self.folder)), default=0)
        return self.folder / f"{last + 1:06}{SUFFIX}"

    def runs(self) -> list[Path]:
        """Return the files of the runs so far, oldest first; empty ones are no runs."""
        return [path for path in _files(self.folder) if _has_begun(path)]

    def close(self) -> None:
        """Let another engine run the account."""
        os.close(self._lock)


def runs_of(
    runs: list[Path],
) -> Iterator[tuple[dict[str, object], Iterator[Record]]]:
    """Yield header and records, as today's, of all these runs, oldest first.

    The records of a run are to be read before the next one is asked for. Raises
    JournalError where one cannot be read to its end: what it proves is then not known,
    and nothing may be traded on it.
    """
    for path in runs:
        reader = JournalReader(path)
        try:
            yield reader.header, _records(reader, path)
        finally:
            reader.close()


def _records(reader: JournalReader, path: Path) -> Iterator[Record]:
    decode = record_decoder(check_format(reader.header, path))
    for seq, blob in reader.records():
        try:
            yield decode(blob)
        except (msgspec.MsgspecError, TypeError) as error:
            raise JournalError(
                f"journal {path}: the record at seq {seq} is damaged: {error}"
            ) from error


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdecimal())
    return sorted(found, key=lambda path: int(path.stem))


def _has_begun(path: Path) -> bool:
    """Tell whether a run got as far as its header; before that it did nothing."""
    try:
        JournalReader(path).close()
    except JournalError as error:
        if "no header" in str(error) or "no such table" in str(error):
            return False
        raise
    return True
