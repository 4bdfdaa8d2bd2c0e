"""Leaving: the quit ritual, and what signals do to entries and positions.

Both leave only when the venue has answered, or a bound is reached; what is left open
then stands in the program's log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.model.commands import CancelOrders, Flatten, Hold
from workstation.model.orders import OrderStatus
from workstation.model.timeframes import NS_PER_S
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.sentences import position_text
from workstation.ui.stepping import Outcome, Stepper

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp
    from workstation.ui.bridge import SessionLike
    from workstation.ui.screens.quit import QuitChoice

__all__ = ["begin_quit", "leave_by"]

_PANELS = frozenset({"orders", "positions"})
_SPAN_NS = 60 * NS_PER_S
_WALL_NS = 5 * NS_PER_S
# Long enough for any venue that answers; a service manager kills after ten or more.


def begin_quit(app: WorkstationApp) -> None:
    """Ask where anything is exposed, else leave."""
    from workstation.ui.screens.quit import QuitChoice, QuitScreen

    if isinstance(app.screen, QuitScreen):
        return
    frame = app.bridge.look(QuitScreen.PANELS)
    if frame is None or not (frame.header.orders or frame.header.positions):
        app.leave(0)
        return

    def wind_down() -> None:
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
            _log_what_is_left(app.bridge.session)
            app.leave(0)
        elif screen.closing is not None:
            app.say("The run goes on, paused. The hold stays: H lifts it.")

    driver = app.driver
    screen = QuitScreen(
        frame,
        app.run_command,
        wind_down=wind_down,
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
        _log_what_is_left(session)
        app.leave(0)
        return
    flat = policy.startswith("flatten")
    try:
        _ask(session, policy, flat=flat)
    except Exception:  # the signal's edge: a broken engine must still end
        _log().exception("%s could not be asked for", policy)

    def answered(outcome: Outcome) -> None:
        if outcome is not Outcome.DONE:
            _log().warning("left unfinished: %s", outcome.value)
        _log_what_is_left(session)
        app.leave(0)

    app.winding_down = True
    _wind_down(app, flat=flat, then=answered)


def _ask(session: SessionLike, policy: str, *, flat: bool) -> None:
    scene = Scene.of(session.frame(0, _PANELS, None))
    entries, held = scene.entries(), scene.held() if flat else ()
    if not entries and not held:
        return
    if scene.header.hold_since_ns is None:
        # The clock goes on until all is answered; nothing may be opened meanwhile.
        session.execute(Hold(on=True, reason=policy))
    ids = tuple(
        row.order.id
        for row in entries
        if row.order.status is not OrderStatus.PENDING_CANCEL
    )
    if ids and not flat:
        session.execute(CancelOrders(order_ids=ids, reason=policy))
    if flat:
        named = [row.position.instrument for row in held]
        named += [row.order.instrument for row in entries]
        for instrument in dict.fromkeys(named):
            outcome = session.execute(Flatten(instrument=instrument, reason=policy))
            if not outcome.accepted:
                _log().warning("%s: %s", policy, outcome.detail)


def _wind_down(
    app: WorkstationApp, *, flat: bool, then: Callable[[Outcome], None]
) -> None:
    """Move the clock until nothing is asked for any more, then call ``then``."""
    session = app.bridge.session
    assert session is not None
    store = session.driver.engine.store
    seen = -1

    def done() -> bool:
        nonlocal seen
        if store.number == seen:
            return False
        seen = store.number
        return not _open(session, flat=flat)

    async def wind() -> None:
        stepper = Stepper(session.driver, app.wall)
        try:
            outcome = await stepper.until(done, span_ns=_SPAN_NS, wall_ns=_WALL_NS)
        except Exception:  # the edge of this task: leaving must go on
            _log().exception("the run failed while it was left")
            outcome = Outcome.ENDED
        then(outcome)

    app.step_in_slices(wind())


def _open(session: SessionLike, *, flat: bool) -> list[str]:
    """Return what is not closed yet: entries, canceled ones on their way, positions."""
    # A cursor nobody reaches: the records are not wanted again.
    scene = Scene.of(session.frame(1 << 62, _PANELS, None))
    found = [
        f"{row.order.role} {row.order.id} {row.symbol} {row.order.status}"
        for row in scene.entries()
    ]
    if flat:
        found += [
            f"{position_text(row)} of {row.position.owner}" for row in scene.held()
        ]
    return found


def _log_what_is_left(session: SessionLike | None) -> None:
    if session is None:
        return
    try:
        left = _open(session, flat=True)
    except Exception:  # the edge of leaving: a broken engine must still end
        _log().exception("what is left open is not known")
        return
    if left:
        _log().warning("left open: %s", "; ".join(left))


def _log() -> logging.Logger:
    return logging.getLogger(__name__)
