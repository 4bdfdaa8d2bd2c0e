"""Settings of the paper broker."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta, field

from workstation.model.settings import (
    Bps,
    Milliseconds,
    Name,
    Settings,
)

__all__ = ["PaperBrokerSettings"]

# A negative spread would fill both sides better than the middle, at -10,000 for
# nothing at all.
Spread = Annotated[float, Meta(ge=0, le=10_000)]


class PaperBrokerSettings(
    Settings, frozen=True, kw_only=True, tag_field="type", tag="paper"
):
    """A simulated venue: fills against the current book, quote or bar."""

    name: Name = "paper"
    cash: dict[str, Decimal] = field(default_factory=lambda: {"USDT": Decimal(100_000)})
    """What the account starts with, by currency."""
    maker_fee_bps: Bps = 1.5
    """Fee on fills of resting orders, bps of the notional; negative = rebate."""
    taker_fee_bps: Bps = 4.5
    """Fee on fills that take liquidity, bps of the notional."""
    latency_ms: Milliseconds = 40
    """One way to the venue; the same again for its reports (0 with bars only)."""
    spread_bps: Spread = 1.0
    """Spread assumed around the open or last price where there are no quotes."""
    partial_fills: bool = True
    """Fill no more than the size that is visible at each price."""

    def __post_init__(self) -> None:
        """Refuse an empty account and negative cash."""
        if not self.cash:
            raise ValueError("cash is empty; give it a currency: { USDT = '100000' }")
        for currency, amount in self.cash.items():
            if amount < 0:
                raise ValueError(f"cash.{currency} = {amount} must be 0 or more")
