"""Margin arithmetic and the bands of the position limit; figures, not decisions.

Published after every position change; a denial for want of cash quotes them.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.model.states import PositionBand

__all__ = [
    "MARGIN_WARNING",
    "available",
    "band",
    "initial_margin",
    "is_low",
    "max_added",
]

ZERO = Decimal(0)
MARGIN_WARNING = Decimal("0.2")
"""Free margin below this share of the used one is warned of."""

_BOUNDS = (
    (PositionBand.OVER_LIMIT, Decimal("1.0")),
    (PositionBand.CRITICAL, Decimal("0.85")),
    (PositionBand.WARNING, Decimal("0.70")),
)
_RANK = {band: rank for rank, band in enumerate(PositionBand)}
# A band is left only this far below its bound, or it would flip at every tick.
_HYSTERESIS = Decimal("0.05")
# Below every bound, whatever the band was: where nearly all positions are.
_CALM = min(bound for _, bound in _BOUNDS) - _HYSTERESIS
_NORMAL = PositionBand.NORMAL


def initial_margin(notional: Decimal, leverage: Decimal) -> Decimal:
    """Return the margin that |size| · mark ties up: notional / leverage."""
    return abs(notional) / leverage


def available(equity: Decimal, used: Decimal, buffer: Decimal) -> Decimal:
    """Return the free margin: equity · (1 − buffer) − used, never below zero."""
    free = equity * (1 - buffer) - used
    return free if free > 0 else ZERO


def max_added(free: Decimal, leverage: Decimal, mark: Decimal) -> Decimal:
    """Return the largest size that ``free`` margin can add at ``mark``."""
    return free * leverage / mark


def is_low(free: Decimal, used: Decimal, *, before: bool) -> bool:
    """Tell whether to warn of this free margin; ``before`` is what was said last."""
    share = MARGIN_WARNING + _HYSTERESIS if before else MARGIN_WARNING
    return free < share * used


def band(ratio: Decimal, before: PositionBand) -> PositionBand:
    """Return the band of this use of the limit (1 = all of it), with hysteresis."""
    if ratio <= _CALM:
        return _NORMAL
    for name, bound in _BOUNDS:
        entered = ratio > bound
        kept = _RANK[before] >= _RANK[name] and ratio > bound - _HYSTERESIS
        if entered or kept:
            return name
    return _NORMAL
