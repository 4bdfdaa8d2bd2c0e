"""The ledger of a frame: fills, round trips, the equity curve, and sums of bookings."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.execution.curve import CurvePoint, Drawdown
from workstation.execution.statements import Grouping, Statement
from workstation.model.orders import Fill
from workstation.model.trades import ClosedTrade

__all__ = [
    "EquityFrame",
    "FillRow",
    "FillTable",
    "SumRow",
    "SumTable",
    "TradeTable",
    "TripRow",
]


class FillRow(Struct, frozen=True):
    """One execution; ``number`` counts those of the run."""

    number: int
    fill: Fill
    decimals: int
    quantity_decimals: int


class FillTable(Struct, frozen=True):
    """The newest fills, the newest first; ``total`` is how many there were."""

    total: int
    rows: tuple[FillRow, ...]


class TripRow(Struct, frozen=True):
    """One round trip."""

    trade: ClosedTrade
    decimals: int
    quantity_decimals: int


class TradeTable(Struct, frozen=True):
    """The newest round trips, the newest first; ``total`` is how many there were."""

    total: int
    rows: tuple[TripRow, ...]


class EquityFrame(Struct, frozen=True, kw_only=True):
    """The equity curve of the run, in ``currency``; ``equity`` is that of now.

    ``now`` is how far it is below its last peak, ``deepest`` the worst fall so far.
    ``moves`` are when money came in or went out by no fill, and how much: no profit,
    so peaks move with it. ``initial`` has all of it in.
    """

    currency: str
    initial: Decimal
    equity: Decimal
    ts: int
    points: tuple[CurvePoint, ...]
    now: Drawdown
    deepest: Drawdown
    moves: tuple[tuple[int, Decimal], ...] = ()


class SumRow(Struct, frozen=True, kw_only=True):
    """What was booked under one strategy, symbol or day.

    ``unrealized`` is that of what is held there, ``change`` what became of the equity
    in a day; each is None where the other has its place.
    """

    name: str
    sums: Statement
    unrealized: Decimal | None = None
    change: Decimal | None = None


class SumTable(Struct, frozen=True, kw_only=True):
    """The same bookings, summed in each way; ``total`` is the same under all."""

    currency: str
    rows: dict[Grouping, tuple[SumRow, ...]]
    total: SumRow
