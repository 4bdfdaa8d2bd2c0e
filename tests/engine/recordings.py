"""Recorded runs for tests: made, looked at, and run again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tests.engine.runs import SMALL, finish, kept, settings
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until
from workstation.engine.session import Session
from workstation.model.records import FeedRecord, Record
from workstation.paths import shipped_folder
from workstation.venues.recording.folder import Recording

DEFAULT = shipped_folder("config") / "default.toml"


def recording_session(
    base: Path, *overrides: str, config: Path = DEFAULT, feeds: int = 1
) -> Session:
    """Return a session whose feeds are all recorded into a folder of ``base``."""
    run = settings(
        *overrides,
        f"recording.path={json.dumps(str(base))}",
        *(f"feeds.{index}.record=true" for index in range(feeds)),
        config=config,
    )
    return assemble_session(run, paused=True)


def recorded(
    base: Path,
    *overrides: str,
    config: Path = DEFAULT,
    feeds: int = 1,
    until: Until | None = None,
) -> tuple[Session, list[Record]]:
    """Run to the end, recorded; return the closed session and its records."""
    session = recording_session(base, *overrides, config=config, feeds=feeds)
    records = kept(session)
    finish(session, until)
    assert session.recorder.failure is None
    return session, records


def folder_of(session: Session) -> Path:
    """Return the folder into which a session was recorded."""
    assert session.recorder.folder is not None
    return session.recorder.folder


def again(folder: Path, *overrides: str) -> tuple[Session, list[Record]]:
    """Run a recording to its end; return the closed session and its records."""
    session = assemble_session(load_config(folder, overrides).run, paused=True)
    records = kept(session)
    finish(session)
    return session, records


def small_recording(base: Path, *overrides: str) -> Recording:
    """Return a recording of the small run."""
    session, _ = recorded(base, *SMALL, *overrides)
    return Recording(folder_of(session))


def said(records: Iterable[Record], what: str) -> list[str]:
    """Return the details of feed records of one kind."""
    return [
        record.detail
        for record in records
        if isinstance(record, FeedRecord) and record.what == what
    ]
