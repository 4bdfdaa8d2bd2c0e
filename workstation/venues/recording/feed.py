"""The recording feed: one recorded feed, event by event as the run had it.

The driver pulls it. What is damaged or missing is named, and ends the feed or is passed
over as a hole; nothing is repaired or guessed.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

from workstation.model.errors import ConfigError, FeedHole, RecordingError
from workstation.venues.recording.folder import Recording, moment
from workstation.venues.recording.reading import BlockSource, Item
from workstation.venues.recording.settings import RecordingFeedSettings

__all__ = ["RecordingFeed"]

_KEPT_ERRORS = 20


class RecordingFeed:
    """A ``Connector`` over one feed of a recording.

    ``next`` raises RecordingError at damage and again from then on, or, with
    ``on_error = "skip"``, FeedHole once. Raises RecordingError where the folder holds
    no recording, ConfigError where it has no such feed or symbol.
    """

    def __init__(self, settings: RecordingFeedSettings) -> None:
        self.name = settings.name
        self.delivered = 0
        self.skipped = 0
        """Recorded events that damage has swallowed."""
        self.errors: deque[str] = deque(maxlen=_KEPT_ERRORS)
        self.first_ts: int | None = None
        self.ending: tuple[str, str] = ("", "")
        """What to record at the end: what and detail; "" is nothing, for a run that
        was stopped before its feed came to its end."""
        self.recording = Recording(Path(settings.path))
        self.recorded = settings.recorded
        self._stops = settings.on_error == "stop"
        self._source = BlockSource(self.recording, self.recorded)
        self._only = frozenset(settings.symbols)
        self._items: Iterator[Item] = iter(())
        self._ahead: list[Item] | None = None
        self._failure: RecordingError | None = None
        _check(settings, self.recording)

    @property
    def total_bytes(self) -> int:
        """Return the bytes of all files of the feed."""
        return self._source.total_bytes

    @property
    def consumed_bytes(self) -> int:
        """Return how many of them have been read."""
        return self._source.consumed_bytes

    @property
    def note(self) -> str:
        """Return what of the run's feed is not here from the start, "" if nothing."""
        began = self.recording.began(self.recorded)
        if began is None:
            if self.recording.files(self.recorded):
                return ""
            return f"feed {self.recorded} was not recorded: nothing of it is played"
        if began.whole:
            return ""
        return (
            f"feed {self.recorded} was recorded from seq {began.seq}, "
            f"{moment(began.ts)} on, not from its first event: the run's hash is "
            "another"
        )

    @property
    def last_error(self) -> str:
        """Return the last damage, "" while there is none."""
        return self.errors[-1] if self.errors else ""

    def next(self) -> Item | None:
        """Return the next event with its ``ts_recv``, None at the end."""
        item = next(self._items, None)
        if item is None:
            item = self._following()
            if item is None:
                return None
        self.delivered += 1
        return item

    def identity(self) -> Mapping[str, str]:
        """Return the recording's id and what its index says of the files.

        Blocks are bound to the id and to their place, so they need no second reading.
        """
        known = self.recording.segments(self.recorded)
        hashed = hashlib.blake2b(digest_size=16)
        for number, path in self.recording.files(self.recorded).items():
            segment = known.get(number)
            content = segment.digest if segment else str(path.stat().st_size)
            hashed.update(f"{path.name} {content}\n".encode())
        return {
            "type": "recording",
            "recording": self.recording.header.id,
            "feed": self.recorded,
            "symbols": ",".join(sorted(self._only)),
            "files": hashed.hexdigest(),
        }

    def close(self) -> None:
        """Close the files; ``next`` returns None from now on."""
        self._items = iter(())
        self._ahead = None
        self._source.close()

    def _following(self) -> Item | None:
        """Return the first event of the next block that has one of ours."""
        if self._failure is not None:
            raise self._failure
        while True:
            items, self._ahead = self._ahead, None
            if items is None:
                loaded = self._source.next()
                if loaded is None:
                    self._end()
                    return None
                items = loaded.items
                self.skipped += loaded.missing
                trouble = "; ".join(loaded.troubles)
                if trouble:
                    self.errors.append(trouble)
                    if self._stops:
                        self._failure = RecordingError(trouble)
                        raise self._failure
                if trouble or loaded.hole:
                    # What is after the hole comes with the next call.
                    self._ahead = items
                    raise FeedHole(trouble or loaded.hole)
            if self._only:
                items = [item for item in items if item[1].instrument in self._only]
            self._items = iter(items)
            first = next(self._items, None)
            if first is not None:
                if self.first_ts is None:
                    self.first_ts = first[0]
                return first

    def _end(self) -> None:
        """Say how the feed ended. Raises RecordingError where it failed in the run."""
        what, detail = self.ending = self._source.ending
        if what == "failed":
            self._failure = RecordingError(detail)
            raise self._failure


def _check(settings: RecordingFeedSettings, recording: Recording) -> None:
    where = f"feed {settings.name}"
    feed = recording.feed(settings.recorded)
    if feed is None:
        names = ", ".join(each.name for each in recording.header.feeds) or "none"
        raise ConfigError(
            f"{where}: {recording.folder} has no feed {settings.recorded}; "
            f"it has {names}"
        )
    for symbol in settings.symbols:
        if symbol not in feed.instruments:
            raise ConfigError(
                f"{where}: {symbol} is no instrument of recorded feed "
                f"{settings.recorded}; it has {', '.join(feed.instruments)}"
            )
