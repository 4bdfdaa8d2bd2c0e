"""Settings of the chain of market processors."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from workstation.model.settings import Settings

__all__ = [
    "SHIPPED",
    "AdverseSelectionSettings",
    "FlowSettings",
    "ImbalanceSettings",
    "PipelineSettings",
    "VolatilitySettings",
    "is_script",
]

SHIPPED = ("imbalance", "volatility", "adverse_selection", "flow")
"""Names of the processors that come with the workstation; others are scripts."""

Seconds = Annotated[float, Meta(gt=0, le=86_400)]


class ImbalanceSettings(Settings, frozen=True, kw_only=True):
    """How the weights of bids and asks are compared."""

    levels: Annotated[int, Meta(ge=1, le=1_000)] = 1
    """Levels a side that ``imbalance`` counts; 1 takes the best prices themselves."""
    depth: Annotated[int, Meta(ge=1, le=1_000)] = 10
    """Levels a side that ``weighted_imbalance`` looks at."""
    decay_ticks: Annotated[float, Meta(gt=0, le=1_000_000)] = 2.0
    """Distance ℓ in ticks over which a level's weight e^(−distance/ℓ) falls to 1/e."""


class VolatilitySettings(Settings, frozen=True, kw_only=True):
    """How volatility is sampled and what is forgotten."""

    half_life_s: Seconds = 60.0
    """Half-life of the average, in seconds; at least ten bars where only bars come."""
    sample_ms: Annotated[int, Meta(ge=1, le=3_600_000)] = 1_000
    """Grid on which the mid is sampled (the last one at or before each point)."""
    samples: Annotated[int, Meta(ge=30, le=100_000)] = 300
    """Returns in the window of the realised estimates."""
    scale: Annotated[int, Meta(ge=2, le=1_000)] = 5
    """Samples in a long step of the two-scale estimate."""

    def __post_init__(self) -> None:
        if self.scale >= self.samples:
            raise ValueError(
                f"scale = {self.scale} must be less than samples, {self.samples}"
            )


class AdverseSelectionSettings(Settings, frozen=True, kw_only=True):
    """How the price after fills is watched."""

    horizons_s: tuple[Seconds, ...] = (0.1, 1.0, 5.0, 30.0, 60.0)
    """Times after a fill at which the mid is compared."""
    horizon_s: Seconds = 5.0
    """The one of them that ``adverse_selection`` is for."""
    shrinkage: Annotated[float, Meta(ge=0, le=1_000_000)] = 50.0
    """Fills that count as much as what was believed without them."""
    fills: Annotated[int, Meta(ge=10, le=100_000)] = 1_000
    """Own fills that are kept, and public trades that are remembered."""
    public_trades: bool = True
    """Believe, until own fills say better, what makers of public trades met."""

    def __post_init__(self) -> None:
        ordered = tuple(sorted(set(self.horizons_s)))
        if not ordered or ordered != self.horizons_s:
            raise ValueError(
                f"horizons_s = {list(self.horizons_s)} must be rising, one or more"
            )
        if self.horizon_s not in self.horizons_s:
            raise ValueError(
                f"horizon_s = {self.horizon_s:g} must be one of horizons_s, "
                f"{list(self.horizons_s)}"
            )


class FlowSettings(Settings, frozen=True, kw_only=True):
    """How order flow at the best prices is summed."""

    window_s: Seconds = 10.0
    """Length of the window."""


class PipelineSettings(Settings, frozen=True, kw_only=True):
    """The processors of every instrument, in the order in which they hear of ticks."""

    processors: tuple[str, ...] = ("imbalance", "volatility", "adverse_selection")
    """Shipped names, and scripts of your own (``"my_spread.py"``)."""
    max_errors: Annotated[int, Meta(ge=1, le=1_000)] = 5
    """Errors of a script on one instrument that switch it off there."""
    imbalance: ImbalanceSettings = ImbalanceSettings()
    volatility: VolatilitySettings = VolatilitySettings()
    adverse_selection: AdverseSelectionSettings = AdverseSelectionSettings()
    flow: FlowSettings = FlowSettings()


def is_script(processor: str) -> bool:
    """Tell whether an entry of ``processors`` names a script's file."""
    return processor.endswith(".py")
