"""Settings of the screen; none of them changes what the engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from workstation.model.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workstation.engine.settings import RunSettings

__all__ = ["TEXTUAL_THEMES", "ScreenConfig", "UiSettings", "theme_names"]

TEXTUAL_THEMES = (
    *("textual-dark", "textual-light", "ansi-dark", "ansi-light", "atom-one-dark"),
    *("atom-one-light", "catppuccin-frappe", "catppuccin-latte"),
    *("catppuccin-macchiato", "catppuccin-mocha", "dracula", "flexoki", "gruvbox"),
    *("monokai", "nord", "rose-pine", "rose-pine-dawn", "rose-pine-moon"),
    *("solarized-dark", "solarized-light", "tokyo-night"),
)
"""Themes that come with Textual, for those who must not import it."""


class UiSettings(Settings, frozen=True):
    """Look and keys."""

    theme: str = "harbor-dark"
    """Name of a theme: a file in ``themes/`` or in the user's folder."""
    layout: Literal[1, 2, 3, 4, 7] = 1
    """Layout shown first; its key."""
    glyphs: Literal["auto", "unicode", "ascii"] = "auto"
    """Symbols drawn; auto looks at the terminal's encoding and TERM."""
    bell: bool = False
    """Ring once per new bad alert."""
    mouse: bool = True
    """Let the mouse select; it never acts."""
    chart: tuple[str, ...] = ()
    """Indicators added to the chart, such as ``"ema(20)"``; ``d`` changes them."""
    chart2: tuple[str, ...] = ()
    """The same for the second chart of wide screens."""
    keymap: dict[str, str] = {}
    """Action id to keys, such as ``"clock.play" = "space,f5"``."""


def theme_names(folders: Iterable[Path]) -> list[str]:
    """Return the names of the themes that there are: files of folders, and Textual's.

    Whether a file holds a theme is not looked at.
    """
    own = {path.stem for folder in folders for path in folder.glob("*.toml")}
    return [*sorted(own), *TEXTUAL_THEMES]


class ScreenConfig(Protocol):
    """What the screen needs of a config."""

    @property
    def run(self) -> RunSettings:
        """Return the run."""

    @property
    def ui(self) -> UiSettings:
        """Return the settings of the screen."""

    @property
    def path(self) -> Path:
        """Return the file it came from."""
