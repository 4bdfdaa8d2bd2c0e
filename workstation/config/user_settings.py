"""Writes one setting back to a TOML file, keeping its comments.

Called when the screen has something to remember, such as a theme. A file is replaced
whole or left as it was, never half-written.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from workstation.model.errors import ConfigError

__all__ = ["save_setting", "write_atomically"]


def save_setting(path: Path, dotted_key: str, value: object) -> None:
    """Set ``dotted_key`` (``"ui.theme"``) in the file, which is made if missing.

    Raises ConfigError where the file cannot be read as TOML or cannot be written.
    """
    # Late: it costs as much as the rest of the config's imports together.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    *tables, name = dotted_key.split(".")
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        node: Any = document
        for part in tables:
            if part not in node:
                node[part] = tomlkit.table()
            node = node[part]
            if not isinstance(node, dict):
                raise ConfigError(f"{path}: {part} is one value, not a table")
        node[name] = value
        write_atomically(path, tomlkit.dumps(document))
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML, so not changed: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: not saved: {error.strerror or error}") from error


def write_atomically(path: Path, text: str) -> None:
    """Replace the file by ``text`` in one step; raises OSError."""
    # A link stays a link: what it points to is replaced.
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=".new"
    )
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            os.chmod(temporary, target.stat().st_mode & 0o777)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
