"""What a venue allows in requests, and what a broker can do with orders at rest.

Settings and facts of brokers; the Executor keeps within them. Figures of a venue are
its documentation's, not ours.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Annotated

from msgspec import Meta, Struct

from workstation.model.settings import Settings

__all__ = ["BrokerAbilities", "RateLimit", "RequestKind"]

Weight = Annotated[int, Meta(ge=0, le=1_000_000)]


class RequestKind(StrEnum):
    """Kinds of requests that venues weigh apart."""

    PLACE = "place"
    MODIFY = "modify"
    CANCEL = "cancel"
    QUERY = "query"


class RateLimit(Settings, frozen=True):
    """One window of a venue's limits: so much weight in so much time."""

    window_s: Annotated[float, Meta(gt=0, le=86_400)]
    """Length of the window, in seconds."""
    weight: Annotated[int, Meta(ge=1, le=1_000_000)]
    """Weight that any such window may hold."""
    place: Weight = 1
    """Weight of a new order."""
    modify: Weight = 1
    """Weight of a change."""
    cancel: Weight = 1
    """Weight of a cancel."""
    query: Weight = 1
    """Weight of a question."""
    batch: Annotated[int, Meta(ge=1, le=1_000)] = 1
    """Orders of one batch that weigh as much as one; 1 = each weighs for itself."""

    def __post_init__(self) -> None:
        """Refuse a request that no window could ever hold."""
        for kind in RequestKind:
            weight = self.weight_of(kind)
            if weight > self.weight:
                raise ValueError(
                    f"{kind} = {weight} must be at most weight, {self.weight}"
                )

    def weight_of(self, kind: RequestKind, count: int = 1) -> int:
        """Return what ``count`` requests of a kind weigh, sent as one batch."""
        weight: int = getattr(self, kind.value)
        return weight * -(-count // self.batch)

    def ordinary(self, cancel_share: float) -> int:
        """Return the weight that is not kept for cancels and protection."""
        # In fractions: 0.2 of 100 is 20, whatever a float says.
        return self.weight - ceil(self.weight * Fraction(str(cancel_share)))


class BrokerAbilities(Struct, frozen=True, kw_only=True):
    """What a broker can do; the least until it says otherwise."""

    modify: bool = False
    """Change price and quantity of a resting order in one request."""
    batch: int = 1
    """Most requests of one kind that go as one; 1 = it takes no batches."""
    stops: bool = False
    """Keep stop and stop-limit orders and wake them up itself; else we do."""
    account: bool = False
    """Answer for the account: balances and open orders."""
