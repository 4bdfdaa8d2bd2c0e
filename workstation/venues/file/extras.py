"""Packages that some files need and a plain installation lacks.

The config asks before a run and the feed when it is made; nothing is imported here.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

__all__ = ["missing_package"]

_PACKAGES = {".zst": "zstandard", ".parquet": "pyarrow"}


def missing_package(path: Path) -> str | None:
    """Return what to install before a file can be read; None where all is there."""
    package = _PACKAGES.get(path.suffix.lower())
    if package is None or find_spec(package) is not None:
        return None
    return f"needs the package {package}: pip install 'workstation[data]'"
