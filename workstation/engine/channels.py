"""The channels on which the engine publishes facts after they have happened."""

from __future__ import annotations

from workstation.kernel import ChannelConfig, Overflow
from workstation.model.events import (
    BarClosed,
    BookTrustChanged,
    EmergencyLiquidation,
    MarginWarning,
    MarketDataUpdated,
    OpportunityClosed,
    OpportunityFound,
    OrderCanceledEvent,
    OrderCreated,
    OrderDenied,
    OrderFilled,
    OrderStuck,
    OrderUpdated,
    PositionChanged,
    PositionStateChanged,
    RiskMetricsUpdated,
)

__all__ = ["CHANNELS"]


def _orders(description: str) -> ChannelConfig:
    return ChannelConfig(256, description, overflow=Overflow.DROP_OLDEST)


CHANNELS: dict[type, ChannelConfig] = {
    MarketDataUpdated: ChannelConfig(
        1_000,
        "mid, spread and volatility of a symbol",
        overflow=Overflow.CONFLATE,
        key="instrument",
    ),
    BarClosed: ChannelConfig(1_000, "final bars", key="instrument"),
    BookTrustChanged: ChannelConfig(
        256, "books trusted or not, and why", key="instrument"
    ),
    OpportunityFound: ChannelConfig(
        256, "edges found between venues or inside a spread", key="market"
    ),
    OpportunityClosed: ChannelConfig(
        256, "opportunities that are over, and why", key="market"
    ),
    OrderCreated: _orders("orders sent or held"),
    OrderUpdated: _orders("moves of orders in their table"),
    OrderDenied: _orders("orders the risk stage refused"),
    OrderFilled: _orders("executions"),
    OrderCanceledEvent: _orders("orders canceled"),
    OrderStuck: _orders("orders without an answer in time"),
    PositionChanged: _orders("positions of owners"),
    PositionStateChanged: _orders("bands of the position limit"),
    RiskMetricsUpdated: _orders("use of margin"),
    MarginWarning: _orders("free margin below its threshold"),
    EmergencyLiquidation: _orders("positions closed by the kill ladder"),
}
