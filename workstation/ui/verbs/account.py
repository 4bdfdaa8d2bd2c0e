"""The verb of the account: its books and the venue's word, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from workstation.model.reconciliation import Resolution
from workstation.ui.screens.reconciliation import ReconciliationScreen
from workstation.ui.screens.resolve import ResolveScreen
from workstation.ui.screens.ritual import Answer
from workstation.ui.verbs.exporting import write_export

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp

__all__ = ["VERBS", "reconciliation"]


def reconciliation(app: WorkstationApp, at: str = "") -> None:
    """Show both sides of the account, the cursor on the row of the key ``at``."""
    frame = app.bridge.look(ReconciliationScreen.PANELS)
    if frame is None:
        app.say("The engine is starting.")
        return

    def settle(key: str, way: Resolution | None) -> None:
        _settle(app, screen, key, way)

    screen = ReconciliationScreen(
        frame,
        None if app.locked else app.run_command,
        {each.id: each for each in app.config.run.instruments},
        settle,
        partial(_export, app),
        at=at,
    )
    app.push_screen(screen, app.answered)


def _settle(
    app: WorkstationApp,
    screen: ReconciliationScreen,
    key: str,
    way: Resolution | None,
) -> None:
    session = app.bridge.session
    frame = app.bridge.look(ResolveScreen.PANELS)
    if session is None or frame is None:
        return

    def done(answer: Answer | None) -> None:
        screen.settled(answer)
        # Once this dialog is gone: then the rows behind it are those that are shown.
        app.call_later(app.bridge_now)

    app.push_screen(
        ResolveScreen(
            frame, app.run_command, screen.instruments, key, session.touch, way=way
        ),
        done,
    )


def _export(app: WorkstationApp, rows: Sequence[Sequence[str]]) -> str:
    _, said = write_export(app, "reconciliation", "the reconciliation", rows)
    return said


VERBS: dict[str, Any] = {"account.reconciliation": reconciliation}
