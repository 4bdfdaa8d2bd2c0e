"""Verbs of tasks, feeds and strategies: pause, step, restart, record, reload …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from workstation.model.commands import (
    Command,
    PauseTask,
    RestartTask,
    ResumeTask,
    StepTask,
)
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.roll_back import RollBackScreen
from workstation.ui.screens.stop_task import StopTaskScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from workstation.ui.app import WorkstationApp

__all__ = ["VERBS"]


class _Answer(Protocol):
    """What became of a command, a recording or a reload."""

    @property
    def accepted(self) -> bool: ...
    @property
    def detail(self) -> str: ...


def _names(app: WorkstationApp) -> list[str]:
    """Return the marked tasks, or the one below the cursor."""
    panel = app.panel
    choices = () if panel is None else panel.choices
    return [choice.task for choice in choices if choice.task]


def _each(app: WorkstationApp, make: Callable[[str], Command]) -> None:
    """Execute the command that ``make`` makes for each task, by its name."""
    _ask(app, "tasks", lambda name: app.bridge.execute(make(name)))


def _ask(app: WorkstationApp, what: str, ask: Callable[[str], _Answer | None]) -> None:
    """Ask for each task; say the last answer, and of how many it is one."""
    answers = [answer for answer in map(ask, _names(app)) if answer is not None]
    if not answers:
        return
    last = answers[-1]
    text = last.detail if last.accepted else f"Refused: {last.detail}"
    if len(answers) > 1:
        text = f"{len(answers)} {what}: {text}"
    app.say(f"{text}.", "" if all(each.accepted for each in answers) else "warn")


def _states(app: WorkstationApp) -> dict[str, str]:
    frame = app.bridge.look(frozenset({"tasks"}))
    if frame is None:
        return {}
    return {task.name: str(task.state.value) for task in frame.tasks or ()}


def pause(app: WorkstationApp) -> None:
    """Pause or resume."""
    states = _states(app)

    def make(name: str) -> Command:
        if states.get(name) == "paused":
            return ResumeTask(task=name, reason="p")
        return PauseTask(task=name, reason="p")

    _each(app, make)


def step(app: WorkstationApp) -> None:
    """Let a paused task make one withheld call."""
    app.bridge.begin_step()
    _each(app, lambda name: StepTask(task=name, reason="s"))


def restart(app: WorkstationApp) -> None:
    """Restart a task."""
    _each(app, lambda name: RestartTask(task=name, reason="r"))


def stop(app: WorkstationApp) -> None:
    """Ask to stop a task, naming what depends on it."""
    panel = app.panel
    choice = None if panel is None else panel.choice
    frame = app.bridge.look(StopTaskScreen.PANELS)
    if choice is None or not choice.task or frame is None:
        return
    app.push_screen(StopTaskScreen(frame, app.run_command, choice.task), app.answered)


def record(app: WorkstationApp) -> None:
    """Begin or end the recording of the feed; the run is not touched by it."""
    session = app.bridge.session
    if session is not None:
        _ask(app, "feeds", session.toggle_recording)
        app.bridge_now()


def reload(app: WorkstationApp) -> None:
    """Try the file of a strategy's script, and reload it; the run goes on meanwhile."""
    session = app.bridge.session
    if session is not None:
        _ask(app, "scripts", session.reloading.reload)


def roll_back(app: WorkstationApp) -> None:
    """Ask to go back to the version of the script before this one."""
    choice, session = app.choice, app.bridge.session
    frame = app.bridge.look(RollBackScreen.PANELS)
    if choice is None or not choice.task or session is None or frame is None:
        return
    reloading, name = session.reloading, choice.task

    def done(answer: _Answer | None) -> None:
        if answer is not None:
            app.say(f"{answer.detail}.")

    app.push_screen(
        RollBackScreen(
            frame,
            name,
            lambda: reloading.versions(name),
            lambda: reloading.roll_back(name),
        ),
        done,
    )


def turn_symbol(step: int) -> Callable[[WorkstationApp], None]:
    """Return the verb that goes to the strategy's next (+1) or previous symbol."""

    def turn(app: WorkstationApp) -> None:
        if app.choice is not None:
            app.focus.turn(app.choice.task, step)
            app.bridge_now()

    return turn


def inject(app: WorkstationApp) -> None:
    """Open the form of an event made by hand."""
    focus = app.focus_row
    frame = app.bridge.look(InjectScreen.PANELS)
    if focus is None or frame is None:
        return
    instruments = {each.id: each for each in app.config.run.instruments}
    app.push_screen(
        InjectScreen(
            frame, app.run_command, instruments, focus.instrument, focus.strategy
        ),
        app.answered,
    )


VERBS: dict[str, Any] = {
    "task.pause": pause,
    "task.step": step,
    "task.restart": restart,
    "task.stop": stop,
    "task.inject": inject,
    "strategy.previous_symbol": turn_symbol(-1),
    "strategy.next_symbol": turn_symbol(1),
    "feed.record": record,
    "script.reload": reload,
    "script.roll_back": roll_back,
}
