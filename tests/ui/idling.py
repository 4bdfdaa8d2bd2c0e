"""When a pilot's app has nothing left to do: asked of its loop, not guessed by a wait.

Textual's own pilot sleeps 20 ms at a time until the process takes hardly any CPU: slow,
and on a busy machine an answer about the machine. Here every message, callback, resize,
repaint and animation is done before a key or a pause returns; timers keep their time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from textual._context import active_app
from textual.app import App
from textual.screen import Screen

__all__ = ["until_idle"]

_MOST_PAINTS = 100


async def until_idle(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """Wait until nothing runs in the loop and no screen wants to be painted.

    Takes the place of Textual's ``wait_for_idle``; how long to sleep is not asked.
    """
    app = active_app.get()
    for _ in range(_MOST_PAINTS):
        await _until_nothing_is_ready()
        if app._resize_timer is not None:
            app._check_resize()
            continue
        if not app.animator._complete_event.is_set():
            await app.animator.wait_until_complete()
            continue
        stale = list(_stale(app))
        if not stale:
            return
        for screen in stale:
            screen._on_timer_update()
    raise RuntimeError(f"a screen still wants to be painted after {_MOST_PAINTS} times")


async def _until_nothing_is_ready() -> None:
    # Any: the queue of what can run is private to asyncio's loops.
    loop: Any = asyncio.get_running_loop()
    await asyncio.sleep(0)
    # No event tells of it: each turn lets everything run that can.
    while loop._ready:  # noqa: ASYNC110
        await asyncio.sleep(0)


def _stale(app: App[Any]) -> Iterator[Screen[Any]]:
    """Yield the screens whose next repaint is due at Textual's 60 Hz."""
    if app._exit:
        return
    for screen in app._screen_stack:
        if screen.is_running and screen._update_timer._active.is_set():
            yield screen
