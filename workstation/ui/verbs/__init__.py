"""What each action of the table does, by its id; the app looks them up here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from workstation.ui.verbs import account, charting, clock, looking, tasks, trading

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp

__all__ = ["VERBS"]

VERBS: Mapping[str, Callable[[WorkstationApp], None]] = {
    **looking.VERBS,
    **account.VERBS,
    **charting.VERBS,
    **clock.VERBS,
    **trading.VERBS,
    **tasks.VERBS,
}
"""Action id to its function. Keys of dialogs and of widgets have none here."""
