"""The quit dialog: which stops stop protecting, and what to do before leaving.

Dismisses with how to leave; the app ends the run then. It executes cancels and closes
itself, and stays open until the venue has answered them. Where nothing can be done any
more (a locked screen, a run that has ended) it offers to leave things as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import ClassVar

from workstation.engine.frames import Frame, PositionRow
from workstation.model.commands import CancelOrders, Flatten, Hold
from workstation.model.orders import OrderRole, OrderStatus
from workstation.ui.screens.ritual import Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import (
    bare,
    count,
    guard_words,
    listed,
    owned_text,
)
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["QuitChoice", "QuitScreen"]


class QuitChoice(StrEnum):
    """How the operator wants to leave."""

    PLAIN = "plain"
    CANCELED = "entries canceled"
    FLATTENED = "flattened"


class QuitScreen(Ritual[QuitChoice]):
    """Ask before quitting.

    ``wind_down`` moves the clock, bounded, so that cancels and closes are answered; the
    app calls ``given_up`` when they were not. ``locked`` and ``ended`` leave only Quit.
    """

    PANELS: ClassVar[frozenset[str]] = frozenset({"orders", "positions"})

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        *,
        wind_down: Callable[[], None] | None = None,
        locked: bool = False,
        ended: bool = False,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self._wind_down = wind_down
        self.locked = locked
        self.ended = ended
        self.closing: QuitChoice | None = None
        """What the dialog waits for, None while it asks."""
        self._left = ""
        self._refused = False

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
            return self._waiting()
        held, entries = scene.held(), scene.entries()
        parts = []
        here = [row for row in scene.protection() if row.held]
        if here:
            verb = "stops" if len(here) == 1 else "stop"
            parts.append(
                f"{count(len(here), 'order')} held here {verb} protecting when the "
                f"engine ends: {guard_words(here)}."
            )
        if held:
            parts.append(f"Open: {_named(held)}.")
        alone = bare(scene, held)
        if alone:
            parts.append(f"Without a stop: {_named(alone)}.")
        waiting = [row for row in entries if row.held]
        working = len(entries) - len(waiting)
        if waiting:
            verb = "stops" if len(waiting) == 1 else "stop"
            parts.append(
                f"{count(len(waiting), 'entry', 'entries')} held here {verb} working "
                "when the engine ends."
            )
        if working:
            verb = "works" if working == 1 else "work"
            on = "" if self._ends_with_the_run else " on"
            parts.append(f"{count(working, 'entry', 'entries')} {verb}{on}.")
        if not parts:
            return "Nothing is exposed: no position, no working order."
        if self._ends_with_the_run:
            parts.append(
                f"This is a {scene.header.mode}: the run ends with the program, and "
                "all of this with it."
            )
        if self.ended:
            parts.append("The run has ended: nothing fills or is canceled any more.")
        elif self.locked:
            parts.append("The screen is locked: it only leaves them as they are.")
        return " ".join(parts)

    def _waiting(self) -> str:
        held, entries = len(self.scene.held()), len(self.scene.entries())
        things = []
        if held and self.closing is QuitChoice.FLATTENED:
            things.append(count(held, "position"))
        if entries:
            things.append(count(entries, "entry", "entries"))
        open_now = listed(things) or "nothing"
        if self._left:
            return f"Not done, {self._left}: still open {open_now}. No new entries."
        return f"Closing {open_now}; the app ends when the venue has answered."

    def make_verbs(self) -> Sequence[Verb]:
        """Offer the ways to leave."""
        if self.locked:
            return (Verb("Quit", self._plain, id="go"),)
        return (
            Verb("Quit", self._plain, id="go"),
            Verb("Cancel entries and quit", self._cancel, id="cancel"),
            Verb("Flatten and quit", self._flatten, ink="bad", id="flatten"),
        )

    def update_verbs(self) -> None:
        """Show the ways that apply, with numbers."""
        held, entries = len(self.basis.held()), len(self.basis.entries())
        exposed = bool(held or entries)
        as_it_is = self.locked or self.ended
        go = self.query_one("#go", Verb)
        go.display = bool(self.closing) or not exposed or as_it_is or self._refused
        go.set_label("Quit now" if self.closing else self._leaving(held, entries))
        if self.locked:
            return
        cancel = self.query_one("#cancel", Verb)
        flatten = self.query_one("#flatten", Verb)
        asks = not self.closing and not as_it_is
        cancel.display = asks and exposed and (bool(entries) or not self._refused)
        if entries:
            cancel.set_label(f"Cancel {count(entries, 'entry', 'entries')} and quit")
        else:
            cancel.set_label(self._leaving(held, entries))
        flatten.display = asks and bool(held)
        flatten.set_label(f"Flatten {held} and quit")

    @property
    def _ends_with_the_run(self) -> bool:
        """Whether what is open ends with the program: no venue keeps it."""
        return self.scene.header.mode in ("simulation", "recording")

    def _leaving(self, held: int, entries: int) -> str:
        """Return the label of leaving things as they are."""
        if not (held or entries):
            return "Quit"
        if self._ends_with_the_run:
            return "Quit, end the run"
        if held:
            return f"Quit, leave {count(held, 'position')} open"
        return f"Quit, leave {count(entries, 'entry', 'entries')}"

    def rewrite(self) -> None:
        """Show everything; what cannot be done is absent before it could be armed."""
        super().rewrite()
        if self.shown and self.ended and not self.armed:
            self.update_verbs()

    def refresh_from(self, frame: Frame) -> None:
        """Leave once all is answered, when that was asked for."""
        super().refresh_from(frame)
        if not self.closing or not self.is_current:
            return
        scene = self.scene
        open_now = scene.lacks(self.PANELS) or bool(scene.entries())
        if self.closing is QuitChoice.FLATTENED:
            open_now = open_now or bool(scene.held())
        if open_now:
            self.rewrite()
        else:
            self.dismiss(self.closing)

    def given_up(self, why: str) -> None:
        """Say that not all was answered; the operator decides then."""
        self._left = why
        if self.shown:
            self.rewrite()

    def _plain(self) -> None:
        self.dismiss(QuitChoice.PLAIN)

    def _cancel(self) -> None:
        entries = self.basis.entries()
        if not entries:
            self.dismiss(QuitChoice.PLAIN)
            return
        self._hold()
        ids = tuple(
            row.order.id
            for row in entries
            if row.order.status is not OrderStatus.PENDING_CANCEL
        )
        command = CancelOrders(
            order_ids=ids, reason="canceled before quitting", seen_seq=self.seen_seq
        )
        if ids and self.run(command) is None:
            self._stay()
            return
        self._close(QuitChoice.CANCELED)

    def _flatten(self) -> None:
        self._hold()
        scene = self.basis
        closing = {
            row.order.instrument
            for row in self.scene.working()
            if row.order.role is OrderRole.FLATTEN
        }
        # Entries too: a flatten also closes what of them fills before its cancel.
        instruments = dict.fromkeys(
            [row.position.instrument for row in scene.held()]
            + [row.order.instrument for row in scene.entries()]
        )
        for instrument in instruments:
            if instrument in closing:
                continue
            command = Flatten(
                instrument=instrument, reason="quitting", seen_seq=self.seen_seq
            )
            if self.run(command) is None:
                self._stay()
                return
        self._close(QuitChoice.FLATTENED)

    def _hold(self) -> None:
        # Nothing may be opened behind the closes; a hold that is there already is fine.
        if self._execute is not None and self.scene.header.hold_since_ns is None:
            self._execute(Hold(on=True, reason="quitting"))

    def _stay(self) -> None:
        self._refused = True
        self.rewrite()

    def _close(self, choice: QuitChoice) -> None:
        self.closing = choice
        if self._wind_down is not None:
            self._wind_down()
        self.rewrite()


def _named(rows: Sequence[PositionRow]) -> str:
    """Return ``+1.000 BTCUSDT of ema_cross``; more than four are counted."""
    names = [owned_text(row) for row in rows[:4]]
    if len(rows) > 4:
        names.append(f"{len(rows) - 4} more")
    return listed(names)
