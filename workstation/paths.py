"""Where files are: the shipped ones, the user's own, journals, recordings and the log.

Called by the config, the command line and the screen. It only names places: nothing
is created here, and no file is read.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

import platformdirs

__all__ = [
    "Kind",
    "cache_folder",
    "candidates",
    "find_file",
    "journal_folder",
    "log_file",
    "recordings_folder",
    "shipped_folder",
    "theme_folders",
    "user_folder",
    "user_settings_file",
]

Kind = Literal["config", "strategies", "themes"]

_APP = "workstation"


def shipped_folder(kind: Kind) -> Path:
    """Return the folder of shipped files: inside a wheel, or of the checkout."""
    package = Path(str(files("workstation")))
    bundled = package / "_bundled" / kind
    return bundled if bundled.is_dir() else package.parent / kind


def user_folder(kind: Kind) -> Path:
    """Return the user's own folder, whose files win over shipped ones of that name."""
    return Path(platformdirs.user_config_dir(_APP, appauthor=False)) / kind


def theme_folders(config: Path | None) -> list[Path]:
    """Return the folders of themes; of two files of one name the later one's wins."""
    shipped, users = shipped_folder("themes").resolve(), user_folder("themes")
    folders = [shipped, users]
    if config is not None:
        folders.append(config.resolve().parent.parent / "themes")
    # In a checkout the last is the first, and the user's own comes over it.
    return list(dict.fromkeys(folders))


def user_settings_file() -> Path:
    """Return the file in which the workstation remembers what the user chose."""
    return Path(platformdirs.user_config_dir(_APP, appauthor=False)) / "settings.toml"


def journal_folder() -> Path:
    """Return the folder of journals for runs that name none."""
    return Path(platformdirs.user_state_dir(_APP, appauthor=False)) / "journals"


def cache_folder() -> Path:
    """Return the folder of recordings kept as they were understood; safe to delete."""
    return Path(platformdirs.user_cache_dir(_APP, appauthor=False)) / "feeds"


def recordings_folder() -> Path:
    """Return the folder of recordings for runs that name none."""
    return Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "recordings"


def log_file() -> Path:
    """Return the file that takes the program's own log."""
    return Path(platformdirs.user_log_dir(_APP, appauthor=False)) / "workstation.log"


def candidates(name: str, kind: Kind, *, config: Path | None, base: Path) -> list[Path]:
    """Return, in order, the absolute paths at which the file ``name`` may be.

    A name with a slash is relative to ``base`` only. A bare one is looked for beside
    the config, in the folder that ``workstation init`` makes for its kind beside the
    config's own, in the user's folder, then among the shipped.
    """
    path = Path(name).expanduser()
    if path.is_absolute() or len(path.parts) != 1 or "/" in name:
        return [Path(base, path).resolve()]
    shipped = shipped_folder(kind).resolve()
    folders = []
    if config is not None:
        home = config.resolve().parent
        folders.append(home)
        sibling = home.parent / kind
        # In a checkout that is the shipped folder, and the user's own comes first.
        if sibling != shipped:
            folders.append(sibling)
    folders += [user_folder(kind).resolve(), shipped]
    return [folder / path for folder in dict.fromkeys(folders)]


def find_file(name: str, kind: Kind, *, config: Path | None, base: Path) -> Path | None:
    """Return the first candidate that is a file, or None."""
    for path in candidates(name, kind, config=config, base=base):
        if path.is_file():
            return path
    return None
