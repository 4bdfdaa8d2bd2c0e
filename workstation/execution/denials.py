"""Denials: why an order was refused, as stable words and a text with the numbers."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Denial", "DenialCode", "Joining"]


class DenialCode(StrEnum):
    """Why an order was refused; the words are stable, scripts and logs rely on them."""

    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    KILLED = "KILLED"
    HOLD = "HOLD"
    TASK_PAUSED = "TASK_PAUSED"
    TASK_STOPPED = "TASK_STOPPED"
    ROW_LOCKED = "ROW_LOCKED"
    DATA_STALE = "DATA_STALE"
    BOOK_UNTRUSTED = "BOOK_UNTRUSTED"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    PRICE_THROUGH_MARKET = "PRICE_THROUGH_MARKET"
    PRICE_AWAY_FROM_MARKET = "PRICE_AWAY_FROM_MARKET"
    QUANTITY_OFF_LOT = "QUANTITY_OFF_LOT"
    QUANTITY_ZERO = "QUANTITY_ZERO"
    BELOW_MIN_NOTIONAL = "BELOW_MIN_NOTIONAL"
    MAX_ORDER_VALUE = "MAX_ORDER_VALUE"
    MAX_POSITION_VALUE = "MAX_POSITION_VALUE"
    MAX_SYMBOL_EXPOSURE = "MAX_SYMBOL_EXPOSURE"
    MAX_VENUE_EXPOSURE = "MAX_VENUE_EXPOSURE"
    MAX_TOTAL_EXPOSURE = "MAX_TOTAL_EXPOSURE"
    MAX_OPEN_ORDERS = "MAX_OPEN_ORDERS"
    RATE_LIMITED = "RATE_LIMITED"
    MAX_ORDER_RATE = "MAX_ORDER_RATE"
    MAX_MESSAGE_RATIO = "MAX_MESSAGE_RATIO"
    MAX_DAILY_LOSS = "MAX_DAILY_LOSS"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    REDUCE_ONLY_WOULD_INCREASE = "REDUCE_ONLY_WOULD_INCREASE"
    CLOSING = "CLOSING"
    ALREADY_IN_POSITION = "ALREADY_IN_POSITION"
    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    STOP_LOOSENED = "STOP_LOOSENED"
    NO_POSITION = "NO_POSITION"
    FATE_UNKNOWN = "FATE_UNKNOWN"
    NO_ENTRY = "NO_ENTRY"
    NO_EXPIRY = "NO_EXPIRY"
    EXPIRY_PASSED = "EXPIRY_PASSED"
    ORDER_CONTRADICTS = "ORDER_CONTRADICTS"
    PROTECTION_MET = "PROTECTION_MET"
    TRIGGER_MET = "TRIGGER_MET"
    NOT_AMENDABLE = "NOT_AMENDABLE"
    NOTHING_CHANGED = "NOTHING_CHANGED"
    NOT_CLOSED = "NOT_CLOSED"
    REVERSE_DROPPED = "REVERSE_DROPPED"
    RECONCILING = "RECONCILING"
    UNRECONCILED = "UNRECONCILED"
    SELF_TRADE = "SELF_TRADE"


class Joining(StrEnum):
    """What an entry is to a position that there is already."""

    NO = "no"
    ADD = "add"
    REVERSE = "reverse"
    QUOTE = "quote"
    """One of many resting orders: the row may hold and work others."""


class Denial(NamedTuple):
    """A refusal: the code, and a text with the numbers that decided."""

    code: DenialCode
    text: str
