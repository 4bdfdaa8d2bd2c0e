"""The processors' figures of all symbols, as a frame shows them.

Called by ``FrameSource`` between two inputs; it only reads. All figures of a symbol
take 120 µs, so each frame makes a few rows anew, those that are oldest.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.engine.engine import Engine
from workstation.engine.frames import FigureHead, FigureRow, FigureTable
from workstation.market.aggregator import Aggregator
from workstation.model.instruments import Instrument
from workstation.model.timeframes import NS_PER_S

__all__ = ["FigureFrames"]

_EVERY_NS = NS_PER_S
"""Of the run's clock: nobody reads a figure that changes ten times a second."""
_MOST_ROWS = 16
"""Rows made in one frame: 2 ms."""


class FigureFrames:
    """Figure rows of one session."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._instruments = instruments
        self._names = tuple(instruments)
        self._next = 0
        self._made: dict[str, tuple[int, FigureRow]] = {}
        self._table = FigureTable(heads=(), rows=())

    def figures(self) -> FigureTable:
        """Return the figures; the same object while none has changed."""
        if not self._names:
            return self._table
        now = self._engine.core.ts
        changed = False
        for _ in range(min(_MOST_ROWS, len(self._names))):
            name = self._names[self._next]
            known = self._made.get(name)
            if known is not None and 0 <= now - known[0] < _EVERY_NS:
                break
            self._next = (self._next + 1) % len(self._names)
            row = self._row(name)
            same = known is not None and known[1] == row
            self._made[name] = (now, known[1] if same and known is not None else row)
            changed = changed or not same
        if changed:
            made = self._made
            self._table = FigureTable(
                heads=self._heads(),
                rows=tuple(made[name][1] for name in self._names if name in made),
            )
        return self._table

    def _row(self, name: str) -> FigureRow:
        figures = self._aggregator.figures(name)
        return FigureRow(
            instrument=name,
            decimals=self._instruments[name].price_decimals,
            values=tuple(figures.get(figure) for figure in figures.names()),
        )

    def _heads(self) -> tuple[FigureHead, ...]:
        if self._table.heads:
            return self._table.heads
        # Every instrument of a run has the same chain.
        return tuple(
            FigureHead(
                name=place.figure.name,
                unit=place.figure.unit,
                processor=place.processor,
                text=place.figure.text,
                none_when=place.figure.none_when,
            )
            for place in self._aggregator.figures(self._names[0]).places()
        )
