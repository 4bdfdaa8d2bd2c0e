"""Settings of the Aggregator and its storage."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from workstation.model.settings import Milliseconds, Settings, at_least_zero

__all__ = ["OpportunitySettings", "StorageSettings"]


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
    """Build bars from trades, or from the mid where a feed has no trades. Bars by ticks
    count changes of the mid then; those by volume and value always need trades."""
    empty_bars: Literal["repeat", "skip"] = "repeat"
    """An interval without a trade repeats the last close, or makes no bar."""
    late_trades: Literal["include", "drop"] = "include"
    """A trade whose venue time is before the shortest open bar: it counts in the bars
    open when it comes, or is left out of bars. Both ways it is counted as late."""
    market_data_interval_ms: Milliseconds = 250
    """Least time between two MarketDataUpdated events of one symbol."""


Edge = Annotated[float, Meta(ge=0, le=10_000)]


class OpportunitySettings(Settings, frozen=True, kw_only=True):
    """What counts as an opportunity between venues or inside a spread."""

    enabled: bool = True
    """Compare the venues of each market that has two or more; false watches nothing,
    spreads neither."""
    min_edge_bps: Edge = 1.0
    """Least edge between two venues after both taker fees, bps of the buying price;
    never less than something."""
    max_age_ms: Milliseconds = 1_000
    """Quotes older than this are not compared; never longer than ``stale_ms``."""
    cooldown_ms: Milliseconds = 2_000
    """Time after an opportunity's end before the same pair of venues, in the same
    direction, may have another."""
    min_notional: Decimal = Decimal(10)
    """Least worth of its size, in the quote currency; the instruments' own least
    notional counts too."""
    wide_spread_bps: Edge | None = None
    """Least spread of one instrument after two taker fees; none = not watched."""

    def __post_init__(self) -> None:
        """Refuse a negative worth."""
        at_least_zero(self, "min_notional")
