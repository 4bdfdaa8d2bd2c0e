"""How made-up prices move: a common factor, own moves, clusters and trends.

Log prices are in units of 1, variances per second of simulated time. Markets call it
whenever they need a price; it must never look at a clock of its own.
"""

from __future__ import annotations

import math
from random import Random

from workstation.model.timeframes import NS_PER_S

__all__ = ["Factor", "PricePath"]

_GRID_NS = 200_000_000
_GRID_S = _GRID_NS / NS_PER_S
_GRID_ROOT_S = math.sqrt(_GRID_S)

# A trend is a drift that forgets itself in about 20 minutes and moves a price as far
# in that time as its diffusion does: enough for a crossover of minute bars to follow,
# too little to see from tick to tick.
_TREND_MEMORY_S = 1_200.0
_TREND_SIZE = 1.0 / math.sqrt(_TREND_MEMORY_S)

# Prices are drawn to where they started within about a day and a half, so that an
# endless run stays in a plausible range.
_ANCHOR_MEMORY_S = 130_000.0

# Clusters: the logarithm of the volatility wanders for about eight minutes between
# calm (1 ×) and wild (4 ×).
_CLUSTER_MEMORY_S = 480.0
_CLUSTER_SIZE = 0.7
_CLUSTER_MEAN = 0.0
_CLUSTER_MOST = math.log(4.0)


class Factor:
    """The move all markets have in common: unit variance per second plus a trend.

    It advances on a grid of its own, so that its path does not depend on which
    markets ask, or how often.
    """

    __slots__ = ("_next_ns", "_rng", "_trend", "value")

    def __init__(self, rng: Random, start_ns: int) -> None:
        self._rng = rng
        self._next_ns = start_ns
        self._trend = 0.0
        self.value = 0.0

    def at(self, ts: int) -> float:
        """Return the summed move up to ``ts`` (never earlier than asked before)."""
        while self._next_ns <= ts:
            gauss = self._rng.gauss
            self._trend += (
                -self._trend * _GRID_S / _TREND_MEMORY_S
                + _TREND_SIZE
                * math.sqrt(2.0 / _TREND_MEMORY_S)
                * _GRID_ROOT_S
                * gauss(0.0, 1.0)
            )
            self.value += self._trend * _GRID_S + _GRID_ROOT_S * gauss(0.0, 1.0)
            self._next_ns += _GRID_NS
        return self.value


class PricePath:
    """The fair price of one symbol, in ticks."""

    __slots__ = (
        "_common",
        "_excitement",
        "_factor",
        "_gauss",
        "_log",
        "_own",
        "_seen",
        "_sigma",
        "_start_ticks",
        "_trend",
        "_ts",
        "_volatility",
        "wildness",
    )

    def __init__(
        self,
        rng: Random,
        factor: Factor,
        start_ns: int,
        start_ticks: float,
        volatility_bps: float,
        correlation: float,
    ) -> None:
        self._gauss = rng.gauss
        self._factor = factor
        self._seen = factor.at(start_ns)
        self._ts = start_ns
        self._start_ticks = start_ticks
        self._log = 0.0
        self._trend = _TREND_SIZE * rng.gauss(0.0, 1.0)
        self._volatility = volatility_bps * 1e-4
        self._sigma = self._volatility
        self._common = correlation
        self._own = math.sqrt(1.0 - correlation * correlation)
        self._excitement = _CLUSTER_MEAN
        self.wildness = 1.0

    def evolve(self, dt_s: float) -> None:
        """Let volatility and trend wander for ``dt_s`` seconds."""
        gauss = self._gauss
        share = min(1.0, dt_s / _CLUSTER_MEMORY_S)
        self._excitement += (
            _CLUSTER_MEAN - self._excitement
        ) * share + _CLUSTER_SIZE * math.sqrt(2.0 * share) * gauss(0.0, 1.0)
        level = min(max(self._excitement, 0.0), _CLUSTER_MOST)
        self.wildness = math.exp(level)
        self._sigma = self._volatility * self.wildness
        share = min(1.0, dt_s / _TREND_MEMORY_S)
        self._trend += -self._trend * share + _TREND_SIZE * math.sqrt(
            2.0 * share
        ) * gauss(0.0, 1.0)

    def excite(self, amount: float) -> None:
        """Raise the logarithm of the volatility, as news does."""
        self._excitement = min(self._excitement + amount, _CLUSTER_MOST)

    def ticks_at(self, ts: int) -> float:
        """Return the fair price at ``ts`` in ticks."""
        dt_s = (ts - self._ts) / NS_PER_S
        self._ts = ts
        common = self._factor.at(ts)
        move = self._common * (common - self._seen) + self._own * (
            self._trend * dt_s + math.sqrt(dt_s) * self._gauss(0.0, 1.0)
        )
        self._seen = common
        self._log += self._sigma * move - self._log * min(1.0, dt_s / _ANCHOR_MEMORY_S)
        return self._start_ticks * math.exp(self._log)
