"""Imbalance: which side of the book weighs more, as it stands now.

Nothing is kept: the figures are computed from best prices and book when asked for, so
they cost a tick nothing and are never older than the book.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workstation.market.pipeline.figures import Figure
from workstation.market.pipeline.processor import Ground, Shipped
from workstation.market.pipeline.settings import ImbalanceSettings

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = ["Imbalance", "signed_share", "weighted_mid"]


def signed_share(bids: float, asks: float) -> float | None:
    """Return (bids − asks)/(bids + asks), in [−1, 1]; None where both are nothing."""
    total = bids + asks
    return (bids - asks) / total if total > 0.0 else None


def weighted_mid(
    bid: float, bid_size: float, ask: float, ask_size: float
) -> float | None:
    """Return (bid × ask size + ask × bid size)/(sizes): towards the thinner side."""
    total = bid_size + ask_size
    return (bid * ask_size + ask * bid_size) / total if total > 0.0 else None


class Imbalance(Shipped):
    """Signed shares of bids and asks: +1 only bids, −1 only asks."""

    __slots__ = ("_decay", "_live", "_settings")

    name = "imbalance"
    gives: ClassVar[tuple[Figure, ...]] = (
        Figure(
            "imbalance",
            "−1 … 1",
            "(bids − asks)/(bids + asks) of the sizes of the `levels` best: > 0 when "
            "more is bid",
            "no best prices; with `levels` above 1 no book",
        ),
        Figure(
            "weighted_imbalance",
            "−1 … 1",
            "the same of the `depth` best levels, each size × e^(−distance/ℓ), "
            "distance from the best price of its side, ℓ = `decay_ticks` ticks",
            "no book",
        ),
        Figure(
            "weighted_mid",
            "price",
            "(bid × ask size + ask × bid size)/(bid size + ask size)",
            "no best prices",
        ),
    )

    def __init__(self, settings: ImbalanceSettings) -> None:
        self._settings = settings
        self._live: LiveInstrument
        self._decay = 0.0

    def attach(self, ground: Ground) -> None:
        """Know the instrument."""
        self._live = ground.live
        self._decay = self._settings.decay_ticks * float(ground.tick_size)

    @property
    def imbalance(self) -> float | None:
        """Return the signed share of bids in the best sizes, in [−1, 1]."""
        live = self._live
        levels = self._settings.levels
        if levels == 1:
            if not 0.0 < live.bid <= live.ask:
                return None
            return signed_share(live.bid_size, live.ask_size)
        return None if live.book is None else live.book.imbalance(levels)

    @property
    def weighted_imbalance(self) -> float | None:
        """Return it of the book's levels, weighted by distance, in [−1, 1]."""
        book = self._live.book
        if book is None:
            return None
        return book.weighted_imbalance(self._settings.depth, self._decay)

    @property
    def weighted_mid(self) -> float | None:
        """Return the mid weighted by the opposite sizes, a price."""
        live = self._live
        if not 0.0 < live.bid <= live.ask:
            return None
        return weighted_mid(live.bid, live.bid_size, live.ask, live.ask_size)

    def digest(self) -> object:
        """Return nothing: all is computed from what the instrument shows."""
        return None
