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
_BOOLS = (("true", "true"), ("false", "false"))


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
        self._rows = self._table.params
        """The parameters that have a field, in the order of the fields."""

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
        made = starmap(self._field, enumerate(self._rows))
        fields = VerticalScroll(*made, id="fields")
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
        names = [row.name for row in self._rows]
        place = names.index(self._param) if self._param in names else 0
        widget = self.query_one(f"#param-{place}")
        (widget.entry if isinstance(widget, TextField) else widget).focus()
        # Where it lies is known only once all has been laid out.
        self.call_after_refresh(widget.scroll_visible, animate=False)

    def _field(self, place: int, row: ParamRow) -> Widget:
        """Return the field of a parameter: a choice for a bool, else a text."""
        # By place: a name may be no id.
        id = f"param-{place}"
        held = value_text(row.value)
        if row.kind == "bool":
            return ChoiceLine(row.name, _BOOLS, chosen=held, note=remark(row), id=id)
        return TextField(
            truncate(row.name, LABEL - 3),
            value=held,
            remark=remark(row),
            check=partial(self._wrong, row),
            short=True,
            id=id,
        )

    # --- what is chosen ---------------------------------------------------------------

    def _now(self, row: ParamRow) -> ParamRow | None:
        """Return a field's parameter as the script declares it now, if it does."""
        key = (row.name, row.kind)
        rows = self._table.params
        return next((each for each in rows if (each.name, each.kind) == key), None)

    def _wrong(self, row: ParamRow, text: str) -> str:
        now = self._now(row)
        return "" if now is None else wrong_with(now, text)

    def _typed(self) -> list[tuple[ParamRow, str]]:
        """Return each parameter that can be set, and what its field holds."""
        found = [(self._now(row), place) for place, row in enumerate(self._rows)]
        return [(row, self._text(row, place)) for row, place in found if row]

    def _text(self, row: ParamRow, place: int) -> str:
        if row.kind == "bool":
            return self.query_one(f"#param-{place}", ChoiceLine).value
        field = self.query_one(f"#param-{place}", TextField)
        # Blanks around a text count where it has had them.
        held = field.entry.value == value_text(row.value)
        return field.entry.value if held else field.text

    @property
    def everywhere(self) -> bool:
        """Whether all symbols of the strategy are meant."""
        return self.query_one("#where", ChoiceLine).value == _ALL

    @property
    def wrong(self) -> bool:
        """Whether a field holds what its parameter cannot be."""
        return any(wrong_with(row, text) for row, text in self._typed())

    def changes(self) -> dict[str, ParamValue]:
        """Return the parameters that are to be others, with their new values."""
        changed: dict[str, ParamValue] = {}
        for row, text in self._typed():
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
                row = self._rows[int(place)]
                help_text = (self._now(row) or row).help
            node = node.parent
        self.query_one("#help", Static).update(self.words(help_text))

    def refresh_from(self, frame: Frame) -> None:
        """Write the sentence anew when a value or the script has changed meanwhile."""
        super().refresh_from(frame)
        if self.shown and self.scene.params not in (None, self.basis.params):
            self.rebase()

    def rebase(self) -> None:
        """Take the latest values where nothing was typed; keep what was."""
        before = [self._now(row) for row in self._rows]
        self.basis = self.scene
        for place, (row, old) in enumerate(zip(self._rows, before, strict=True)):
            self._renew(place, row, old)
        super().rebase()

    def _renew(self, place: int, row: ParamRow, old: ParamRow | None) -> None:
        now, widget = self._now(row), self.query_one(f"#param-{place}")
        said = "the script has it no longer" if now is None else remark(now)
        held = "" if old is None else value_text(old.value)
        if isinstance(widget, ChoiceLine):
            is_held = widget.value == held
            chosen = value_text(now.value) if now is not None and is_held else None
            widget.set_options(_BOOLS, chosen=chosen, note=said)
        elif isinstance(widget, TextField):
            if now is not None and widget.entry.value == held:
                widget.entry.value = value_text(now.value)
            widget.set_remark(said)

    # --- what happens -----------------------------------------------------------------

    def sentence(self) -> str:
        """Say what changes from what to what, and where."""
        return " ".join(filter(None, (self._what_changes(), self._other_script())))

    def _other_script(self) -> str:
        """Say what the script declares otherwise than when this was opened."""
        had = {(row.name, row.kind) for row in self._rows}
        has = {(row.name, row.kind): None for row in self._table.params}
        parts = []
        if gone := [row.name for row in self._rows if (row.name, row.kind) not in has]:
            parts.append(f"has {listed(gone)} no longer")
        if new := [name for name, kind in has if (name, kind) not in had]:
            parts.append(f"has {listed(new)} now: open this again to set it")
        return f"The script was reloaded: it {listed(parts)}." if parts else ""

    def _what_changes(self) -> str:
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
