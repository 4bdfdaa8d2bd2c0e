"""Finds the files that a config names, and says where it looked for a missing one."""

from __future__ import annotations

from pathlib import Path

from workstation.config.document import Document, shown_path
from workstation.config.problems import Key, Problems, did_you_mean
from workstation.config.values import show
from workstation.paths import Kind, candidates

__all__ = ["FileSearch"]


class FileSearch:
    """Looks files up for one config; names from ``--set`` start at the shell."""

    def __init__(self, document: Document, problems: Problems) -> None:
        self._document = document
        self._problems = problems

    def base(self, key: Key) -> Path:
        """Return what a relative path at ``key`` is relative to."""
        if self._document.is_overridden(key):
            return Path.cwd()
        return self._document.path.parent

    def find(self, name: str, kind: Kind, key: Key) -> Path | None:
        """Return the absolute path of a file, or None after noting the problem."""
        base = self.base(key)
        places = candidates(name, kind, config=self._document.path, base=base)
        if len(places) > 1 and base == Path.cwd():
            places = list(dict.fromkeys([base / name, *places]))
        for path in places:
            if path.is_file():
                return path
        if any(path.is_dir() for path in places):
            what = "which is a folder; allowed: a file, such as one in it"
            self._problems.add(key, f"found {show(name)}, {what}")
            return None
        folders = [path.parent for path in places]
        folders = [folder for folder in folders if folder.is_dir()] or folders[:1]
        there = sorted(
            entry.name
            for folder in folders
            if folder.is_dir()
            for entry in folder.iterdir()
        )
        looked = ", ".join(shown_path(folder) for folder in folders)
        self._problems.add(
            key,
            f"found {show(name)}, which is no file; looked in: {looked}"
            f"{did_you_mean(Path(name).name, there)}",
        )
        return None
