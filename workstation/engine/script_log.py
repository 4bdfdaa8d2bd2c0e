"""What scripts say and where they fail: the last lines of each strategy.

Notes come as records (a sink of the core), errors with their exception from the engine,
because a record does not hold the script's line. Read by the screen; nothing here is
part of a decision.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from workstation.engine.frames import ScriptLine
from workstation.model.errors import ScriptError
from workstation.model.records import FaultRecord, NoteRecord, Record
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["ScriptLogs"]

_KEPT = 200
# As many as the largest panel can show, three times over.


class ScriptLogs:
    """The lines of every strategy of a run, of records of these ``kinds``."""

    kinds = (NoteRecord,)

    def __init__(self, strategies: Sequence[ScriptedStrategy]) -> None:
        self._lines: dict[str, deque[ScriptLine]] = {
            strategy.name: deque(maxlen=_KEPT) for strategy in strategies
        }
        self._numbers = dict.fromkeys(self._lines, 0)
        for strategy in strategies:
            script = strategy.script
            if script.failure:
                self._add(
                    strategy.name, 0, "", script.failure, True, script.failure_line
                )

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Take a line that a script wrote (a sink of the core)."""
        if isinstance(record, NoteRecord):
            self._add(record.strategy, record.ts, record.instrument, record.text)

    def fault(self, record: FaultRecord, error: Exception) -> None:
        """Take an error of a strategy (a fault sink of the engine)."""
        line = error.line if isinstance(error, ScriptError) else None
        text = error.message if isinstance(error, ScriptError) else record.error
        self._add(record.task, record.ts, record.instrument, text, True, line)

    def of(self, strategy: str) -> tuple[ScriptLine, ...]:
        """Return a strategy's last lines, oldest first."""
        return tuple(self._lines.get(strategy, ()))

    def last_error(self, strategy: str) -> str:
        """Return a strategy's last error with the script's line, or nothing."""
        for line in reversed(self._lines.get(strategy, ())):
            if line.is_error:
                where = "" if line.line is None else f"line {line.line}: "
                return f"{where}{line.text}"
        return ""

    def _add(
        self,
        strategy: str,
        ts: int,
        instrument: str,
        text: str,
        is_error: bool = False,
        line: int | None = None,
    ) -> None:
        lines = self._lines.get(strategy)
        if lines is None:
            return
        self._numbers[strategy] += 1
        lines.append(
            ScriptLine(
                number=self._numbers[strategy],
                ts=ts,
                instrument=instrument,
                text=text,
                is_error=is_error,
                line=line,
            )
        )
