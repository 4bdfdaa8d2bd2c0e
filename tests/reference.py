"""Where the reference material is: ``WORKSTATION_REFERENCE``, else ``../shared``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REFERENCE = Path(
    os.environ.get(
        "WORKSTATION_REFERENCE", Path(__file__).resolve().parents[1] / ".." / "shared"
    )
).resolve()


def reference(*parts: str) -> Path:
    """Return a path below the reference material, or skip the calling test."""
    path = REFERENCE.joinpath(*parts)
    if not path.exists():
        pytest.skip(
            f"reference material not found at {path}; set WORKSTATION_REFERENCE"
        )
    return path
