"""The override dialog: a row's state by hand, with what happens to what it holds.

Only legal choices are offered, and what they do is worked out by the plan that the
engine carries out; it has the last word, and its refusal stays on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from workstation.engine.frames import Frame, SymbolRow
from workstation.engine.override_plan import OverridePlan, choices, plan_override
from workstation.model.commands import Disposition, HandBack, Override
from workstation.model.states import SymbolState
from workstation.ui.screens.fields import ChoiceLine
from workstation.ui.screens.override_fields import (
    DISPOSITIONS,
    HANDED_BACK,
    OverrideRitual,
)
from workstation.ui.screens.ritual import Execute, Timer, Verb
from workstation.ui.screens.sentences import count, override_sentence, row_fields
from workstation.ui.widgets.status_lines import Field

__all__ = ["OverrideScreen"]


class OverrideScreen(OverrideRitual):
    """Override one (strategy, instrument) row; dismisses with the engine's answer."""

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        strategy: str,
        instrument: str,
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.strategy = strategy
        self.instrument = instrument

    def title_text(self) -> str:
        """Name the row."""
        return f"Override {self._row.symbol} {self.strategy}"

    def live_fields(self) -> Sequence[Field]:
        """Show the row as it is now."""
        return row_fields(self.scene, self.strategy, self.instrument)

    @property
    def _row(self) -> SymbolRow:
        row = self.basis.row(self.strategy, self.instrument)
        if row is None:
            raise LookupError(f"the frame has no row {self.strategy} {self.instrument}")
        return row

    @property
    def _choices(self) -> dict[SymbolState, tuple[Disposition, ...]]:
        return choices(self.basis.holdings(self._row), self.basis.ts)

    @property
    def _plan(self) -> OverridePlan:
        holdings = self.basis.holdings(self._row)
        return plan_override(holdings, self._command(), self.basis.ts)

    def compose_body(self) -> Iterable[Widget]:
        """Ask for state, disposition, lock, expiry and reason."""
        yield ChoiceLine("state", [(s, s) for s in self._choices], id="state")
        yield ChoiceLine("holdings", (), id="disposition")
        yield from self.lock_fields(locked=self._row.manual)

    def on_mount(self) -> None:
        """Offer what the first state allows."""
        self._offer()

    # --- what is chosen ---------------------------------------------------------------

    @property
    def state(self) -> SymbolState:
        """The state chosen."""
        return SymbolState(self.query_one("#state", ChoiceLine).value)

    @property
    def disposition(self) -> Disposition:
        """What happens to orders and position."""
        return Disposition(self.query_one("#disposition", ChoiceLine).value)

    def _offer(self) -> None:
        self.query_one("#disposition", ChoiceLine).set_options(
            [(d, DISPOSITIONS[d]) for d in self._choices[self.state]],
        )
        self.offer_ends()

    @on(ChoiceLine.Changed)
    def _chosen(self) -> None:
        self._offer()
        self.rewrite()

    @on(Input.Changed)
    def _typed(self) -> None:
        self.rewrite()

    def rebase(self) -> None:
        """Offer what the latest scene allows, and write the sentence from it."""
        self.basis = self.scene
        states = self._choices
        self.query_one("#state", ChoiceLine).set_options([(s, s) for s in states])
        self._offer()
        super().rebase()

    # --- what happens -----------------------------------------------------------------

    def sentence(self) -> str:
        """Preview the choices."""
        return override_sentence(self.basis, self._row, self._plan)

    def make_verbs(self) -> Sequence[Verb]:
        """Offer the override, and handing back what is locked."""
        verbs = [Verb("Override", self._override, id="go")]
        if self._row.manual:
            verbs.append(Verb("Hand back", self._hand_back, id="hand_back"))
        return verbs

    def update_verbs(self) -> None:
        """Name what is canceled; wait for a reason."""
        go = self.query_one("#go", Verb)
        orders = len(self._plan.cancels)
        verb = {
            Disposition.CANCEL: f"Override, cancel {count(orders, 'entry', 'entries')}",
            Disposition.FLATTEN: "Override and flatten",
            Disposition.HAND_OVER: "Override and hand over",
            Disposition.ADOPT: "Override and adopt",
        }.get(self.disposition, "Override 1 row")
        go.set_label(verb)
        go.ready = self.is_filled

    def _command(self) -> Override:
        return Override(
            strategy=self.strategy,
            instrument=self.instrument,
            state=self.state,
            disposition=self.disposition,
            lock=self.locks,
            expires_ns=self.until_ns,
            reason=self.reason,
            seen_seq=self.seen_seq,
        )

    def _override(self) -> None:
        answer = self.run(self._command())
        if answer is not None:
            self.dismiss(answer)

    def _hand_back(self) -> None:
        answer = self.run(
            HandBack(
                strategy=self.strategy,
                instrument=self.instrument,
                reason=self.reason or HANDED_BACK,
            )
        )
        if answer is not None:
            self.dismiss(answer)
