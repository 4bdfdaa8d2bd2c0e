"""The base of the order dialogs: what is typed is checked and priced as it changes.

Fields, market and clock are read as one ``offer`` with every key and every frame.
Check, sentence and button are written from it and it is what is sent, so nothing is
sent that was not read. Nothing moves: lines have their place before they are filled,
and a sentence that gets shorter with a frame keeps its lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from workstation.engine.frames import Frame
from workstation.engine.order_preview import Preview, Touch
from workstation.model.commands import AmendOrder, PlaceOrder
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Instrument
from workstation.ui.screens.fields import ChoiceLine
from workstation.ui.screens.live_line import LiveLine
from workstation.ui.screens.preview_words import (
    Terms,
    cost_fields,
    margin_fields,
    market_fields,
    position_fields,
    verdict,
)
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.scene import Scene
from workstation.ui.typeset import age, bps, price, quantity
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["CheckedRitual", "SendVerb", "TicketDesk", "touch_fields"]

_COLUMNS, _ROWS = 80, 24
"""With fewer, a button has no room for the symbol; the check may be out of sight."""

_NOTHING = "Sends nothing yet."
_CHANGED = "Orders, position or state changed here since; read again what is shown."


class TicketDesk(NamedTuple):
    """What an order dialog asks of the engine."""

    execute: Execute
    preview: Callable[[PlaceOrder | AmendOrder], Preview]
    touch: Callable[[str], Touch]


class CheckedRitual(Ritual[Answer]):
    """A dialog about one order; subclasses say which ``command`` it comes to."""

    PANELS: ClassVar[frozenset[str]] = frozenset({"symbols", "orders", "positions"})
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_COLUMNS, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-scant"), (_ROWS, "-short"), (30, "-tall")]
    DEFAULT_CSS = """
    CheckedRitual .pair { height: auto; layout: horizontal; }
    CheckedRitual.-narrow .pair { layout: vertical; }
    CheckedRitual #checks { height: 6; padding: 0 1; }
    CheckedRitual.-tall #checks { margin: 1 0 0 0; }
    CheckedRitual #verdict { height: 2; padding: 0 1; color: $text-strong; }
    CheckedRitual #verdict.wrong { color: $severity-warn; }
    CheckedRitual #sentence { margin: 0 2; }
    CheckedRitual.-tall #sentence { margin: 1 2; }
    CheckedRitual.-scant #ritual { height: 100%; }
    CheckedRitual.-scant #body { height: 1fr; overflow-y: auto; scrollbar-size: 1 1; }
    CheckedRitual.-scant .verbs, CheckedRitual.-scant #notice { margin: 0 2; }
    CheckedRitual.-narrow .verbs { margin: 1 1 0 1; }
    CheckedRitual.-narrow.-scant .verbs { margin: 0 1; }
    """

    def __init__(
        self,
        frame: Frame,
        desk: TicketDesk,
        instrument: Instrument,
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, desk.execute, timer=timer)
        self.desk = desk
        self.instrument = instrument
        self.offer: PlaceOrder | AmendOrder | None = None
        """What is shown and would be sent; None while the fields are no order."""
        self.checked: Preview | None = None
        """What the last check of the offer found; None where nothing was found."""
        self._verdict = ("", True)
        self._asked_why = False
        self._lines = 1

    # --- what an order dialog is made of ----------------------------------------------

    def compose_fields(self) -> Iterable[Widget]:
        """Return the fields above the check."""
        return ()

    def command(self) -> PlaceOrder | AmendOrder | None:
        """Return what the fields come to now; None while they are no order."""
        return None

    def missing(self) -> str:
        """Say what keeps the fields from being one."""
        return ""

    def words_of(self, command: PlaceOrder | AmendOrder) -> str:
        """Return what the command does, with numbers."""
        return ""

    @property
    def held(self) -> bool:
        """Whether the order is kept here until its trigger."""
        return False

    def terms(self) -> Terms | None:
        """Return what the order may do: whether it only rests, how long it works."""
        return self.offer if isinstance(self.offer, PlaceOrder) else None

    def sentence(self) -> str:
        """Say what is sent; where the check is out of sight, what stands against it."""
        found, (text, fine) = self.checked, self._verdict
        if self.scant and self._asked_why and not fine:
            return text
        if self.offer is None:
            scant = self.shown and self.scant
            return f"Sends nothing yet: {self.missing()}." if scant else _NOTHING
        words = self.words_of(self.offer)
        if self.scant and found is not None and not fine:
            # What only the venue will refuse can be sent, so both are said.
            return f"{words} {text}" if found.passes else text
        return words

    # --- composing --------------------------------------------------------------------

    def compose_body(self) -> Iterable[Widget]:
        """Put the check below the fields."""
        yield from self.compose_fields()
        yield _Checks(id="checks")

    def touch(self) -> Touch:
        """Return the best prices now."""
        return self.desk.touch(self.instrument.id)

    def live_fields(self) -> Sequence[Field]:
        """Show the market and what is held."""
        return touch_fields(self.scene, self.instrument, self.touch())

    # --- checking ---------------------------------------------------------------------

    def check(self) -> None:
        """Ask what would become of the order now, and show it."""
        if not self.shown:
            return
        self.offer = self.command()
        self.checked = None
        text, fine = f"· {self.missing()}", True
        if self.offer is not None:
            try:
                self.checked = self.desk.preview(self.offer)
            except CommandRefused as refusal:
                text, fine = f"✗ {refusal}", False
        found, terms = self.checked, self.terms()
        cost: Sequence[Field] = ()
        margin, market, position = cost, cost, cost
        if found is not None:
            text, fine = verdict(found, terms)
            cost = cost_fields(found, terms, held=self.held)
            margin = margin_fields(found, held=self.held)
            market = market_fields(found, self.instrument, terms, held=self.held)
            position = position_fields(found, self.instrument)
        if self.can_be_sent:
            self._asked_why = False
        elif self._asked_why:
            text, fine = f"✗ not sent: {text.lstrip('✗· ')}", False
        self._verdict = text, fine
        if self.notice and (fine or self.notice != _CHANGED):
            # What stands against the order now says more than that something changed.
            text, fine = self.notice, False
        self.query_one("#cost", LiveLine).set_fields(cost)
        self.query_one("#margin", LiveLine).set_fields(margin)
        self.query_one("#market", LiveLine).set_fields(market)
        self.query_one("#position", LiveLine).set_fields(position)
        words = self.query_one("#verdict", Static)
        words.set_class(not fine, "wrong")
        if self._texts.get("verdict") != text:
            self._texts["verdict"] = text
            words.update(self.words(text))

    @property
    def can_be_sent(self) -> bool:
        """Whether the engine would take what is offered."""
        return self.checked is not None and self.checked.passes

    def rewrite(self) -> None:
        """Check anew; what was refused stands in the place of the verdict."""
        self.check()
        super().rewrite()
        if self.shown and not self.scant:
            # It has its place already, where nothing moves for it.
            self.put("notice", "")

    def edited(self) -> None:
        """Take what was typed: what was refused before is answered by that."""
        self.notice = ""
        self._asked_why = False
        self.rewrite()
        if self.shown:
            self._keep_lines(1)

    @on(Input.Changed)
    def _typed(self) -> None:
        self.edited()

    @on(ChoiceLine.Changed)
    def _chosen(self) -> None:
        self.edited()

    def on_resize(self) -> None:
        """Say what there is room for now."""
        self.rewrite()
        if self.shown:
            self._keep_lines(1)

    def refresh_from(self, frame: Frame) -> None:
        """Write all of it from the frame; ask again where the old one is refused."""
        super().refresh_from(frame)
        if not self.shown or self.basis is self.scene:
            return
        if self._is_outdated():
            self.notice = self.notice or _CHANGED
            self.rebase()
            return
        if not Scene.of(frame).lacks(self.PANELS):
            # Only a frame that brings them proves that orders are still as shown.
            self.basis = self.scene
        self.check()
        self.put("sentence", self.sentence())
        self.update_verbs()
        self._keep_lines(self._lines)

    def _keep_lines(self, least: int) -> None:
        """Give the sentence its lines, and no fewer than ``least``.

        Reckoned from the text: its size on the screen is that of the one before.
        """
        sentence = self.query_one("#sentence")
        cells = sentence.size.width
        if cells:
            needed = sentence.get_content_height(self.size, self.size, cells)
            self._lines = max(least, needed)
            sentence.styles.min_height = self._lines

    def _is_outdated(self) -> bool:
        name = self.instrument.id
        return _state(self.basis, name) != _state(self.scene, name)

    def update_verbs(self) -> None:
        """Let the verb be pressed while the order passes."""
        go = self.query_one("#go", Verb)
        go.set_label(self.verb_label())
        go.ready = self.armed and self.can_be_sent

    def explain(self) -> None:
        """Say why nothing is sent, where the verdict stands."""
        if self.armed and not self.can_be_sent:
            self._asked_why = True
            self.rewrite()

    def verb_label(self) -> str:
        """Return the verb with its numbers."""
        return ""

    @property
    def scant(self) -> bool:
        """Whether the check may have been scrolled out of sight."""
        return self.app.size.height < _ROWS

    @property
    def narrow(self) -> bool:
        """Whether there is no room for the symbol on a button."""
        return self.app.size.width < _COLUMNS


class SendVerb(Verb):
    """The verb of an order dialog: one that cannot be pressed says why."""

    def action_press(self) -> None:
        """Press, or ask the dialog for what stands against it."""
        if not self.ready and isinstance(self.screen, CheckedRitual):
            self.screen.explain()
            return
        super().action_press()


class _Checks(Vertical):
    """Cost, margin, market, position and verdict of an order, each in its place."""

    def compose(self) -> ComposeResult:
        """Reserve the lines."""
        yield LiveLine(id="cost")
        yield LiveLine(id="margin")
        yield LiveLine(id="market")
        yield LiveLine(id="position")
        yield Static("", id="verdict", markup=False)


def touch_fields(
    scene: Scene, instrument: Instrument, touch: Touch
) -> tuple[Field, ...]:
    """Return the live line of an instrument: bid, ask, last, held, age."""
    digits = instrument.price_decimals
    parts = [
        _price("bid", touch.bid, digits),
        _price("ask", touch.ask, digits),
        _price("last", touch.last, digits, 2),
    ]
    if touch.mid and touch.bid is not None and touch.ask is not None:
        spread = (touch.ask - touch.bid) / touch.mid * 10_000
        parts.append(
            Field((("spread ", "dim"), (bps(spread, unit=True), "")), priority=3)
        )
    held = sum(
        (row.position.quantity for row in scene.held(None, instrument.id)), Decimal(0)
    )
    text = quantity(held, instrument.quantity_decimals, sign=True) if held else "·"
    parts.append(Field((("pos ", "dim"), (text, "strong")), priority=1))
    row = scene.market(instrument.id)
    if row is not None and row.distrust:
        parts.append(field(f"! {row.distrust}", "warn"))
    elif row is not None:
        parts.append(Field((("age ", "dim"), (age(row.age_ns), "")), priority=4))
    return tuple(parts)


def _price(label: str, value: float | None, digits: int, priority: int = 0) -> Field:
    parts: tuple[Part, ...] = ((f"{label} ", "dim"), (price(value, digits), "strong"))
    return Field(parts, priority=priority)


def _state(scene: Scene, instrument: str) -> tuple[object, ...]:
    """Return what of an instrument makes the engine refuse an old picture."""
    orders = [
        (o.id, o.status, o.quantity, o.filled, o.price, o.trigger)
        for o in (row.order for row in scene.orders or ())
        if o.instrument == instrument
    ]
    held = [
        (row.position.owner, row.position.quantity)
        for row in scene.positions or ()
        if row.position.instrument == instrument
    ]
    states = [
        (row.strategy, row.state)
        for row in scene.symbols or ()
        if row.instrument == instrument
    ]
    return tuple(orders), tuple(held), tuple(states)
