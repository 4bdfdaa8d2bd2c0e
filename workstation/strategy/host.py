"""What runs a script, whatever its language: the one way of a row to its answers.

``Questions`` asks it and knows no language. A host that answers at once returns or
raises; one whose script runs elsewhere returns ``PENDING`` and brings the answer in an
input of its own, through ``ScriptedStrategy.take_answer``.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal, Protocol

from workstation.strategy.question import Function
from workstation.strategy.row import Row

__all__ = ["PENDING", "Pending", "ScriptHost"]


class _Later(Enum):
    PENDING = "pending"


PENDING: Final = _Later.PENDING
Pending = Literal[_Later.PENDING]
"""The answer comes later; the row is not asked again before that."""


class ScriptHost(Protocol):
    """Calls the functions of one script."""

    def ask(self, row: Row, function: Function) -> object:
        """Return what the function answers on ``row.market`` and ``row.context``.

        Plain values, not judged yet, or ``PENDING``. Raises ScriptError with the
        script's line, ScriptTimeout where it ran too long.
        """

    @property
    def memory(self) -> int | None:
        """Return the bytes that the script's own process holds; None without one."""
