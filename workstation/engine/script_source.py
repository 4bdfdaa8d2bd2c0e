"""A script's text as the screen shows it around an error: the lines that ran.

The file may have changed since they were loaded; the text says so. Called at the
operator's wish, never by the core.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from workstation.model.errors import ScriptError
from workstation.strategy.script import Script, hash_of, source_of

__all__ = ["ScriptSource", "read_source"]


class ScriptSource(Struct, frozen=True):
    """The lines of a script; ``note`` says how the file differs from them."""

    path: str
    lines: tuple[str, ...]
    note: str = ""


def read_source(script: Script) -> ScriptSource:
    """Return the text of a script as it was loaded, else of its file, or why none."""
    kept = tuple(script.text.splitlines())
    try:
        source = source_of(Path(script.path))
    except ScriptError as error:
        return ScriptSource(script.path, kept, f"The file {error.message}.")
    if not script.hash:
        return ScriptSource(
            script.path, tuple(source.decode("utf-8", "replace").splitlines())
        )
    if hash_of(source) != script.hash:
        note = "The file has changed since; these are the lines that ran."
        return ScriptSource(script.path, kept, note)
    return ScriptSource(script.path, kept)
