"""Volatility of one instrument's mid: an average of r²/Δt that forgets by time.

The Aggregator feeds it at the cadence of MarketDataUpdated. Returns r are in bps of
the mid; the weight of a step of Δt is 1 − e^(−Δt/τ) with a half-life of 60 s.
"""

from __future__ import annotations

from math import expm1, log, sqrt

__all__ = ["HALF_LIFE_S", "Volatility"]

HALF_LIFE_S = 60.0
_TAU_S = HALF_LIFE_S / log(2.0)


class Volatility:
    """Estimate volatility in bps/√s."""

    __slots__ = ("_mid", "_ts", "variance")

    def __init__(self) -> None:
        self._mid = 0.0
        self._ts = 0
        self.variance: float | None = None

    @property
    def bps(self) -> float | None:
        """Return the volatility in bps/√s; None before the first return."""
        return None if self.variance is None else sqrt(self.variance)

    def update(self, ts: int, mid: float) -> None:
        """Take the mid at ``ts`` ns; a step without passing time is not one."""
        before = self._mid
        elapsed_s = (ts - self._ts) / 1e9
        if before > 0.0 and elapsed_s <= 0.0:
            return
        self._mid = mid
        self._ts = ts
        if before <= 0.0:
            return
        move = 10_000.0 * log(mid / before)
        rate = move * move / elapsed_s
        if self.variance is None:
            self.variance = rate
        else:
            self.variance -= expm1(-elapsed_s / _TAU_S) * (rate - self.variance)
