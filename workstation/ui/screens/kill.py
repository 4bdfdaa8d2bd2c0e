"""The kill ladder: hold, cancel entries, flatten; the way back is a typed word.

The app has executed ``Kill(HOLD)`` before it opens this. A second ``ctrl+k`` comes in
as ``second`` and acts at once; ``esc`` lifts the hold of the press that opened it. On a
locked screen the ladder goes up only: re-arming is absent. A read-only one is locked
for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from workstation.engine.frames import Frame, OrderRow
from workstation.model.commands import Kill, KillLevel, Rearm
from workstation.model.orders import OrderStatus
from workstation.ui.screens.fields import TextField
from workstation.ui.screens.flatten_plan import FlattenPart, flatten_parts
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import (
    count,
    guard_words,
    listed,
    owned_text,
)
from workstation.ui.typeset import money
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["FLATTEN_WORD", "REARM_WORD", "KillScreen"]

FLATTEN_WORD = "FLATTEN"
REARM_WORD = "REARM"

_RUNGS = (
    ("hold", "new orders are refused; stops, exits and cancels go on"),
    ("cancel", "entries are canceled; stops and targets stay"),
    ("flatten", "positions are closed at market"),
)


class KillScreen(Ritual[Answer]):
    """The ladder; with ``lifts`` the press that opened it did the hold.

    ``locked`` leaves out re-arming; ``esc`` still lifts the hold of that same press.
    ``read_only`` says that nothing unlocks it.
    """

    DEFAULT_CSS = """
    KillScreen #rungs { height: auto; margin: 0 2 1 2; }
    """
    BELOW: ClassVar[frozenset[str]] = frozenset({"flatten", "rearm"})
    PANELS: ClassVar[frozenset[str]] = frozenset({"orders", "positions"})

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        *,
        lifts: bool = False,
        locked: bool = False,
        read_only: bool = False,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.lifts = lifts
        self.locked = locked or read_only
        self.read_only = read_only
        self.level = frame.header.kill

    def title_text(self) -> str:
        """Name the dialog."""
        return "Kill ladder"

    def live_fields(self) -> Sequence[Field]:
        """Show the rung, and what is still there."""
        header = self.scene.header
        if header.kill is not None:
            word = "halted" if header.kill == KillLevel.HOLD else "killed"
            state = field(f"{word}: {header.kill}", "bad")
        else:
            state = field("armed: orders are allowed", "warn")
        return (
            state,
            field(count(len(self.scene.entries()), "entry", "entries")),
            field(count(len(self.scene.protection()), "stop or target", "protecting")),
            field(count(len(self.scene.held()), "position")),
            field(header.kill_reason, "dim", 2),
        )

    def compose_body(self) -> Iterable[Widget]:
        """Show the rungs and ask for the word."""
        yield Static("", id="rungs", markup=False)
        hint = f"{FLATTEN_WORD} or {REARM_WORD}, for the last two"
        if self.locked:
            hint = f"{FLATTEN_WORD}, for the last rung"
        yield TextField("word", placeholder=hint, id="word")

    def refresh_from(self, frame: Frame) -> None:
        """Follow the run: the ladder only reduces risk, and its last rung is typed."""
        super().refresh_from(frame)
        self.level = frame.header.kill
        self.basis = self.scene
        self.rewrite()

    def rewrite(self) -> None:
        """Show the ladder with the rung that is reached."""
        super().rewrite()
        if not self.shown:
            return
        lines = []
        names = [name for name, _ in _RUNGS]
        reached = names.index(self.level) if self.level in names else -1
        for place, (name, meaning) in enumerate(_RUNGS):
            glyph = "✓" if place <= reached else "·"
            lines.append(f"{glyph} {place + 1} {name:<8} {meaning}")
        self.put("rungs", "\n".join(lines))

    def after_entry(self) -> None:
        """Go to the button whose word was typed, not to the one that lifts the hold."""
        ready = [
            verb.id
            for verb in self.query(Verb)
            if verb.id in self.BELOW and verb.ready and verb.display
        ]
        self.query_one(f"#{ready[0]}" if ready else "#word Input").focus()
        word = self.query_one("#word", TextField).text
        if word and not ready:
            self.say(self._answer(word))

    # --- what happens -----------------------------------------------------------------

    def sentence(self) -> str:
        """Say what is held, and what the next rungs would do."""
        scene = self.basis
        entries = self._entries()
        parts = []
        if self.level == KillLevel.HOLD:
            since = "since this key" if self.lifts else "until re-armed"
            parts.append(f"Halted: no new orders {since}.")
            if entries:
                verb = "keeps" if len(entries) == 1 else "keep"
                work = count(len(entries), "entry", "entries")
                parts.append(f"{work} {verb} working; ctrl+k again cancels.")
        elif self.level is not None:
            parts.append(f"Killed at {self.level}: no new orders until re-armed.")
            parts.extend(_tripped(scene.header.kill_reason, scene.header.equity))
        else:
            parts.append("Orders are allowed.")
        parts.extend(self._guarded())
        parts.extend(self._positions())
        if self._will_lift():
            parts.append(f"esc lifts the hold{self._only_now()}.")
        elif self.level is not None and self.read_only:
            parts.append("This screen is read-only: it cannot re-arm.")
            parts.append("One started without --read-only can.")
        elif self.level is not None and self.locked:
            parts.append("The screen is locked: L unlocks it, then it re-arms.")
        return " ".join(parts)

    def _entries(self) -> list[OrderRow]:
        """Return the entries that the second rung would cancel."""
        return [
            row
            for row in self.basis.entries()
            if row.order.status is not OrderStatus.PENDING_CANCEL
        ]

    def _parts(self) -> list[FlattenPart]:
        """Return what closing does to each position, and what is done already."""
        scene = self.basis
        instruments = dict.fromkeys(row.position.instrument for row in scene.held())
        return [
            part for name in instruments for part in flatten_parts(scene, name, None)
        ]

    def _guarded(self) -> list[str]:
        """Say which stops and targets stay, and which end with a close under way."""
        ends = [each for part in self._parts() if not part.left for each in part.guard]
        ids = {row.order.id for row in ends}
        stays = [row for row in self.basis.protection() if row.order.id not in ids]
        said = []
        if stays:
            verb = "stays" if len(stays) == 1 else "stay"
            said.append(f"{_capital(guard_words(stays))} {verb}.")
        if ends:
            verb = "ends" if len(ends) == 1 else "end"
            said.append(f"{_capital(guard_words(ends))} {verb} with the fill.")
        return said

    def _positions(self) -> list[str]:
        """Say what flatten would close, and what is being closed already."""
        parts = self._parts()
        left = [part for part in parts if part.left]
        going = [part for part in parts if part.closing and not part.left]
        said = []
        if going:
            signs = {part.row.position.quantity > 0 for part in going}
            verb = (
                "closed" if len(signs) > 1 else "sold" if signs == {True} else "bought"
            )
            is_ = "is" if len(going) == 1 else "are"
            waits = ", once the clock moves" if self.basis.header.stands else ""
            what = count(len(going), "position")
            said.append(f"{what} {is_} being {verb} already{waits}.")
        if left:
            names = [owned_text(part.row) for part in left[:3]]
            if len(left) > 3:
                names.append(f"{len(left) - 3} more")
            if self.level == KillLevel.FLATTEN:
                said.append(f"Not being closed: {listed(names)}; F closes each.")
            else:
                said.append(f"Flatten closes {listed(names)} at market.")
        return said

    def _only_now(self) -> str:
        if self.read_only:
            return "; a read-only screen cannot do it later"
        return "; a locked screen cannot do it later" if self.locked else ""

    def back_label(self) -> str:
        """Say what going back does."""
        return "Lift the hold" if self._will_lift() else "Back"

    def _will_lift(self) -> bool:
        return self.lifts and self.level == KillLevel.HOLD

    def make_verbs(self) -> Sequence[Verb]:
        """Offer the rungs, the way back, and leaving the rung as it is."""
        verbs = [
            Verb("Cancel entries", self.second, id="go"),
            Verb("Keep the hold", self._keep, id="keep"),
            Verb("Flatten", self._flatten, ink="bad", id="flatten"),
        ]
        if not self.locked:
            verbs.append(Verb("Re-arm", self._rearm, id="rearm"))
        return verbs

    def update_verbs(self) -> None:
        """Put numbers on the buttons; two of them wait for their word."""
        entries = len(self._entries())
        left = sum(1 for part in self._parts() if part.left)
        word = self.query_one("#word", TextField).text
        go = self.query_one("#go", Verb)
        go.set_label(f"Cancel {count(entries, 'entry', 'entries')}")
        go.ready = self.level in (None, KillLevel.HOLD) and entries > 0
        flatten = self.query_one("#flatten", Verb)
        # With an entry working, what it still fills would be closed as it comes.
        flatten.set_label(
            f"Flatten {count(left, 'position')}" if left else "Flatten what fills"
        )
        flatten.display = self._may_flatten()
        flatten.ready = word == FLATTEN_WORD and flatten.display
        for rearm in self.query("#rearm").results(Verb):
            rearm.ready = word == REARM_WORD and self.level is not None
        self.query_one("#keep", Verb).display = self._will_lift()
        self.query_one("#back", Verb).set_label(self.back_label())

    def _may_flatten(self) -> bool:
        """Tell whether the last rung is above this one, and would do anything."""
        works = bool(self.basis.entries()) or any(part.left for part in self._parts())
        return works and self.level != KillLevel.FLATTEN

    @on(Input.Changed)
    def _typed(self) -> None:
        self.say("")

    def _answer(self, word: str) -> str:
        """Say why a word that was typed does nothing; "" where it does."""
        if word == FLATTEN_WORD:
            if self._may_flatten():
                return ""
            return " ".join(self._positions()) or "Nothing is held or working."
        if word == REARM_WORD and not self.locked:
            return "" if self.level is not None else "Orders are allowed already."
        words = FLATTEN_WORD if self.locked else f"{FLATTEN_WORD} nor {REARM_WORD}"
        neither = "is not" if self.locked else "is neither"
        return f"“{word}” {neither} {words}, in capitals: nothing was done."

    def second(self) -> None:
        """Cancel entries and quotes at once: the second ``ctrl+k``, or its button."""
        if self.level not in (None, KillLevel.HOLD):
            return
        self._climb(KillLevel.CANCEL)

    def _flatten(self) -> None:
        self._climb(KillLevel.FLATTEN)

    def _climb(self, level: KillLevel) -> None:
        answer = self.run(Kill(level=level, reason="kill ladder"))
        if answer is not None:
            self.level = level.value
            self.lifts = False
            self.say(f"Done at seq {answer.seq}: {level.value}.")
            self.disarm()
            self.call_after_refresh(self._start_arming)

    def _rearm(self) -> None:
        answer = self.run(Rearm(reason=f"typed {REARM_WORD}"))
        if answer is not None:
            self.dismiss(answer)

    def _keep(self) -> None:
        self.dismiss(None)

    def back(self) -> None:
        """Lift the hold of the press that opened this, or just close."""
        if not self._will_lift():
            self.dismiss(None)
            return
        answer = self.run(Rearm(reason="the hold was lifted with esc"))
        if answer is not None:
            self.dismiss(answer)


def _tripped(reason: str, equity: Decimal) -> list[str]:
    """Say why a breaker climbed, and what a re-arm does about it."""
    code, _, text = reason.partition(": ")
    if code == "MAX_DAILY_LOSS":
        after = "Entries stay denied until the day ends or the limit is raised"
    elif code == "MAX_DRAWDOWN":
        after = f"A re-arm counts the drawdown anew, from {money(equity)}"
    else:
        return []
    return [f"By a breaker: {text}.", f"{after}."]


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
