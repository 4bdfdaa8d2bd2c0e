"""Facts that parts tell one another inside the core and publish to observers.

The ten events of the order system (PositionChanged … OrderStuck) are published on
the bus after the change; BarClosed, OrderUpdated and OrderDenied also drive the rows.
Quantities and money are Decimal, market figures float, times ns of the run's clock.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.market import Bar
from workstation.model.opportunities import Opportunity, OpportunityEnd
from workstation.model.orders import Fill, Order, OrderEvent, OrderRole, OrderStatus
from workstation.model.positions import Position
from workstation.model.states import BookTrust, PositionBand

__all__ = [
    "AskDue",
    "BarClosed",
    "BookTrustChanged",
    "DataBroke",
    "EmergencyLiquidation",
    "Killed",
    "MarginWarning",
    "MarketDataUpdated",
    "OpportunityClosed",
    "OpportunityFound",
    "OrderCanceledEvent",
    "OrderCreated",
    "OrderDenied",
    "OrderFilled",
    "OrderStuck",
    "OrderUpdated",
    "PositionChanged",
    "PositionStateChanged",
    "ResyncWanted",
    "RiskMetricsUpdated",
]


class BarClosed(Struct, frozen=True, gc=False, tag="bar_closed"):
    """A bar of a configured timeframe is final; its window and indicators are set."""

    instrument: str
    ts: int
    bar: Bar


class AskDue(Struct, frozen=True, gc=False, tag="ask_due"):
    """A tick came that a row wants its script asked about."""

    strategy: str
    instrument: str


class DataBroke(Struct, frozen=True, gc=False, tag="data_broke"):
    """What was known of an instrument is not to be trusted until data comes again."""

    instrument: str
    reason: str
    ts: int


class Killed(Struct, frozen=True, gc=False, tag="killed"):
    """The operator climbed the kill ladder to this rung."""

    level: str
    who: str
    reason: str
    ts: int


class BookTrustChanged(Struct, frozen=True, gc=False, tag="book_trust_changed"):
    """A book became trusted or untrusted, and why."""

    instrument: str
    ts: int
    before: BookTrust
    after: BookTrust
    reason: str


class ResyncWanted(Struct, frozen=True, gc=False, tag="resync_wanted"):
    """The core wishes for a whole book; the engine asks the feed if that can be."""

    instrument: str
    ts: int
    attempt: int


class OrderUpdated(Struct, frozen=True, gc=False, tag="order_updated"):
    """An order moved in its table."""

    order: Order
    before: OrderStatus
    event: OrderEvent
    ts: int
    reason: str = ""


class OrderDenied(Struct, frozen=True, gc=False, kw_only=True, tag="order_denied"):
    """The risk stage refused an order: stable code, text with the numbers."""

    owner: str
    instrument: str
    role: OrderRole
    code: str
    text: str
    ts: int


class OrderCreated(Struct, frozen=True, gc=False, tag="order_created"):
    """An order left for the broker or is held here."""

    order: Order
    ts: int


class OrderFilled(Struct, frozen=True, gc=False, tag="order_filled"):
    """An order was executed in part or whole."""

    fill: Fill
    ts: int


class OrderCanceledEvent(Struct, frozen=True, gc=False, tag="order_canceled"):
    """An order was canceled."""

    order: Order
    ts: int


class PositionChanged(Struct, frozen=True, gc=False, tag="position_changed"):
    """An owner's position changed."""

    old: Position
    new: Position
    ts: int


class PositionStateChanged(Struct, frozen=True, gc=False, tag="position_state_changed"):
    """The account's position in an instrument entered another band of its limit."""

    instrument: str
    old: PositionBand
    new: PositionBand
    position: Decimal
    ts: int


class MarginWarning(Struct, frozen=True, gc=False, tag="margin_warning"):
    """Free margin fell below the threshold; once per crossing."""

    available: Decimal
    used: Decimal
    threshold: Decimal
    ts: int


class EmergencyLiquidation(Struct, frozen=True, gc=False, tag="emergency_liquidation"):
    """A position is being closed at market by the kill ladder."""

    instrument: str
    position: Decimal
    reason: str
    ts: int


class MarketDataUpdated(
    Struct, frozen=True, gc=False, kw_only=True, tag="market_data_updated"
):
    """Market figures of one instrument, at most once per interval.

    From ``imbalance`` on they are what the chain of processors says (docs/processors.md
    has unit and convention of each); None = not known, or no processor for it.
    """

    instrument: str
    mid: float
    best_bid: float
    best_ask: float
    spread_bps: float
    imbalance: float | None = None
    volatility_bps: float | None = None
    vol_uncertainty_bps: float | None = None
    adverse_selection: float | None = None
    ts: int


class RiskMetricsUpdated(Struct, frozen=True, gc=False, tag="risk_metrics_updated"):
    """Use of the account's limits after a position change."""

    instrument: str
    position: Decimal
    margin_used: Decimal
    margin_available: Decimal
    ts: int


class OrderStuck(Struct, frozen=True, gc=False, tag="order_stuck"):
    """An order had no answer in time; ``state`` is the one it was stuck in."""

    order_id: str
    state: OrderStatus
    duration_ns: int
    ts: int


class OpportunityFound(Struct, frozen=True, gc=False, tag="opportunity_found"):
    """Prices leave an edge after all fees; ``market`` is what the venues share."""

    market: str
    ts: int
    opportunity: Opportunity


class OpportunityClosed(
    Struct, frozen=True, gc=False, kw_only=True, tag="opportunity_closed"
):
    """An opportunity is over: as it was last seen, its best edge, and why it ended."""

    market: str
    ts: int
    opportunity: Opportunity
    best_bps: float
    end: OpportunityEnd
    reason: str = ""
