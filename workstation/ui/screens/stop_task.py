"""The dialog before a task is stopped: who needs it, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from workstation.engine.frames import Frame
from workstation.kernel import TaskStats
from workstation.model.commands import StopTask
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import (
    count,
    listed,
    position_text,
    protection_words,
)
from workstation.ui.typeset import age, number
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["StopTaskScreen"]


class StopTaskScreen(Ritual[Answer]):
    """Stop one task by name; ``dependants`` overrides what the frame says."""

    PANELS: ClassVar[frozenset[str]] = frozenset(
        {"symbols", "orders", "positions", "feeds", "tasks"}
    )

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        task: str,
        *,
        dependants: Sequence[str] | None = None,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.task_name = task
        self._given = dependants

    def title_text(self) -> str:
        """Name the task."""
        return f"Stop {self.task_name}"

    def live_fields(self) -> Sequence[Field]:
        """Show the task as it is now."""
        stats = self._stats()
        if stats is None:
            return (field(f"{self.task_name} is not among the tasks", "warn"),)
        return (
            field(stats.state.value, "strong"),
            Field((("events ", "dim"), (number(stats.events, 0), ""))),
            Field((("lag ", "dim"), (age(stats.lag_ns), "")), priority=2),
            Field((("errors ", "dim"), (str(stats.errors), "")), priority=1),
        )

    def _stats(self) -> TaskStats | None:
        tasks = self.scene.tasks or ()
        return next((one for one in tasks if one.name == self.task_name), None)

    def _is_feed(self) -> bool:
        return any(feed.name == self.task_name for feed in self.basis.feeds or ())

    def dependants(self) -> tuple[str, ...]:
        """Return the names of the tasks that get nothing more without this one."""
        if self._given is not None:
            return tuple(self._given)
        if not self._is_feed():
            return ()
        return tuple(dict.fromkeys(row.strategy for row in self.basis.symbols or ()))

    def sentence(self) -> str:
        """Say what stops, who needs it, and what goes on."""
        name, scene = self.task_name, self.basis
        if self._is_feed():
            feed = next(f for f in scene.feeds or () if f.name == name)
            text = (
                f"{name} delivers no more: {count(feed.symbols, 'symbol')} "
                "become untrusted and will not trade."
            )
            names = [one for one in self.dependants() if one]
            if names:
                text += f" {listed(names)} {'needs' if len(names) == 1 else 'need'} it."
            held = scene.held()
        else:
            entries = len(scene.entries(name))
            text = f"{name} is asked no more."
            if entries:
                text += f" {count(entries, 'entry', 'entries')} will be canceled."
            if self.dependants():
                text += f" {listed(list(self.dependants()))} need it."
            held = scene.held(name)
        if held:
            names = [position_text(row) for row in held[:3]]
            if len(held) > 3:
                names.append(f"{len(held) - 3} more")
            text += f" In trade: {listed(names)}"
            guard = scene.protection(None if self._is_feed() else name)
            if self._is_feed():
                text += "; held stops see no prices any more."
            elif guard:
                text += f"; {protection_words(guard[:3])} stay held here."
            else:
                text += ", without a stop."
        return text

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to stop."""
        return (Verb(f"Stop {self.task_name}", self._stop, ink="bad", id="go"),)

    def _stop(self) -> None:
        answer = self.run(
            StopTask(
                task=self.task_name,
                reason="stopped by the operator",
                seen_seq=self.seen_seq,
            )
        )
        if answer is not None:
            self.dismiss(answer)
