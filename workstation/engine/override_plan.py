"""What an override of a row will do: worked out once, for the preview and the command.

Pure. ``RowCommands`` carries out the plan of what is, the dialog words the plan of what
it was shown; ``seen_seq`` sees to it that both looked at the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from workstation.model.commands import Disposition, Override
from workstation.model.orders import Order, OrderStatus
from workstation.model.owners import OPERATOR
from workstation.model.states import SymbolState
from workstation.model.timeframes import NS_PER_S
from workstation.strategy.hand import OVERRIDES
from workstation.strategy.machine import TABLE

__all__ = ["Holdings", "OverridePlan", "choices", "holdings_of", "plan_override"]

ZERO = Decimal(0)
_IN_TRADE = SymbolState.IN_TRADE
_HELD, _ENDING = OrderStatus.HELD, OrderStatus.PENDING_CANCEL
_D = Disposition
_OFFERED = (_D.HAND_OVER, _D.FLATTEN, _D.CANCEL, _D.KEEP)
_OFFERED_AS_IT_IS = (_D.KEEP, _D.CANCEL, _D.FLATTEN, _D.HAND_OVER)


class Holdings(Struct, frozen=True, kw_only=True):
    """A row as it is: its state, and what is held and works for it.

    ``entries`` are ids of orders that open or add, ``ending`` those that are being
    canceled already; ``waiting`` is the signed quantity of an entry that is made once
    the position is closed. ``closing`` is what orders at the venue close of the
    position at any price, ``resting_exits`` wait for theirs, ``ending_exits`` are being
    canceled already. ``operators`` is the operator's own position in the instrument,
    with what closes and enlarges it.
    """

    strategy: str
    instrument: str
    state: SymbolState
    locked: bool = False
    position: Decimal = ZERO
    closing: Decimal = ZERO
    resting_exits: tuple[str, ...] = ()
    ending_exits: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    ending: tuple[str, ...] = ()
    waiting: Decimal = ZERO
    operators: Decimal = ZERO
    operators_closing: bool = False
    operators_entries: tuple[str, ...] = ()


class OverridePlan(Struct, frozen=True, kw_only=True):
    """What happens, in the order in which it does; or why nothing does.

    ``after`` is the state at once, ``later`` the one it goes to by its fills and ends.
    ``keeps`` is the position that stays the row's, ``closes`` what is sent to be closed
    at market, after ``cancels_exits`` where there are any.
    """

    refusal: str = ""
    after: SymbolState = SymbolState.WATCH
    later: SymbolState | None = None
    adopts: Decimal = ZERO
    cancels_operators: tuple[str, ...] = ()
    cancels: tuple[str, ...] = ()
    gives_up: Decimal = ZERO
    cancels_exits: tuple[str, ...] = ()
    keeps_entries: tuple[str, ...] = ()
    closes: Decimal = ZERO
    closes_late_fills: bool = False
    hands_over: Decimal = ZERO
    keeps: Decimal = ZERO
    lock: bool = False
    lock_until_ns: int | None = None
    unlocks: bool = False


def holdings_of(
    strategy: str,
    instrument: str,
    state: SymbolState,
    *,
    locked: bool,
    position: Decimal,
    operators: Decimal,
    orders: Iterable[Order],
    waiting: Decimal,
) -> Holdings:
    """Return the row's holdings; ``orders`` are those of the run, or some of them."""
    own: list[Order] = []
    others: list[Order] = []
    for order in orders:
        if order.instrument != instrument or order.is_terminal:
            continue
        if order.owner == strategy:
            own.append(order)
        elif order.owner == OPERATOR:
            others.append(order)
    entries = [order for order in own if _enters(order)]
    at_venue = [o for o in own if o.reduce_only and o.status is not _HELD]
    return Holdings(
        strategy=strategy,
        instrument=instrument,
        state=state,
        locked=locked,
        position=position,
        closing=sum(
            (o.remaining for o in at_venue if o.closes_now and not o.blocks_close),
            ZERO,
        ),
        resting_exits=tuple(
            o.id for o in at_venue if not o.closes_now and o.status is not _ENDING
        ),
        ending_exits=tuple(o.id for o in at_venue if o.status is _ENDING),
        entries=tuple(o.id for o in entries if o.status is not _ENDING),
        ending=tuple(o.id for o in entries if o.status is _ENDING),
        waiting=waiting,
        operators=operators,
        operators_closing=any(o.reduce_only and o.status is not _HELD for o in others),
        operators_entries=tuple(
            o.id for o in others if _enters(o) and o.status is not _ENDING
        ),
    )


def _enters(order: Order) -> bool:
    return not order.reduce_only and not order.is_protection


def plan_override(row: Holdings, command: Override, now_ns: int) -> OverridePlan:
    """Return what ``command`` does to ``row``; ``refusal`` says why it does nothing."""
    refusal = _refusal(row, command, now_ns)
    if refusal:
        return OverridePlan(refusal=refusal, after=row.state)
    disposition, target = command.disposition, command.state
    out = row.state is _IN_TRADE and target is not row.state
    hands_over = disposition is _D.HAND_OVER
    flattens = disposition is _D.FLATTEN
    cancels = out or disposition in (_D.CANCEL, _D.FLATTEN, _D.HAND_OVER)
    adopts = row.operators if disposition is _D.ADOPT else ZERO
    gone = hands_over or not row.position
    stays_in = out and (bool(row.entries or row.ending) or not gone)
    return OverridePlan(
        after=_IN_TRADE if stays_in else target,
        later=target if stays_in else None,
        adopts=adopts,
        cancels_operators=row.operators_entries if adopts else (),
        cancels=row.entries if cancels else (),
        gives_up=row.waiting if cancels else ZERO,
        cancels_exits=row.resting_exits if flattens else (),
        keeps_entries=() if cancels else row.entries,
        closes=_left(row) if flattens else ZERO,
        closes_late_fills=flattens and bool(row.entries or row.ending),
        hands_over=row.position if hands_over else ZERO,
        keeps=ZERO if hands_over or flattens else row.position + adopts,
        lock=command.lock,
        lock_until_ns=command.expires_ns,
        unlocks=row.locked and not command.lock,
    )


def choices(row: Holdings, now_ns: int) -> dict[SymbolState, tuple[Disposition, ...]]:
    """Return where the row may be put, its own state first, and what with orders.

    Of two dispositions that would do the same the plainer one is named.
    """
    states = (row.state, *(each for each in SymbolState if each is not row.state))
    found: dict[SymbolState, tuple[Disposition, ...]] = {}
    for state in states:
        out = row.state is _IN_TRADE and state is not row.state
        offered = _OFFERED if out else _OFFERED_AS_IT_IS
        seen: list[OverridePlan] = []
        legal: list[Disposition] = []
        for disposition in (*offered, _D.ADOPT):
            command = Override(
                strategy=row.strategy,
                instrument=row.instrument,
                state=state,
                disposition=disposition,
                lock=row.locked,
                expires_ns=None,
            )
            plan = plan_override(row, command, now_ns)
            if not plan.refusal and plan not in seen:
                seen.append(plan)
                legal.append(disposition)
        if legal:
            found[state] = tuple(legal)
    return found


def _left(row: Holdings) -> Decimal:
    """Return what a flatten closes: all that no order closes at any price already."""
    left = abs(row.position) - row.closing
    return left.copy_sign(row.position) if left > 0 else ZERO


def _refusal(row: Holdings, command: Override, now_ns: int) -> str:
    return (
        _lock_refusal(row, command, now_ns)
        or _table_refusal(row, command)
        or _disposition_refusal(row, command)
    )


def _lock_refusal(row: Holdings, command: Override, now_ns: int) -> str:
    until_ns = command.expires_ns
    if until_ns is None:
        return ""
    what = f"{row.strategy} {row.instrument}"
    if not command.lock:
        return f"{what}: an end is for a lock; lock the row, or name no end"
    if until_ns <= now_ns:
        late_s = (now_ns - until_ns) / NS_PER_S
        return (
            f"{what}: the lock would have ended {late_s:.1f} s ago; name a later "
            "time, or none"
        )
    return ""


def _table_refusal(row: Holdings, command: Override) -> str:
    target = command.state
    if row.state is target or (row.state, OVERRIDES[target]) in TABLE:
        return ""
    legal = [s.value for s in SymbolState if (row.state, OVERRIDES[s]) in TABLE]
    return (
        f"{row.strategy} {row.instrument} is in {row.state} and cannot go to "
        f"{target}; it can go to: {', '.join(legal)}"
    )


def _disposition_refusal(row: Holdings, command: Override) -> str:
    instrument, disposition = row.instrument, command.disposition
    changes = command.state is not row.state
    into = command.state is _IN_TRADE and changes
    out = row.state is _IN_TRADE and changes
    if disposition is _D.ADOPT and not into:
        return f"{instrument} adopts a position only on its way to InTrade"
    if disposition in (_D.FLATTEN, _D.HAND_OVER) and command.state is _IN_TRADE:
        return f"{disposition} leads out of InTrade: choose Watch with it"
    if into and disposition is not _D.ADOPT:
        return "into InTrade only by adopting the operator's or an external position"
    if out and row.position and disposition not in (_D.FLATTEN, _D.HAND_OVER):
        return (
            f"{row.position} {instrument} is held: flatten it or hand it over to "
            "the operator to leave InTrade"
        )
    if disposition is _D.ADOPT:
        return _adopt_refusal(row)
    if disposition is _D.HAND_OVER:
        return _hand_over_refusal(row)
    if disposition is _D.FLATTEN:
        return _flatten_refusal(row)
    return ""


def _adopt_refusal(row: Holdings) -> str:
    if not row.operators:
        return f"operator holds no {row.instrument} to give to {row.strategy}"
    if row.operators_closing:
        return (
            f"operator's {row.operators} {row.instrument} is being closed; wait for "
            "the fill, or cancel the exit"
        )
    return ""


def _hand_over_refusal(row: Holdings) -> str:
    held, closing = row.position, row.closing
    if not held:
        return f"{row.strategy} holds no {row.instrument} to give to operator"
    if held * row.operators < 0:
        return (
            f"operator holds {row.operators} {row.instrument}, {row.strategy} {held}: "
            "opposite sides; flatten one of them"
        )
    if closing or row.resting_exits or row.ending_exits:
        return (
            f"{row.strategy}'s {held} {row.instrument} is being closed; wait for the "
            "fill, or cancel the exit"
        )
    return ""


def _flatten_refusal(row: Holdings) -> str:
    if _left(row) or row.entries or row.ending or row.waiting:
        return ""
    if row.position:
        return f"{row.instrument} of {row.strategy} is being closed already"
    return f"{row.strategy} holds no {row.instrument} and has no entry working"
