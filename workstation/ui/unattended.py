"""A run that goes on without its screen: the terminal is gone, the engine is not.

Begun by ``run_app`` in the event loop that the screen had, where ``[engine] on_hangup``
says ``keep``. It ends with the run, or as ``on_exit`` says when SIGTERM comes.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

from workstation.ui.signals import Signals
from workstation.ui.winding_down import ask, log_what_is_left, see_answered

if TYPE_CHECKING:
    from workstation.kernel import Clock
    from workstation.ui.bridge import SessionLike

__all__ = ["go_on"]


async def go_on(
    session: SessionLike, driving: asyncio.Task[Any], on_exit: str, wall: Clock
) -> None:
    """Let the run go on until it has ended or is told to; then close it.

    ``driving`` is the task that drives it. A failure of the driver is raised once the
    journal is whole.
    """
    told = asyncio.Event()
    signals = Signals(told.set, _ignore)
    signals.install()
    _log().info("process %d goes on without a screen", os.getpid())
    ends = [
        asyncio.ensure_future(told.wait()),
        asyncio.ensure_future(session.driver.over.wait()),
    ]
    try:
        await asyncio.wait([*ends, driving], return_when=asyncio.FIRST_COMPLETED)
        if told.is_set() and on_exit != "keep" and not driving.done():
            ask(session, on_exit)
            await see_answered(session, on_exit, wall)
        else:
            log_what_is_left(session)
        session.driver.stop()
        await driving
    finally:
        for each in ends:
            each.cancel()
        signals.remove()
        session.close()
        _log().info("the run without a screen has ended")


def _ignore() -> None:
    """Take a second hang-up: there is no terminal to lose."""


def _log() -> logging.Logger:
    return logging.getLogger(__name__)
