"""Runs that were played once, and pictures drawn of them in processes of their own.

Playing 40,000 events took longer than drawing. The run stands in this process and is
never touched here: each picture is drawn by a fork, whose keys, steps and commands die
with it, so no picture can tell which ones were drawn before.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
import warnings
from collections.abc import Callable
from typing import Any

from textual.app import App

from docs.screenshots import Still, run_to
from workstation.config import Config

__all__ = ["Drawn", "draw_apart"]

_MOST_KEPT = 3
_kept: list[tuple[Config, int, Still, str]] = []


class Drawn(App[str]):
    """A picture that is there already, for what wants an app to draw it."""

    def __init__(self, svg: str) -> None:
        super().__init__()
        self._svg = svg

    def run(self, *arguments: Any, **options: Any) -> str:
        """Return the picture. Any: the arguments of Textual's own are not looked at."""
        return self._svg


def draw_apart(config: Config, events: int, draw: Callable[[Still], str]) -> str:
    """Return what ``draw`` makes of the run at ``events``, in a fork.

    Raises RuntimeError where it has failed; what it said is in the captured output.
    """
    still = _prepared(config, events)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # From 3.12 on: other threads live. The fork uses nothing of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reader)
        _answer(writer, draw, still)
    os.close(writer)
    try:
        with os.fdopen(reader, encoding="utf-8") as pipe:
            svg = pipe.read()
    except BaseException:  # a test that took too long: its fork must not go on
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise RuntimeError(f"the picture was not drawn: its process ended {status}")
    return svg


def _answer(writer: int, draw: Callable[[Still], str], still: Still) -> None:
    status = 1
    try:
        # The guard's watcher is a thread and did not come along; a lock it may have
        # held did. The first call starts another.
        guard = still._session.guard
        guard._watcher, guard._busy = None, threading.Event()
        with os.fdopen(writer, "w", encoding="utf-8") as pipe:
            pipe.write(draw(still))
        status = 0
    except BaseException:  # the process's edge: the tests must not go on in it
        traceback.print_exc()
    finally:
        os._exit(status)


def _prepared(config: Config, events: int) -> Still:
    for kept, at, still, before in _kept:
        if (kept.run, at) == (config.run, events):
            assert still.engine.state_hash() == before, "a shared run was changed"
            return still
    still = run_to(config, events)
    _kept.append((config, events, still, still.engine.state_hash()))
    while len(_kept) > _MOST_KEPT:
        _kept.pop(0)[2].close()
    return still
