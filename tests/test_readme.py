"""The README's examples run as they are printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
FIRST_LINES = {
    "kernel": "import asyncio",
    "engine": "from dataclasses import dataclass",
}


def _block(name: str) -> str:
    return next(str(b) for b in BLOCKS if b.startswith(FIRST_LINES[name]))


def _run(block: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_orchestration_example_reads_shows_and_stops() -> None:
    output = _run(_block("kernel"))
    assert "99 °C" in output
    assert "name='display'" in output
    assert "errors=0" in output


def test_the_engine_of_own_parts_buys_once_the_mean_is_below_100() -> None:
    output = _run(_block("engine"))
    assert "seq 4: buy below 99.25" in output
    assert "seq 3" not in output
    assert "4 events" in output


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_file_the_readme_points_to_exists(path: str) -> None:
    assert (ROOT / path).exists()
