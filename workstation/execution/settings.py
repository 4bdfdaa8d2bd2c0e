"""Settings of risk limits and of the order path."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from workstation.model.settings import Milliseconds, Settings, more_than_zero

__all__ = ["OrderSettings", "RiskSettings"]


class RiskSettings(Settings, frozen=True):
    """Limits every order must pass; none = no limit."""

    max_order_value: Decimal | None = Decimal(25_000)
    """Largest notional of one order, in the account's currency."""
    max_position_value: Decimal | None = Decimal(50_000)
    """Largest notional of the account's position in one instrument."""
    max_open_orders: Annotated[int, Meta(ge=1)] | None = 100
    """Most orders working at once."""
    leverage: Decimal = Decimal(1)
    """Notional per unit of margin, for the margin figures."""
    margin_buffer: Decimal = Decimal("0.2")
    """Share of equity kept free when free margin is computed."""

    def __post_init__(self) -> None:
        """Refuse limits that are not positive."""
        more_than_zero(self, "max_order_value", "max_position_value", "leverage")
        if not 0 <= self.margin_buffer < 1:
            raise ValueError(
                f"margin_buffer = {self.margin_buffer} must be in 0 … 0.99"
            )


class OrderSettings(Settings, frozen=True):
    """When an order without an answer becomes Unknown."""

    create_timeout_ms: Milliseconds = 10_000
    """After this time without an acknowledgement the order is Unknown; queried."""
    cancel_timeout_ms: Milliseconds = 5_000
    """The same for a cancel."""
    keep_closed: Annotated[int, Meta(ge=10, le=1_000_000)] = 1_000
    """Final orders kept in memory; older ones are in the journal only."""
