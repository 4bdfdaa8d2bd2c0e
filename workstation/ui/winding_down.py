"""Winding a run down: cancel or flatten, move the clock until that is answered.

For who leaves: the quit ritual, a signal, a run that goes on without its screen. It
knows the session and no app; what is open even then stands in the program's log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from workstation.model.commands import CancelOrders, Flatten, Hold
from workstation.model.orders import OrderStatus
from workstation.model.timeframes import NS_PER_S
from workstation.ui.screens.scene import Scene
from workstation.ui.screens.sentences import position_text
from workstation.ui.stepping import Outcome, Stepper

if TYPE_CHECKING:
    from workstation.kernel import Clock
    from workstation.ui.bridge import SessionLike

__all__ = ["ask", "log_what_is_left", "see_answered", "wind_down"]

_PANELS = frozenset({"orders", "positions"})
_SPAN_NS = 60 * NS_PER_S
_WALL_NS = 5 * NS_PER_S
# Long enough for any venue that answers; a service manager kills after ten or more.


def ask(session: SessionLike, policy: str) -> None:
    """Ask for what ``[engine] on_exit`` or ``on_hangup`` says, of any engine."""
    try:
        _ask(session, policy, flat=_is_flattening(policy))
    except Exception:  # the edge of leaving: a broken engine must still end
        _log().exception("%s could not be asked for", policy)


async def see_answered(session: SessionLike, policy: str, wall: Clock) -> None:
    """Move the clock until what a policy asked for is answered; log what is not."""
    outcome = await wind_down(session, wall, flat=_is_flattening(policy))
    if outcome is not Outcome.DONE:
        _log().warning("left unfinished: %s", outcome.value)
    log_what_is_left(session)


def _is_flattening(policy: str) -> bool:
    """Tell whether a policy closes positions, and does not only cancel entries."""
    return policy.startswith("flatten")


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


async def wind_down(session: SessionLike, wall: Clock, *, flat: bool) -> Outcome:
    """Move the clock until nothing is asked for any more; return how that ended."""
    store = session.driver.engine.store
    seen = -1

    def done() -> bool:
        nonlocal seen
        if store.number == seen:
            return False
        seen = store.number
        return not _open(session, flat=flat)

    stepper = Stepper(session.driver, wall)
    try:
        return await stepper.until(done, span_ns=_SPAN_NS, wall_ns=_WALL_NS)
    except Exception:  # the edge of this task: leaving must go on
        _log().exception("the run failed while it was left")
        return Outcome.ENDED


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


def log_what_is_left(session: SessionLike | None) -> None:
    """Write what stays open into the program's log."""
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
