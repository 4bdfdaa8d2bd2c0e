"""Frames of one focused symbol: its book, machine and gates; and all indicators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import isnan
from typing import Any

from workstation import indicators
from workstation.engine.figures import spread_bps
from workstation.engine.frames import (
    BookFrame,
    Focus,
    IndicatorRow,
    MachineFrame,
    SymbolRow,
)
from workstation.execution.executor import Executor
from workstation.market.aggregator import Aggregator
from workstation.market.running import RunningIndicator
from workstation.model.instruments import Instrument
from workstation.model.orders import Order, OrderRole, OrderStatus
from workstation.model.states import Gate, SymbolState
from workstation.model.timeframes import Timeframe
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.sizing import entry_quantity

__all__ = ["FocusFrames"]

_TRANSITIONS_SHOWN = 12
_LEVELS_IMBALANCE = 5
_TAIL = 24


class FocusFrames:
    """Reads one row's surroundings."""

    def __init__(
        self,
        aggregator: Aggregator,
        strategies: Sequence[ScriptedStrategy],
        executor: Executor,
        instruments: Mapping[str, Instrument],
    ) -> None:
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

    def book(self, focus: Focus) -> BookFrame | None:
        """Return the focused book, or None where the feed brings none."""
        view = self._aggregator.instrument(focus.instrument)
        book = view.book
        if book is None:
            return None
        instrument = self._instruments[focus.instrument]
        mine = [
            float(order.price)
            for order in self._executor.orders()
            if order.instrument == focus.instrument
            and order.price is not None
            and not order.is_terminal
        ]
        return BookFrame(
            instrument=instrument.id,
            symbol=instrument.id,
            decimals=instrument.price_decimals,
            quantity_decimals=instrument.quantity_decimals,
            trust=book.trust,
            reason=getattr(book, "reason", ""),
            bids=tuple(book.bids(focus.levels)),
            asks=tuple(book.asks(focus.levels)),
            spread_bps=spread_bps(view.bid, view.ask),
            imbalance=book.imbalance(_LEVELS_IMBALANCE),
            microprice=book.microprice(),
            applied=book.applied,
            gaps=book.gaps,
            mine=tuple(mine),
        )

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

    def indicators(self) -> tuple[IndicatorRow, ...]:
        """Return all running indicators with their last values."""
        return tuple(
            self._indicator(instrument, timeframe, running)
            for instrument in self._instruments
            for timeframe in self._aggregator.timeframes(instrument)
            for running in self._aggregator.indicators(instrument, timeframe)
        )

    def _indicator(
        self, instrument: str, timeframe: Timeframe, running: RunningIndicator
    ) -> IndicatorRow:
        name, params = running.key
        value = running.value
        tails = self._tails(instrument, timeframe, running, _TAIL)
        label = indicators.get(name).label(dict(params))
        return IndicatorRow(
            key=f"{instrument}/{timeframe}/{name}/{label}",
            instrument=instrument,
            timeframe=str(timeframe),
            name=name,
            params=label,
            outputs=tuple(
                (output, None if value is None or isnan(value[n]) else value[n])
                for n, output in enumerate(running.outputs)
            ),
            tail=tuple(v for v in tails[0][1] if v is not None),
        )


def _trigger(held: Sequence[Order], role: OrderRole) -> Any:
    return next((order.trigger for order in held if order.role is role), None)
