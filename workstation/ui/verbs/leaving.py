"""Leaving: the quit ritual, and what signals do to entries and positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.model.commands import CancelOrders, Flatten
from workstation.model.orders import OrderRole
from workstation.ui.screens.quit import QuitChoice, QuitScreen

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp
    from workstation.ui.bridge import SessionLike

__all__ = ["apply_policy", "begin_quit"]


def begin_quit(app: WorkstationApp) -> None:
    """Ask where anything is exposed, else leave."""
    if isinstance(app.screen, QuitScreen):
        return
    frame = app.bridge.look(QuitScreen.PANELS)
    if frame is None or not (frame.header.orders or frame.header.positions):
        app.leave(0)
        return
    driver = app.driver

    def done(choice: QuitChoice | None) -> None:
        if choice is not None:
            app.leave(0)

    play = None if driver is None else driver.play
    app.push_screen(QuitScreen(frame, app.run_command, play=play), done)


def apply_policy(session: SessionLike | None, policy: str) -> None:
    """Do what ``[engine] on_exit`` or ``on_hangup`` says, without asking."""
    if session is None or policy == "keep":
        return
    frame = session.frame(0, frozenset({"orders", "positions"}), None)
    entries = tuple(
        row.order.id for row in frame.orders or () if row.order.role is OrderRole.ENTRY
    )
    if entries:
        session.execute(CancelOrders(order_ids=entries, reason=policy))
    if policy.startswith("flatten"):
        for row in frame.positions or ():
            held = row.position
            session.execute(
                Flatten(instrument=held.instrument, owner=held.owner, reason=policy)
            )
