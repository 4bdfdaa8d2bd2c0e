"""What is shipped: the wheel's files, the lock, the commands of the project."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def git(*arguments: str) -> str:
    """Return what git says about the checkout; skip outside of one."""
    try:
        result = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not in a git checkout")
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the wheel of a copy that has a git-ignored file; return its names."""
    copy = tmp_path_factory.mktemp("wheel") / "project"
    subprocess.run(["git", "init", "-q", str(copy)], check=True)
    tracked = git("ls-files", "--cached", "--others", "--exclude-standard").split("\n")
    for name in filter(None, tracked):
        source = ROOT / name
        if source.is_file() and not name.startswith("tests/"):
            target = copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (copy / "config" / "local.toml").write_text('key = "secret"\n')
    result = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", "out", "."],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    if "No matching distribution found for hatchling" in result.stderr:
        pytest.skip("no network, and the build needs hatchling")
    assert result.returncode == 0, result.stderr
    (built,) = (copy / "out").glob("*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_has_the_lua_side_of_strategies(wheel: list[str]) -> None:
    here = (ROOT / "workstation" / "strategy" / "lua").glob("*.lua")
    shipped = {f"workstation/strategy/lua/{path.name}" for path in here}
    assert len(shipped) == 4
    assert shipped <= set(wheel)


def test_the_wheel_has_what_is_shipped(wheel: list[str]) -> None:
    for kind in ("config", "strategies", "themes"):
        shipped = [
            f"workstation/_bundled/{kind}/{path.name}"
            for path in (ROOT / kind).iterdir()
            if path.is_file() and not path.name.startswith(("local", "."))
        ]
        assert shipped
        assert set(shipped) <= set(wheel)
    assert "workstation/cli.py" in wheel
    assert "workstation/config/loading.py" in wheel
    assert "workstation/py.typed" in wheel


def test_the_wheel_has_nothing_else(wheel: list[str]) -> None:
    assert {name.split("/")[0] for name in wheel} == {
        "workstation",
        f"workstation-{PROJECT['project']['version']}.dist-info",
    }
    assert not [name for name in wheel if "local" in name.rsplit("/", 1)[-1]]
    assert not [name for name in wheel if "__pycache__" in name]


def test_an_editable_install_is_possible() -> None:
    # Without it hatchling refuses `pip install -e .`, because `sources` maps folders.
    wheel_target = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel_target["dev-mode-dirs"] == ["."]


def test_the_version_is_said_once() -> None:
    from workstation import __version__

    assert PROJECT["project"]["version"] == __version__


def test_the_lock_has_hashes_and_no_addresses() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index-url" not in text
    for entry in re.split(r"\n(?=[a-z])", text)[1:]:
        assert "--hash=sha256:" in entry, entry


def test_the_lock_has_every_dependency_of_the_project() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    for requirement in PROJECT["project"]["dependencies"]:
        name = re.match(r"[A-Za-z0-9-]+", requirement)
        assert name is not None
        assert name[0].lower() in locked
    assert "textual==8.2.8" in text


def test_no_committed_lock_names_a_host() -> None:
    names = git("ls-files").split("\n")
    assert "uv.lock" not in names
    assert "pylock.toml" not in names
    for name in names:
        if name.endswith(".lock"):
            assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_shipped_recordings_are_small() -> None:
    for path in (ROOT / "config").iterdir():
        assert path.stat().st_size < 400_000, path


def test_ci_fails_without_the_reference_material(tmp_path: Path) -> None:
    result = subprocess.run(
        ["bash", ".ci/run"],
        cwd=ROOT,
        env={**os.environ, "WORKSTATION_REFERENCE": str(tmp_path / "absent")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "no reference material at" in result.stderr


def old_python(folder: Path) -> Path:
    """Make a command that behaves like a Python which is too old."""
    python = folder / "python-old"
    python.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.8.10" && exit 0\nexit 1\n'
    )
    python.chmod(0o755)
    return python


def test_ci_says_which_python_it_needs(tmp_path: Path) -> None:
    result = subprocess.run(
        ["bash", ".ci/run"],
        cwd=ROOT,
        env={**os.environ, "PYTHON": str(old_python(tmp_path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "needs Python 3.11 or newer; found Python 3.8.10" in result.stderr


def test_make_says_which_python_it_needs_and_makes_nothing(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    try:
        result = subprocess.run(
            ["make", "run", f"PYTHON={old_python(tmp_path)}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("make is not installed")
    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stderr
    assert "Python 3.8.10" in result.stderr
    assert not (tmp_path / ".venv").exists()
