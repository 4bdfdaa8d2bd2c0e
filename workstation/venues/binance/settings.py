"""Where a Binance account is, and how long its answers may take."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from workstation.model.settings import Name, Settings

__all__ = ["BinanceVenueSettings"]


class BinanceVenueSettings(Settings, frozen=True):
    """One spot account. Made by whoever has the secrets; no config holds them."""

    name: Name = "binance"
    base_url: str = "https://api.binance.com"
    """Scheme and host of the REST API: real, test network, or a practice exchange."""
    key: str = ""
    """API key."""
    secret: str = ""
    """Secret of an HMAC key."""
    recv_window_ms: Annotated[int, Meta(ge=1, le=60_000)] = 5_000
    """A request that reaches the venue later than this is refused there."""
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 8.0
    """Without an answer by then nobody knows what became of a request, s."""
    weight_per_minute: Annotated[int, Meta(ge=100)] = 6_000
    """REQUEST_WEIGHT per address, as ``exchangeInfo`` says; 6,000 in July 2026."""
    watchdog_s: Annotated[float, Meta(ge=0, le=3_600)] = 5.0
    """Silence of the engine after which a process of its own cancels the entries, s;
    0 = there is no such process."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, base_url={self.base_url!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # Any: as its base has it
        """Show what ``repr`` does: key and secret are in no log and on no screen."""
        return [("name", self.name), ("base_url", self.base_url)]
