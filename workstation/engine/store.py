"""The state store: the records of a run as pictures that any thread may keep.

The engine's sink of records. It keeps the last of everything by key and a bounded
history of records; ``snapshot()`` copies them into one immutable picture at one seq.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from workstation.model.orders import Fill, Order, OrderHistory, OrderMove
from workstation.model.positions import Position
from workstation.model.records import (
    BookRecord,
    FillRecord,
    LockRecord,
    OrderRecord,
    PositionRecord,
    Record,
    StateRecord,
    TaskRecord,
)
from workstation.model.states import BookTrust, SymbolState

__all__ = ["Numbered", "Snapshot", "StateStore"]

RowKey = tuple[str, str]


class Numbered(Struct, frozen=True):
    """A record with its place in the run (1 = the first)."""

    number: int
    record: Record


class Snapshot(Struct, frozen=True):
    """One consistent picture at one ``seq``; keys of rows are (owner, instrument)."""

    seq: int
    ts: int
    records: int
    orders: Mapping[str, Order]
    positions: Mapping[RowKey, Position]
    states: Mapping[RowKey, SymbolState]
    locks: Mapping[RowKey, bool]
    tasks: Mapping[str, str]
    books: Mapping[str, BookTrust]
    fills: tuple[Fill, ...]


class StateStore:
    """Applies records; keeps ``keep`` of them and as many final orders.

    ``touched`` is the seq at which orders, position or state of an instrument last
    changed, ``filled`` the count of all fills.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self.history: deque[Record] = deque(maxlen=keep)
        self.number = 0
        self._last: Record | None = None
        self._orders: dict[str, Order] = {}
        self._final: deque[str] = deque()
        self._positions: dict[RowKey, Position] = {}
        self._states: dict[RowKey, SymbolState] = {}
        self._locks: dict[RowKey, bool] = {}
        self._tasks: dict[str, str] = {}
        self._books: dict[str, BookTrust] = {}
        self.fills: deque[Fill] = deque(maxlen=keep)
        self.filled = 0
        self.touched: dict[str, int] = {}
        self._apply: dict[type, Callable[[Any], None]] = {
            OrderRecord: self._order,
            PositionRecord: self._position,
            FillRecord: self._fill,
            StateRecord: self._state,
            LockRecord: self._lock,
            TaskRecord: lambda record: _put(self._tasks, record.task, record.after),
            BookRecord: lambda r: _put(self._books, r.instrument, r.after),
        }

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Apply one record (a sink of the core)."""
        self.number += 1
        self.history.append(record)
        self._last = record
        # A dict by type: a chain of isinstance costs ten times as much per bar.
        apply = self._apply.get(type(record))
        if apply is not None:
            apply(record)

    def snapshot(self) -> Snapshot:
        """Return the picture after the last record; later changes do not touch it."""
        last = self._last
        return Snapshot(
            seq=last.seq if last else 0,
            ts=last.ts if last else 0,
            records=self.number,
            orders=MappingProxyType(dict(self._orders)),
            positions=MappingProxyType(dict(self._positions)),
            states=MappingProxyType(dict(self._states)),
            locks=MappingProxyType(dict(self._locks)),
            tasks=MappingProxyType(dict(self._tasks)),
            books=MappingProxyType(dict(self._books)),
            fills=tuple(self.fills),
        )

    def order_history(self, order_id: str) -> OrderHistory | None:
        """Return an order with its moves, as far as the kept records go back."""
        moves: list[OrderMove] = []
        order: Order | None = None
        for record in self.history:
            if isinstance(record, OrderRecord) and record.order.id == order_id:
                before, order = order, record.order
                moves.append(_move(record, before))
        return None if order is None else OrderHistory(order, tuple(moves))

    def since(self, number: int) -> list[Numbered]:
        """Return the kept records after ``number``, oldest first."""
        missing = min(self.number - number, len(self.history))
        if missing <= 0:
            return []
        return [
            Numbered(self.number + 1 + index, self.history[index])
            for index in range(-missing, 0)
        ]

    def _fill(self, record: FillRecord) -> None:
        self.fills.append(record.fill)
        self.filled += 1

    def _position(self, record: PositionRecord) -> None:
        after = record.after
        self._positions[after.owner, after.instrument] = after
        self.touched[after.instrument] = record.seq

    def _state(self, record: StateRecord) -> None:
        self.touched[record.instrument] = record.seq
        self._states[record.strategy, record.instrument] = record.after

    def _lock(self, record: LockRecord) -> None:
        self._locks[record.strategy, record.instrument] = record.after

    def _order(self, record: OrderRecord) -> None:
        order = record.order
        self.touched[order.instrument] = record.seq
        known = self._orders.get(order.id)
        self._orders[order.id] = order
        if order.is_terminal and (known is None or not known.is_terminal):
            self._final.append(order.id)
            if len(self._final) > self._keep:
                self._orders.pop(self._final.popleft(), None)


def _put(table: dict[str, Any], key: str, value: object) -> None:
    table[key] = value


def _move(record: OrderRecord, before: Order | None) -> OrderMove:
    """Return a record as a line of history; ``before`` is the order it changed."""
    order = record.order
    size = at = None
    if before is not None and order.filled != before.filled:
        size = order.filled - before.filled
        at = order.average_price
        if before.average_price is not None and at is not None:
            at = (at * order.filled - before.average_price * before.filled) / size
    elif before is not None:
        size = None if order.quantity == before.quantity else order.quantity
        at = None if order.price == before.price else order.price
    return OrderMove(
        record.ts, record.before, record.event, order.status, record.reason, size, at
    )
