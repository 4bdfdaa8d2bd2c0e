"""The dialog for a script's parameters: checked as typed, one sentence of what changes.

For one symbol or all symbols of the strategy; the script is asked with the new values
from its next call on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import starmap
from typing import ClassVar

from textual import events, on
from textual.containers import VerticalScroll
from textual.dom import DOMNode
from textual.widget import Widget
from textual.widgets import Input, Static

from workstation.engine.frames import Frame, ParamRow, ParamTable
from workstation.model.commands import SetParams
from workstation.strategy.script import ParamValue
from workstation.ui.panels.params import value_text
from workstation.ui.screens.fields import LABEL, ChoiceLine, TextField
from workstation.ui.screens.param_fields import (
    change_words,
    read_value,
    remark,
    wrong_with,
)
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.sentences import count, listed
from workstation.ui.typeset import truncate
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["EditParamsScreen"]

_ONE, _ALL = "one", "all"


class EditParamsScreen(Ritual[Answer]):
    """Edit the parameters of one row; dismisses with the engine's answer.

    ``param`` is the one to begin with. ``frame`` must hold the row's ``params``.
    """

    PANELS: ClassVar[frozenset[str]] = frozenset({"params"})
    DEFAULT_CSS = """
    EditParamsScreen #fields { height: auto; max-height: 8; scrollbar-size: 1 1; }
    EditParamsScreen.-tall #fields { max-height: 20; }
    EditParamsScreen #help { height: 1; margin: 0 2 1 2; color: $muted; }
    """

    def __init__(
        self, frame: Frame, execute: Execute, param: str, *, timer: Timer | None = None
    ) -> None:
        super().__init__(frame, execute, timer=timer)
        self._param = param

    @property
    def _table(self) -> ParamTable:
        table = self.basis.params
        if table is None:
            raise LookupError("the frame has no parameters")
        return table

    def title_text(self) -> str:
        """Name the row."""
        return f"Parameters {self._table.instrument} {self._table.strategy}"

    def live_fields(self) -> Sequence[Field]:
        """Show the values as they are now."""
        table = self.scene.params or self._table
        return [
            field(f"{row.name} {value_text(row.value)}", priority=place)
            for place, row in enumerate(table.params)
        ]

    def compose_body(self) -> Iterable[Widget]:
        """Give a field to each parameter, and ask for which symbols."""
        table = self._table
        fields = VerticalScroll(*starmap(_field, enumerate(table.params)), id="fields")
        fields.can_focus = False
        yield fields
        yield Static("", id="help", markup=False)
        symbols = count(len(table.instruments), "symbol")
        options = [(_ONE, table.instrument)]
        if len(table.instruments) > 1:
            options.append((_ALL, f"all {symbols}"))
        yield ChoiceLine("for", options, id="where")
        yield TextField("reason", placeholder="if any; it is journalled", id="reason")

    def first_focus(self) -> None:
        """Begin in the parameter that was opened."""
        widget = self.query_one(f"#param-{self._place(self._param)}")
        (widget.entry if isinstance(widget, TextField) else widget).focus()
        # Where it lies is known only once all has been laid out.
        self.call_after_refresh(widget.scroll_visible, animate=False)

    def _place(self, name: str) -> int:
        names = [row.name for row in self._table.params]
        return names.index(name) if name in names else 0

    # --- what is chosen ---------------------------------------------------------------

    def _typed(self, row: ParamRow) -> str:
        id = f"#param-{self._place(row.name)}"
        if row.kind == "bool":
            return self.query_one(id, ChoiceLine).value
        return self.query_one(id, TextField).text

    @property
    def everywhere(self) -> bool:
        """Whether all symbols of the strategy are meant."""
        return self.query_one("#where", ChoiceLine).value == _ALL

    @property
    def wrong(self) -> bool:
        """Whether a field holds what its parameter cannot be."""
        return any(wrong_with(row, self._typed(row)) for row in self._table.params)

    def changes(self) -> dict[str, ParamValue]:
        """Return the parameters that are to be others, with their new values."""
        changed: dict[str, ParamValue] = {}
        for row in self._table.params:
            text = self._typed(row)
            value = None if wrong_with(row, text) else read_value(row, text)
            if value is not None and value != row.value:
                changed[row.name] = value
        return changed

    @on(ChoiceLine.Changed)
    def _chosen(self) -> None:
        self.rewrite()

    @on(Input.Changed)
    def _edited(self) -> None:
        self.rewrite()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say what the parameter is that has the focus."""
        node: DOMNode | None = event.widget
        help_text = ""
        while node is not None and node is not self:
            kind, _, place = (node.id or "").partition("-")
            if kind == "param" and place.isdigit():
                help_text = self._table.params[int(place)].help
            node = node.parent
        self.query_one("#help", Static).update(self.words(help_text))

    def refresh_from(self, frame: Frame) -> None:
        """Write the sentence anew when others have changed a value meanwhile."""
        super().refresh_from(frame)
        if self.shown and self.scene.params not in (None, self.basis.params):
            self.rebase()

    # --- what happens -----------------------------------------------------------------

    def sentence(self) -> str:
        """Say what changes from what to what, and where."""
        if not self.shown or self.wrong:
            return "Nothing is changed while a value cannot be used."
        table, changes = self._table, self.changes()
        if not changes:
            return "Nothing is changed yet."
        rows = [each for each in table.params if each.name in changes]
        words = listed([change_words(each, changes[each.name]) for each in rows])
        if not self.everywhere:
            row = f"{table.instrument} of {table.strategy}"
            return f"{row}: {words}, from its next call on."
        symbols = count(len(table.instruments), "symbol")
        other = [each.name for each in rows if each.differs]
        note = f" They do not all have the same {listed(other)} now." if other else ""
        row = f"All {symbols} of {table.strategy}"
        return f"{row}: {words}, from their next calls on.{note}"

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to set what was changed."""
        return [Verb("Set", self._set, id="go")]

    def update_verbs(self) -> None:
        """Count what is set; wait for a change."""
        changes = {} if self.wrong else self.changes()
        where = len(self._table.instruments) if self.everywhere else 1
        words = f"{count(len(changes), 'parameter')} of {count(where, 'symbol')}"
        go = self.query_one("#go", Verb)
        go.set_label(f"Set {words}")
        go.ready = bool(changes)

    def _set(self) -> None:
        table = self._table
        answer = self.run(
            SetParams(
                strategy=table.strategy,
                instrument=None if self.everywhere else table.instrument,
                values=self.changes(),
                reason=self.query_one("#reason", TextField).text,
                seen_seq=self.seen_seq,
            )
        )
        if answer is not None:
            self.dismiss(answer)


def _field(place: int, row: ParamRow) -> Widget:
    """Return the field of a parameter: a choice for a bool, else a text."""
    # By place: a name may be no id.
    id = f"param-{place}"
    if row.kind == "bool":
        options = [("true", "true"), ("false", "false")]
        chosen = value_text(row.value)
        return ChoiceLine(row.name, options, chosen=chosen, note=remark(row), id=id)
    return TextField(
        truncate(row.name, LABEL - 3),
        value=value_text(row.value),
        remark=remark(row),
        check=partial(wrong_with, row),
        short=True,
        id=id,
    )
