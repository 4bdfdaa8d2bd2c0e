"""A question to a script: which of its functions, and what the row was when asked.

Kept on the row until the answer is in, be it in the same input or in a later one.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.model.states import SymbolState

__all__ = ["Function", "Question"]


class Function(StrEnum):
    """What a script defines: one function per state, of the same name everywhere."""

    DETECT = "detect_opportunity"
    FILTER = "filter_commitment"
    MANAGE = "manage_position"


class Question(Struct, frozen=True, kw_only=True):
    """One call of a script.

    ``moves`` counts the transitions of the row by then: the state may have been left
    and entered again meanwhile. ``position`` is the signed quantity. ``at_bar`` tells
    the close of a bar from a tick between two.
    """

    function: Function
    state: SymbolState
    moves: int
    position: Decimal
    at_bar: bool
