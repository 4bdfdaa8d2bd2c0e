"""The go-until dialog: choose what the clock runs to.

Dismisses with a ``Goal`` for the play driver; the engine is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import on
from textual.widget import Widget
from textual.widgets import Input

from workstation.engine.frames import Frame
from workstation.ui import goals
from workstation.ui.goals import Goal, Run
from workstation.ui.log_parts import Scales
from workstation.ui.screens.fields import ChoiceLine, NumberField, TextField
from workstation.ui.screens.ritual import Ritual, Timer, Verb
from workstation.ui.screens.sentences import row_fields
from workstation.ui.typeset import plain, utc_clock
from workstation.ui.widgets.status_lines import Field

__all__ = ["GoUntilScreen"]

_KINDS = (
    ("signal", "signal"),
    ("fill", "fill"),
    ("state", "state change"),
    ("price", "price"),
    ("time", "time"),
    ("text", "text"),
    ("error", "error"),
)
_SHOWN = {
    "signal": ("scope",),
    "fill": ("scope",),
    "price": ("level",),
    "time": ("time",),
    "text": ("text",),
}


class GoUntilScreen(Ritual[Goal]):
    """Choose a goal for the row (strategy, instrument) under the cursor.

    ``price_of`` gives an instrument's price now, ``tick`` is what up and down add.
    """

    PANELS: ClassVar[frozenset[str]] = frozenset({"symbols"})

    def __init__(
        self,
        frame: Frame,
        engine: Run,
        strategy: str,
        instrument: str,
        *,
        price_of: Callable[[str], float | None],
        tick: Decimal | None = None,
        scales: Scales | None = None,
        timer: Timer | None = None,
    ) -> None:
        super().__init__(frame, timer=timer)
        self._engine = engine
        self.strategy = strategy
        self.instrument = instrument
        self._price_of = price_of
        self._tick = tick
        self._scales = scales

    def title_text(self) -> str:
        """Name the dialog."""
        return "Go until"

    def live_fields(self) -> Sequence[Field]:
        """Show the row as it is now."""
        return row_fields(self.scene, self.strategy, self.instrument)

    def compose_body(self) -> Iterable[Widget]:
        """Ask for the kind and what it needs."""
        row = self.basis.market(self.instrument)
        decimals = row.decimals if row else 2
        step = self._tick or Decimal(1).scaleb(-decimals)
        last = row.last if row else None
        symbol = row.symbol if row else self.instrument
        yield ChoiceLine("the next", _KINDS, id="kind")
        yield ChoiceLine("of", [("all", "any symbol"), ("one", symbol)], id="scope")
        yield NumberField(
            "price",
            step=step,
            value="" if last is None else plain(Decimal(str(last)).quantize(step)),
            remark=f"{symbol} crosses it; up and down: one tick",
            id="level",
        )
        yield TextField(
            "time",
            placeholder="23:55:10",
            check=self._time_check,
            remark="UTC",
            short=True,
            id="time",
        )
        yield TextField(
            "text",
            placeholder="words of the log line",
            check=lambda text: "" if text else "required",
            id="text",
        )

    def first_focus(self) -> None:
        """Start at the choice: nothing here adds risk."""
        self.query_one("#kind", ChoiceLine).focus()

    def on_mount(self) -> None:
        """Show the fields of the first kind."""
        self._offer()

    @property
    def kind(self) -> str:
        """The kind of goal chosen."""
        return self.query_one("#kind", ChoiceLine).value

    @kind.setter
    def kind(self, value: str) -> None:
        self.query_one("#kind", ChoiceLine).value = value

    def _offer(self) -> None:
        shown = _SHOWN.get(self.kind, ())
        for name in ("scope", "level", "time", "text"):
            self.query_one(f"#{name}").display = name in shown

    def _time_check(self, text: str) -> str:
        try:
            goals.moment_of(text, self.scene.ts)
        except ValueError as error:
            return str(error)
        return ""

    @on(ChoiceLine.Changed)
    def _chosen(self) -> None:
        self._offer()
        self.rewrite()

    @on(Input.Changed)
    def _typed(self) -> None:
        self.rewrite()

    @property
    def _symbol(self) -> str:
        row = self.basis.market(self.instrument)
        return row.symbol if row else self.instrument

    def sentence(self) -> str:
        """Say where the clock will stop."""
        kind = self.kind
        one = self.query_one("#scope", ChoiceLine).value == "one"
        of = f" of {self._symbol}" if one else ""
        if kind == "signal":
            return (
                f"Plays until a strategy sends a signal{f' for{of[3:]}' if of else ''}."
            )
        if kind == "fill":
            return f"Plays until an order{of} fills, wholly or in part."
        if kind == "state":
            return f"Plays until {self._symbol} {self.strategy} changes its state."
        if kind == "price":
            level = self.query_one("#level", NumberField).text
            return f"Plays until {self._symbol} crosses {level or '·'}."
        if kind == "time":
            field = self.query_one("#time", TextField)
            if not field.text or self._time_check(field.text):
                return "Plays until a time of the run's clock."
            ts = goals.moment_of(field.text, self.scene.ts)
            return f"Plays until {utc_clock(ts)} UTC."
        if kind == "text":
            wanted = self.query_one("#text", TextField).text
            return f"Plays until a line of the log contains “{wanted}”."
        return "Plays until a script, a task or a feed fails, or an order is refused."

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to let the clock go."""
        return (Verb("Go", self._go, id="go"),)

    def update_verbs(self) -> None:
        """Wait for what the kind needs."""
        ready = True
        for name in _SHOWN.get(self.kind, ()):
            field = self.query_one(f"#{name}")
            if isinstance(field, TextField):
                ready = ready and field.validate()
        self.query_one("#go", Verb).ready = ready

    def goal(self) -> Goal:
        """Return the goal chosen, counted from this moment."""
        engine, kind = self._engine, self.kind
        one = self.query_one("#scope", ChoiceLine).value == "one"
        instrument = self.instrument if one else None
        if kind == "signal":
            return goals.on_signal(engine, instrument)
        if kind == "fill":
            return goals.on_fill(engine, instrument)
        if kind == "state":
            return goals.on_state(engine, self.instrument, self.strategy or None)
        if kind == "price":
            level = self.query_one("#level", NumberField).number or Decimal(0)
            return goals.crosses(self._price_of, self.instrument, level)
        if kind == "time":
            text = self.query_one("#time", TextField).text
            return goals.on_time(goals.moment_of(text, self.scene.ts))
        if kind == "text":
            text = self.query_one("#text", TextField).text
            return goals.on_text(engine, text, self._scales)
        return goals.on_error(engine)

    def _go(self) -> None:
        self.dismiss(self.goal())
