"""Copies the shipped configs, strategies and themes for a user to change.

Called by ``workstation init``. The folder appears whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import get_args

from workstation.model.errors import ConfigError
from workstation.paths import Kind, shipped_folder

__all__ = ["make_starter"]

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "local*.toml", ".*")


def make_starter(target: Path) -> list[Path]:
    """Make ``target`` with the shipped files in it and return their paths.

    Raises ConfigError when something is there already, or cannot be written.
    """
    target = target.expanduser().absolute()
    if target.is_dir() and any(target.iterdir()):
        raise ConfigError(f"{target}: is not empty; nothing is overwritten")
    if target.exists() and not target.is_dir():
        raise ConfigError(f"{target}: is a file; nothing is overwritten")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            for kind in get_args(Kind):
                shutil.copytree(shipped_folder(kind), staging / kind, ignore=_LEFT_OUT)
            # mkdtemp makes it private; a folder made by hand would not be.
            staging.chmod(target.stat().st_mode if target.exists() else _usual_mode())
            os.replace(staging, target)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"{target}: cannot be made: {reason}") from error
    return sorted(path for path in target.rglob("*") if path.is_file())


def _usual_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o777 & ~mask
