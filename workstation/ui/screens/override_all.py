"""The override of several marked rows at once: each by its own plan, each its sentence.

A row for which the choice is not possible is named and left as it is; where what is
chosen for orders has nothing to do in a row, its orders are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace
from textual import on
from textual.widget import Widget
from textual.widgets import Input

from workstation.engine.frames import Frame, SymbolRow
from workstation.engine.override_plan import OverridePlan, plan_override
from workstation.model.commands import Disposition, HandBack, Override
from workstation.model.states import SymbolState
from workstation.ui.screens.fields import ChoiceLine
from workstation.ui.screens.override_fields import (
    DISPOSITIONS,
    HANDED_BACK,
    OverrideRitual,
)
from workstation.ui.screens.ritual import Answer, Execute, Timer, Verb
from workstation.ui.screens.sentences import count, override_sentence

__all__ = ["OverrideAllScreen"]

_AS_IT_IS = "as it is"
_STATES = (_AS_IT_IS, SymbolState.WATCH, SymbolState.CLOSE_WATCH)
_DISPOSITIONS = (
    Disposition.KEEP,
    Disposition.CANCEL,
    Disposition.FLATTEN,
    Disposition.HAND_OVER,
)
_LINES = 8
"""Rows whose sentence is shown; of more only the number is said."""

Key = tuple[str, str]
"""Strategy and instrument of a row."""


class OverrideAllScreen(OverrideRitual):
    """Override marked rows; dismisses with the engine's last answer."""

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        keys: Sequence[Key],
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.keys = tuple(keys)

    def title_text(self) -> str:
        """Say how many rows are meant."""
        return f"Override {count(len(self.keys), 'marked row')}"

    def compose_body(self) -> Iterable[Widget]:
        """Ask for state, disposition, lock, expiry and reason."""
        yield ChoiceLine("state", [(s, s) for s in _STATES], id="state")
        words = [(each, DISPOSITIONS[each]) for each in _DISPOSITIONS]
        yield ChoiceLine("holdings", words, id="disposition")
        yield from self.lock_fields(locked=True)

    @on(ChoiceLine.Changed)
    @on(Input.Changed)
    def _changed(self) -> None:
        self.offer_ends()
        self.rewrite()

    def _rows(self) -> list[SymbolRow]:
        found = [self.basis.row(*key) for key in self.keys]
        return [row for row in found if row is not None and row.state is not None]

    def _planned(self, row: SymbolRow) -> tuple[Override, OverridePlan]:
        """Return the row's command, and what it will do."""
        chosen = self.query_one("#state", ChoiceLine).value
        wanted = Disposition(self.query_one("#disposition", ChoiceLine).value)
        assert row.state is not None
        state = row.state if chosen == _AS_IT_IS else SymbolState(chosen)
        holdings = self.basis.holdings(row)
        made: list[tuple[Override, OverridePlan]] = []
        for disposition in dict.fromkeys((wanted, Disposition.KEEP)):
            command = Override(
                strategy=row.strategy,
                instrument=row.instrument,
                state=state,
                disposition=disposition,
                lock=self.locks,
                expires_ns=self.until_ns,
                reason=self.reason,
                seen_seq=self.seen_seq,
            )
            made.append((command, plan_override(holdings, command, self.basis.ts)))
        return next((each for each in made if not each[1].refusal), made[0])

    def _possible(self) -> list[Override]:
        planned = [self._planned(row) for row in self._rows()]
        return [command for command, plan in planned if not plan.refusal]

    def sentence(self) -> str:
        """Say what happens to each row."""
        rows = self._rows()
        lines = [
            override_sentence(self.basis, row, self._planned(row)[1])
            for row in rows[:_LINES]
        ]
        if len(rows) > _LINES:
            lines.append(f"And {count(len(rows) - _LINES, 'more row')}.")
        return "\n".join(lines)

    def make_verbs(self) -> Sequence[Verb]:
        """Offer the override, and handing back what is locked."""
        return (
            Verb("Override", self._override, id="go"),
            Verb("Hand back", self._hand_back, id="hand_back"),
        )

    def update_verbs(self) -> None:
        """Say how many rows it is for; wait for a reason."""
        go, back = self.query_one("#go", Verb), self.query_one("#hand_back", Verb)
        possible, rows = len(self._possible()), self._rows()
        of = f" of {len(rows)}" if possible < len(rows) else ""
        go.set_label(f"Override {possible}{of} {'row' if possible == 1 else 'rows'}")
        go.ready = self.is_filled and possible > 0
        locked = sum(row.manual for row in rows)
        back.display = locked > 0
        back.set_label(f"Hand back {count(locked, 'row')}")

    def _override(self) -> None:
        answer: Answer | None = None
        touched: set[str] = set()
        for command in self._possible():
            if command.instrument in touched:
                # What this dialog did to the instrument just now is no surprise.
                answer = self.run(replace(command, seen_seq=None))
            else:
                answer = self.run(command)
            touched.add(command.instrument)
            if answer is None:
                return
        if answer is not None:
            self.dismiss(answer)

    def _hand_back(self) -> None:
        answer: Answer | None = None
        for row in self._rows():
            if not row.manual:
                continue
            answer = self.run(
                HandBack(
                    strategy=row.strategy,
                    instrument=row.instrument,
                    reason=self.reason or HANDED_BACK,
                )
            )
            if answer is None:
                return
        if answer is not None:
            self.dismiss(answer)
