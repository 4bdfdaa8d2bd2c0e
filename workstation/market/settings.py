"""Settings of the Aggregator and its storage."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from workstation.model.settings import Milliseconds, Settings

__all__ = ["StorageSettings"]


class StorageSettings(Settings, frozen=True, kw_only=True):
    """What is kept in memory per symbol, and when data is too old to trade on."""

    window: Annotated[int, Meta(ge=50, le=1_000_000)] = 1_000
    """Closed bars kept per symbol and timeframe."""
    quotes: Annotated[int, Meta(ge=0, le=1_000_000)] = 1_000
    """Best prices kept per symbol, 80 bytes each at most; 0 = none."""
    trades: Annotated[int, Meta(ge=0, le=1_000_000)] = 1_000
    """Public trades kept per symbol, 64 bytes each at most; 0 = none."""
    stale_ms: Milliseconds = 5_000
    """Quotes older than this block entries; bar feeds: this plus two bars."""
    bar_source: Literal["trades", "mid"] = "trades"
    """Build bars from trades, or from the mid where a feed has no trades."""
    empty_bars: Literal["repeat", "skip"] = "repeat"
    """An interval without a trade repeats the last close, or makes no bar."""
    late_trades: Literal["include", "drop"] = "include"
    """A trade whose venue time is before the shortest open bar: it counts in the bars
    open when it comes, or is left out of bars. Both ways it is counted as late."""
    market_data_interval_ms: Milliseconds = 250
    """Least time between two MarketDataUpdated events of one symbol."""
