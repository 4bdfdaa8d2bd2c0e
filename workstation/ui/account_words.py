"""Words for the account's records: signals, orders, fills, positions, money, the venue.

``wording`` makes the lines of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from workstation.model.instruments import Side, decimals_of
from workstation.model.money import minus
from workstation.model.orders import (
    Order,
    OrderRole,
    OrderStatus,
    OrderType,
    order_number,
)
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import (
    BalanceRecord,
    BandRecord,
    DenyRecord,
    DifferenceRecord,
    FillRecord,
    FlattenedRecord,
    OrderRecord,
    OwedRecord,
    OwnerRecord,
    PositionRecord,
    ProtectionRecord,
    RequoteRecord,
    SignalRecord,
    TradeRecord,
)
from workstation.model.states import PositionBand
from workstation.ui.log_parts import (
    Parts,
    Said,
    Scales,
    price_of,
    quantity_of,
    remark,
)
from workstation.ui.typeset import duration, number, quantity

__all__ = ["ACCOUNT_WORDS"]


def _signal(record: SignalRecord, scales: Scales) -> Said:
    signal = record.signal
    name = signal.instrument
    text = f"{name} {signal.action.value.replace('_', ' ')}"
    if signal.quantity is not None:
        text += f" {quantity_of(signal.quantity, signal.instrument, scales)}"
    if signal.limit_price is not None:
        text += f" @ {price_of(signal.limit_price, signal.instrument, scales)}"
    return "sig", "info", signal.instrument, ((text, ""), *remark(signal.reason))


def _requote(record: RequoteRecord, scales: Scales) -> Said:
    counts = {
        "kept": record.kept,
        "changed": record.modified,
        "canceled": record.canceled,
        "placed": record.placed,
        "waiting": record.waiting,
        "left out": record.dropped,
    }
    said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    bad = bool(record.denied)
    parts: Parts = (
        (f"{record.instrument} {record.strategy} ", ""),
        (f"{record.bids}×{record.asks} ", "strong"),
        (said or "nothing to do", "warn" if bad else ""),
        *remark("; ".join(record.why)),
    )
    return "quote", "warn" if bad else "info", record.instrument, parts


_PLAIN_STATUS = {
    OrderStatus.SUBMITTED: "",
    OrderStatus.ACCEPTED: "open",
    OrderStatus.PARTIALLY_FILLED: "part filled",
    OrderStatus.PENDING_CANCEL: "canceling",
    OrderStatus.PENDING_REPLACE: "changing",
}
_BAD_STATUS = frozenset({OrderStatus.UNKNOWN, OrderStatus.REJECTED, OrderStatus.DENIED})
_FIRST_STATUS = frozenset({OrderStatus.SUBMITTED, OrderStatus.HELD, OrderStatus.DENIED})


def _order_text(order: Order, scales: Scales) -> str:
    name = order.instrument
    size = quantity_of(order.quantity, order.instrument, scales)
    text = f"#{order_number(order.id)} {name} {order.side.value} {size}"
    kind = order.type.value.replace("_", "-")
    price = order.price if order.price is not None else order.trigger
    if price is None:
        return f"{text} {kind}"
    at = f"@ {price_of(price, order.instrument, scales)}"
    if order.type is OrderType.STOP_LIMIT and order.trigger is not None:
        at = f"{price_of(order.trigger, order.instrument, scales)} {at}"
    return f"{text} {kind} {at}"


def _order(record: OrderRecord, scales: Scales) -> Said:
    order = record.order
    status = _PLAIN_STATUS.get(order.status, order.status.value)
    bad = order.status in _BAD_STATUS
    name = order.instrument
    # What it is is said once; after that only what became of it.
    text = f"#{order_number(order.id)} {name}"
    if order.status in _FIRST_STATUS:
        text = _order_text(order, scales)
    parts: Parts = ((text, ""),)
    if status:
        parts = (*parts, (f" {status}", "bad" if bad else "strong"))
    if order.status is OrderStatus.PARTIALLY_FILLED:
        filled = quantity_of(order.filled, order.instrument, scales)
        whole = quantity_of(order.quantity, order.instrument, scales)
        parts = (*parts, (f" {filled} of {whole}", ""))
    return (
        "order",
        "bad" if bad else "info",
        order.instrument,
        (*parts, *remark(record.reason)),
    )


def _deny(record: DenyRecord, scales: Scales) -> Said:
    name = record.instrument
    parts: Parts = (
        (f"{name} ", ""),
        (record.code, "warn"),
        (f" {record.text}" if record.text else "", "dim"),
    )
    return "deny", "warn", record.instrument, parts


def _fill(record: FillRecord, scales: Scales) -> Said:
    fill = record.fill
    name = fill.instrument
    size = quantity_of(fill.quantity, fill.instrument, scales)
    price = price_of(fill.price, fill.instrument, scales)
    ink = "up" if fill.side is Side.BUY else "down"
    parts: Parts = (
        (f"{name} ", ""),
        (fill.side.value, ink),
        (f" {size} @ {price}", ""),
    )
    if fill.role is not OrderRole.ENTRY:
        parts = (*parts, (f" {fill.role.value}", "dim"))
    return "fill", "strong", fill.instrument, parts


def _position(record: PositionRecord, scales: Scales) -> Said:
    after = record.after
    name = after.instrument
    scale = scales.get(after.instrument)
    digits = 3 if scale is None else scale.quantity_decimals
    held = record.before.quantity
    before = quantity(held, digits, sign=True) if held else "flat"
    if after.is_flat:
        gained = after.realized - record.before.realized
        ink = "up" if gained > 0 else "down" if gained < 0 else "dim"
        parts: Parts = (
            (f"{name} {before} > flat ", ""),
            (number(gained, 2, sign=True), ink),
        )
    else:
        now = quantity(after.quantity, digits, sign=True)
        at = price_of(after.average_price, after.instrument, scales)
        parts = ((f"{name} {before} > {now} @ {at}", ""),)
    return "pos", "info", after.instrument, parts


def _trade(record: TradeRecord, scales: Scales) -> Said:
    trade = record.trade
    net = trade.net
    ink = "up" if net > 0 else "down" if net < 0 else "dim"
    word = "long" if trade.side is Side.BUY else "short"
    parts: Parts = (
        (f"{trade.instrument} {word} {duration(trade.held_ns)} net ", ""),
        (number(net, 2, sign=True), ink),
        *remark(trade.exit_reason),
    )
    return "trade", "info", trade.instrument, parts


def _band(record: BandRecord, scales: Scales) -> Said:
    name = record.instrument
    calm = record.after is PositionBand.NORMAL
    words = record.after.value.replace("_", " ")
    parts: Parts = ((f"{name} position {record.position} is {words}", ""),)
    return "band", "info" if calm else "warn", record.instrument, parts


def _owner(record: OwnerRecord, scales: Scales) -> Said:
    parts: Parts = (
        (f"#{order_number(record.order_id)} {record.instrument} ", ""),
        (f"{record.before} > ", "dim"),
        (record.after, "strong"),
        *remark(record.reason),
    )
    return "order", "warn", record.instrument, parts


def _protection(record: ProtectionRecord, scales: Scales) -> Said:
    name, found = record.instrument, []
    for word, level in (("stop", record.stop), ("target", record.target)):
        if level is not None:
            found.append(f"{word} {price_of(level, name, scales)}")
    if record.trailing_bps is not None:
        found.append(f"trailing {record.trailing_bps:g} bp")
    parts: Parts = (
        (f"{name} ", ""),
        (f"{record.owner} ", "dim"),
        (", ".join(found) or "no stop or target", ""),
    )
    return "order", "info", name, parts


def _flattened(record: FlattenedRecord, scales: Scales) -> Said:
    numbers = ", ".join(f"#{order_number(each)}" for each in record.order_ids)
    parts: Parts = (
        (numbers, ""),
        (" is closed as it fills", "dim"),
        *remark(record.reason),
    )
    return "order", "warn", "", parts


def _owed(record: OwedRecord, scales: Scales) -> Said:
    name = record.instrument
    parts: Parts = (
        (f"{name} ", ""),
        (f"{record.owner} ", "dim"),
        (f"{quantity_of(record.after, name, scales)} of late fills to close", ""),
    )
    return "order", "warn" if record.after else "info", name, parts


def _amount(value: Decimal, *, sign: bool = False) -> str:
    return number(value, max(2, decimals_of(value)), sign=sign)


def _balance(record: BalanceRecord, scales: Scales) -> Said:
    change = minus(record.after, record.before)
    word = "put in" if change >= 0 else "taken out"
    parts: Parts = (
        (f"{record.currency} ", ""),
        (f"{_amount(abs(change))} {word}", "strong"),
        (f", {_amount(record.after)} in all", "dim"),
        *remark(record.reason),
    )
    return "money", "warn", record.currency, parts


_VERDICTS = {
    Verdict.DIFFERS: "bad",
    Verdict.IGNORED: "warn",
    Verdict.AGREES: "good",
}


def _difference(record: DifferenceRecord, scales: Scales) -> Said:
    subject, verdict = record.subject, record.after
    ink = _VERDICTS.get(verdict, "info")
    if record.kind is not Subject.BALANCE:
        name = subject if record.kind is Subject.POSITION else f"#{subject}"
        parts: Parts = ((f"{record.kind} {name} ", ""), (verdict.value, ink))
        return "venue", ink, subject, (*parts, *remark(record.reason))
    sides = ""
    if verdict is not Verdict.AGREES:
        here, venue = Decimal(record.here), Decimal(record.venue)
        off = _amount(minus(venue, here), sign=True)
        sides = f" {_amount(here)} here, {_amount(venue)} at the venue, {off}"
    parts = ((f"{subject} ", ""), (verdict.value, ink), (sides, ""))
    return "venue", ink, subject, (*parts, *remark(record.reason))


ACCOUNT_WORDS: Mapping[type, Callable[[Any, Scales], Said]] = {
    SignalRecord: _signal,
    RequoteRecord: _requote,
    OrderRecord: _order,
    DenyRecord: _deny,
    FillRecord: _fill,
    PositionRecord: _position,
    OwnerRecord: _owner,
    ProtectionRecord: _protection,
    FlattenedRecord: _flattened,
    OwedRecord: _owed,
    BalanceRecord: _balance,
    DifferenceRecord: _difference,
    TradeRecord: _trade,
    BandRecord: _band,
}
# Any: each function takes its own type of record, which the key names.
