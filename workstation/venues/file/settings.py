"""Settings of file feeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from workstation.model.settings import Name, Settings

__all__ = [
    "CACHED_FORMATS",
    "MAPPED_COLUMNS",
    "FileFeedSettings",
    "FileFormat",
    "file_venue",
]

FileFormat = Literal[
    "binance-raw",
    "binance-klines",
    "binance-trades",
    "binance-aggtrades",
    "quotes",
    "trades",
    "ohlcv",
    "tardis",
]

MAPPED_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "quotes": ("time", "bid", "ask", "bid_size", "ask_size"),
    "trades": ("time", "price", "size", "side", "id"),
    "ohlcv": ("time", "open", "high", "low", "close", "volume", "turnover", "trades"),
}
"""Columns that ``columns`` may name, by format."""

CACHED_FORMATS = frozenset(get_args(FileFormat)) - {"binance-raw"}
"""Formats whose second pass is faster from a cache. Raw captures are decoded in C,
about as fast as a cache is read."""


def file_venue(format_: str | None) -> str:
    """Return the venue of a file that names none: its format's, else ``file``."""
    return "binance" if str(format_).startswith("binance") else "file"


class FileFeedSettings(
    Settings, frozen=True, kw_only=True, tag_field="type", tag="file"
):
    """Recorded market data, read as a stream and merged by time."""

    name: Name
    venue: Name | None = None
    """Whose market was recorded; none = ``binance`` for its formats, else ``file``."""
    format: FileFormat
    files: tuple[str, ...]
    """Plain, ``.gz``, ``.zip``, ``.zst`` or ``.parquet``; several files of one symbol
    are read in turn. Times that carry no zone are UTC."""
    symbols: tuple[str, ...] = ()
    """One symbol for all files, or one per file; raw captures name their own."""
    interval: str | None = None
    """Timeframe of the bars where the file does not tell: ``1m``, ``1h`` …"""
    columns: dict[str, str] = {}
    """Names that columns of quotes, trades and ohlcv have in the file's header."""
    time_format: str = "auto"
    """How times of these are written: ``s``, ``ms``, ``us``, ``ns`` since 1970, or a
    pattern of ``strptime``; ``auto`` knows ISO 8601 and tells an epoch's unit."""
    cache: bool | None = None
    """Keep what was read for a faster second pass; by default of files from 4 MiB."""
    on_error: Literal["stop", "skip"] = "stop"
    """A damaged row ends the run, or is skipped and counted."""
    max_skipped: int = 1_000
    """With ``skip``: more damaged rows than this end the run after all."""
    record: bool = False
    """Record what it delivers, as ``[recording]`` says."""

    @property
    def venue_name(self) -> str:
        """Return whose instruments the feed brings."""
        return self.venue or file_venue(self.format)
