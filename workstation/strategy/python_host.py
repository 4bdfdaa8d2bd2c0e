"""The host of Python scripts: they are trusted and run here, so it answers at once."""

from __future__ import annotations

from typing import Protocol

from workstation.strategy.question import Function
from workstation.strategy.row import Row
from workstation.strategy.script import Script, ScriptFunction

__all__ = ["CallGuard", "PythonHost"]


class CallGuard(Protocol):
    """Calls a script within its time budget."""

    def __call__(
        self, strategy: str, instrument: str, function: ScriptFunction, row: Row
    ) -> object:
        """Return the script's answer; raises ScriptError or ScriptTimeout."""


class PythonHost:
    """A ``ScriptHost`` over a loaded script, each call under ``guard``."""

    def __init__(self, script: Script, guard: CallGuard) -> None:
        self._functions = script.functions
        self._guard = guard

    def ask(self, row: Row, function: Function) -> object:
        """Return what the function answers, before anything else happens."""
        return self._guard(
            row.strategy, row.instrument.id, self._functions[function], row
        )

    @property
    def memory(self) -> int | None:
        """Return None: the script has no process of its own."""
        return None
