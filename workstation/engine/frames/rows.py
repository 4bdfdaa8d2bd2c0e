"""Rows of a frame's tables: symbols, orders, positions; a version per row."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.model.orders import Order
from workstation.model.positions import Position
from workstation.model.states import SymbolState

__all__ = ["OrderRow", "PositionRow", "SymbolRow"]


class SymbolRow(Struct, frozen=True, kw_only=True):
    """One (instrument, strategy) row; ``why_not`` is the first gate that fails.

    ``since_ns`` is for how long it has been in its state, ``waiting`` the signed
    quantity of an entry that follows once the position is closed. Open P&L and the
    stop's distance are taken from ``mark``, the middle of the quote (else the last
    price). ``has_stop`` says whether a stop works for what is held.
    """

    key: str
    instrument: str
    symbol: str
    strategy: str
    decimals: int
    state: SymbolState | None
    manual: bool
    manual_until_ns: int | None
    since_ns: int | None
    last: float | None
    mark: float | None = None
    change_percent: float | None
    spread_bps: float | None
    age_ns: int | None
    distrust: str | None
    position: Decimal
    waiting: Decimal = Decimal(0)
    quantity_decimals: int
    open_pnl: Decimal | None
    stop_percent: float | None
    has_stop: bool = True
    why_not: str
    version: int


class OrderRow(Struct, frozen=True, kw_only=True):
    """An order with how far it is from the market, in percent.

    ``queue`` is the size ahead of it at its price and the size shown there, as the
    paper venue's model has it; None where no place is known. What a ``flattened`` one
    fills is closed as it comes. ``bracket`` is the stop and the target that will be
    held for what an entry fills.
    """

    order: Order
    symbol: str
    decimals: int
    quantity_decimals: int
    price: Decimal | None
    away_percent: float | None
    age_ns: int
    held: bool
    queue: tuple[Decimal, Decimal] | None = None
    flattened: bool = False
    bracket: tuple[Decimal | None, Decimal | None] = (None, None)
    version: int


class PositionRow(Struct, frozen=True, kw_only=True):
    """A position valued at ``mark``: ``value`` is signed, as the quantity is.

    ``net`` is what the account holds there: the sum of all owners. The decimals of the
    quantity are the lot's, or what it has more. ``closable`` is what of it a flatten
    can close. ``has_stop`` says whether a stop works for it, at whatever distance.
    """

    position: Position
    symbol: str
    decimals: int
    quantity_decimals: int
    last: float | None
    mark: float | None = None
    value: Decimal | None = None
    net: Decimal | None = None
    closable: Decimal
    open_pnl: Decimal | None
    stop_percent: float | None
    has_stop: bool = True
    age_ns: int | None
    version: int
