"""The running indicators of all symbols, as a frame shows them.

Called by ``FrameSource`` between two inputs; it only reads. A row is made when a bar
of its symbol has closed, so that a frame in between costs one look at each window; when
the bars of a thousand symbols close at once, the frames of a second share the work.
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
_MOST_WINDOWS = 100
"""Windows whose rows one frame makes: 5 ms with ten indicators on each."""


class _Bars:
    """The rows of one window, and at which bar they were made."""

    __slots__ = (
        "decimals",
        "instrument",
        "made_at",
        "name",
        "rows",
        "timeframe",
        "window",
    )

    def __init__(
        self, instrument: Instrument, timeframe: Timeframe, window: BarWindow
    ) -> None:
        self.instrument = instrument.id
        self.decimals = instrument.price_decimals + _FINER
        self.timeframe = timeframe
        self.name = str(timeframe)
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
        self._next = 0
        self._rows: tuple[IndicatorRow, ...] = ()

    def indicators(self) -> tuple[IndicatorRow, ...]:
        """Return all running indicators; the same tuple while no bar has closed."""
        made = self._aggregator.indicators_made
        anew = made != self._seen
        if anew:
            self._seen = made
            self._bars, self._next = self._all_bars(), 0
        left = _MOST_WINDOWS
        count = len(self._bars)
        for step in range(count):
            bars = self._bars[(self._next + step) % count]
            total = bars.window.total
            if total != bars.made_at:
                bars.made_at = total
                bars.rows = self._made(bars)
                left -= 1
                if not left:
                    # Where the next frame goes on, so that none waits for ever.
                    self._next = (self._next + step + 1) % count
                    break
        if anew or left < _MOST_WINDOWS:
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
        running = self._aggregator.indicators(bars.instrument, bars.timeframe)
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
        return IndicatorRow(
            key=f"{bars.instrument}/{bars.name}/{name}/{listed}",
            instrument=bars.instrument,
            timeframe=bars.name,
            name=name,
            params=listed,
            outputs=running.outputs,
            values=running.value,
            before=running.previous,
            trail=running.trail,
            bars=bars.made_at,
            needed=needed,
            decimals=bars.decimals if decimals is None else decimals,
        )
