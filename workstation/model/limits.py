"""Limits as they are shown: what a figure is, what it may be, how it is set live."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

__all__ = ["BreakerState", "Gauge", "LimitUnit"]


class LimitUnit(StrEnum):
    """What a limit counts in."""

    MONEY = "money"
    SHARE = "share"
    COUNT = "count"
    RATIO = "ratio"
    BPS = "bps"


class BreakerState(StrEnum):
    """How near a watched figure is to its limit (bounds .80 and 1, hysteresis)."""

    CALM = "calm"
    WARNED = "warned"
    TRIPPED = "tripped"


class Gauge(Struct, frozen=True, kw_only=True):
    """A limit and how much of it is used.

    ``name`` is its key in ``[risk]``, ``subject`` what it is the figure of where there
    are several (an instrument, a symbol, a venue; of them the fullest). ``value`` is
    None where each order is judged for itself, ``limit`` where there is none. Money is
    in the account's currency, a share is 0 … 1.
    """

    name: str
    unit: LimitUnit
    value: Decimal | None
    limit: Decimal | None
    subject: str = ""

    @property
    def share(self) -> Decimal | None:
        """Return how much of the limit is used (1 = all); None where that is open."""
        if self.value is None or self.limit is None:
            return None
        if not self.limit > 0:
            return Decimal(1) if self.value > 0 else Decimal(0)
        return self.value / self.limit

    @property
    def is_exceeded(self) -> bool:
        """Tell whether the figure is more than its limit."""
        value, limit = self.value, self.limit
        return value is not None and limit is not None and value > limit
