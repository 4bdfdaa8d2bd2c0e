"""Settings of risk limits, of the order path and of resting quotes."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from workstation.model.settings import (
    Fraction,
    Milliseconds,
    PositiveInt,
    Settings,
    at_least_zero,
    more_than_zero,
)

__all__ = [
    "OrderSettings",
    "QuotingSettings",
    "ReconciliationSettings",
    "RiskSettings",
]

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
    """When an order without an answer becomes Unknown, and how the venue is asked."""

    create_timeout_ms: Milliseconds = 10_000
    """After this time without an acknowledgement the order is Unknown; queried."""
    cancel_timeout_ms: Milliseconds = 5_000
    """The same for a cancel."""
    query_retry_ms: Annotated[int, Meta(ge=100, le=86_400_000)] = 2_000
    """Wait before the venue is asked again about an order; doubles with every try."""
    query_retry_most_ms: Annotated[int, Meta(ge=100, le=86_400_000)] = 60_000
    """Longest wait between two tries."""
    absent_after_ms: Milliseconds = 30_000
    """"No such order" counts only when asked this long after the order left: until
    then it may still be on its way."""
    check_ms: Milliseconds = 60_000
    """Working orders of which nothing was heard for so long are asked about, at
    venues where a report may be lost; 0 = never."""
    keep_closed: Annotated[int, Meta(ge=10, le=1_000_000)] = 1_000
    """Final orders kept in memory; older ones are in the journal only."""
    max_slippage_bps: Annotated[float, Meta(gt=0, le=10_000)] | None = None
    """How far from the best price a flatten may trade, in bps; none = a market order.

    With it a flatten is a limit order that ends at once (IOC); what is left is tried
    again at the best price of then."""
    flatten_tries: Annotated[int, Meta(ge=1, le=100)] = 3
    """Such orders one flatten may take; what is left then is an alarm."""
    flatten_pause_ms: Milliseconds = 250
    """Time between two of them."""


class QuotingSettings(Settings, frozen=True):
    """How desired orders are compared with working ones; docs/quoting.md."""

    keep_bps: Annotated[float, Meta(ge=0, le=1_000)] = 2.0
    """An order this near to its level stays, in bps of the level's price.

    Wider saves requests and lets quotes rest further from where they are wanted; market
    makers elsewhere take 2 to 20."""
    keep_size: Fraction = 0.1
    """It also stays where its size differs by no more, as a fraction of the level's."""
    min_lifetime_ms: Milliseconds = 500
    """A younger order is not moved, unless it would take; withdrawn it is at once."""
    overlap: Annotated[float, Meta(ge=0, le=10)] = 0.0
    """What may work on a side beyond what is wanted there, as a fraction of it.

    0 waits for the venue's word that an order is gone before another takes its place;
    1 lets a whole new side be placed while the old one is being canceled."""
    would_take: Literal["passive", "drop"] = "passive"
    """A post-only level that would take: one tick behind the market, or left out."""
    rejections: PositiveInt = 3
    """Refusals by the venue in a row after which a side of a row pauses."""
    pause_s: Annotated[float, Meta(gt=0, le=86_400)] = 5.0
    """The first such pause; each further refusal doubles it."""
    longest_pause_s: Annotated[float, Meta(gt=0, le=86_400)] = 120.0
    """No pause is longer."""


class ReconciliationSettings(Settings, frozen=True):
    """When the books are held against the venue's account; docs/reconciliation.md."""

    every_s: Annotated[float, Meta(ge=0, le=86_400)] = 30.0
    """Time between two looks while anything is going on; 0 = only at the start."""
    confirm_ms: Annotated[int, Meta(ge=100, le=3_600_000)] = 2_000
    """A balance that differs counts once the venue has said so again after this time:
    a fill may be on its way here."""
