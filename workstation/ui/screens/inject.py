"""The inject dialog: an event by hand, from a form made of its type's fields.

F2 shows the same event as raw JSON. The engine marks everything it causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, TextArea

from workstation.engine.frames import Frame
from workstation.model.commands import Inject
from workstation.model.instruments import Instrument
from workstation.model.rehearsal import HandOrder, ToldReport, Transfer
from workstation.model.signals import Signal
from workstation.model.timeframes import Timeframe
from workstation.ui.screens.fields import ChoiceLine, NumberField, TextField
from workstation.ui.screens.inject_check import refusal
from workstation.ui.screens.inject_form import (
    Entry,
    EventKind,
    FormError,
    Injected,
    decode_raw,
    encode_raw,
    form_for,
    happening_words,
    receivers,
    to_event,
)
from workstation.ui.screens.report_form import (
    ReportKind,
    report_form,
    report_words,
    to_report,
)
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import listed, row_fields
from workstation.ui.widgets.status_lines import Field

__all__ = ["InjectScreen"]

_LABELS = {
    # As ``LABEL`` cells have room for them, with a blank behind.
    "time_in_force": "in force",
    "fee_currency": "fee in",
    "trailing_bps": "trailing",
}


class InjectScreen(Ritual[Answer]):
    """Inject an event; ``instruments`` by id give units, ticks and lots."""

    PANELS: ClassVar[frozenset[str]] = frozenset({"symbols", "orders"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "raw", show=False, id="dialog.raw"),
    ]
    DEFAULT_CSS = """
    InjectScreen #form { height: auto; }
    InjectScreen #raw { height: 9; margin: 0 2; background: $panel; border: none; }
    InjectScreen #sentence { min-height: 2; }
    """

    def __init__(
        self,
        frame: Frame,
        execute: Execute,
        instruments: Mapping[str, Instrument],
        instrument: str,
        strategy: str = "",
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self.instruments = dict(instruments)
        self._first = instrument
        self._strategy = strategy
        self.raw = False
        self._wrong = ""

    def title_text(self) -> str:
        """Name the dialog."""
        return "Inject an event"

    def has_key(self, id: str) -> bool:
        """Tell that F2 does something here."""
        return id == "dialog.raw" or super().has_key(id)

    def live_fields(self) -> Sequence[Field]:
        """Show the instrument as it is now."""
        return row_fields(self.scene, self._strategy, self.instrument)

    def compose_body(self) -> Iterable[Widget]:
        """Ask for type and instrument; the form follows the type."""
        symbols = [(name, name) for name in self.instruments]
        yield ChoiceLine("event", [(k, k) for k in EventKind], id="kind")
        yield ChoiceLine("symbol", symbols, chosen=self._first, id="instrument")
        yield ChoiceLine(
            "strategy",
            [(name, name) for name in self._strategies()],
            chosen=self._strategy,
            id="strategy",
        )
        yield ChoiceLine("report", [(k, k) for k in ReportKind], id="report")
        yield ChoiceLine("order", self._orders(self._first), id="order")
        one = self.instruments[self._first]
        row = self.basis.market(self._first)
        with Vertical(id="form"):
            for entry in form_for(EventKind.QUOTE, one, row):
                yield self._widget(entry, one)
        raw = TextArea("", id="raw", show_line_numbers=False, compact=True)
        raw.display = False
        yield raw

    def _strategies(self) -> tuple[str, ...]:
        """Return those that manage a symbol; a position may have a row of no one's."""
        rows = [row for row in self.basis.symbols or () if row.state is not None]
        return tuple(dict.fromkeys(row.strategy for row in rows if row.strategy))

    def _orders(self, instrument: str) -> list[tuple[str, str]]:
        """Return the orders that a report can be of, those at work first."""
        rows = [
            row
            for row in self.basis.orders or ()
            if row.order.instrument == instrument and not row.held
        ]
        rows.sort(key=lambda row: row.order.is_terminal)
        return [(row.order.id, row.order.id) for row in rows]

    def on_mount(self) -> None:
        """Hide what only signals and reports need."""
        self._show_lines()

    def _show_lines(self) -> None:
        kind, raw = self.kind, self.raw
        for name in ("kind", "instrument", "form"):
            self.query_one(f"#{name}").display = not raw
        self.query_one("#strategy").display = kind is EventKind.SIGNAL and not raw
        for name in ("report", "order"):
            shown = kind is EventKind.REPORT and not raw
            self.query_one(f"#{name}").display = shown

    # --- what is chosen ---------------------------------------------------------------

    @property
    def kind(self) -> EventKind:
        """The event type chosen."""
        return EventKind(self.query_one("#kind", ChoiceLine).value)

    @property
    def instrument(self) -> str:
        """The instrument chosen."""
        if not self.shown or not self.query("#instrument"):
            return self._first
        return self.query_one("#instrument", ChoiceLine).value or self._first

    @property
    def report(self) -> ReportKind:
        """The kind of report chosen."""
        return ReportKind(self.query_one("#report", ChoiceLine).value)

    @property
    def order(self) -> str:
        """The id of the order chosen, "" where there is none."""
        return self.query_one("#order", ChoiceLine).value

    async def _build(self) -> None:
        kind, id = self.kind, self.instrument
        orders = self._orders(id)
        note = "" if orders else f"none of {id} was sent"
        self.query_one("#order", ChoiceLine).set_options(orders, note=note)
        self._show_lines()
        form = self.query_one("#form", Vertical)
        await form.remove_children()
        one, row = self.instruments[id], self.basis.market(id)
        if kind is EventKind.REPORT:
            found = self.basis.order(self.order)
            order = None if found is None else found.order
            entries = report_form(self.report, order, one, row, self.basis.seq)
        else:
            entries = form_for(kind, one, row)
        await form.mount(*(self._widget(entry, one) for entry in entries))
        self.rewrite()

    def _widget(self, entry: Entry, one: Instrument) -> Widget:
        label = _LABELS.get(entry.name, entry.name.replace("_", " "))
        name = f"in-{entry.name}"
        if entry.choices:
            options = [(text, text.replace("_", " ")) for text in entry.choices]
            return ChoiceLine(label, options, id=name)
        if entry.unit in ("price", "size", "bps"):
            step = {"price": one.tick_size, "size": one.lot_size}.get(entry.unit)
            unit = {"price": one.quote, "size": one.base, "bps": "bp"}[entry.unit]
            return NumberField(
                label,
                step=step or Decimal(1),
                value=entry.value,
                remark=f"{unit}, optional" if entry.optional else unit,
                least=Decimal(0),
                optional=entry.optional,
                id=name,
            )
        if entry.unit == "amount":
            fee = entry.name == "fee"
            return NumberField(
                label,
                step=Decimal(1),
                value=entry.value,
                remark="less than 0 is a rebate" if fee else "less than 0 takes out",
                id=name,
            )
        check = _timeframe if entry.unit == "timeframe" else None
        return TextField(label, value=entry.value, check=check, short=True, id=name)

    @on(ChoiceLine.Changed, "#kind")
    @on(ChoiceLine.Changed, "#instrument")
    @on(ChoiceLine.Changed, "#report")
    @on(ChoiceLine.Changed, "#order")
    async def _chosen(self) -> None:
        if self.raw:
            self._show_raw(False)
        self._show_live()
        await self._build()

    @on(ChoiceLine.Changed)
    def _changed(self) -> None:
        self.rewrite()

    @on(Input.Changed)
    def _typed(self) -> None:
        self.rewrite()

    @on(TextArea.Changed)
    def _raw_typed(self) -> None:
        self.rewrite()

    def action_raw(self) -> None:
        """Show the event as JSON, or the form again."""
        self._show_raw(not self.raw)
        self.rewrite()

    def _show_raw(self, raw: bool) -> None:
        area = self.query_one("#raw", TextArea)
        if raw:
            try:
                area.text = encode_raw(self.event())
            except FormError:
                area.text = "{}"
        self.raw = raw
        area.display = raw
        self._show_lines()
        if raw:
            area.focus()
        else:
            self.query_one("#kind").focus()

    # --- what happens -----------------------------------------------------------------

    def event(self) -> Injected:
        """Return the event as it stands. Raises FormError while it is none."""
        if self.raw:
            return decode_raw(self.query_one("#raw", TextArea).text)
        if self.kind is EventKind.REPORT and not self.order:
            raise FormError("there is no order that a report could be of")
        texts: dict[str, str] = {}
        for widget in self.query_one("#form").children:
            name = (widget.id or "").removeprefix("in-")
            if isinstance(widget, TextField):
                if widget.wrong:
                    raise FormError(f"{name}: {widget.wrong}")
                texts[name] = widget.text
            elif isinstance(widget, ChoiceLine):
                texts[name] = widget.value
        if self.kind is EventKind.REPORT:
            return to_report(self.report, self.order, texts)
        strategy = self.query_one("#strategy", ChoiceLine).value
        return to_event(self.kind, self.instrument, strategy, texts, self.scene.ts)

    def sentence(self) -> str:
        """Say who gets it, or what is missing."""
        try:
            event = self.event()
        except FormError as error:
            self._wrong = str(error)
            return f"Not an event yet: {error}."
        self._wrong = refusal(event, self.instruments, self.basis.symbols or ())
        if self._wrong:
            return f"It would be refused: {self._wrong}."
        if isinstance(event, Transfer | HandOrder):
            return happening_words(event)
        if isinstance(event, ToldReport):
            return report_words(event)
        kind = EventKind(type(event).__name__)
        strategy = event.strategy if isinstance(event, Signal) else ""
        who = receivers(kind, event.instrument, strategy, self.basis.symbols or ())
        return (
            f"{kind} {event.instrument} goes to {listed(who)}. "
            f"What it causes is marked inj."
        )

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to inject."""
        return (Verb("Inject 1 event", self._inject, id="go"),)

    def update_verbs(self) -> None:
        """Wait until the form is an event that will be taken."""
        self.query_one("#go", Verb).ready = not self._wrong

    def _inject(self) -> None:
        try:
            event = self.event()
        except FormError as error:
            self.say(str(error))
            return
        answer = self.run(Inject(event=event, reason="injected by the operator"))
        if answer is not None:
            self.dismiss(answer)


def _timeframe(text: str) -> str:
    try:
        Timeframe.parse(text)
    except ValueError as error:
        return str(error)
    return ""
