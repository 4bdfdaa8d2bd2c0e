"""Settings of risk limits and of the order path."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from workstation.model.settings import (
    Milliseconds,
    Settings,
    at_least_zero,
    more_than_zero,
)

__all__ = ["OrderSettings", "RiskSettings"]

Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class RiskSettings(Settings, frozen=True):
    """Limits every order must pass; none = no limit. Exits are held by none of them.

    A limit itself may be used up: what is denied, or trips a breaker, is more than it.
    """

    max_order_value: Decimal | None = Decimal(25_000)
    """Largest notional of one order, in the account's currency."""
    max_position_value: Decimal | None = Decimal(50_000)
    """Largest notional of the account's position in one instrument, entries counted."""
    max_symbol_exposure: Decimal | None = Decimal(100_000)
    """The same over all venues of a symbol, positions of either side added up."""
    max_venue_exposure: Decimal | None = Decimal(100_000)
    """The same over all instruments of a venue."""
    max_total_exposure: Decimal | None = Decimal(100_000)
    """The same over all instruments."""
    max_open_orders: Annotated[int, Meta(ge=1)] | None = 100
    """Most orders working at once."""
    max_daily_loss: Decimal | None = Decimal(5_000)
    """Largest loss since the day's start, open profit counted; trips a breaker."""
    max_drawdown: Decimal | None = Decimal("0.1")
    """Largest loss from the highest equity, as a share of it; trips a breaker."""
    drawdown_base: Decimal = Decimal(100)
    """Below this highest equity a drawdown is not looked at."""
    collar_through_bps: Decimal | None = Decimal(200)
    """How far a limit price may be beyond the price it would meet."""
    collar_away_bps: Decimal | None = Decimal(2_000)
    """How far a limit price may be away from its own side's best price."""
    max_order_rate: Annotated[int, Meta(ge=1)] | None = 100
    """Most orders sent in ``order_rate_s``."""
    order_rate_s: Seconds = 10.0
    """Window of the order rate."""
    max_message_ratio: Decimal | None = Decimal(200)
    """Most messages (orders, changes, cancels) per fill in ``message_ratio_s``."""
    message_ratio_s: Seconds = 600.0
    """Window of the message ratio."""
    message_ratio_least: Annotated[int, Meta(ge=1)] = 400
    """With fewer messages than this in the window the ratio is not looked at."""
    on_breach: Literal["hold", "cancel", "flatten"] = "cancel"
    """Rung of the kill ladder that a breaker climbs to."""
    cooling_s: Annotated[float, Meta(ge=0, le=604_800)] = 0.0
    """Time after a breaker tripped before which there is no re-arming."""
    size_ramp_s: Annotated[float, Meta(ge=0, le=604_800)] = 0.0
    """Time after such a re-arm over which the sizes of entries grow back to whole."""
    size_ramp_from: Decimal = Decimal("0.5")
    """Share of a size that an entry has right after such a re-arm."""
    leverage: Decimal = Decimal(1)
    """Notional per unit of margin."""
    margin_buffer: Decimal = Decimal("0.2")
    """Share of equity kept free when free margin is computed."""

    def __post_init__(self) -> None:
        """Refuse limits that are not positive, and shares above the whole."""
        more_than_zero(
            self,
            *("max_order_value", "max_position_value", "max_symbol_exposure"),
            *("max_venue_exposure", "max_total_exposure", "max_daily_loss"),
            *("max_drawdown", "drawdown_base", "max_message_ratio", "leverage"),
            "size_ramp_from",
        )
        at_least_zero(self, "collar_through_bps", "collar_away_bps")
        for name in ("max_drawdown", "size_ramp_from"):
            value = getattr(self, name)
            if value is not None and value > 1:
                raise ValueError(f"{name} = {value} must be a share, at most 1")
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
