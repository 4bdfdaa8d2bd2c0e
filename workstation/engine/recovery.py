"""Recovery: an account is taken up where its journal proves that it was left.

The runs are read before the first event; a command, which is an input like any other,
then tells the rows and asks the venue, about orders and account. Nothing is entered
until it has answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workstation.engine.account_journal import runs_of
from workstation.engine.engine import Engine
from workstation.engine.journalled import FAILED
from workstation.execution.executor import Executor
from workstation.execution.recovering import Recovering
from workstation.model.commands import Recover
from workstation.model.errors import CommandRefused
from workstation.model.records import LimitRecord
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["Recovery", "read_runs"]


def read_runs(runs: list[Path], recovering: Recovering) -> str:
    """Tell of all that these runs have on record, oldest first.

    Returns the one, if any, that could not write all that it did, and that no later run
    has taken up. Raises JournalError where one of them cannot be read to its end.
    """
    lacking = ""
    for path, taken in zip(runs, runs_of(runs), strict=True):
        run, mark = taken.header.get("run"), taken.header.get("mark")
        risk = run.get("risk") if isinstance(run, dict) else None
        recovering.begins(
            risk if isinstance(risk, dict) else {},
            mark if isinstance(mark, str) else "",
        )
        for record in taken.records:
            recovering.take(record)
        if recovering.at_work:
            lacking = ""
        if taken.end == FAILED:
            lacking = path.name
    recovering.finish()
    return lacking


class Recovery:
    """Takes up one account; ``records`` is how many were read of earlier runs."""

    def __init__(
        self,
        engine: Engine,
        strategies: Mapping[str, ScriptedStrategy],
        executor: Executor,
        halt_again: Callable[[Mapping[str, str]], list[str]],
    ) -> None:
        """Take ``halt_again``, which pauses or stops tasks as they were."""
        self._engine = engine
        self._halt_again = halt_again
        self._strategies = strategies
        self._executor = executor
        self._recovering = Recovering(executor)
        self._done = False
        self._lacking = ""

    @property
    def records(self) -> int:
        """Return how many records of earlier runs were read."""
        return self._recovering.records

    def read(self, runs: list[Path]) -> None:
        """Bring ledger, orders and switches to where these runs left them.

        Raises JournalError where one of them cannot be read to its end.
        """
        self._lacking = read_runs(runs, self._recovering)

    def handlers(self) -> dict[type, Callable[[Any], str]]:
        """Return the handler of the command."""
        return {Recover: self._recover}

    def _recover(self, command: Recover) -> str:
        if self._done:
            raise CommandRefused("the account has been taken up already")
        if not self.records and not self._engine.distant:
            raise CommandRefused("there is no earlier run to take up")
        self._done = True
        core = self._engine.core
        locks = 0
        for (name, instrument), lock in self._recovering.locked.items():
            strategy = self._strategies.get(name)
            row = None if strategy is None else strategy.rows.get(instrument)
            if row is not None and (lock.until_ns is None or lock.until_ns > core.ts):
                row.lock.set(core, True, lock.until_ns, lock.reason, lock.who)
                locks += 1
        for name, limit in self._recovering.limits.items():
            # On record of this run, too, and in its log: the config says otherwise.
            core.record(
                LimitRecord(
                    seq=core.seq,
                    ts=core.ts,
                    name=name,
                    before=limit.config,
                    after=limit.value,
                    who="engine",
                    reason=_as_set(limit.reason),
                )
            )
        if self._lacking:
            self._executor.desk.alarm(
                "",
                f"{self._lacking} could not write all that its run did: exits and "
                "fills may be missing here; compare positions with the venue (j)",
                "journal",
            )
        words = self._executor.recover(command, self._recovering.cut)
        words = f"{words}; {locks} rows locked"
        if halted := self._halt_again(self._recovering.halted):
            words = f"{words}; as they were: {', '.join(halted)}"
        limits = ", ".join(self._recovering.limits)
        return f"{words}; set live and still in force: {limits}" if limits else words


def _as_set(reason: str) -> str:
    """Say once, however many restarts there were, that it comes from before."""
    start = "set live in an earlier run"
    return reason if reason.startswith(start) else f"{start}: {reason}".rstrip(": ")
