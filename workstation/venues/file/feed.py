"""The file feed: recordings of one format, merged by time, as a pull source.

The driver pulls it. Rows that cannot be understood end the run or are skipped and
counted, as the settings say; nothing is repaired or guessed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from pathlib import Path

from workstation.model.errors import ConfigError, DataError
from workstation.model.market import MarketEvent
from workstation.model.timeframes import Timeframe
from workstation.paths import cache_folder
from workstation.venues.file.binance_klines import BinanceKlinesReader
from workstation.venues.file.binance_raw import stream_symbol
from workstation.venues.file.binance_trades import (
    BinanceAggTradesReader,
    BinanceTradesReader,
)
from workstation.venues.file.cache import AUTOMATIC_BYTES, EventCache
from workstation.venues.file.cryptofeed import is_cryptofeed, raw_reader
from workstation.venues.file.extras import missing_package
from workstation.venues.file.format import HEAD_LINES, Memory, ReaderFactory
from workstation.venues.file.lane import Lane
from workstation.venues.file.ohlcv import OhlcvReader
from workstation.venues.file.quotes import QuotesReader
from workstation.venues.file.settings import CACHED_FORMATS, FileFeedSettings
from workstation.venues.file.source import SourceFile
from workstation.venues.file.tardis import tardis_reader
from workstation.venues.file.times import time_reader
from workstation.venues.file.trades import TradesReader

__all__ = ["FileFeed"]

_CAPTURE = "binance-raw"
_FORMATS: dict[str, ReaderFactory] = {
    _CAPTURE: raw_reader,
    "binance-klines": BinanceKlinesReader,
    "binance-trades": BinanceTradesReader,
    "binance-aggtrades": BinanceAggTradesReader,
    "quotes": QuotesReader,
    "trades": TradesReader,
    "ohlcv": OhlcvReader,
    "tardis": tardis_reader,
}
_KEPT_ERRORS = 20
_MEND = 'mend the row, or pass over such rows with on_error = "skip"'


class FileFeed:
    """A ``Connector`` over files.

    ``paths`` are the settings' files, found; ``instruments`` maps venue symbols to
    instrument ids. Files of one symbol are read in turn, symbols are merged by
    (ts, first file, order in the file). Raises ConfigError for missing files and for
    symbols that do not fit; ``next`` raises DataError for damage.
    """

    def __init__(
        self,
        settings: FileFeedSettings,
        paths: Sequence[Path],
        instruments: Mapping[str, str],
    ) -> None:
        self.name = settings.name
        self.delivered = 0
        self.skipped = 0
        """Damaged rows passed over."""
        self.errors: deque[DataError] = deque(maxlen=_KEPT_ERRORS)
        """The last damaged rows: file, line and reason."""
        self.first_ts: int | None = None
        """Time of the first event, once it has been delivered."""
        self._settings = settings
        self._paths = tuple(paths)
        self._identity: dict[str, str] | None = None
        self._failure: DataError | None = None
        _check_paths(settings.name, self._paths)
        self._files = tuple(SourceFile(path) for path in self._paths)
        self.total_bytes = sum(file.total_bytes for file in self._files)
        self._cache = EventCache(
            cache_folder(),
            {"format": settings.format, **_reading(settings)},
        )
        self._lanes = self._make_lanes(dict(instruments))
        self._streams: list[Iterator[MarketEvent]] | None = None
        self._heap: list[tuple[int, int, MarketEvent]] = []
        self._frames: deque[bytes] | None = None

    @property
    def consumed_bytes(self) -> int:
        """Return how much of ``total_bytes`` has been read from disk."""
        return sum(file.consumed_bytes for file in self._files)

    @property
    def skipped_by_kind(self) -> Mapping[str, int]:
        """Return how many sound lines were no events of ours, by kind."""
        counts: dict[str, int] = {}
        for lane in self._lanes:
            for kind, count in lane.memory.ignored.items():
                counts[kind] = counts.get(kind, 0) + count
        return counts

    @property
    def last_error(self) -> DataError | None:
        """Return the last damaged row, None while there is none."""
        return self.errors[-1] if self.errors else None

    def next(self) -> tuple[int, MarketEvent] | None:
        """Return the next event with its ``ts_recv``, None at the end.

        Raises DataError at a damaged row (``stop``), or at one too many (``skip``);
        again on each later call.
        """
        if self._failure is not None:
            raise self._failure
        heap = self._heap
        try:
            if self._streams is None:
                self._open()
            elif heap:
                # Only now, so that damage never holds back the event before it.
                index = heap[0][1]
                event = next(self._streams[index], None)
                if event is None:
                    heappop(heap)
                else:
                    heapreplace(heap, (event.ts_recv, index, event))
        except DataError as error:
            self._failure = error
            raise
        if not heap:
            return None
        ts, _, event = heap[0]
        if self.delivered == 0:
            self.first_ts = ts
        self.delivered += 1
        if self._frames is not None:
            self._frames.append(self._lanes[heap[0][1]].line)
        return ts, event

    def keep_frames(self) -> deque[bytes] | None:
        """Put the raw line of each event into the deque returned, from the last on.

        None where the format has no frames: only captures do.
        """
        if self._settings.format != _CAPTURE:
            return None
        self._frames = deque(self._lanes[index].line for _, index, _ in self._heap[:1])
        return self._frames

    def drop_frames(self) -> None:
        """Keep no more raw lines."""
        self._frames = None

    def identity(self) -> Mapping[str, str]:
        """Return the format and the blake2b of each file, computed once."""
        if self._identity is None:
            self._identity = {
                "type": "file",
                "format": self._settings.format,
                "interval": self._settings.interval or "",
                "symbols": ",".join(self._settings.symbols),
                **_reading(self._settings),
                **{
                    f"file.{index}.{file.path.name}": _hash(file)
                    for index, file in enumerate(self._files)
                },
            }
        return self._identity

    def close(self) -> None:
        """Close the files; ``next`` returns None from now on."""
        self._streams = []
        self._heap.clear()
        for file in self._files:
            file.close()

    def _open(self) -> None:
        self._streams = [lane.events() for lane in self._lanes]
        for index, stream in enumerate(self._streams):
            event = next(stream, None)
            if event is not None:
                self._heap.append((event.ts_recv, index, event))
        heapify(self._heap)

    def _make_lanes(self, instruments: dict[str, str]) -> list[Lane]:
        settings = self._settings
        interval = _interval(settings)
        if settings.format == _CAPTURE:
            keys = [_capture_key(file) for file in self._files]
        else:
            keys = _symbols(settings, len(self._files), instruments)
        turns: dict[str, list[SourceFile]] = {}
        for key, file in zip(keys, self._files, strict=True):
            turns.setdefault(key, []).append(file)
        return [
            Lane(
                files,
                Memory(
                    instruments.get(key),
                    instruments,
                    interval,
                    symbol="" if settings.format == _CAPTURE else key,
                    columns=settings.columns,
                    read_time=time_reader(settings.time_format),
                ),
                _FORMATS[settings.format],
                self._damaged,
                self._cache_of,
            )
            for key, files in turns.items()
        ]

    def _cache_of(self, file: SourceFile) -> EventCache | None:
        """Return the cache for a file that is worth it, or whose settings want it."""
        wanted = self._settings.cache
        if wanted is None:
            wanted = file.total_bytes >= AUTOMATIC_BYTES
        is_kept = wanted and self._settings.format in CACHED_FORMATS
        return self._cache if is_kept else None

    def _damaged(self, error: DataError) -> None:
        if self._settings.on_error == "stop":
            error = DataError(
                error.source, error.line, error.reason, error.remedy or _MEND
            )
            self.errors.append(error)
            raise error
        self.errors.append(error)
        self.skipped += 1
        if self.skipped > self._settings.max_skipped:
            raise DataError(
                error.source,
                error.line,
                f"{error.reason}; that is damaged row {self.skipped}, "
                f"max_skipped = {self._settings.max_skipped}",
                "look whether it is the right file, or raise max_skipped",
            )


def _check_paths(feed: str, paths: Sequence[Path]) -> None:
    if not paths:
        raise ConfigError(f"feed {feed}: files is empty; name at least one")
    for path in paths:
        if not path.is_file():
            is_folder = path.is_dir()
            what = "is a folder" if is_folder else "is not there"
            raise ConfigError(
                f"feed {feed}: file {path.name} {what}; looked in "
                f"{path.parent.absolute()}; name "
                f"{'the files in it' if is_folder else 'a file that is'}"
            )
        if (missing := missing_package(path)) is not None:
            raise ConfigError(f"feed {feed}: file {path.name} {missing}")


def _interval(settings: FileFeedSettings) -> Timeframe | None:
    if settings.interval is None:
        return None
    where = f"feed {settings.name}: interval"
    try:
        interval = Timeframe.parse(settings.interval)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error
    if not interval.is_clocked:
        raise ConfigError(f"{where}: {interval} has no length; allowed: 1h, 1d, 1M …")
    return interval


def _capture_key(file: SourceFile) -> str:
    """Return what the captures have in common that are read in turn."""
    head = file.head(HEAD_LINES)
    # Cryptofeed writes streams and snapshots into files beside each other.
    symbol = None if is_cryptofeed(head) else stream_symbol(head)
    return symbol or str(file.path)


def _reading(settings: FileFeedSettings) -> dict[str, str]:
    """Return the settings by which the rows of a table are understood."""
    columns = (f"{name}={settings.columns[name]}" for name in sorted(settings.columns))
    return {"columns": ",".join(columns), "time_format": settings.time_format}


def _hash(file: SourceFile) -> str:
    """Return the hash of a file; reading it will tell what is wrong with it."""
    try:
        return file.content_hash()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def _symbols(
    settings: FileFeedSettings, files: int, instruments: Mapping[str, str]
) -> list[str]:
    """Return the symbol of each file; ``instruments`` must know it."""
    symbols = settings.symbols or tuple(instruments)
    if len(symbols) == 1:
        symbols *= files
    if len(symbols) != files:
        raise ConfigError(
            f"feed {settings.name}: {len(symbols)} symbols for {files} files; "
            "give one for all, or one per file"
        )
    for symbol in symbols:
        if symbol not in instruments:
            raise ConfigError(
                f"feed {settings.name}: no instrument for {symbol}; "
                f"there are {', '.join(instruments) or 'none'}"
            )
    return list(symbols)
