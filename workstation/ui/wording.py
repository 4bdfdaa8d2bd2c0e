"""Words for records: each becomes one line of the log, the same wherever it is shown.

Called by the log panels for new records only. Everything shown is in ``plain`` too;
what a script or venue wrote is passed on as text, never as markup. The words of the
account's records are in ``account_words``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workstation.model.limits import BreakerState
from workstation.model.records import (
    BarRecord,
    BookRecord,
    BreakerRecord,
    CommandRecord,
    ControlRecord,
    FaultRecord,
    FeedRecord,
    LimitRecord,
    LockRecord,
    LossBaseRecord,
    NoteRecord,
    OpportunityRecord,
    ParamsRecord,
    Record,
    ResyncRecord,
    StateRecord,
    TaskRecord,
)
from workstation.model.states import BookTrust, SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.ui.account_words import ACCOUNT_WORDS
from workstation.ui.log_parts import Parts, Said, Scales, price_of, quantity_of, remark
from workstation.ui.typeset import number, utc_minute, utc_time
from workstation.ui.widgets.tail_log import LogLine

__all__ = ["KINDS", "log_line", "move_words"]

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


def _bar(record: BarRecord, scales: Scales) -> Said:
    bar = record.bar
    close = price_of(bar.close, bar.instrument, scales)
    open_ = price_of(bar.open, bar.instrument, scales)
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
            *remark(record.reason),
        )
        return "state", "dim", record.instrument, parts
    parts = (
        (f"{name} ", ""),
        (record.before.value, _STATE_INKS[record.before]),
        (" > ", "dim"),
        (record.after.value, _STATE_INKS[record.after]),
        *remark(record.reason or record.trigger.replace("_", " ")),
    )
    return "state", "accent", record.instrument, parts


def _params(record: ParamsRecord, scales: Scales) -> Said:
    changes = ", ".join(
        f"{name} {record.before[name]} > {value}"
        for name, value in record.after.items()
    )
    parts: Parts = (
        (f"{record.instrument} {record.strategy} {changes}", ""),
        *remark(record.reason),
    )
    return "param", "state-manual", record.instrument, parts


def _lock(record: LockRecord, scales: Scales) -> Said:
    name = record.instrument
    if record.after:
        until = f" until {utc_minute(record.until_ns)}" if record.until_ns else ""
        text = f"{name} {record.strategy} manual{until}"
    else:
        text = f"{name} {record.strategy} handed back"
    parts: Parts = ((text, ""), *remark(record.reason))
    return "lock", "state-manual", record.instrument, parts


def _task(record: TaskRecord, scales: Scales) -> Said:
    bad = record.after == "failed"
    parts: Parts = (
        (f"{record.task} {record.before} > ", ""),
        (record.after, "bad" if bad else "strong"),
        *remark(record.reason),
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
        *remark(record.detail),
    )
    return "feed", "bad" if bad else "info", record.feed, parts


def _control(record: ControlRecord, scales: Scales) -> Said:
    kind = record.name if record.name in ("hold", "kill") else "cmd"
    after = record.after or "off"
    parts: Parts = ((f"{after} by {record.who}", ""), *remark(record.reason))
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
        *remark(record.reason),
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
        (*parts, *remark(record.detail)),
    )


def _note(record: NoteRecord, scales: Scales) -> Said:
    name = record.instrument
    parts: Parts = ((f"{name} {record.text}".strip(), ""),)
    return "note", "dim", record.instrument or record.strategy, parts


def _opportunity(record: OpportunityRecord, scales: Scales) -> Said:
    found = record.opportunity
    buy = price_of(found.buy_price, found.buy, scales)
    sell = price_of(found.sell_price, found.sell, scales)
    size = quantity_of(found.size, found.buy, scales)
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
        *remark(record.reason),
    )
    return "edge", "dim", found.buy, parts


_SAY: dict[type, Callable[[Any, Scales], Said]] = {
    **ACCOUNT_WORDS,
    BarRecord: _bar,
    BookRecord: _book,
    ResyncRecord: _resync,
    StateRecord: _state,
    LockRecord: _lock,
    ParamsRecord: _params,
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
