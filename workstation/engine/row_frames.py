"""Rows of a frame: symbols, orders and positions, as their tables show them.

Called by ``FrameSource`` between two inputs; it only reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from workstation.engine.engine import Engine
from workstation.engine.figures import age, change, coarse, spread_bps
from workstation.engine.frames import OrderRow, PositionRow, SymbolRow
from workstation.engine.gating import RowGates
from workstation.engine.versions import Versions
from workstation.execution.executor import Executor
from workstation.market.aggregator import Aggregator
from workstation.model.instruments import Instrument, decimals_of
from workstation.model.orders import Order, OrderStatus, OrderType
from workstation.model.positions import Position
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy
from workstation.venues.paper.broker import PaperBroker

__all__ = ["RowFrames"]


class RowFrames:
    """Table rows of one session."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        strategies: Sequence[ScriptedStrategy],
        executor: Executor,
        gates: RowGates,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._engine = engine
        self._aggregator = aggregator
        self._strategies = strategies
        self._executor = executor
        self._ledger = executor.ledger
        self._gates = gates
        self._instruments = instruments
        self._versions = Versions()

    def symbols(self) -> tuple[SymbolRow, ...]:
        """Return a row of each strategy and symbol, and of what nobody manages."""
        made: list[SymbolRow] = []
        managed: set[tuple[str, str]] = set()
        for instrument in self._instruments.values():
            rows = [
                (strategy, strategy.rows[instrument.id])
                for strategy in self._strategies
                if instrument.id in strategy.rows
            ]
            for strategy, row in rows:
                managed.add((strategy.name, instrument.id))
                made.append(self._symbol(instrument, strategy, row))
            for position in self._held():
                key = (position.owner, position.instrument)
                if position.instrument == instrument.id and key not in managed:
                    made.append(self._unmanaged(instrument, position))
            if not rows:
                made.append(self._unmanaged(instrument, None))
        return tuple(self._versions.of("symbols", made))

    def symbol(self, strategy: str, instrument: str) -> SymbolRow | None:
        """Return that row alone, or None where no strategy of this name has it."""
        owner = next((s for s in self._strategies if s.name == strategy), None)
        row = None if owner is None else owner.rows.get(instrument)
        if owner is None or row is None:
            return None
        made = self._symbol(self._instruments[instrument], owner, row)
        return next(iter(self._versions.of("symbols", [made])))

    def _symbol(
        self, instrument: Instrument, strategy: ScriptedStrategy, row: Row
    ) -> SymbolRow:
        position = self._executor.position(strategy.name, instrument.id)
        blocked = self._gates.first_closed(strategy, row)
        return self._row(
            instrument,
            strategy.name,
            position,
            state=row.state,
            manual=row.locked,
            manual_until_ns=row.lock_until_ns,
            since_ns=self._engine.core.ts - row.since_ns if row.since_ns else None,
            why_not="ready" if blocked is None else blocked.detail,
        )

    def _unmanaged(
        self, instrument: Instrument, position: Position | None
    ) -> SymbolRow:
        owner = "" if position is None else position.owner
        held = position or Position(owner="", instrument=instrument.id)
        return self._row(
            instrument,
            owner,
            held,
            state=None,
            manual=bool(owner),
            manual_until_ns=None,
            since_ns=None,
            why_not="nobody manages it" if owner else "no strategy",
        )

    def _row(
        self,
        instrument: Instrument,
        owner: str,
        position: Position,
        *,
        since_ns: int | None,
        **rest: object,
    ) -> SymbolRow:
        view = self._aggregator.instrument(instrument.id)
        last = view.last or view.mark
        mark = view.mark
        stop = self._stop(owner, instrument.id, mark)
        return SymbolRow(
            key=f"{instrument.id}/{owner}",
            instrument=instrument.id,
            symbol=instrument.id,
            strategy=owner,
            decimals=instrument.price_decimals,
            since_ns=None if since_ns is None else coarse(since_ns),
            last=last,
            mark=mark,
            change_percent=change(last, view.day_open),
            spread_bps=spread_bps(view.bid, view.ask),
            age_ns=age(view.ts_recv, self._engine.core.ts),
            distrust=self._aggregator.distrust(instrument.id, self._engine.core.ts),
            position=position.quantity,
            waiting=self._executor.waiting_entry(owner, instrument.id),
            quantity_decimals=instrument.quantity_decimals,
            open_pnl=self._ledger.open_pnl(position),
            stop_percent=change(stop, mark),
            has_stop=stop is not None,
            version=0,
            **rest,  # type: ignore[arg-type]
        )

    def orders(self) -> tuple[OrderRow, ...]:
        """Return the orders that have not ended."""
        rows = [self._order(o) for o in self._executor.orders() if not o.is_terminal]
        made = tuple(self._versions.of("orders", rows))
        self._versions.sweep(made)
        return made

    def positions(self) -> tuple[PositionRow, ...]:
        """Return the positions held, by owner."""
        rows = [self._position(position) for position in self._held()]
        return tuple(self._versions.of("positions", rows))

    def _order(self, order: Order) -> OrderRow:
        instrument = self._instruments[order.instrument]
        # A stop-limit that waits acts where its trigger is.
        waits = order.is_untriggered or order.price is None
        price = order.trigger if waits else order.price
        mark = self._aggregator.instrument(order.instrument).mark
        return OrderRow(
            order=order,
            symbol=instrument.id,
            decimals=instrument.price_decimals,
            quantity_decimals=instrument.quantity_decimals,
            price=price,
            away_percent=change(None if price is None else float(price), mark),
            age_ns=coarse(self._engine.core.ts - order.created_ns),
            held=order.status is OrderStatus.HELD,
            queue=self._place(order.id),
            flattened=self._executor.is_flattened(order.id),
            bracket=self._executor.bracket(order.id),
            version=0,
        )

    def _place(self, order_id: str) -> tuple[Decimal, Decimal] | None:
        for broker in self._engine.brokers:
            if isinstance(broker, PaperBroker):
                return broker.place(order_id)
        return None

    def _position(self, position: Position) -> PositionRow:
        instrument = self._instruments[position.instrument]
        view = self._aggregator.instrument(position.instrument)
        opened = position.opened_ns
        digits = decimals_of(position.quantity)
        stop = self._stop(position.owner, position.instrument, view.mark)
        return PositionRow(
            position=position,
            symbol=instrument.id,
            decimals=instrument.price_decimals,
            quantity_decimals=max(instrument.quantity_decimals, digits),
            last=view.last or view.mark,
            mark=view.mark,
            value=self._ledger.worth(position),
            net=self._ledger.net(position.instrument),
            closable=self._executor.closable(position.owner, position.instrument),
            open_pnl=self._ledger.open_pnl(position),
            stop_percent=change(stop, view.mark),
            has_stop=stop is not None,
            age_ns=None if opened is None else coarse(self._engine.core.ts - opened),
            version=0,
        )

    def _stop(self, owner: str, instrument: str, mark: float | None) -> float | None:
        """Return the trigger of the stop that the market meets first; None without.

        A stop of one's own that only reduces is one, too; a target protects no loss.
        """
        triggers = [
            float(order.trigger)
            for order in self._executor.working(owner, instrument)
            if order.is_protection
            and order.type is not OrderType.TARGET
            and order.trigger is not None
        ]
        if mark is None:
            return next(iter(triggers), None)
        return min(triggers, key=lambda trigger: abs(trigger - mark), default=None)

    def _held(self) -> list[Position]:
        return [*self._ledger.open_positions(), *self._ledger.dust()]
