"""A panel whose body is a table in one of several forms, chosen by its width.

Subclasses give the columns of each form and the cells of each row. Rows are sorted
here, at most once a second, so that they never dance under the cursor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from textual.widget import Widget

from workstation.model.owners import DUST, EXTERNAL, OPERATOR
from workstation.ui.panels.base import Choice, Panel, PanelState
from workstation.ui.typeset import plain_text
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.line_table import Column, LineTable, Row, SortSpec
from workstation.ui.widgets.rows import cell_parts

if TYPE_CHECKING:
    from workstation.engine.frames import Focus
    from workstation.ui.log_parts import Scales

__all__ = ["Form", "Item", "TablePanel", "key_version"]

_SORT_EVERY_NS = 1_000_000_000
# Of the run's clock: a standing run does not reorder either.
_NAME_CELLS = 16
# Where a symbol has several venues its name says which: BTCUSDT.kraken.


@dataclass(frozen=True, slots=True)
class Form:
    """Columns for panels of at least ``least`` cells."""

    name: str
    least: int
    columns: tuple[Column, ...]


_NOBODY = (OPERATOR, EXTERNAL, DUST)

Key = float | int | str | None


@dataclass(frozen=True, slots=True)
class Item:
    """A row and what it stands for.

    ``values`` are what columns sort by; ``exact`` what they copy and export as where
    that differs from what is shown.
    """

    row: Row
    choice: Choice
    values: Sequence[Key] = ()
    exact: Mapping[str, str] = field(default_factory=dict)


def key_version(*parts: object) -> int:
    """Return a version for rows that bring none: equal parts, equal version."""
    return hash(parts)


class TablePanel(Panel):
    """A panel with a table."""

    forms: ClassVar[tuple[Form, ...]] = ()
    """Widest first."""
    small: ClassVar[Form | None] = None
    """The form without a head, for small screens."""
    gutter_cells: ClassVar[int] = 1
    opens = True
    newest_first: ClassVar[bool] = False
    """Whether new rows come on top: the cursor is there until the operator moves it."""
    meets_focus: ClassVar[bool] = False
    """Whether its cursor goes to the symbol in focus while others have the keys."""

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self.form = self.forms[0]
        self.table = self._make(self.form.columns, head=True)
        self.tables = [self.table]
        if self.small is not None:
            short = self._make(self.small.columns, head=False)
            short.display = False
            self.tables.append(short)
        self._items: dict[str, Item] = {}
        self._order: list[str] = []
        self._sort = 0
        self._sorted_at: int | None = None
        self._moved = False
        # Whether it has just been shown: the symbol in focus may be another one by now.
        self._returned = True

    def _make(self, columns: Sequence[Column], *, head: bool) -> LineTable:
        return LineTable(
            columns,
            empty=self.empty,
            gutter=self.gutter_cells,
            cursor="focus",
            head=head,
        )

    def bodies(self) -> Iterable[Widget]:
        """Make the tables."""
        return self.tables

    @property
    def body(self) -> Widget:
        """The table shown."""
        return self.table

    # -- forms --------------------------------------------------------------------

    def on_resize(self) -> None:
        """Choose the form for the new width."""
        self.choose_form()

    def set_compact(self, compact: bool) -> None:
        """Take the small form, or the others."""
        super().set_compact(compact)
        self.choose_form()

    @property
    def headless(self) -> bool:
        """Whether the table without a head is shown."""
        return self.table is not self.tables[0]

    def choose_form(self) -> None:
        """Take the widest form there is room for."""
        width = self.size.width
        if not width:
            return
        form = next((f for f in self.forms if f.least <= width), self.forms[-1])
        table = self.tables[0]
        if self.compact and self.small is not None:
            form, table = self.small, self.tables[1]
        if table is not self.table:
            self._swap(table)
        self.form = form
        self.refit()
        self.again()

    def _swap(self, table: LineTable) -> None:
        old, self.table = self.table, table
        focused = old.has_focus
        old.display, table.display = False, True
        table.set_rows(old.rows)
        table.cursor_key = old.cursor_key
        table.filter_text = old.filter_text
        table.find_text = old.find_text
        if focused:
            table.focus()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the form, with room for the longest name of an instrument.

        Subclasses may widen others.
        """
        longest = min(_NAME_CELLS, max(map(len, self.scales), default=0))
        return tuple(
            replace(column, width=longest)
            if column.key == "symbol" and column.width < longest
            else column
            for column in self.form.columns
        )

    def refit(self) -> None:
        """Give the table the columns of now."""
        if self.table.columns != self.columns:
            self.table.set_columns(self.columns)

    # -- rows ---------------------------------------------------------------------

    def set_items(
        self, items: Sequence[Item], ts: int, tail: Sequence[Row] = ()
    ) -> None:
        """Show these items, sorted as the operator asked; ``tail`` stays below."""
        self._items = {item.row.key: item for item in items}
        keys = list(self._items)
        spec = self.sort_spec
        if spec is None:
            self._order = keys
        else:
            known = [key for key in self._order if key in self._items]
            fresh = [key for key in keys if key not in set(known)]
            self._order = known + fresh
            due = self._sorted_at is None or ts - self._sorted_at >= _SORT_EVERY_NS
            if due or ts < (self._sorted_at or 0):
                self._resort(ts)
        rows: list[Row] = []
        if type(self).notes is TablePanel.notes:
            rows = [self._items[key].row for key in self._order]
        else:
            for key in self._order:
                rows.append(self._items[key].row)
                rows.extend(self.notes(key))
        self.table.sort = spec
        self.table.set_rows([*rows, *tail])
        self._place_cursor()

    def _place_cursor(self) -> None:
        """Put the cursor where it belongs while the operator has not moved it there."""
        table = self.table
        if (
            self.newest_first
            and not self._moved
            and self.sort_spec is None
            and table.rows
        ):
            table.cursor_key = table.rows[0].key
        if self.meets_focus and self._items and (self._returned or not table.has_focus):
            self._returned = False
            self._meet_focus()

    def _meet_focus(self) -> None:
        """Put the cursor on the row in focus, else on one of its symbol.

        What nobody manages has the focus of its symbol's first row: it is met, too.
        """
        focus: Focus | None = getattr(self.app, "focus_row", None)
        if focus is None:
            return
        rows = {
            key: item.choice.strategy
            for key, item in self._items.items()
            if item.choice.instrument == focus.instrument
        }
        own = [key for key, owner in rows.items() if owner == focus.strategy]
        nobodys = [key for key, owner in rows.items() if owner in _NOBODY]
        if rows and self.table.cursor_key not in (*own, *nobodys):
            self.table.cursor_key = next(iter(own or rows))

    def notes(self, key: str) -> Sequence[Row]:
        """Return the lines that belong below a row."""
        return ()

    def _resort(self, ts: int) -> None:
        self._sorted_at = ts
        spec = self.sort_spec
        if spec is None:
            return
        place = [column.key for column in self.columns].index(spec.key)
        keys = list(self._items)

        def worth(key: str) -> tuple[bool, float, str]:
            values = self._items[key].values
            value = values[place] if place < len(values) else None
            if value is None:
                return (True, 0.0, "")
            if isinstance(value, str):
                return (False, 0.0, value)
            return (False, -value if spec.descending else value, "")

        self._order = sorted(keys, key=worth)

    @property
    def sort_spec(self) -> SortSpec | None:
        """The column rows are sorted by; None is the order they came in."""
        if self._sort == 0 or self._sort > len(self.columns):
            return None
        column = self.columns[self._sort - 1]
        return SortSpec(column.key, column.align == "right")

    def cycle_sort(self) -> str:
        """Sort by the next column; after the last by none."""
        self._sort = (self._sort + 1) % (len(self.columns) + 1)
        self._sorted_at = None
        self.again()
        spec = self.sort_spec
        if spec is None:
            return "order of the config"
        name = next(c.title for c in self.columns if c.key == spec.key)
        return f"{name} {'down' if spec.descending else 'up'}"

    # -- cursor, marks, filter --------------------------------------------------------

    @property
    def choice(self) -> Choice | None:
        """What the cursor's row stands for."""
        item = self._items.get(self.table.cursor_key or "")
        return None if item is None else item.choice

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What the marked rows stand for, else the cursor's."""
        marked = self.table.marked
        if marked:
            return tuple(i.choice for k, i in self._items.items() if k in marked)
        return super().choices

    @property
    def shown_choices(self) -> tuple[Choice, ...]:
        """What all rows that pass the filter stand for."""
        return tuple(
            self._items[row.key].choice
            for row in self.table.rows
            if row.key in self._items
        )

    @property
    def marked_count(self) -> int:
        """How many rows are marked."""
        return len(self.table.marked)

    def clear_marks(self) -> None:
        """Unmark all rows."""
        self.table.clear_marks()

    @property
    def filter_text(self) -> str:
        """The table's filter."""
        return self.table.filter_text

    def set_filter(self, text: str) -> None:
        """Filter the table."""
        self.table.filter_text = text
        self.again()

    def find(self, text: str, step: int) -> int:
        """Go to the next row with ``text``."""
        self.table.find_text = text
        return self.table.find(step)

    def copy_text(self) -> str:
        """Return the marked rows, else the cursor's, tab-separated."""
        table = self.table
        keys = table.marked or {table.cursor_key}
        return "\n".join(
            "\t".join(self._plain(row)) for row in table.rows if row.key in keys
        )

    def export_rows(self) -> list[list[str]]:
        """Return head and rows of the form shown, at full precision."""
        head = [column.title for column in self.columns]
        return [head, *[self._plain(r) for r in self.table.rows if not r.note]]

    def exact_rows(
        self, head: Sequence[str], exact: Mapping[str, Sequence[object]]
    ) -> list[list[str]]:
        """Return whole rows, by the key of the row that is shown, after their head."""
        rows = [exact[row.key] for row in self.table.rows if row.key in exact]
        return [
            list(head),
            *[["" if cell is None else str(cell) for cell in row] for row in rows],
        ]

    def _plain(self, row: Row) -> list[str]:
        item = self._items.get(row.key)
        exact = {} if item is None else item.exact
        return [
            exact.get(column.key, plain_text(cell_parts(cell)[0]))
            for column, cell in zip(self.columns, row.cells, strict=False)
        ]

    def jump_to(self, key: str) -> bool:
        """Put the cursor on the row that stands for ``key``."""
        for row_key, item in self._items.items():
            choice = item.choice
            if key in (choice.instrument, choice.order_id, choice.task, row_key):
                self.table.cursor_key = row_key
                return True
        return False

    def capture(self) -> PanelState:
        """Keep cursor, filter, sort."""
        table = self.table
        on_top = self.newest_first and not self._moved
        return PanelState(
            cursor=None if on_top else table.cursor_key,
            filter_text=table.filter_text,
            find_text=table.find_text,
            top=table.scroll_offset.y,
            sort=self._sort,
            pinned=self.pinned,
        )

    def restore(self, state: PanelState) -> None:
        """Take up cursor, filter, sort."""
        super().restore(state)
        self.table.filter_text = state.filter_text
        self.table.find_text = state.find_text
        self._sort = state.sort
        self._returned = True
        if state.cursor is not None:
            self.table.cursor_key = state.cursor

    def on_line_table_row_highlighted(self, event: LineTable.RowHighlighted) -> None:
        """Tell where the cursor is."""
        event.stop()
        # RowSelected is a kind of RowHighlighted and comes here, too.
        rows = self.table.rows
        self._moved = not rows or event.key != rows[0].key
        item = self._items.get(event.key)
        if item is not None and not isinstance(event, LineTable.RowSelected):
            self.post_message(self.Moved(self, item.choice))

    def on_line_table_row_selected(self, event: LineTable.RowSelected) -> None:
        """Tell that a row was opened."""
        event.stop()
        item = self._items.get(event.key)
        if item is not None:
            self.post_message(self.Opened(self, item.choice))

    def title_parts(self, count: int | str) -> list[Part]:
        """Return the title with a count and the filter in force."""
        parts: list[Part] = [*self.pin_parts(), (self.title, "title")]
        shown, total = self.table.row_count
        text = self.table.filter_text.strip()
        if text:
            parts.append((f" {shown} of {total}", "dim"))
            parts.append((f"  /{text}", "key"))
        else:
            parts.append((f" {count}", "dim"))
        return parts
