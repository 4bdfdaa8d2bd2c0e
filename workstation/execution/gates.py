"""The gates of "why not?": what an entry of a row would meet in the Executor now.

Asked by the screen through the Executor. Each gate puts a question of the risk stage,
in the order in which ``RiskStage.check`` does, so that the first gate that fails is
the denial an entry would get. ``gate_of`` says which gate a denial belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from workstation.execution.risk import Denial, DenialCode, RiskStage
from workstation.model.instruments import Side
from workstation.model.money import grouped
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.states import BookTrust, Gate
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

__all__ = ["entry_gates", "gate_of", "inner_gates", "outer_gates"]

_GATE_OF = {
    DenialCode.DATA_STALE: "feed",
    DenialCode.BOOK_UNTRUSTED: "book",
    # A paused strategy is not asked, so it is the executor that denies.
    DenialCode.TASK_PAUSED: "engine",
    DenialCode.HOLD: "engine",
    DenialCode.KILLED: "engine",
    DenialCode.RECONCILING: "engine",
    DenialCode.UNRECONCILED: "engine",
    DenialCode.TASK_STOPPED: "task",
    DenialCode.ROW_LOCKED: "lock",
    # Found out where the entry is sized, before the risk stage is asked.
    DenialCode.QUANTITY_ZERO: "size",
    DenialCode.QUANTITY_BELOW_MINIMUM: "size",
    DenialCode.QUANTITY_ABOVE_MAXIMUM: "size",
    DenialCode.BELOW_MIN_NOTIONAL: "size",
    DenialCode.MAX_OPEN_ORDERS: "throttle",
    DenialCode.MAX_ORDER_RATE: "throttle",
    DenialCode.MAX_MESSAGE_RATIO: "throttle",
    DenialCode.RATE_LIMITED: "throttle",
    DenialCode.FATE_UNKNOWN: "broker",
}


def gate_of(code: str) -> str:
    """Return the gate that refuses a strategy's entry with this code."""
    return _GATE_OF.get(DenialCode(code), "risk")


def entry_gates(
    risk: RiskStage,
    owner: str,
    instrument: str,
    now_ns: int,
    quantity: Decimal | None = None,
) -> tuple[Gate, ...]:
    """Return feed, book, engine, task, lock, risk, throttle, broker, in that order.

    With a quantity the risk gate judges a market buy of it; without one it says
    whether the row is free and how much of the limits is used.
    """
    if instrument not in risk.instruments:
        return (Gate("feed", False, f"{instrument} is not in this run"),)
    return (
        *outer_gates(risk, owner, instrument, now_ns),
        *inner_gates(risk, owner, instrument, now_ns, quantity),
    )


def outer_gates(
    risk: RiskStage, owner: str, instrument: str, now_ns: int
) -> Iterator[Gate]:
    """Yield feed, book, engine, task, lock: what no entry passes, whatever it is.

    One by one: who wants the first that fails pays for no more.
    """
    yield from _data_gates(risk, instrument, now_ns)
    yield from _switch_gates(risk, owner, instrument)


def inner_gates(
    risk: RiskStage,
    owner: str,
    instrument: str,
    now_ns: int,
    quantity: Decimal | None,
) -> Iterator[Gate]:
    """Yield risk, throttle, broker, one by one."""
    yield _risk_gate(risk, owner, instrument, quantity)
    throttle = risk.throttle(now_ns) or risk.rate(now_ns)
    yield _gate("throttle", throttle, _open_orders(risk))
    used = risk.rates.used(now_ns)
    fine = "no fate unknown" if used is None else f"{used * 100:.0f} % of rate"
    yield _gate("broker", risk.fate(owner, instrument), fine)


def _gate(name: str, denial: Denial | None, fine: str, short: str = "") -> Gate:
    """Return the gate; ``short`` says the denial in fewer words."""
    if denial is None:
        return Gate(name, True, fine)
    return Gate(name, False, short or denial.text)


def _data_gates(risk: RiskStage, instrument: str, now_ns: int) -> tuple[Gate, Gate]:
    view = risk.market.instrument(instrument)
    denial = risk.data(instrument, now_ns)
    stale = denial if denial and denial.code is DenialCode.DATA_STALE else None
    book = view.book
    kept = book is not None and book.trust is not BookTrust.NONE
    age = _span(now_ns - view.ts_recv)
    return (
        _gate("feed", stale, f"{age} of {_span(risk.market.age_limit(instrument))}"),
        _gate(
            "book",
            None if stale else denial,
            book.trust.value if book is not None and kept else "none in this feed",
        ),
    )


def _switch_gates(risk: RiskStage, owner: str, instrument: str) -> tuple[Gate, ...]:
    controls = risk.controls
    level = controls.kill_level
    if controls.paused:
        engine = _gate("engine", risk.paused(), "", "executor paused")
    elif controls.hold:
        engine = _gate("engine", risk.hold(), "", "on hold")
    elif level is not None:
        rung = f"killed, {level.value}: {controls.kill_reason}"
        engine = _gate("engine", risk.kill(), "", rung)
    elif controls.asked or controls.account_asked:
        engine = _gate("engine", risk.reconciling(), "", "reconciling")
    else:
        engine = _gate("engine", risk.unreconciled(instrument), "takes entries")
    return (
        engine,
        _gate("task", risk.task(owner), "running", controls.state_of(owner)),
        _gate("lock", risk.lock(owner, instrument), "automatic", "locked in manual"),
    )


def _risk_gate(
    risk: RiskStage, owner: str, instrument: str, quantity: Decimal | None
) -> Gate:
    if quantity is not None:
        draft = Order(
            id="",
            instrument=instrument,
            owner=owner,
            role=OrderRole.ENTRY,
            side=Side.BUY,
            type=OrderType.MARKET,
            quantity=quantity,
        )
        return _gate("risk", risk.size(draft), _used(risk, instrument)[1])
    denial = risk.occupied(owner, instrument) or risk.losses()
    room, used = _used(risk, instrument)
    return _gate("risk", denial, used) if denial else Gate("risk", room, used)


def _used(risk: RiskStage, instrument: str) -> tuple[bool, str]:
    """Return whether the position limit leaves room, and how much of it is used."""
    limit = risk.settings.max_position_value
    if limit is None:
        return True, "no position limit"
    used = risk.limits.gross(instrument) / limit * 100
    return used < 100, f"{used:.0f} % of position limit {grouped(limit)}"


def _open_orders(risk: RiskStage) -> str:
    most = risk.settings.max_open_orders
    at_venue = risk.orders.at_venue
    if most is None:
        return f"{at_venue} orders, no limit"
    return f"{at_venue} of {most} orders"


def _span(ns: int) -> str:
    """Write a span with its unit: ``40 ms``, ``9.1 s``, ``32 s``."""
    if abs(ns) < NS_PER_S:
        return f"{ns // NS_PER_MS} ms"
    return (
        f"{ns / NS_PER_S:.3g} s"
        if abs(ns) < 1_000 * NS_PER_S
        else f"{ns // NS_PER_S} s"
    )
