"""The chain of processors as the config lists it, and one of them per instrument.

``Plan`` is made once per run and checked as a whole; it builds the chain of each
instrument in the order of the list. Processors hear of a tick in that order, and each
may read the figures of those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from workstation.market.pipeline.adverse_selection import AdverseSelection
from workstation.market.pipeline.figures import (
    RESERVED,
    Directory,
    Distrust,
    Figure,
    Figures,
    Place,
)
from workstation.market.pipeline.flow import Flow
from workstation.market.pipeline.imbalance import Imbalance
from workstation.market.pipeline.mids import Mids
from workstation.market.pipeline.processor import Ground, Processor, Shipped
from workstation.market.pipeline.script import (
    ProcessorFault,
    ProcessorScript,
    ScriptCall,
    ScriptProcessor,
)
from workstation.market.pipeline.settings import PipelineSettings
from workstation.market.pipeline.volatility import Volatility
from workstation.model.errors import ConfigError
from workstation.model.instruments import Instrument

if TYPE_CHECKING:
    from workstation.market.live import LiveInstrument

__all__ = ["CATALOG", "Plan"]

CATALOG: dict[str, type[Shipped]] = {
    "imbalance": Imbalance,
    "volatility": Volatility,
    "adverse_selection": AdverseSelection,
    "flow": Flow,
}
"""The shipped processors by name, in the order of the manual."""

_MAKERS: dict[str, Callable[[PipelineSettings], Processor]] = {
    "imbalance": lambda settings: Imbalance(settings.imbalance),
    "volatility": lambda settings: Volatility(settings.volatility),
    "adverse_selection": lambda s: AdverseSelection(s.adverse_selection),
    "flow": lambda settings: Flow(settings.flow),
}


class Plan:
    """The processors of a run, in order; raises ConfigError for what cannot be.

    ``scripts`` are the loaded ones of the list, ``call`` is how they are called.
    """

    def __init__(
        self,
        settings: PipelineSettings,
        scripts: Sequence[ProcessorScript] = (),
        call: ScriptCall | None = None,
    ) -> None:
        self.settings = settings
        self._call = call
        self._scripts = {script.path: script for script in scripts}
        self._places: dict[str, Place] = {}
        self._order: list[str | ProcessorScript] = []
        for entry in settings.processors:
            self._add(entry)
        self._directory = Directory(
            self._places,
            {
                figure.name: name
                for name, processor in CATALOG.items()
                for figure in processor.gives
                if figure.name not in self._places
            },
        )

    @property
    def figures(self) -> tuple[str, ...]:
        """Return the names of all figures of the run, in the order of the chain."""
        return tuple(self._places)

    @property
    def scripts(self) -> tuple[ProcessorScript, ...]:
        """Return the scripts among them."""
        return tuple(each for each in self._order if isinstance(each, ProcessorScript))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the processors' names in order."""
        return tuple(_name(each) for each in self._order)

    def build(
        self,
        live: LiveInstrument,
        instrument: Instrument,
        distrust: Distrust,
        fault: ProcessorFault,
    ) -> Figures:
        """Attach a chain to an instrument and return its figures."""
        figures = Figures(self._directory, live.instrument, distrust)
        ground = Ground(live, instrument.tick_size, Mids(), figures)
        for each in self._order:
            processor: Processor
            if isinstance(each, str):
                processor = _MAKERS[each](self.settings)
            else:
                assert self._call is not None
                processor = ScriptProcessor(
                    each, self._call, fault, max_errors=self.settings.max_errors
                )
            processor.attach(ground)
            figures.join(processor)
        return figures

    def _add(self, entry: str) -> None:
        script = self._scripts.get(entry)
        each = entry if script is None else script
        name = _name(each)
        if script is None and entry not in CATALOG:
            close = get_close_matches(entry, CATALOG, n=1)
            hint = f'; did you mean "{close[0]}"?' if close else ""
            raise ConfigError(
                f"pipeline: no processor {entry!r}; there are: {', '.join(CATALOG)}, "
                f"and scripts of your own (name.py){hint}"
            )
        if name in self.names:
            raise ConfigError(f"pipeline: {name} is listed twice; once is enough")
        for needed in () if script is None else script.needs:
            if needed not in self._places:
                raise ConfigError(f"pipeline: {name} needs {self._want(needed)}")
        gives = CATALOG[entry].gives if script is None else script.gives
        for figure in gives:
            self._give(name, figure)
        self._order.append(each)

    def _give(self, name: str, figure: Figure) -> None:
        if figure.name in RESERVED:
            raise ConfigError(
                f"pipeline: {name} cannot call a figure {figure.name!r}; that name is "
                "taken, another one is free"
            )
        other = self._places.get(figure.name)
        owner = other.processor if other is not None else _giver(figure.name)
        if owner is not None and owner != name:
            raise ConfigError(
                f"pipeline: {name} gives {figure.name!r}, a figure of {owner}; "
                "another name is free"
            )
        self._places[figure.name] = Place(len(self._order), name, figure)

    def _want(self, figure: str) -> str:
        """Return what a processor that lacks a figure must be told."""
        giver = _giver(figure)
        for script in self._scripts.values():
            if figure in (each.name for each in script.gives):
                giver = script.name
        if giver is None:
            known = ", ".join(self._places) or "none"
            return f"{figure!r}, which no processor gives; before it there are: {known}"
        return f"{figure!r}; put {giver}, which gives it, before it in processors"


def _name(entry: str | ProcessorScript) -> str:
    return entry if isinstance(entry, str) else entry.name


def _giver(figure: str) -> str | None:
    """Return the shipped processor that gives a figure."""
    for name, processor in CATALOG.items():
        if any(figure == each.name for each in processor.gives):
            return name
    return None
