"""The account here and at the venue, side by side; ``enter`` settles what differs.

It looks, and follows the frames. Asking the venue again is a command, and so is the
cancel of an order that was made there; all else has a dialog of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from workstation.engine.frames import Frame
from workstation.model.commands import Reconcile, Resolve
from workstation.model.owners import EXTERNAL
from workstation.model.reconciliation import (
    OrderLine,
    ReconciliationView,
    Resolution,
    Subject,
)
from workstation.ui.actions import Hint
from workstation.ui.screens.both_sides import (
    Instruments,
    Line,
    can_be_settled,
    export_rows,
    find_line,
    head_fields,
    key_of,
    line_words,
    verdict_info,
)
from workstation.ui.screens.ritual import Answer, Execute, Ritual, Timer, Verb
from workstation.ui.screens.side_rows import sections
from workstation.ui.widgets.line_table import LineTable
from workstation.ui.widgets.panel_frame import PanelRule
from workstation.ui.widgets.section_table import SectionTable
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["ReconciliationScreen"]

# Cursor and flag in front of a row, the scroll bar behind it.
_GUTTER = 3
_TITLE = "Reconciliation: here and at the venue"
_LOCKED = "This screen is locked: nothing is settled from it."


class ReconciliationScreen(Ritual[None]):
    """Orders, positions and balances of both sides.

    ``settle`` opens the dialog of a line by its key, at one of its choices or at the
    first; ``export`` writes rows to a file and returns what became of it. Without
    ``execute`` the screen only looks.
    """

    PANELS: ClassVar[frozenset[str]] = frozenset({"reconciliation"})
    VERTICAL_BREAKPOINTS = [(0, "-scant"), (20, "-short"), (30, "-tall")]
    DEFAULT_CSS = """
    ReconciliationScreen > #ritual { height: 1fr; max-width: 100%; }
    ReconciliationScreen #body { width: 100%; height: 1fr; }
    ReconciliationScreen #sides { height: 1fr; }
    ReconciliationScreen #sentence { min-height: 2; }
    ReconciliationScreen.-scant #sentence { margin: 0 2; }
    ReconciliationScreen.-scant .verbs { margin: 0 2; }
    ReconciliationScreen #notice { margin: 0 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "cancel", show=False, id="order.cancel"),
        Binding("e", "export", show=False, id="view.export"),
    ]

    def __init__(
        self,
        frame: Frame,
        execute: Execute | None,
        instruments: Instruments,
        settle: Callable[[str, Resolution | None], None],
        export: Callable[[Sequence[Sequence[str]]], str],
        *,
        at: str = "",
        timer: Timer | None = None,
    ) -> None:
        """Open with the cursor on the row of the key ``at``, if there is one."""
        super().__init__(frame, execute, timer=timer)
        self.instruments = dict(instruments)
        self._settle = settle
        self._export = export
        self._at = at

    # --- what it shows ----------------------------------------------------------------

    @property
    def view(self) -> ReconciliationView | None:
        """Both sides as the last frame had them."""
        return self.scene.reconciliation

    @property
    def line(self) -> Line | None:
        """The line below the cursor."""
        return find_line(self.view, self.query_one(SectionTable).cursor_key)

    def title_text(self) -> str:
        """Name the screen."""
        return _TITLE

    def live_fields(self) -> Sequence[Field]:
        """Say when the venue was asked, and what came of it."""
        view = self.view
        if view is None:
            return (field("the engine is starting", "warn"),)
        return head_fields(view, self.scene.ts)

    def compose_body(self) -> Iterable[Widget]:
        """Show the lines of both sides."""
        yield SectionTable(id="sides")

    def first_focus(self) -> None:
        """Start in the rows."""
        table = self.query_one(SectionTable)
        table.focus()
        self._fill()
        if self._at:
            table.cursor_key = self._at

    def has_key(self, id: str) -> bool:
        """Tell which keys of dialogs do something here."""
        if id == "dialog.go":
            return self._execute is not None
        return id in ("dialog.back", "dialog.next")

    def footer(self) -> Sequence[Hint]:
        """Return the keys shown at the bottom."""
        hints = tuple(
            Hint(glyph=hint.glyph, label="ask again", id=hint.id, rank=hint.rank)
            if hint.id == "dialog.go"
            else hint
            for hint in super().footer()
        )
        export = Hint(glyph="e", label="export", id="view.export", rank=4)
        line = self.line if self.shown else None
        if self._execute is None or line is None or not can_be_settled(line):
            return (*hints, export)
        settle = Hint(glyph="enter", label="settle", id="table.select", rank=1)
        if not isinstance(line, OrderLine):
            return (*hints, settle, export)
        cancel = Hint(glyph="c", label="cancel", id="order.cancel", rank=2)
        return (*hints, settle, cancel, export)

    def refresh_from(self, frame: Frame) -> None:
        """Take both sides of a new frame."""
        super().refresh_from(frame)
        if self.shown:
            self._fill()

    def _fill(self) -> None:
        view = self.view
        if view is None:
            return
        table = self.query_one(SectionTable)
        cells = table.size.width - _GUTTER
        table.set_sections(sections(view, self.instruments, self.scene.ts, cells))
        rule = self.query_one("#rule", PanelRule)
        rule.set_title(_TITLE, [verdict_info(view)])
        self.put("sentence", self.sentence())
        self.show_keys()

    def sentence(self) -> str:
        """Write out the row below the cursor, and what can be done about it."""
        view = self.view
        if view is None:
            return ""
        line = self.line
        said = line_words(line, view, self.instruments)
        if line is None or not can_be_settled(line) or self._execute is None:
            return said
        return f"{said} enter settles it."

    def on_resize(self) -> None:
        """Choose the columns anew."""
        if self.shown:
            self.call_after_refresh(self._fill)

    @on(LineTable.RowHighlighted)
    def _moved(self, event: LineTable.RowHighlighted) -> None:
        # A row that is chosen is one that was moved to: its answer stays.
        if not isinstance(event, LineTable.RowSelected):
            event.stop()
            self.notice = ""
            self.rewrite()
            self.show_keys()

    # --- what it does -----------------------------------------------------------------

    def make_verbs(self) -> Sequence[Verb]:
        """Offer to ask the venue again."""
        if self._execute is None:
            return ()
        return (Verb("Ask the venue again", self._ask, id="ask"),)

    def update_verbs(self) -> None:
        """Ask only a broker that can be asked."""
        view = self.view
        for verb in self.query("#ask").results(Verb):
            verb.ready = view is not None and view.answers

    def _ask(self) -> None:
        self._done(self.run(Reconcile()))

    def settled(self, answer: Answer | None) -> None:
        """Say what the dialog of a line has done."""
        self._done(answer)

    def _done(self, answer: Answer | None) -> None:
        if answer is not None:
            detail = answer.detail
            self.say(f"{detail[:1].upper()}{detail[1:]}.")

    @on(LineTable.RowSelected)
    def _selected(self, event: LineTable.RowSelected) -> None:
        event.stop()
        line = find_line(self.view, event.key)
        if line is None:
            return
        if self._execute is None:
            self.say(_LOCKED)
        elif can_be_settled(line):
            self._settle(event.key, None)
        else:
            self.say("There is nothing to settle about this row.")

    def action_cancel(self) -> None:
        """Cancel the order below the cursor; ask where it may protect something."""
        line = self.line
        if self._execute is None:
            self.say(_LOCKED)
        elif not isinstance(line, OrderLine):
            self.say("No order is below the cursor.")
        elif line.owner != EXTERNAL:
            whose = line.owner or "nobody"
            self.say(f"It is {whose}'s: c in the orders of layout 1 cancels it.")
        elif self._may_protect(line):
            self._settle(key_of(line), Resolution.CANCEL)
        elif self.armed:
            self._done(
                self.run(
                    Resolve(
                        kind=Subject.ORDER,
                        subject=line.order_id,
                        resolution=Resolution.CANCEL,
                        seen_seq=self.seen_seq,
                    )
                )
            )

    def _may_protect(self, line: OrderLine) -> bool:
        """Tell whether an order would reduce what the account holds."""
        view = self.view
        held = [
            each.quantity
            for each in (view.positions if view is not None else ())
            if each.instrument == line.instrument
        ]
        return sum(held, Decimal(0)) * line.side.sign < 0

    def action_export(self) -> None:
        """Write both sides to a file, and say where."""
        if self.view is not None:
            self.say(self._export(export_rows(self.view)))
