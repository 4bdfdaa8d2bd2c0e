"""Signals: what a strategy's row wants the Executor to do, sized and priced."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.model.orders import OrderType, TimeInForce

__all__ = ["Signal", "SignalAction"]


class SignalAction(StrEnum):
    """What is wanted."""

    ENTER_LONG = "enter_long"
    ENTER_SHORT = "enter_short"
    EXIT = "exit"
    PROTECT = "protect"
    CANCEL_ENTRY = "cancel_entry"


class Signal(Struct, frozen=True, gc=False, kw_only=True, tag="signal"):
    """One intent of one (strategy, instrument) row.

    ``stop`` and ``target`` are prices of the protection that is held once filled;
    PROTECT changes them (None = leave), and takes a stop that is looser only with
    ``loosen``. ``quantity`` None on EXIT means all. An entry is for a flat row, unless
    it is to ``add`` to the position or to ``reverse`` it: then that is closed first.
    ``good_for_ns`` is how long a GTD order works, ``trigger`` what wakes up an order
    of the types stop and stop-limit.
    """

    strategy: str
    instrument: str
    action: SignalAction
    quantity: Decimal | None = None
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    trigger: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    good_for_ns: int | None = None
    post_only: bool = False
    stop: Decimal | None = None
    target: Decimal | None = None
    trailing_bps: float | None = None
    loosen: bool = False
    add: bool = False
    reverse: bool = False
    reason: str = ""
