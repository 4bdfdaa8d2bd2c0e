"""Books and venue side by side in words: figures, live lines, a sentence for each line.

Pure; ``side_rows`` makes the table of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from workstation.model.instruments import Instrument, decimals_of
from workstation.model.money import GRAIN, minus
from workstation.model.orders import OrderStatus
from workstation.model.owners import EXTERNAL
from workstation.model.reconciliation import (
    BalanceLine,
    OrderLine,
    OrderSide,
    PositionLine,
    ReconciliationView,
    Verdict,
)
from workstation.ui.panels.cells import order_state
from workstation.ui.typeset import (
    duration,
    number,
    plain,
    price,
    quantity,
)
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.status_lines import Field, field

__all__ = [
    "VERDICT_INKS",
    "WANTING",
    "Instruments",
    "Line",
    "amount",
    "can_be_settled",
    "digits_of",
    "export_rows",
    "find_line",
    "head_fields",
    "held_then",
    "key_of",
    "line_fields",
    "line_words",
    "moved_words",
    "order_words",
    "side_text",
    "verdict_info",
    "verdict_part",
]

Line = OrderLine | PositionLine | BalanceLine
Instruments = Mapping[str, Instrument]

VERDICT_INKS = {
    Verdict.DIFFERS: "bad",
    Verdict.EXTERNAL: "warn",
    Verdict.ASKING: "info",
    Verdict.IGNORED: "dim",
    Verdict.AGREES: "good",
}
WANTING = (Verdict.DIFFERS, Verdict.EXTERNAL)
"""Verdicts that want a hand."""

# The finest unit that any venue books in; beyond it a figure is not written out.
_MOST_DECIMALS = decimals_of(GRAIN)
_MONEY_DECIMALS = 2


def key_of(line: Line) -> str:
    """Return the key of a line's row: it stays with what the line is about."""
    if isinstance(line, OrderLine):
        return f"order/{line.order_id}"
    if isinstance(line, PositionLine):
        return f"position/{line.owner}/{line.instrument}"
    return f"balance/{line.currency}"


def find_line(view: ReconciliationView | None, key: str | None) -> Line | None:
    """Return the line of a row's key; None where there is none any more."""
    if view is None:
        return None
    lines: Iterable[Line] = (*view.orders, *view.positions, *view.balances)
    return next((line for line in lines if key_of(line) == key), None)


def can_be_settled(line: Line) -> bool:
    """Tell whether the operator has a choice about this line."""
    if isinstance(line, BalanceLine):
        return line.verdict in (Verdict.DIFFERS, Verdict.IGNORED)
    return line.owner == EXTERNAL


# --- figures --------------------------------------------------------------------------


def amount(
    value: Decimal | None,
    currency: str,
    instruments: Instruments,
    *exact: Decimal,
    sign: bool = False,
) -> str:
    """Write an amount of a currency: with the decimals it is traded in.

    Those of ``exact`` are shown whole, and the amount with as many decimals.
    """
    lots = [i.quantity_decimals for i in instruments.values() if i.base == currency]
    digits = max([*(lots or [_MONEY_DECIMALS]), *map(decimals_of, exact)])
    return number(value, min(digits, _MOST_DECIMALS), sign=sign)


def digits_of(name: str, instruments: Instruments) -> tuple[int, int]:
    """Return the decimals of an instrument's price and quantity."""
    found = instruments.get(name)
    return (2, 3) if found is None else (found.price_decimals, found.quantity_decimals)


def side_text(side: OrderSide | None, name: str, instruments: Instruments) -> str:
    """Return ``open 0/0.010 @ 61,000.00``, or ``none`` where a side has no order."""
    if side is None:
        return "none"
    _, sizes = digits_of(name, instruments)
    filled = quantity(side.filled, sizes if side.filled else 0)
    status = side.status
    if status is OrderStatus.ACCEPTED and side.filled:
        # A venue's list may not tell the two apart.
        status = OrderStatus.PARTIALLY_FILLED
    size = quantity(side.quantity, sizes)
    return f"{order_state(status)} {filled}/{size} {_at(side, name, instruments)}"


def _at(side: OrderSide, name: str, instruments: Instruments) -> str:
    """Return ``@ 61,000.00``, ``@ market``, or the stop that it waits for first."""
    prices, _ = digits_of(name, instruments)
    limit = "" if side.price is None else f"@ {price(side.price, prices)}"
    if side.trigger is None:
        return limit or "@ market"
    return f"stop {price(side.trigger, prices)} {limit}".rstrip()


def held_then(line: BalanceLine) -> Decimal:
    """Return what the books had when the venue answered: fills may have come since."""
    return line.here if line.venue is None else minus(line.venue, line.difference)


def moved_words(line: BalanceLine, instruments: Instruments) -> str:
    """Return what the books have by now, where that is another sum."""
    if line.here == held_then(line):
        return ""
    now = amount(line.here, line.currency, instruments, line.difference)
    return f"{now} here by now"


def verdict_part(line: Line) -> Part:
    """Return a verdict's word with its ink."""
    return (line.verdict.value, VERDICT_INKS[line.verdict])


# --- words ----------------------------------------------------------------------------


def head_fields(view: ReconciliationView, ts: int) -> tuple[Field, ...]:
    """Return when the venue was asked, and what came of it."""
    if not view.answers:
        return (field("this broker cannot be asked what the account holds", "warn"),)
    if view.waiting:
        return (
            field("the venue is being asked", "warn"),
            field("no entries until it has answered", "warn", 1),
        )
    if view.asked_ns is None:
        return (field("the venue has not been asked yet", "strong"),)
    answered = view.answered_ns is not None and view.answered_ns >= view.asked_ns
    agreed = view.agreed_ns
    return (
        field(f"asked {_ago(ts - view.asked_ns)}", "strong"),
        field("answered" if answered else "no answer yet", "" if answered else "warn"),
        field("never agreed", "warn")
        if agreed is None
        else field(f"agreed {_ago(ts - agreed)}", "good"),
    )


def _ago(ns: int) -> str:
    seconds = max(0, ns) // 1_000_000_000
    return f"{seconds} s ago" if seconds < 60 else f"{duration(ns)} ago"


def verdict_info(view: ReconciliationView) -> tuple[str, str]:
    """Return how many lines want a hand, or that none does, with its ink."""
    lines: tuple[Line, ...] = (*view.orders, *view.positions, *view.balances)
    wanting = sum(1 for line in lines if line.verdict in WANTING)
    if wanting:
        return f"{wanting} to settle", "bad"
    if view.waiting or view.answered_ns is None:
        return "not compared yet", "info"
    if any(line.verdict is Verdict.ASKING for line in lines):
        return "being compared", "info"
    ignored = sum(1 for line in lines if line.verdict is Verdict.IGNORED)
    if ignored:
        return f"{ignored} ignored, the rest agrees", "dim"
    return "all agree", "good"


def order_words(line: OrderLine, instruments: Instruments) -> str:
    """Return ``web_1, buy 0.010 BTCUSDT @ 61,000.00``."""
    side = line.here or line.venue
    assert side is not None
    name = line.instrument
    size = quantity(side.quantity, digits_of(name, instruments)[1])
    at = _at(side, name, instruments)
    return f"{line.order_id}, {line.side} {size} {name} {at}"


def line_words(
    line: Line | None, view: ReconciliationView, instruments: Instruments
) -> str:
    """Return all of the row below the cursor, in words that no column cuts."""
    if line is None:
        return "Nothing is known of the account yet."
    if isinstance(line, OrderLine):
        return _order_sentence(line, instruments)
    if isinstance(line, PositionLine):
        prices, sizes = digits_of(line.instrument, instruments)
        held = quantity(line.quantity, sizes, sign=True)
        at = price(line.average_price, prices)
        said = f"{line.owner} holds {held} {line.instrument} @ {at}"
        return f"{said}{_because(line.reason)}."
    return _balance_sentence(line, view, instruments)


def line_fields(line: Line, instruments: Instruments) -> tuple[Field, ...]:
    """Return the live line of a row: its verdict, and what each side says."""
    verdict = Field((verdict_part(line),))
    if isinstance(line, OrderLine):
        here = side_text(line.here, line.instrument, instruments)
        there = side_text(line.venue, line.instrument, instruments)
        name = f"{line.instrument} {line.side}"
        if here == there:
            return verdict, field(name, "strong", 2), _labelled("both sides", here)
        sides = (_labelled("here", here), _labelled("venue", there, 1))
        return (verdict, field(name, "strong", 2), *sides)
    if isinstance(line, PositionLine):
        prices, sizes = digits_of(line.instrument, instruments)
        held = quantity(line.quantity, sizes, sign=True)
        return (
            verdict,
            field(f"{held} {line.instrument}", "strong"),
            _labelled("entry", price(line.average_price, prices), 1),
        )
    name, off = line.currency, line.difference
    figures = (
        ("here", held_then(line), False),
        ("venue", line.venue, False),
        ("difference", off, True),
    )
    return (
        verdict,
        *(
            _labelled(label, amount(value, name, instruments, off, sign=sign))
            for label, value, sign in figures
        ),
    )


def _labelled(label: str, text: str, priority: int = 0) -> Field:
    return Field(((f"{label} ", "dim"), (text, "strong")), priority=priority)


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _order_sentence(line: OrderLine, instruments: Instruments) -> str:
    name = line.instrument
    here = side_text(line.here, name, instruments)
    there = side_text(line.venue, name, instruments)
    whose = f" of {line.owner}" if line.owner else ""
    what = f"{line.order_id}, {line.side} {name}{whose}"
    if here == there:
        return f"{what}: {here} on both sides{_because(line.reason)}."
    return f"{what}: {here} here, {there} at the venue{_because(line.reason)}."


def _balance_sentence(
    line: BalanceLine, view: ReconciliationView, instruments: Instruments
) -> str:
    name, difference = line.currency, line.difference
    here = amount(held_then(line), name, instruments, difference)
    if line.venue is None:
        return f"{name}: {here} here; the venue has not answered yet."
    if not difference:
        if not view.orders and not view.positions:
            return f"Nothing open, nothing held: {here} {name} on both sides."
        return f"{here} {name} on both sides{_since(line, instruments)}."
    there = amount(line.venue, name, instruments, difference)
    more = amount(abs(difference), name, instruments, difference)
    which = "more" if difference > 0 else "less"
    said = f"{name}: {here} here, {there} at the venue, {more} {which}"
    said += _since(line, instruments)
    if line.verdict is Verdict.ASKING:
        return f"{said}. It is asked once more: a fill may be on its way here."
    if line.verdict is Verdict.IGNORED:
        return f"{said}. Ignored: {line.reason}."
    return f"{said}. Nothing is entered in {name} until this is settled."


def _since(line: BalanceLine, instruments: Instruments) -> str:
    moved = moved_words(line, instruments)
    return f" when it answered; {moved}" if moved else ""


def export_rows(view: ReconciliationView) -> list[list[str]]:
    """Return all lines, plain, in one table for a file."""
    head = ["kind", "subject", "instrument", "side", "owner", "here", "venue"]
    rows = [[*head, "locked", "difference", "verdict", "why"]]
    for order in view.orders:
        sides = [_plain_side(order.here), _plain_side(order.venue)]
        what = [order.order_id, order.instrument, order.side.value, order.owner]
        rows.append(["order", *what, *sides, "", "", *_end(order)])
    for held in view.positions:
        size = f"{plain(held.quantity)} @ {plain(held.average_price)}"
        what = [held.instrument, held.instrument, "", held.owner]
        rows.append(["position", *what, size, "", "", "", *_end(held)])
    for each in view.balances:
        figures = (held_then(each), each.venue, each.locked, each.difference)
        what = [each.currency, "", "", ""]
        rows.append(["balance", *what, *map(plain, figures), *_end(each)])
    return rows


def _plain_side(side: OrderSide | None) -> str:
    if side is None:
        return ""
    at = "market" if side.price is None else plain(side.price)
    if side.trigger is not None:
        at += f" stop {plain(side.trigger)}"
    return f"{side.status.value} {plain(side.filled)}/{plain(side.quantity)} @ {at}"


def _end(line: Line) -> tuple[str, str]:
    return line.verdict.value, line.reason
