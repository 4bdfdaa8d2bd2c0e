"""Says what is in a recording, having read and proven all of it.

Called by ``workstation check``; nothing is changed.
"""

from __future__ import annotations

import hashlib
from collections import Counter

from msgspec import Struct

from workstation.venues.recording.folder import RecordedFeed, Recording, moment
from workstation.venues.recording.index import Gap
from workstation.venues.recording.reading import BlockSource

__all__ = ["Survey", "survey"]


class Survey(Struct, frozen=True):
    """Lines for a person, and what is damaged or missing."""

    lines: tuple[str, ...]
    problems: tuple[str, ...]


def survey(recording: Recording) -> Survey:
    """Read a whole recording."""
    header = recording.header
    lines = [f"a recorded run in mode {header.mode}, made by version {header.version}"]
    problems = list(recording.damage)
    for feed in header.feeds:
        lines += _feed(recording, feed, problems)
    for frames in recording.frames():
        path = recording.folder / frames.file
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(
                    stream, lambda: hashlib.blake2b(digest_size=16)
                )
        except OSError as error:
            problems.append(f"{frames.file}: {error.strerror or error}")
            continue
        if digest.hexdigest() != frames.digest:
            problems.append(f"{frames.file}: is not what the index says of it")
    if gaps := [line for line in recording.lines if isinstance(line, Gap)]:
        counts = Counter(gap.what for gap in gaps)
        lines.append(f"gaps of books: {counts['opened']}, mended {counts['mended']}")
    lines.append(_end(recording))
    if recording.changed:
        lines.append(recording.changed)
    lines.append(_promise(recording))
    return Survey(tuple(lines), tuple(dict.fromkeys(problems)))


def _feed(recording: Recording, feed: RecordedFeed, problems: list[str]) -> list[str]:
    if not recording.is_recorded(feed.name):
        return [f"feed {feed.name}: not recorded"]
    source = BlockSource(recording, feed.name)
    first_ts = last_ts = None
    events = holes = 0
    while (loaded := source.next()) is not None:
        # What is wrong with the index is said once, for all feeds.
        own = [each for each in loaded.troubles if each not in recording.damage]
        if own:
            problems.append("; ".join(own))
        holes += bool(loaded.hole)
        events += len(loaded.items)
        if loaded.items:
            first_ts = loaded.items[0][0] if first_ts is None else first_ts
            last_ts = loaded.items[-1][0]
    files = recording.files(feed.name)
    lines = [
        f"feed {feed.name}: {events:,} events of {len(feed.instruments)} symbols in "
        f"{_files(len(files))}, {source.total_bytes:,} bytes",
        f"  from {moment(first_ts)} to {moment(last_ts)}" if events else "  no event",
    ]
    frames = [each for each in recording.frames() if each.feed == feed.name]
    if frames:
        count = sum(each.items for each in frames)
        lines.append(f"  raw frames: {count:,} in {_files(len(frames))}")
    began = recording.began(feed.name)
    if began is not None and not began.whole:
        lines.append(f"  begun by hand at seq {began.seq}, {moment(began.ts)}")
    if holes:
        lines.append(f"  holes: {holes}")
    what, detail = source.ending
    if what:
        lines.append(f"  {what}{': ' if detail else ''}{detail}")
    return lines


def _end(recording: Recording) -> str:
    end = recording.end
    if end is None:
        return "the run has no end here: it was killed, or still goes on"
    if end.how == "broken":
        return f"the recorder could not go on: {end.reason}"
    return f"the run {end.how} after {end.events:,} events, state hash {end.state_hash}"


def _promise(recording: Recording) -> str:
    if recording.gives_the_same:
        return "run again it has the same state hash"
    end = recording.end
    if end is not None and end.by_hand:
        return (
            f"an operator or a slow script took part {end.by_hand} times, which only "
            "the journal of the run has: the state hash will be another"
        )
    return "it is not the whole of its run: the state hash will be another"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
