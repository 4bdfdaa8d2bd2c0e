"""States of a (strategy, instrument) row and of the books it looks at."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

__all__ = ["BookTrust", "Gate", "PositionBand", "SymbolState"]


class SymbolState(StrEnum):
    """Watch → CloseWatch → InTrade → Watch."""

    WATCH = "Watch"
    CLOSE_WATCH = "CloseWatch"
    IN_TRADE = "InTrade"


class BookTrust(StrEnum):
    """Whether an order book is proven equal to the venue's."""

    NONE = "none"
    SYNCING = "syncing"
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"


class PositionBand(StrEnum):
    """How much of the position limit is used (bounds .70, .85, 1.0, hysteresis)."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    OVER_LIMIT = "over_limit"


class Gate(Struct, frozen=True):
    """One check a row's entry must pass, with the number that decided it."""

    name: str
    passed: bool
    detail: str
