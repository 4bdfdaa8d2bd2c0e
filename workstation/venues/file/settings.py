"""Settings of file feeds."""

from __future__ import annotations

from typing import Literal

from workstation.model.settings import Name, Settings

__all__ = ["FileFeedSettings", "FileFormat", "file_venue"]

FileFormat = Literal[
    "binance-raw",
    "binance-klines",
    "binance-trades",
    "binance-aggtrades",
    "quotes",
    "trades",
    "ohlcv",
]


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
    """Plain, ``.gz`` or ``.zip``; several files of one symbol are read in turn. Times
    that carry no zone are UTC."""
    symbols: tuple[str, ...] = ()
    """One symbol for all files, or one per file; raw captures name their own."""
    interval: str | None = None
    """Timeframe of the bars where the file does not tell: ``1m``, ``1h`` …"""
    on_error: Literal["stop", "skip"] = "stop"
    """A damaged row ends the run, or is skipped and counted."""
    max_skipped: int = 1_000
    """With ``skip``: more damaged rows than this end the run after all."""

    @property
    def venue_name(self) -> str:
        """Return whose instruments the feed brings."""
        return self.venue or file_venue(self.format)
