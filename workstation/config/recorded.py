"""Recordings as configs name them: a feed over one, or a folder run as it was made.

Reads the header of a recording only; what its files hold is the feed's to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from workstation.config.document import Document
from workstation.config.files import FileSearch
from workstation.config.problems import Place, Problems, did_you_mean
from workstation.config.tables import Checked
from workstation.config.values import show
from workstation.engine.settings import FeedSettings
from workstation.model.errors import RecordingError
from workstation.model.instruments import Instrument
from workstation.venues.recording.folder import HEADER, Header, read_header

__all__ = ["RecordedDocument", "check_recording", "recorded_instruments"]

# Of the run that was recorded; another run keeps what it is told to.
_LEFT_OUT = ("journal", "recording", "instruments")


class RecordedDocument(Document):
    """The settings of a recorded run, its feeds replaced by what was recorded.

    ``--set`` and checks apply as to a file. Neither journal nor recording is kept
    unless asked for.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / HEADER)

    def read(self, problems: Problems) -> bool:
        """Take the settings from the header; add a problem where that cannot be."""
        try:
            header = read_header(self.path.parent)
        except RecordingError as error:
            problems.add_at(self._place(0), "", str(error))
            return False
        self.text = self.path.read_text(encoding="utf-8")
        self.data = _settings(header, self.path.parent)
        return True

    def where(self, key: tuple[str | int, ...]) -> Place:
        """Return the ``--set`` that wrote ``key``, else the header."""
        found = super().where(key)
        return self._place(0) if found.order == 0 else found


def check_recording(
    feed: Checked[FeedSettings], search: FileSearch, problems: Problems
) -> None:
    """Note what is wrong with a feed over a recording; complete path and symbols."""
    path, where = feed.get("path"), (*feed.key, "path")
    if path is None:
        return
    folder = Path(search.base(where), Path(path).expanduser()).resolve()
    try:
        header = read_header(folder)
    except RecordingError as error:
        problems.add(where, f"found {show(path)}; allowed: a recording: {error}")
        return
    feed.values["path"] = str(folder)
    name = feed.get("feed") or feed.get("name")
    recorded = {each.name: each.instruments for each in header.feeds}
    if name not in recorded:
        problems.add(
            (*feed.key, "feed"),
            f"found {show(name)}; allowed: a feed of the recording: "
            f"{', '.join(recorded)}{did_you_mean(str(name), recorded)}",
        )
        return
    symbols = feed.get("symbols") or recorded[name]
    for index, symbol in enumerate(symbols):
        if symbol not in recorded[name]:
            problems.add(
                (*feed.key, "symbols", index),
                f"found {show(symbol)}; allowed: what was recorded of {name}: "
                f"{', '.join(recorded[name])}",
            )
    feed.values["symbols"] = tuple(symbols)


def recorded_instruments(feed: Checked[FeedSettings]) -> tuple[Instrument, ...]:
    """Return the instruments of a checked feed over a recording, in their order."""
    path, symbols = feed.get("path"), feed.get("symbols") or ()
    try:
        header = read_header(Path(path or ""))
        known = {each.id: each for each in header.instruments()}
    except (RecordingError, msgspec.ValidationError):
        return ()
    return tuple(known[name] for name in symbols if name in known)


def _settings(header: Header, folder: Path) -> dict[str, Any]:
    # Any: plain values, as TOML would have given them.
    run = _without_none(header.run)
    data = {name: value for name, value in run.items() if name not in _LEFT_OUT}
    data["mode"] = "recording"
    data["journal"] = {"path": ""}
    data["feeds"] = [
        {"type": "recording", "name": feed.name, "path": str(folder)}
        for feed in header.feeds
    ]
    data["strategies"] = [
        {**strategy, "script": _script(strategy.get("script", ""))}
        for strategy in data.get("strategies", [])
    ]
    pipeline = data.get("pipeline", {})
    data["pipeline"] = {
        **pipeline,
        "processors": [_script(each) for each in pipeline.get("processors", [])],
    }
    return data


def _without_none(value: Any) -> Any:
    # TOML has no null: a key that is not set is not there.
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_none(each) for each in value]
    return value


def _script(path: str) -> str:
    # Where the run's own script is gone, one of its name is looked for as usual.
    return path if Path(path).is_file() else Path(path).name
