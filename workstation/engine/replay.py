"""Replay: runs a journal again and compares every record with the one it holds.

Sources are made again from their identity; commands and interrupted script calls come
from the journal, each at the place in the run where it was taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from workstation.engine.assembly import assemble_session
from workstation.engine.core import RecordSink
from workstation.engine.formats import to_replay
from workstation.engine.journal_reader import JournalReader
from workstation.engine.journalled import InputRow, Interrupt
from workstation.engine.script_calls import JournalledScripts
from workstation.engine.script_loading import KeptScripts
from workstation.engine.session import Session
from workstation.engine.settings import RunSettings
from workstation.model.errors import JournalError
from workstation.model.rates import BrokerAbilities
from workstation.model.records import Record
from workstation.model.reports import Report
from workstation.model.requests import Request
from workstation.strategy.replies import ScriptAnswered
from workstation.strategy.script import Script

__all__ = ["ReplayResult", "replay_journal"]

_decode = msgspec.msgpack.Decoder(Record).decode


class ReplayResult(Struct, frozen=True, kw_only=True):
    """What a replay proved; ``first_seq`` is the first seq whose records differ."""

    inputs: int
    records: int
    state_hash: str
    journal_hash: str | None
    matches: bool
    first_seq: int | None
    first_difference: str | None
    session: Session


def replay_journal(path: Path, *, sinks: Sequence[RecordSink] = ()) -> ReplayResult:
    """Run a journal again to where it ends; ``sinks`` hear the records it makes.

    Raises JournalError where it cannot be read or its sources are not the same.
    """
    reader = JournalReader(path)
    try:
        return _replay(reader, path, sinks)
    finally:
        reader.close()


def _replay(
    reader: JournalReader, path: Path, sinks: Sequence[RecordSink]
) -> ReplayResult:
    header = reader.header
    to_replay(header, path)
    try:
        run = msgspec.convert(header["run"], RunSettings)
    except (KeyError, msgspec.ValidationError) as error:
        raise JournalError(
            f"journal {path}: its settings are not those of this version: {error}"
        ) from error
    session = assemble_session(
        run,
        journal=False,
        tolerant=True,
        record=False,
        scripts=KeptScripts(_scripts(header, path), reader.scripts()),
        venue=_venue(header, path),
        takes_up=_earlier(header, path),
        mark=str(header.get("mark", "")),
    )
    session.engine.core.sinks += sinks
    try:
        return _compare(session, reader, path)
    finally:
        session.guard.close()
        session.engine.close()


def _compare(session: Session, reader: JournalReader, path: Path) -> ReplayResult:
    _check_sources(session, reader.header, path)
    _check_processors(session, reader.header, path)
    inputs = list(reader.inputs())
    session.guard.planned = {
        (row.seq, row.value.strategy, row.value.instrument): row.value
        for row in inputs
        if isinstance(row.value, Interrupt)
    }
    # Group commit breaks a killed run's journal off anywhere, also within a step.
    comparison = _Comparison(reader.records(), whole=reader.summary is not None)
    session.engine.core.sinks.append(comparison)
    _run(
        session, [row for row in inputs if not isinstance(row.value, Interrupt)], reader
    )
    comparison.finish()
    engine = session.engine
    state_hash = engine.state_hash()
    summary = reader.summary or {}
    expected = summary.get("state_hash")
    matches = comparison.seq is None and expected in (None, state_hash)
    text = comparison.text
    if comparison.seq is None and not matches:
        text = f"records are equal, the final state is not: {expected} → {state_hash}"
    return ReplayResult(
        inputs=engine.core.seq,
        records=engine.store.number,
        state_hash=state_hash,
        journal_hash=None if expected is None else str(expected),
        matches=matches,
        first_seq=comparison.seq,
        first_difference=text,
        session=session,
    )


def _run(session: Session, commands: list[InputRow], reader: JournalReader) -> None:
    engine = session.engine
    engine.waits = False
    engine.core.scripts.edge = JournalledScripts()
    summary = reader.summary or {}
    if not summary.get("started", True):
        return
    engine.start()
    pulled = summary.get("pulled")
    # A run that was left while a script had not answered had begun its next step.
    inputs = summary.get("inputs", 0)
    # A journal that was broken off: as far as its records and inputs reach.
    last_seq = None if pulled is not None else reader.last_seq()
    waiting = iter(commands)
    following = next(waiting, None)
    while True:
        while (
            following is not None
            and following.pulled == engine.pulled
            and following.seq == engine.core.seq + 1
        ):
            value = following.value
            assert not isinstance(value, Interrupt)
            if isinstance(value, ScriptAnswered):
                engine.take_answers((value,))
            elif isinstance(value, Report):
                engine.take_report(value)
            else:
                session.execute(value)
            following = next(waiting, None)
        if engine.awaiting:
            # Broken off, or left, before the script had answered.
            return
        if (
            isinstance(pulled, int)
            and isinstance(inputs, int)
            and engine.pulled >= pulled
            and engine.core.seq >= inputs
        ):
            return
        if last_seq is not None and engine.core.seq >= last_seq:
            return
        if not engine.step():
            return


def _check_sources(session: Session, header: dict[str, object], path: Path) -> None:
    known = header.get("sources")
    for feed in session.engine.sources.feeds:
        found = dict(feed.connector.identity())
        expected = known.get(feed.name) if isinstance(known, dict) else None
        if expected != found:
            raise JournalError(
                f"journal {path}: feed {feed.name} is not the same any more: the run "
                f"read {expected}, now there is {found}"
            )


def _scripts(header: dict[str, object], path: Path) -> dict[str, Script]:
    """Return the scripts that the run began with, by strategy."""
    try:
        return msgspec.convert(header["scripts"], dict[str, Script])
    except (KeyError, msgspec.ValidationError) as error:
        raise JournalError(
            f"journal {path}: its scripts cannot be read: {error}"
        ) from error


def _earlier(header: dict[str, object], path: Path) -> list[Path]:
    """Return the runs that this one took up, which are beside it."""
    try:
        names = msgspec.convert(header.get("takes_up", []), list[str])
    except msgspec.ValidationError as error:
        raise JournalError(f"journal {path}: runs before it: {error}") from error
    return [path.with_name(name) for name in names]


def _check_processors(session: Session, header: dict[str, object], path: Path) -> None:
    known = header.get("processors")
    for script in session.aggregator.plan.scripts:
        expected = known.get(script.name) if isinstance(known, dict) else None
        if expected != script.hash:
            raise JournalError(
                f"journal {path}: script {script.path} has changed since the run; "
                "replay needs the file as it was"
            )


def _venue(header: Mapping[str, Any], path: Path) -> _NoVenue | None:
    facts = header.get("venue")
    if facts is None:
        return None
    try:
        abilities = msgspec.convert(facts["abilities"], BrokerAbilities)
        return _NoVenue(str(facts["name"]), abilities)
    except (KeyError, TypeError, msgspec.ValidationError) as error:
        raise JournalError(
            f"journal {path}: what it says of its venue is not understood: {error}"
        ) from error


class _NoVenue:
    """Stands for the venue of a journal: what it reported is in there."""

    def __init__(self, name: str, abilities: BrokerAbilities) -> None:
        self.name = name
        self.abilities = abilities

    async def send(self, request: Request) -> Sequence[Report]:
        """Send nothing."""
        return ()

    async def news(self) -> Sequence[Report]:
        """Know nothing."""
        return ()

    def account(self) -> None:
        """Need no watchdog."""

    async def close(self) -> None:
        """Have nothing open."""


class _Comparison:
    """A sink that holds each record against the journal's next one."""

    def __init__(self, expected: Iterator[tuple[int, bytes]], *, whole: bool) -> None:
        self._expected = expected
        self._whole = whole
        self.seq: int | None = None
        self.text: str | None = None

    def __call__(self, record: Record, encoded: bytes) -> None:
        """Compare one record."""
        if self.seq is not None:
            return
        seq, blob = next(self._expected, (None, b""))
        if seq is None:
            if self._whole:
                self._differs(record.seq, "no more records", _show(encoded))
        elif blob != encoded:
            self._differs(min(seq, record.seq), _show(blob), _show(encoded))

    def finish(self) -> None:
        """Note records of the journal that the replay did not make."""
        if self.seq is None:
            seq, blob = next(self._expected, (None, b""))
            if seq is not None:
                self._differs(seq, _show(blob), "no more records")

    def _differs(self, seq: int, expected: str, found: str) -> None:
        self.seq = seq
        self.text = f"first at seq {seq}: journal has {expected}; replay made {found}"


def _show(blob: bytes) -> str:
    try:
        return msgspec.json.encode(_decode(blob)).decode()
    except (msgspec.MsgspecError, TypeError) as error:
        return f"a damaged record ({error})"
