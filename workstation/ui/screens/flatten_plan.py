"""What a flatten does to one instrument: what it sells or buys, and what goes before.

Pure; the dialog and its sentence ask it, so neither promises what the engine refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from workstation.engine.frames import OrderRow, PositionRow, SymbolRow
from workstation.model.orders import OrderStatus
from workstation.ui.screens.scene import Scene

__all__ = [
    "FlattenPart",
    "FlattenedEntries",
    "flatten_parts",
    "flattened_entries",
    "given_up",
    "may_flatten",
]


@dataclass(frozen=True, slots=True)
class FlattenPart:
    """One owner's part: ``left`` is closed now, ``closing`` is being closed already.

    ``exits`` wait for their price at the venue: they are canceled, and the close
    follows; ``ending`` are being canceled already, and it follows them, too. ``guard``
    ends with the position.
    """

    row: PositionRow
    left: Decimal
    closing: Decimal
    exits: tuple[OrderRow, ...]
    ending: tuple[OrderRow, ...]
    guard: tuple[OrderRow, ...]


@dataclass(frozen=True, slots=True)
class FlattenedEntries:
    """Entries of an instrument: what it ``cancels``, and what it cannot any more.

    What of ``ending`` still fills, while they are being canceled, is closed as it
    comes, and so it is of ``closing`` after a flatten before this one.
    """

    cancels: tuple[OrderRow, ...]
    ending: tuple[OrderRow, ...]
    closing: tuple[OrderRow, ...]


def flatten_parts(
    scene: Scene, instrument: str, owner: str | None
) -> tuple[FlattenPart, ...]:
    """Return what closing each position does; ``owner`` None = everybody's."""
    return tuple(_part(scene, row) for row in scene.closable(owner, instrument))


def flattened_entries(
    scene: Scene, instrument: str, owner: str | None
) -> FlattenedEntries:
    """Return what becomes of the entries; ``owner`` None = everybody's."""
    entries = scene.entries(owner, instrument)
    going = [row for row in entries if _is_ending(row)]
    return FlattenedEntries(
        cancels=tuple(row for row in entries if not _is_ending(row)),
        ending=tuple(row for row in going if not row.flattened),
        closing=tuple(row for row in going if row.flattened),
    )


def given_up(scene: Scene, instrument: str, owner: str | None) -> tuple[SymbolRow, ...]:
    """Return the rows whose entry was to follow a close, and does not any more."""
    return tuple(
        row
        for row in scene.symbols or ()
        if row.waiting
        and row.instrument == instrument
        and owner in (None, row.strategy)
    )


def may_flatten(scene: Scene, instrument: str, owner: str | None) -> bool:
    """Tell whether there is anything left for a flatten to do."""
    entries = flattened_entries(scene, instrument, owner)
    return bool(
        entries.cancels or entries.ending or given_up(scene, instrument, owner)
    ) or any(
        part.left or part.exits for part in flatten_parts(scene, instrument, owner)
    )


def _part(scene: Scene, row: PositionRow) -> FlattenPart:
    position = row.position
    working = scene.working(position.owner, position.instrument)
    waits = [each for each in working if each.order.blocks_close]
    closing = sum(
        (
            each.order.remaining
            for each in working
            if each.order.closes_now
            and not (each.order.blocks_close or each.order.status is OrderStatus.HELD)
        ),
        Decimal(0),
    )
    named = {each.order.id for each in waits}
    return FlattenPart(
        row,
        left=max(row.closable - closing, Decimal(0)),
        closing=min(closing, row.closable),
        exits=tuple(each for each in waits if not _is_ending(each)),
        ending=tuple(each for each in waits if _is_ending(each)),
        guard=tuple(
            each
            for each in working
            if each.order.is_protection and each.order.id not in named
        ),
    )


def _is_ending(row: OrderRow) -> bool:
    return row.order.status is OrderStatus.PENDING_CANCEL
