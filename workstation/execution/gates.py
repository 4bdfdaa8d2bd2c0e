"""The gates of "why not?": what an entry of a row would meet in the Executor now.

Asked by the screen through the Executor. Each gate puts a question of the risk stage,
in the order in which ``RiskStage.check`` does, so that the first gate that fails is
the denial an entry would get.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.execution.risk import Denial, DenialCode, RiskStage
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.states import BookTrust, Gate

__all__ = ["entry_gates"]


def entry_gates(
    risk: RiskStage,
    owner: str,
    instrument: str,
    now_ns: int,
    quantity: Decimal | None = None,
) -> tuple[Gate, ...]:
    """Return feed, book, task, lock, hold, kill, risk and venue, in that order.

    With a quantity the risk gate judges a market buy of it; without one it says
    whether the row is free and how much of the limits is used.
    """
    if instrument not in risk.instruments:
        return (Gate("feed", False, f"{instrument} is not in this run"),)
    return (
        *_data_gates(risk, instrument, now_ns),
        *_switch_gates(risk, owner, instrument),
        _risk_gate(risk, owner, instrument, quantity),
        _gate(
            "venue",
            risk.fate(owner, instrument),
            f"{risk.orders.at_venue} orders open",
        ),
    )


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
    return (
        _gate("feed", stale, f"age {(now_ns - view.ts_recv) / 1e9:.1f} s"),
        _gate(
            "book",
            None if stale else denial,
            book.trust.value if book is not None and kept else "none in this feed",
        ),
    )


def _switch_gates(risk: RiskStage, owner: str, instrument: str) -> tuple[Gate, ...]:
    controls = risk.controls
    state = "paused" if controls.paused else controls.state_of(owner)
    level = controls.kill_level
    rung = "" if level is None else f"{level.value}: {controls.kill_reason}"
    return (
        _gate("task", risk.task(owner, entry=True), "running", state),
        _gate("lock", risk.lock(owner, instrument), "automatic", "locked in manual"),
        _gate("hold", risk.hold(), "no hold", "on hold"),
        _gate("kill", risk.kill(), "armed", rung),
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
    denial = risk.crowded() or risk.occupied(owner, instrument)
    room, used = _used(risk, instrument)
    return _gate("risk", denial, used) if denial else Gate("risk", room, used)


def _used(risk: RiskStage, instrument: str) -> tuple[bool, str]:
    """Return whether the position limit leaves room, and how much of it is used."""
    limit = risk.settings.max_position_value
    if limit is None:
        return True, "no position limit"
    mark = risk.ledger.mark(instrument) or Decimal(0)
    used = abs(risk.ledger.net(instrument)) * mark / limit * 100
    return used < 100, f"{used:.0f} % of position limit {limit}"
