"""Checks of prices that several CSV formats share."""

from __future__ import annotations

from workstation.venues.file.damage import Damaged
from workstation.venues.file.table import positive

__all__ = ["check_bar"]


def check_bar(
    opened: bytes, high: bytes, low: bytes, close: bytes
) -> tuple[float, float, float, float]:
    """Return open, high, low and close; low ≤ open, close ≤ high must hold."""
    first = positive(opened, "open")
    highest = positive(high, "high")
    lowest = positive(low, "low")
    last = positive(close, "close")
    if highest < lowest:
        raise Damaged(f"high {highest} is below low {lowest}")
    if not lowest <= first <= highest:
        raise Damaged(f"open {first} is outside {lowest} … {highest}")
    if not lowest <= last <= highest:
        raise Damaged(f"close {last} is outside {lowest} … {highest}")
    return first, highest, lowest, last
