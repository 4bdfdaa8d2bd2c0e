"""The forms of the inject dialog: fields of the event types, and events from texts.

Pure. What the engine sets (times, ids) is not asked for; everything else is, with its
unit and the last value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from workstation.engine.frames import SymbolRow
from workstation.model.instruments import Instrument, Side
from workstation.model.market import Bar, MarketEvent, Quote, Trade
from workstation.model.orders import OrderType, TimeInForce
from workstation.model.rehearsal import HandOrder, ToldReport, Transfer
from workstation.model.signals import Signal, SignalAction
from workstation.model.timeframes import Timeframe
from workstation.ui.screens.raw_json import RawError, decode_strictly
from workstation.ui.typed_numbers import amount_of, wrong_amount
from workstation.ui.typeset import plain

__all__ = [
    "FORMS",
    "Entry",
    "EventKind",
    "FormError",
    "Formed",
    "Injected",
    "decode_raw",
    "encode_raw",
    "form_for",
    "happening_words",
    "receivers",
    "to_event",
]


class EventKind(StrEnum):
    """What can be injected."""

    QUOTE = "Quote"
    TRADE = "Trade"
    BAR = "Bar"
    SIGNAL = "Signal"
    TRANSFER = "Transfer"
    HAND_ORDER = "HandOrder"
    REPORT = "Report"
    """Of an order; ``report_form`` has its fields."""


Formed = MarketEvent | Signal | Transfer | HandOrder
"""What a form here makes."""

Injected = Formed | ToldReport
"""What a form or its JSON makes, reports too."""

FORMS: Mapping[EventKind, type[Struct]] = {
    EventKind.QUOTE: Quote,
    EventKind.TRADE: Trade,
    EventKind.BAR: Bar,
    EventKind.SIGNAL: Signal,
    EventKind.TRANSFER: Transfer,
    EventKind.HAND_ORDER: HandOrder,
}
_ORDERS = (EventKind.SIGNAL, EventKind.TRANSFER, EventKind.HAND_ORDER)
"""Kinds whose figures are exact, and that are no event of the market."""

# Set by the engine or by the dialog's other fields.
_NOT_ASKED = frozenset(
    (
        *("instrument", "strategy", "ts_recv", "ts_event", "ts_open"),
        *("update_id", "trade_id", "turnover", "trades"),
        # Rare enough to be written as JSON.
        *("trigger", "good_for_ns", "post_only", "loosen", "add", "reverse"),
    )
)

Unit = Literal[
    "price", "size", "amount", "count", "bps", "side", "timeframe", "word", "text"
]


class FormError(ValueError):
    """A form or JSON that makes no event; says which field and what is right."""


class Entry(Struct, frozen=True, kw_only=True):
    """One field of a form: what it is measured in and what it starts with."""

    name: str
    unit: Unit
    value: str = ""
    optional: bool = False
    choices: tuple[str, ...] = ()


_UNITS: Mapping[str, Unit] = {
    "bid": "price",
    "ask": "price",
    "price": "price",
    "open": "price",
    "high": "price",
    "low": "price",
    "close": "price",
    "limit_price": "price",
    "stop": "price",
    "target": "price",
    "bid_size": "size",
    "ask_size": "size",
    "size": "size",
    "volume": "size",
    "quantity": "size",
    "amount": "amount",
    "currency": "word",
    "side": "word",
    "trailing_bps": "bps",
    "aggressor": "side",
    "timeframe": "timeframe",
    "action": "word",
    "order_type": "word",
    "time_in_force": "word",
    "reason": "text",
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "aggressor": ("buyer", "seller", "unknown"),
    "action": tuple(SignalAction),
    "side": tuple(Side),
    "order_type": (OrderType.MARKET, OrderType.LIMIT),
    "time_in_force": (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK),
}
_SIDES = {"buyer": 1, "seller": -1, "unknown": 0}


_MINUTE = Timeframe.parse("1m")


def form_for(
    kind: EventKind,
    instrument: Instrument,
    row: SymbolRow | None,
    timeframe: Timeframe = _MINUTE,
) -> tuple[Entry, ...]:
    """Return the fields of an event type, filled with the last values of ``row``."""
    entries = []
    for field in msgspec.structs.fields(FORMS[kind]):
        if field.name in _NOT_ASKED:
            continue
        unit, choices = _UNITS[field.name], _CHOICES.get(field.name, ())
        if field.name == "currency":
            choices = (instrument.quote, instrument.base)
        value = _start(field.name, unit, instrument, row, timeframe)
        if unit == "size" and field.required:
            value = plain(instrument.lot_size * 1000)
        entries.append(
            Entry(
                name=field.name,
                unit=unit,
                value=value,
                optional=not field.required,
                choices=choices,
            )
        )
    return tuple(entries)


def _start(
    name: str,
    unit: Unit,
    instrument: Instrument,
    row: SymbolRow | None,
    timeframe: Timeframe,
) -> str:
    if unit == "timeframe":
        return str(timeframe)
    if unit == "amount":
        return "1000"
    last = None if row is None else row.last
    if unit == "price" and last is not None and name not in _PROTECTION:
        price = instrument.nearest_price(last)
        spread = (row.spread_bps or 0.0) if row is not None else 0.0
        half = instrument.nearest_price(last * spread / 20_000)
        if name == "bid":
            price -= max(half, Decimal(0))
        elif name == "ask":
            price += max(half, instrument.tick_size)
        return plain(price)
    return ""


_PROTECTION = frozenset(("limit_price", "stop", "target"))


_FROM: Mapping[EventKind, Callable[[object], Formed]] = {
    EventKind.QUOTE: lambda values: msgspec.convert(values, Quote),
    EventKind.TRADE: lambda values: msgspec.convert(values, Trade),
    EventKind.BAR: lambda values: msgspec.convert(values, Bar),
    EventKind.SIGNAL: lambda values: msgspec.convert(values, Signal),
    EventKind.TRANSFER: lambda values: msgspec.convert(values, Transfer),
    EventKind.HAND_ORDER: lambda values: msgspec.convert(values, HandOrder),
}


def to_event(
    kind: EventKind,
    instrument: str,
    strategy: str,
    texts: Mapping[str, str],
    ts: int,
) -> Formed:
    """Return the event of a filled form. Raises FormError for the first bad field."""
    values: dict[str, object] = {"instrument": instrument}
    for field in msgspec.structs.fields(FORMS[kind]):
        name = field.name
        if name in _NOT_ASKED:
            continue
        text = texts.get(name, "").strip()
        if not text and not field.required:
            continue
        values[name] = _value(name, text, exact=kind in _ORDERS)
    if kind is EventKind.SIGNAL:
        values["strategy"] = strategy
    elif kind not in _ORDERS:
        values["ts_recv"] = ts
    if kind is EventKind.BAR:
        timeframe = values["timeframe"]
        span_ns = timeframe.length_ns if isinstance(timeframe, Timeframe) else 0
        values["ts_open"] = ts - span_ns
    try:
        return _FROM[kind](values)
    except msgspec.ValidationError as error:
        raise FormError(str(error)) from error


def _value(name: str, text: str, *, exact: bool) -> object:
    unit = _UNITS[name]
    if not text:
        raise FormError(f"{name} is missing")
    if unit == "side":
        return _SIDES.get(text, 0)
    if unit == "timeframe":
        try:
            return Timeframe.parse(text)
        except ValueError as error:
            raise FormError(str(error)) from error
    if unit in ("word", "text"):
        return text
    number = amount_of(text)
    if number is None:
        raise FormError(f"{name}: {wrong_amount(text)}")
    if unit in ("price", "size") and number <= 0:
        raise FormError(f"{name} must be above 0")
    if unit == "amount" and not number:
        raise FormError(f"{name} must not be 0: less than 0 takes out")
    return number if exact and unit != "bps" else float(number)


def receivers(
    kind: EventKind, instrument: str, strategy: str, rows: tuple[SymbolRow, ...]
) -> tuple[str, ...]:
    """Return who gets such an event, in the order they get it."""
    if kind is EventKind.SIGNAL:
        return (f"the risk stage, as if {strategy or 'a strategy'} had sent it",)
    asked = dict.fromkeys(row.strategy for row in rows if row.instrument == instrument)
    what = "the bars" if kind is not EventKind.BAR else "the window"
    return (what, "held stops and targets", *(name for name in asked if name))


def happening_words(event: Transfer | HandOrder) -> str:
    """Return what happens at the venue, and that nobody here has asked for it."""
    if isinstance(event, Transfer):
        went = "leaves" if event.amount.is_signed() else "comes into"
        amount = plain(event.amount.copy_abs())
        said = f"{amount} {event.currency} {went} the account"
        after = "The books hear of nothing: j shows it once the venue has been asked."
    else:
        at = "at market" if event.price is None else f"at {plain(event.price)}"
        verb = "buys" if event.side is Side.BUY else "sells"
        said = f"Somebody {verb} {plain(event.quantity)} {event.instrument} {at}"
        after = "The order is external's, and so is what it fills: j shows it."
    return f"{said} at the venue, by hand. {after}"


_RAW: tuple[type[Struct], ...] = get_args(
    Quote | Trade | Bar | Signal | Transfer | HandOrder | ToldReport
)


def decode_raw(text: str) -> Injected:
    """Return the event of a JSON text; raises FormError that says what is wrong."""
    try:
        event: Injected = decode_strictly(text, _RAW)
    except RawError as error:
        raise FormError(str(error)) from error
    return event


def encode_raw(event: Injected) -> str:
    """Return an event as the JSON that ``decode_raw`` reads."""
    return msgspec.json.encode(event).decode()
