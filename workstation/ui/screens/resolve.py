"""The dialog that settles one line: what is made of it, for whom, and why.

Only what is legal for the line is offered. A balance's difference travels with the
answer as it was shown: another one is refused, and the dialog shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from workstation.engine.frames import Frame
from workstation.engine.order_preview import Touch
from workstation.model.commands import Resolve
from workstation.model.instruments import Instrument
from workstation.model.reconciliation import BalanceLine, Resolution
from workstation.ui.screens.both_sides import (
    Instruments,
    Line,
    can_be_settled,
    find_line,
    line_fields,
)
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.price_field import PriceField
from workstation.ui.screens.resolving import (
    Settlement,
    attributable,
    settle_sentence,
    settle_verb,
    subject_of,
    takers,
    ways,
)
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.scene import Scene
from workstation.ui.typed_numbers import amount_of, wrong_amount
from workstation.ui.typeset import plain
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["ResolveScreen"]

_CHANGED = "It is another now; read again what is shown."


class ResolveScreen(Ritual[Answer]):
    """Settle one line; dismisses with the engine's answer."""

    PANELS: ClassVar[frozenset[str]] = frozenset(
        {"reconciliation", "symbols", "orders", "positions"}
    )
    VERTICAL_BREAKPOINTS = [(0, "-scant"), (20, "-short"), (30, "-tall")]
    DEFAULT_CSS = """
    ResolveScreen #sentence { min-height: 3; }
    ResolveScreen.-scant #sentence { margin: 0 2; }
    ResolveScreen.-scant .verbs, ResolveScreen.-scant #notice { margin: 0 2; }
    """

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        instruments: Instruments,
        key: str,
        touch: Callable[[str], Touch],
        *,
        way: Resolution | None = None,
        timer: Timer | None = None,
    ) -> None:
        """Open on the line of ``key``, at the choice ``way`` if one is given.

        ``touch`` returns the best prices now.
        """
        super().__init__(frame, execute, timer=timer)
        self.instruments = dict(instruments)
        self.key = key
        self._touch = touch
        self._way = way
        line = self.line
        assert line is not None
        self._named = subject_of(line)
        self._found: tuple[Instrument, ...] = ()
        if isinstance(line, BalanceLine):
            currency = self.basis.header.currency
            self._found = attributable(line, self.instruments, currency)

    # --- what it is about -------------------------------------------------------------

    def _line_of(self, scene: Scene) -> Line | None:
        return find_line(scene.reconciliation, self.key)

    @property
    def line(self) -> Line | None:
        """The line as the sentence was written from; None once it is gone."""
        return self._line_of(self.basis)

    def title_text(self) -> str:
        """Name the line."""
        kind, name = self._named
        return f"Settle {kind} {name}"

    def live_fields(self) -> Sequence[Field]:
        """Show the line as it is now."""
        line = self._line_of(self.scene)
        if line is None:
            return (field("there is no such line any more", "warn"),)
        return line_fields(line, self.instruments)

    # --- fields -----------------------------------------------------------------------

    def compose_body(self) -> Iterable[Widget]:
        """Ask what is made of it, for whom, at which price, and why."""
        line = self.line
        assert line is not None
        options = ways(self.basis, line, self.instruments)
        yield ChoiceLine("settle", options, chosen=self._way, id="way")
        yield ChoiceLine("instrument", [(i.id, i.id) for i in self._found], id="as")
        yield ChoiceLine("owner", (), id="owner")
        if self._found:
            first = self._found[0]
            yield PriceField(
                "price",
                first,
                lambda: self._touch(self._instrument.id),
                check=_price_error,
                value=self._mark(first),
                remark=first.quote,
                id="price",
            )
        yield TextField(
            "reason",
            placeholder="why; it is journalled",
            check=self._reason_error,
            id="reason",
        )

    def on_mount(self) -> None:
        """Offer what the first way needs."""
        self._offer()

    def _mark(self, instrument: Instrument) -> str:
        row = self.basis.market(instrument.id)
        mark = None if row is None else row.mark
        return "" if mark is None else plain(instrument.nearest_price(mark))

    @property
    def _instrument(self) -> Instrument:
        name = self.query_one("#as", ChoiceLine).value
        return self.instruments.get(name, self._found[0])

    def _reason_error(self, text: str) -> str:
        way = self.query_one("#way", ChoiceLine).value
        return "required" if way == Resolution.IGNORE and not text else ""

    @property
    def chosen(self) -> Settlement:
        """What the fields come to."""
        way = Resolution(self.query_one("#way", ChoiceLine).value)
        reason = self.query_one("#reason", TextField).text
        if way is not Resolution.ATTRIBUTE:
            return Settlement(resolution=way, reason=reason)
        at: Decimal | None = None
        name = ""
        if self._found:
            typed = self.query_one("#price", PriceField).text
            at = None if _price_error(typed) else amount_of(typed)
            name = self._instrument.id
        return Settlement(
            resolution=way,
            owner=self.query_one("#owner", ChoiceLine).value,
            instrument=name,
            price=at,
            reason=reason,
        )

    def _offer(self) -> None:
        """Show the fields that the chosen way needs, with what is legal in them."""
        line = self.line
        gives = self.query_one("#way", ChoiceLine).value == Resolution.ATTRIBUTE
        owner, which = self.query_one("#owner", ChoiceLine), self.query_one("#as")
        owner.display = gives
        which.display = gives and len(self._found) > 1
        if self._found:
            self.query_one("#price").display = gives
        if line is not None:
            name = self._instrument.id if self._found else ""
            names = takers(self.basis, line, name)
            owner.set_options([(each, each) for each in names])
        self.query_one("#reason", TextField).validate()

    @on(ChoiceLine.Changed, "#as")
    def _another(self) -> None:
        one, at = self._instrument, self.query_one("#price", PriceField)
        at.set_instrument(one, self._mark(one))
        at.set_remark(one.quote)

    @on(ChoiceLine.Changed)
    def _chose(self) -> None:
        self._offer()
        self._edited()

    @on(Input.Changed)
    def _edited(self) -> None:
        self.notice = ""
        self.rewrite()

    # --- what happens -----------------------------------------------------------------

    def refresh_from(self, frame: Frame) -> None:
        """Ask again when the line has changed behind the dialog."""
        super().refresh_from(frame)
        if not self.shown or self.basis is self.scene:
            return
        if _shape(self.line) != _shape(self._line_of(self.scene)):
            self.notice = self.notice or _CHANGED
            self.rebase()

    def rebase(self) -> None:
        """Offer what is legal for the line as it is now."""
        self.basis = self.scene
        line = self.line
        if line is not None:
            options = ways(self.basis, line, self.instruments)
            self.query_one("#way", ChoiceLine).set_options(options)
        self._offer()
        super().rebase()

    @property
    def _is_open(self) -> bool:
        line = self.line
        return line is not None and can_be_settled(line)

    def sentence(self) -> str:
        """Preview what is chosen."""
        if not self._is_open:
            return "There is nothing to settle here any more."
        return settle_sentence(self.basis, self.line, self.chosen, self.instruments)

    def make_verbs(self) -> Sequence[Verb]:
        """Offer the one, in two inks."""
        return (
            Verb("Settle", self._resolve, id="go"),
            Verb("Settle", self._resolve, ink="bad", id="risk"),
        )

    def update_verbs(self) -> None:
        """Name what is done, and wait for what is missing."""
        line = self.line
        go, risk = self.query_one("#go", Verb), self.query_one("#risk", Verb)
        if line is None or not can_be_settled(line):
            go.ready = risk.ready = False
            return
        chosen = self.chosen
        label, risky = settle_verb(line, chosen, self.instruments)
        given = chosen.resolution is not Resolution.ATTRIBUTE or bool(
            chosen.owner and (chosen.price is not None or not self._found)
        )
        ready = given and not self._reason_error(chosen.reason)
        for verb, shown in ((go, not risky), (risk, risky)):
            verb.display = shown
            verb.set_label(label)
            verb.ready = shown and ready

    def _resolve(self) -> None:
        line = self.line
        if line is None:
            return
        kind, subject = self._named
        chosen = self.chosen
        shown = line.difference if isinstance(line, BalanceLine) else None
        answer = self.run(
            Resolve(
                kind=kind,
                subject=subject,
                resolution=chosen.resolution,
                owner=chosen.owner,
                instrument=chosen.instrument,
                price=chosen.price,
                difference=shown,
                reason=chosen.reason,
                seen_seq=self.seen_seq,
            )
        )
        if answer is not None:
            self.dismiss(answer)


def _price_error(text: str) -> str:
    value = amount_of(text)
    if value is None:
        return "a price is missing" if not text.strip() else wrong_amount(text)
    return "" if value > 0 else "must be more than 0"


def _shape(line: Line | None) -> object:
    """Return what of a line its sentence is about."""
    if isinstance(line, BalanceLine):
        return line.verdict, line.difference
    return line
