"""Words for records: each becomes one line of the log, the same wherever it is shown.

Called by the log panels for new records only. Everything shown is in ``plain`` too;
what a script or venue wrote is passed on as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from workstation.model.instruments import Side
from workstation.model.limits import BreakerState
from workstation.model.money import minus, plain
from workstation.model.orders import Order, OrderRole, OrderStatus
from workstation.model.reconciliation import Verdict
from workstation.model.records import (
    BalanceRecord,
    BandRecord,
    BarRecord,
    BookRecord,
    BreakerRecord,
    CommandRecord,
    ControlRecord,
    DenyRecord,
    DifferenceRecord,
    FaultRecord,
    FeedRecord,
    FillRecord,
    LimitRecord,
    LockRecord,
    LossBaseRecord,
    NoteRecord,
    OpportunityRecord,
    OrderRecord,
    OwnerRecord,
    ParamsRecord,
    PositionRecord,
    Record,
    RequoteRecord,
    ResyncRecord,
    SignalRecord,
    StateRecord,
    TaskRecord,
    TradeRecord,
)
from workstation.model.states import BookTrust, PositionBand, SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.ui.typeset import duration, number, quantity, utc_minute, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.tail_log import LogLine

__all__ = ["KINDS", "Scales", "log_line", "move_words", "order_number"]

KINDS = (
    *("state", "order", "fill", "deny", "sig", "pos", "trade", "book", "gap"),
    *("feed", "task", "fault", "cmd", "hold", "kill", "lock", "band", "note", "edge"),
    *("limit", "param", "quote", "money", "venue", "bar"),
)
"""Every kind word, in the order of the log's rail."""

KIND_CELLS = 5

_STATE_INKS = {
    SymbolState.WATCH: "state-watch",
    SymbolState.CLOSE_WATCH: "state-close-watch",
    SymbolState.IN_TRADE: "state-in-trade",
}

_BREAKER_INKS = {
    BreakerState.CALM: "",
    BreakerState.WARNED: "warn",
    BreakerState.TRIPPED: "bad",
}

Parts = tuple[Part, ...]


class Scale(Protocol):
    """How an instrument is written; ``model.instruments.Instrument`` is one."""

    @property
    def price_decimals(self) -> int:
        """Return the decimals of a price."""

    @property
    def quantity_decimals(self) -> int:
        """Return the decimals of a quantity."""


Scales = Mapping[str, Scale]
"""The run's instruments by id."""


def order_number(order_id: str) -> str:
    """Return the short form of a client order id: its last part, without zeros."""
    tail = order_id.rsplit("-", 1)[-1]
    return tail.lstrip("0") or tail


def log_line(record: Record, scales: Scales, *, injected: bool = False) -> LogLine:
    """Return the line of one record: time, kind, symbol, what happened.

    ``injected`` marks it ``inj``: its cause was made by hand.
    """
    kind, ink, key, parts = _SAY[type(record)](record, scales)
    mark: Parts = (("inj ", "state-manual"),) if injected else ()
    head: Parts = (
        (f"{utc_time(record.ts, 1)} ", "dim"),
        (f"{kind:<{KIND_CELLS}} ", ink),
    )
    whole = (*head, *mark, *parts)
    plain = "".join(text for text, _ in whole)
    return LogLine(record.seq, kind, whole, plain, key)


Said = tuple[str, str, str, Parts]
"""Kind, its ink, the key that ``enter`` jumps to, and the rest of the line."""


def _price(value: Decimal | float | None, instrument: str, scales: Scales) -> str:
    scale = scales.get(instrument)
    return number(value, 2 if scale is None else scale.price_decimals)


def _quantity(value: Decimal, instrument: str, scales: Scales) -> str:
    scale = scales.get(instrument)
    return quantity(value, 3 if scale is None else scale.quantity_decimals)


def _after(text: str) -> Parts:
    return ((f" {text}", "dim"),) if text else ()


def _bar(record: BarRecord, scales: Scales) -> Said:
    bar = record.bar
    close = _price(bar.close, bar.instrument, scales)
    open_ = _price(bar.open, bar.instrument, scales)
    name = bar.instrument
    ink = "up" if bar.close >= bar.open else "down"
    parts: Parts = (
        (f"{name} {utc_minute(bar.ts_open)} ", ""),
        (f"{open_} > ", "dim"),
        (close, ink),
    )
    return "bar", "dim", bar.instrument, parts


def _book(record: BookRecord, scales: Scales) -> Said:
    name = record.instrument
    if record.expected is not None and record.got is not None:
        text = f"{name} want {record.expected} got {record.got}"
        return "gap", "warn", record.instrument, ((text, ""),)
    bad = record.after is BookTrust.UNTRUSTED
    parts: Parts = ((f"{name} ", ""), (record.after.value, "warn" if bad else "good"))
    if record.reason:
        parts = (*parts, (f", {record.reason}", "dim"))
    return "book", "warn" if bad else "info", record.instrument, parts


def _resync(record: ResyncRecord, scales: Scales) -> Said:
    name = record.instrument
    wait_s = (record.again_ns - record.ts) // NS_PER_S
    text = f"{name} resync {record.attempt}"
    parts: Parts = ((text, ""), (f", next in {wait_s} s", "dim"))
    return "book", "info", record.instrument, parts


def _signal(record: SignalRecord, scales: Scales) -> Said:
    signal = record.signal
    name = signal.instrument
    text = f"{name} {signal.action.value.replace('_', ' ')}"
    if signal.quantity is not None:
        text += f" {_quantity(signal.quantity, signal.instrument, scales)}"
    if signal.limit_price is not None:
        text += f" @ {_price(signal.limit_price, signal.instrument, scales)}"
    return "sig", "info", signal.instrument, ((text, ""), *_after(signal.reason))


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
        *_after("; ".join(record.why)),
    )
    return "quote", "warn" if bad else "info", record.instrument, parts


def move_words(record: StateRecord | LockRecord) -> str:
    """Return what moved a row, or what happened to it, and why: ``stop: 95 met``."""
    if isinstance(record, StateRecord):
        word = record.trigger.replace("_", " ")
    elif record.after:
        until = f" until {utc_minute(record.until_ns)}" if record.until_ns else ""
        word = f"manual{until}"
    else:
        word = "handed back"
    return f"{word}: {record.reason}" if record.reason else word


def _state(record: StateRecord, scales: Scales) -> Said:
    name = record.instrument
    if record.before is record.after:
        parts: Parts = (
            (f"{name} ", ""),
            (record.after.value, _STATE_INKS[record.after]),
            (f" {record.trigger.replace('_', ' ')}", ""),
            *_after(record.reason),
        )
        return "state", "dim", record.instrument, parts
    parts = (
        (f"{name} ", ""),
        (record.before.value, _STATE_INKS[record.before]),
        (" > ", "dim"),
        (record.after.value, _STATE_INKS[record.after]),
        *_after(record.reason or record.trigger.replace("_", " ")),
    )
    return "state", "accent", record.instrument, parts


def _params(record: ParamsRecord, scales: Scales) -> Said:
    changes = ", ".join(
        f"{name} {record.before[name]} > {value}"
        for name, value in record.after.items()
    )
    parts: Parts = (
        (f"{record.instrument} {record.strategy} {changes}", ""),
        *_after(record.reason),
    )
    return "param", "state-manual", record.instrument, parts


def _lock(record: LockRecord, scales: Scales) -> Said:
    name = record.instrument
    if record.after:
        until = f" until {utc_minute(record.until_ns)}" if record.until_ns else ""
        text = f"{name} {record.strategy} manual{until}"
    else:
        text = f"{name} {record.strategy} handed back"
    parts: Parts = ((text, ""), *_after(record.reason))
    return "lock", "state-manual", record.instrument, parts


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
    size = _quantity(order.quantity, order.instrument, scales)
    text = f"#{order_number(order.id)} {name} {order.side.value} {size}"
    price = order.price if order.price is not None else order.trigger
    if price is None:
        return f"{text} {order.type.value}"
    at = _price(price, order.instrument, scales)
    return f"{text} {order.type.value} @ {at}"


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
        filled = _quantity(order.filled, order.instrument, scales)
        whole = _quantity(order.quantity, order.instrument, scales)
        parts = (*parts, (f" {filled} of {whole}", ""))
    return (
        "order",
        "bad" if bad else "info",
        order.instrument,
        (*parts, *_after(record.reason)),
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
    size = _quantity(fill.quantity, fill.instrument, scales)
    price = _price(fill.price, fill.instrument, scales)
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
        at = _price(after.average_price, after.instrument, scales)
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
        *_after(trade.exit_reason),
    )
    return "trade", "info", trade.instrument, parts


def _band(record: BandRecord, scales: Scales) -> Said:
    name = record.instrument
    calm = record.after is PositionBand.NORMAL
    words = record.after.value.replace("_", " ")
    parts: Parts = ((f"{name} position {record.position} is {words}", ""),)
    return "band", "info" if calm else "warn", record.instrument, parts


def _task(record: TaskRecord, scales: Scales) -> Said:
    bad = record.after == "failed"
    parts: Parts = (
        (f"{record.task} {record.before} > ", ""),
        (record.after, "bad" if bad else "strong"),
        *_after(record.reason),
    )
    return "task", "bad" if bad else "info", record.task, parts


def _fault(record: FaultRecord, scales: Scales) -> Said:
    where = f" ({record.where})" if record.where else ""
    name = f" {record.instrument}" if record.instrument else ""
    parts: Parts = ((f"{record.task}{name} ", ""), (f"{record.error}{where}", "warn"))
    return "fault", "bad", record.instrument or record.task, parts


def _feed(record: FeedRecord, scales: Scales) -> Said:
    bad = record.what == "failed"
    parts: Parts = (
        (f"{record.feed} {record.what}", "bad" if bad else ""),
        *_after(record.detail),
    )
    return "feed", "bad" if bad else "info", record.feed, parts


def _control(record: ControlRecord, scales: Scales) -> Said:
    kind = record.name if record.name in ("hold", "kill") else "cmd"
    after = record.after or "off"
    parts: Parts = ((f"{after} by {record.who}", ""), *_after(record.reason))
    return kind, "bad" if kind == "kill" else "warn", "", parts


def _limit(record: LimitRecord, scales: Scales) -> Said:
    before, after = (
        "none" if each is None else f"{each:f}"
        for each in (record.before, record.after)
    )
    parts: Parts = (
        (f"{record.name} {before} > ", ""),
        (after, "strong"),
        (f" by {record.who}", "dim"),
        *_after(record.reason),
    )
    return "limit", "warn", "", parts


def _loss_base(record: LossBaseRecord, scales: Scales) -> Said:
    parts: Parts = (
        ("losses from ", "dim"),
        (f"{record.day_start:,.2f}", ""),
        (" at the day's start, highest ", "dim"),
        (f"{record.peak:,.2f}", ""),
    )
    return "limit", "info", "", parts


def _breaker(record: BreakerRecord, scales: Scales) -> Said:
    ink = _BREAKER_INKS[record.after]
    parts: Parts = (
        (f"{record.name} ", ""),
        (record.after.value, ink or "strong"),
        (f" {record.value:.6g} of {record.limit:.6g}", ""),
    )
    return "limit", ink or "info", "", parts


def _command(record: CommandRecord, scales: Scales) -> Said:
    verb = "".join(
        f" {letter.lower()}" if letter.isupper() else letter
        for letter in record.command
    ).strip()
    text = f"{verb} {record.subject}".strip()
    parts: Parts = ((text, ""),)
    if not record.accepted:
        parts = (*parts, (" refused", "warn"))
    return (
        "cmd",
        "key" if record.accepted else "warn",
        record.subject,
        (*parts, *_after(record.detail)),
    )


def _note(record: NoteRecord, scales: Scales) -> Said:
    name = record.instrument
    parts: Parts = ((f"{name} {record.text}".strip(), ""),)
    return "note", "dim", record.instrument or record.strategy, parts


def _opportunity(record: OpportunityRecord, scales: Scales) -> Said:
    found = record.opportunity
    buy = _price(found.buy_price, found.buy, scales)
    sell = _price(found.sell_price, found.sell, scales)
    size = _quantity(found.size, found.buy, scales)
    if record.end is None:
        parts: Parts = (
            (f"{found.buy} @ {buy} > ", ""),
            (f"{found.sell} @ {sell}", ""),
            (f" {number(found.net_bps, 2, sign=True)} bp", "strong"),
            (f" on {size}", "dim"),
        )
        return "edge", "accent", found.buy, parts
    lasted = (record.ts - found.opened_ns) / 1e9
    parts = (
        (f"{found.buy} > {found.sell} ", ""),
        (f"{record.end.value} after {lasted:.1f} s", "dim"),
        (f", best {number(record.best_bps, 2, sign=True)} bp", "dim"),
        *_after(record.reason),
    )
    return "edge", "dim", found.buy, parts


def _owner(record: OwnerRecord, scales: Scales) -> Said:
    parts: Parts = (
        (f"#{record.order_id} {record.before} > {record.after}", ""),
        *_after(record.reason),
    )
    return "order", "warn", record.instrument, parts


def _balance(record: BalanceRecord, scales: Scales) -> Said:
    parts: Parts = (
        (f"{plain(minus(record.after, record.before))} put in", ""),
        (f", {plain(record.after)} in all", "dim"),
        *_after(record.reason),
    )
    return "money", "warn", record.currency, parts


def _difference(record: DifferenceRecord, scales: Scales) -> Said:
    bad = record.after is Verdict.DIFFERS
    sides = f" {record.here} here, {record.venue} at the venue" if record.here else ""
    parts: Parts = ((f"{record.after}{sides}", ""), *_after(record.reason))
    return "venue", "bad" if bad else "info", record.subject, parts


_SAY: dict[type, Callable[[Any, Scales], Said]] = {
    BarRecord: _bar,
    BookRecord: _book,
    ResyncRecord: _resync,
    SignalRecord: _signal,
    RequoteRecord: _requote,
    StateRecord: _state,
    LockRecord: _lock,
    ParamsRecord: _params,
    OrderRecord: _order,
    DenyRecord: _deny,
    FillRecord: _fill,
    PositionRecord: _position,
    OwnerRecord: _owner,
    BalanceRecord: _balance,
    DifferenceRecord: _difference,
    TradeRecord: _trade,
    BandRecord: _band,
    TaskRecord: _task,
    FaultRecord: _fault,
    FeedRecord: _feed,
    ControlRecord: _control,
    LimitRecord: _limit,
    LossBaseRecord: _loss_base,
    BreakerRecord: _breaker,
    CommandRecord: _command,
    NoteRecord: _note,
    OpportunityRecord: _opportunity,
}
# Any: each function takes its own type of record, which the key names.
