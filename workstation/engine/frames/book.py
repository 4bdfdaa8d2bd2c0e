"""The book of a frame, with own orders in it, and its tape of trades."""

from __future__ import annotations

from msgspec import Struct

from workstation.model.market import Level
from workstation.model.states import BookTrust

__all__ = ["BookFrame", "OwnFill", "OwnLevel", "TapeFrame", "TradeRow"]


class OwnLevel(Struct, frozen=True, kw_only=True):
    """Own orders at one price: ``side`` +1 buys, ``held`` = not at the venue."""

    price: float
    side: int
    quantity: float
    held: bool


class BookFrame(Struct, frozen=True, kw_only=True):
    """The book of one symbol, best levels first, each of ``group`` ticks.

    ``distrust`` is why nothing may trade on it (stale, untrusted) and ``distrust_ns``
    for how long, as far as is known; ``remedy`` is what will mend it. Spread,
    imbalance (of the five best prices) and microprice are of the ungrouped book.
    ``mine`` are own orders, the dearest first.
    """

    instrument: str
    symbol: str
    decimals: int
    quantity_decimals: int
    trust: BookTrust
    reason: str
    distrust: str | None
    distrust_ns: int | None
    remedy: str
    tick: float
    group: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    spread: float | None
    spread_bps: float | None
    imbalance: float | None
    microprice: float | None
    applied: int
    gaps: int
    mine: tuple[OwnLevel, ...]


TradeRow = tuple[int, float, float, int]
"""(ts, price, size, aggressor: +1 bought, −1 sold, 0 not known)."""


class OwnFill(Struct, frozen=True, kw_only=True):
    """One of our fills; ``number`` counts all fills of the run, ``side`` +1 bought."""

    number: int
    ts: int
    price: float
    size: float
    side: int


class TapeFrame(Struct, frozen=True, kw_only=True):
    """The last trades of one symbol, oldest first; ``total`` ever counts them all.

    ``mean_size`` and ``buy_share`` (of the volume whose side is known) are of the whole
    window that is kept. ``bars_only``: the feed brings bars and no trades.
    """

    instrument: str
    symbol: str
    decimals: int
    quantity_decimals: int
    total: int
    trades: tuple[TradeRow, ...]
    fills: tuple[OwnFill, ...]
    mean_size: float | None
    buy_share: float | None
    is_kept: bool
    bars_only: bool
