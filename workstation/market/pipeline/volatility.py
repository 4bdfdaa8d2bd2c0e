"""Volatility of the mid, with how uncertain it is: an average and a window.

The mid is sampled on a grid (the last one at or before each point), so that what is
measured is the price and not how often it is quoted. Returns are 10⁴ × the change of
its logarithm, in bps; every volatility is in bps per √second, in price units σ · 10⁻⁴ ·
mid. Nothing is differenced across a break of the data.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import exp, log, sqrt
from typing import TYPE_CHECKING, ClassVar

from workstation.market.pipeline.figures import Figure
from workstation.market.pipeline.mids import NEVER
from workstation.market.pipeline.processor import Ground, Shipped
from workstation.market.pipeline.realised import Realised, realised
from workstation.market.pipeline.settings import VolatilitySettings
from workstation.model.market import Bar
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = ["Average", "LevelWindow", "Volatility", "average_variance", "bps_level"]

LEAST_RETURNS = 30
"""Fewer returns say nothing of their own spread."""
_LEAST_BARS = 10
_BPS = 10_000.0


def bps_level(price: float) -> float:
    """Return 10⁴ ln(price): differences of it are returns in bps."""
    return _BPS * log(price)


class Average:
    """σ² as an average of r²/Δt that forgets by time, for any spacing.

    S ← lS + (1−l)r²/d, W ← lW + (1−l), W₂ ← l²W₂ + (1−l)², l = e^(−d/τ): σ² = S/W,
    n_eff = W²/W₂, relative standard error of σ = 1/√(2 n_eff).
    """

    __slots__ = ("sum", "weight", "weight2")

    def __init__(self) -> None:
        self.sum = 0.0
        self.weight = 0.0
        self.weight2 = 0.0

    def step(self, move: float, elapsed_s: float, tau_s: float) -> None:
        """Take a return over ``elapsed_s`` > 0 seconds."""
        kept = exp(-elapsed_s / tau_s)
        taken = 1.0 - kept
        self.sum = kept * self.sum + taken * move * move / elapsed_s
        self.weight = kept * self.weight + taken
        self.weight2 = kept * kept * self.weight2 + taken * taken

    @property
    def variance(self) -> float | None:
        """Return σ² per second; None before the first return."""
        return self.sum / self.weight if self.weight > 0.0 else None

    @property
    def effective(self) -> float:
        """Return how many equal returns would say as much."""
        if not self.weight2 > 0.0:
            return 0.0
        return self.weight * self.weight / self.weight2


def average_variance(
    moves: Sequence[float], elapsed_s: Sequence[float], tau_s: float
) -> tuple[float, float]:
    """Return σ² per second and n_eff of ``Average``, from explicit weights."""
    weights = []
    after = 0.0
    for elapsed in reversed(elapsed_s):
        weights.append((1.0 - exp(-elapsed / tau_s)) * exp(-after / tau_s))
        after += elapsed
    weights.reverse()
    total = sum(weights)
    squares = sum(weight * weight for weight in weights)
    rates = (
        weight * move * move / elapsed
        for weight, move, elapsed in zip(weights, moves, elapsed_s, strict=True)
    )
    return sum(rates) / total, total * total / squares


class LevelWindow:
    """The last ``size`` + 1 levels of a path without a break, 8 bytes each."""

    __slots__ = ("_levels", "_next", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        # Made with the first level: a quiet symbol has none.
        self._levels: array[float] | None = None
        self._next = 0

    def __len__(self) -> int:
        return 0 if self._levels is None else len(self._levels)

    def push(self, level: float) -> None:
        """Take a level; the oldest goes."""
        levels = self._levels
        if levels is None:
            self._levels = array("d", (level,))
        elif len(levels) <= self.size:
            levels.append(level)
        else:
            levels[self._next] = level
            self._next = (self._next + 1) % (self.size + 1)

    def path(self) -> list[float]:
        """Return the levels, oldest first."""
        levels, at = self._levels or (), self._next
        return [*levels[at:], *levels[:at]]

    def clear(self) -> None:
        """Begin a new path."""
        self._levels = None
        self._next = 0


class Volatility(Shipped):
    """Volatility in bps/√s: ``volatility_bps`` is the one to use live."""

    __slots__ = (
        "_average",
        "_due_ns",
        "_error",
        "_known",
        "_level",
        "_live",
        "_scale",
        "_sigma",
        "_since_ns",
        "_step_ns",
        "_step_s",
        "_tau_s",
        "_window",
    )

    name = "volatility"
    gives: ClassVar[tuple[Figure, ...]] = (
        Figure(
            "volatility_bps",
            "bps/√s",
            "average of r²/Δt with a half-life of `half_life_s`, its root",
            "no return yet",
        ),
        Figure(
            "vol_uncertainty_bps",
            "bps/√s",
            "one standard error of it: σ/√(2 n_eff)",
            "no return yet",
        ),
        Figure(
            "realised_volatility_bps",
            "bps/√s",
            "root of Σr²/time over the last `samples` returns",
            "fewer than 30 returns since the last break; where only bars come",
        ),
        Figure(
            "realised_uncertainty_bps",
            "bps/√s",
            "one standard error of it, from √(2/3 Σr⁴)",
            "as above, or nothing moved",
        ),
        Figure(
            "bipower_volatility_bps",
            "bps/√s",
            "the same from neighbouring |r|: jumps hardly count",
            "as realised",
        ),
        Figure(
            "median_volatility_bps",
            "bps/√s",
            "the same from medians of three |r|: neither jumps nor zeros count",
            "as realised",
        ),
        Figure(
            "two_scale_volatility_bps",
            "bps/√s",
            "the same at two scales (`scale`): the noise of quotes cancels",
            "as realised, or noise leaves nothing",
        ),
        Figure(
            "noise_bps",
            "bps",
            "standard deviation of the noise, if all of Σr² were noise: √(Σr²/2n)",
            "as realised",
        ),
        Figure(
            "jump_z",
            "standard deviations",
            "share of jumps in Σr² against chance; above 3 there was a jump",
            "as realised, or too little moved",
        ),
    )

    def __init__(self, settings: VolatilitySettings) -> None:
        self._tau_s = settings.half_life_s / log(2.0)
        self._step_ns = settings.sample_ms * NS_PER_MS
        self._step_s = self._step_ns / NS_PER_S
        self._scale = settings.scale
        self._average = Average()
        self._window = LevelWindow(settings.samples)
        # What the average says, kept because it is told more often than it changes.
        self._sigma: float | None = None
        self._error: float | None = None
        self._level: float | None = None
        # Of bars the time of the last; of mids the next point of the grid.
        self._since_ns = 0
        self._due_ns = NEVER
        # What the window says, until it has another sample.
        self._known: Realised | None = None
        self._live: LiveInstrument

    def attach(self, ground: Ground) -> None:
        """Sample the mids; where only bars come, their closes."""
        self._live = live = ground.live
        ground.mids.attach(live)
        ground.mids.join(self)
        live.bar_watchers = (*live.bar_watchers, self._on_bar)

    def wake(self, ts: int, mid: float) -> int:
        """Take the mid that held at the points of the grid before ``ts``."""
        step = self._step_ns
        if not mid:
            # The first point of a new path is the next of the grid in UTC.
            self._restart()
            self._due_ns = ts - ts % step + step
            return self._due_ns
        passed = (ts - 1 - self._due_ns) // step + 1
        if passed > 0:
            self._sample(bps_level(mid), passed)
            self._due_ns += passed * step
        return self._due_ns

    def _sample(self, level: float, passed: int) -> None:
        """Take one level at ``passed`` points of the grid: a move, then standing."""
        window = self._window
        average, step_s, tau_s = self._average, self._step_s, self._tau_s
        if self._level is not None:
            average.step(level - self._level, step_s, tau_s)
        if passed > 1:
            average.step(0.0, (passed - 1) * step_s, tau_s)
        for _ in range(min(passed, window.size + 1)):
            window.push(level)
        self._level = level
        self._known = None
        self._say()

    def _on_bar(self, live: LiveInstrument, bar: Bar) -> None:
        if not live.bars_only or bar.timeframe != next(iter(live.windows), None):
            return
        if not bar.close > 0.0:
            return
        level, ts = bps_level(bar.close), bar.ts_close
        elapsed_s = (ts - self._since_ns) / NS_PER_S
        if self._level is not None and elapsed_s > 0.0:
            # A shorter memory than ten bars would be no average.
            tau_s = max(self._tau_s, _LEAST_BARS * elapsed_s / log(2.0))
            self._average.step(level - self._level, elapsed_s, tau_s)
            self._say()
        self._level, self._since_ns = level, ts

    def _say(self) -> None:
        variance = self._average.variance
        if variance is not None:
            self._sigma = sqrt(variance)
            self._error = self._sigma / sqrt(2.0 * self._average.effective)

    def _restart(self) -> None:
        self._level = None
        self._known = None
        self._window.clear()

    @property
    def volatility_bps(self) -> float | None:
        """Return σ in bps/√s, averaged over the last minutes."""
        return self._sigma

    @property
    def vol_uncertainty_bps(self) -> float | None:
        """Return one standard error of ``volatility_bps``, in bps/√s."""
        return self._error

    @property
    def realised(self) -> Realised | None:
        """Return all estimates over the window, in bps/√s."""
        known = self._known
        if known is None and len(self._window) > max(LEAST_RETURNS, self._scale):
            known = realised(self._window.path(), self._step_s, self._scale)
            self._known = known
        return known

    @property
    def realised_volatility_bps(self) -> float | None:
        """Return σ over the window, in bps/√s."""
        found = self.realised
        return None if found is None else found.sigma

    @property
    def realised_uncertainty_bps(self) -> float | None:
        """Return one standard error of ``realised_volatility_bps``, in bps/√s."""
        found = self.realised
        return None if found is None else found.error

    @property
    def bipower_volatility_bps(self) -> float | None:
        """Return σ over the window without jumps, in bps/√s."""
        found = self.realised
        return None if found is None else found.bipower

    @property
    def median_volatility_bps(self) -> float | None:
        """Return σ over the window without jumps and zeros, in bps/√s."""
        found = self.realised
        return None if found is None else found.median

    @property
    def two_scale_volatility_bps(self) -> float | None:
        """Return σ over the window without the noise of quotes, in bps/√s."""
        found = self.realised
        return None if found is None else found.two_scale

    @property
    def noise_bps(self) -> float | None:
        """Return the standard deviation of the noise of one quote, in bps."""
        found = self.realised
        return None if found is None else found.noise

    @property
    def jump_z(self) -> float | None:
        """Return how many standard deviations speak for a jump in the window."""
        found = self.realised
        return None if found is None else found.jump_z

    def digest(self) -> tuple[object, ...]:
        """Return the whole state for the state hash."""
        average = self._average
        return (
            (average.sum, average.weight, average.weight2),
            (self._level, self._since_ns, self._due_ns),
            self._window.path(),
        )
