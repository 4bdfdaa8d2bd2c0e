"""Which imports may meet which: contracts, and what a command really loads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCREEN = {"textual", "rich"}
HEAVY = {"textual", "rich", "numpy", "aiohttp", "tomlkit", "lupa"}

_PROBE = """
import json, sys
{statement}
loaded = sorted({{name.partition(".")[0] for name in sys.modules}})
print("\\n" + json.dumps(loaded))
"""


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after it."""
    result = subprocess.run(
        [sys.executable, "-c", _PROBE.format(statement=statement)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


def command(*arguments: str) -> str:
    """Return the statement that runs a command and insists on its success."""
    return f"from workstation.cli import main; assert main({list(arguments)!r}) == 0"


def test_the_probe_sees_what_is_loaded() -> None:
    assert "textual" in loaded_by("import textual")


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    assert not loaded_by("import workstation.cli") & HEAVY
    assert not loaded_by(command("--version")) & HEAVY


def test_checking_a_config_loads_neither_screen_nor_network_nor_arrays() -> None:
    assert not loaded_by(command("check")) & HEAVY


def test_a_run_without_a_screen_loads_no_screen_and_no_network() -> None:
    statement = command(
        "run", "--headless", "--until", "events=500", "--set", 'journal.path=""'
    )
    loaded = loaded_by(statement)
    assert "workstation" in loaded
    assert not loaded & (SCREEN | {"aiohttp", "tomlkit"})


def test_the_kernel_is_usable_without_the_rest() -> None:
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, workstation.kernel; print(*[name for name in sys.modules "
            "if name.startswith('workstation.')])",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    others = [
        name
        for name in result.stdout.split()
        if not name.startswith("workstation.kernel")
    ]
    assert others == []


def test_all_import_contracts_hold() -> None:
    from importlinter.application import use_cases

    # The function reads the contracts of pyproject.toml and prints which is broken.
    result = subprocess.run(
        [sys.executable, "-m", "importlinter.cli", "--no-logo", "--no-cache"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert use_cases
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("call", "homes"),
    [
        ("time.time(", ()),
        ("time.time_ns(", ("kernel/clock.py",)),
        (
            "time.monotonic",
            ("kernel/clock.py", "engine/runaway.py", "strategy/lua/host.py"),
        ),
        ("datetime.now(", ()),
        ("datetime.utcnow(", ()),
        ("random.random(", ()),
        ("random.seed(", ()),
        ("uuid.uuid4(", ()),
    ],
)
def test_time_and_chance_come_from_their_homes_only(
    call: str, homes: tuple[str, ...]
) -> None:
    package = ROOT / "workstation"
    found = [
        str(path.relative_to(package))
        for path in sorted(package.rglob("*.py"))
        if call in path.read_text(encoding="utf-8")
    ]
    assert [path for path in found if path not in homes] == []
