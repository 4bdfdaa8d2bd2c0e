"""The amend dialog: another quantity or price for a working order.

Of a stop or target that is held here the trigger is moved; its quantity is the
position's. The sentence says what becomes of the place in the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from textual.widget import Widget

from workstation.engine.frames import Frame, OrderRow
from workstation.model.commands import AmendOrder, PlaceOrder
from workstation.model.instruments import Instrument
from workstation.model.orders import Order, OrderRole
from workstation.ui.log_parts import order_number
from workstation.ui.screens.checked import CheckedRitual, TicketDesk, touch_fields
from workstation.ui.screens.fields import NumberField, number_of
from workstation.ui.screens.price_field import PriceField
from workstation.ui.screens.ritual import Timer, Verb
from workstation.ui.screens.sentences import order_fields
from workstation.ui.screens.ticket_form import (
    price_error,
    quantity_error,
    size_bounds,
)
from workstation.ui.typeset import price, quantity
from workstation.ui.widgets.status_lines import Field

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
        """Name the order."""
        order = self.order
        return (
            f"Amend {order.side} {order.role} {order_number(order.id)} of {order.owner}"
        )

    def live_fields(self) -> Sequence[Field]:
        """Show the order and the market as they are now."""
        row = self.scene.order(self.order_id)
        live = order_fields(row) if row is not None else ()
        touch = touch_fields(self.scene, self.instrument, self.touch())
        return (*live[1:4], *touch[:2])

    def compose_fields(self) -> Iterable[Widget]:
        """Ask for price and quantity, which begin as they are."""
        one, order = self.instrument, self.order
        held = self._row.held
        at = _price(self._row)
        yield PriceField(
            order.role.value if held else "price",
            one,
            self.touch,
            check=lambda text: price_error(text, one),
            value="" if at is None else format(at, "f"),
            remark=f"tick {one.tick_size}  b bid  m mid  a ask",
            id="price",
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

    def _values(self) -> tuple[Decimal | None, Decimal | None]:
        at = self.query_one("#price", PriceField)
        size = self.query_one("#quantity", NumberField)
        wrong = price_error(at.text, self.instrument)
        return (
            None if wrong else number_of(at.text),
            None if self._size_error(size.text) else number_of(size.text),
        )

    def _size_error(self, text: str) -> str:
        if self.held:
            # All of a position, however large: it is closed by several orders then.
            return ""
        at = number_of(self.query_one("#price", PriceField).text)
        wrong = quantity_error(text, self.instrument, at)
        filled, size = self.order.filled, number_of(text)
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
        at, size = self._values()
        now = _price(self._row), self.order.quantity
        if at is None or size is None or (at, size) == now:
            return None
        return AmendOrder(
            order_id=self.order_id,
            quantity=size,
            price=at,
            reason="amended by the operator",
            seen_seq=self.seen_seq,
        )

    def missing(self) -> str:
        """Say which field is wrong, or that all is as it is."""
        at = price_error(self.query_one("#price", PriceField).text, self.instrument)
        size = self._size_error(self.query_one("#quantity", NumberField).text)
        words = [("price", at), ("quantity", size)]
        wrong = "; ".join(f"{name}: {text}" for name, text in words if text)
        return wrong or "it is as it is now"

    def rebase(self) -> None:
        """Take up what the order is now."""
        self._row = self.scene.order(self.order_id) or self._row
        super().rebase()

    # --- what happens -----------------------------------------------------------------

    @property
    def held(self) -> bool:
        """Whether it is a stop or target that is kept here."""
        return self._row.held

    def words_of(self, command: PlaceOrder | AmendOrder) -> str:
        """Say from what to what, and what that does to the queue or the protection."""
        assert isinstance(command, AmendOrder)
        order, one = self.order, self.instrument
        before, after = _price(self._row), command.price
        moved = price(after, one.price_decimals)
        if self.held:
            was = price(before, one.price_decimals)
            text = f"Moves the {order.role} of {order.owner} from {was} to {moved}"
            return f"{text}, {_protects(order, before, after)}."
        digits = one.quantity_decimals
        was = (
            f"{quantity(order.quantity, digits)} at {price(before, one.price_decimals)}"
        )
        text = f"{order.side.value.capitalize()} {was} becomes "
        text += f"{quantity(command.quantity, digits)} at {moved}"
        found = self.checked
        if found is not None and found.keeps_queue:
            return f"{text}; keeps its place in the queue where the venue grants that."
        return f"{text}; goes to the end of the queue."

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to amend."""
        return (Verb("Amend", self._amend, id="go"),)

    def verb_label(self) -> str:
        """Name quantity and price."""
        command, one = self.command(), self.instrument
        if command is None:
            return "Amend"
        at = price(command.price, one.price_decimals)
        if self.held:
            return f"Move {self.order.role} to {at}"
        size = quantity(command.quantity, one.quantity_decimals)
        return f"Amend to {size} at {at}"

    def _amend(self) -> None:
        command = self.command()
        if command is None:
            return
        answer = self.run(command)
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
