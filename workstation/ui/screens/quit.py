"""The quit dialog: which stops stop protecting, and what to do before leaving.

Dismisses with how to leave; the app ends the run then. It executes cancels and closes
itself, and stays open while positions are still being closed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import ClassVar

from workstation.engine.frames import Frame
from workstation.model.commands import CancelOrders, Flatten, Hold
from workstation.ui.screens.ritual import Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import (
    count,
    listed,
    position_text,
    protection_words,
)
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["QuitChoice", "QuitScreen"]


class QuitChoice(StrEnum):
    """How the operator wants to leave."""

    PLAIN = "plain"
    CANCELED = "entries canceled"
    FLATTENED = "flattened"


class QuitScreen(Ritual[QuitChoice]):
    """Ask before quitting; ``play`` lets the clock run, so that closes can fill."""

    PANELS: ClassVar[frozenset[str]] = frozenset({"orders", "positions"})

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        *,
        play: Callable[[], None] | None = None,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self._play = play
        self.closing = False

    def title_text(self) -> str:
        """Name the dialog."""
        return "Quit"

    def live_fields(self) -> Sequence[Field]:
        """Show what is exposed now."""
        scene = self.scene
        held_here = scene.header.held_protection
        return (
            field(count(len(scene.held()), "position"), "strong"),
            field(count(len(scene.entries()), "entry", "entries")),
            Field(
                (
                    (count(held_here, "stop or target", "stops and targets"), ""),
                    (" held here !" if held_here else " held here", "warn"),
                )
            ),
        )

    def sentence(self) -> str:
        """Say what stops protecting, and what is left at the venue."""
        scene = self.basis
        if self.closing:
            return (
                f"Closing {count(len(self.scene.held()), 'position')}; the app ends "
                "when all of them are flat. The clock must run for that."
            )
        held, entries = scene.held(), scene.entries()
        parts = []
        here = [row for row in scene.protection() if row.held]
        if here:
            verb = "stops" if len(here) == 1 else "stop"
            more = f" and {len(here) - 4} more" if len(here) > 4 else ""
            parts.append(
                f"{count(len(here), 'order')} held here {verb} protecting when the "
                f"engine ends: {protection_words(here[:4])}{more}."
            )
        if held:
            names = [position_text(row) for row in held[:4]]
            if len(held) > 4:
                names.append(f"{len(held) - 4} more")
            parts.append(f"Open: {listed(names)}.")
        if entries:
            verb = "works" if len(entries) == 1 else "work"
            parts.append(f"{count(len(entries), 'entry', 'entries')} {verb} on.")
        if not parts:
            return "Nothing is exposed: no position, no working order."
        return " ".join(parts)

    def make_verbs(self) -> Sequence[Verb]:
        """Offer the ways to leave."""
        return (
            Verb("Quit", self._plain, id="go"),
            Verb("Cancel entries and quit", self._cancel, id="cancel"),
            Verb("Flatten and quit", self._flatten, ink="bad", id="flatten"),
        )

    def update_verbs(self) -> None:
        """Show the ways that apply, with numbers."""
        held, entries = len(self.basis.held()), len(self.basis.entries())
        go, cancel = self.query_one("#go", Verb), self.query_one("#cancel", Verb)
        flatten = self.query_one("#flatten", Verb)
        exposed = bool(held or entries)
        go.display = self.closing or not exposed
        go.set_label("Quit now" if self.closing else "Quit")
        cancel.display = exposed and not self.closing
        if entries:
            cancel.set_label(f"Cancel {count(entries, 'entry', 'entries')} and quit")
        else:
            cancel.set_label(f"Quit, leave {count(held, 'position')} open")
        flatten.display = bool(held) and not self.closing
        flatten.set_label(f"Flatten {held} and quit")

    def refresh_from(self, frame: Frame) -> None:
        """Leave once everything is flat, when that was asked for."""
        super().refresh_from(frame)
        if self.closing and self.is_current:
            if not self.scene.lacks({"positions"}) and not self.scene.held():
                self.dismiss(QuitChoice.FLATTENED)
            else:
                self.rewrite()

    def _plain(self) -> None:
        self.dismiss(QuitChoice.PLAIN)

    def _cancel(self) -> None:
        entries = self.basis.entries()
        if self._cancel_entries():
            self.dismiss(QuitChoice.CANCELED if entries else QuitChoice.PLAIN)

    def _cancel_entries(self) -> bool:
        ids = tuple(row.order.id for row in self.basis.entries())
        if not ids:
            return True
        command = CancelOrders(
            order_ids=ids, reason="canceled before quitting", seen_seq=self.seen_seq
        )
        return self.run(command) is not None

    def _flatten(self) -> None:
        # Nothing may be opened behind the closes; a hold that is there already is fine.
        if self._execute is not None and self.scene.header.hold_since_ns is None:
            self._execute(Hold(on=True, reason="quitting"))
        instruments = dict.fromkeys(
            row.position.instrument for row in self.basis.held()
        )
        if not self._cancel_entries():
            return
        for instrument in instruments:
            if self.run(Flatten(instrument=instrument, reason="quitting")) is None:
                return
        self.closing = True
        if self._play is not None:
            self._play()
        self.rewrite()
