"""The running indicators of all symbols, as a frame shows them.

Called by ``FrameSource`` between two inputs; it only reads. A row is made when a bar
of its symbol has closed, so that a frame in between costs one look at each window.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation import indicators
from workstation.engine.frames import IndicatorRow
from workstation.market.aggregator import Aggregator
from workstation.market.running import RunningIndicator
from workstation.market.window import BarWindow
from workstation.model.instruments import Instrument
from workstation.model.timeframes import Timeframe

__all__ = ["IndicatorFrames"]

_FINER = 2
"""Decimals that a figure in prices has beyond the tick."""
_BOUNDED = 2
"""Decimals of one between fixed bounds, as RSI is."""


class _Bars:
    """The rows of one window, and at which bar they were made."""

    __slots__ = ("instrument", "made_at", "rows", "timeframe", "window")

    def __init__(
        self, instrument: Instrument, timeframe: Timeframe, window: BarWindow
    ) -> None:
        self.instrument = instrument
        self.timeframe = timeframe
        self.window = window
        self.made_at = -1
        self.rows: tuple[IndicatorRow, ...] = ()


class IndicatorFrames:
    """Indicator rows of one session."""

    def __init__(
        self, aggregator: Aggregator, instruments: Mapping[str, Instrument]
    ) -> None:
        self._aggregator = aggregator
        self._instruments = instruments
        self._bars: list[_Bars] = []
        self._warmups: dict[object, tuple[int, str, int | None]] = {}
        self._seen = -1
        self._rows: tuple[IndicatorRow, ...] = ()

    def indicators(self) -> tuple[IndicatorRow, ...]:
        """Return all running indicators; the same tuple while no bar has closed."""
        made = self._aggregator.indicators_made
        anew = made != self._seen
        if anew:
            self._seen = made
            self._bars = self._all_bars()
        changed = anew
        for bars in self._bars:
            total = bars.window.total
            if total != bars.made_at:
                bars.made_at = total
                bars.rows = self._made(bars)
                changed = True
        if changed:
            self._rows = tuple(row for bars in self._bars for row in bars.rows)
        return self._rows

    def _all_bars(self) -> list[_Bars]:
        aggregator = self._aggregator
        return [
            _Bars(instrument, timeframe, aggregator.bars(name, timeframe))
            for name, instrument in self._instruments.items()
            for timeframe in aggregator.timeframes(name)
            if aggregator.indicators(name, timeframe)
        ]

    def _made(self, bars: _Bars) -> tuple[IndicatorRow, ...]:
        running = self._aggregator.indicators(bars.instrument.id, bars.timeframe)
        return tuple(self._row(bars, each) for each in running)

    def _row(self, bars: _Bars, running: RunningIndicator) -> IndicatorRow:
        known = self._warmups.get(running.key)
        name, params = running.key
        if known is None:
            definition = indicators.get(name)
            listed = definition.label(dict(params))
            decimals = None if definition.bounds is None else _BOUNDED
            # The index of the first bar with values is one less than the bars needed.
            known = (definition.warmup(**dict(params)) + 1, listed, decimals)
            self._warmups[running.key] = known
        needed, listed, decimals = known
        instrument = bars.instrument
        return IndicatorRow(
            key=f"{instrument.id}/{bars.timeframe}/{name}/{listed}",
            instrument=instrument.id,
            timeframe=str(bars.timeframe),
            name=name,
            params=listed,
            outputs=running.outputs,
            values=running.value,
            before=running.previous,
            trail=running.trail,
            bars=bars.made_at,
            needed=needed,
            decimals=instrument.price_decimals + _FINER
            if decimals is None
            else decimals,
        )
