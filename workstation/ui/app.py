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
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen

from workstation.engine.frames import Focus, Frame, Header
from workstation.kernel.clock import Clock, RealClock
from workstation.kernel.tasks import TaskRegistry
from workstation.paths import shipped_folder, user_folder
from workstation.ui.actions import (
    ACTIONS,
    PANEL_SCOPES,
    Action,
    Fact,
    Scope,
    action,
    find_key,
    footer_for,
    visible,
)
from workstation.ui.alerting import AlertDesk
from workstation.ui.bridge import Bridge, SessionLike, output_backlog
from workstation.ui.facts import row_facts, why_not
from workstation.ui.glyphs import choose
from workstation.ui.key_names import key_glyph
from workstation.ui.keymap import KeymapError, read_keymap
from workstation.ui.palette import Entry, Palette
from workstation.ui.panels.base import Choice, Panel, PanelState
from workstation.ui.panels.chart import ChartPanel
from workstation.ui.panels.lines import (
    FilterBar,
    clock_keys,
    show_alert,
    show_header,
    show_transport,
)
from workstation.ui.panels.symbols import SymbolsPanel
from workstation.ui.rowfocus import RowFocus
from workstation.ui.screens.layouts import LAYOUTS, LayoutScreen
from workstation.ui.screens.ritual import Answer, Ritual
from workstation.ui.signals import Signals, SplitEscapes, is_remote, wait_for_escapes
from workstation.ui.theming import DEFAULT_THEME, default_variables, load_themes
from workstation.ui.verbs import VERBS
from workstation.ui.verbs.detail import detail_screen
from workstation.ui.verbs.leaving import apply_policy, begin_quit
from workstation.ui.verbs.looking import EXPORT_FOLDER, jump_to
from workstation.ui.widgets.status_lines import FooterKey
from workstation.ui.wording import Scales

if TYPE_CHECKING:
    from workstation.config import Config
    from workstation.engine.drivers import PlayDriver
    from workstation.model.commands import Command

__all__ = ["Bookmark", "WorkstationApp", "run_app"]

_SAY_S = 5.0
# Long enough to read one line twice.
_ALWAYS = frozenset({"app.kill", "app.quit", "app.interrupt", "app.redraw"})


class Bookmark(msgspec.Struct, frozen=True):
    """A moment of the run the operator marked."""

    events: int
    seq: int
    share: float | None


class WorkstationApp(App[int]):
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
        config: Config,
        *,
        read_only: bool = False,
        save_setting: Callable[[str, object], None] = lambda key, value: None,
        session: SessionLike | None = None,
        themes: tuple[Path, ...] | None = None,
        environ: Mapping[str, str] | None = None,
        wall: Clock | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self.config = config
        self.glyphs = choose(config.ui.glyphs, sys.stdout.encoding, environ.get("TERM"))
        super().__init__()
        self.read_only = read_only
        self.locked = read_only
        self.ssh = is_remote(environ)
        self.keymap: dict[str, tuple[str, ...]] = {}
        self.scales: Scales = {each.id: each for each in config.run.instruments}
        self.focus = RowFocus(config.run)
        self.alerts = AlertDesk()
        self.symbol_rows = max(1, len(self.focus.names))
        self.search = ""
        self.bookmarks: list[Bookmark] = []
        self.kill_at_start = False
        self.export_folder = EXPORT_FOLDER
        self._save_setting = save_setting
        self._given = session
        self._theme_folders = themes
        self._states: dict[str, PanelState] = {}
        self._said = 0
        self._stuck = False
        self._leaving = False
        self._driving: asyncio.Task[Any] | None = None
        self._tasks = TaskRegistry()
        self._tasks.on_crash = self._driver_failed
        self._wall = RealClock() if wall is None else wall
        self._split = SplitEscapes()
        self._signals = Signals(self._on_term, self._on_hangup)
        self.bridge = Bridge(
            self,
            self.scales,
            self._wall,
            period_ns=int(1e9 / config.run.engine.frame_hz),
            backlog=partial(output_backlog, self),
        )
        self._read_keys()
        self._read_themes()

    # -- start and end -----------------------------------------------------------------

    def _read_keys(self) -> None:
        try:
            self.keymap = read_keymap(config := self.config.ui.keymap)
        except KeymapError as error:
            self.keymap = {entry.id: entry.keys for entry in ACTIONS}
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

    def _read_themes(self) -> None:
        folders = self._theme_folders
        if folders is None:
            folders = (shipped_folder("themes"), user_folder("themes"))
        themes, problems = load_themes(folders)
        for theme in themes:
            self.register_theme(theme)
        wanted = self.config.ui.theme
        if wanted in self.available_themes:
            self.theme = wanted
        else:
            problems.append(f"theme {wanted}: no such theme; see ctrl+p theme")
            if DEFAULT_THEME in self.available_themes:
                self.theme = DEFAULT_THEME
        if problems:
            self.alerts.warn("themes", "; ".join(problems), "The others work.")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give our own variables a value in every theme of Textual."""
        return default_variables(self.current_theme)

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
            self._stuck = True
            self.alerts.warn("engine", str(error), "ctrl+q quits.", "bad")
            self._show_alerts()
            return
        self.bridge.session = session
        if self.kill_at_start:
            VERBS["app.kill"](self)
        self._driving = self._tasks.spawn(session.driver.run(), name="driver")
        self.set_interval(1 / self.config.run.engine.frame_hz, self.bridge.tick)
        self.bridge_now()
        # What start-up made never becomes garbage; collecting it took 50 ms a time.
        gc.collect()
        gc.freeze()

    def _driver_failed(self, name: str, error: BaseException) -> None:
        logging.getLogger(__name__).error("the driver failed", exc_info=error)
        self._stuck = True
        self.alerts.warn(
            "driver",
            f"the engine stopped: {type(error).__name__}: {error}",
            "Nothing moves any more. Look, export, then ctrl+q.",
            "bad",
        )
        self.bridge_now()

    def _on_term(self) -> None:
        apply_policy(self.bridge.session, self.config.run.engine.on_exit)
        self.leave(0)

    def _on_hangup(self) -> None:
        apply_policy(self.bridge.session, self.config.run.engine.on_hangup)
        self.leave(0)

    def leave(self, code: int) -> None:
        """End the app by the one road: driver, journal, terminal."""
        if not self._leaving:
            self._leaving = True
            self.exit(code)

    async def on_unmount(self) -> None:
        """Stop the driver, wait for it, close the run."""
        self._signals.remove()
        gc.unfreeze()
        session = self.bridge.session
        if session is None:
            return
        logging.getLogger(__name__).info(
            "loop lag worst %d ms, %d frames left out",
            self.bridge.worst_loop_ns // 1_000_000,
            self.bridge.skipped,
        )
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
            self._hush()
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
            entry = elsewhere[0]
            self.say(f"{key_glyph(key)} ({entry.title}) needs: {entry.scope.value}.")

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

    def facts(self) -> frozenset[Fact]:
        """Return what is true of the screen now."""
        facts = row_facts(self.panel, self.bridge.frame)
        if not self.locked:
            facts.add(Fact.UNLOCKED)
        if self.config.run.mode in ("simulation", "recording"):
            facts |= {Fact.DRIVEN, Fact.INJECTABLE}
        if self.alerts.waiting(self.bridge.frame):
            facts.add(Fact.ALERT)
        if self.search:
            facts.add(Fact.MATCHES)
        if self.bookmarks:
            facts.add(Fact.BOOKMARK)
        return frozenset(facts)

    def say(self, text: str, ink: str = "strong") -> None:
        """Show one line in the footer's place for a few seconds."""
        layout = self.layout_screen()
        if layout is None:
            return
        layout.footer.say([(text, ink)])
        self._said += 1
        self.set_timer(_SAY_S, partial(self._hush, self._said))

    def _hush(self, number: int | None = None) -> None:
        if number is None or number == self._said:
            layout = self.layout_screen()
            if layout is not None:
                layout.footer.say(())

    # -- what the verbs use ----------------------------------------------------------

    @property
    def driver(self) -> PlayDriver | None:
        """What moves the clock."""
        session = self.bridge.session
        return None if session is None else session.driver

    @property
    def panel(self) -> Panel | None:
        """The focused panel of the layout."""
        layout = self.layout_screen()
        return None if layout is None else layout.panel

    @property
    def choice(self) -> Choice | None:
        """What the focused panel's cursor is on."""
        panel = self.panel
        return None if panel is None else panel.choice

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

    def bridge_now(self) -> None:
        """Show the newest frame at once."""
        if self.bridge.session is not None and self.is_running:
            try:
                self.bridge.pump_once()
            except Exception as error:  # the pump's edge, as in its tick
                self.pump_failed(error)

    @property
    def focus_row(self) -> Focus | None:
        """The row that all unpinned panels show."""
        return self.focus.row

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
        self._remember("ui.layout", int(digit))

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

    # -- themes ------------------------------------------------------------------------

    def use_theme(self, name: str) -> None:
        """Switch to a theme and remember it; a theme that fails changes nothing."""
        before = self.theme
        try:
            self.theme = name
        except Exception as error:  # a theme's file is not ours
            self.theme = before
            self.alerts.warn("theme", f"theme {name}: {error}", f"{before} stays.")
            return
        self._remember("ui.theme", name)
        self.say(f"Theme {name}.")

    def _remember(self, key: str, value: object) -> None:
        try:
            self._save_setting(key, value)
        except Exception as error:  # saving is a courtesy; a full disk is not ours
            self.say(f"{key} was not saved: {error}", "warn")

    # -- alerts ------------------------------------------------------------------------

    def acknowledge(self, ids: frozenset[int]) -> None:
        """Take these alerts off the line."""
        self.alerts.acknowledge(ids)
        self._show_alerts()

    def _show_alerts(self) -> None:
        layout = self.layout_screen()
        if layout is None:
            return
        frame = self.bridge.frame
        waiting = self.alerts.waiting(frame)
        show_alert(
            layout.alert_line, waiting, len(waiting), 0 if frame is None else frame.ts
        )
        if self.alerts.rings(waiting) and self.config.ui.bell:
            self.bell()

    # -- what the bridge shows -------------------------------------------------------

    @property
    def word(self) -> str | None:
        """The app's own engine word where it knows better than the frame."""
        if self._stuck:
            return "STUCK"
        driver = self.driver
        if (
            self.bridge.stepping
            and driver is not None
            and driver.state.value == "paused"
        ):
            return "STEP"
        return None

    def layout_screen(self) -> LayoutScreen | None:
        """The layout that is seen or lies below a dialog."""
        for screen in reversed(self._screens()):
            if isinstance(screen, LayoutScreen):
                return screen if screen.is_mounted else None
        return None

    def open_ritual(self) -> Ritual[Any] | None:
        """The dialog that is open."""
        screens = self._screens()
        top = screens[-1] if screens else None
        return top if isinstance(top, Ritual) and top.is_mounted else None

    def _screens(self) -> list[Screen[Any]]:
        return self.screen_stack if self.is_running else []

    def frame_shown(self, frame: Frame) -> None:
        """Show header, alerts, transport and footer of a frame."""
        layout = self.layout_screen()
        if layout is None:
            return
        if frame.symbols is not None and len(frame.symbols) != self.symbol_rows:
            self.symbol_rows = len(frame.symbols)
            layout.size_rows()
        self.header_shown(frame.header, 0)
        self._show_alerts()
        self._show_keys(layout, frame.header)

    def header_shown(self, header: Header, screen_old_s: int) -> None:
        """Show the header; an old screen says so."""
        layout = self.layout_screen()
        if layout is not None:
            show_header(
                layout.header_lines,
                header,
                loop_ns=self.bridge.loop_ns,
                screen_old_s=screen_old_s,
            )

    def panel_changed(self) -> None:
        """Show the keys of the focused panel."""
        layout, frame = self.layout_screen(), self.bridge.frame
        if layout is not None:
            self._show_keys(layout, None if frame is None else frame.header)

    def _show_keys(self, layout: LayoutScreen, header: Header | None) -> None:
        facts = self.facts()
        panel = layout.panel
        scope = Scope.GLOBAL if panel is None else panel.scope
        layout.footer.set_keys(
            [
                FooterKey(hint.glyph, hint.label, action(hint.id).call, hint.rank)
                for hint in footer_for(scope, facts, self.keymap)
            ]
        )
        if header is None:
            return
        driver = self.driver
        shares = [mark.share for mark in self.bookmarks if mark.share is not None]
        show_transport(
            layout.transport,
            header,
            clock_keys(facts, self.keymap),
            shares,
            "" if driver is None else driver.goal_text,
        )

    def pump_failed(self, error: Exception) -> None:
        """Say once that no frame could be made; the clock turns into SCREEN OLD."""
        text = f"no picture of the engine: {type(error).__name__}: {error}"
        self.alerts.warn("screen", text, "Keys still act. The log has more.", "bad")
        self._show_alerts()

    # -- panels ----------------------------------------------------------------------

    def make_panel(self, kind: type[Panel]) -> Panel:
        """Make a panel for a layout."""
        if issubclass(kind, SymbolsPanel):
            return kind(self.scales, ssh=self.ssh, names=self.focus.names)
        panel = kind(self.scales, ssh=self.ssh)
        if isinstance(panel, ChartPanel):
            panel.base_ns = self.focus.base_ns
        return panel

    def panel_state(self, panel_id: str) -> PanelState:
        """Return what a panel was left at."""
        return self._states.get(panel_id) or PanelState()

    def keep_state(self, panel_id: str, state: PanelState) -> None:
        """Keep what a panel is at."""
        self._states[panel_id] = state

    def on_panel_moved(self, event: Panel.Moved) -> None:
        """Let the cursor's row set the focus of the unpinned panels."""
        self.focus.on(event.choice)
        self.bridge_now()

    def on_panel_opened(self, event: Panel.Opened) -> None:
        """Show the detail of a row."""
        self.focus.on(event.choice)
        screen = detail_screen(self, event.choice)
        if screen is None:
            self.say(f"{event.panel.title} has no detail for this row.")
        else:
            self.push_screen(screen)

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


def _assemble(config: Config) -> SessionLike:
    # Late: numpy and the engine load after the first paint.
    from workstation.engine.assembly import assemble_session

    return assemble_session(config.run, tolerant=True)


def run_app(
    config: Config,
    *,
    read_only: bool,
    save_setting: Callable[[str, object], None],
    session: SessionLike | None = None,
) -> int:
    """Run the screen until the operator or a signal ends it; return the exit code."""
    wait_for_escapes(os.environ)
    app = WorkstationApp(
        config, read_only=read_only, save_setting=save_setting, session=session
    )
    code = app.run(mouse=config.ui.mouse)
    return app.return_code or (code or 0)
