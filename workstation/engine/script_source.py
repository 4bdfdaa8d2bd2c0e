"""A script's text as the screen shows it around an error; read once, when asked.

The file may have changed since it was loaded: then its lines are not those that ran,
and the text says so. Called at the operator's wish, never by the core.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from workstation.model.errors import ScriptError
from workstation.strategy.script import Script, hash_of, source_of

__all__ = ["ScriptSource", "read_source"]


class ScriptSource(Struct, frozen=True):
    """The lines of a script's file; ``note`` says what is not right with them."""

    path: str
    lines: tuple[str, ...]
    note: str = ""


def read_source(script: Script) -> ScriptSource:
    """Return the text of a script's file, or why there is none."""
    try:
        source = source_of(Path(script.path))
    except ScriptError as error:
        return ScriptSource(script.path, (), f"The file {error.message}.")
    lines = tuple(source.decode("utf-8", "replace").splitlines())
    if script.hash and hash_of(source) != script.hash:
        note = "The file has changed since it was loaded: these lines may be others."
        return ScriptSource(script.path, lines, note)
    return ScriptSource(script.path, lines)
