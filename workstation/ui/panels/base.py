"""What all panels share: a titled rule, a body, a place to fail in, a kept state.

Layout screens mount panels, the bridge hands them frames. A panel never touches the
engine: what the operator does in it leaves as messages.
"""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.message import Message
from textual.widget import Widget

from workstation.ui.actions import Scope
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.panel_frame import PanelFrame
from workstation.ui.widgets.text_panel import Line, TextPanel

if TYPE_CHECKING:
    from workstation.engine.frames import Focus, Frame
    from workstation.indicators import Request
    from workstation.model.timeframes import Timeframe
    from workstation.ui.log_parts import Scales

__all__ = ["Choice", "Panel", "PanelState", "TextBody"]


@dataclass(slots=True)
class PanelState:
    """What a panel keeps while another layout is shown; one per panel id."""

    cursor: str | None = None
    filter_text: str = ""
    find_text: str = ""
    top: int = 0
    sort: int = 0
    kinds: frozenset[str] | None = None
    following: bool = True
    pinned: Focus | None = None
    timeframe: Timeframe | None = None
    plots: tuple[Request, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a row stands for: a symbol's row, an order, a task, a strategy, a gap …

    ``param`` is a parameter of the row's script, ``script_line`` a line of its log,
    ``limit`` a limit that can be set.
    ``fill`` and ``trade`` are numbers of the ledger's, ``denial`` is one of the risk
    stage's. ``line`` is a line of the log: the input that led to it, and its text.
    """

    instrument: str = ""
    strategy: str = ""
    order_id: str = ""
    task: str = ""
    gap_ns: int | None = None
    figures: bool = False
    param: str = ""
    script_line: int | None = None
    limit: str = ""
    fill: int | None = None
    trade: int | None = None
    denial: int | None = None
    line: tuple[int, str] | None = None


class Panel(PanelFrame):
    """A panel; subclasses say what they need and paint it in ``apply``."""

    panel_id: ClassVar[str] = ""
    title: ClassVar[str] = ""
    needs: ClassVar[frozenset[str]] = frozenset()
    """The fields of a frame it reads."""
    scope: ClassVar[Scope] = Scope.GLOBAL
    """Whose keys are heard while it has the focus."""
    empty: ClassVar[tuple[str, ...]] = ()
    """What would fill it, and which key does it."""
    follows_focus: ClassVar[bool] = False
    """Whether it shows the focused symbol, so that ``w`` can pin it."""
    opens: ClassVar[bool] = False
    """Whether ``enter`` opens the detail of the row below the cursor."""

    DEFAULT_CSS = """
    Panel { width: 1fr; height: 1fr; }
    Panel .panel-fault { display: none; }
    Panel.-failed .panel-body { display: none; }
    Panel.-failed .panel-fault { display: block; }
    Panel.-hidden { display: none; }
    """

    class Moved(Message):
        """The operator's cursor is on another row."""

        def __init__(self, panel: Panel, choice: Choice) -> None:
            super().__init__()
            self.panel = panel
            self.choice = choice

    class Opened(Moved):
        """The operator pressed enter on a row, or clicked it twice."""

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(title=self.title, id=self.panel_id)
        self.scales = scales
        self.ssh = ssh
        self.fault = ""
        self.compact = False
        self.pinned: Focus | None = None
        self._frame: Frame | None = None
        self._fault_lines = TextPanel()
        self._fault_lines.can_focus = False
        self._fault_lines.add_class("panel-fault")

    # -- what subclasses do ---------------------------------------------------------

    # Abstract for mypy alone: Textual's metaclass leaves no room for ABCMeta.

    @abstractmethod
    def bodies(self) -> Iterable[Widget]:
        """Make the body; the first one takes the focus."""

    def apply(self, frame: Frame) -> None:
        """Show a frame. Whatever it raises is shown inside the panel."""

    @property
    @abstractmethod
    def body(self) -> Widget:
        """The widget that takes the focus."""

    # -- what the bridge and the app call ---------------------------------------------

    def body_widgets(self) -> Iterable[Widget]:
        """Return the body and the place for a failure."""
        yield from self.bodies()
        yield self._fault_lines

    def show(self, frame: Frame) -> None:
        """Apply a frame; a failure is shown in the panel and tried again next time."""
        self._frame = frame
        try:
            self.apply(frame)
        except Exception as error:  # the edge of the panel: it fails alone
            self._fail(error)
        else:
            if self.fault:
                self.fault = ""
                self.remove_class("-failed")

    def set_compact(self, compact: bool) -> None:
        """Say whether the screen is small (80×24) or has room."""
        self.compact = compact

    def again(self) -> None:
        """Apply the last frame again, after the operator changed something."""
        if self._frame is not None:
            self.show(self._frame)

    def _fail(self, error: Exception) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rsplit('/', 1)[-1]}:{last.lineno}"
        fault = f"{type(error).__name__}: {error} ({where})"
        if fault == self.fault:
            return
        self.fault = fault
        lines: list[Line] = [
            [("! This panel failed; the others and the engine go on.", "bad")],
            [(fault, "warn")],
            [("It tries again with every frame.", "dim")],
        ]
        self._fault_lines.set_lines(lines)
        self.set_title(self.title, [("failed", "bad")])
        self.add_class("-failed")

    def capture(self) -> PanelState:
        """Return what to keep of it while it is not shown."""
        return PanelState(pinned=self.pinned)

    def restore(self, state: PanelState) -> None:
        """Take up a kept state."""
        self.pinned = state.pinned

    def focus_of(self, focus: Focus | None) -> Focus | None:
        """Return what it shows while ``focus`` has the app's focus."""
        return self.pinned if self.pinned is not None else focus

    # -- what keys ask of it; None means "not here" ------------------------------------

    @property
    def frame(self) -> Frame | None:
        """The frame it shows."""
        return self._frame

    @property
    def choice(self) -> Choice | None:
        """What the cursor is on."""
        return None

    @property
    def idle_keys(self) -> frozenset[str]:
        """Actions outside text that do nothing here: the footer leaves them out."""
        idle = set()
        if self.filter_text is None:
            idle.add("find.filter")
        if not self.opens or self.choice in (None, Choice()):
            idle.add("table.select")
        if not self.follows_focus:
            idle.add("panel.pin")
        return frozenset(idle)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The marked rows, or the one below the cursor."""
        here = self.choice
        return () if here is None else (here,)

    @property
    def marked_count(self) -> int:
        """How many rows are marked."""
        return 0

    def clear_marks(self) -> None:
        """Unmark all rows."""

    @property
    def filter_text(self) -> str | None:
        """The filter, None where there is nothing to filter."""
        return None

    def set_filter(self, text: str) -> None:
        """Show only what has all these words."""

    def find(self, text: str, step: int) -> int | None:
        """Go to the next match of ``text``; return how many there are."""
        return None

    def cycle_sort(self) -> str | None:
        """Sort by the next column; return its name."""
        return None

    def follow(self) -> bool | None:
        """Follow the newest, or stop; return which."""
        return None

    def step_back(self) -> bool:
        """Put one thing of its own away, such as a crosshair; tell whether it did."""
        return False

    def copy_text(self) -> str:
        """Return the row below the cursor, plain."""
        return ""

    def export_rows(self) -> list[list[str]]:
        """Return head and rows, plain."""
        return []

    def jump_to(self, key: str) -> bool:
        """Put the cursor on the row of a symbol or task; tell whether it is here."""
        return False

    def pin_parts(self) -> list[Part]:
        """Return the mark of a pinned panel for its title."""
        return [("pinned ", "warn")] if self.pinned is not None else []


class TextBody(Panel):
    """A panel of lines."""

    def __init__(self, scales: Scales, *, ssh: bool = False) -> None:
        super().__init__(scales, ssh=ssh)
        self.text = TextPanel()

    def bodies(self) -> Iterable[Widget]:
        """Make the lines."""
        yield self.text

    @property
    def body(self) -> Widget:
        """The lines."""
        return self.text

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines, or what would fill the panel."""
        self.text.set_lines(
            lines or [self.empty[0], *[[(t, "dim")] for t in self.empty[1:]]]
        )

    def capture(self) -> PanelState:
        """Keep the place."""
        return PanelState(top=self.text.top, pinned=self.pinned)

    def restore(self, state: PanelState) -> None:
        """Go back to the place."""
        super().restore(state)
        self.text.top = state.top

    def copy_text(self) -> str:
        """Return all lines."""
        return self.text.plain()

    def export_rows(self) -> list[list[str]]:
        """Return one cell a line."""
        return [[line] for line in self.text.plain().splitlines()]
