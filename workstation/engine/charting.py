"""Frames of one symbol's chart: bars of any timeframe, indicators, levels, own trading.

Called by ``framing`` between inputs. What depends on closed bars or on trading only is
made when these change, so a frame in between costs little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workstation.engine.frames import (
    CandleRow,
    ChartFrame,
    Focus,
    Marker,
    Move,
    Plot,
)
from workstation.engine.marks import Marks
from workstation.engine.plots import Plots
from workstation.engine.script_plots import script_plots
from workstation.engine.series import Series, grouping, series_of
from workstation.execution.executor import Executor
from workstation.indicators import Request
from workstation.market.aggregator import Aggregator
from workstation.model.instruments import Instrument
from workstation.model.orders import Fill, OrderRole
from workstation.model.owners import OPERATOR
from workstation.model.timeframes import Timeframe
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["ChartFrames"]

# They are drawn as the row's stop and target.
_Levels = tuple[tuple[str, float], ...]
_Trading = tuple[tuple[Marker, ...], tuple[Move, ...], tuple[Move, ...], _Levels]


class ChartFrames:
    """Makes the charts of one session."""

    def __init__(
        self,
        aggregator: Aggregator,
        strategies: Sequence[ScriptedStrategy],
        executor: Executor,
        instruments: Mapping[str, Instrument],
        marks: Marks,
    ) -> None:
        self._aggregator = aggregator
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._executor = executor
        self._instruments = instruments
        self._marks = marks
        self._series: dict[tuple[str, Timeframe, Timeframe], Series] = {}
        self._trading: dict[tuple[str, str], tuple[tuple[int, int], _Trading]] = {}
        self.plots = Plots()

    def own(self, strategy: str, instrument: str) -> Timeframe | None:
        """Return the bars a row's script is asked at; None where there are none.

        A symbol without this strategy shows the first bars that are built for it.
        """
        built = self._aggregator.timeframes(instrument)
        owner = self._strategies.get(strategy)
        if owner is not None and owner.timeframe in built:
            return owner.timeframe
        return built[0] if built else None

    def timeframes(self, strategy: str, instrument: str) -> tuple[Timeframe, ...]:
        """Return the bars the chart can show, shorter ones first, counted ones last.

        Those that are built for the symbol, and multiples of the row's own.
        """
        own = self.own(strategy, instrument)
        built = self._aggregator.timeframes(instrument)
        longer = () if own is None else grouping(own)
        return tuple(sorted({*built, *longer}, key=lambda each: each.order))

    def chart(self, focus: Focus) -> ChartFrame:
        """Return the focused chart."""
        name = focus.instrument
        instrument = self._instruments[name]
        choices = self.timeframes(focus.strategy, name)
        own = self.own(focus.strategy, name)
        if own is None:
            return ChartFrame(
                instrument=name,
                symbol=instrument.id,
                decimals=instrument.price_decimals,
                levels=self._levels(focus, ()),
            )
        shown = focus.timeframe
        if shown not in choices:
            longer = own.times(focus.factor)
            shown = longer if longer in choices else own
        assert shown is not None
        source = shown if shown in self._aggregator.timeframes(name) else own
        series = self._refreshed(name, source, shown)
        bars = series.candles(focus.bars)
        forming = series.forming(self._aggregator.forming(name, source))
        first = bars[0][0] if bars else 0
        markers, held, stops, orders = self._traded(focus, first)
        return ChartFrame(
            instrument=name,
            symbol=instrument.id,
            timeframe=shown,
            own=own,
            choices=choices,
            decimals=instrument.price_decimals,
            number=series.total - len(bars),
            bars=bars,
            forming=forming,
            plots=(
                *self._plots(focus, series, shown, len(bars)),
                *self._drawn(focus, bars, forming),
            ),
            markers=markers,
            held=held,
            stops=stops,
            levels=self._levels(focus, orders),
        )

    def _refreshed(self, name: str, source: Timeframe, shown: Timeframe) -> Series:
        key = (name, source, shown)
        series = self._series.get(key)
        if series is None:
            window = self._aggregator.bars(name, source)
            series = self._series[key] = series_of(window, shown)
        series.refresh()
        return series

    def _plots(
        self, focus: Focus, series: Series, shown: Timeframe, count: int
    ) -> tuple[Plot, ...]:
        """Return what scripts have asked for at these bars, then what was added."""
        name = focus.instrument
        running = self._aggregator.indicators(name, shown)
        asked = [Request(*each.key) for each in running]
        added = [request for request in focus.plots if request not in asked]
        key = (name, shown)
        return tuple(
            self.plots.plot(key, series, request, count, request in added)
            for request in (*asked, *added)
        )

    def _drawn(
        self, focus: Focus, bars: Sequence[CandleRow], forming: CandleRow | None
    ) -> tuple[Plot, ...]:
        """Return what the row's script draws."""
        owner = self._strategies.get(focus.strategy)
        row = None if owner is None else owner.rows.get(focus.instrument)
        return () if row is None else script_plots(row.plots, bars, forming)

    def _traded(self, focus: Focus, first: int) -> _Trading:
        """Return fills, entry price and stop through time, and own limit orders."""
        row = (focus.strategy, focus.instrument)
        name = focus.instrument
        version = (self._marks.changes.get(name, 0), first)
        made = self._trading.get(row)
        if made is not None and made[0] == version:
            return made[1]
        trading = (
            tuple(
                Marker(fill.ts, float(fill.price), fill.side.sign, _role(fill))
                for fill in self._marks.fills(name, first)
            ),
            self._marks.held(*row, first),
            self._marks.stops(*row, first),
            self._limits(name),
        )
        self._trading[row] = (version, trading)
        return trading

    def _limits(self, instrument: str) -> _Levels:
        return tuple(
            dict.fromkeys(
                (order.side.value, float(at))
                for order in self._executor.orders()
                if order.instrument == instrument
                and (at := order.trigger if order.is_untriggered else order.price)
                and not order.is_leg
                and not order.is_terminal
            )
        )

    def _levels(self, focus: Focus, orders: _Levels) -> _Levels:
        levels: list[tuple[str, float]] = []
        view = self._aggregator.instrument(focus.instrument)
        if view.last or view.mark:
            levels.append(("last", view.last or view.mark or 0.0))
        position = self._executor.position(focus.strategy, focus.instrument)
        if not position.is_flat:
            levels.append(("in", float(position.average_price)))
        owner = self._strategies.get(focus.strategy)
        row = None if owner is None else owner.rows.get(focus.instrument)
        if row is not None and row.stop is not None:
            levels.append(("stop", float(row.stop)))
        if row is not None and row.target is not None:
            levels.append(("target", float(row.target)))
        return (*levels, *orders)


def _role(fill: Fill) -> OrderRole:
    """Return what a fill is drawn as: what the operator ordered is by hand."""
    if fill.owner == OPERATOR and fill.role in (OrderRole.ENTRY, OrderRole.EXIT):
        return OrderRole.MANUAL
    return fill.role
