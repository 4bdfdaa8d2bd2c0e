"""Settings of the screen; none of them changes what the engine does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from msgspec import Meta

from workstation.model.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from workstation.engine.settings import RunSettings

__all__ = ["ScreenConfig", "UiSettings"]


class UiSettings(Settings, frozen=True):
    """Look and keys."""

    theme: str = "harbor-dark"
    """Name of a theme: a file in ``themes/`` or in the user's folder."""
    layout: Annotated[int, Meta(ge=1, le=9)] = 1
    """Layout shown first."""
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
