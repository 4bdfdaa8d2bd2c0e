"""The palette's commands: the whole table of actions, panels, and what the app adds.

The app gives ``palette_entries``: symbols, tasks, themes. Runs at every key press, so
it only matches texts: whole words and their beginnings, never letters scattered over a
sentence, for ``enter`` does what stands first. What cannot act now is dim and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider, SearchIcon
from textual.content import Content

from workstation.ui.actions import ACTIONS, Danger, Scope
from workstation.ui.facts import not_here, why_not

if TYPE_CHECKING:
    from workstation.ui.app import WorkstationApp

__all__ = ["Entry", "Palette", "PaletteApp"]

Entry = tuple[str, str, Callable[[], object]]
"""Title, one line of help, what it does."""

_PROMPT = ">"
# Textual's own is a magnifying glass: an emoji, two cells in some terminals.
_SAME = {
    "app.kill": "stop emergency panic halt",
    "row.flatten": "flat sell exit liquidate",
    "row.ticket": "buy sell limit market stop place",
    "order.amend": "change modify move",
    "order.cancel": "remove delete",
    "order.cancel_all": "remove delete",
    "limit.amend": "risk raise",
    "clock.play": "run start go",
    "clock.bar": "step candle",
    "clock.event": "step",
    "view.export": "save csv file",
    "alerts.open": "warnings",
    "task.inject": "make event",
    "screen.lock": "read-only",
    "chart.plots": "ema rsi study",
}
"""Words that operators use for what a title calls something else."""


@runtime_checkable
class PaletteApp(Protocol):
    """What the palette needs of the app."""

    def palette_entries(self) -> Iterable[Entry]:
        """Return what can be done now."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette.

    ``names`` are what it is called in the footer and the keymap, ``same`` what people
    call it; ``why_not`` says why it does nothing now.
    """

    title: str
    help: str
    run: Callable[[], object]
    names: str = ""
    same: str = ""
    why_not: str = ""
    danger: bool = False

    def score(self, query: str) -> float:
        """Return how well all words of a query are met, 0 where one is not."""
        wanted = query.lower().split()
        found = [self._met(word) for word in wanted]
        if not wanted or not all(found):
            return 0.0
        mean = sum(found) / len(found)
        # Between equals what acts stands before what does not, and harmless before not;
        # but what is called so stands before what only mentions it.
        return mean * (0.85 if self.why_not else 0.95 if self.danger else 1.0)

    def _met(self, word: str) -> float:
        title, names = _words(self.title), _words(f"{self.names} {self.help}")
        same = _words(self.same)
        if word in names:
            return 1.1 if word in title else 1.0
        if word in title:
            return 0.9
        if word in same:
            return 0.8
        if any(each.startswith(word) for each in title):
            return 0.7
        if any(each.startswith(word) for each in (*names, *same)):
            return 0.6
        inside = len(word) > 2 and word in f"{self.title} {self.names}".lower()
        return 0.2 if inside else 0.0


class Palette(Provider):
    """Serves the entries of the app; ``COMMANDS = {Palette}`` installs it."""

    async def startup(self) -> None:
        """Put a prompt of one plain cell before what is typed."""
        for icon in self.app.screen.query(SearchIcon):
            icon.icon = _PROMPT

    def _commands(self) -> Iterator[Command]:
        app: object = self.app
        if not isinstance(app, PaletteApp):
            return
        table: set[str] = set()
        if hasattr(app, "facts"):
            own = cast("WorkstationApp", app)
            for command in _table(own):
                table.add(command.title)
                yield command
            yield from _panels(own)
        for title, help, run in app.palette_entries():
            if title not in table:
                yield Command(title, help, run)

    async def discover(self) -> Hits:
        """Show everything that acts while nothing is typed."""
        for each in self._commands():
            if not each.why_not:
                yield DiscoveryHit(
                    Content(each.title),
                    each.run,
                    text=each.title,
                    help=_escape(each.help),
                )

    async def search(self, query: str) -> Hits:
        """Show what all words of the query are found in, what acts first."""
        matcher = self.matcher(query)
        for each in self._commands():
            score = each.score(query)
            if score > 0:
                shown = matcher.highlight(each.title)
                if each.why_not:
                    shown = Content.styled(each.title, "dim")
                help = _escape(each.why_not or each.help)
                yield Hit(score, shown, each.run, text=each.title, help=help)


def _table(app: WorkstationApp) -> Iterator[Command]:
    """Return every action that does something, with why it does not now."""
    # Late: the verbs know all screens, and the app this module.
    from workstation.ui.verbs import VERBS

    facts, panel = app.facts(), app.panel
    heard = {Scope.GLOBAL, Scope.GLOBAL_PRIORITY, Scope.CLOCK}
    heard.add(Scope.GLOBAL if panel is None else panel.scope)
    for entry in ACTIONS:
        if entry.id not in VERBS:
            continue
        missing, why = entry.needs - facts, ""
        if entry.scope not in heard:
            why = not_here(entry, entry.keys[0]) if entry.keys else ""
        elif missing:
            why = why_not(entry, missing, read_only=app.read_only)
        run: Callable[[], object] = partial(app.act, entry.id)
        if why:
            run = partial(app.say, why)
        yield Command(
            title=f"{entry.title[:1].upper()}{entry.title[1:]}",
            help=entry.glyph,
            run=run,
            names=f"{entry.label} {entry.id.replace('.', ' ').replace('_', ' ')}",
            same=_SAME.get(entry.id, ""),
            why_not=why,
            danger=entry.danger is Danger.TRADING,
        )


def _panels(app: WorkstationApp) -> Iterator[Command]:
    """Return a command for each panel: those of the layout that is seen stay in it."""
    from workstation.ui.screens.layouts import LAYOUTS
    from workstation.ui.verbs.looking import show_panel

    seen = app.layout_screen()
    named: set[str] = set()
    here = {} if seen is None else {app.current_mode: tuple(seen.panels)}
    there = {
        digit: tuple(name for names in layout.shown_at.values() for name in names)
        for digit, layout in LAYOUTS.items()
    }
    for digit, names in [*here.items(), *there.items()]:
        for name in names:
            if name not in named:
                named.add(name)
                title = f"Panel {name.replace('_', ' ')}"
                run = partial(show_panel, app, digit, name)
                yield Command(title, f"layout {digit}", run)


def _words(text: str) -> set[str]:
    """Return the words of a text, small, without what stands around them."""
    return {word.strip(".,:;()") for word in text.lower().split()}


def _escape(text: str) -> str:
    """Keep a help text from being read as markup; titles are ``Content`` instead.

    ``textual.markup.escape`` leaves ``[A-Z]`` alone, which then vanishes.
    """
    return text.replace("[", "\\[")
