"""A tape: one recorded feed's files, written by the recorder's thread alone.

It numbers events, packs them into blocks, rotates the files, and says what each
finished file holds. What goes wrong is an OSError, after which the tape is done with.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import IO
from urllib.parse import quote

import msgspec

from workstation.model.market import MarketEvent
from workstation.venues.recording.block import block_key, pack_block
from workstation.venues.recording.folder import events_file, frames_file
from workstation.venues.recording.index import Segment

__all__ = ["Chunk", "RecordedFile", "Tape", "write_all"]

Item = tuple[int, MarketEvent]
# Where bars of an hour are all there is, an hour is no reason for a new file.
_LEAST = 100
_encode = msgspec.msgpack.Encoder().encode


class RecordedFile:
    """One file of blocks, made when its first block comes."""

    def __init__(self, path: Path, recording: str) -> None:
        self.path = path
        self.bytes = 0
        self.items = 0
        self._key = block_key(recording, path.name)
        self._hash = hashlib.blake2b(digest_size=16)
        self._stream: IO[bytes] | None = None

    def add(
        self, payload: bytes, first: int, count: int, through: int, of: tuple[int, int]
    ) -> None:
        """Write a block so that it is there whole or, after an OSError, not at all."""
        block = pack_block(payload, self._key, first, count, through, of)
        if self._stream is None:
            self._stream = self.path.open("xb", buffering=0)
        try:
            write_all(self._stream, block)
        except OSError:
            self._stream.truncate(self.bytes)
            raise
        self._hash.update(block)
        self.bytes += len(block)
        self.items += count

    def abandon(self) -> None:
        """Close it as it is."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def close(self) -> str:
        """Bring it to the disk, close it, and return its digest."""
        if self._stream is not None:
            os.fsync(self._stream.fileno())
        self.abandon()
        return self._hash.hexdigest()


class Chunk(msgspec.Struct):
    """Events that go into one block, and the frames they came from."""

    items: list[Item]
    frames: dict[str, list[bytes]]


class Tape:
    """One feed; ``frames`` has the raw frame of each event where there are any."""

    def __init__(
        self,
        folder: Path,
        feed: str,
        recording: str,
        rotate_bytes: int,
        rotate_ns: int,
    ) -> None:
        self.feed = feed
        self.count = 0
        self.bytes = 0
        """Bytes on disk, of all its files."""
        self.since: int | None = None
        self.frames: deque[bytes] | None = None
        self._folder = folder
        self._recording = recording
        self._rotate_bytes = rotate_bytes
        self._rotate_ns = rotate_ns
        self._number = 0
        self._first = 1
        self._first_ts = 0
        self._last_ts = 0
        self._events: RecordedFile | None = None
        self._raw: dict[str, RecordedFile] = {}

    @property
    def file(self) -> str:
        """Return the name of the file that is being written."""
        return "" if self._events is None else self._events.path.name

    def plan(self, items: Iterable[Item]) -> list[Chunk]:
        """Divide events where a file has lasted long enough, as ``add`` takes them."""
        chunks: list[Chunk] = []
        began, count = self._first_ts, 0 if self._events is None else self._events.items
        for item in items:
            if count == 0 or self._is_old(count, began, item[0]):
                began, count = item[0], 0
            if count == 0 or not chunks:
                chunks.append(Chunk([], {}))
            count += 1
            chunks[-1].items.append(item)
            if self.frames is not None:
                lines = chunks[-1].frames.setdefault(item[1].instrument, [])
                lines.append(self.frames.popleft())
        return chunks

    def add(self, chunk: Chunk, through: int, of: tuple[int, int]) -> list[Segment]:
        """Write one block; return the files that were finished before it."""
        items = chunk.items
        first_ts = items[0][0]
        finished: list[Segment] = []
        events = self._events
        if events is not None and (
            events.bytes >= self._rotate_bytes
            or self._is_old(events.items, self._first_ts, first_ts)
        ):
            finished = self.finish()
        if self._events is None:
            self._number += 1
            self._first = self.count + 1
            self._first_ts = first_ts
            name = events_file(self.feed, self._number)
            self._events = RecordedFile(self._folder / name, self._recording)
        before = self._events.bytes
        self._events.add(_encode(items), self.count + 1, len(items), through, of)
        self.bytes += self._events.bytes - before
        for instrument, lines in chunk.frames.items():
            self._add_frames(instrument, lines, through)
        self.count += len(items)
        self._last_ts = items[-1][0]
        if self.since is None:
            self.since = first_ts
        return finished

    def _is_old(self, items: int, first_ts: int, ts: int) -> bool:
        return ts - first_ts >= self._rotate_ns and items >= _LEAST

    def finish(self) -> list[Segment]:
        """Close the files and return what the index says of them."""
        if self._events is None:
            return []
        finished = [self._segment(self._events, self._first)]
        finished += [self._segment(each, 1) for each in self._raw.values()]
        self._events = None
        self._raw = {}
        return finished

    def abandon(self) -> None:
        """Let go of files that could not be finished."""
        for file in (self._events, *self._raw.values()):
            if file is not None:
                file.abandon()

    def _add_frames(self, instrument: str, lines: list[bytes], through: int) -> None:
        raw = self._raw.get(instrument)
        if raw is None:
            name = frames_file(self.feed, quote(instrument, safe=""), self._number)
            raw = RecordedFile(self._folder / name, self._recording)
            self._raw[instrument] = raw
        before = raw.bytes
        payload = b"\n".join((*lines, b""))
        raw.add(payload, raw.items + 1, len(lines), through, (1, 1))
        self.bytes += raw.bytes - before

    def _segment(self, file: RecordedFile, first: int) -> Segment:
        return Segment(
            feed=self.feed,
            file=file.path.name,
            number=self._number,
            first=first,
            items=file.items,
            first_ts=self._first_ts,
            last_ts=self._last_ts,
            bytes=file.bytes,
            digest=file.close(),
        )


def write_all(stream: IO[bytes], content: bytes) -> None:
    """Write all of it to an unbuffered stream, which may take less at a time."""
    view = memoryview(content)
    while view:
        view = view[stream.write(view) :]
