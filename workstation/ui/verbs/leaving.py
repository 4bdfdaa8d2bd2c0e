"""Leaving: the quit ritual, and what signals do to entries and positions.

Both leave only when the venue has answered, or a bound is reached; what is left open
then stands in the program's log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.stepping import Outcome
from workstation.ui.winding_down import (
    ask,
    log_what_is_left,
    see_answered,
    wind_down,
)

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp
    from workstation.ui.screens.quit import QuitChoice

__all__ = ["begin_quit", "leave_by"]


def begin_quit(app: WorkstationApp) -> None:
    """Ask where anything is exposed, else leave."""
    from workstation.ui.screens.quit import QuitChoice, QuitScreen

    if isinstance(app.screen, QuitScreen):
        return
    frame = app.bridge.look(QuitScreen.PANELS)
    if frame is None or not (frame.header.orders or frame.header.positions):
        app.leave(0)
        return

    def begin() -> None:
        app.step_in_slices(wind(flat=screen.closing is QuitChoice.FLATTENED))

    async def wind(*, flat: bool) -> None:
        session = app.bridge.session
        assert session is not None
        outcome = await wind_down(session, app.wall, flat=flat)
        # The dialog closes by the frame that shows it done.
        app.bridge_now()
        if outcome is not Outcome.DONE:
            screen.given_up(outcome.value)

    def done(choice: QuitChoice | None) -> None:
        app.stop_stepping()
        if choice is not None:
            log_what_is_left(app.bridge.session)
            app.leave(0)
        elif screen.closing is not None:
            app.say("The run goes on, paused. The hold stays: H lifts it.")

    driver = app.driver
    screen = QuitScreen(
        frame,
        app.run_command,
        wind_down=begin,
        locked=app.locked,
        ended=driver is not None and driver.state.value == "ended",
    )
    app.push_screen(screen, done)


def leave_by(app: WorkstationApp, policy: str) -> None:
    """Do what ``[engine] on_exit`` or ``on_hangup`` says, without asking, and leave.

    A second signal does not wait for the answers to the first.
    """
    session = app.bridge.session
    if session is None or policy == "keep" or app.winding_down:
        log_what_is_left(session)
        app.leave(0)
        return

    async def see_through() -> None:
        await see_answered(session, policy, app.wall)
        app.leave(0)

    app.winding_down = True
    ask(session, policy)
    app.step_in_slices(see_through())
