"""The gates of "why not?": what an entry of a row would meet in the Executor now.

Asked by the screen through the Executor; the risk stage itself gives the answers, so
that a gate and a denial cannot disagree.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.execution.risk import Denial, DenialCode, RiskStage
from workstation.model.orders import OrderStatus
from workstation.model.states import BookTrust, Gate

__all__ = ["entry_gates"]


def entry_gates(
    risk: RiskStage, owner: str, instrument: str, now_ns: int
) -> tuple[Gate, ...]:
    """Return feed, book, task, lock, hold, kill, risk and venue, in that order."""
    if instrument not in risk.instruments:
        return (Gate("feed", False, f"{instrument} is not in this run"),)
    return (
        *_data_gates(risk, instrument, now_ns),
        *_switch_gates(risk, owner, instrument),
        _risk_gate(risk, owner, instrument),
        _venue_gate(risk, owner, instrument),
    )


def _data_gates(risk: RiskStage, instrument: str, now_ns: int) -> tuple[Gate, Gate]:
    view = risk.market.instrument(instrument)
    denial = risk.data(instrument, now_ns)
    stale = denial is not None and denial.code is DenialCode.DATA_STALE
    if stale and denial is not None:
        feed = Gate("feed", False, denial.text)
    elif view.ts_recv:
        feed = Gate("feed", True, f"age {(now_ns - view.ts_recv) / 1e9:.1f} s")
    else:
        feed = Gate("feed", denial is not None, "nothing received yet")
    if denial is not None and denial.code is DenialCode.BOOK_UNTRUSTED:
        return feed, Gate("book", False, denial.text)
    book = view.book
    if book is None or book.trust is BookTrust.NONE:
        return feed, Gate("book", True, "none in this feed")
    return feed, Gate("book", True, book.trust.value)


def _switch_gates(risk: RiskStage, owner: str, instrument: str) -> tuple[Gate, ...]:
    controls = risk.controls
    state = "paused" if controls.paused else controls.state_of(owner)
    locked = controls.row_locked(owner, instrument)
    level = controls.kill_level
    return (
        Gate("task", state == "running", state),
        Gate("lock", not locked, "locked in manual" if locked else "automatic"),
        Gate("hold", not controls.hold, "on hold" if controls.hold else "no hold"),
        Gate(
            "kill",
            level is None,
            "armed" if level is None else f"{level.value}: {controls.kill_reason}",
        ),
    )


def _risk_gate(risk: RiskStage, owner: str, instrument: str) -> Gate:
    denial: Denial | None = risk.occupied(owner, instrument)
    if denial is not None:
        return Gate("risk", False, denial.text)
    most = risk.settings.max_open_orders
    if most is not None and risk.orders.at_venue >= most:
        return Gate("risk", False, f"{risk.orders.at_venue} of {most} orders open")
    limit = risk.settings.max_position_value
    if limit is None:
        return Gate("risk", True, "no position limit")
    net = risk.ledger.net(instrument)
    mark = risk.ledger.mark(instrument) or Decimal(0)
    used = abs(net) * mark / limit * 100
    return Gate("risk", used < 100, f"{used:.0f} % of position limit {limit}")


def _venue_gate(risk: RiskStage, owner: str, instrument: str) -> Gate:
    unknown = [
        t.order.id
        for t in risk.orders.row(owner, instrument)
        if t.order.status is OrderStatus.UNKNOWN
    ]
    if unknown:
        return Gate("venue", False, f"fate of {', '.join(unknown)} is unknown")
    return Gate("venue", True, f"{risk.orders.at_venue} orders open")
