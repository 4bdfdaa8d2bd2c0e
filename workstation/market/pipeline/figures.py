"""The figures of one instrument, by name, and what a figure says of itself.

Implements ``model.ports.FiguresView``. Values are taken from the processors when they
are asked for, so none can be older than what its processor knows; those that describe
the market as it is now are None while its data cannot be trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from workstation.market.pipeline.processor import Processor

__all__ = [
    "NO_FIGURES",
    "RESERVED",
    "TOLD",
    "Directory",
    "Distrust",
    "Figure",
    "Figures",
    "Place",
]

Distrust = Callable[[str], str | None]
"""Says why nothing of an instrument can be trusted now, or None."""

TOLD = ("imbalance", "volatility_bps", "vol_uncertainty_bps", "adverse_selection")
"""What MarketDataUpdated tells, in its order."""


class Figure(Struct, frozen=True):
    """What a figure is: unit, convention, when there is none.

    One that is ``lasting`` tells of the past: it stays while data is not to be trusted.
    """

    name: str
    unit: str
    text: str
    none_when: str
    lasting: bool = False


class Place(Struct, frozen=True):
    """Where a figure comes from: the processor's number in the chain, and itself."""

    index: int
    processor: str
    figure: Figure


class Directory:
    """Where the figures of a run come from; one for all instruments.

    ``elsewhere`` names the processors that would give what none of the run gives,
    ``told`` has the place of each of ``TOLD``.
    """

    __slots__ = ("elsewhere", "places", "told")

    def __init__(
        self, places: Mapping[str, Place], elsewhere: Mapping[str, str]
    ) -> None:
        self.places = places
        self.elsewhere = elsewhere
        self.told = tuple(places.get(name) for name in TOLD)


class Figures:
    """Answer every figure of one instrument; None = not known (yet)."""

    __slots__ = ("_directory", "_distrust", "_instrument", "_processors")

    def __init__(
        self, directory: Directory, instrument: str, distrust: Distrust
    ) -> None:
        self._directory = directory
        self._instrument = instrument
        self._distrust = distrust
        self._processors: tuple[Processor, ...] = ()

    def join(self, processor: Processor) -> None:
        """Take the next processor of the chain."""
        self._processors = (*self._processors, processor)

    def __getattr__(self, name: str) -> float | None:
        """Return a figure; AttributeError says which processor would give it."""
        place = self._directory.places.get(name)
        if place is None:
            raise AttributeError(self._missing(name))
        return self._value(place)

    def get(self, name: str) -> float | None:
        """Return a figure; None also where no processor of the chain gives it."""
        place = self._directory.places.get(name)
        return None if place is None else self._value(place)

    def names(self) -> tuple[str, ...]:
        """Return the names of all figures, in the order of the chain."""
        return tuple(self._directory.places)

    def places(self) -> tuple[Place, ...]:
        """Return what each figure is and where it comes from."""
        return tuple(self._directory.places.values())

    def processor(self, name: str) -> Processor | None:
        """Return a processor of the chain."""
        for processor in self._processors:
            if processor.name == name:
                return processor
        return None

    def told(self) -> list[float | None]:
        """Return the figures of ``TOLD``, looking at the data's trust once."""
        sound = self._distrust(self._instrument) is None
        processors = self._processors
        found: list[float | None] = []
        for place in self._directory.told:
            if place is not None and (sound or place.figure.lasting):
                found.append(processors[place.index].value(place.figure.name))
            else:
                found.append(None)
        return found

    def digest(self) -> list[object]:
        """Return the whole state of the processors for the state hash."""
        return [(each.name, each.digest()) for each in self._processors]

    def _value(self, place: Place) -> float | None:
        # A processor may ask while those behind it have not joined yet.
        if place.index >= len(self._processors):
            return None
        if not place.figure.lasting and self._distrust(self._instrument) is not None:
            return None
        return self._processors[place.index].value(place.figure.name)

    def _missing(self, name: str) -> str:
        processor = self._directory.elsewhere.get(name)
        if processor is not None:
            return (
                f"no figure {name!r} in this run; {processor} gives it: add "
                f'"{processor}" to processors in [pipeline]'
            )
        known = ", ".join(self._directory.places) or "none"
        return f"no figure {name!r} in this run; there are: {known}"


NO_FIGURES = Figures(Directory({}, {}), "", lambda instrument: None)
"""Those of an instrument without a chain."""

RESERVED = frozenset(name for name in dir(Figures) if not name.startswith("__"))
"""Names that no figure may have."""
