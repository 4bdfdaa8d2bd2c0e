"""What runs a script, whatever its language: the one way of a row to its answers.

``Questions`` asks it and knows no language. A host that answers at once returns or
raises; one whose script runs elsewhere returns ``PENDING`` and brings the answer in an
input of its own, through ``ScriptedStrategy.take_answer``.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final, Literal, Protocol, runtime_checkable

from workstation.strategy.question import Function
from workstation.strategy.replies import ScriptReply
from workstation.strategy.row import Row

__all__ = ["PENDING", "DistantHost", "Pending", "ScriptHost"]


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


@runtime_checkable
class DistantHost(ScriptHost, Protocol):
    """Calls a script that runs elsewhere; replies come as inputs."""

    def attach(self, post: Callable[[str, object], None]) -> None:
        """Receive the way to its script: a strategy's name and a question."""

    def take(self, row: Row, reply: ScriptReply) -> object:
        """Return what the reply answers: plain values, a ScriptError, or ``PENDING``.

        What the script keeps and logs is the row's by then. ``PENDING`` where it was
        asked again, with what it turned out to need.
        """
