"""Books and venue side by side as sections of rows, what is not as it should be first.

Pure. Columns are as wide as what stands in them; what a narrow table has no column for
stands in a line of its own below its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from workstation.model.reconciliation import (
    BalanceLine,
    OrderLine,
    PositionLine,
    ReconciliationView,
    Verdict,
)
from workstation.ui.screens.both_sides import (
    VERDICT_INKS,
    WANTING,
    Instruments,
    Line,
    amount,
    digits_of,
    held_then,
    key_of,
    moved_words,
    side_text,
    verdict_part,
)
from workstation.ui.typeset import (
    NONE,
    align_point,
    duration,
    price,
    quantity,
    truncate,
    width,
)
from workstation.ui.widgets.rows import Cell, Column, Row
from workstation.ui.widgets.section_table import Section

__all__ = ["sections"]

_RANK = {
    Verdict.DIFFERS: 0,
    Verdict.EXTERNAL: 1,
    Verdict.ASKING: 2,
    Verdict.IGNORED: 3,
    Verdict.AGREES: 4,
}


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
        key, ink = key_of(line), VERDICT_INKS[line.verdict]
        flag = ("!", ink) if line.verdict in WANTING else ""
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
        here = side_text(line.here, name, instruments)
        there = side_text(line.venue, name, instruments)
        sides.append((here, there))
        table.append(
            [
                line.order_id,
                name if found is None else found.symbol,
                (line.side.value.upper(), "up" if line.side.sign > 0 else "down"),
                line.owner or NONE,
                here,
                (there, "" if there == here else VERDICT_INKS[line.verdict]),
                verdict_part(line),
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
        row[5] = "same"
        if there != here:
            row[5] = ("other", VERDICT_INKS[line.verdict])
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
        price_digits, size_digits = digits_of(line.instrument, instruments)
        sizes.append(quantity(line.quantity, size_digits, sign=True))
        prices.append(price(line.average_price, price_digits))
    table: list[list[Cell]] = []
    for line, size, at in zip(
        ranked, align_point(sizes), align_point(prices), strict=True
    ):
        found = instruments.get(line.instrument)
        name = line.instrument if found is None else found.symbol
        verdict, why = verdict_part(line), (line.reason, "dim")
        table.append([name, line.owner, size, at, verdict, why])
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
        values = (held_then(line), line.venue, line.locked, line.difference or None)
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
                (difference, VERDICT_INKS[line.verdict] if line.difference else "dim"),
                (duration(since), "dim"),
                verdict_part(line),
                ("; ".join(filter(None, (moved_words(line, instruments), why))), "dim"),
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
    moved = {at: moved_words(line, instruments) for at, line in enumerate(ranked)}
    notes = {at: f"  {said}" for at, said in moved.items() if said}
    return _section("balances", ranked, columns, table, "none known", notes)


def _is_anything(line: BalanceLine) -> bool:
    """Tell whether a currency is more than one that was traded once."""
    return bool(line.here or line.venue) or line.verdict is not Verdict.AGREES


def _balance_reason(line: BalanceLine) -> str:
    if line.verdict is Verdict.ASKING:
        return "asked once more" if line.difference else "not compared yet"
    if line.verdict is Verdict.DIFFERS:
        return f"no entries in {line.currency}"
    return line.reason
