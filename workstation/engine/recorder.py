"""The recorder: which feeds of a run are recorded, since when, and what is said of it.

The session and the screen talk to it between inputs. On the way of an event it costs
one append; what is written, and where, is the business of its thread.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from workstation.engine.engine import Engine
from workstation.engine.journal import run_name
from workstation.engine.recording_writer import Frames, RecordingWriter, TapeStatus
from workstation.engine.settings import RecordingSettings
from workstation.engine.sources import Feed
from workstation.kernel import Clock
from workstation.market.aggregator import Aggregator
from workstation.model.errors import RecordingError
from workstation.model.market import BookSnapshot
from workstation.model.records import BookRecord, FeedRecord, Record
from workstation.model.states import BookTrust
from workstation.venues.recording.folder import Header, moment
from workstation.venues.recording.index import (
    Began,
    End,
    Gap,
    Halted,
    Hole,
    Over,
)

__all__ = ["Recorder", "RecorderAnswer"]

_OVER = ("ended", "failed", "cut")


class RecorderAnswer(Struct, frozen=True):
    """What became of the wish to record a feed, or to stop it, in a sentence."""

    accepted: bool
    detail: str


class Recorder:
    """Records feeds of one engine.

    ``header`` is asked when the first feed is recorded; until then nothing is written.
    """

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        settings: RecordingSettings,
        mode: str,
        header: Callable[[str], Header],
        wall: Clock,
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._settings = settings
        self._mode = mode
        self._header = header
        self._wall = wall
        self._writer: RecordingWriter | None = None
        self._refusal: str | None = None
        self._began: dict[str, int | None] = {}
        """When each feed that has been recorded was begun, or begun again."""
        self._halted: dict[str, int | None] = {}

    @property
    def failure(self) -> str | None:
        """Return why the recording is not whole, None while it is."""
        return self._refusal if self._writer is None else self._writer.failure

    @property
    def folder(self) -> Path | None:
        """Return the folder of the recording, None while there is none."""
        return None if self._writer is None else self._writer.folder

    def status(self, feed: Feed) -> TapeStatus | None:
        """Return what is on disk of a feed that is recorded now, else None."""
        if feed.tap is None or self._writer is None:
            return None
        since = self._began.get(feed.name)
        return self._writer.status.get(
            feed.name, TapeStatus(file="", bytes=0, events=0, since=since)
        )

    def begin(self, feed: Feed) -> RecorderAnswer:
        """Record a feed from its next event on."""
        if feed.tap is not None:
            return RecorderAnswer(False, f"{feed.name} is recorded already")
        if feed.ended or feed.stopped:
            return RecorderAnswer(
                False, f"{feed.name} has ended: there is nothing to come"
            )
        try:
            writer = self._open()
        except RecordingError as error:
            self._refusal = str(error)
            return RecorderAnswer(False, str(error))
        if writer.failure is not None:
            return RecorderAnswer(False, writer.failure)
        self._write_beginning(writer, feed)
        feed.tap = writer.queue.append
        return RecorderAnswer(True, f"{feed.name} is recorded into {writer.folder}")

    def halt(self, feed: Feed) -> RecorderAnswer:
        """End the recording of a feed; the run goes on."""
        writer = self._writer
        if feed.tap is None or writer is None:
            return RecorderAnswer(False, f"{feed.name} is not being recorded")
        self._untap(feed)
        seq, ts = self._now()
        self._halted[feed.name] = ts
        writer.queue.append(Frames(feed.name, None))
        writer.queue.append(Halted(feed=feed.name, event=0, ts=ts, seq=seq))
        return RecorderAnswer(
            True,
            f"{feed.name} is recorded no longer; {writer.folder} has it until here",
        )

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Keep gaps of books and ends of feeds (a sink of the core)."""
        writer = self._writer
        if writer is None:
            return
        if isinstance(record, BookRecord):
            self._book(writer, record)
        elif isinstance(record, FeedRecord):
            self._feed(writer, record)
        if writer.is_behind:
            writer.fail("the disk does not keep up with the run")
        if writer.failure is not None:
            for feed in self._engine.sources.feeds:
                self._untap(feed)

    def close(self, state_hash: str, by_hand: int) -> None:
        """Write how the run ended, and wait until all is on disk."""
        writer, engine = self._writer, self._engine
        if writer is None:
            return
        ended = engine.started and engine.ended
        writer.close(
            End(
                how="ended" if ended else "stopped",
                events=engine.delivered,
                inputs=engine.core.seq,
                by_hand=by_hand,
                state_hash=state_hash,
            )
        )

    # --- beginnings and ends of feeds ----------------------------------------------

    def _open(self) -> RecordingWriter:
        if self._writer is None:
            name = run_name(self._mode, self._wall.now())
            folder = _free(Path(self._settings.path or ""), name)
            header = self._header(folder.name)
            self._writer = RecordingWriter(folder, header, self._settings)
            self._engine.core.sinks.append(self)
        return self._writer

    def _write_beginning(self, writer: RecordingWriter, feed: Feed) -> None:
        name = feed.name
        put = writer.queue.append
        seq, ts = self._now()
        again = name in self._began
        whole = feed.delivered + feed.shed == 0 and not again
        books = [] if whole else self._books(feed)
        if again:
            before = moment(self._halted.get(name))
            put(Hole(feed=name, event=0, detail=f"not recorded from {before} on"))
        put(
            Began(feed=name, event=0, ts=ts, seq=seq, whole=whole, snapshots=len(books))
        )
        for book in books:
            put((name, book.ts_recv, book))
        keep = getattr(feed.connector, "keep_frames", None)
        put(Frames(name, None if keep is None else keep()))
        self._began[name] = ts

    def _books(self, feed: Feed) -> list[BookSnapshot]:
        """Return the trusted books of a feed as they stand, for a proof to begin at."""
        ts = self._engine.core.ts
        made = []
        for name in feed.instruments:
            book = self._aggregator.book(name)
            if book is not None and book.trust is BookTrust.TRUSTED:
                bids, asks = book.depth()
                made.append(
                    BookSnapshot(
                        name,
                        ts,
                        book.update_id,
                        tuple(book.bids(bids)),
                        tuple(book.asks(asks)),
                    )
                )
        return made

    def _untap(self, feed: Feed) -> None:
        if feed.tap is None:
            return
        feed.tap = None
        drop = getattr(feed.connector, "drop_frames", None)
        if drop is not None:
            drop()

    def _now(self) -> tuple[int, int | None]:
        engine = self._engine
        return engine.core.seq, engine.core.ts if engine.started else None

    # --- records -------------------------------------------------------------------

    def _book(self, writer: RecordingWriter, record: BookRecord) -> None:
        if record.after is BookTrust.UNTRUSTED:
            what = "opened"
        elif record.before is BookTrust.UNTRUSTED:
            what = "mended"
        else:
            return
        feeds = self._engine.sources.feeds
        if any(f.tap and record.instrument in f.instruments for f in feeds):
            writer.queue.append(
                Gap(
                    what=what,
                    instrument=record.instrument,
                    ts=record.ts,
                    seq=record.seq,
                    reason=record.reason,
                    expected=record.expected,
                    got=record.got,
                )
            )

    def _feed(self, writer: RecordingWriter, record: FeedRecord) -> None:
        feeds = self._engine.sources.feeds
        if not any(feed.tap and feed.name == record.feed for feed in feeds):
            return
        name, detail = record.feed, record.detail
        if record.what == "hole":
            writer.queue.append(Hole(feed=name, event=0, detail=detail))
        elif record.what in _OVER:
            how = record.what
            writer.queue.append(Over(feed=name, how=how, event=0, detail=detail))


def _free(base: Path, name: str) -> Path:
    """Return a folder of this name that is not there yet."""
    folder, number = base / name, 1
    while folder.exists():
        number += 1
        folder = base / f"{name}-{number}"
    return folder
