"""Settings of the simulated feed."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from workstation.model.settings import Fraction, Name, Settings

__all__ = ["VENUE", "SimulatedFeedSettings"]

VENUE = "simulated"
"""The venue of a simulated feed that names none."""

Rate = Annotated[float, Meta(gt=0, le=1_000)]


class SimulatedFeedSettings(
    Settings, frozen=True, kw_only=True, tag_field="type", tag="simulated"
):
    """A made-up market: seeded, many symbols, no network."""

    name: Name
    venue: Name | None = None
    """Venue it plays; none = ``simulated``. Two feeds may make up one symbol at two
    venues."""
    symbols: tuple[str, ...]
    """Symbols to make up, such as ``BTCUSDT``; each needs an instrument."""
    start: str = "2024-08-08T00:00:00Z"
    """The run's clock at the first event, ISO 8601 UTC, from 1970 to 2199."""
    duration: str | None = None
    """How long the market lasts, such as ``6h``; none = without end."""
    quotes_per_s: Rate = 4.0
    """Mean rate of best bid/ask changes per symbol."""
    trades_per_s: Rate = 1.5
    """Mean rate of public trades per symbol."""
    depth_interval_ms: Annotated[int, Meta(ge=50, le=60_000)] = 500
    """Time between order-book differences of a symbol."""
    depth_levels: Annotated[int, Meta(ge=1, le=1_000)] = 25
    """Levels a side that the simulated book keeps."""
    volatility_bps: Annotated[float, Meta(gt=0, le=100)] = 1.2
    """Calm volatility of a symbol in bps per √second; clusters go to four times."""
    correlation: Fraction = 0.6
    """Share of each symbol's moves that it has in common with the others."""
    gaps_per_hour: Annotated[float, Meta(ge=0, le=3_600)] = 2.0
    """How often a book difference is lost, per symbol and hour."""
    bursts_per_hour: Annotated[float, Meta(ge=0, le=3_600)] = 12.0
    """How often activity rises tenfold for some seconds, per symbol and hour."""
    bars: str | None = None
    """Also send closed bars of this timeframe, such as ``1m``; none = no bars.

    They are only for looking at the feed: strategies and charts get bars that are
    made of the trades, which always come too."""
    shared_price: Name | None = None
    """Feeds that say the same here share one price per market, as venues do; none =
    prices of its own. They must have the same start, volatility and correlation."""
    noise_bps: Annotated[float, Meta(ge=0, le=100)] = 1.0
    """How far this venue strays from a shared price, bps (standard deviation)."""
    lag_ms: Annotated[int, Meta(ge=0, le=60_000)] = 0
    """How late this venue follows a shared price."""
    seed_offset: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    """Makes two simulated feeds of one run differ."""
    record: bool = False
    """Record what it delivers, as ``[recording]`` says."""

    @property
    def venue_name(self) -> str:
        """Return whose instruments the feed brings."""
        return self.venue or VENUE
