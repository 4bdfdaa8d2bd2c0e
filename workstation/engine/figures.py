"""Figures as frames show them: spans, percents, spreads; None where there is none.

Pure functions for the makers of frames.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.model.timeframes import NS_PER_MS, NS_PER_S

__all__ = ["age", "change", "coarse", "percent", "spread_bps"]


def age(ts: int | None, now: int) -> int | None:
    """Return how long ago something was, or None where it never was."""
    return None if not ts else coarse(max(0, now - ts))


def coarse(span_ns: int) -> int:
    """Return a span in ns as fine as it is drawn: what looks the same is the same."""
    if span_ns < NS_PER_S:
        return span_ns // (10 * NS_PER_MS) * 10 * NS_PER_MS
    if span_ns < 10 * NS_PER_S:
        return span_ns // (100 * NS_PER_MS) * 100 * NS_PER_MS
    return span_ns // NS_PER_S * NS_PER_S


def percent(part: Decimal, whole: Decimal) -> float | None:
    """Return a part of a whole in percent, or None where there is no whole."""
    return None if whole <= 0 else float(part / whole) * 100


def change(value: float | None, base: float | None) -> float | None:
    """Return the change from a base in percent, or None without both."""
    return None if not value or not base else (value / base - 1) * 100


def spread_bps(bid: float, ask: float) -> float | None:
    """Return the spread in basis points of the middle, or None without quotes."""
    return None if not bid or not ask else (ask - bid) / ((ask + bid) / 2) * 10_000
