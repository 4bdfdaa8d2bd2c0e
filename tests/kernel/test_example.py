"""The documented example is a program that runs, and the kernel runs alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import workstation.kernel as kernel

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kernel-example.md"


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=PAGE.parents[1],
        env={"PYTHONIOENCODING": "utf-8"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_documented_example_runs_and_shows_what_it_says() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert len(blocks) == 1
    lines = run(blocks[0]).splitlines()
    assert lines[:2] == ["99 °C", "25 °C"]
    assert "name='display'" in lines[-1]
    assert "errors=0" in lines[-1]


def test_the_kernel_imports_nothing_else_of_the_package_and_nothing_heavy() -> None:
    loaded = run(
        "import sys, workstation.kernel\nprint(*sorted(sys.modules), sep='\\n')"
    ).splitlines()
    ours = [name for name in loaded if name.startswith("workstation.")]
    assert all(name.startswith("workstation.kernel") for name in ours)
    assert not {"textual", "aiohttp", "numpy", "lupa", "tomlkit"} & set(loaded)


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(kernel.__all__) == list(kernel.__all__)
    for name in kernel.__all__:
        assert (getattr(kernel, name).__doc__ or "").strip(), name
