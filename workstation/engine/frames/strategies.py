"""Strategies of a frame: their rows, parameters, log and what blocked their entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from workstation.strategy.script import ParamValue

if TYPE_CHECKING:
    from workstation.engine.reloading import ReloadReport

__all__ = [
    "BlockRow",
    "BlockTable",
    "ParamRow",
    "ParamTable",
    "ScriptLine",
    "ScriptLog",
    "StrategyRow",
]


class StrategyRow(Struct, frozen=True, kw_only=True):
    """One strategy: its script, its rows by state, what its calls cost.

    A row locked in manual counts as ``manual`` alone. ``rate`` is calls in a second of
    the run's own time over the last minute; ``p99_ns`` is of the last calls, by the
    machine's clock. ``memory_bytes`` is its worker process's, None where it has none.
    """

    name: str
    language: str
    script: str
    version: str
    timeframe: str
    symbols: int
    watch: int
    close_watch: int
    in_trade: int
    manual: int
    calls: int
    rate: float | None
    p99_ns: int | None
    errors: int
    memory_bytes: int | None
    state: str
    restarts: int
    withheld: int
    last_error: str
    confinement: str = ""
    """What holds its worker, "" where it has none."""
    reload: ReloadReport | None = None
    """What became of the version that was saved last."""


class ParamRow(Struct, frozen=True, kw_only=True):
    """A parameter that a script declares, with the focused row's value.

    ``differs`` tells that another row of the strategy has another value.
    """

    name: str
    kind: str
    value: ParamValue
    default: ParamValue
    minimum: float | None
    maximum: float | None
    help: str
    differs: bool = False


class ParamTable(Struct, frozen=True, kw_only=True):
    """The parameters of one row; ``instruments`` are all that its strategy has."""

    strategy: str
    instrument: str
    instruments: tuple[str, ...]
    params: tuple[ParamRow, ...]


class ScriptLine(Struct, frozen=True, kw_only=True):
    """What a script wrote to the log, or an error of it with the script's own line.

    ``number`` counts the strategy's lines; ``ts`` 0 is before the run's first event.
    """

    number: int
    ts: int
    instrument: str
    text: str
    is_error: bool = False
    line: int | None = None


class ScriptLog(Struct, frozen=True, kw_only=True):
    """The last lines of one strategy's script, oldest first."""

    strategy: str
    script: str
    lines: tuple[ScriptLine, ...]


class BlockRow(Struct, frozen=True, kw_only=True):
    """How many evaluations ended with ``cause`` at ``gate``; "" is the entry itself."""

    gate: str
    cause: str
    count: int


class BlockTable(Struct, frozen=True, kw_only=True):
    """What became of a row's evaluations, and of all rows', the most frequent first."""

    row: tuple[BlockRow, ...]
    all: tuple[BlockRow, ...]
