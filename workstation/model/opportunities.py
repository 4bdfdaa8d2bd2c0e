"""Opportunities: what buying here and selling there would leave after all fees.

Made by the detector of the market package; strategies hear of them through
``OpportunityFound`` and ``OpportunityClosed``, and the screen lists them.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

__all__ = ["Opportunity", "OpportunityEnd", "OpportunityKind"]


class OpportunityKind(StrEnum):
    """What is found: venues that cross, or one venue with room inside its spread."""

    ARBITRAGE = "arbitrage"
    WIDE_SPREAD = "wide spread"


class OpportunityEnd(StrEnum):
    """Why an opportunity is over."""

    EDGE_GONE = "edge gone"
    TOO_SMALL = "too small"
    STALE = "stale"
    DISTRUSTED = "distrusted"


class Opportunity(Struct, frozen=True, kw_only=True):
    """One opportunity as it stands: buy ``size`` at one price, sell it at another.

    ``buy`` and ``sell`` are instrument ids, prices are on their ticks. A wide spread
    has one instrument on both sides: it buys at the bid and sells at the ask. All bps
    are of the buying price: ``net_bps`` = ``gross_bps`` − ``fees_bps``, the taker fees
    of both sides. ``number`` counts the opportunities of the run from 1.
    """

    number: int
    kind: OpportunityKind
    market: str
    buy: str
    sell: str
    buy_price: Decimal
    sell_price: Decimal
    size: Decimal
    gross_bps: float
    fees_bps: float
    net_bps: float
    opened_ns: int
