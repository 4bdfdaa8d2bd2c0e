"""Books and venue side by side as text: sections of rows, and a sentence for each row.

Pure. What is not as it should be comes first in its section; columns are as wide as
what stands in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from workstation.model.instruments import Instrument, decimals_of
from workstation.model.money import minus
from workstation.model.orders import OrderStatus
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
    NONE,
    align_point,
    duration,
    number,
    plain,
    price,
    quantity,
    truncate,
    width,
)
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.rows import Cell, Column, Row
from workstation.ui.widgets.section_table import Section
from workstation.ui.widgets.status_lines import Field, field

__all__ = [
    "EXTERNAL",
    "Instruments",
    "Line",
    "amount",
    "can_be_settled",
    "export_rows",
    "find_line",
    "head_fields",
    "key_of",
    "line_fields",
    "line_words",
    "order_words",
    "sections",
    "verdict_info",
]

Line = OrderLine | PositionLine | BalanceLine
Instruments = Mapping[str, Instrument]

EXTERNAL = "external"
"""Owner of what was made at the venue."""

_RANK = {
    Verdict.DIFFERS: 0,
    Verdict.EXTERNAL: 1,
    Verdict.ASKING: 2,
    Verdict.IGNORED: 3,
    Verdict.AGREES: 4,
}
_INKS = {
    Verdict.DIFFERS: "bad",
    Verdict.EXTERNAL: "warn",
    Verdict.ASKING: "info",
    Verdict.IGNORED: "dim",
    Verdict.AGREES: "good",
}
_FLAGGED = (Verdict.DIFFERS, Verdict.EXTERNAL)
# As many decimals as a venue counts in; beyond them a figure is not written out.
_MOST_DECIMALS = 12
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


def _decimals(name: str, instruments: Instruments) -> tuple[int, int]:
    found = instruments.get(name)
    return (2, 3) if found is None else (found.price_decimals, found.quantity_decimals)


def _side(side: OrderSide | None, name: str, instruments: Instruments) -> str:
    if side is None:
        return "none"
    _, sizes = _decimals(name, instruments)
    filled = quantity(side.filled, sizes if side.filled else 0)
    status = side.status
    if status is OrderStatus.ACCEPTED and side.filled:
        # A venue's list may not tell the two apart.
        status = OrderStatus.PARTIALLY_FILLED
    size = quantity(side.quantity, sizes)
    return f"{order_state(status)} {filled}/{size} {_at(side, name, instruments)}"


def _at(side: OrderSide, name: str, instruments: Instruments) -> str:
    """Return ``@ 61,000.00``, ``@ market``, or the stop that it waits for first."""
    prices, _ = _decimals(name, instruments)
    limit = "" if side.price is None else f"@ {price(side.price, prices)}"
    if side.trigger is None:
        return limit or "@ market"
    return f"stop {price(side.trigger, prices)} {limit}".rstrip()


# --- sections -------------------------------------------------------------------------


def sections(
    view: ReconciliationView, instruments: Instruments, ts: int, cells: int
) -> tuple[Section, ...]:
    """Return orders, positions and balances for so many cells, what differs first."""
    return (
        _orders(view.orders, instruments, cells),
        _positions(view.positions, instruments),
        _balances(view.balances, instruments, ts, cells),
    )


def _section(
    name: str,
    lines: Sequence[Line],
    columns: Sequence[Column],
    table: Sequence[Sequence[Cell]],
    empty: str,
    notes: Mapping[int, str] = MappingProxyType({}),
) -> Section:
    fitted = tuple(
        column
        if column.flex
        else replace(
            column, width=max([column.width, *(width(_text(c[at])) for c in table)])
        )
        for at, column in enumerate(columns)
    )
    shape = tuple(column.width for column in fitted)
    rows = []
    for at, (line, cells) in enumerate(zip(lines, table, strict=True)):
        key, ink = key_of(line), _INKS[line.verdict]
        flag = ("!", ink) if line.verdict in _FLAGGED else ""
        rows.append(Row(key, hash((tuple(cells), shape)), cells, flag=flag))
        note = notes.get(at)
        if note is not None:
            text = (note, "dim" if line.verdict is Verdict.AGREES else ink)
            rows.append(Row(f"{key}/note", hash(text), note=(text,)))
    return Section(name, fitted, tuple(rows), empty)


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _ranked(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: _RANK[line.verdict])


def _verdict(line: Line) -> Part:
    return (line.verdict.value, _INKS[line.verdict])


_WHY = Column("why", "WHY", 12, priority=9, flex=True, gap=2)
_VERDICT = Column("verdict", "VERDICT", 8, gap=2)


_ORDERS = (
    Column("id", "ORDER", 8),
    Column("symbol", "SYMBOL", 7),
    Column("side", "SIDE", 4, priority=6),
    Column("owner", "OWNER", 5, priority=8),
    Column("here", "HERE", 8, gap=2),
    Column("venue", "VENUE", 8, gap=2),
    _VERDICT,
    _WHY,
)
_NARROW_ID = 10
_NONE_OPEN = "none open, here or there"


def _orders(
    lines: Iterable[OrderLine], instruments: Instruments, cells: int
) -> Section:
    ranked = [line for line in _ranked(lines) if isinstance(line, OrderLine)]
    table: list[list[Cell]] = []
    sides: list[tuple[str, str]] = []
    for line in ranked:
        name = line.instrument
        found = instruments.get(name)
        here = _side(line.here, name, instruments)
        there = _side(line.venue, name, instruments)
        sides.append((here, there))
        table.append(
            [
                line.order_id,
                name if found is None else found.symbol,
                (line.side.value.upper(), "up" if line.side.sign > 0 else "down"),
                line.owner or NONE,
                here,
                (there, "" if there == here else _INKS[line.verdict]),
                _verdict(line),
                (line.reason, "dim"),
            ]
        )
    full = _section("orders", ranked, _ORDERS, table, _NONE_OPEN)
    kept = [column for column in full.columns if not column.priority]
    if sum(column.width + column.gap for column in kept) <= cells:
        return full
    # The venue's side in full stands below those rows alone in which it is another.
    notes: dict[int, str] = {}
    for at, (line, row, (here, there)) in enumerate(
        zip(ranked, table, sides, strict=True)
    ):
        row[0] = truncate(line.order_id, _NARROW_ID)
        unlike = there != here
        row[5] = ("other" if unlike else "same", _INKS[line.verdict] if unlike else "")
        if unlike:
            notes[at] = f"  at the venue: {there}"
    columns = [
        replace(each, width=5, priority=7) if each.key == "venue" else each
        for each in _ORDERS
    ]
    return _section("orders", ranked, columns, table, _NONE_OPEN, notes)


def _positions(lines: Iterable[PositionLine], instruments: Instruments) -> Section:
    ranked = [line for line in _ranked(lines) if isinstance(line, PositionLine)]
    sizes, prices = [], []
    for line in ranked:
        price_digits, size_digits = _decimals(line.instrument, instruments)
        sizes.append(quantity(line.quantity, size_digits, sign=True))
        prices.append(price(line.average_price, price_digits))
    table: list[list[Cell]] = []
    for line, size, at in zip(
        ranked, align_point(sizes), align_point(prices), strict=True
    ):
        found = instruments.get(line.instrument)
        name = line.instrument if found is None else found.symbol
        table.append([name, line.owner, size, at, _verdict(line), (line.reason, "dim")])
    columns = (
        Column("symbol", "POSITION", 8),
        Column("owner", "OWNER", 8),
        Column("quantity", "QTY", 8, "right"),
        Column("entry", "ENTRY", 9, "right"),
        _VERDICT,
        _WHY,
    )
    return _section("positions", ranked, columns, table, "nothing held")


def _balances(
    lines: Iterable[BalanceLine], instruments: Instruments, ts: int, cells: int
) -> Section:
    ranked = [
        line
        for line in _ranked(lines)
        if isinstance(line, BalanceLine) and _is_anything(line)
    ]
    figures: list[list[str]] = [[], [], [], []]
    for line in ranked:
        values = (_then(line), line.venue, line.locked, line.difference or None)
        for column, value in zip(figures, values, strict=True):
            signed = column is figures[3]
            column.append(
                amount(value, line.currency, instruments, line.difference, sign=signed)
            )
    table: list[list[Cell]] = []
    columns_of = [align_point(column) for column in figures]
    for line, here, venue, locked, difference in zip(ranked, *columns_of, strict=True):
        since = None if line.since_ns is None else ts - line.since_ns
        why = _balance_reason(line)
        table.append(
            [
                line.currency,
                here,
                (venue, "bad" if line.verdict is Verdict.DIFFERS else ""),
                (locked, "dim"),
                (difference, _INKS[line.verdict] if line.difference else "dim"),
                (duration(since), "dim"),
                _verdict(line),
                ("; ".join(filter(None, (_moved(line, instruments), why))), "dim"),
            ]
        )
    columns = (
        Column("currency", "BALANCE", 8),
        Column("here", "HERE", 10, "right"),
        Column("venue", "VENUE", 10, "right"),
        Column("locked", "LOCKED", 8, "right", priority=3),
        Column("difference", "DIFFERENCE", 10, "right"),
        Column("since", "SINCE", 5, "right", priority=4),
        _VERDICT,
        _WHY,
    )
    section = _section("balances", ranked, columns, table, "none known")
    if sum(each.width + each.gap for each in section.columns) <= cells:
        return section
    # Without the last column the row itself would say what is no more true.
    moved = {at: _moved(line, instruments) for at, line in enumerate(ranked)}
    notes = {at: f"  {said}" for at, said in moved.items() if said}
    return _section("balances", ranked, columns, table, "none known", notes)


def _is_anything(line: BalanceLine) -> bool:
    """Tell whether a currency is more than one that was traded once."""
    return bool(line.here or line.venue) or line.verdict is not Verdict.AGREES


def _then(line: BalanceLine) -> Decimal:
    """Return what the books had when the venue answered: fills may have come since."""
    return line.here if line.venue is None else minus(line.venue, line.difference)


def _moved(line: BalanceLine, instruments: Instruments) -> str:
    """Return what the books have by now, where that is another sum."""
    if line.here == _then(line):
        return ""
    now = amount(line.here, line.currency, instruments, line.difference)
    return f"{now} here by now"


def _balance_reason(line: BalanceLine) -> str:
    if line.verdict is Verdict.ASKING:
        return "asked once more" if line.difference else "not compared yet"
    if line.verdict is Verdict.DIFFERS:
        return f"no entries in {line.currency}"
    return line.reason


# --- words ----------------------------------------------------------------------------


def head_fields(view: ReconciliationView, ts: int) -> tuple[Field, ...]:
    """Return when the venue was asked, and what came of it."""
    if not view.answers:
        return (field("this broker cannot be asked what the account holds", "warn"),)
    if view.waiting:
        said = "the venue is being asked; nothing is entered until it has answered"
        return (field(said, "warn"),)
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
    wanting = sum(1 for line in lines if line.verdict in _FLAGGED)
    if wanting:
        return f"{wanting} to settle", "bad"
    if any(line.verdict is Verdict.ASKING for line in lines):
        return "being compared", "info"
    ignored = sum(1 for line in lines if line.verdict is Verdict.IGNORED)
    if ignored:
        return f"{ignored} ignored, the rest agrees", "dim"
    return "all agree", "good"


def order_words(line: OrderLine, instruments: Instruments) -> str:
    """Return ``web-1, buy 0.010 BTCUSDT @ 61,000.00``."""
    side = line.here or line.venue
    assert side is not None
    name = line.instrument
    size = quantity(side.quantity, _decimals(name, instruments)[1])
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
        prices, sizes = _decimals(line.instrument, instruments)
        held = quantity(line.quantity, sizes, sign=True)
        at = price(line.average_price, prices)
        said = f"{line.owner} holds {held} {line.instrument} @ {at}"
        return f"{said}{_because(line.reason)}."
    return _balance_sentence(line, view, instruments)


def line_fields(line: Line, instruments: Instruments) -> tuple[Field, ...]:
    """Return the live line of a row: its verdict, and what each side says."""
    verdict = Field((_verdict(line),))
    if isinstance(line, OrderLine):
        here = _side(line.here, line.instrument, instruments)
        there = _side(line.venue, line.instrument, instruments)
        name = f"{line.instrument} {line.side}"
        if here == there:
            return verdict, field(name, "strong", 2), _labelled("both sides", here)
        sides = (_labelled("here", here), _labelled("venue", there, 1))
        return (verdict, field(name, "strong", 2), *sides)
    if isinstance(line, PositionLine):
        prices, sizes = _decimals(line.instrument, instruments)
        held = quantity(line.quantity, sizes, sign=True)
        return (
            verdict,
            field(f"{held} {line.instrument}", "strong"),
            _labelled("entry", price(line.average_price, prices), 1),
        )
    name, off = line.currency, line.difference
    figures = (
        ("here", _then(line), False),
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
    here = _side(line.here, name, instruments)
    there = _side(line.venue, name, instruments)
    whose = f" of {line.owner}" if line.owner else ""
    what = f"{line.order_id}, {line.side} {name}{whose}"
    if here == there:
        return f"{what}: {here} on both sides{_because(line.reason)}."
    return f"{what}: {here} here, {there} at the venue{_because(line.reason)}."


def _balance_sentence(
    line: BalanceLine, view: ReconciliationView, instruments: Instruments
) -> str:
    name, difference = line.currency, line.difference
    here = amount(_then(line), name, instruments, difference)
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
    moved = _moved(line, instruments)
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
        figures = (_then(each), each.venue, each.locked, each.difference)
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
