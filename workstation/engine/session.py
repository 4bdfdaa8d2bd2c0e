"""A session: one run with its driver, its control and its frames, as the UI holds it.

What the screen may touch of the engine, in one place: it pulls frames, executes
commands and gives words to the driver.
"""

from __future__ import annotations

from workstation.engine.control import Control, Outcome
from workstation.engine.drivers import PlayDriver
from workstation.engine.engine import Engine
from workstation.engine.frames import Focus, Frame
from workstation.engine.framing import FrameSource
from workstation.model.commands import Command

__all__ = ["Session"]


class Session:
    """A run under an operator's hand."""

    def __init__(
        self, engine: Engine, control: Control, driver: PlayDriver, frames: FrameSource
    ) -> None:
        self.engine = engine
        self.control = control
        self.driver = driver
        self.frames = frames

    def frame(
        self, cursor: int, panels: frozenset[str], focus: Focus | None = None
    ) -> Frame:
        """Return what has changed since ``cursor`` for these panels."""
        return self.frames.frame(cursor, panels, focus)

    def execute(self, command: Command) -> Outcome:
        """Take a command now, between two inputs."""
        return self.control.execute(command)
