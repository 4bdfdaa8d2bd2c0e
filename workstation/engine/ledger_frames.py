"""Makes what frames show of the ledger: fills, round trips, equity, sums.

Called by ``FrameSource`` between two inputs; it only reads. What has not changed is
handed out again, so a standing ledger costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

from workstation.engine.engine import Engine
from workstation.engine.frames import (
    EquityFrame,
    FillRow,
    FillTable,
    SumRow,
    SumTable,
    TradeTable,
    TripRow,
)
from workstation.execution.executor import Executor
from workstation.execution.statements import Grouping, Statement
from workstation.model.instruments import Instrument
from workstation.model.money import minus, plus
from workstation.model.positions import Position
from workstation.model.records import BalanceRecord, Record
from workstation.model.timeframes import NS_PER_S

__all__ = ["LedgerFrames"]

_SHOWN = 500
"""Rows of a table: nobody pages further on a screen; exports have all."""


class LedgerFrames:
    """The ledger of one session."""

    def __init__(
        self,
        engine: Engine,
        executor: Executor,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._engine = engine
        self._ledger = executor.ledger
        self._instruments = instruments
        self._fills = FillTable(0, ())
        self._trades = TradeTable(0, ())
        self._equity: EquityFrame | None = None
        self._equity_of: tuple[int, int, Decimal] = (-1, -1, Decimal(0))
        self._moves: list[tuple[int, Decimal]] = []
        engine.core.hear((BalanceRecord,), self._note_move)

    def _note_move(self, record: Record, encoded: bytes) -> None:
        """Keep when money came or went (a sink of the core).

        Only that of the account's currency moves the peaks of the curve.
        """
        assert isinstance(record, BalanceRecord)
        amount = minus(record.after, record.before)
        if amount and record.currency == self._ledger.currency:
            self._moves.append((record.ts, amount))

    def fills(self) -> FillTable:
        """Return the newest fills."""
        store = self._engine.store
        if self._fills.total != store.filled:
            rows: list[FillRow] = []
            for back, fill in enumerate(islice(reversed(store.fills), _SHOWN)):
                instrument = self._instruments[fill.instrument]
                rows.append(
                    FillRow(
                        store.filled - back,
                        fill,
                        instrument.price_decimals,
                        instrument.quantity_decimals,
                    )
                )
            self._fills = FillTable(store.filled, tuple(rows))
        return self._fills

    def trades(self) -> TradeTable:
        """Return the newest round trips."""
        ledger = self._ledger
        if self._trades.total != ledger.closed:
            rows: list[TripRow] = []
            for trade in islice(reversed(ledger.trades), _SHOWN):
                instrument = self._instruments[trade.instrument]
                rows.append(
                    TripRow(
                        trade, instrument.price_decimals, instrument.quantity_decimals
                    )
                )
            self._trades = TradeTable(ledger.closed, tuple(rows))
        return self._trades

    def equity(self) -> EquityFrame:
        """Return the curve, which ends with the equity of now."""
        curve, ts = self._ledger.curve, self._engine.core.ts
        equity = self._ledger.value().equity
        # A flat account has no samples; its line goes on by the second.
        state = (curve.samples, ts // NS_PER_S, equity)
        if self._equity is None or state != self._equity_of:
            self._equity_of = state
            # The marks of now may lie below every sample.
            now = curve.standing(ts, equity)
            self._equity = EquityFrame(
                currency=self._ledger.currency,
                initial=self._ledger.initial,
                equity=equity,
                ts=ts,
                points=tuple(curve.points),
                now=now,
                deepest=max(curve.deepest, now, key=lambda fall: fall.depth),
                moves=tuple(self._moves),
            )
        return self._equity

    def sums(self) -> SumTable:
        """Return the sums by strategy, symbol and day."""
        ledger = self._ledger
        statements = ledger.statements
        held = [*ledger.open_positions(), *ledger.dust()]
        rows: dict[Grouping, tuple[SumRow, ...]] = {}
        of: dict[Grouping, Callable[[Position], str]] = {
            Grouping.STRATEGY: lambda position: position.owner,
            Grouping.SYMBOL: lambda position: position.instrument,
        }
        for grouping, key in of.items():
            lines = {line.key: line for line in statements.by(grouping)}
            open_ = {name: Decimal(0) for name in lines}
            for position in held:
                name, pnl = key(position), ledger.open_pnl(position)
                if pnl is not None:
                    open_[name] = plus(open_.get(name, Decimal(0)), pnl)
            rows[grouping] = tuple(
                SumRow(
                    name=name,
                    # An owner who was only handed a position has booked nothing.
                    sums=lines.get(name) or Statement(key=name),
                    unrealized=pnl,
                )
                for name, pnl in open_.items()
            )
        value = ledger.value()
        days = statements.daily(value.equity)
        rows[Grouping.DAY] = tuple(
            SumRow(
                name=_date(day.day_ns),
                sums=day.sums,
                change=minus(day.end, day.start),
            )
            for day in reversed(days)
        )
        total = SumRow(
            name="total", sums=statements.total(), unrealized=value.unrealized
        )
        return SumTable(currency=ledger.currency, rows=rows, total=total)


def _date(day_ns: int) -> str:
    """Write the start of a day; its time of day only where that is not midnight."""
    moment = datetime.fromtimestamp(day_ns // NS_PER_S, UTC)
    midnight = moment.hour == moment.minute == 0
    return moment.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M")
