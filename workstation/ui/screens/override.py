"""The override dialog: a row's state by hand, with what happens to what it holds.

Only legal choices are offered, and what they do is worked out by the plan that the
engine carries out; it has the last word, and its refusal stays on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from workstation.engine.frames import Frame, SymbolRow
from workstation.engine.override_plan import OverridePlan, choices, plan_override
from workstation.model.commands import Disposition, HandBack, Override
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_S, parse_span
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import count, override_sentence, row_fields
from workstation.ui.widgets.status_lines import Field

__all__ = ["OverrideScreen"]

_EXPIRIES = (
    ("none", "none"),
    ("5m", "5 minutes"),
    ("1h", "1 hour"),
    ("custom", "other"),
)
_DISPOSITIONS = {
    Disposition.KEEP: "keep",
    Disposition.CANCEL: "cancel entries",
    Disposition.FLATTEN: "flatten",
    Disposition.HAND_OVER: "hand over",
    Disposition.ADOPT: "adopt",
}


class OverrideScreen(Ritual[Answer]):
    """Override one (strategy, instrument) row; dismisses with the engine's answer."""

    PANELS: ClassVar[frozenset[str]] = frozenset({"symbols", "orders", "positions"})

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
        row = self._row
        yield ChoiceLine("state", [(s, s) for s in self._choices], id="state")
        yield ChoiceLine("holdings", (), id="disposition")
        yield ChoiceLine(
            "lock",
            [("yes", "manual"), ("no", "no")],
            chosen="yes" if row.manual else "no",
            id="lock",
        )
        yield ChoiceLine("until", _EXPIRIES, id="expiry")
        custom = TextField(
            "for", placeholder="30s 15m 2h 1d", check=_span, short=True, id="custom"
        )
        custom.display = False
        yield custom
        yield TextField(
            "reason",
            placeholder="why; it is journalled",
            check=lambda text: "" if text else "required",
            id="reason",
        )

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

    @property
    def locks(self) -> bool:
        """Whether the row is locked in manual."""
        return self.query_one("#lock", ChoiceLine).value == "yes"

    @property
    def reason(self) -> str:
        """The reason typed."""
        return self.query_one("#reason", TextField).text

    @property
    def until_ns(self) -> int | None:
        """When the lock ends; None = not by itself."""
        expiry = self.query_one("#expiry", ChoiceLine).value
        if not self.locks or expiry in ("", "none"):
            return None
        text = (
            self.query_one("#custom", TextField).text if expiry == "custom" else expiry
        )
        if _span(text):
            return None
        return self.basis.ts + parse_span(text)

    def _offer(self) -> None:
        self.query_one("#disposition", ChoiceLine).set_options(
            [(d, _DISPOSITIONS[d]) for d in self._choices[self.state]],
        )
        expiry = self.query_one("#expiry", ChoiceLine)
        if self.locks:
            expiry.set_options(_EXPIRIES)
        else:
            expiry.set_options((), note="no lock, no end")
        self.query_one("#custom", TextField).display = expiry.value == "custom"

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
        custom = self.query_one("#custom", TextField)
        go.ready = bool(self.reason) and not (custom.display and custom.wrong)

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
                reason=self.reason or "handed back by the operator",
            )
        )
        if answer is not None:
            self.dismiss(answer)


def _span(text: str) -> str:
    try:
        parse_span(text)
    except ValueError:
        return "a count and a unit, such as 30s, 15m, 2h"
    if parse_span(text) > 366 * 86_400 * NS_PER_S:
        return "at most a year"
    return ""
