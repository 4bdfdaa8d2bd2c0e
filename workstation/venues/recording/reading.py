"""Reads the blocks of one recorded feed in order, across its files.

The recording feed pulls them. Every block is proven by its digest and by the number of
its first event; what is wrong on the way comes with the next block that is sound.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import msgspec
from msgspec import Struct

from workstation.model.market import MarketEvent
from workstation.venues.recording.block import (
    Block,
    Unfinished,
    Unsound,
    find_block,
    read_head,
    read_proven,
    unpacked,
)
from workstation.venues.recording.folder import Cut, Recording, events_file, moment
from workstation.venues.recording.index import INDEX, Began, Halted, Segment

__all__ = ["BlockSource", "Item", "Loaded"]

Item = tuple[int, MarketEvent]
"""When an event came to the run, and the event."""

_decode = msgspec.msgpack.Decoder(list[Item]).decode


class Loaded(Struct, frozen=True, kw_only=True):
    """The events of a block, and what is wrong or missing before them.

    ``troubles`` are damage; ``hole`` was known when the recording was made. At the end
    of the files there may be troubles without events.
    """

    items: list[Item]
    troubles: tuple[str, ...] = ()
    hole: str = ""
    missing: int = 0


class BlockSource:
    """The blocks of one feed."""

    def __init__(self, recording: Recording, feed: str) -> None:
        self.ending: tuple[str, str] = ("", "")
        """How the feed ended, once ``next`` has returned None."""
        self.consumed_bytes = 0
        self._recording = recording
        self._feed = feed
        self._files = recording.files(feed)
        self._known = recording.segments(feed)
        self._holes = dict(recording.holes(feed))
        self.total_bytes = sum(path.stat().st_size for path in self._files.values())
        self._cut: Cut | None = None
        self._is_past = False
        self._expected = 1
        self._last_ts: int | None = None
        self._troubles: list[str] = []
        self._loaded = self._load()

    def next(self) -> Loaded | None:
        """Return the next block, None at the end."""
        return next(self._loaded, None)

    def close(self) -> None:
        """Close the file that is open; ``next`` returns None from now on."""
        self._loaded.close()

    def _load(self) -> Generator[Loaded]:
        recording = self._recording
        self._troubles += recording.damage
        self._cut = recording.cut()
        last = max([*self._files, *self._known], default=0)
        for number in range(1, last + 1):
            path = self._files.get(number)
            if path is None:
                self._troubles.append(f"{events_file(self._feed, number)} is not there")
                continue
            try:
                yield from self._file(path, is_last=number == last)
            except OSError as error:
                self._troubles.append(f"{path.name}: {error.strerror or error}")
            if self._is_past:
                break
            self._check_promise(path.name, self._known.get(number))
        yield from self._rest()
        self.ending = self._end()

    def _file(self, path: Path, *, is_last: bool) -> Generator[Loaded]:
        key = self._recording.key(path.name)
        at, end, number = 0, path.stat().st_size, 0
        with path.open("rb") as stream:
            while at < end:
                number += 1
                place = f"{path.name}: block {number} at byte {at}"
                try:
                    block = read_head(stream, at, end)
                    whole = read_proven(stream, at, block, key)
                    if self._cut is not None and block.through > self._cut.through:
                        self._is_past = True
                        return
                    items = _decode(unpacked(whole))
                except Unfinished as torn:
                    # A recording that was broken off says so at its end.
                    if self._cut is None or not is_last:
                        self._troubles.append(f"{place}: {torn}")
                    return
                except (Unsound, msgspec.MsgspecError) as reason:
                    self._troubles.append(f"{place}: {reason}")
                    following = find_block(stream, at + 1, end, key)
                    at = end if following is None else following
                    continue
                at += block.size
                self.consumed_bytes += block.size
                if block.first < self._expected:
                    self._troubles.append(
                        f"{place}: holds event {block.first:,} a second time"
                    )
                    continue
                yield self._sound(block, items)

    def _sound(self, block: Block, items: list[Item]) -> Loaded:
        missing = block.first - self._expected
        if missing:
            self._miss(block.first - 1)
        self._expected = block.first + block.count
        self._last_ts = items[-1][0]
        troubles = tuple(self._troubles)
        self._troubles.clear()
        return Loaded(
            items=items,
            troubles=troubles,
            hole=self._holes.pop(block.first, ""),
            missing=missing,
        )

    def _miss(self, last: int) -> None:
        first = self._expected
        what = (
            f"event {first:,} is"
            if first == last
            else f"events {first:,} to {last:,} are"
        )
        self._troubles.append(f"{what} missing")

    def _check_promise(self, file: str, segment: Segment | None) -> None:
        """Note a finished file that ends between two blocks, before its end."""
        if segment is None or self._troubles:
            return
        promised = segment.first + segment.items - 1
        if self._expected <= promised:
            self._troubles.append(
                f"{file}: ends with event {self._expected - 1:,}; {INDEX} has it to "
                f"event {promised:,}"
            )

    def _rest(self) -> Generator[Loaded]:
        """Yield what is wrong behind the last sound block."""
        end = self._recording.end
        missing = 0
        if end is not None and self._cut is None:
            missing = end.recorded.get(self._feed, 0) + 1 - self._expected
            if missing > 0:
                self._miss(end.recorded[self._feed])
        if self._troubles:
            yield Loaded(
                items=[], troubles=tuple(self._troubles), missing=max(0, missing)
            )

    def _end(self) -> tuple[str, str]:
        over = self._recording.over(self._feed)
        if over is not None and over.event == self._expected:
            return over.how, over.detail
        if not self._recording.is_recorded(self._feed):
            return "", ""
        if self._cut is not None:
            where = "before its first event"
            if self._last_ts is not None:
                event = f"{self._expected - 1:,}"
                where = f"after event {event} of {self._feed}, {moment(self._last_ts)}"
            return "cut", f"the recording breaks off {where}: {self._cut.missing}"
        by_hand = [
            line
            for line in self._recording.lines
            if isinstance(line, Began | Halted) and line.feed == self._feed
        ]
        if by_hand and isinstance(by_hand[-1], Halted):
            seq, ts = by_hand[-1].seq, moment(by_hand[-1].ts)
            return "cut", f"its recording was ended by hand at seq {seq}, {ts}"
        return "", ""
