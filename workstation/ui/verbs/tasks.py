"""Verbs of tasks, feeds and strategies: pause, step, restart, record, reload …"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workstation.model.commands import (
    Command,
    PauseTask,
    RestartTask,
    ResumeTask,
    StepTask,
)
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.stop_task import StopTaskScreen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workstation.engine.recorder import RecorderAnswer
    from workstation.engine.reloading import ReloadAnswer
    from workstation.ui.app import WorkstationApp

__all__ = ["VERBS"]


def _each(app: WorkstationApp, make: Any) -> None:
    # Any: a command type, or what chooses one by the task's name.
    """Execute a command on the marked tasks, or the one below the cursor."""
    panel = app.panel
    if panel is None:
        return
    names = [choice.task for choice in panel.choices if choice.task]
    said = []
    refused = False
    for name in names:
        command: Command = make(name)
        outcome = app.bridge.execute(command)
        if outcome is None:
            continue
        refused = refused or not outcome.accepted
        said.append(
            outcome.detail if outcome.accepted else f"Refused: {outcome.detail}"
        )
    if said:
        text = said[-1] if len(said) == 1 else f"{len(said)} tasks: {said[-1]}"
        app.say(f"{text}.", "warn" if refused else "")


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
    panel = app.panel
    session = app.bridge.session
    if panel is None or session is None:
        return
    answers = [
        session.toggle_recording(choice.task) for choice in panel.choices if choice.task
    ]
    if answers:
        app.bridge_now()
    _say(app, answers, "feeds")


def reload(app: WorkstationApp) -> None:
    """Try the file of a strategy's script, and reload it; the run goes on meanwhile."""
    session = app.bridge.session
    if app.panel is not None and session is not None:
        names = [choice.task for choice in app.panel.choices if choice.task]
        _say(app, [session.reloading.reload(name) for name in names], "scripts")


def roll_back(app: WorkstationApp) -> None:
    """Go back to the version of the script before this one."""
    session = app.bridge.session
    if app.panel is not None and session is not None:
        names = [choice.task for choice in app.panel.choices if choice.task]
        _say(app, [session.reloading.roll_back(name) for name in names], "scripts")


def _say(
    app: WorkstationApp, answers: Sequence[RecorderAnswer | ReloadAnswer], what: str
) -> None:
    """Say the last of some answers, and of how many it is one."""
    if not answers:
        return
    refused = not all(answer.accepted for answer in answers)
    last = answers[-1].detail
    text = last if len(answers) == 1 else f"{len(answers)} {what}: {last}"
    app.say(f"{text}.", "warn" if refused else "")


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
    "feed.record": record,
    "script.reload": reload,
    "script.roll_back": roll_back,
}
