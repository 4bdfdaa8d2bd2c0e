"""What scripts that run elsewhere answer: an input of the run, kept in its journal.

A worker's process is asked for many rows at once and answers for all of them at once.
The core takes nothing else from it: a run is replayed from these, without a worker.
"""

from __future__ import annotations

from msgspec import Struct

from workstation.strategy.lua.wire import Need
from workstation.strategy.question import Function

__all__ = ["Plain", "ScriptAnswered", "ScriptReply"]

Plain = bool | int | float | str
"""What a script may keep and answer."""


class ScriptReply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer for one row: a value, what it needs to answer, or an error.

    ``context`` is what the script keeps, None where it is as it was. ``error`` has the
    script's own words, ``line`` its own line.
    """

    strategy: str
    instrument: str
    function: Function
    answer: dict[str, Plain] | None = None
    context: dict[str, Plain] | None = None
    notes: tuple[str, ...] = ()
    plots: tuple[tuple[str, float], ...] = ()
    needs: tuple[Need, ...] = ()
    error: str = ""
    line: int | None = None


class ScriptAnswered(Struct, frozen=True, kw_only=True, tag="script_answered"):
    """All answers of one batch of questions, in their order.

    ``batch`` counts the questions' batches of the run. ``fault`` says how the worker
    died instead: then there are no replies, and every row that was asked waits no more.
    """

    strategy: str
    batch: int
    replies: tuple[ScriptReply, ...] = ()
    fault: str = ""
