"""The bridge: the only place that holds both the session and the screen.

A pump pulls one frame per tick for the panels that are seen and hands it to them; it
skips while the terminal does not keep up. Commands and words to the driver go the
other way. Engine events never become messages of the screen.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from workstation.model.records import NoteRecord
from workstation.ui.log_parts import Scales
from workstation.ui.panels.log import LogPanel
from workstation.ui.panels.symbols import SymbolsPanel
from workstation.ui.screens.ritual import Ritual
from workstation.ui.wording import log_line

if TYPE_CHECKING:
    from textual.app import App

    from workstation.engine.control import Outcome
    from workstation.engine.drivers import PlayDriver
    from workstation.engine.frames import Focus, Frame, Header
    from workstation.engine.order_preview import Preview, Touch
    from workstation.engine.recorder import RecorderAnswer
    from workstation.engine.reloading import ReloadAnswer, ReloadReport
    from workstation.engine.script_source import ScriptSource
    from workstation.kernel import Clock
    from workstation.model.commands import AmendOrder, Command, PlaceOrder
    from workstation.model.orders import OrderHistory
    from workstation.ui.panels.base import Panel
    from workstation.ui.screens.layout import LayoutScreen
    from workstation.ui.widgets.tail_log import LogLine

__all__ = [
    "MOST_QUEUED",
    "Bridge",
    "SessionLike",
    "Viewer",
    "never_wait_for_output",
    "output_backlog",
]

MOST_QUEUED = 2
"""Writes that may wait for the terminal; at 30 the queue blocks the whole loop."""

_KEPT_LINES = 2_000
_WORDED_PER_FRAME = 500
# At a hundred thousand times real time a frame has more records than anyone can read.
_OLD_NS = 1_000_000_000


class SessionLike(Protocol):
    """What the bridge needs of a session; tests give their own."""

    @property
    def driver(self) -> PlayDriver:
        """Return what moves the clock."""

    def take_up(self) -> None:
        """Take up the account of a venue, where the run has one."""

    async def drive(self) -> None:
        """Drive the run until its driver is told to stop."""

    def frame(
        self, cursor: int, panels: frozenset[str], focus: Focus | None = None
    ) -> Frame:
        """Return what has changed since ``cursor``."""

    def execute(self, command: Command) -> Outcome:
        """Take a command now."""

    def preview_order(self, command: PlaceOrder | AmendOrder) -> Preview:
        """Return what an order would do and cost; changes nothing."""

    def touch(self, instrument: str) -> Touch:
        """Return the best prices of an instrument now."""

    def order_history(self, order_id: str) -> OrderHistory | None:
        """Return an order's moves; None where it is not kept."""

    def script_source(self, strategy: str) -> ScriptSource | None:
        """Return the text of a strategy's script, read now."""

    def toggle_recording(self, name: str) -> RecorderAnswer:
        """Begin or end the recording of a feed."""

    @property
    def reloading(self) -> ReloadingLike:
        """Return what reloads scripts."""

    def close(self) -> None:
        """End the run."""


class ReloadingLike(Protocol):
    """What the screen needs of hot reload; tests give their own."""

    def tick(self) -> None:
        """Look at the files, and go on with what is being tried."""

    def reload(self, strategy: str) -> ReloadAnswer:
        """Try a strategy's file now."""

    def roll_back(self, strategy: str) -> ReloadAnswer:
        """Go back to the version before."""

    def versions(self, strategy: str) -> tuple[str, ...]:
        """Return the hashes of what can be run, newest last; none without a script."""

    def news(self) -> tuple[ReloadReport, ...]:
        """Return what has become of versions since this was last asked."""


class Viewer(Protocol):
    """What the bridge shows frames to: the app."""

    @property
    def focus_row(self) -> Focus | None:
        """Return the focused row."""

    @property
    def word(self) -> str | None:
        """Return the app's own engine word, None = the frame's."""

    def layout_screen(self) -> LayoutScreen | None:
        """Return the layout that is seen or lies below a dialog."""

    def open_ritual(self) -> Ritual[object] | None:
        """Return the dialog that is open."""

    def frame_shown(self, frame: Frame) -> None:
        """Show header, alerts, transport and footer."""

    def header_shown(self, header: Header, screen_old_s: int) -> None:
        """Show the header alone."""

    def pump_failed(self, error: Exception) -> None:
        """Say that no frame could be made."""

    def say(self, text: str, ink: str = "strong") -> None:
        """Say one thing in the footer for a while."""


def _output_queue(app: App[int]) -> Any:
    """Return the writes that wait for the terminal, or None.

    Any: it is private to Textual 8.2.8, which is pinned; nothing else looks at it.
    """
    writer = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    return getattr(writer, "_queue", None)


def never_wait_for_output(app: App[int]) -> None:
    """Let no write wait any more: the terminal is gone.

    The thread that writes ends with the first error; a full queue that nobody empties
    would hold the loop, and leaving, for ever.
    """
    queue = _output_queue(app)
    if queue is not None:
        with queue.mutex:
            # Not 0: a put that waits already compares with it.
            queue.maxsize = sys.maxsize
            queue.not_full.notify_all()


def output_backlog(app: App[int]) -> int:
    """Return how many writes wait for the terminal; 0 where that cannot be known."""
    queue = _output_queue(app)
    try:
        return 0 if queue is None else int(queue.qsize())
    except (AttributeError, NotImplementedError, TypeError):
        return 0


class Bridge:
    """Pulls frames into the visible panels and carries commands to the engine."""

    def __init__(
        self,
        viewer: Viewer,
        scales: Scales,
        wall: Clock,
        *,
        period_ns: int,
        backlog: Callable[[], int],
    ) -> None:
        self.session: SessionLike | None = None
        self.frame: Frame | None = None
        self.skipped = 0
        """Ticks left out because the terminal did not keep up."""
        self.loop_ns = 0
        """How late the last ticks came, the worst of about a second."""
        self.worst_loop_ns = 0
        """How late a tick has ever come; in the program's log at the end."""
        self.step: frozenset[int] = frozenset()
        """The inputs of the last step; their lines are marked."""
        self.lines: deque[LogLine] = deque(maxlen=_KEPT_LINES)
        self.worded = 0
        """How many lines there have been; a log remembers how far it has read."""
        self._viewer = viewer
        self._scales = scales
        self._wall = wall
        self._period_ns = period_ns
        self._backlog = backlog
        self._cursor = 0
        self._fed: dict[int, int] = {}
        self._shown_at = wall.now()
        self._old_s = 0
        self._ticked_at: int | None = None
        self._lags: deque[int] = deque(maxlen=max(1, 1_000_000_000 // period_ns))
        self._stepping = False

    # -- the pump --------------------------------------------------------------------

    def tick(self) -> None:
        """Pump once, unless the terminal is backed up."""
        now = self._wall.now()
        if self._ticked_at is not None:
            self._lags.append(max(0, now - self._ticked_at - self._period_ns))
            self.loop_ns = max(self._lags)
            self.worst_loop_ns = max(self.worst_loop_ns, self.loop_ns)
        self._ticked_at = now
        self._reload()
        if self._backlog() > MOST_QUEUED:
            self.skipped += 1
        elif self.session is not None:
            try:
                self.pump_once()
            except Exception as error:  # the pump's edge: the screen must live on
                logging.getLogger(__name__).exception("no frame")
                self._viewer.pump_failed(error)
        self._look_at_age(now)

    def _reload(self) -> None:
        """Let saved scripts take over, and say what has become of them."""
        if self.session is None:
            return
        reloading = self.session.reloading
        reloading.tick()
        for report in reloading.news():
            self._viewer.say(f"{report.text}.", "" if report.accepted else "warn")

    def pump_once(self) -> Frame | None:
        """Pull one frame and show it to whoever is seen."""
        session = self.session
        if session is None:
            return None
        ritual = self._viewer.open_ritual()
        layout = self._viewer.layout_screen() if ritual is None else None
        panels = () if layout is None else layout.visible_panels()
        frame = self._pull(panels, ritual)
        self._put_in_words(frame)
        if layout is not None:
            self._show(layout, panels, frame)
        if ritual is not None:
            ritual.refresh_from(frame)
        self._viewer.frame_shown(frame)
        self._shown_at = self._wall.now()
        self._old_s = 0
        return frame

    def look(self, panels: frozenset[str]) -> Frame | None:
        """Return a frame with these parts for a dialog that opens; shows nothing."""
        if self.session is None:
            return None
        return self._worded(
            self.session.frame(self._cursor, panels, self._viewer.focus_row)
        )

    def _worded(self, frame: Frame) -> Frame:
        word = self._viewer.word
        if word is None:
            return frame
        header = msgspec.structs.replace(frame.header, word=word)
        return msgspec.structs.replace(frame, header=header)

    def _pull(self, panels: tuple[Panel, ...], ritual: Ritual[object] | None) -> Frame:
        assert self.session is not None
        focus = self._viewer.focus_row
        needs: set[str] = set() if ritual is None else set(ritual.panels)
        for panel in panels:
            if panel.focus_of(focus) == focus or not panel.follows_focus:
                needs |= panel.needs
        frame = self.session.frame(self._cursor, frozenset(needs), focus)
        self._cursor = frame.cursor
        self.frame = self._worded(frame)
        return self.frame

    def _show(
        self, layout: LayoutScreen, panels: tuple[Panel, ...], frame: Frame
    ) -> None:
        focus = self._viewer.focus_row
        others: dict[Focus | None, list[Panel]] = {}
        for panel in panels:
            if isinstance(panel, SymbolsPanel):
                panel.stepping = self._stepping
            if isinstance(panel, LogPanel):
                self._feed(panel)
            own = panel.focus_of(focus)
            if panel.follows_focus and own != focus:
                others.setdefault(own, []).append(panel)
            else:
                panel.show(frame)
        for own, pinned in others.items():
            assert self.session is not None
            names = frozenset().union(*(panel.needs for panel in pinned))
            extra = self.session.frame(self._cursor, names, own)
            for panel in pinned:
                panel.show(extra)

    def _put_in_words(self, frame: Frame) -> None:
        records = frame.records[-_WORDED_PER_FRAME:]
        left_out = frame.missed + len(frame.records) - len(records)
        if left_out and records:
            note = NoteRecord(
                seq=records[0].record.seq,
                ts=records[0].record.ts,
                strategy="",
                instrument="",
                text=f"{left_out:,} earlier records are in the journal only",
            )
            self._add(log_line(note, self._scales))
        for numbered in records:
            record = numbered.record
            made = record.seq in frame.injected
            self._add(log_line(record, self._scales, injected=made))
        if self._stepping and frame.records:
            self.step |= {numbered.record.seq for numbered in frame.records}

    def _add(self, line: LogLine) -> None:
        self.lines.append(line)
        self.worded += 1

    def _feed(self, panel: LogPanel) -> None:
        missing = min(self.worded - self._fed.get(id(panel), 0), len(self.lines))
        self._fed[id(panel)] = self.worded
        fresh = [self.lines[place] for place in range(-missing, 0)]
        panel.extend(fresh, self.step)

    def _look_at_age(self, now: int) -> None:
        age = now - self._shown_at
        if self.frame is None or age < _OLD_NS:
            return
        old_s = age // 1_000_000_000
        if old_s != self._old_s and self._backlog() <= MOST_QUEUED:
            self._old_s = old_s
            self._viewer.header_shown(self.frame.header, old_s)

    # -- commands and words ----------------------------------------------------------

    def execute(self, command: Command) -> Outcome | None:
        """Take a command and show what it did at once; None without an engine."""
        if self.session is None:
            return None
        outcome = self.session.execute(command)
        self.pump_once()
        return outcome

    def versions(self, task: str) -> tuple[str, ...]:
        """Return the versions of a strategy's script; none where there is no script."""
        return () if self.session is None else self.session.reloading.versions(task)

    def begin_step(self) -> None:
        """Mark what the next records bring until the step after it."""
        self.pump_once()
        self._stepping = True
        self.step = frozenset()
        layout = self._viewer.layout_screen()
        for panel in () if layout is None else layout.panels.values():
            if isinstance(panel, SymbolsPanel):
                panel.clear_tints()

    def end_step(self) -> None:
        """Let marks fade again: the clock runs."""
        self._stepping = False
        self.step = frozenset()

    @property
    def stepping(self) -> bool:
        """Whether the last word to the driver was a step."""
        return self._stepping
