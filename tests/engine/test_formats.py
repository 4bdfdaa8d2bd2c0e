"""Formats of the journal: older accounts are taken up, newer ones are left alone.

The files in ``data`` were written by the versions that had these formats, on the
simulated market, each with what that version's own ledger said at the end.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.runs import SMALL, settings, small
from tests.engine.test_distant import Venue
from workstation.engine.account_journal import runs_of
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.formats import (
    FORMAT,
    STEPS,
    Proof,
    check_format,
    proven,
    record_decoder,
)
from workstation.engine.journal_reader import JournalReader
from workstation.engine.journalled import Interrupt
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.model.commands import Command
from workstation.model.errors import JournalError
from workstation.model.money import times
from workstation.model.records import (
    FillRecord,
    LimitRecord,
    PositionRecord,
    Record,
    RequoteRecord,
    StateRecord,
    TradeRecord,
)
from workstation.model.reports import Report
from workstation.strategy.replies import ScriptAnswered

DATA = Path(__file__).parent / "data"
OLDER = ("format-1", "format-2-early", "format-2", "format-2-late", "format-3")
GRAIN = Decimal("1e-18")

SHAPES = {4: "5c641cc9"}
"""By format, what records and inputs look like."""


def unpacked(name: str, folder: Path) -> Path:
    """Return the run of an older version as the first of an account's folder."""
    path = folder / "000001.sqlite"
    path.write_bytes(gzip.decompress((DATA / f"{name}.sqlite.gz").read_bytes()))
    return path


def session_on(folder: Path) -> Session:
    run = settings(*SMALL, f"journal.path={json.dumps(str(folder))}")
    return assemble_session(run, venue=Venue())


def change_header(path: Path, **values: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        ((blob,),) = connection.execute("select value from meta where key = 'header'")
        header = json.loads(blob) | values
        connection.execute(
            "update meta set value = ? where key = 'header'",
            (json.dumps(header).encode(),),
        )
    connection.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "lock"}


@pytest.mark.parametrize("name", OLDER)
def test_an_account_of_an_older_version_is_taken_up_as_it_was_left(
    name: str, tmp_path: Path
) -> None:
    path = unpacked(name, tmp_path)
    before = path.read_bytes()
    session = session_on(tmp_path)
    left: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    executor = session.executor
    ledger = executor.ledger
    assert {f"{p.owner} {p.instrument}" for p in ledger.positions()} == set(
        left["positions"]
    )
    for position in ledger.positions():
        told = left["positions"][f"{position.owner} {position.instrument}"]
        for field in ("quantity", "average_price", "realized", "fees"):
            # Those versions rounded to 28 digits.
            found, expected = getattr(position, field), Decimal(told[field])
            assert abs(found - expected) < GRAIN, field
    assert ledger.fees.total == Decimal(left["fees"])
    assert ledger.fills == left["fills"]
    assert executor.desk.orders.made == left["made"]
    assert {
        t.order.id: {
            "role": t.order.role.value,
            "status": t.order.status.value,
            "quantity": str(t.order.quantity),
            "price": None if t.order.price is None else str(t.order.price),
            "trigger": None if t.order.trigger is None else str(t.order.trigger),
        }
        for t in executor.desk.orders.open()
    } == left["orders"]
    assert executor.controls.hold
    held = {o.id for o in executor.held_protection()}
    assert held == {i for i, o in left["orders"].items() if o["status"] == "held"}
    plans = {p.owner: (p.stop, p.target) for p in executor.protection.plans()}
    triggers = {o["role"]: o["trigger"] for o in left["orders"].values()}
    if held:
        stop, target = plans["ema_cross"]
        assert (str(stop), str(target)) == (triggers["stop"], triggers["target"])
    session.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", OLDER)
def test_records_of_an_older_version_say_what_that_version_knew(
    name: str, tmp_path: Path
) -> None:
    ((_, records),) = (
        (run.header, list(run.records)) for run in runs_of([unpacked(name, tmp_path)])
    )
    who = {record.who for record in records if isinstance(record, StateRecord)}
    early = name in ("format-1", "format-2-early")
    assert who == ({"unknown"} if early else {"script", "engine"})
    positions = [r.after for r in records if isinstance(r, PositionRecord)]
    assert positions
    for position in positions:
        if name not in ("format-2-late", "format-3"):
            # From then on it is on record: the price is a rounded share of it.
            assert position.cost == times(position.quantity, position.average_price)
        assert bool(position.cost) is bool(position.quantity)


def test_what_a_late_run_of_format_2_had_besides_is_taken_up(tmp_path: Path) -> None:
    path = unpacked("format-2-late", tmp_path)
    kinds = {type(record) for run in runs_of([path]) for record in run.records}
    assert {RequoteRecord, TradeRecord, LimitRecord} <= kinds
    session = session_on(tmp_path)
    assert session.executor.limits.settings.max_order_value == 15_000
    (trade,) = session.executor.ledger.trades
    assert trade.pnl == session.executor.ledger.realized
    session.close()


def test_a_damaged_record_of_an_older_version_is_refused_by_name(
    tmp_path: Path,
) -> None:
    for broken in (b"\xc1", msgspec.msgpack.encode({"type": "position", "seq": 1})):
        path = unpacked("format-2", tmp_path)
        connection = sqlite3.connect(path)
        with connection:
            connection.execute(
                "update records set blob = ? where id = (select max(id) from records)",
                (broken,),
            )
        connection.close()
        before = contents(tmp_path)
        with pytest.raises(
            JournalError, match=r"000001\.sqlite: the record at seq \d+ is damaged"
        ):
            session_on(tmp_path)
        assert contents(tmp_path) == before


def test_an_account_of_a_newer_version_is_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    path = unpacked("format-2", tmp_path)
    change_header(path, format=FORMAT + 1, version="9.9")
    before = contents(tmp_path)
    with pytest.raises(JournalError) as caught:
        session_on(tmp_path)
    assert f"format {FORMAT + 1}, written by workstation 9.9" in str(caught.value)
    assert f"reads up to format {FORMAT}" in str(caught.value)
    assert "Start the version that wrote it" in str(caught.value)
    assert contents(tmp_path) == before
    # The lock is free again: the right version may have the account at once.
    change_header(path, format=2)
    session_on(tmp_path).close()


@pytest.mark.parametrize("found", [0, -1, "2", None, True])
def test_what_is_no_format_of_ours_is_refused(found: object) -> None:
    with pytest.raises(JournalError, match=r"j\.sqlite: (format|damaged)"):
        check_format({"format": found}, Path("j.sqlite"))


@pytest.mark.parametrize("name", OLDER)
def test_a_replay_of_an_older_version_is_refused_with_what_to_do(
    name: str, tmp_path: Path
) -> None:
    path = unpacked(name, tmp_path)
    with pytest.raises(JournalError) as caught:
        replay_journal(path)
    assert f"format {name[7]}, written by workstation 0.1.0" in str(caught.value)
    assert "Replay it with the version that wrote it" in str(caught.value)


async def test_a_run_that_took_up_an_older_one_is_replayed(tmp_path: Path) -> None:
    unpacked("format-2", tmp_path)
    session = session_on(tmp_path)
    run_backtest(session.engine, Until(events=50))
    session.close()
    result = replay_journal(tmp_path / "000002.sqlite")
    assert result.matches, result.first_difference
    assert result.session.executor.ledger.fills == 3
    result.session.close()


VALUES = st.one_of(
    st.none(), st.integers(-9, 9), st.text(max_size=3), st.binary(max_size=3)
)
ROWS = st.lists(st.tuples(VALUES, VALUES), max_size=12)


@given(ROWS, st.lists(st.integers(1, 5), max_size=12), ROWS)
def test_rows_are_told_only_as_far_as_they_are_what_was_written(
    rows: list[tuple[Any, ...]], sizes: list[int], found: list[tuple[Any, ...]]
) -> None:
    proof = Proof()
    marks = [proof.mark]
    for size in [*sizes, len(rows)]:
        if proof.count < len(rows):
            proof = proof.after(rows[proof.count : proof.count + size])
            marks.append(proof.mark)
    assert list(proven(rows, marks)) == rows
    # Any difference is one, also where only some rows are others.
    for other in (found, rows[1:], rows[:-1], [*rows, *found[:1]], rows[::-1]):
        if list(map(_typed, other)) == list(map(_typed, rows)):
            continue
        told: list[tuple[Any, ...]] = []
        with pytest.raises(ValueError, match="what is behind row"):
            told.extend(proven(other, marks))
        assert told == rows[: len(told)]
    with pytest.raises(ValueError, match="what is behind row 0 was not written by us"):
        list(proven(rows, []))


def _typed(row: tuple[Any, ...]) -> list[tuple[type, Any]]:
    return [(type(each), each) for each in row]


def test_there_is_a_step_from_every_format_but_the_last() -> None:
    assert sorted(STEPS) == list(range(1, FORMAT))


def test_a_record_of_today_passes_every_step_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "000001.sqlite"
    session = small(journal=path)
    run_backtest(session.engine, Until(events=1_600))
    session.close()
    reader = JournalReader(path)
    today, oldest = record_decoder(FORMAT), record_decoder(1)
    kinds = set()
    for _, blob in reader.records():
        assert oldest(blob) == today(blob)
        kinds.add(type(today(blob)))
    assert {FillRecord, PositionRecord, StateRecord} <= kinds
    reader.close()


def test_the_shape_of_records_and_inputs_has_a_format_of_its_own() -> None:
    """Fails where what is journalled has changed.

    Where versions with the format of now are in use, raise FORMAT and add the step
    from it; then, and else, put the new shape beside the format.
    """
    inputs = Command | Interrupt | ScriptAnswered | Report
    schemas = [_bare(msgspec.json.schema(each)) for each in (Record, inputs)]
    found = json.dumps(schemas, sort_keys=True).encode()
    shape = blake2b(found, digest_size=4).hexdigest()
    assert SHAPES[FORMAT] == shape


def _bare(schema: Any) -> Any:
    """Leave out the words about it."""
    if isinstance(schema, dict):
        words = ("description", "title")
        return {
            name: _bare(value)
            for name, value in schema.items()
            if not (name in words and isinstance(value, str))
        }
    if isinstance(schema, list):
        return [_bare(each) for each in schema]
    return schema
