"""The thread that writes a recording, and the queue that the core hands events over by.

Events are written in rounds over all feeds, so that a run that is killed leaves a whole
prefix of itself. What cannot be written never stops the run: ``failure`` says why.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from typing import IO

import msgspec
from msgspec import structs

from workstation.engine.settings import RecordingSettings
from workstation.engine.tape import Chunk, Tape, write_all
from workstation.model.errors import RecordingError
from workstation.model.market import MarketEvent
from workstation.model.timeframes import NS_PER_S
from workstation.venues.recording.folder import HEADER, Header, header_digest
from workstation.venues.recording.index import (
    INDEX,
    Began,
    Begin,
    End,
    Halted,
    Hole,
    Line,
    Over,
    Segment,
    encode_line,
)

__all__ = ["Frames", "RecordingWriter", "TapeStatus"]

# What is read is on disk after three looks at the latest, or as soon as it fills a
# round.
_LOOK_S = 0.25
_LOOKS = 3
_ROUND = 4_096
# Some 300 MB of events: a disk that is that far behind will not catch up.
_MOST_WAITING = 1_000_000


class Frames(msgspec.Struct, frozen=True):
    """From here on ``frames`` has the raw frame of each event of a feed, in order."""

    feed: str
    frames: deque[bytes] | None


Item = tuple[str, int, MarketEvent] | Frames | Line
"""What the core hands over: an event, or what is to be done after those before it."""


class TapeStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is on disk of one feed, for the screen; the file in its folder."""

    file: str
    bytes: int
    events: int
    since: int | None


class RecordingWriter:
    """Writes one run into ``folder``, which must not be there yet.

    Raises RecordingError where the folder cannot be made.
    """

    def __init__(
        self, folder: Path, header: Header, settings: RecordingSettings
    ) -> None:
        self.folder = folder
        self.failure: str | None = None
        self.queue: deque[Item] = deque()
        self.status: dict[str, TapeStatus] = {}
        self._rotate_bytes = int(settings.rotate_mb * 1e6)
        self._rotate_ns = int(settings.rotate_minutes * 60 * NS_PER_S)
        self._id = header.id
        self._tapes: dict[str, Tape] = {}
        self._through = 0
        self._check = ""
        self._closing = threading.Event()
        content = msgspec.json.format(msgspec.json.encode(header), indent=2)
        try:
            folder.mkdir(parents=True)
            (folder / HEADER).write_bytes(content)
            self._index: IO[bytes] = (folder / INDEX).open("xb", buffering=0)
            self._write_line(Begin(id=header.id, header=header_digest(content)))
        except OSError as error:
            raise RecordingError(
                f"recording {folder}: {error.strerror or error}; give another folder "
                "as [recording] path"
            ) from error
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    @property
    def is_behind(self) -> bool:
        """Tell whether more is waiting than the disk will ever take."""
        return len(self.queue) > _MOST_WAITING

    def fail(self, reason: str) -> None:
        """Give the recording up; what is on disk stays."""
        if self.failure is None:
            kept = ", ".join(f"{t.count:,} of {t.feed}" for t in self._tapes.values())
            self.failure = (
                f"recording {self.folder}: {reason}; the run goes on, events after "
                f"{kept or 'the first'} are not kept"
            )

    def close(self, end: End) -> None:
        """Write what is waiting and how the run ended; wait until it is on disk."""
        if self._thread.is_alive():
            self.queue.append(end)
            self._closing.set()
            self._thread.join()

    # --- the thread ----------------------------------------------------------------

    def _run(self) -> None:
        looks = 0
        closing = False
        while not closing:
            closing = self._closing.wait(_LOOK_S)
            looks += 1
            if closing or looks >= _LOOKS or len(self.queue) >= _ROUND:
                looks = 0
                self._drain()
        for tape in self._tapes.values():
            tape.abandon()
        self._index.close()

    def _drain(self) -> None:
        """Write, in rounds, what waits by now."""
        waiting = len(self.queue)
        while waiting > 0:
            count = min(waiting, _ROUND)
            waiting -= count
            items = [self.queue.popleft() for _ in range(count)]
            if self.failure is None:
                try:
                    self._take(items)
                except Exception as error:  # the thread's edge: it must outlive all
                    reason = getattr(error, "strerror", None) or str(error)
                    self.fail(reason)
                    self._give_up(reason)

    def _take(self, items: list[Item]) -> None:
        taken: dict[str, list[tuple[int, MarketEvent]]] = {}
        for item in items:
            if isinstance(item, tuple):
                feed, ts, event = item
                taken.setdefault(feed, []).append((ts, event))
            else:
                # A line of the index speaks of what is on disk before it.
                self._round(taken)
                taken = {}
                if isinstance(item, Frames):
                    self._tape(item.feed).frames = item.frames
                else:
                    self._say(item)
        self._round(taken)

    def _round(self, taken: dict[str, list[tuple[int, MarketEvent]]]) -> None:
        plan: list[tuple[Tape, Chunk]] = []
        for feed, items in taken.items():
            tape = self._tape(feed)
            plan += [(tape, chunk) for chunk in tape.plan(items)]
            self._through += len(items)
        for part, (tape, chunk) in enumerate(plan, 1):
            finished = tape.add(chunk, self._through, (part, len(plan)))
            self._index_segments(finished)
            self._tell(tape)

    def _say(self, line: Line) -> None:
        if isinstance(line, Began | Halted | Hole | Over):
            tape = self._tape(line.feed)
            line = structs.replace(line, event=tape.count + 1)
            if isinstance(line, Halted):
                self._index_segments(tape.finish())
        elif isinstance(line, End):
            for tape in self._tapes.values():
                self._index_segments(tape.finish())
            recorded = {tape.feed: tape.count for tape in self._tapes.values()}
            line = structs.replace(line, recorded=recorded)
        self._write_line(line)

    def _index_segments(self, finished: list[Segment]) -> None:
        for segment in finished:
            self._write_line(segment)

    def _give_up(self, reason: str) -> None:
        """Say in the index why there is no more, if that can still be written."""
        try:
            self._write_line(End(how="broken", reason=reason))
        except OSError:
            # The disk is full: then the recording looks like a killed one.
            pass

    def _write_line(self, line: Line) -> None:
        content, check = encode_line(line, self._check)
        write_all(self._index, content)
        self._check = check

    def _tape(self, feed: str) -> Tape:
        tape = self._tapes.get(feed)
        if tape is None:
            tape = self._tapes[feed] = Tape(
                self.folder, feed, self._id, self._rotate_bytes, self._rotate_ns
            )
        return tape

    def _tell(self, tape: Tape) -> None:
        self.status[tape.feed] = TapeStatus(
            file=f"{self.folder.name}/{tape.file}",
            bytes=tape.bytes,
            events=tape.count,
            since=tape.since,
        )
