"""What a flatten does to one position: what it sells or buys, and what goes before.

Pure; the dialog and its sentence ask it, so neither promises what the engine refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from workstation.engine.frames import OrderRow, PositionRow
from workstation.model.orders import OrderRole, OrderStatus
from workstation.ui.screens.scene import Scene

__all__ = ["FlattenPart", "flatten_parts", "may_flatten"]


@dataclass(frozen=True, slots=True)
class FlattenPart:
    """One owner's part: ``left`` is closed now, ``closing`` is being closed already.

    ``exits`` wait for their price at the venue: they are canceled, and the close
    follows; ``ending`` are being canceled already. ``guard`` ends with the position.
    """

    row: PositionRow
    left: Decimal
    closing: Decimal
    exits: tuple[OrderRow, ...]
    ending: tuple[OrderRow, ...]
    guard: tuple[OrderRow, ...]


def flatten_parts(
    scene: Scene, instrument: str, owner: str | None
) -> tuple[FlattenPart, ...]:
    """Return what closing each position does; ``owner`` None = everybody's."""
    return tuple(_part(scene, row) for row in scene.held(owner, instrument))


def may_flatten(scene: Scene, instrument: str, owner: str | None) -> bool:
    """Tell whether there is anything left for a flatten to do."""
    parts = flatten_parts(scene, instrument, owner)
    return bool(scene.entries(owner, instrument)) or any(
        part.left or part.exits for part in parts
    )


def _part(scene: Scene, row: PositionRow) -> FlattenPart:
    position = row.position
    working = scene.working(position.owner, position.instrument)
    at_venue = [
        each
        for each in working
        if each.order.reduce_only and each.order.status is not OrderStatus.HELD
    ]
    held = abs(position.quantity)
    closing = sum(
        (each.order.remaining for each in at_venue if each.order.closes_now),
        Decimal(0),
    )
    resting = [
        each
        for each in at_venue
        if each.order.role is OrderRole.EXIT and not each.order.closes_now
    ]
    ending = tuple(each for each in resting if _is_ending(each))
    waits = {each.order.id for each in resting}
    return FlattenPart(
        row,
        left=max(held - closing, Decimal(0)),
        closing=min(closing, held),
        exits=tuple(each for each in resting if not _is_ending(each)),
        ending=ending,
        guard=tuple(
            each
            for each in working
            if each.order.is_protection and each.order.id not in waits
        ),
    )


def _is_ending(row: OrderRow) -> bool:
    return row.order.status is OrderStatus.PENDING_CANCEL
