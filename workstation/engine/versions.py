"""Versions of table rows: a row gets a new one only when what it shows has changed.

A table repaints what has another version, and no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from workstation.engine.frames import OrderRow, PositionRow, SymbolRow

__all__ = ["Versions"]

R = TypeVar("R", SymbolRow, OrderRow, PositionRow)

# Versions of rows that are no longer shown, before they are swept out.
_KEPT = 5_000


class Versions:
    """The last row of each key, and how often it has changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, int]] = {}

    def __len__(self) -> int:
        """Return of how many rows the version is known."""
        return len(self._known)

    def of(self, panel: str, rows: Iterable[R]) -> Iterable[R]:
        """Give each row its version."""
        for row in rows:
            key = f"{panel}/{_key(row)}"
            known, version = self._known.get(key, (None, 0))
            if known != row:
                version += 1
                self._known[key] = (row, version)
            yield replace(row, version=version)

    def sweep(self, orders: Sequence[OrderRow]) -> None:
        """Forget orders that have ended, once there are many, but for these."""
        if len(self._known) > len(orders) + _KEPT:
            # Orders that ended do not come back: a run of weeks has many of them.
            working = {f"orders/{row.order.id}" for row in orders}
            self._known = {
                key: known
                for key, known in self._known.items()
                if not key.startswith("orders/") or key in working
            }


def _key(row: SymbolRow | OrderRow | PositionRow) -> str:
    if isinstance(row, OrderRow):
        return row.order.id
    if isinstance(row, SymbolRow):
        return row.key
    return f"{row.position.instrument}/{row.position.owner}"
