"""Why a row does not enter: the ordered gates now, and what stopped it so far.

One computation for the symbols' WHY NOT and the panel of gates; called by the makers of
frames between two inputs. It only reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from workstation.engine.frames import BlockRow, BlockTable
from workstation.execution.executor import Executor
from workstation.execution.gates import gate_of
from workstation.execution.risk import DenialCode
from workstation.market.aggregator import Aggregator
from workstation.model.states import Gate, SymbolState
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.sizing import Size, entry_quantity, refusal
from workstation.strategy.tally import ENTERED, Stop

__all__ = ["RowGates"]

_GATE_OF = {
    Stop.STOPPED: "task",
    Stop.PAUSED: "task",
    Stop.LOCKED: "lock",
    Stop.IN_TRADE: "state",
    Stop.NO_SIGNAL: "script",
    Stop.NOT_COMMITTED: "script",
    Stop.GIVEN_UP: "script",
    Stop.SCRIPT_ERROR: "script",
    Stop.TOO_LATE: "script",
}
_CODES = frozenset(DenialCode)
ZERO = Decimal(0)


class RowGates:
    """The gates of every row, and the counts of what stopped it."""

    def __init__(
        self,
        aggregator: Aggregator,
        strategies: Sequence[ScriptedStrategy],
        executor: Executor,
    ) -> None:
        self._aggregator = aggregator
        self._strategies = strategies
        self._executor = executor

    def of(self, strategy: ScriptedStrategy, row: Row) -> tuple[Gate, ...]:
        """Return the checks an entry of this row must pass, in their order.

        feed, book, engine, task, lock, state, script, size, risk, throttle, broker.
        """
        return tuple(self._ordered(strategy, row))

    def first_closed(self, strategy: ScriptedStrategy, row: Row) -> Gate | None:
        """Return the first that an entry would not pass; those behind cost nothing."""
        for gate in self._ordered(strategy, row):
            if not gate.passed:
                return gate
        return None

    def _ordered(self, strategy: ScriptedStrategy, row: Row) -> Iterator[Gate]:
        owner, instrument = strategy.name, row.instrument.id
        yield from self._executor.outer_gates(owner, instrument)
        yield _state(row)
        yield _script(row)
        size, sized = self._size(strategy, row)
        yield sized
        yield from self._executor.inner_gates(owner, instrument, size or None)

    def blocks(self, row: Row | None) -> BlockTable:
        """Return what became of the evaluations of a row, and of all rows."""
        total: dict[str, int] = {}
        for strategy in self._strategies:
            for each in strategy.rows.values():
                for cause, count in each.tally.counts.items():
                    total[cause] = total.get(cause, 0) + count
        own = {} if row is None else row.tally.counts
        return BlockTable(row=_ranked(own), all=_ranked(total))

    def _size(self, strategy: ScriptedStrategy, row: Row) -> tuple[Decimal, Gate]:
        """Return what an entry would be now (0 = not known), and its gate."""
        settings, instrument = strategy.settings, row.instrument
        mark = self._aggregator.instrument(instrument.id).mark
        if mark is None:
            return ZERO, Gate("size", False, "no price to size an entry at")
        if settings.size_mode == "risk":
            # How much depends on the stop, which only an entry names.
            return ZERO, Gate("size", True, "decided by the stop of the entry")
        size = Size(settings.size_mode, settings.size)
        equity = self._executor.account().equity
        quantity = entry_quantity(size, instrument, mark, equity)
        refused = refusal(size, instrument, quantity, mark)
        if refused is not None:
            return ZERO, Gate("size", False, refused.text)
        return quantity, Gate("size", True, f"{quantity}, lot {instrument.lot_size}")


def _state(row: Row) -> Gate:
    if row.state is SymbolState.IN_TRADE:
        return Gate("state", False, "in trade")
    if row.committing:
        return Gate("state", False, "an entry is on its way")
    return Gate("state", True, row.state.value)


def _script(row: Row) -> Gate:
    willing = row.willing and row.state is SymbolState.CLOSE_WATCH
    return Gate("script", willing, row.answer)


def _ranked(counts: Mapping[str, int]) -> tuple[BlockRow, ...]:
    rows = [_block(cause, count) for cause, count in counts.items() if count > 0]
    return tuple(sorted(rows, key=_rank))


def _rank(row: BlockRow) -> tuple[int, str]:
    return -row.count, row.cause


def _block(cause: str, count: int) -> BlockRow:
    if cause == ENTERED:
        return BlockRow(gate="", cause=cause, count=count)
    if cause in _CODES:
        words = cause.replace("_", " ").lower()
        return BlockRow(gate=gate_of(cause), cause=words, count=count)
    return BlockRow(gate=_GATE_OF[Stop(cause)], cause=cause, count=count)
