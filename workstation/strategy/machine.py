"""The symbol machine: Watch → CloseWatch → InTrade → Watch, as one table with guards.

Owned by a row; ``step`` is the only way to move. The table says what is legal and what
must hold for it, the row says when. A trigger that leaves the state as it is, is a
transition too: it is on record like the others.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from workstation.model.errors import IllegalTransition
from workstation.model.states import SymbolState

__all__ = ["TABLE", "Facts", "Guard", "Trigger", "Way", "step"]

WATCH, CLOSE_WATCH, IN_TRADE = SymbolState


class Trigger(StrEnum):
    """What can move a row, or happen to it on the way."""

    OPPORTUNITY = "opportunity"
    ENTER_LONG = "enter_long"
    ENTER_SHORT = "enter_short"
    CANCEL = "cancel"
    DENIED = "denied"
    EXPIRE = "expire"
    UNTRUSTED = "untrusted"
    FIRST_FILL = "first_fill"
    PARTLY_FILLED = "partly_filled"
    ENTRY_REJECTED = "entry_rejected"
    ENTRY_EXPIRED = "entry_expired"
    ENTRY_CANCELED = "entry_canceled"
    EXIT = "exit"
    STOP = "stop"
    TARGET = "target"
    TRAILING = "trailing"
    FLAT = "flat"
    KILL = "kill"
    OVERRIDE_WATCH = "override_watch"
    OVERRIDE_CLOSE_WATCH = "override_close_watch"
    OVERRIDE_IN_TRADE = "override_in_trade"


class Facts(Struct, frozen=True, gc=False):
    """What the ledger and the orders say of a row, and what its settings want."""

    held: bool
    """The ledger holds a position of the row."""
    entering: bool
    """An order that opens or adds to it is not final."""
    keeps: bool = False
    """CloseWatch stays when the market data breaks."""


class Guard(StrEnum):
    """What must hold for a way to be taken."""

    HELD = "a position is held"
    ENTERING = "an entry works"
    IN = "a position is held or an entry works"
    OUT = "nothing is held and no entry works"
    KEEPS = "the settings keep CloseWatch on broken data"

    def holds(self, facts: Facts) -> bool:
        """Tell whether it does."""
        return _HOLDS[self](facts)


_HOLDS: dict[Guard, Callable[[Facts], bool]] = {
    Guard.HELD: lambda facts: facts.held,
    Guard.ENTERING: lambda facts: facts.entering,
    Guard.IN: lambda facts: facts.held or facts.entering,
    Guard.OUT: lambda facts: not (facts.held or facts.entering),
    Guard.KEEPS: lambda facts: facts.keeps,
}


class Way(NamedTuple):
    """Where a trigger leads when its guard holds."""

    guard: Guard
    after: SymbolState


T = Trigger
_STAYS_IN = (Way(Guard.IN, IN_TRADE),)
# What ends an entry: out of InTrade, unless something was filled or another works.
_ENTRY_ENDS = (Way(Guard.OUT, WATCH), Way(Guard.IN, IN_TRADE))

TABLE: dict[tuple[SymbolState, Trigger], tuple[Way, ...]] = {
    (WATCH, T.OPPORTUNITY): (Way(Guard.OUT, CLOSE_WATCH),),
    # A signal that the operator injects needs no opportunity.
    (WATCH, T.ENTER_LONG): (Way(Guard.ENTERING, IN_TRADE),),
    (WATCH, T.ENTER_SHORT): (Way(Guard.ENTERING, IN_TRADE),),
    # A late fill of an entry that was given up is still a position.
    (WATCH, T.FIRST_FILL): (Way(Guard.HELD, IN_TRADE),),
    (WATCH, T.OVERRIDE_CLOSE_WATCH): (Way(Guard.OUT, CLOSE_WATCH),),
    (WATCH, T.OVERRIDE_IN_TRADE): (Way(Guard.HELD, IN_TRADE),),
    # The commitment moves the row once its order is on the way, not before.
    (CLOSE_WATCH, T.ENTER_LONG): (Way(Guard.ENTERING, IN_TRADE),),
    (CLOSE_WATCH, T.ENTER_SHORT): (Way(Guard.ENTERING, IN_TRADE),),
    (CLOSE_WATCH, T.CANCEL): (Way(Guard.OUT, WATCH),),
    (CLOSE_WATCH, T.DENIED): (Way(Guard.OUT, WATCH),),
    (CLOSE_WATCH, T.EXPIRE): (Way(Guard.OUT, WATCH),),
    (CLOSE_WATCH, T.UNTRUSTED): (
        Way(Guard.KEEPS, CLOSE_WATCH),
        Way(Guard.OUT, WATCH),
    ),
    (CLOSE_WATCH, T.KILL): (Way(Guard.OUT, WATCH),),
    (CLOSE_WATCH, T.FIRST_FILL): (Way(Guard.HELD, IN_TRADE),),
    (CLOSE_WATCH, T.OVERRIDE_WATCH): (Way(Guard.OUT, WATCH),),
    (CLOSE_WATCH, T.OVERRIDE_IN_TRADE): (Way(Guard.HELD, IN_TRADE),),
    # An entry while in trade adds to the position or reverses it.
    (IN_TRADE, T.ENTER_LONG): _STAYS_IN,
    (IN_TRADE, T.ENTER_SHORT): _STAYS_IN,
    (IN_TRADE, T.DENIED): _STAYS_IN,
    (IN_TRADE, T.FIRST_FILL): (Way(Guard.HELD, IN_TRADE),),
    (IN_TRADE, T.PARTLY_FILLED): _STAYS_IN,
    (IN_TRADE, T.ENTRY_REJECTED): _ENTRY_ENDS,
    (IN_TRADE, T.ENTRY_EXPIRED): _ENTRY_ENDS,
    (IN_TRADE, T.ENTRY_CANCELED): _ENTRY_ENDS,
    (IN_TRADE, T.EXIT): _STAYS_IN,
    (IN_TRADE, T.STOP): _STAYS_IN,
    (IN_TRADE, T.TARGET): _STAYS_IN,
    (IN_TRADE, T.TRAILING): _STAYS_IN,
    (IN_TRADE, T.FLAT): (Way(Guard.OUT, WATCH), Way(Guard.ENTERING, IN_TRADE)),
    (IN_TRADE, T.KILL): _STAYS_IN,
    # The operator's word counts at once, but the row leaves by its fills.
    (IN_TRADE, T.OVERRIDE_WATCH): (Way(Guard.OUT, WATCH), Way(Guard.IN, IN_TRADE)),
}
"""(state, trigger) → ways, of which the first whose guard holds is taken."""


# With each guard's question at hand: a row is moved several times for every trade.
_WAYS = {
    move: tuple((_HOLDS[guard], after) for guard, after in ways)
    for move, ways in TABLE.items()
}


def step(
    row: tuple[str, str], state: SymbolState, trigger: Trigger, facts: Facts
) -> SymbolState:
    """Return the next state of a row (strategy, instrument).

    Raises IllegalTransition with what is legal here.
    """
    for holds, after in _WAYS.get((state, trigger), ()):
        if holds(facts):
            return after
    name = " ".join(row)
    ways = TABLE.get((state, trigger), ())
    if ways:
        needed = " or ".join(guard.value for guard, _ in ways)
        raise IllegalTransition(name, state.value, trigger.value, f"only if {needed}")
    allowed = ", ".join(t.value for s, t in TABLE if s is state)
    raise IllegalTransition(name, state.value, trigger.value, allowed)
