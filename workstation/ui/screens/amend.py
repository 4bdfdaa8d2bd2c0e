"""The amend dialog: another quantity, price or trigger for a working order.

Of the stop or target of a position the trigger is moved; its quantity is the
position's. The sentence says what becomes of the place in the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from textual.widget import Widget

from workstation.engine.frames import Frame, OrderRow
from workstation.model.commands import AmendOrder, PlaceOrder
from workstation.model.instruments import Instrument
from workstation.model.orders import Order, OrderRole, order_number
from workstation.ui.screens.checked import (
    CheckedRitual,
    SendVerb,
    TicketDesk,
    touch_fields,
)
from workstation.ui.screens.fields import NumberField
from workstation.ui.screens.price_field import PriceField
from workstation.ui.screens.ritual import Timer, Verb
from workstation.ui.screens.sentences import order_fields
from workstation.ui.screens.ticket_form import (
    figure_of,
    price_error,
    quantity_error,
    size_bounds,
)
from workstation.ui.typeset import price, quantity
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["AmendScreen"]


class AmendScreen(CheckedRitual):
    """Amend one order; dismisses with the engine's answer."""

    def __init__(
        self,
        frame: Frame,
        desk: TicketDesk,
        instrument: Instrument,
        order_id: str,
        *,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, desk, instrument, timer=timer)
        self.order_id = order_id
        row = self.basis.order(order_id)
        if row is None:
            raise LookupError(f"the frame has no order {order_id}")
        self._row = row

    @property
    def order(self) -> Order:
        """The order as the sentence knows it; as it was last seen once it is gone."""
        return self._row.order

    def title_text(self) -> str:
        """Name the symbol and the order."""
        order = self.order
        what = f"{order.side} {order.role} {order_number(order.id)} of {order.owner}"
        return f"Amend {self.instrument.id} {what}"

    def live_fields(self) -> Sequence[Field]:
        """Show the symbol, the order and the market as they are now."""
        shown = [field(self.instrument.id, "strong")]
        row = self.scene.order(self.order_id)
        if row is not None:
            filled, terms, state = order_fields(row)[1:4]
            # That nothing is filled goes first for want of room.
            filled = filled if row.order.filled else replace(filled, priority=1)
            shown += [filled, terms, state]
        bid, ask, *_ = touch_fields(self.scene, self.instrument, self.touch())
        return (*shown, bid, ask)

    def compose_fields(self) -> Iterable[Widget]:
        """Ask for price and quantity, which begin as they are."""
        one, order = self.instrument, self.order
        held = self.held
        at = _price(self._row)
        for name, value in self._prices().items():
            yield PriceField(
                order.role.value if held else name,
                one,
                self.touch,
                check=lambda text: price_error(text, one),
                value="" if value is None else format(value, "f"),
                remark=f"tick {one.tick_size}  b bid  m mid  a ask",
                id=name,
            )
        size = NumberField(
            "quantity",
            step=one.lot_size,
            value=format(order.quantity, "f"),
            remark="all of the position" if held else _bounds(one, at),
            optional=True,
            id="quantity",
        )
        size.entry.disabled = held
        yield size

    # --- what is typed ----------------------------------------------------------------

    def _prices(self) -> dict[str, Decimal | None]:
        """Return what is asked for, as it is: price, trigger, or both."""
        order = self.order
        if self.held or not order.is_untriggered:
            return {"price": _price(self._row)}
        found = {"trigger": order.trigger}
        return found if order.price is None else found | {"price": order.price}

    def _price_texts(self) -> dict[str, str]:
        return {field.id or "": field.text for field in self.query(PriceField)}

    def _values(self) -> tuple[dict[str, Decimal], Decimal | None]:
        """Return the prices that are typed and right, and the quantity."""
        size = self.query_one("#quantity", NumberField)
        prices = {
            name: at
            for name, text in self._price_texts().items()
            if not price_error(text, self.instrument)
            and (at := figure_of(text)) is not None
        }
        return prices, None if self._size_error(size.text) else figure_of(size.text)

    def _size_error(self, text: str) -> str:
        if self.held:
            # All of a position, however large: it is closed by several orders then.
            return ""
        at = figure_of(self._price_texts().get("price", ""))
        wrong = quantity_error(text, self.instrument, at)
        filled, size = self.order.filled, figure_of(text)
        if not wrong and filled and size is not None and size <= filled:
            shown = quantity(filled, self.instrument.quantity_decimals)
            return f"must be more than the {shown} that is filled"
        return wrong

    def check(self) -> None:
        """Show beside the quantity what is wrong with it."""
        if self.shown:
            size = self.query_one("#quantity", NumberField)
            size.set_remark(size.unit, wrong=self._size_error(size.text))
        super().check()

    def command(self) -> AmendOrder | None:
        """Return the amend with what was seen."""
        prices, size = self._values()
        typed = self._price_texts()
        now = self._prices(), self.order.quantity
        if size is None or prices.keys() != typed.keys() or (prices, size) == now:
            return None
        return AmendOrder(
            order_id=self.order_id,
            quantity=size,
            price=prices.get("price"),
            trigger=prices.get("trigger"),
            reason="amended by the operator",
            seen_seq=self.seen_seq,
        )

    def missing(self) -> str:
        """Say which field is wrong, or that all is as it is."""
        words = [
            (field.label, price_error(field.text, self.instrument))
            for field in self.query(PriceField)
        ]
        size = self._size_error(self.query_one("#quantity", NumberField).text)
        words.append(("quantity", size))
        wrong = "; ".join(f"{name}: {text}" for name, text in words if text)
        return wrong or "it is as it is now"

    def rebase(self) -> None:
        """Take up what the order is now."""
        self._row = self.scene.order(self.order_id) or self._row
        super().rebase()

    # --- what happens -----------------------------------------------------------------

    def terms(self) -> Order | None:
        """Return the order, whose terms stay as they are."""
        return self.order

    @property
    def held(self) -> bool:
        """Whether it is the stop or target of a position, which is kept here."""
        return self._row.held and self.order.is_leg

    def words_of(self, command: PlaceOrder | AmendOrder) -> str:
        """Say from what to what, and what that does to the queue or the protection."""
        assert isinstance(command, AmendOrder)
        order, one = self.order, self.instrument
        before, after = _price(self._row), command.price
        if self.held:
            was, moved = (price(at, one.price_decimals) for at in (before, after))
            text = f"Moves the {order.role} of {order.owner} from {was} to {moved}"
            return f"{text}, {_protects(order, before, after)}."
        was = self._terms(order.quantity, order.price, order.trigger)
        now = self._terms(command.quantity, command.price, command.trigger)
        text = f"{order.side.value.capitalize()} {was} becomes {now}"
        if command.trigger is not None:
            where = "here" if self._row.held else "at the venue"
            return f"{text}; it goes on waiting {where}."
        found = self.checked
        if found is not None and found.keeps_queue:
            return f"{text}; keeps its place in the queue where the venue grants that."
        return f"{text}; goes to the end of the queue."

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to amend."""
        return (SendVerb("Amend", self._amend, id="go"),)

    def verb_label(self) -> str:
        """Name quantity and price."""
        command, one = self.offer, self.instrument
        if not isinstance(command, AmendOrder):
            return "Amend"
        if self.held:
            at = price(command.price, one.price_decimals)
            return f"Move {self.order.role} to {at}"
        terms = self._terms(command.quantity, command.price, command.trigger)
        return f"Amend to {terms}"

    def _terms(
        self, size: Decimal, limit: Decimal | None, trigger: Decimal | None
    ) -> str:
        """Return ``0.100 at 61,680.0``, of a stop with what it waits for."""
        one = self.instrument
        text = quantity(size, one.quantity_decimals)
        text += (
            " at market" if limit is None else f" at {price(limit, one.price_decimals)}"
        )
        if trigger is None or not self.order.is_untriggered:
            return text
        return f"{text} once {price(trigger, one.price_decimals)} is met"

    def _amend(self) -> None:
        if self.offer is None:
            return
        answer = self.run(self.offer)
        if answer is not None:
            self.dismiss(answer)


def _price(row: OrderRow) -> Decimal | None:
    order = row.order
    return order.trigger if order.price is None else order.price


def _bounds(instrument: Instrument, at: Decimal | None) -> str:
    words = [f"{instrument.base}, lot {instrument.lot_size}"]
    bounds = size_bounds(instrument, at)
    return ", ".join([*words, bounds] if bounds else words)


def _protects(order: Order, before: Decimal | None, after: Decimal | None) -> str:
    """Say whether a moved stop protects more or less."""
    if order.role is not OrderRole.STOP:
        return "held here"
    if before is None or after is None or after == before:
        return "where it is"
    tighter = (after > before) is (order.side.sign < 0)
    return "which risks less" if tighter else "which risks more: it is looser"
