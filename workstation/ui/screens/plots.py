"""The indicators dialog: add any of the registry to a chart, or take one off.

A change is seen on the chart at once and touches nothing of the run: what is added here
no strategy sees. The dialog stays open until ``Back``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from workstation import indicators
from workstation.engine.frames import Frame
from workstation.indicators import (
    Choice,
    Indicator,
    IndicatorError,
    Pane,
    Param,
    Request,
)
from workstation.ui.actions import Hint
from workstation.ui.screens.fields import ChoiceLine, NumberField, TextField
from workstation.ui.screens.ritual import Ritual, Timer, Verb
from workstation.ui.typed_numbers import number_of
from workstation.ui.widgets.line_table import Column, LineTable, Row
from workstation.ui.widgets.rows import Cell
from workstation.ui.widgets.status_lines import Field

__all__ = ["PlotsScreen"]

_WHERE = {Pane.PRICE: "on the price", Pane.OWN: "below"}


class PlotsScreen(Ritual[None]):
    """Choose the indicators ``added`` to the chart of ``symbol``.

    ``asked`` are those of the script, which stay. ``change`` is called with the whole
    list after each change.
    """

    PANELS: ClassVar[frozenset[str]] = frozenset()
    DEFAULT_CSS = """
    PlotsScreen #params { height: auto; margin: 1 0 0 0; }
    PlotsScreen .remark { text-wrap: nowrap; text-overflow: ellipsis; }
    PlotsScreen #sentence { min-height: 2; }
    PlotsScreen.-tall #registry { height: 16; }
    """

    def __init__(
        self,
        frame: Frame,
        symbol: str,
        *,
        asked: Sequence[Request],
        added: Sequence[Request],
        change: Callable[[tuple[Request, ...]], None],
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, timer=timer)
        self.symbol = symbol
        self.added = tuple(added)
        self._asked = tuple(asked)
        self._change = change
        self._form_of = ""

    def title_text(self) -> str:
        """Name the dialog."""
        return f"Indicators on the chart of {self.symbol}"

    def live_fields(self) -> Sequence[Field]:
        """Name what the script has asked for: it stays."""
        labels = ", ".join(request.label for request in self._asked)
        return (Field((("script ", "dim"), (labels, ""))),) if labels else ()

    # --- the form ---------------------------------------------------------------------

    def compose_body(self) -> Iterable[Widget]:
        """Show what is on the chart, the registry, and the chosen one's parameters."""
        yield ChoiceLine("added", (), id="added")
        yield _Registry()
        yield Vertical(id="params")

    def on_mount(self) -> None:
        """Fill in what is there."""
        self._offer()
        self._list()

    def first_focus(self) -> None:
        """Start in the registry: nothing here adds risk."""
        self.query_one(_Registry).focus()

    def has_key(self, id: str) -> bool:
        """Tell which keys of dialogs do something here."""
        return id != "dialog.raw"

    def footer(self) -> Sequence[Hint]:
        """Return the keys shown at the bottom."""
        return (
            *super().footer(),
            Hint(glyph="enter", label="parameters", id="table.select", rank=3),
        )

    def _offer(self) -> None:
        """Offer what can be taken off."""
        self.query_one("#added", ChoiceLine).set_options(
            [(str(request), request.label) for request in self.added],
            note="" if self.added else "nothing",
        )

    def _list(self) -> None:
        """Fill the registry."""
        asked = {request.name for request in self._asked}
        added = {request.name for request in self.added}
        rows = []
        for name in indicators.names():
            definition = indicators.get(name)
            by = "added" if name in added else "script" if name in asked else ""
            cells: tuple[Cell, ...] = (
                (name, "strong"),
                (definition.title, ""),
                (_WHERE[definition.pane], "dim"),
                (by, "accent" if name in added else "dim"),
            )
            rows.append(Row(name, hash(cells), cells))
        self.query_one(_Registry).set_rows(rows)

    @property
    def definition(self) -> Indicator:
        """The indicator below the cursor."""
        name = self.query_one(_Registry).cursor_key
        return indicators.get(name or indicators.names()[0])

    async def show_form(self) -> None:
        """Ask for the parameters of the indicator below the cursor."""
        definition = self.definition
        if definition.name == self._form_of:
            return
        self._form_of = definition.name
        form = self.query_one("#params", Vertical)
        await form.remove_children()
        await form.mount(*(_field(param) for param in definition.params))
        self.rewrite()

    def request(self) -> Request | str:
        """Return what is chosen, or what is wrong with it."""
        definition = self.definition
        if definition.name != self._form_of:
            return "the parameters are not there yet"
        values: dict[str, object] = {}
        for param in definition.params:
            field = self.query_one(f"#param-{param.name}")
            if isinstance(field, ChoiceLine):
                values[param.name] = field.value
            elif isinstance(field, _ParamField):
                if field.wrong:
                    return f"{param.name} {field.wrong}"
                values[param.name] = field.value
        try:
            return Request.of(definition.name, values)
        except IndicatorError as error:
            return str(error)

    def after_entry(self) -> None:
        """Go on to the next parameter, from the last one to adding it."""
        self.focus_next()
        if self.focused is self.query_one("#back", Verb):
            self.query_one("#go", Verb).focus()

    def action_onward(self) -> None:
        """Go on from a parameter that is a word."""
        self.after_entry()

    # --- what happens -----------------------------------------------------------------

    def sentence(self) -> str:
        """Say what would be drawn, and by which rule."""
        if not self._form_of:
            return ""
        found = self.request()
        definition = self.definition
        if isinstance(found, str):
            return f"Cannot be drawn: {found}."
        where = _WHERE[definition.pane]
        if found in self.added or found in self._asked:
            return f"{found.label} is on the chart already ({where})."
        return f"Draws {found.label} {where}. {definition.rule}."

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to add the chosen one, and to take one off."""
        return (
            Verb("Add", self._add, id="go"),
            Verb("Remove", self._remove, id="remove"),
        )

    def update_verbs(self) -> None:
        """Name what is added and what is taken off."""
        found = self.request()
        add, remove = self.query_one("#go", Verb), self.query_one("#remove", Verb)
        fits = isinstance(found, Request)
        add.set_label(f"Add {found.label}" if isinstance(found, Request) else "Add")
        add.ready = fits and found not in self.added and found not in self._asked
        chosen = self._chosen()
        remove.display = chosen is not None
        if chosen is not None:
            remove.set_label(f"Remove {chosen.label}")

    def _chosen(self) -> Request | None:
        word = self.query_one("#added", ChoiceLine).value
        return next((each for each in self.added if str(each) == word), None)

    def _add(self) -> None:
        found = self.request()
        if isinstance(found, Request):
            self._take((*self.added, found), f"{found.label} is on the chart.")
            self.query_one("#added", ChoiceLine).value = str(found)

    def _remove(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            left = tuple(each for each in self.added if each != chosen)
            if not left:
                # Its button goes away with the last one.
                self.query_one("#back", Verb).focus()
            self._take(left, f"{chosen.label} is off the chart.")

    def _take(self, added: tuple[Request, ...], notice: str) -> None:
        self.added = added
        self._change(added)
        self._offer()
        self._list()
        self.say(notice)

    @on(LineTable.RowHighlighted)
    async def _moved(self, event: LineTable.RowHighlighted) -> None:
        event.stop()
        self.notice = ""
        await self.show_form()

    @on(LineTable.RowSelected)
    async def _selected(self, event: LineTable.RowSelected) -> None:
        event.stop()
        await self.show_form()
        self.focus_next()

    @on(ChoiceLine.Changed)
    def _changed(self) -> None:
        self.rewrite()

    @on(Input.Changed)
    def _typed(self) -> None:
        self.notice = ""
        self.rewrite()


class _Registry(LineTable):
    """Every indicator there is."""

    DEFAULT_CSS = """
    _Registry { height: 9; margin: 1 0 0 0; }
    """

    def __init__(self) -> None:
        super().__init__(
            (
                Column("name", "NAME", 12),
                Column("title", "WHAT", 24, flex=True),
                Column("where", "DRAWN", 12, priority=1),
                Column("shown", "SHOWN", 6, priority=1),
            ),
            id="registry",
        )


class _ParamField(NumberField):
    """A number in the range of its parameter."""

    def __init__(self, param: Param) -> None:
        self._param = param
        whole = isinstance(param.default, int)
        super().__init__(
            param.name,
            step=Decimal(1) if whole else Decimal("0.1"),
            least=Decimal(str(param.minimum)),
            value=f"{param.default:.15g}",
            remark=f"{param.minimum:g} to {param.maximum:g}  {param.help}",
            id=f"param-{param.name}",
        )

    @property
    def value(self) -> int | float | None:
        """The number typed; None when it is none of the parameter's kind."""
        return self._read(self.text)

    def _read(self, text: str) -> int | float | None:
        value = number_of(text)
        if value is None:
            return None
        if isinstance(self._param.default, int):
            return int(value) if value == value.to_integral_value() else None
        return float(value)

    def _number(self, text: str) -> str:
        if self._param.accepts(self._read(text)):
            return ""
        return f"must be {self._param.allowed}"


class _WordField(ChoiceLine):
    """A word of its parameter; ``enter`` goes on as in the numbers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.onward", show=False),
    ]


def _field(param: Param | Choice) -> TextField | ChoiceLine:
    if isinstance(param, Choice):
        return _WordField(
            param.name,
            [(word, word) for word in param.choices],
            chosen=param.default,
            id=f"param-{param.name}",
        )
    return _ParamField(param)
