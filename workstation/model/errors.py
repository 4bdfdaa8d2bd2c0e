"""Errors of the trading parts; each message says what, where, what would be right.

WorkstationError
├── ConfigError            a setting is wrong (config.py collects them)
├── DataError              a line or message of a feed could not be understood
├── IllegalTransition      a state machine was asked for a move its table lacks
├── ScriptError            a strategy's script failed or answered nonsense
│   └── ScriptTimeout      it ran longer than its budget
├── CommandRefused         an operator's command does not apply to what is there
├── JournalError           the journal cannot be written or read
├── ExportError            the ledger cannot be written where it was asked for
├── RecordingError         a recording cannot be read, or is damaged
├── VenueSilent            nobody knows whether a request reached its venue
└── FeedHole               a feed has lost events and goes on after them
"""

from __future__ import annotations

__all__ = [
    "CommandRefused",
    "ConfigError",
    "DataError",
    "ExportError",
    "FeedHole",
    "IllegalTransition",
    "JournalError",
    "RecordingError",
    "ScriptError",
    "ScriptTimeout",
    "VenueSilent",
    "WorkstationError",
]


class WorkstationError(Exception):
    """Base of all errors that an operator may read."""


class ConfigError(WorkstationError):
    """A setting has a wrong name, type, range or combination."""


class DataError(WorkstationError):
    """A row or message is damaged: names source, place, reason and what mends it."""

    def __init__(self, source: str, line: int, reason: str, remedy: str = "") -> None:
        super().__init__(f"{source}:{line}: {reason}{remedy and f'; {remedy}'}")
        self.source = source
        self.line = line
        self.reason = reason
        self.remedy = remedy


class ExportError(WorkstationError):
    """A folder cannot take an export; names it and what would be right."""


class IllegalTransition(WorkstationError):
    """A state machine's table has no entry for this state and trigger."""

    def __init__(self, machine: str, state: str, trigger: str, allowed: str) -> None:
        super().__init__(
            f"{machine}: {trigger} is not legal in {state}; legal there: {allowed}"
        )
        self.machine = machine
        self.state = state
        self.trigger = trigger


class ScriptError(WorkstationError):
    """A strategy script failed to load, raised, or answered with nonsense."""

    def __init__(self, script: str, message: str, line: int | None = None) -> None:
        where = script if line is None else f"{script}:{line}"
        super().__init__(f"{where}: {message}")
        self.script = script
        self.line = line
        self.message = message


class ScriptTimeout(ScriptError):
    """A script call ran longer than its budget and was interrupted."""


class VenueSilent(WorkstationError):
    """A request timed out, its connection broke, or the venue failed within.

    Whether it was carried out is not known: the venue has to be asked.
    """


class CommandRefused(WorkstationError):
    """A command names something not there, or changed since it was shown."""


class JournalError(WorkstationError):
    """The journal cannot be opened, written or read."""


class RecordingError(WorkstationError):
    """A recording is damaged: names the file, the place, and what was expected."""


class FeedHole(WorkstationError):
    """A feed has lost events; it is pulled on, and what it feeds is not trusted."""
