"""Leaving: the quit ritual, and what signals do to entries and positions.

Both leave only when the venue has answered, or a bound is reached; what is left open
then stands in the program's log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.ui.stepping import Outcome
from workstation.ui.winding_down import (
    ask,
    is_flattening,
    log_what_is_left,
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
        flat = screen.closing is QuitChoice.FLATTENED
        _wind_down(app, flat=flat, then=answered)

    def answered(outcome: Outcome) -> None:
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
    try:
        ask(session, policy)
    except Exception:  # the signal's edge: a broken engine must still end
        _log().exception("%s could not be asked for", policy)

    def answered(outcome: Outcome) -> None:
        if outcome is not Outcome.DONE:
            _log().warning("left unfinished: %s", outcome.value)
        log_what_is_left(session)
        app.leave(0)

    app.winding_down = True
    _wind_down(app, flat=is_flattening(policy), then=answered)


def _wind_down(
    app: WorkstationApp, *, flat: bool, then: Callable[[Outcome], None]
) -> None:
    """Move the clock until nothing is asked for any more, then call ``then``."""
    session = app.bridge.session
    assert session is not None

    async def wind() -> None:
        then(await wind_down(session, app.wall, flat=flat))

    app.step_in_slices(wind())


def _log() -> logging.Logger:
    return logging.getLogger(__name__)
