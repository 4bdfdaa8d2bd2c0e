"""A recording as it is on disk: header, index, and the files of each feed.

Read by the recording feed, the config and ``workstation check``. Nothing is changed,
and no event is read here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from workstation.model.errors import RecordingError
from workstation.model.instruments import Instrument
from workstation.model.timeframes import NS_PER_S
from workstation.venues.recording.block import (
    Block,
    Unfinished,
    Unsound,
    block_key,
    find_block,
    read_head,
    read_proven,
)
from workstation.venues.recording.index import (
    INDEX,
    Began,
    Begin,
    End,
    Hole,
    Line,
    Over,
    Segment,
    read_index,
)

__all__ = ["FORMAT", "HEADER", "Cut", "Header", "RecordedFeed", "Recording"]
__all__ += ["events_file", "frames_file", "header_digest", "moment", "read_header"]

FORMAT = 1
HEADER = "header.json"


class RecordedFeed(Struct, frozen=True, kw_only=True):
    """A feed of the run, recorded or not, in the run's order."""

    name: str
    instruments: tuple[str, ...]
    identity: dict[str, str]


class Header(Struct, frozen=True, kw_only=True):
    """What made the recording: version, effective settings, feeds, scripts by hash."""

    format: int
    version: str
    id: str
    mode: str
    # Any: the settings of the run as plain values; the config reads them.
    run: dict[str, Any]
    feeds: tuple[RecordedFeed, ...]
    scripts: dict[str, str] = {}

    def instruments(self) -> tuple[Instrument, ...]:
        """Return the instruments of the run; raises ValidationError."""
        found = self.run.get("instruments", [])
        return msgspec.convert(found, tuple[Instrument, ...], strict=False)


class Cut(Struct, frozen=True, kw_only=True):
    """Where a recording that was broken off is whole, and what is missing there.

    ``through`` is the last item of the last round that is there in full.
    """

    through: int
    missing: str


class Recording:
    """One folder. Raises RecordingError where it is no recording."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.header = read_header(folder)
        index = read_index(folder)
        self.lines: tuple[Line, ...] = index.lines
        self.changed = ""
        """What was changed after the run, where that is no damage."""
        self.damage = [*index.damage, *self._foreign()]
        last = self.lines[-1] if self.lines else None
        self.end = last if isinstance(last, End) else None

    @property
    def is_cut(self) -> bool:
        """Tell whether the recording broke off before its run did."""
        return self.end is None or self.end.how == "broken"

    def feed(self, name: str) -> RecordedFeed | None:
        """Return a feed of the run."""
        return next((feed for feed in self.header.feeds if feed.name == name), None)

    def segments(self, feed: str) -> Mapping[int, Segment]:
        """Return what the index says of the feed's finished event files."""
        found = [
            line
            for line in self.lines
            if isinstance(line, Segment)
            and line.feed == feed
            and line.file == events_file(feed, line.number)
        ]
        return {line.number: line for line in found}

    def frames(self) -> tuple[Segment, ...]:
        """Return what the index says of files of raw frames."""
        return tuple(
            line
            for line in self.lines
            if isinstance(line, Segment) and line.file.endswith(".raw.gz")
        )

    def files(self, feed: str) -> Mapping[int, Path]:
        """Return the feed's event files that are there, by number."""
        pattern = re.compile(re.escape(feed) + r"-(\d{6,})\.events\.gz")
        matches = [(pattern.fullmatch(p.name), p) for p in self.folder.iterdir()]
        found = {int(match[1]): path for match, path in matches if match}
        return dict(sorted(found.items()))

    def began(self, feed: str) -> Began | None:
        """Return how the recording of a feed began, None if it never did."""
        lines = (line for line in self.lines if isinstance(line, Began))
        return next((line for line in lines if line.feed == feed), None)

    def holes(self, feed: str) -> Mapping[int, str]:
        """Return what is said to be missing, by the number of the event after it."""
        return {
            line.event: line.detail
            for line in self.lines
            if isinstance(line, Hole) and line.feed == feed
        }

    def over(self, feed: str) -> Over | None:
        """Return how a feed came to its end within the run, None if it did not."""
        lines = (line for line in self.lines if isinstance(line, Over))
        return next((line for line in lines if line.feed == feed), None)

    def is_recorded(self, feed: str) -> bool:
        """Tell whether anything of a feed is here."""
        return self.began(feed) is not None or bool(self.files(feed))

    def key(self, file: str) -> bytes:
        """Return the key of the blocks of one of its files."""
        return block_key(self.header.id, file)

    @property
    def gives_the_same(self) -> bool:
        """Tell whether its events alone make the run again, hash and all."""
        return (
            self.end is not None
            and not self.is_cut
            and not self.end.by_hand
            and not self.damage
            and not self.changed
            and all(
                (began := self.began(feed.name)) is not None and began.whole
                for feed in self.header.feeds
            )
        )

    def cut(self) -> Cut | None:
        """Return where it broke off, None if it is whole. Reads all blocks."""
        if not self.is_cut:
            return None
        rounds: dict[int, list[Block]] = {}
        missing: list[str] = []
        resumed = 0
        for feed in self.header.feeds:
            files = self.files(feed.name)
            for number, path in files.items():
                try:
                    ends = self._ends(path)
                except OSError as error:
                    missing.append(f"{path.name}: {error.strerror or error}")
                    continue
                for block in ends.blocks:
                    rounds.setdefault(block.through, []).append(block)
                resumed = max(resumed, ends.resumed)
                if ends.torn and number == max(files):
                    missing.append(ends.torn)
        whole = 0
        for through, blocks in sorted(rounds.items()):
            # A round that lacks a block before that is damaged, and no end.
            if len(blocks) < blocks[0].parts and through > resumed:
                late = [each for n in rounds if n >= through for each in rounds[n]]
                missing.append(
                    f"of the last round {len(blocks)} of {blocks[0].parts} blocks are "
                    f"on disk: {sum(block.count for block in late)} events that came "
                    "before all others of theirs are left out"
                )
                break
            whole = through
        if self.end is not None:
            missing.append(f"the recorder could not go on: {self.end.reason}")
        elif not missing:
            missing.append("what had been read in the last second was not yet on disk")
        return Cut(through=whole, missing="; ".join(missing))

    def _ends(self, path: Path) -> _Ends:
        """Read the blocks of a file, as far as they are sound."""
        blocks: list[Block] = []
        at, end, resumed = 0, path.stat().st_size, 0
        key = self.key(path.name)
        with path.open("rb") as stream:
            while at < end:
                place = f"block {len(blocks) + 1} of {path.name}"
                try:
                    block = read_head(stream, at, end)
                    read_proven(stream, at, block, key)
                except Unfinished as torn:
                    return _Ends(blocks, f"{place} is unfinished: {torn}", resumed)
                except Unsound as reason:
                    # The feed itself names the place; here only the ends count.
                    following = find_block(stream, at + 1, end, key)
                    if following is None:
                        return _Ends(blocks, f"{place}: {reason}", resumed)
                    at = following
                    resumed = read_head(stream, at, end).through
                    continue
                blocks.append(block)
                at += block.size
        return _Ends(blocks, "", resumed)

    def _foreign(self) -> list[str]:
        begin = next((each for each in self.lines if isinstance(each, Begin)), None)
        if begin is None:
            return [] if not self.lines else [f"{INDEX}:1: its first line is missing"]
        if begin.id != self.header.id:
            return [f"{INDEX}: is of recording {begin.id}, {HEADER} of another"]
        if header_digest((self.folder / HEADER).read_bytes()) != begin.header:
            self.changed = f"{HEADER} was changed after the run"
        return []


class _Ends(NamedTuple):
    """The blocks of a file, what is torn at its end, and the round after damage."""

    blocks: list[Block]
    torn: str
    resumed: int


def events_file(feed: str, number: int) -> str:
    """Return the name of a file of events."""
    return f"{feed}-{number:06}.events.gz"


def frames_file(feed: str, symbol: str, number: int) -> str:
    """Return the name of a file of one symbol's raw frames."""
    return f"{feed}.{symbol}-{number:06}.raw.gz"


def read_header(folder: Path) -> Header:
    """Return the header of the recording in a folder. Raises RecordingError."""
    path = folder / HEADER
    try:
        header = msgspec.json.decode(path.read_bytes(), type=Header)
    except OSError as error:
        raise RecordingError(
            f"{folder}: no recording: {HEADER}: {error.strerror or error}"
        ) from error
    except msgspec.MsgspecError as error:
        raise RecordingError(
            f"{path}: not the header of a recording: {error}"
        ) from error
    if header.format != FORMAT:
        raise RecordingError(
            f"{path}: format {header.format}; this version reads {FORMAT}"
        )
    return header


def moment(ts: int | None) -> str:
    """Return a time of the run in words."""
    if ts is None:
        return "before the first event"
    whole, rest = divmod(ts, NS_PER_S)
    shown = datetime.fromtimestamp(whole, UTC)
    return f"{shown:%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def header_digest(content: bytes) -> str:
    """Return the digest of the header's bytes, which the index keeps."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()
