"""The order ticket: side, type, price, size and terms, with the check as they change.

What it comes to is a ``PlaceOrder`` of the operator's own. F2 shows it as raw JSON,
where all of it can be written by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar, cast

import msgspec
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widget import Widget
from textual.widgets import Input, TextArea

from workstation.engine.frames import Frame
from workstation.model.commands import AmendOrder, PlaceOrder
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import OrderType, TimeInForce
from workstation.strategy.actions import SizeMode
from workstation.ui.screens.bracket_words import HELD, stakes
from workstation.ui.screens.checked import CheckedRitual, SendVerb, TicketDesk
from workstation.ui.screens.fields import (
    ChoiceLine,
    NumberField,
    TextField,
)
from workstation.ui.screens.price_field import PriceField
from workstation.ui.screens.ritual import Timer, Verb
from workstation.ui.screens.ticket_form import (
    MODES,
    Filled,
    Only,
    TicketError,
    TicketForm,
    decode_ticket,
    encode_ticket,
    figure_of,
    price_error,
    read_ticket,
    size_bounds,
    span_error,
    start_price,
    trigger_error,
    where_waits,
)
from workstation.ui.screens.ticket_words import order_sentence, short_order
from workstation.ui.typeset import quantity

__all__ = ["TicketScreen"]

_TYPES = (
    (OrderType.LIMIT.value, "limit"),
    (OrderType.MARKET.value, "market"),
    (OrderType.STOP.value, "stop"),
    (OrderType.STOP_LIMIT.value, "stop-limit"),
)
_PRICED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_SIDES = ((Side.BUY.value, "buy"), (Side.SELL.value, "sell"))
_FORCES = tuple((each.value, each.value) for each in TimeInForce)
_AT_ONCE = tuple(each for each in _FORCES if each[0] != TimeInForce.GTD)
_WAITS = tuple(
    each for each in _FORCES if each[0] in (TimeInForce.GTC, TimeInForce.GTD)
)
_FORCES_OF = {OrderType.MARKET: _AT_ONCE, OrderType.STOP: _WAITS}
_ONLY = tuple((each.value, each.value) for each in Only)
_CLOSES = tuple(each for each in _ONLY if each[0] in (Only.NO, Only.REDUCE))


class TicketScreen(CheckedRitual):
    """Place an order in one instrument; dismisses with the engine's answer.

    ``at`` is the price it begins with, as that of a level of the book. Else it begins
    with the best of its side, and that follows the side until another price is typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "raw", show=False, id="dialog.raw"),
    ]
    DEFAULT_CSS = """
    TicketScreen #form { height: auto; }
    TicketScreen.-wide #side { width: 26; }
    TicketScreen #price Input:disabled { color: $muted; text-style: strike; }
    TicketScreen.-short.-crowded .verbs { margin: 0 2; }
    TicketScreen #raw { height: 8; margin: 0 2; background: $panel; border: none; }
    """

    def __init__(
        self,
        frame: Frame,
        desk: TicketDesk,
        instrument: Instrument,
        *,
        side: Side = Side.BUY,
        at: Decimal | None = None,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, desk, instrument, timer=timer)
        self._side = side
        self._at = at
        self._suggested = ""
        self.raw = False

    def title_text(self) -> str:
        """Name the symbol."""
        return f"Order ticket {self.instrument.id}"

    def has_key(self, id: str) -> bool:
        """Tell that F2 does something here."""
        return id == "dialog.raw" or super().has_key(id)

    def compose_fields(self) -> Iterable[Widget]:
        """Ask for side, type, price, size, terms and protection."""
        one, touch = self.instrument, self.touch
        if self._at is not None:
            first = format(self._at, "f")
        else:
            first = self._suggested = start_price(one, touch(), self._side)

        def check(text: str) -> str:
            return price_error(text, one)

        with Vertical(id="form"):
            with Container(classes="pair"):
                yield ChoiceLine("side", _SIDES, chosen=self._side.value, id="side")
                yield ChoiceLine("type", _TYPES, id="type")
            trigger = PriceField(
                "trigger", one, touch, check=self._trigger_error, id="trigger"
            )
            trigger.display = False
            yield trigger
            yield PriceField("price", one, touch, check=check, value=first, id="price")
            modes = [(name, mode.label) for name, mode in MODES.items()]
            yield ChoiceLine("size by", modes, id="mode")
            yield NumberField(
                "size", step=one.lot_size, optional=True, remark="", id="size"
            )
            with Container(classes="pair"):
                yield ChoiceLine("in force", _FORCES, id="force")
                yield ChoiceLine("only", _ONLY, id="only")
            span = TextField("for", value="5m", check=span_error, short=True, id="span")
            span.display = False
            yield span
            for name in ("stop", "target"):
                yield PriceField(name, one, touch, check=check, optional=True, id=name)
        raw = TextArea("", id="raw", show_line_numbers=False, compact=True)
        raw.display = False
        yield raw

    def on_mount(self) -> None:
        """Word what stands behind the fields."""
        self._offer()

    def _trigger_error(self, text: str) -> str:
        side = Side(self._choice("side")) if self.shown else self._side
        return trigger_error(text, self.instrument, side)

    # --- what is chosen ---------------------------------------------------------------

    @on(ChoiceLine.Changed, "#side")
    def _side_chosen(self) -> None:
        """Let a price that nobody has touched follow: it would cross on this side."""
        field = self.query_one("#price", PriceField)
        if self._suggested and field.text == self._suggested:
            side = Side(self._choice("side"))
            self._suggested = start_price(self.instrument, self.touch(), side)
            field.entry.value = self._suggested

    @on(Input.Changed, "#price-entry")
    def _price_typed(self, event: Input.Changed) -> None:
        """Leave a price alone from then on."""
        if event.value.strip() != self._suggested:
            self._suggested = ""

    def _choice(self, id: str) -> str:
        return self.query_one(f"#{id}", ChoiceLine).value

    def _text(self, id: str) -> str:
        return self.query_one(f"#{id}", TextField).text

    @property
    def form(self) -> TicketForm:
        """What is typed and chosen."""
        return TicketForm(
            side=Side(self._choice("side")),
            order_type=OrderType(self._choice("type")),
            price=self._text("price"),
            trigger=self._text("trigger"),
            mode=cast(SizeMode, self._choice("mode")),
            size=self._text("size"),
            time_in_force=TimeInForce(self._choice("force")),
            span=self._text("span"),
            only=Only(self._choice("only")),
            stop=self._text("stop"),
            target=self._text("target"),
        )

    @property
    def filled(self) -> Filled:
        """What the form comes to."""
        header = self.scene.header
        return read_ticket(
            self.form, self.instrument, self.touch(), header.equity, self.scene.ts
        )

    def _offer(self) -> None:
        """Offer what goes with the type, and nothing that contradicts it."""
        kind = OrderType(self._choice("type"))
        forces = _FORCES_OF.get(kind, _FORCES)
        self.query_one("#force", ChoiceLine).set_options(forces)
        only = _ONLY if kind is OrderType.LIMIT else _CLOSES
        self.query_one("#only", ChoiceLine).set_options(only)
        trigger = self.query_one("#trigger", PriceField)
        if trigger.display != (kind in _STOPS):
            trigger.display = kind in _STOPS
        ends = self._choice("force") == TimeInForce.GTD
        span = self.query_one("#span", TextField)
        if span.display != ends:
            span.display = ends
        self.set_class(trigger.display and ends, "-crowded")
        mode = MODES[cast(SizeMode, self._choice("mode"))]
        size = self.query_one("#size", NumberField)
        size.set_step(mode.step or self.instrument.lot_size)
        field = self.query_one("#price", PriceField)
        field.entry.disabled = kind not in _PRICED

    def _remarks(self) -> None:
        """Show beside each field what is wrong with it, or its unit.

        Beside stop and target stands what they are worth, once there is an order.
        """
        one, form, filled = self.instrument, self.form, self.filled
        digits = one.quantity_decimals
        mode = MODES[form.mode]
        unit = {"quantity": one.base, "notional": one.quote}.get(form.mode, mode.unit)
        at = figure_of(form.price) if form.order_type in _PRICED else None
        remark = f"{unit}, lot {one.lot_size}"
        bounds = size_bounds(one, at)
        if bounds:
            remark += f", {bounds}"
        if form.mode != "quantity":
            remark = unit
            if filled.quantity is not None:
                remark += f" = {quantity(filled.quantity, digits)} {one.base}"
        self.query_one("#size", NumberField).set_remark(
            remark, wrong=filled.errors.get("size", "")
        )
        keys = f"tick {one.tick_size}  b bid  m mid  a ask"
        if form.order_type not in _PRICED:
            keys = "not used: takes what is there"
            if form.order_type is OrderType.STOP:
                keys = "not used: at market once it is met"
        self.query_one("#price", PriceField).set_remark(
            keys, wrong=filled.errors.get("price", "")
        )
        self.query_one("#trigger", PriceField).set_remark(
            f"waits for it, {where_waits(form.side)}",
            wrong=filled.errors.get("trigger", ""),
        )
        order, found = filled.order, self.checked
        worth = ("", "")
        if order is not None and found is not None:
            expected = order.price or order.trigger or found.price
            if expected is not None:
                worth = stakes(order, expected, self.basis, one)
        for name, typed, stake in zip(
            ("stop", "target"), (form.stop, form.target), worth, strict=True
        ):
            remark = (self.words(stake) or HELD) if typed else "if any"
            self.query_one(f"#{name}", PriceField).set_remark(remark)

    def edited(self) -> None:
        """Offer what fits what was chosen."""
        if self.shown:
            self._offer()
        super().edited()

    def check(self) -> None:
        """Show what is wrong beside the fields, too."""
        super().check()
        if self.shown and not self.raw:
            self._remarks()

    # --- raw --------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _raw_typed(self) -> None:
        self.edited()

    def action_raw(self) -> None:
        """Show the order as JSON, or the form again."""
        raw = not self.raw
        area = self.query_one("#raw", TextArea)
        if raw:
            order = self.filled.order or PlaceOrder(
                instrument=self.instrument.id, side=self.form.side, quantity=Decimal(0)
            )
            area.text = encode_ticket(order)
        self.raw = raw
        area.display = raw
        self.query_one("#form").display = not raw
        if raw:
            area.focus()
        else:
            self.query_one("#side").focus()
        self.edited()

    # --- what happens -----------------------------------------------------------------

    def _read(self) -> tuple[PlaceOrder | None, str]:
        """Return the order, or what is missing for one."""
        if self.raw:
            try:
                order = decode_ticket(self.query_one("#raw", TextArea).text)
            except TicketError as error:
                return None, str(error)
            if order.instrument != self.instrument.id:
                return None, f"instrument: this ticket is for {self.instrument.id}"
            return order, ""
        filled = self.filled
        words = [
            f"{self.query_one(f'#{name}', TextField).label}: {text}"
            for name, text in filled.errors.items()
        ]
        return filled.order, "; ".join(words)

    def command(self) -> PlaceOrder | None:
        """Return the order with what was seen."""
        order, _ = self._read()
        if order is None:
            return None
        return msgspec.structs.replace(order, origin="operator", seen_seq=self.seen_seq)

    def missing(self) -> str:
        """Say which field is wrong."""
        return self._read()[1]

    def words_of(self, command: PlaceOrder | AmendOrder) -> str:
        """Say what is sent."""
        assert isinstance(command, PlaceOrder)
        text = order_sentence(command, self.instrument, self.basis)
        found = self.checked
        if self.narrow and found is not None and found.waits and found.held:
            # The line that says so has no room for it.
            text += " It waits here: it stops working when the engine stops."
        return text

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to send it."""
        return (SendVerb("Buy", self._send, id="go"),)

    def verb_label(self) -> str:
        """Name side, quantity and price."""
        order = self.offer
        if not isinstance(order, PlaceOrder):
            return "Buy" if self._choice("side") == Side.BUY else "Sell"
        text = short_order(order, self.instrument)
        return text.replace(f" {order.instrument}", "") if self.narrow else text

    def _send(self) -> None:
        if self.offer is None:
            return
        answer = self.run(self.offer)
        if answer is not None:
            self.dismiss(answer)
