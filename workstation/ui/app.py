"""The workstation's app: layouts over one session, keys from the action table.

``run_app`` is what the command line calls. The engine is imported after the first
paint and driven in a task of our own; its end, a signal and the quit key all leave by
the same road. Knows the engine only through the bridge.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from workstation.engine.frames import Frame
from workstation.kernel.clock import Clock
from workstation.kernel.tasks import TaskRegistry
from workstation.ui.actions import (
    ACTIONS,
    PANEL_SCOPES,
    Action,
    Scope,
    action,
    find_key,
    visible,
)
from workstation.ui.bridge import SessionLike, never_wait_for_output
from workstation.ui.face import Bookmark, Face
from workstation.ui.facts import not_here, why_not
from workstation.ui.keymap import KeymapError, read_keymap
from workstation.ui.palette import Entry, Palette
from workstation.ui.panels.base import Panel
from workstation.ui.panels.lines import FilterBar
from workstation.ui.screens.layouts import LAYOUTS
from workstation.ui.screens.ritual import Answer
from workstation.ui.signals import (
    Signals,
    SplitEscapes,
    is_hung_up,
    wait_for_escapes,
)
from workstation.ui.verbs import VERBS
from workstation.ui.verbs.account import reconciliation
from workstation.ui.verbs.detail import detail_screen
from workstation.ui.verbs.leaving import begin_quit, leave_by
from workstation.ui.verbs.looking import EXPORT_FOLDER, jump_to
from workstation.ui.widgets.book_ladder import BookLadder
from workstation.ui.winding_down import ask, log_what_is_left, see_answered

if TYPE_CHECKING:
    from workstation.model.commands import Command
    from workstation.ui.settings import ScreenConfig

__all__ = ["Bookmark", "WorkstationApp", "run_app"]

_TERMINAL_S = 0.5
"""How soon it is noticed that the terminal has gone, where no signal says so."""
_ALWAYS = frozenset({"app.kill", "app.quit", "app.interrupt", "app.redraw"})


class WorkstationApp(Face):
    """The screen of one session."""

    TITLE = "workstation"
    ENABLE_COMMAND_PALETTE = True
    ESCAPE_TO_MINIMIZE = False
    ALLOW_SELECT = False
    COMMANDS = {Palette}
    MODES = dict(LAYOUTS)
    DEFAULT_MODE = "1"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, entry.call, show=False, priority=True)
        for entry in ACTIONS
        if entry.scope is Scope.GLOBAL_PRIORITY
        for key in entry.keys
    ]

    def __init__(
        self,
        config: ScreenConfig,
        *,
        read_only: bool = False,
        save_setting: Callable[[str, object], None] = lambda key, value: None,
        session: SessionLike | None = None,
        themes: tuple[Path, ...] | None = None,
        environ: Mapping[str, str] | None = None,
        wall: Clock | None = None,
        owns_process: bool = False,
    ) -> None:
        super().__init__(
            config,
            read_only=read_only,
            save_setting=save_setting,
            themes=themes,
            environ=environ,
            wall=wall,
        )
        self.kill_at_start = False
        self.owns_process = owns_process
        """Whether nothing else lives in the process, whose garbage is then ours."""
        self.export_folder = EXPORT_FOLDER
        self._given = session
        self.winding_down = False
        self._hung_up = self._signal_is_late = False
        """Whether a signal has begun to end the run."""
        self.goes_on: asyncio.Task[Any] | None = None
        """What drives the run on once the screen is gone; None: it ends too."""
        self._leaving = False
        self._sides_opened = False
        self._driving: asyncio.Task[Any] | None = None
        self._stepping: asyncio.Task[Any] | None = None
        self._tasks = TaskRegistry()
        self._tasks.on_crash = self._driver_failed
        self._split = SplitEscapes()
        self._signals = Signals(self._on_term, self._on_hangup)
        self._read_keys()

    # -- start and end -----------------------------------------------------------------

    def _read_keys(self) -> None:
        try:
            self.keymap = read_keymap(config := self.config.ui.keymap)
        except KeymapError as error:
            self.alerts.warn("keymap", "; ".join(error.problems), "Mend [ui.keymap].")
        else:
            for id in config:
                self._rebind(action(id))
        plain: dict[str, None] = {}
        for entry in ACTIONS:
            if entry.scope not in (Scope.GLOBAL_PRIORITY, Scope.DIALOG):
                plain.update(dict.fromkeys(self.keymap[entry.id]))
        for key in plain:
            self.bind(key, f"press('{key}')", show=False)

    def _rebind(self, entry: Action) -> None:
        if entry.scope is not Scope.GLOBAL_PRIORITY:
            return
        bindings = self._bindings.key_to_bindings
        for key in entry.keys:
            bindings[key] = [b for b in bindings.get(key, []) if b.action != entry.call]
        for key in self.keymap[entry.id]:
            made = Binding(key, entry.call, show=False, priority=True)
            bindings.setdefault(key, []).append(made)

    async def on_mount(self) -> None:
        """Paint first; the engine comes after that."""
        layout = str(self.config.ui.layout)
        if layout in LAYOUTS and layout != self.current_mode:
            self.switch_mode(layout)
        self._signals.install()
        self.call_after_refresh(self._start_engine)

    def _start_engine(self) -> None:
        if self._leaving:
            return
        try:
            session = self._given or _assemble(self.config)
        except Exception as error:  # the edge: the screen must be able to say it
            logging.getLogger(__name__).exception("the engine could not be assembled")
            self.stuck = True
            self.alerts.warn("engine", str(error), "ctrl+q quits.", "bad")
            self.show_alerts()
            return
        self.bridge.session = session
        if self.kill_at_start:
            VERBS["app.kill"](self)
        # Before the first frame: it is to say that the venue is being asked.
        session.take_up()
        self._driving = self._tasks.spawn(session.drive(), name="driver")
        self.set_interval(1 / self.config.run.engine.frame_hz, self.bridge.tick)
        self.bridge_now()
        if self.owns_process:
            if sys.__stdin__ is not None and sys.__stdin__.isatty():
                self.set_interval(_TERMINAL_S, self._look_at_terminal)
            # What start-up made never becomes garbage; collecting it took 50 ms a time.
            gc.collect()
            gc.freeze()

    def _driver_failed(self, name: str, error: BaseException) -> None:
        logging.getLogger(__name__).error("the driver failed", exc_info=error)
        if self.goes_on is not None:
            # There is no screen to say it on; who awaits the driver is told.
            return
        self.stuck = True
        self.alerts.warn(
            "driver",
            f"the engine stopped: {type(error).__name__}: {error}",
            "Nothing moves any more. Look, export, then ctrl+q.",
            "bad",
        )
        self.bridge_now()

    def _on_term(self) -> None:
        leave_by(self, self.config.run.engine.on_exit)

    def _look_at_terminal(self) -> None:
        stdin = sys.__stdin__
        if not self._hung_up and stdin is not None and is_hung_up(stdin.fileno()):
            self._hung_up = self._signal_is_late = True
            self._hang_up()

    def _on_hangup(self) -> None:
        late, self._signal_is_late = self._signal_is_late, False
        if not late:
            # Else it tells what has been seen: no second one, which would not wait.
            self._hung_up = True
            self._hang_up()

    def _hang_up(self) -> None:
        never_wait_for_output(self)
        policy, driver = self.config.run.engine.on_hangup, self.driver
        playing = driver is not None and driver.state.value == "playing"
        if policy == "keep" and playing and not self.winding_down:
            # A clock that stands would stand for ever: such a run ends.
            self.goes_on = self._driving
        leave_by(self, policy)

    def step_in_slices(self, work: Coroutine[Any, Any, None]) -> None:
        """Let one stretch of steps go on beside the screen; the one before ends."""
        self.stop_stepping()
        self._stepping = self._tasks.spawn(work, name="stepping")

    def stop_stepping(self) -> None:
        """End the stretch of steps that goes on, between two steps."""
        if self._stepping is not None:
            self._stepping.cancel()
            self._stepping = None

    @property
    def is_stepping(self) -> bool:
        """Whether a stretch of steps goes on."""
        return self._stepping is not None and not self._stepping.done()

    def leave(self, code: int) -> None:
        """End the app by the one road: driver, journal, terminal."""
        if not self._leaving:
            self._leaving = True
            self.exit(code)

    def _handle_exception(self, error: Exception) -> None:
        """Write what broke the screen into the program's log; it ends the app."""
        log = logging.getLogger(__name__)
        log.critical("the screen failed", exc_info=error)
        super()._handle_exception(error)

    async def _wind_down_failed(self, session: SessionLike) -> None:
        """Do what ``[engine] on_exit`` says once a failure of the screen ends it all.

        Nobody is there to answer a ritual, and what is held here ends with the process.
        """
        policy = self.config.run.engine.on_exit
        if policy != "keep" and not self.winding_down:
            ask(session, policy)
            await see_answered(session, policy, self.wall)
        else:
            log_what_is_left(session)

    async def on_unmount(self) -> None:
        """Stop the driver, wait for it, close the run."""
        self._signals.remove()
        if self.owns_process:
            gc.unfreeze()
        session = self.bridge.session
        if session is None:
            return
        logging.getLogger(__name__).info(
            "loop lag worst %d ms, %d frames left out",
            self.bridge.worst_loop_ns // 1_000_000,
            self.bridge.skipped,
        )
        self.stop_stepping()
        if self.goes_on is not None:
            return
        if self._exception is not None:
            await self._wind_down_failed(session)
        session.driver.stop()
        if self._driving is not None:
            await asyncio.wait({self._driving})
        session.close()

    async def action_quit(self) -> None:
        """Take the ritual on every road out."""
        begin_quit(self)

    def action_help_quit(self) -> None:
        """Say that ctrl+c does not quit."""
        self.act("app.interrupt")

    # -- keys --------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Drop the rest of an escape sequence that was cut in two."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            if self._split.swallow(event.key, self._wall.now()):
                return
            self.hush()
        await super().on_event(event)

    def action_press(self, key: str) -> None:
        """Do what a key means for the focused panel."""
        if self.open_ritual() is not None:
            return
        panel = self.panel
        own = Scope.GLOBAL if panel is None else panel.scope
        found = find_key(key, (own, Scope.CLOCK, Scope.GLOBAL), self.keymap)
        if found:
            self.act(found[0].id)
            return
        elsewhere = find_key(key, PANEL_SCOPES, self.keymap)
        if elsewhere:
            self.say(not_here(elsewhere[0], key))

    def action_act(self, id: str) -> None:
        """Do an action by its id; what keys, clicks and the palette run."""
        self.act(id)

    def act(self, id: str) -> None:
        """Do an action, or say why it cannot be done."""
        entry = action(id)
        if self.open_ritual() is not None and id not in _ALWAYS:
            return
        missing = entry.needs - self.facts()
        if missing:
            self.say(why_not(entry, missing, read_only=self.read_only))
            return
        verb = VERBS.get(id)
        if verb is not None:
            verb(self)
            self.panel_changed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse the palette and the layouts while a ritual is open."""
        if action == "command_palette" and self.open_ritual() is not None:
            return False
        return super().check_action(action, parameters)

    def frame_shown(self, frame: Frame) -> None:
        """Show a frame; the first that waits for the venue opens both sides."""
        super().frame_shown(frame)
        waits = frame.header.word == "RECONCILING"
        if waits and not self._sides_opened and self.open_ritual() is None:
            self._sides_opened = True
            reconciliation(self)

    # -- what the verbs use ----------------------------------------------------------

    def run_command(self, command: Command) -> Any:
        """Execute a command for a dialog, which shows a refusal itself."""
        # Any: the dialogs' protocol names the three fields of an Outcome.
        assert self.bridge.session is not None
        outcome = self.bridge.session.execute(command)
        self.bridge_now()
        return outcome

    def answered(self, answer: Answer | None) -> None:
        """Say what a dialog has done."""
        if answer is not None:
            detail = getattr(answer, "detail", "")
            self.say(f"Done{f': {detail}' if detail else ''}.")
        self.bridge_now()

    def add_bookmark(self, frame: Frame) -> None:
        """Bookmark the moment of a frame."""
        header = frame.header
        self.bookmarks.append(Bookmark(header.events, frame.seq, header.progress))
        self.bridge_now()

    def show_log_at(self, seq: int) -> None:
        """Hold the layout's log at the first line from ``seq`` on."""
        layout = self.layout_screen()
        for panel in () if layout is None else layout.panels.values():
            tail = getattr(panel, "tail", None)
            if tail is not None:
                tail.held_seq = seq

    def show_layout(self, digit: str) -> None:
        """Switch to a layout."""
        if digit == self.current_mode:
            self.say(f"This is layout {digit}, {LAYOUTS[digit].layout_title}.")
            return
        layout = self.layout_screen()
        if layout is not None:
            layout.keep()
        self.switch_mode(digit)
        self.remember("ui.layout", int(digit))

    def palette_entries(self) -> Iterable[Entry]:
        """Return what can be done now, for the palette."""
        facts = self.facts()
        panel = self.panel
        own = Scope.GLOBAL if panel is None else panel.scope
        heard = (own, Scope.GLOBAL, Scope.GLOBAL_PRIORITY, Scope.CLOCK)
        for entry in ACTIONS:
            if entry.scope in heard and entry.id in VERBS and visible(entry, facts):
                title = f"{entry.title[:1].upper()}{entry.title[1:]}"
                yield title, entry.glyph, partial(self.act, entry.id)
        for name in sorted(self.available_themes):
            yield f"Theme {name}", "colours", partial(self.use_theme, name)
        for choice in self.focus.names:
            yield (
                f"Go to {choice.instrument} {choice.strategy}".strip(),
                "symbol",
                partial(jump_to, self, choice.instrument),
            )

    def on_panel_moved(self, event: Panel.Moved) -> None:
        """Let the cursor's row set the focus of the unpinned panels."""
        self.focus.on(event.choice)
        self.bridge_now()

    def on_panel_opened(self, event: Panel.Opened) -> None:
        """Show the detail of a row."""
        self.focus.on(event.choice)
        screen = detail_screen(self, event.choice)
        if screen is not None:
            self.push_screen(screen, self.answered)
        elif not (event.choice.param or event.choice.limit):
            self.say(f"{event.panel.title} has no detail for this row.")

    def on_book_ladder_price_selected(self, event: BookLadder.PriceSelected) -> None:
        """Put the price of a level into the order ticket."""
        self.act("book.ticket")

    def on_filter_bar_left(self, event: FilterBar.Left) -> None:
        """Close the filter and give the focus back."""
        layout = self.layout_screen()
        if layout is None:
            return
        layout.remove_class("-filtering")
        layout.filter_bar.remove_class("-open")
        if not event.kept and layout.panel is not None:
            layout.panel.set_filter("")
        layout.focus_panel(layout.current)

    def on_input_changed(self, event: FilterBar.Changed) -> None:
        """Filter while it is typed."""
        layout = self.layout_screen()
        if layout is None or event.input is not layout.filter_bar:
            return
        if layout.filter_bar.has_class("-open") and layout.panel is not None:
            layout.panel.set_filter(event.value)
            if event.value.strip():
                self.search = event.value.strip()
            self.bridge_now()

    def on_input_submitted(self, event: FilterBar.Submitted) -> None:
        """Keep the filter."""
        layout = self.layout_screen()
        if layout is not None and event.input is layout.filter_bar:
            layout.filter_bar.action_keep()


def _assemble(config: ScreenConfig) -> SessionLike:
    # Late: numpy and the engine load after the first paint.
    from workstation.engine.assembly import assemble_session

    return assemble_session(config.run, tolerant=True)


def run_app(
    config: ScreenConfig,
    *,
    read_only: bool,
    save_setting: Callable[[str, object], None],
    session: SessionLike | None = None,
) -> int:
    """Run the screen until the operator or a signal ends it; return the exit code."""
    wait_for_escapes(os.environ)
    app = WorkstationApp(
        config,
        read_only=read_only,
        save_setting=save_setting,
        session=session,
        owns_process=True,
    )
    return asyncio.run(_run(app, mouse=config.ui.mouse))


async def _run(app: WorkstationApp, *, mouse: bool) -> int:
    code = await app.run_async(mouse=mouse)
    session = app.bridge.session
    if app.goes_on is not None and session is not None:
        # Late: hardly any run needs it.
        from workstation.ui.unattended import go_on

        await go_on(session, app.goes_on, app.config.run.engine.on_exit, app.wall)
    return app.return_code or (code or 0)
