"""The palette's commands: whatever the app says can be done now.

The app gives ``palette_entries``: the actions of the table that can act, symbols,
tasks, themes and layouts. Runs at every key press, so it only matches texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

__all__ = ["Entry", "Palette", "PaletteApp"]

Entry = tuple[str, str, Callable[[], object]]
"""Title, one line of help, what it does."""


@runtime_checkable
class PaletteApp(Protocol):
    """What the palette needs of the app."""

    def palette_entries(self) -> Iterable[Entry]:
        """Return what can be done now."""


class Palette(Provider):
    """Serves the entries of the app; ``COMMANDS = {Palette}`` installs it."""

    def _entries(self) -> Iterable[Entry]:
        app: object = self.app
        return app.palette_entries() if isinstance(app, PaletteApp) else ()

    async def discover(self) -> Hits:
        """Show everything while nothing is typed."""
        for title, help, run in self._entries():
            yield DiscoveryHit(Content(title), run, text=title, help=_escape(help))

    async def search(self, query: str) -> Hits:
        """Show what matches in title or help, titles first."""
        matcher = self.matcher(query)
        for title, help, run in self._entries():
            score = matcher.match(title)
            if score > 0:
                yield Hit(
                    score, matcher.highlight(title), run, text=title, help=_escape(help)
                )
                continue
            score = matcher.match(help)
            if score > 0:
                # Half as good: the word is only in the explanation.
                shown = Content(title)
                yield Hit(score / 2, shown, run, text=title, help=_escape(help))


def _escape(text: str) -> str:
    """Keep a help text from being read as markup; titles are ``Content`` instead.

    ``textual.markup.escape`` leaves ``[A-Z]`` alone, which then vanishes.
    """
    return text.replace("[", "\\[")
