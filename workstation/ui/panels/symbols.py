"""The symbols: one row for each (symbol, strategy), with age and why it waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workstation.ui.actions import Scope
from workstation.ui.panels.base import Choice
from workstation.ui.panels.cells import (
    short_age,
    short_size,
    short_why,
    signed,
    state_cell,
    stop_cell,
)
from workstation.ui.panels.table import Form, Item, TablePanel
from workstation.ui.typeset import (
    NONE,
    bps,
    duration,
    money,
    percent,
    plain,
    price,
    utc_minute,
)
from workstation.ui.widgets.line_table import Column, LineTable, Row
from workstation.ui.widgets.rows import Cell

if TYPE_CHECKING:
    from workstation.engine.frames import Frame, SymbolRow
    from workstation.ui.log_parts import Scales

__all__ = ["SymbolsPanel"]

_TINT_FRAMES = 3

_WIDE = (
    Column("symbol", "SYMBOL", 8),
    Column("strategy", "STRATEGY", 10, priority=4),
    Column("state", "STATE", 12),
    Column("for", "FOR", 5, "right", priority=6),
    Column("last", "LAST", 10, "right"),
    Column("change", "CHG%", 6, "right", priority=3),
    Column("spread", "SPRbp", 5, "right", priority=7),
    Column("age", "AGE", 4, "right"),
    Column("position", "POS", 9, "right"),
    Column("open", "OPEN PNL", 8, "right", priority=2),
    Column("stop", "STOP%", 6, "right", priority=5),
    Column("why", "WHY NOT", 16, gap=2, flex=True),
)
_COMPACT = (
    Column("symbol", "SYMBOL", 8),
    Column("state", "STATE", 12),
    Column("last", "LAST", 10, "right"),
    Column("change", "CHG%", 6, "right", priority=3),
    Column("age", "AGE", 4, "right"),
    Column("position", "POS", 7, "right", priority=1),
    Column("open", "OPEN", 7, "right", priority=2),
    Column("why", "WHY NOT", 12, gap=2, flex=True, priority=4),
)
_FORMS = (Form("wide", 114, _WIDE), Form("compact", 0, _COMPACT))


class SymbolsPanel(TablePanel):
    """What Monitor begins with."""

    panel_id = "symbols"
    title = "Symbols"
    needs = frozenset({"symbols"})
    scope = Scope.ROW
    empty = (
        "No symbols in this run.",
        "Add them to [[feeds]] symbols and to a strategy.",
    )
    meets_focus = True
    forms = _FORMS
    gutter_cells = 2

    def __init__(
        self, scales: Scales, *, ssh: bool = False, names: Sequence[Choice] = ()
    ) -> None:
        super().__init__(scales, ssh=ssh)
        self.stepping = False
        """While stepping, what the last step changed stays tinted."""
        self._names = tuple(names)
        self._seen: dict[str, tuple[float | None, object]] = {}
        self._tints: dict[str, dict[str, tuple[str, int]]] = {}
        self._made: dict[str, tuple[object, Item]] = {}

    def _make(self, columns: Sequence[Column], *, head: bool) -> LineTable:
        return LineTable(
            columns,
            empty=self.empty,
            gutter=self.gutter_cells,
            cursor="always",
            head=head,
        )

    def on_mount(self) -> None:
        """Show the names before there is an engine."""
        self._show_names()

    def _show_names(self) -> None:
        items = []
        for place, choice in enumerate(self._names):
            cells: list[Cell] = [(NONE, "dim")] * len(self.columns)
            names = [column.key for column in self.columns]
            cells[0] = choice.instrument
            if "strategy" in names:
                cells[names.index("strategy")] = (choice.strategy or NONE, "dim")
            cells[-1] = ("starting", "dim")
            row = Row(f"{choice.instrument}/{choice.strategy}", -1 - place, cells)
            items.append(Item(row, choice))
        self.set_items(items, 0)
        self._title(len(items))

    def apply(self, frame: Frame) -> None:
        """Show the rows of a frame."""
        rows = frame.symbols
        if rows is None:
            return
        items = []
        drawn = ""
        for row in rows:
            again = row.instrument == drawn
            drawn = row.instrument
            self._tint(row)
            stamp = (row.version, again, self.form.name, tuple(self._tinted(row.key)))
            made = self._made.get(row.key)
            if made is None or made[0] != stamp:
                made = (stamp, self._item(row, again, hash(stamp)))
                self._made[row.key] = made
            items.append(made[1])
        if len(self._made) > 2 * len(rows) + 8:
            self._made.clear()
        self.set_items(items, frame.ts)
        self._title(len({row.instrument for row in rows}))

    def again(self) -> None:
        """Show the last frame, or the names, in the form of now."""
        self._made.clear()
        if self._frame is None:
            self._show_names()
        else:
            super().again()

    def _title(self, count: int) -> None:
        marks = self.marked_count
        spec = self.sort_spec
        order = "config" if spec is None else spec.key
        info = f"order: {order}"
        if self.form.name == "wide" or marks:
            info += f"  marked {marks}"
        self.set_title(self.title_parts(count), info)

    # -- tints: the eye finds change, for three frames ------------------------------

    def _tint(self, row: SymbolRow) -> None:
        tints = self._tints.setdefault(row.key, {})
        for name, (ink, left) in list(tints.items()):
            if self.stepping:
                continue
            if left <= 1:
                del tints[name]
            else:
                tints[name] = (ink, left - 1)
        last, position = self._seen.get(row.key, (row.last, row.position))
        self._seen[row.key] = (row.last, row.position)
        if self.ssh:
            return
        if row.last is not None and last is not None and row.last != last:
            ink = "tint-up" if row.last > last else "tint-down"
            tints["last"] = (ink, _TINT_FRAMES)
        if row.position != position:
            tints["position"] = ("tint", _TINT_FRAMES)

    def clear_tints(self) -> None:
        """Forget what changed, before the next step."""
        self._tints.clear()

    def _tinted(self, key: str) -> list[tuple[str, str]]:
        return [(name, ink) for name, (ink, _) in self._tints.get(key, {}).items()]

    # -- cells ------------------------------------------------------------------------

    def _item(self, row: SymbolRow, again: bool, version: int) -> Item:
        wide = self.form.name == "wide"
        bad = row.distrust is not None
        tints = dict(self._tinted(row.key))
        state = state_cell(row.state, row.manual and row.state is not None)
        market = "stale" if bad else ""
        why = row.why_not
        if row.manual and row.manual_until_ns is not None and row.state is not None:
            why = f"locked until {utc_minute(row.manual_until_ns)}"
        in_trade = bool(row.position)
        room = next(c.width for c in self.columns if c.key == "position")
        size = short_size(row.position, row.quantity_decimals, room)
        # The market is drawn once per symbol; below it only what the row owns.
        last = "" if again else price(row.last, row.decimals)
        change = "" if again else percent(row.change_percent)
        spread = "" if again else bps(row.spread_bps)
        age = "" if again else short_age(row.age_ns)
        cells: dict[str, Cell] = {
            "symbol": row.symbol if not again or not wide else ("", "dim"),
            "strategy": (row.strategy or NONE, "" if row.state is not None else "dim"),
            "state": state,
            "for": (duration(row.since_ns), "dim"),
            "last": (last, f"{tints.get('last', '')} {market}".strip()),
            "change": (change, market or signed(row.change_percent)),
            "spread": (spread, market),
            "age": (age, "warn" if bad else "dim"),
            "position": (size, f"{tints.get('position', '')} ".strip() or _held(row)),
            "open": (
                money(row.open_pnl if in_trade else None, sign=True),
                signed(row.open_pnl if in_trade else None),
            ),
            "stop": stop_cell(row.stop_percent, has_stop=row.has_stop, held=in_trade),
            "why": (
                why if wide else short_why(why),
                "warn" if bad else "strong" if why == "ready" else "dim",
            ),
        }
        values: dict[str, float | str | None] = {
            "symbol": row.symbol,
            "strategy": row.strategy,
            "state": state[0],
            "for": row.since_ns,
            "last": row.last,
            "change": row.change_percent,
            "spread": row.spread_bps,
            "age": row.age_ns,
            "position": float(row.position) if row.position else None,
            "open": None if row.open_pnl is None else float(row.open_pnl),
            "stop": row.stop_percent,
            "why": why,
        }
        exact = {
            "last": plain(row.last),
            "position": plain(row.position),
            "open": plain(row.open_pnl),
            "state": "Manual" if row.manual else (row.state or ""),
        }
        names = [column.key for column in self.columns]
        return Item(
            Row(
                row.key,
                version,
                [cells[name] for name in names],
                flag=("!", "warn") if bad else "",
            ),
            Choice(row.instrument, row.strategy),
            [values[name] for name in names],
            {name: exact[name] for name in names if name in exact},
        )


def _held(row: SymbolRow) -> str:
    return signed(float(row.position)) if row.position else "dim"
