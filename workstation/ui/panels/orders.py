"""The working orders, nearest first as the engine lists them; what is held says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workstation.model.orders import OrderStatus, OrderType, order_number
from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import order_state, short_age
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import percent, plain, price, quantity, width
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, Row

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, OrderRow

__all__ = ["OrdersPanel"]

_WIDE = (
    Column("id", "ID", 3),
    Column("symbol", "SYMBOL", 8),
    Column("side", "SIDE", 4),
    Column("filled", "FILLED/QTY", 12, "right", priority=1),
    Column("price", "PRICE", 9, "right"),
    Column("away", "AWAY%", 6, "right", priority=2),
    Column("type", "TYPE", 5, priority=3),
    Column("state", "STATE", 8),
    Column("age", "AGE", 4, priority=4),
)
_COMPACT = (
    Column("id", "ID", 2),
    Column("symbol", "SYMBOL", 8),
    Column("side", "SIDE", 4),
    Column("filled", "FILLED/QTY", 10, "right", priority=1),
    Column("price", "PRICE", 10, "right"),
    Column("away", "AWAY%", 7, "right", priority=2),
    Column("type", "TYPE", 5, gap=2, priority=3),
    Column("state", "STATE", 8, gap=2),
    Column("age", "AGE", 4, "right", priority=4),
)
_FULL = (
    *_WIDE[:-1],
    replace(_WIDE[-1], width=5),
    Column("owner", "OWNER", 11, gap=2),
    Column("role", "ROLE", 8),
    Column("why", "REASON", 10, gap=2, flex=True),
)
_FORMS = (Form("full", 100, _FULL), Form("wide", 0, _WIDE))
_HELD_NOTE = "is held here: it stops {what} when the engine stops"
_HELD_NOTES = "are held here: they stop {what} when the engine stops"


class OrdersPanel(TablePanel):
    """Orders that can still do something."""

    panel_id = "orders"
    title = "Orders"
    needs = frozenset({"orders"})
    scope = Scope.ORDER
    empty = ("No working orders.", "A strategy's entry makes some.")
    forms = _FORMS
    small = Form("compact", 0, _COMPACT)
    _id_cells = 0
    _type_cells = 0

    @property
    def columns(self) -> tuple[Column, ...]:
        """The form's columns, with room for the longest number and type so far."""
        least = {"id": self._id_cells, "type": self._type_cells}
        return tuple(
            replace(column, width=max(column.width, least.get(column.key, 0)))
            for column in super().columns
        )

    def apply(self, frame: Frame) -> None:
        """Show the orders of a frame."""
        rows = frame.orders
        if rows is None:
            return
        cells = max((len(order_number(row.order.id)) for row in rows), default=0)
        kinds = max((len(_kind(row)) for row in rows), default=0)
        if cells > self._id_cells or kinds > self._type_cells:
            # Never narrower again: a column must not move back and forth.
            self._id_cells = max(cells, self._id_cells)
            self._type_cells = max(kinds, self._type_cells)
            self.refit()
        self.set_items([self._item(row) for row in rows], frame.ts)
        unknown = frame.header.unknown_orders
        said: Part = (f"unknown {unknown}", "bad" if unknown else "dim")
        title = self.title_parts(len(rows))
        held = sum(1 for row in rows if row.held)
        room = self.table.size.height - (0 if self.headless else 1)
        if held and len(rows) + 1 > room:
            # The note below the rows is out of sight: say it up here.
            title.append((f"  {held} held here !", "warn"))
        if self.headless:
            self.set_title(title, [said])
        else:
            keys: list[Part] = [("c cancel  enter detail", "dim")]
            self.set_title([*title, ("  ", ""), said], keys)

    def notes(self, key: str) -> Sequence[Row]:
        """Say below the last held stop what held means."""
        held = [k for k in self._order if self._items[k].values[-1] == "held"]
        if not held or key != held[-1]:
            return ()
        ids = [self._items[k].row.cells[0] for k in held]
        names = " ".join(i if isinstance(i, str) else i[0] for i in ids)
        indent = " " * (0 if self.headless else 4)
        guards = all(self._items[k].values[-2] == "guard" for k in held)
        what = "protecting" if guards else "working"
        if len(held) == 1:
            text = f"{indent}{names} {_HELD_NOTE.format(what=what)}"
        else:
            said = _HELD_NOTES.format(what=what)
            text = f"{indent}{names} {said}"
            if width(text) > self.table.size.width > 0:
                # What it means must be read whole; the rows have the numbers.
                text = f"{indent}{len(held)} orders {said}"
        return (Row(f"note/{key}", hash(text), note=((text, "warn"),)),)

    def _item(self, row: OrderRow) -> Item:
        order = row.order
        compact = self.headless
        filled = quantity(order.filled, row.quantity_decimals if order.filled else 0)
        whole = quantity(order.quantity, row.quantity_decimals)
        state = order_state(order.status)
        bad = order.status is OrderStatus.UNKNOWN
        side = "up" if order.side.sign > 0 else "down"
        cells: dict[str, str | Part] = {
            "id": order_number(order.id),
            "symbol": row.symbol,
            "side": (order.side.value.upper(), side),
            "filled": f"{filled}/{whole}",
            "price": price(row.price, row.decimals),
            "away": (percent(row.away_percent, unit=compact), "dim"),
            "type": (_kind(row), "warn" if row.held else ""),
            "state": (state, "bad" if bad else "warn" if row.held else ""),
            "age": (short_age(row.age_ns), "dim"),
            "owner": order.owner,
            "role": order.role.value,
            "why": (order.reason, "dim"),
        }
        names = [column.key for column in self.columns]
        values: dict[str, float | int | str | None] = {
            "id": float(order_number(order.id))
            if order_number(order.id).isdecimal()
            else order.id,
            "filled": float(order.quantity),
            "price": None if row.price is None else float(row.price),
            "away": row.away_percent,
            "age": row.age_ns,
        }
        exact = {
            "id": order.id,
            "filled": f"{plain(order.filled)}/{plain(order.quantity)}",
            "price": plain(row.price),
            "away": plain(row.away_percent),
        }
        return Item(
            Row(
                order.id,
                hash((row.version, self.form.name, compact)),
                [cells[name] for name in names],
            ),
            Choice(order.instrument, order.owner, order.id),
            [
                *(values.get(n, _word(cells[n])) for n in names),
                "guard" if order.is_protection else "",
                "held" if row.held else "",
            ],
            {name: exact[name] for name in names if name in exact},
        )


def _kind(row: OrderRow) -> str:
    kind = row.order.type
    if row.held:
        return "targ!" if kind is OrderType.TARGET else "stop!"
    return "stop" if kind is OrderType.STOP_LIMIT else kind.value


def _word(cell: str | Part) -> str:
    return cell if isinstance(cell, str) else cell[0]
