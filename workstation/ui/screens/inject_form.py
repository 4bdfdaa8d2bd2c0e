"""The forms of the inject dialog: fields of the event types, and events from texts.

Pure. What the engine sets (times, ids) is not asked for; everything else is, with its
unit and the last value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import Struct

from workstation.engine.frames import SymbolRow
from workstation.model.instruments import Instrument
from workstation.model.market import Bar, MarketEvent, Quote, Trade
from workstation.model.orders import OrderType, TimeInForce
from workstation.model.signals import Signal, SignalAction
from workstation.model.timeframes import Timeframe
from workstation.ui.typeset import plain

__all__ = [
    "FORMS",
    "Entry",
    "EventKind",
    "FormError",
    "decode_raw",
    "encode_raw",
    "form_for",
    "receivers",
    "to_event",
]


class EventKind(StrEnum):
    """What can be injected."""

    QUOTE = "Quote"
    TRADE = "Trade"
    BAR = "Bar"
    SIGNAL = "Signal"


FORMS: Mapping[EventKind, type[Struct]] = {
    EventKind.QUOTE: Quote,
    EventKind.TRADE: Trade,
    EventKind.BAR: Bar,
    EventKind.SIGNAL: Signal,
}

# Set by the engine or by the dialog's other fields.
_NOT_ASKED = frozenset(
    (
        *("instrument", "strategy", "ts_recv", "ts_event", "ts_open"),
        *("update_id", "trade_id", "turnover", "trades"),
        # Rare enough to be written as JSON.
        *("trigger", "good_for_ns", "post_only", "loosen", "add", "reverse"),
    )
)

Unit = Literal["price", "size", "count", "bps", "side", "timeframe", "word", "text"]


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
        unit = _UNITS[field.name]
        entries.append(
            Entry(
                name=field.name,
                unit=unit,
                value=_start(field.name, unit, instrument, row, timeframe),
                optional=not field.required,
                choices=_CHOICES.get(field.name, ()),
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
    if unit == "size" and name != "quantity":
        return plain(instrument.lot_size * 1000)
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


_FROM: Mapping[EventKind, Callable[[object], MarketEvent | Signal]] = {
    EventKind.QUOTE: lambda values: msgspec.convert(values, Quote),
    EventKind.TRADE: lambda values: msgspec.convert(values, Trade),
    EventKind.BAR: lambda values: msgspec.convert(values, Bar),
    EventKind.SIGNAL: lambda values: msgspec.convert(values, Signal),
}


def to_event(
    kind: EventKind,
    instrument: str,
    strategy: str,
    texts: Mapping[str, str],
    ts: int,
) -> MarketEvent | Signal:
    """Return the event of a filled form. Raises FormError for the first bad field."""
    values: dict[str, object] = {"instrument": instrument}
    for field in msgspec.structs.fields(FORMS[kind]):
        name = field.name
        if name in _NOT_ASKED:
            continue
        text = texts.get(name, "").strip()
        if not text and not field.required:
            continue
        values[name] = _value(name, text, exact=kind is EventKind.SIGNAL)
    if kind is EventKind.SIGNAL:
        values["strategy"] = strategy
    else:
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
    try:
        number = Decimal(text.replace(",", "").replace("−", "-"))
    except ArithmeticError:
        raise FormError(f"{name}: {text!r} is not a number") from None
    if not number.is_finite() or (unit in ("price", "size") and number <= 0):
        raise FormError(f"{name} must be above 0")
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


_RAW: msgspec.json.Decoder[Quote | Trade | Bar | Signal] = msgspec.json.Decoder(
    Quote | Trade | Bar | Signal
)


def decode_raw(text: str) -> MarketEvent | Signal:
    """Return the event of a JSON text; raises FormError that says what is wrong."""
    try:
        return _RAW.decode(text)
    except msgspec.ValidationError as error:
        raise FormError(str(error)) from error
    except msgspec.DecodeError as error:
        raise FormError(f"not JSON: {error}") from error


def encode_raw(event: MarketEvent | Signal) -> str:
    """Return an event as the JSON that ``decode_raw`` reads."""
    return msgspec.json.encode(event).decode()
