"""The files of one symbol, read in turn, as one stream of events in time order.

The feed merges lanes. A lane finds the place of every damaged row and reports it; what
follows from that is the feed's to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import msgspec

from workstation.model.errors import DataError
from workstation.model.market import Bar, MarketEvent
from workstation.venues.file.cache import CacheDamaged, CacheEntry, EventCache
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import (
    HEAD_LINES,
    Grouping,
    Memory,
    Reader,
    ReaderFactory,
)
from workstation.venues.file.source import SourceFile

__all__ = ["Lane"]

# What a reader may raise on bytes it cannot make sense of; deep nesting recurses.
_UNREADABLE = (Damaged, msgspec.MsgspecError, ValueError, RecursionError)
_SORT = "sort the rows by time"
_OTHER_SYMBOL = "symbol "


class Lane:
    """Reads its files one after the other; each is open only in its turn."""

    def __init__(
        self,
        files: Sequence[SourceFile],
        memory: Memory,
        factory: ReaderFactory,
        report: Callable[[DataError], None],
        cache: Callable[[SourceFile], EventCache | None] = lambda source: None,
    ) -> None:
        """``report`` may raise to end the run; otherwise the row is passed over.

        ``cache`` says where the events of a file are kept, if they are to be.
        """
        self.files = files
        self.memory = memory
        self._factory = factory
        self._report = report
        self._cache = cache
        self.line = b""
        """The line of the event that was yielded last."""

    def events(self) -> Iterator[MarketEvent]:
        """Yield the events of all files; times never go back."""
        for source in self.files:
            try:
                yield from self._file(source)
            except Damaged as damage:
                self._report(_error(source, damage))
            finally:
                source.close()

    def _file(self, source: SourceFile) -> Iterator[MarketEvent]:
        """Yield one file's events, from the cache as far as that can be trusted."""
        cache = self._cache(source)
        entry = None if cache is None else cache.entry(source, self.memory)
        kept = None if entry is None else entry.load()
        given = 0
        if entry is not None and kept is not None:
            count = kept.index.count
            try:
                for events in kept.blocks(self.memory.instrument):
                    given += len(events)
                    source.consumed_bytes = source.total_bytes * given // count
                    yield from events
            except CacheDamaged as error:
                entry.refuse(error)
            else:
                kept.finish(self.memory)
                return
        if given and source.fresh_hash() != source.content_hash():
            raise Damaged("the file changed while it was read", "run it again")
        # What came out of the cache was proven, so only the rest is missing.
        yield from islice(self._parsed(source, entry), given, None)

    def _parsed(
        self, source: SourceFile, entry: CacheEntry | None
    ) -> Iterator[MarketEvent]:
        """Yield what the lines say. Raises Damaged where the rest cannot be read.

        Raises DataError where a file is not what it should be: what its rows say is
        not known without a header, and a file without a sound row is the wrong one.
        Only a file without damage is kept in the cache.
        """
        writer = None if entry is None else entry.writer()
        reader: Reader | None = None
        is_read, damaged = False, 0
        memory = self.memory
        before = dict(memory.ignored)
        try:
            for line in source.lines():
                if not line or line.isspace():
                    continue
                if reader is None:
                    reader = self._reader(source)
                try:
                    event = reader.parse(line, source.line)
                    if event is None:
                        continue
                    self._check_time(event)
                except _UNREADABLE as error:
                    damaged += 1
                    self._report(_error(source, error))
                    continue
                is_read = True
                if writer is not None:
                    writer.add(event)
                self.line = line
                yield event
            if isinstance(reader, Grouping) and (event := reader.finish()) is not None:
                self._check_time(event)
                is_read = True
                if writer is not None:
                    writer.add(event)
                yield event
            if not is_read:
                self._check_use(source, before, damaged)
            if writer is not None and not damaged:
                writer.commit()
        finally:
            if writer is not None:
                writer.close()

    def _reader(self, source: SourceFile) -> Reader:
        try:
            return self._factory(source.head(HEAD_LINES), self.memory)
        except _UNREADABLE as error:
            remedy = error.remedy if isinstance(error, Damaged) else ""
            raise DataError(
                source.path.name,
                source.line,
                str(error),
                remedy or "name a file of this format, or its format",
            ) from error

    def _check_time(self, event: MarketEvent) -> None:
        ts = event.ts_recv
        memory = self.memory
        if ts < memory.last_ts:
            back = (memory.last_ts - ts) / 1e9
            raise Damaged(f"time goes back by {back:.9g} s", _SORT)
        if ts == memory.last_ts and type(event) is Bar:
            raise Damaged("the same bar a second time")
        memory.last_ts = ts

    def _check_use(
        self, source: SourceFile, before: dict[str, int], damaged: int
    ) -> None:
        """Raise DataError where a file had nothing at all, or nothing of our symbol."""
        name, place = source.path.name, max(1, source.line)
        ignored = self.memory.ignored
        passed = [kind for kind in ignored if ignored[kind] != before.get(kind, 0)]
        if not passed:
            reason = f"no sound row, {damaged} damaged" if damaged else "no rows"
            remedy = "name a file of this format, or its format"
            raise DataError(name, place, reason, remedy)
        if all(kind.startswith(_OTHER_SYMBOL) for kind in passed):
            wanted = self.memory.symbol or ", ".join(self.memory.names)
            held = ", ".join(kind.removeprefix(_OTHER_SYMBOL) for kind in passed)
            raise DataError(
                name,
                place,
                f"nothing of symbol {wanted}; the file holds {held}",
                "name its symbol under symbols",
            )


def _error(source: SourceFile, error: Exception) -> DataError:
    """Return where and why a row or the rest of a file cannot be used."""
    reason = str(error) or type(error).__name__
    remedy = error.remedy if isinstance(error, Damaged) else ""
    return DataError(source.path.name, max(1, source.line), reason, remedy)
