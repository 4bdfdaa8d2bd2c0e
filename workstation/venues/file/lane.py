"""The files of one symbol, read in turn, as one stream of events in time order.

The feed merges lanes. A lane finds the place of every damaged row and reports it; what
follows from that is the feed's to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from workstation.model.errors import DataError
from workstation.model.market import Bar, MarketEvent
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import HEAD_LINES, Memory, Reader, ReaderFactory
from workstation.venues.file.source import SourceFile

__all__ = ["Lane"]

# What a reader may raise on bytes it cannot make sense of; deep nesting recurses.
_UNREADABLE = (Damaged, msgspec.MsgspecError, ValueError, RecursionError)


class Lane:
    """Reads its files one after the other; each is open only in its turn."""

    def __init__(
        self,
        files: Sequence[SourceFile],
        memory: Memory,
        factory: ReaderFactory,
        report: Callable[[DataError], None],
    ) -> None:
        """``report`` may raise to end the run; otherwise the row is passed over."""
        self.files = files
        self.memory = memory
        self._factory = factory
        self._report = report
        self._last_ts = 0

    def events(self) -> Iterator[MarketEvent]:
        """Yield the events of all files; times never go back."""
        for source in self.files:
            try:
                yield from self._file(source)
            except Damaged as damage:
                place = max(1, source.line)
                self._report(DataError(source.path.name, place, str(damage)))
            finally:
                source.close()

    def _file(self, source: SourceFile) -> Iterator[MarketEvent]:
        """Yield one file's events. Raises Damaged where the rest cannot be read.

        Raises DataError where a file is not what it should be: what its rows say is
        not known without a header, and a file without a sound row is the wrong one.
        """
        reader: Reader | None = None
        is_read, damaged = False, 0
        ignored = sum(self.memory.ignored.values())
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
                reason = str(error) or type(error).__name__
                self._report(DataError(source.path.name, source.line, reason))
                continue
            is_read = True
            yield event
        if not is_read and ignored == sum(self.memory.ignored.values()):
            reason = f"no sound row, {damaged} damaged" if damaged else "no rows"
            raise DataError(source.path.name, max(1, source.line), reason)

    def _reader(self, source: SourceFile) -> Reader:
        try:
            return self._factory(source.head(HEAD_LINES), self.memory)
        except _UNREADABLE as error:
            raise DataError(source.path.name, source.line, str(error)) from error

    def _check_time(self, event: MarketEvent) -> None:
        ts = event.ts_recv
        if ts < self._last_ts:
            raise Damaged(f"time goes back by {(self._last_ts - ts) / 1e9:.9g} s")
        if ts == self._last_ts and type(event) is Bar:
            raise Damaged("the same bar a second time")
        self._last_ts = ts
