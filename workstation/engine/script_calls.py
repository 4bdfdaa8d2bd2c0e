"""Questions to scripts that run elsewhere, from the input that asked to the answer.

The engine posts what an input asked before it takes the next one, and gives answers
back as inputs; drivers wait for them. The edge that reaches the workers is behind a
protocol: a replay has one that reads the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from workstation.model.errors import WorkstationError
from workstation.strategy.replies import ScriptAnswered

__all__ = [
    "JournalledScripts",
    "NoScripts",
    "ScriptCalls",
    "ScriptEdge",
    "WorkerState",
]


class WorkerState(Struct, frozen=True, kw_only=True):
    """What the screen shows of a strategy's worker."""

    confinement: str
    memory_bytes: int | None
    deaths: int
    running: bool


class ScriptEdge(Protocol):
    """Where the workers are."""

    def post(self, strategy: str, batch: int, questions: Sequence[Any]) -> None:
        """Send a batch of questions to a strategy's worker; never waits for it."""

    def collect(self, timeout_s: float | None) -> Sequence[ScriptAnswered]:
        """Return what has been answered, having waited for the first at most so long.

        None waits until there is an answer, or until a worker's time is up, which is
        an answer too.
        """

    async def arrival(self) -> None:
        """Return once there is something to collect."""

    def rearm(self, strategy: str) -> None:
        """Forget how often a strategy's worker has died."""

    def worker(self, strategy: str) -> WorkerState | None:
        """Return what the screen shows of a worker; None where there is none."""

    def close(self) -> None:
        """End all workers."""


class NoScripts:
    """The edge of a run whose scripts all run in the core."""

    def post(self, strategy: str, batch: int, questions: Sequence[Any]) -> None:
        """Refuse: there is nobody to ask."""
        raise WorkstationError(f"{strategy} has no worker to ask")

    def collect(self, timeout_s: float | None) -> Sequence[ScriptAnswered]:
        """Return nothing."""
        return ()

    async def arrival(self) -> None:
        """Return at once."""

    def rearm(self, strategy: str) -> None:
        """Do nothing."""

    def worker(self, strategy: str) -> WorkerState | None:
        """Return nothing."""
        return None

    def close(self) -> None:
        """Do nothing."""


class JournalledScripts(NoScripts):
    """The edge of a replay: nobody is asked, the journal has the answers."""

    def post(self, strategy: str, batch: int, questions: Sequence[Any]) -> None:
        """Do nothing."""


class ScriptCalls:
    """What was asked in this input, and which batches are not answered yet."""

    def __init__(self) -> None:
        self.edge: ScriptEdge = NoScripts()
        self.deliver: Callable[[ScriptAnswered], None] = lambda answered: None
        """Takes an answer as the next input."""
        self.asked: list[tuple[str, Any]] = []
        """Strategy and question, in the order of asking; the core looks at it often."""
        self._batch = 0
        # Batches that wait for an answer, and answers that wait for their turn.
        self._open: set[int] = set()
        self._arrived: dict[int, ScriptAnswered] = {}

    @property
    def awaiting(self) -> bool:
        """Tell whether an answer must come before the next input."""
        return bool(self.asked or self._open)

    def ask(self, strategy: str, question: object) -> None:
        """Have a question sent once this input has been dealt with."""
        self.asked.append((strategy, question))

    def post(self) -> None:
        """Send what was asked: one batch per strategy, in the order of asking."""
        batches: dict[str, list[object]] = {}
        for strategy, question in self.asked:
            batches.setdefault(strategy, []).append(question)
        self.asked.clear()
        for strategy, questions in batches.items():
            self._batch += 1
            self._open.add(self._batch)
            self.edge.post(strategy, self._batch, questions)

    def take(self, answers: Iterable[ScriptAnswered]) -> None:
        """Take answers as inputs, in the order of asking whatever came first.

        What an answer asks again is sent at once.
        """
        for answered in answers:
            if answered.batch in self._open:
                self._arrived[answered.batch] = answered
        while self._open:
            first = min(self._open)
            answered_first = self._arrived.pop(first, None)
            if answered_first is None:
                return
            self._open.remove(first)
            self.deliver(answered_first)
            if self.asked:
                self.post()
