"""Settings of the screen; none of them changes what the engine does."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from workstation.model.settings import Settings

__all__ = ["UiSettings"]


class UiSettings(Settings):
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
    keymap: dict[str, str] = {}
    """Action id to keys, such as ``"clock.play" = "space,f5"``."""
