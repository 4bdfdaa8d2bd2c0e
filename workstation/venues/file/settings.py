"""Settings of file feeds."""

from __future__ import annotations

from typing import Literal

from workstation.model.settings import Name, Settings

__all__ = ["FileFeedSettings", "FileFormat"]

FileFormat = Literal[
    "binance-raw",
    "binance-klines",
    "binance-trades",
    "binance-aggtrades",
    "quotes",
    "trades",
    "ohlcv",
]


class FileFeedSettings(
    Settings, frozen=True, kw_only=True, tag_field="type", tag="file"
):
    """Recorded market data, read as a stream and merged by time."""

    name: Name
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
