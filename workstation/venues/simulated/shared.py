"""A price that several simulated venues share, each seeing it late and with noise.

Every feed makes the shared path anew from the same streams, on a grid of its own, so
that feeds never touch one another: a paused or stopped one changes no other.
"""

from __future__ import annotations

import math
from collections import deque
from random import Random

from workstation.model.timeframes import NS_PER_MS, NS_PER_S
from workstation.venues.simulated.price import Factor, PricePath

__all__ = ["FollowedPath", "SharedPath"]

_GRID_NS = 50 * NS_PER_MS

# A venue strays from the shared price for some seconds: long enough to be seen and
# traded, short enough that no venue is dearer than another for long.
_NOISE_MEMORY_S = 3.0


class SharedPath:
    """The common price of one market, in ticks of one venue, between grid points."""

    __slots__ = ("_lag_ns", "_last_ns", "_path", "_points")

    def __init__(
        self,
        rng: Random,
        factor: Factor,
        start_ns: int,
        start_ticks: float,
        volatility_bps: float,
        correlation: float,
        lag_ns: int,
    ) -> None:
        self._path = PricePath(
            rng, factor, start_ns, start_ticks, volatility_bps, correlation
        )
        self._lag_ns = lag_ns
        self._last_ns = start_ns
        # (time, fair price, wildness), from the grid point before what is seen on.
        self._points: deque[tuple[int, float, float]] = deque()
        self._points.append((start_ns, start_ticks, 1.0))

    def at(self, ts: int) -> tuple[float, float]:
        """Return price and wildness as seen at ``ts`` (never earlier than before)."""
        seen = max(ts - self._lag_ns, self._points[0][0])
        while self._last_ns <= seen:
            self._last_ns += _GRID_NS
            self._path.evolve(_GRID_NS / NS_PER_S)
            fair = self._path.ticks_at(self._last_ns)
            self._points.append((self._last_ns, fair, self._path.wildness))
        points = self._points
        while len(points) > 2 and points[1][0] <= seen:
            points.popleft()
        (start, before, wildness), (_, after, _) = points[0], points[1]
        share = (seen - start) / _GRID_NS
        return before + (after - before) * share, wildness


class FollowedPath:
    """What one venue makes of a shared price; stands where ``PricePath`` stands."""

    __slots__ = ("_gauss", "_noise", "_shared", "_size", "_ts", "wildness")

    def __init__(
        self, rng: Random, shared: SharedPath, start_ns: int, noise_bps: float
    ) -> None:
        self._gauss = rng.gauss
        self._shared = shared
        self._size = noise_bps * 1e-4
        self._noise = self._size * rng.gauss(0.0, 1.0)
        self._ts = start_ns
        self.wildness = 1.0

    def evolve(self, dt_s: float) -> None:
        """Do nothing: the shared price evolves on its own grid."""

    def excite(self, amount: float) -> None:
        """Do nothing: a burst at one venue is no news for the shared price."""

    def ticks_at(self, ts: int) -> float:
        """Return the venue's fair price at ``ts`` in ticks."""
        dt_s = (ts - self._ts) / NS_PER_S
        self._ts = ts
        kept = math.exp(-dt_s / _NOISE_MEMORY_S)
        self._noise = kept * self._noise + self._size * math.sqrt(
            1.0 - kept * kept
        ) * self._gauss(0.0, 1.0)
        fair, self.wildness = self._shared.at(ts)
        return fair * math.exp(self._noise)
