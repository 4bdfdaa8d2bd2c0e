"""What the screen shows besides its panels: header, alerts, keys, messages, themes.

The base of the app: it knows the run's settings and the bridge, but no key and no verb.
The bridge hands it frames; layouts ask it for panels and what those kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from textual.app import App
from textual.screen import Screen

from workstation.engine.frames import Focus, Frame, Header
from workstation.indicators import Request
from workstation.kernel.clock import Clock, RealClock
from workstation.paths import theme_folders
from workstation.ui.actions import ACTIONS, Fact, Scope, action, footer_for
from workstation.ui.alerting import AlertDesk
from workstation.ui.bridge import Bridge, output_backlog
from workstation.ui.facts import row_facts
from workstation.ui.glyphs import choose
from workstation.ui.key_names import key_glyph
from workstation.ui.log_parts import Scales
from workstation.ui.panels.base import Choice, Panel, PanelState
from workstation.ui.panels.chart import ChartPanel, SecondChartPanel
from workstation.ui.panels.lines import (
    clock_keys,
    show_alert,
    show_header,
    show_transport,
)
from workstation.ui.panels.symbols import SymbolsPanel
from workstation.ui.rowfocus import RowFocus
from workstation.ui.screens.heading import kill_words
from workstation.ui.screens.layout import LayoutScreen
from workstation.ui.screens.ritual import Ritual
from workstation.ui.signals import is_remote
from workstation.ui.theming import DEFAULT_THEME, default_variables, load_themes
from workstation.ui.widgets.status_lines import WIDE, FooterKey

if TYPE_CHECKING:
    from workstation.engine.drivers import PlayDriver
    from workstation.ui.settings import ScreenConfig

__all__ = ["Bookmark", "Face"]

_SAY_S = 5.0
# Long enough to read one line twice.


class Bookmark(msgspec.Struct, frozen=True):
    """A moment of the run the operator marked."""

    events: int
    seq: int
    share: float | None


class Face(App[int]):
    """The app as far as it shows; ``WorkstationApp`` adds keys, start and end."""

    def __init__(
        self,
        config: ScreenConfig,
        *,
        read_only: bool,
        save_setting: Callable[[str, object], None],
        themes: tuple[Path, ...] | None,
        environ: Mapping[str, str] | None,
        wall: Clock | None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self.config = config
        self.glyphs = choose(config.ui.glyphs, sys.stdout.encoding, environ.get("TERM"))
        super().__init__()
        self.read_only = read_only
        self.locked = read_only
        self.ssh = is_remote(environ)
        self.keymap = {entry.id: entry.keys for entry in ACTIONS}
        self.scales: Scales = {each.id: each for each in config.run.instruments}
        self.focus = RowFocus(config.run)
        self.alerts = AlertDesk()
        self.symbol_rows = max(1, len(self.focus.names))
        self.search = ""
        self.bookmarks: list[Bookmark] = []
        self.stuck = False
        self._save_setting = save_setting
        self._theme_folders = themes
        self._states = {
            ChartPanel.panel_id: PanelState(plots=_requests(config.ui.chart)),
            SecondChartPanel.panel_id: PanelState(plots=_requests(config.ui.chart2)),
        }
        self._said = 0
        self._wall = RealClock() if wall is None else wall
        self.bridge = Bridge(
            self,
            self.scales,
            self._wall,
            period_ns=int(1e9 / config.run.engine.frame_hz),
            backlog=partial(output_backlog, self),
        )
        self._read_themes()

    # -- where the operator is ---------------------------------------------------------

    @property
    def focus_row(self) -> Focus | None:
        """The row that all unpinned panels show."""
        return self.focus.row

    @property
    def wall(self) -> Clock:
        """The clock of the wall, by which the screen waits."""
        return self._wall

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

    @property
    def symbol(self) -> str:
        """The instrument below the cursor, else the one in focus; "" where is none."""
        choice, row = self.choice, self.focus.row
        if choice is not None and choice.instrument:
            return choice.instrument
        return "" if row is None else row.instrument

    def bridge_now(self) -> None:
        """Show the newest frame at once."""
        if self.bridge.session is not None and self.is_running:
            try:
                self.bridge.pump_once()
            except Exception as error:  # the pump's edge, as in its tick
                self.pump_failed(error)

    def facts(self) -> frozenset[Fact]:
        """Return what is true of the screen now."""
        facts = row_facts(self.panel, self.bridge.frame, self.bridge.versions)
        if self.symbol:
            facts.add(Fact.SYMBOL)
        choice = self.choice
        if choice is not None and len(self.focus.symbols_of(choice.task)) > 1:
            facts.add(Fact.SYMBOLS)
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
        self.set_timer(_SAY_S, partial(self.hush, self._said))

    def hush(self, number: int | None = None) -> None:
        """Bring the keys back; a message that was replaced leaves the new one."""
        if number is None or number == self._said:
            layout = self.layout_screen()
            if layout is not None:
                layout.footer.say(())

    # -- alerts ------------------------------------------------------------------------

    def acknowledge(self, ids: frozenset[int]) -> None:
        """Take these alerts off the line."""
        self.alerts.acknowledge(ids)
        self.show_alerts()

    def show_alerts(self) -> None:
        """Show the worst alert that waits, and ring for a new bad one."""
        layout = self.layout_screen()
        if layout is None:
            return
        frame = self.bridge.frame
        waiting = self.alerts.waiting(frame)
        now = 0 if frame is None else frame.ts
        narrow = self.size.width < WIDE
        show_alert(layout.alert_line, waiting, now, compact=narrow)
        if self.alerts.rings(waiting) and self.config.ui.bell:
            self.bell()

    # -- what the bridge shows -------------------------------------------------------

    @property
    def word(self) -> str | None:
        """The app's own engine word where it knows better than the frame."""
        if self.stuck:
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
        self.show_alerts()
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
            keys = self.keymap["app.kill"] or ("ctrl+k",)
            waiting = self.alerts.waiting(self.bridge.frame)
            layout.show_kill(
                kill_words(
                    header,
                    key=key_glyph(keys[0]),
                    locked=self.locked,
                    read_only=self.read_only,
                    alerts=len(waiting),
                )
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
        playing = driver is None or driver.state.value == "playing"
        shares = [mark.share for mark in self.bookmarks if mark.share is not None]
        show_transport(
            layout.transport,
            header,
            clock_keys(facts, self.keymap, playing=playing),
            shares,
            "" if driver is None else driver.goal_text,
        )

    def pump_failed(self, error: Exception) -> None:
        """Say once that no frame could be made; the clock turns into SCREEN OLD."""
        text = f"no picture of the engine: {type(error).__name__}: {error}"
        self.alerts.warn("screen", text, "Keys still act. The log has more.", "bad")
        self.show_alerts()

    # -- panels ----------------------------------------------------------------------

    def make_panel(self, kind: type[Panel]) -> Panel:
        """Make a panel for a layout."""
        if issubclass(kind, SymbolsPanel):
            return kind(self.scales, ssh=self.ssh, names=self.focus.names)
        return kind(self.scales, ssh=self.ssh)

    def panel_state(self, panel_id: str) -> PanelState:
        """Return what a panel was left at."""
        return self._states.get(panel_id) or PanelState()

    def keep_state(self, panel_id: str, state: PanelState) -> None:
        """Keep what a panel is at."""
        self._states[panel_id] = state

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
        self.remember("ui.theme", name)
        self.say(f"Theme {name}.")

    def remember(self, key: str, value: object) -> None:
        """Save a setting; where that fails, say so."""
        try:
            self._save_setting(key, value)
        except Exception as error:  # saving is a courtesy; a full disk is not ours
            self.say(f"{key} was not saved: {error}", "warn")

    # -- looks --

    def _read_themes(self) -> None:
        folders: Iterable[Path] | None = self._theme_folders
        if folders is None:
            folders = theme_folders(self.config.path)
        themes, problems = load_themes(folders)
        for theme in themes:
            self.register_theme(theme)
        wanted = self.config.ui.theme
        if wanted in self.available_themes:
            self.theme = wanted
        else:
            close = get_close_matches(wanted, self.available_themes, n=1)
            near = f', did you mean "{close[0]}"?' if close else ""
            problems.append(f"theme {wanted}: no such theme{near}; see ctrl+p theme")
            if DEFAULT_THEME in self.available_themes:
                self.theme = DEFAULT_THEME
        if problems:
            self.alerts.warn("themes", "; ".join(problems), "The others work.")

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give our own variables a value in every theme of Textual."""
        return default_variables(self.current_theme)


def _requests(words: Iterable[str]) -> tuple[Request, ...]:
    # The config has been checked: each word is one of the registry.
    return tuple(dict.fromkeys(map(Request.parse, words)))
