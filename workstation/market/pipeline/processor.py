"""What a market processor is: a part of the chain that gives figures.

At ``attach`` it puts itself among the watchers of the instrument (``market.live``), in
the order of the chain; what it does not watch costs it nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Protocol

from msgspec import Struct

from workstation.market.pipeline.figures import Figure, Figures
from workstation.market.pipeline.mids import Mids

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = ["Ground", "Processor", "Shipped"]


class Ground(Struct, frozen=True):
    """What a processor stands on: one instrument, its mids and the figures so far."""

    live: LiveInstrument
    tick_size: Decimal
    mids: Mids
    figures: Figures


class Processor(Protocol):
    """One processor on one instrument."""

    @property
    def name(self) -> str:
        """Return the name it has in the config."""

    def attach(self, ground: Ground) -> None:
        """Begin to watch, before the first event."""

    def value(self, name: str) -> float | None:
        """Return one of its figures; None = not known yet."""

    def digest(self) -> object:
        """Return the whole state for the state hash."""


class Shipped:
    """Base of the processors that come with the workstation.

    Each figure is a property of the figure's name; ``gives`` says what they are.
    """

    __slots__ = ()

    name: ClassVar[str]
    gives: ClassVar[tuple[Figure, ...]]

    def value(self, name: str) -> float | None:
        """Return one of its figures."""
        found: float | None = getattr(self, name)
        return found
