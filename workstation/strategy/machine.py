"""The symbol machine: Watch → CloseWatch → InTrade → Watch, as one table.

Owned by a row; ``step`` is the only way to move. The table says what is legal, the
row says when.
"""

from __future__ import annotations

from enum import StrEnum

from workstation.model.errors import IllegalTransition
from workstation.model.states import SymbolState

__all__ = ["TABLE", "Trigger", "step"]

WATCH, CLOSE_WATCH, IN_TRADE = SymbolState


class Trigger(StrEnum):
    """What can move a row."""

    OPPORTUNITY = "opportunity"
    COMMIT = "commit"
    CANCEL = "cancel"
    EXPIRE = "expire"
    ENTRY_ENDED = "entry_ended"
    FILL = "fill"
    FLAT = "flat"
    OVERRIDE_WATCH = "override_watch"
    OVERRIDE_CLOSE_WATCH = "override_close_watch"
    OVERRIDE_IN_TRADE = "override_in_trade"


TABLE: dict[tuple[SymbolState, Trigger], SymbolState] = {
    (WATCH, Trigger.OPPORTUNITY): CLOSE_WATCH,
    # A late fill of an entry that was given up is still a position.
    (WATCH, Trigger.FILL): IN_TRADE,
    (WATCH, Trigger.OVERRIDE_CLOSE_WATCH): CLOSE_WATCH,
    (WATCH, Trigger.OVERRIDE_IN_TRADE): IN_TRADE,
    (CLOSE_WATCH, Trigger.COMMIT): IN_TRADE,
    (CLOSE_WATCH, Trigger.CANCEL): WATCH,
    (CLOSE_WATCH, Trigger.EXPIRE): WATCH,
    (CLOSE_WATCH, Trigger.FILL): IN_TRADE,
    (CLOSE_WATCH, Trigger.OVERRIDE_WATCH): WATCH,
    (CLOSE_WATCH, Trigger.OVERRIDE_IN_TRADE): IN_TRADE,
    (IN_TRADE, Trigger.FILL): IN_TRADE,
    # The entry was denied, rejected, canceled or expired without a fill.
    (IN_TRADE, Trigger.ENTRY_ENDED): WATCH,
    (IN_TRADE, Trigger.FLAT): WATCH,
    (IN_TRADE, Trigger.OVERRIDE_WATCH): WATCH,
}


def step(row: str, state: SymbolState, trigger: Trigger) -> SymbolState:
    """Return the next state; raises IllegalTransition with what is legal here."""
    following = TABLE.get((state, trigger))
    if following is None:
        allowed = ", ".join(t.value for s, t in TABLE if s is state)
        raise IllegalTransition(row, state.value, trigger.value, allowed)
    return following
