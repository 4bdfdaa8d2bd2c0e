"""Fields of dialogs: a line of choices, a text field, a number with its step.

Each is one line with its label in front, so that a form reads as a column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input, Static

from workstation.ui.typed_numbers import amount_of, wrong_amount
from workstation.ui.typeset import width
from workstation.ui.widgets.canvas import Canvas
from workstation.ui.widgets.inks import (
    TEXT_INKS,
    Part,
    component_css,
)

__all__ = [
    "LABEL",
    "ChoiceLine",
    "NumberEntry",
    "NumberField",
    "TextField",
]

LABEL = 14
"""Cells of a label, the same in every form."""


class ChoiceLine(Canvas, can_focus=True):
    """One of a few, chosen with left and right: ``state   [Watch]  CloseWatch``."""

    INKS = TEXT_INKS
    DEFAULT_CSS = f"""
    ChoiceLine {{ width: 1fr; height: 1; }}
    {component_css("ChoiceLine", TEXT_INKS)}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "choose(-1)", show=False),
        Binding("right", "choose(1)", show=False),
        Binding("home", "edge(0)", show=False),
        Binding("end", "edge(-1)", show=False),
        Binding("enter", "app.focus_next", show=False),
    ]

    class Changed(Message):
        """Another option was chosen."""

        def __init__(self, line: ChoiceLine) -> None:
            super().__init__()
            self.line = line

        @property
        def control(self) -> ChoiceLine:
            """The line it happened in."""
            return self.line

    def __init__(
        self,
        label: str,
        options: Sequence[tuple[str, str]],
        *,
        chosen: str | None = None,
        note: str = "",
        id: str | None = None,
    ) -> None:
        """Make a line of (value, text) pairs; ``note`` stands behind them."""
        super().__init__(id=id)
        self._label = label
        self._options: tuple[tuple[str, str], ...] = ()
        self._note = ""
        self._at = 0
        self.set_options(options, chosen=chosen, note=note)

    @property
    def value(self) -> str:
        """The chosen option's value; "" when there are no options."""
        return self._options[self._at][0] if self._options else ""

    @value.setter
    def value(self, value: str) -> None:
        for at, (name, _) in enumerate(self._options):
            if name == value and at != self._at:
                self._at = at
                self.redraw()
                self.post_message(self.Changed(self))

    @property
    def options(self) -> tuple[str, ...]:
        """The values that can be chosen."""
        return tuple(name for name, _ in self._options)

    def set_options(
        self,
        options: Sequence[tuple[str, str]],
        *,
        chosen: str | None = None,
        note: str = "",
    ) -> None:
        """Change the options; the choice stays if it is still one of them."""
        kept = chosen if chosen is not None else self.value
        self._options = tuple(options)
        self._note = note
        names = [name for name, _ in self._options]
        self._at = names.index(kept) if kept in names else 0
        self.can_focus = len(names) > 1
        self.redraw()

    def draw(self, cells: int, rows: int) -> Sequence[Strip]:
        """Draw the label and the options, or a window of those that fit."""
        focus = self.has_focus
        pointer = self.glyphs.cursor if focus else " "
        parts: list[Part] = [(f"{pointer} ", "focus")]
        parts.append((self._label.ljust(LABEL - 2), "focus" if focus else "dim"))
        room = cells - LABEL
        if not self._options:
            parts.append((self._note, "dim"))
            return [self.strip(parts, cells)]
        first, last = self._window(room)
        if first > 0:
            parts.append(("… ", "dim"))
        for at in range(first, last):
            text = self._options[at][1]
            if at == self._at:
                parts.append((f"[{text}]", "reverse" if focus else "strong"))
            else:
                parts.append((f" {text} ", "dim"))
        if last < len(self._options):
            parts.append((" …", "dim"))
        if self._note:
            parts.append((f"  {self._note}", "dim"))
        return [self.strip(parts, cells)]

    def _window(self, room: int) -> tuple[int, int]:
        sizes = [width(text) + 2 for _, text in self._options]
        if sum(sizes) <= room:
            return 0, len(sizes)
        room -= 4
        first = last = self._at
        used = 0
        while last < len(sizes) and used + sizes[last] <= room:
            used += sizes[last]
            last += 1
        while first > 0 and used + sizes[first - 1] <= room:
            first -= 1
            used += sizes[first]
        return first, max(last, self._at + 1)

    def action_choose(self, step: int) -> None:
        """Choose the next or previous option."""
        self._go(self._at + step)

    def action_edge(self, at: int) -> None:
        """Choose the first or last option."""
        self._go(at if at >= 0 else len(self._options) - 1)

    def _go(self, at: int) -> None:
        at = max(0, min(at, len(self._options) - 1))
        if at != self._at:
            self._at = at
            self.redraw()
            self.post_message(self.Changed(self))

    def on_focus(self) -> None:
        """Show the pointer."""
        self.redraw()

    def on_blur(self) -> None:
        """Hide the pointer."""
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Choose the option below the mouse."""
        x = event.x - LABEL
        first, last = self._window(self.size.width - LABEL)
        x -= 2 if first else 0
        for at in range(first, last):
            size = width(self._options[at][1]) + 2
            if 0 <= x < size:
                self._go(at)
                return
            x -= size


class _Entry(Input):
    """A text field without frame; ``enter`` goes to the next field."""

    def __init__(self, value: str, placeholder: str, id: str | None) -> None:
        super().__init__(value, placeholder, compact=True, id=id)
        self.cursor_blink = False

    class Refused(Message):
        """What was pasted is not one line, and nothing of it was taken."""

        def __init__(self, lines: int) -> None:
            super().__init__()
            self.lines = lines

    async def action_submit(self) -> None:
        """Let the dialog say where to go, instead of submitting."""
        go_on = getattr(self.screen, "after_entry", self.screen.focus_next)
        go_on()

    def _on_paste(self, event: events.Paste) -> None:
        """Take one line; of several Input would take the first and say nothing."""
        event.text = event.text.strip()
        lines = len(event.text.splitlines())
        if lines > 1:
            event.prevent_default()
            event.stop()
            self.post_message(self.Refused(lines))


class TextField(Horizontal):
    """A label, a text field, and a remark (a unit, or what is wrong)."""

    DEFAULT_CSS = f"""
    TextField {{ height: 1; width: 1fr; }}
    TextField > .label {{ width: {LABEL}; color: $muted; padding: 0 0 0 2; }}
    TextField:focus-within > .label {{ color: $focus-line; text-style: bold; }}
    TextField > Input {{ width: 1fr; background: $panel; color: $text-strong; }}
    TextField > Input:focus {{ background: $cursor-bg; background-tint: transparent; }}
    TextField > .remark {{ width: auto; max-width: 40; color: $muted; padding: 0 1; }}
    TextField > .remark.wrong {{ color: $severity-warn; }}
    TextField.short > Input {{ width: 22; }}
    TextField.short > .remark {{ width: 1fr; max-width: 100%; }}
    """

    def __init__(
        self,
        label: str,
        *,
        value: str = "",
        placeholder: str = "",
        remark: str = "",
        check: Callable[[str], str] | None = None,
        short: bool = False,
        id: str | None = None,
    ) -> None:
        """Make a field; ``check`` says what is wrong with a text ("" = nothing)."""
        super().__init__(classes="short" if short else None, id=id)
        self.label = label
        self.entry = self.make_entry(value, placeholder, f"{id}-entry" if id else None)
        self._check = check
        self.unit = remark
        """What stands behind the field while nothing is wrong."""
        self._found = ""
        self._pasted = ""
        self._remark = Static(remark, classes="remark", markup=False)
        self.wrong = ""

    def make_entry(self, value: str, placeholder: str, id: str | None) -> _Entry:
        """Return the text field."""
        return _Entry(value, placeholder, id)

    def compose(self) -> ComposeResult:
        """Lay label, field and remark side by side."""
        yield Static(self.label, classes="label", markup=False)
        yield self.entry
        yield self._remark

    def on_mount(self) -> None:
        """Check the first text."""
        self.validate()

    def on_input_changed(self) -> None:
        """Check as it is typed."""
        self._pasted = ""
        self.validate()

    @on(_Entry.Refused)
    def _paste_refused(self, event: _Entry.Refused) -> None:
        event.stop()
        self._pasted = f"{event.lines} lines were pasted: one belongs here"
        self.validate()

    def validate(self) -> bool:
        """Check the text and show what is wrong with it."""
        self.wrong = self._check(self.text) if self._check is not None else ""
        self.wrong = self.wrong or self._found
        said = self._pasted or self.wrong
        self._remark.update(said or self.unit)
        self._remark.set_class(bool(said), "wrong")
        return not self.wrong

    @property
    def text(self) -> str:
        """What was typed, without blanks around it."""
        return self.entry.value.strip()

    def set_remark(self, remark: str, *, wrong: str = "") -> None:
        """Change what stands behind the field while nothing is wrong.

        ``wrong`` is what a form finds that no field can know of itself.
        """
        if (remark, wrong) == (self.unit, self._found):
            return
        self.unit, self._found = remark, wrong
        if self.is_mounted:
            self.validate()


class NumberEntry(_Entry):
    """A number; up and down move it by one step."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "bump(1)", show=False, id="dialog.up"),
        Binding("down", "bump(-1)", show=False, id="dialog.down"),
    ]
    step = Decimal(1)
    least: Decimal | None = None

    def action_bump(self, steps: int) -> None:
        """Add ``steps`` steps, on the grid and not below the least."""
        value = amount_of(self.value)
        if value is None and self.value.strip():
            # What cannot be read is mended by hand, not replaced.
            return
        value = value or Decimal(0)
        value = (value / self.step).to_integral_value() * self.step
        value += steps * self.step
        if self.least is not None:
            value = max(value, self.least)
        self.value = format(value.quantize(self.step), "f")
        self.cursor_position = len(self.value)


class NumberField(TextField):
    """A number with its unit; up and down are one tick or lot."""

    def __init__(
        self,
        label: str,
        *,
        step: Decimal,
        value: str = "",
        remark: str = "",
        least: Decimal | None = None,
        optional: bool = False,
        id: str | None = None,
    ) -> None:
        """Make a field of a number on the grid ``step``, not below ``least``."""
        self._optional = optional
        self._least = least
        super().__init__(
            label, value=value, remark=remark, check=self._number, short=True, id=id
        )
        self.set_step(step)
        self.entry.least = least  # type: ignore[attr-defined]

    def make_entry(self, value: str, placeholder: str, id: str | None) -> _Entry:
        """Return the number's field."""
        return NumberEntry(value, placeholder, id)

    def set_step(self, step: Decimal) -> None:
        """Change what up and down add."""
        self.entry.step = step  # type: ignore[attr-defined]

    @property
    def number(self) -> Decimal | None:
        """The number typed; None when it is none."""
        return amount_of(self.text)

    def _number(self, text: str) -> str:
        if not text:
            return "" if self._optional else "a number is missing"
        value = amount_of(text)
        if value is None:
            return wrong_amount(text)
        if self._least is not None and value < self._least:
            return f"must be {self._least} or more"
        return ""
