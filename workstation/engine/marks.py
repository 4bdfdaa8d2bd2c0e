"""What a chart marks of trading: fills, positions while held, stops as they moved.

A sink of the core that keeps the last of each by row. Read by ``charting``; it changes
nothing and no decision reads it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal

from workstation.engine.frames import Move
from workstation.model.orders import Fill, OrderRole
from workstation.model.records import FillRecord, OrderRecord, PositionRecord, Record

__all__ = ["Marks"]

_FILLS = 500
_MOVES = 2_000
# A chart of 240 bars rarely has room for more; a stop that trails every bar moves once
# in each.


class Marks:
    """The fills of each instrument; entry price and stop of each row through time.

    ``kinds`` are the types of records that it wants.
    """

    kinds = (OrderRecord, FillRecord, PositionRecord)

    def __init__(self) -> None:
        self._fills: dict[str, deque[Fill]] = {}
        self._held: dict[tuple[str, str], deque[Move]] = {}
        self._stops: dict[tuple[str, str], deque[Move]] = {}
        self.changes: dict[str, int] = {}
        """How often anything of an instrument has changed."""

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Take one record (a sink of the core)."""
        kind = type(record)
        if kind is OrderRecord:
            assert isinstance(record, OrderRecord)
            order = record.order
            if order.role is OrderRole.STOP:
                price = None if order.is_terminal else order.trigger
                self._move(self._stops, order.owner, order.instrument, record.ts, price)
            self._changed(order.instrument)
        elif kind is FillRecord:
            assert isinstance(record, FillRecord)
            fill = record.fill
            fills = self._fills.get(fill.instrument)
            if fills is None:
                fills = self._fills[fill.instrument] = deque(maxlen=_FILLS)
            fills.append(fill)
            self._changed(fill.instrument)
        elif kind is PositionRecord:
            assert isinstance(record, PositionRecord)
            after = record.after
            price = None if after.is_flat else after.average_price
            self._move(self._held, after.owner, after.instrument, record.ts, price)
            self._changed(after.instrument)

    def _changed(self, instrument: str) -> None:
        self.changes[instrument] = self.changes.get(instrument, 0) + 1

    @staticmethod
    def _move(
        table: dict[tuple[str, str], deque[Move]],
        owner: str,
        instrument: str,
        ts: int,
        price: Decimal | None,
    ) -> None:
        moves = table.get((owner, instrument))
        if moves is None:
            moves = table[owner, instrument] = deque(maxlen=_MOVES)
        now = None if price is None else float(price)
        if not moves or moves[-1].price != now:
            moves.append(Move(ts, now))

    def fills(self, instrument: str, since: int) -> list[Fill]:
        """Return the fills of an instrument from ``since`` on, oldest first."""
        kept = self._fills.get(instrument, ())
        return [fill for fill in kept if fill.ts >= since]

    def held(self, owner: str, instrument: str, since: int) -> tuple[Move, ...]:
        """Return a row's average entry price, None while flat, from ``since`` on."""
        return _from(self._held.get((owner, instrument), ()), since)

    def stops(self, owner: str, instrument: str, since: int) -> tuple[Move, ...]:
        """Return a row's stop, None while there is none, from ``since`` on."""
        return _from(self._stops.get((owner, instrument), ()), since)


def _from(moves: Sequence[Move], since: int) -> tuple[Move, ...]:
    """Return the moves in force at ``since`` or later."""
    first = 0
    for place, move in enumerate(moves):
        if move.ts <= since:
            first = place
    return tuple(list(moves)[first:])
