"""Recordings kept as numpy columns, so that a second pass need not understand them.

Lanes ask it for each file and hand it what they read. An entry is named after the
content of the file, the settings and the code that made it, so that none can be stale;
each block is proven by its checksum when it is read. What cannot be proven is read
from the recording again. Nothing here may end a run: a cache that cannot be written is
logged and done without.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from workstation import __version__
from workstation.model.market import Bar, MarketEvent
from workstation.model.timeframes import Timeframe
from workstation.venues.file.columns import Column, Unkept, from_columns, to_columns
from workstation.venues.file.format import Memory
from workstation.venues.file.source import SourceFile

__all__ = ["AUTOMATIC_BYTES", "CacheDamaged", "CacheEntry", "EventCache", "KeptEvents"]

AUTOMATIC_BYTES = 4 << 20
"""Files from this size on are cached unless the settings say otherwise: smaller ones
are read in a second or so."""

_log = logging.getLogger(__name__)
_MAGIC = b"WSEVENT1"
_DIGEST = 16
_TAIL = _DIGEST + 8 + len(_MAGIC)
_BLOCK_EVENTS = 8_192
# All entries together; the ones not used for longest go first.
_MOST_BYTES = 4 << 30
_ABANDONED_NS = 86_400 * 1_000_000_000


class CacheDamaged(Exception):
    """An entry that is not what was written; to be read anew."""


class _Block(Struct, frozen=True):
    kind: str
    count: int
    start: int
    size: int
    digest: bytes
    columns: list[Column]


class _Index(Struct, frozen=True):
    """What an entry holds, and the lane's memory after it."""

    key: str
    blocks: list[_Block]
    count: int
    first_ts: int
    last_ts: int
    last_id: int
    interval: Timeframe | None
    ignored: dict[str, int]


class EventCache:
    """The entries of one feed; ``settings`` is all of it that changes events."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = dict(settings)

    def entry(self, source: SourceFile, memory: Memory) -> CacheEntry | None:
        """Return where the events of a file are kept or would be.

        None where the file cannot be read, which its reader will say, or our own code.
        """
        try:
            content, code = source.content_hash(), _code_hash()
        except OSError:
            return None
        key = {
            **self._settings,
            "content": content,
            "container": source.path.suffix.lower(),
            "symbol": memory.symbol,
            "interval": str(memory.interval),
            "last_id": memory.last_id,
            "code": code,
        }
        text = json.dumps(key, sort_keys=True)
        name = hashlib.blake2b(text.encode(), digest_size=_DIGEST).hexdigest()
        return CacheEntry(self._folder / f"{name}.events", text, source, memory)


class CacheEntry:
    """The events of one file under the settings of one feed."""

    def __init__(
        self, path: Path, key: str, source: SourceFile, memory: Memory
    ) -> None:
        self.path = path
        self.source = source
        self._key = key
        self._memory = memory

    def load(self) -> KeptEvents | None:
        """Return what is kept and may follow the lane's last event, None for nothing.

        A file that goes back in time is damaged, which only reading it can say.
        """
        try:
            kept = KeptEvents(self.path, self._key)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, CacheDamaged) as error:
            self.refuse(error)
            return None
        index, last_ts = kept.index, self._memory.last_ts
        is_again = last_ts == index.first_ts and index.blocks[0].kind == Bar.__name__
        return kept if last_ts <= index.first_ts and not is_again else None

    def refuse(self, error: Exception) -> None:
        """Drop what cannot be trusted, and say so."""
        _log.warning(
            "cache of %s: %s; reading it anew", self.source.path.name, _words(error)
        )
        with suppress(OSError):  # in the way or not: writing will replace it
            self.path.unlink(missing_ok=True)

    def writer(self) -> CacheWriter | None:
        """Return what keeps events as they are read; None where nothing can be kept."""
        try:
            return CacheWriter(self.path, self._key, self.source, self._memory)
        except OSError as error:
            _log.warning("%s is not cached: %s", self.source.path.name, _words(error))
            return None


class KeptEvents:
    """An entry, mapped into memory. Raises CacheDamaged unless it is whole."""

    def __init__(self, path: Path, key: str) -> None:
        import numpy as np

        size = path.stat().st_size
        if size < len(_MAGIC) + _TAIL:
            raise CacheDamaged("too short")
        self._bytes = np.memmap(path, np.uint8, "r", shape=(size,))
        tail = self._bytes[-_TAIL:].tobytes()
        if (
            tail[-len(_MAGIC) :] != _MAGIC
            or self._bytes[: len(_MAGIC)].tobytes() != _MAGIC
        ):
            raise CacheDamaged("cut short, or of another version")
        length = int.from_bytes(tail[_DIGEST : _DIGEST + 8], "little")
        if length > size - len(_MAGIC) - _TAIL:
            raise CacheDamaged("index longer than the file")
        text = self._bytes[size - _TAIL - length : size - _TAIL].tobytes()
        if _digest(text) != tail[:_DIGEST]:
            raise CacheDamaged("index does not match its checksum")
        try:
            self.index = msgspec.msgpack.decode(text, type=_Index)
        except msgspec.MsgspecError as error:
            raise CacheDamaged(f"index of another version: {error}") from error
        if self.index.key != key or not self.index.blocks:
            raise CacheDamaged("kept for another file")
        with suppress(OSError):  # read-only: it only looks older than it is
            os.utime(path)

    def blocks(self, instrument: str) -> Iterator[list[MarketEvent]]:
        """Yield the events block by block. Raises CacheDamaged before a false one."""
        for block in self.index.blocks:
            data = self._bytes[block.start : block.start + block.size]
            if len(data) != block.size or _digest(data.data) != block.digest:
                raise CacheDamaged("events do not match their checksum")
            yield from_columns(block.kind, instrument, data, block.columns)

    def finish(self, memory: Memory) -> None:
        """Leave in the lane's memory what reading the file would have left."""
        index = self.index
        memory.last_ts = index.last_ts
        memory.last_id = index.last_id
        memory.interval = index.interval
        for kind, count in index.ignored.items():
            memory.ignored[kind] = memory.ignored.get(kind, 0) + count


class CacheWriter:
    """Writes an entry beside its place; ``commit`` moves it there, ``close`` drops it.

    Raises OSError where the folder cannot be written; later faults only end the
    keeping.
    """

    def __init__(
        self, path: Path, key: str, source: SourceFile, memory: Memory
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._key = key
        self._source = source
        self._memory = memory
        self._ignored = dict(memory.ignored)
        descriptor, name = tempfile.mkstemp(".part", f".{path.stem}.", path.parent)
        self._beside = Path(name)
        self._file: IO[bytes] | None = os.fdopen(descriptor, "wb")
        self._blocks: list[_Block] = []
        self._events: list[MarketEvent] = []
        self._kind: type[MarketEvent] | None = None
        self._at = 0
        self._first_ts = 0
        self._last_ts = 0
        self._write(_MAGIC)

    def add(self, event: MarketEvent) -> None:
        """Keep an event."""
        events = self._events
        if type(event) is not self._kind or len(events) >= _BLOCK_EVENTS:
            self._flush()
            self._kind = type(event)
        events.append(event)

    def commit(self) -> None:
        """Put the entry into its place, unless the recording changed meanwhile."""
        self._flush()
        memory = self._memory
        index = _Index(
            self._key,
            self._blocks,
            sum(block.count for block in self._blocks),
            self._first_ts,
            self._last_ts,
            memory.last_id,
            memory.interval,
            {
                kind: count - self._ignored.get(kind, 0)
                for kind, count in memory.ignored.items()
                if count != self._ignored.get(kind, 0)
            },
        )
        text = msgspec.msgpack.encode(index)
        self._write(text + _digest(text) + len(text).to_bytes(8, "little") + _MAGIC)
        if self._file is None:
            return
        try:
            self._file.close()
            self._file = None
            if self._source.fresh_hash() != self._source.content_hash():
                _log.warning("%s changed; not cached", self._source.path.name)
                self._beside.unlink(missing_ok=True)
                return
            os.replace(self._beside, self._path)
        except OSError as error:
            self._give_up(error)
            return
        with suppress(OSError):  # another run tidies up at the same time
            _prune(self._path)

    def close(self) -> None:
        """Drop what has not been committed."""
        if self._file is not None:
            self._give_up(None)

    def _flush(self) -> None:
        events = self._events
        if not events or self._file is None:
            events.clear()
            return
        try:
            data, columns = to_columns(events)
        except Unkept as error:
            self._give_up(error)
            return
        kind = type(events[0]).__name__
        self._first_ts = self._first_ts or events[0].ts_recv
        self._last_ts = events[-1].ts_recv
        self._blocks.append(
            _Block(kind, len(events), self._at, len(data), _digest(data), columns)
        )
        self._write(data)
        events.clear()

    def _write(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(data)
            self._at += len(data)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: Exception | None) -> None:
        """Stop keeping; without an error because the recording was not read whole."""
        if error is not None:
            _log.warning("%s is not cached: %s", self._source.path.name, _words(error))
        file, self._file = self._file, None
        self._events.clear()
        with suppress(OSError):  # closing flushes, which a full disk refuses again
            if file is not None:
                file.close()
        with suppress(OSError):  # what stays is removed by a later commit
            self._beside.unlink(missing_ok=True)


def _digest(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST).digest()


def _words(error: Exception) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror or error)


@cache
def _code_hash() -> str:
    """Return what changes whenever the readers do: their text, and the version."""
    digest = hashlib.blake2b(__version__.encode(), digest_size=_DIGEST)
    package = Path(__file__).parent
    model = package.parents[1] / "model"
    texts = [*package.glob("*.py"), model / "market.py", model / "timeframes.py"]
    for path in sorted(texts):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _prune(newest: Path) -> None:
    """Remove the entries not used for longest, and what killed runs left behind."""
    stats = [(path, path.stat()) for path in _entries(newest.parent, "*.events")]
    total = sum(stat.st_size for _, stat in stats)
    for path, stat in sorted(stats, key=lambda pair: pair[1].st_mtime_ns):
        if total <= _MOST_BYTES:
            break
        if path != newest:
            path.unlink(missing_ok=True)
            total -= stat.st_size
    now_ns = newest.stat().st_mtime_ns
    for path in _entries(newest.parent, ".*.part"):
        if now_ns - path.stat().st_mtime_ns > _ABANDONED_NS:
            path.unlink(missing_ok=True)


def _entries(folder: Path, pattern: str) -> Sequence[Path]:
    return [path for path in folder.glob(pattern) if path.is_file()]
