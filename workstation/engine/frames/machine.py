"""The machine of a frame: one row in full, and what stops its entry."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from workstation.engine.frames.rows import SymbolRow
from workstation.model.positions import Position
from workstation.model.records import LockRecord, StateRecord
from workstation.model.states import Gate, SymbolState

__all__ = ["MachineFrame", "Way"]


class Way(Struct, frozen=True):
    """A move from the state a row is in, and what brings it."""

    trigger: str
    after: SymbolState


class MachineFrame(Struct, frozen=True, kw_only=True):
    """One row in full: state, position, protection, gates, history newest first.

    ``ways`` are the moves out of its state, in the order of the machine's table.
    """

    row: SymbolRow
    position: Position
    stop: Decimal | None
    target: Decimal | None
    stop_held: bool
    script: str
    answer: str
    bars_left: int
    gates: tuple[Gate, ...]
    ways: tuple[Way, ...]
    history: tuple[StateRecord | LockRecord, ...]
    params: tuple[tuple[str, str], ...]
    calls: int
