"""For all tests: the user's own folders are empty, and no example is timed."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine must not turn a test red: examples are not timed.
# A fixed set of examples, so that a run tells of the change and not of its luck;
# HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def pytest_collection_finish() -> None:
    """Leave what all tests share out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def home_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return folders that are not there yet, one after the other.

    Counted here: for each one pytest would read the names of all before it.
    """
    folder = tmp_path_factory.mktemp("home_folders")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(home_folders: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a home of its own: no test reads or changes the user's."""
    folder = next(home_folders)
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    return folder
