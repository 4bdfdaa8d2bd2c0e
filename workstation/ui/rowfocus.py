"""The row that all unpinned panels show."""

from __future__ import annotations

import msgspec

from workstation.engine.frames import Focus
from workstation.engine.settings import RunSettings
from workstation.model.timeframes import Timeframe
from workstation.ui.panels.base import Choice

__all__ = ["GROUPS", "RowFocus", "named_rows"]

_BARS = 240
# What the widest chart can show.
GROUPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
"""Ticks that one step of the book may gather."""


def named_rows(run: RunSettings) -> tuple[Choice, ...]:
    """Return the (symbol, strategy) rows there will be, before there is an engine."""
    names: list[Choice] = []
    for instrument in run.instruments:
        owners = [
            strategy.name
            for strategy in run.strategies
            if not {"*", instrument.id, instrument.symbol}.isdisjoint(strategy.symbols)
        ]
        names.extend(Choice(instrument.id, owner) for owner in owners or [""])
    return tuple(names)


class RowFocus:
    """Where the operator's eye is."""

    def __init__(self, run: RunSettings) -> None:
        self.names = named_rows(run)
        self.row: Focus | None = None
        self._groups: dict[str, int] = {}
        self._timeframes = {each.name: each.timeframe for each in run.strategies}
        if self.names:
            self.on(self.names[0])

    def on(self, choice: Choice) -> None:
        """Focus a row; one without a strategy takes the symbol's first.

        A strategy alone keeps the symbol, if it has that, or brings its first one.
        """
        if not choice.instrument:
            self._on_strategy(choice.strategy)
            return
        owners = [n.strategy for n in self.names if n.instrument == choice.instrument]
        strategy = choice.strategy
        if strategy not in owners and owners:
            strategy = owners[0]
        group = self._groups.get(choice.instrument, 1)
        self.row = Focus(strategy, choice.instrument, bars=_BARS, group=group)

    def _on_strategy(self, strategy: str) -> None:
        own = [name for name in self.names if strategy and name.strategy == strategy]
        here = None if self.row is None else self.row.instrument
        same = [name for name in own if name.instrument == here]
        if own:
            self.on((same or own)[0])

    def symbols_of(self, strategy: str) -> tuple[str, ...]:
        """Return the symbols of a strategy that has the focus; of another, none."""
        if self.row is None or not strategy or self.row.strategy != strategy:
            return ()
        return tuple(
            each.instrument for each in self.names if each.strategy == strategy
        )

    def turn(self, strategy: str, step: int) -> None:
        """Focus the next (+1) or previous (−1) symbol of the strategy; the last one
        is followed by the first.
        """
        symbols = self.symbols_of(strategy)
        if self.row is not None and self.row.instrument in symbols:
            at = symbols.index(self.row.instrument) + step
            self.on(Choice(symbols[at % len(symbols)], strategy))

    def scale_book(self, row: Focus, step: int) -> Focus:
        """Gather the row's book into the next coarser (+1) or finer (−1) step.

        The step stays with the instrument.
        """
        at = GROUPS.index(row.group) if row.group in GROUPS else 0
        group = GROUPS[max(0, min(at + step, len(GROUPS) - 1))]
        self._groups[row.instrument] = group
        scaled = msgspec.structs.replace(row, group=group)
        if row == self.row:
            self.row = scaled
        return scaled

    @property
    def base(self) -> Timeframe:
        """The timeframe of the focused row's strategy."""
        name = "" if self.row is None else self.row.strategy
        first = next(iter(self._timeframes.values()), "1m")
        return Timeframe.parse(self._timeframes.get(name, first))
