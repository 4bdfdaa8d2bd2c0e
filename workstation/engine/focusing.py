"""Frames of one focused symbol: its chart, machine and gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from workstation import indicators
from workstation.engine.engine import Engine
from workstation.engine.frames import (
    CandleRow,
    ChartFrame,
    Focus,
    MachineFrame,
    Marker,
    SymbolRow,
)
from workstation.execution.executor import Executor
from workstation.indicators import Drawing, Pane
from workstation.market.aggregator import Aggregator
from workstation.market.running import RunningIndicator
from workstation.model.instruments import Instrument
from workstation.model.market import Bar
from workstation.model.orders import Order, OrderRole, OrderStatus
from workstation.model.states import Gate, SymbolState
from workstation.model.timeframes import Timeframe
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.sizing import entry_quantity

__all__ = ["FocusFrames"]

_TRANSITIONS_SHOWN = 12


class FocusFrames:
    """Reads one row's surroundings."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        strategies: Sequence[ScriptedStrategy],
        executor: Executor,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._executor = executor
        self._instruments = instruments

    def row(self, strategy: str, instrument: str) -> Row | None:
        """Return a strategy's row, or None."""
        owner = self._strategies.get(strategy)
        return None if owner is None else owner.rows.get(instrument)

    def gates(self, strategy: ScriptedStrategy, row: Row) -> list[Gate]:
        """Return the ordered checks an entry of this row must pass."""
        name = row.instrument.id
        size = self._entry_size(strategy, row)
        gates = list(self._executor.gates(strategy.name, name, size or None))
        state = row.state
        own = [
            Gate(
                "state",
                state is not SymbolState.IN_TRADE,
                "in trade" if state is SymbolState.IN_TRADE else state.value,
            ),
            Gate("signal", state is SymbolState.CLOSE_WATCH, row.answer),
        ]
        if size == 0:
            lot = row.instrument.lot_size
            own.append(Gate("sizing", False, f"size is less than a lot of {lot}"))
        place = next(
            (n for n, gate in enumerate(gates) if gate.name in ("hold", "risk")),
            len(gates),
        )
        return gates[:place] + own + gates[place:]

    def _entry_size(self, strategy: ScriptedStrategy, row: Row) -> Decimal | None:
        """Return what an entry would be now, or None where no price is known."""
        mark = self._aggregator.instrument(row.instrument.id).mark
        if mark is None:
            return None
        equity = self._executor.account().equity
        return entry_quantity(strategy.settings, row.instrument, mark, equity, None)

    def machine(self, focus: Focus, rows: Sequence[SymbolRow]) -> MachineFrame | None:
        """Return the focused row in full, or None where no strategy has it."""
        strategy = self._strategies.get(focus.strategy)
        row = self.row(focus.strategy, focus.instrument)
        shown = next(
            (
                r
                for r in rows
                if (r.instrument, r.strategy) == (focus.instrument, focus.strategy)
            ),
            None,
        )
        if strategy is None or row is None or shown is None:
            return None
        held = [
            order
            for order in self._executor.working(focus.strategy, focus.instrument)
            if order.status is OrderStatus.HELD
        ]
        return MachineFrame(
            row=shown,
            position=self._executor.position(focus.strategy, focus.instrument),
            stop=_trigger(held, OrderRole.STOP),
            target=_trigger(held, OrderRole.TARGET),
            stop_held=any(order.role is OrderRole.STOP for order in held),
            script=strategy.script.name,
            answer=row.answer,
            gates=tuple(self.gates(strategy, row)),
            transitions=tuple(reversed(row.transitions))[:_TRANSITIONS_SHOWN],
            params=tuple((k, str(v)) for k, v in strategy.params.items()),
            calls=row.calls,
        )

    # Chart.

    def timeframes(self, strategy: str, instrument: str) -> tuple[Timeframe, ...]:
        """Return the bars the chart can show: the row's own, and multiples."""
        owner = self._strategies.get(strategy)
        if owner is None:
            owner = next(iter(self._strategies.values()))
        base = owner.timeframe
        factors = (1, 5, 15, 60) if base.is_clocked else (1,)
        return tuple(base.times(factor) for factor in factors)

    def chart(self, focus: Focus) -> ChartFrame:
        """Return the focused chart."""
        choices = self.timeframes(focus.strategy, focus.instrument)
        base = choices[0]
        shown = focus.timeframe if focus.timeframe in choices else base
        assert shown is not None
        factor = int(shown.size // base.size)
        window = self._aggregator.bars(focus.instrument, base)
        count = min(len(window), (focus.bars + 1) * factor)
        columns = [
            window.column(name)[-count:].tolist() if count else []
            for name in ("ts_open", "open", "high", "low", "close", "volume")
        ]
        candles: list[CandleRow] = list(zip(*columns, strict=True))
        forming = _candle(self._aggregator.forming(focus.instrument, base))
        if factor > 1:
            candles, forming = _grouped(candles, forming, shown)
        candles = candles[-focus.bars :]
        instrument = self._instruments[focus.instrument]
        first = candles[0][0] if candles else 0
        return ChartFrame(
            instrument=instrument.id,
            symbol=instrument.id,
            timeframe=str(shown),
            decimals=instrument.price_decimals,
            bars=tuple(candles),
            forming=forming,
            overlays=self._overlays(focus, base, len(candles)) if factor == 1 else (),
            markers=tuple(
                Marker(fill.ts, float(fill.price), fill.side.sign)
                for fill in self._engine.store.fills
                if fill.instrument == focus.instrument and fill.ts >= first
            ),
            levels=self._levels(focus),
        )

    def _levels(self, focus: Focus) -> tuple[tuple[str, float], ...]:
        levels: list[tuple[str, float]] = []
        view = self._aggregator.instrument(focus.instrument)
        if view.last or view.mark:
            levels.append(("last", view.last or view.mark or 0.0))
        position = self._executor.position(focus.strategy, focus.instrument)
        if not position.is_flat:
            levels.append(("in", float(position.average_price)))
        row = self.row(focus.strategy, focus.instrument)
        if row is not None and row.stop is not None:
            levels.append(("stop", float(row.stop)))
        if row is not None and row.target is not None:
            levels.append(("target", float(row.target)))
        return tuple(levels)

    def _overlays(
        self, focus: Focus, base: Timeframe, count: int
    ) -> tuple[tuple[str, tuple[float | None, ...]], ...]:
        lines = []
        for running in self._aggregator.indicators(focus.instrument, base):
            name, params = running.key
            definition = indicators.get(name)
            if definition.pane is not Pane.PRICE:
                continue
            for output, values in self._tails(focus.instrument, base, running, count):
                if definition.drawing(output) is Drawing.HIDDEN:
                    continue
                label = f"{name.upper()} {definition.label(dict(params))}"
                if len(running.outputs) > 1:
                    label += f" {output}"
                lines.append((label, values))
        return tuple(lines)

    def _tails(
        self, instrument: str, base: Timeframe, running: RunningIndicator, count: int
    ) -> list[tuple[str, tuple[float | None, ...]]]:
        # From the window's columns: a running indicator keeps no history, and asking
        # the Aggregator for another one would change the state.
        name, params = running.key
        window = self._aggregator.bars(instrument, base)
        columns: dict[str, Any] = dict(window.columns())
        batch = indicators.get(name).batch(columns, **dict(params))
        return [
            (
                output,
                tuple(None if v != v else v for v in batch[output][-count:].tolist())
                if count
                else (),
            )
            for output in running.outputs
        ]


def _trigger(held: Sequence[Order], role: OrderRole) -> Any:
    return next((order.trigger for order in held if order.role is role), None)


def _candle(bar: Bar | None) -> CandleRow | None:
    if bar is None:
        return None
    return (bar.ts_open, bar.open, bar.high, bar.low, bar.close, bar.volume)


def _grouped(
    candles: Sequence[CandleRow], forming: CandleRow | None, timeframe: Timeframe
) -> tuple[list[CandleRow], CandleRow | None]:
    grouped: list[CandleRow] = []
    for candle in (*candles, *(() if forming is None else (forming,))):
        start = timeframe.start(candle[0])
        if grouped and grouped[-1][0] == start:
            _, o, h, low, _, v = grouped[-1]
            grouped[-1] = (
                start,
                o,
                max(h, candle[2]),
                min(low, candle[3]),
                candle[4],
                v + candle[5],
            )
        else:
            grouped.append((start, *candle[1:]))
    return grouped[:-1], grouped[-1] if grouped else None
