"""What is typed into an order ticket, read as an order: values, errors, quantities.

Pure. Every error is one short sentence beside its field: what is wrong, and what would
be right. The risk stage has the last word; this only says what can be said of a field.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec import Struct

from workstation.engine.order_preview import Touch
from workstation.model.commands import PlaceOrder
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.orders import OrderType, TimeInForce
from workstation.model.timeframes import NS_PER_S, parse_span
from workstation.strategy.actions import SizeMode
from workstation.strategy.sizing import Size, entry_quantity
from workstation.ui.screens.raw_json import RawError, decode_strictly
from workstation.ui.typed_numbers import amount_of, wrong_amount
from workstation.ui.typeset import plain, price, quantity

__all__ = [
    "MODES",
    "Filled",
    "Only",
    "TicketError",
    "TicketForm",
    "decode_ticket",
    "encode_ticket",
    "figure_of",
    "price_error",
    "quantity_error",
    "read_ticket",
    "size_bounds",
    "span_error",
    "start_price",
    "trigger_error",
    "where_waits",
]

_HUNDRED = Decimal(100)

_NEEDED: Mapping[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: ("price",),
    OrderType.STOP: ("trigger",),
    OrderType.STOP_LIMIT: ("price", "trigger"),
}


class Only(StrEnum):
    """What an order is allowed: to rest only, to reduce only, or both."""

    NO = "no"
    POST = "post"
    REDUCE = "reduce"
    BOTH = "both"


class _Mode(NamedTuple):
    label: str
    unit: str
    step: Decimal


MODES: Mapping[SizeMode, _Mode] = {
    "quantity": _Mode("quantity", "", Decimal(0)),
    "notional": _Mode("value", "", Decimal(100)),
    "equity": _Mode("of equity", "% of equity", Decimal(1)),
    "risk": _Mode("risk at stop", "% of equity lost at the stop", Decimal("0.1")),
}
"""How a size can be meant: its word, unit and step; a step of 0 is the lot."""


class TicketError(ValueError):
    """JSON that is no order; says which field and what is right."""


class TicketForm(Struct, frozen=True, kw_only=True):
    """The texts and choices of a ticket; ``span`` is how long a GTD order works."""

    side: Side = Side.BUY
    order_type: OrderType = OrderType.LIMIT
    price: str = ""
    trigger: str = ""
    mode: SizeMode = "quantity"
    size: str = ""
    time_in_force: TimeInForce = TimeInForce.GTC
    span: str = ""
    only: Only = Only.NO
    stop: str = ""
    target: str = ""


class Filled(NamedTuple):
    """What a form comes to: an order where ``errors`` (by field) is empty."""

    order: PlaceOrder | None
    errors: dict[str, str]
    quantity: Decimal | None


def read_ticket(
    form: TicketForm, instrument: Instrument, touch: Touch, equity: Decimal, ts: int
) -> Filled:
    """Return the order of a form, or what is wrong with which field.

    A market order is sized at the best price of the other side, a stop at its trigger;
    ``equity`` is what fractions are of, ``ts`` when a GTD order begins to work.
    """
    errors: dict[str, str] = {}
    needed = _NEEDED[form.order_type]
    typed = {name: getattr(form, name) for name in (*needed, "stop", "target")}
    for name, text in typed.items():
        if text or name in needed:
            if name == "trigger":
                wrong = trigger_error(text, instrument, form.side)
            else:
                wrong = price_error(text, instrument)
            if wrong:
                errors[name] = wrong
    at, trigger = (
        figure_of(typed[name]) if name in needed and name not in errors else None
        for name in ("price", "trigger")
    )
    stop = figure_of(form.stop) if "stop" not in errors else None
    target = figure_of(form.target) if "target" not in errors else None
    ends = form.time_in_force is TimeInForce.GTD
    if ends and span_error(form.span):
        errors["span"] = span_error(form.span)
    best = touch.ask if form.side is Side.BUY else touch.bid
    worth: Decimal | None
    if needed:
        worth = at if "price" in needed else trigger
    else:
        worth = None if best is None else to_decimal(best)
    size, wrong = _size(form, instrument, at, worth, equity, stop)
    if wrong:
        errors["size"] = wrong
    if errors or size is None:
        return Filled(None, errors, size)
    order = PlaceOrder(
        instrument=instrument.id,
        side=form.side,
        quantity=size,
        order_type=form.order_type,
        price=at,
        trigger=trigger,
        time_in_force=form.time_in_force,
        expires_ns=ts + parse_span(form.span) if ends else None,
        post_only=form.only in (Only.POST, Only.BOTH),
        reduce_only=form.only in (Only.REDUCE, Only.BOTH),
        stop=stop,
        target=target,
    )
    return Filled(order, errors, size)


def _size(
    form: TicketForm,
    instrument: Instrument,
    at: Decimal | None,
    worth: Decimal | None,
    equity: Decimal,
    stop: Decimal | None,
) -> tuple[Decimal | None, str]:
    """Return the quantity on the lot, or what is wrong with the size."""
    if form.mode == "quantity":
        wrong = quantity_error(form.size, instrument, at)
        return (None, wrong) if wrong else (figure_of(form.size), "")
    amount = figure_of(form.size)
    if not form.size:
        return None, "a size is missing"
    if amount is None:
        return None, wrong_amount(form.size, strict=True)
    if amount <= 0:
        return None, "must be above 0"
    if worth is None:
        return None, "needs a price: there is none yet"
    if form.mode == "risk" and (stop is None or stop == worth):
        return None, "needs a stop away from the price"
    if form.mode != "notional":
        amount /= _HUNDRED
    size = Size(form.mode, float(amount))
    made = entry_quantity(
        size, instrument, float(worth), equity, None if stop is None else float(stop)
    )
    if made <= 0:
        return None, f"less than a lot of {instrument.lot_size}"
    wrong = size_error(made, instrument, at)
    return (None, f"{plain(made)} is not: {wrong}") if wrong else (made, "")


def figure_of(text: str) -> Decimal | None:
    """Return a price or size of an order: nothing that could be another one."""
    return amount_of(text, strict=True)


def where_waits(side: Side) -> str:
    """Return where the trigger of a stop of this side may be."""
    return "above the ask" if side is Side.BUY else "below the bid"


def trigger_error(text: str, instrument: Instrument, side: Side) -> str:
    """Return what is wrong with a trigger; where it may be while there is none."""
    wrong = price_error(text, instrument)
    return wrong if text else f"{wrong}, {where_waits(side)}"


def price_error(text: str, instrument: Instrument) -> str:
    """Return what is wrong with a price, and which one would be right."""
    value = figure_of(text)
    if not text:
        return "a price is missing"
    if value is None:
        return wrong_amount(text, strict=True)
    if value <= 0:
        return "must be above 0"
    if not instrument.is_on_tick(value):
        # What is named must be right: 0 is no price, nor is one beyond the bounds.
        near = max(instrument.nearest_price(value), instrument.tick_size)
        right = price(instrument.within_prices(near), instrument.price_decimals)
        return f"not on tick {instrument.tick_size}: {right} is"
    bound = instrument.within_prices(value)
    if bound != value:
        side = "least" if value < bound else "most"
        return f"at {side} {price(bound, instrument.price_decimals)} here"
    return ""


def quantity_error(text: str, instrument: Instrument, at: Decimal | None) -> str:
    """Return what is wrong with a quantity, and which one would be right.

    ``at`` is the order's price; None for a market order.
    """
    value = figure_of(text)
    if not text:
        return "a quantity is missing"
    if value is None:
        return wrong_amount(text, strict=True)
    if value <= 0:
        return f"must be {instrument.lot_size} or more"
    if not instrument.is_on_lot(value):
        near = instrument.round_quantity(value)
        if near <= 0:
            return f"less than a lot of {instrument.lot_size}"
        beyond = size_error(near, instrument, at)
        if beyond:
            return beyond
        shown = quantity(near, instrument.quantity_decimals)
        return f"not on lot {instrument.lot_size}: {shown} is"
    return size_error(value, instrument, at)


def size_error(value: Decimal, instrument: Instrument, at: Decimal | None) -> str:
    """Return that one order may not be so small or so large, with the bound."""
    if value < instrument.min_quantity:
        return f"at least {plain(instrument.min_quantity)} here"
    most = instrument.most(at)
    if most is not None and value > most:
        return f"at most {plain(most)} in one order"
    return ""


def size_bounds(instrument: Instrument, at: Decimal | None) -> str:
    """Return what one order may be, such as ``0.01 to 9000``; "" where any is."""
    most = instrument.most(at)
    if most is not None:
        least = plain(max(instrument.min_quantity, instrument.lot_size))
        return f"{least} to {plain(most)}"
    if instrument.min_quantity > instrument.lot_size:
        return f"at least {plain(instrument.min_quantity)}"
    return ""


def span_error(text: str) -> str:
    """Return what is wrong with how long an order is to work."""
    wrong = "a count and a unit, such as 30s, 15m, 2h"
    if not text.isascii():
        # Digits of other scripts are refused in a price, too.
        return wrong
    try:
        span = parse_span(text)
    except ValueError:
        return wrong
    return "at most a year" if span > 366 * 86_400 * NS_PER_S else ""


def encode_ticket(order: PlaceOrder) -> str:
    """Return an order as the JSON that ``decode_ticket`` reads."""
    return msgspec.json.encode(order).decode()


def decode_ticket(text: str) -> PlaceOrder:
    """Return the order of a JSON text. Raises TicketError that says what is wrong."""
    try:
        order: PlaceOrder = decode_strictly(text, (PlaceOrder,))
    except RawError as error:
        raise TicketError(str(error)) from error
    return order


def start_price(instrument: Instrument, touch: Touch, side: Side) -> str:
    """Return the price a ticket begins with: the best of its own side."""
    best = touch.bid if side is Side.BUY else touch.ask
    if best is None:
        best = touch.mid or touch.last
    return "" if best is None else plain(instrument.round_price(best, side))
