"""What a session makes of the runs before it on a venue's account."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.engine.test_distant import Venue, on_account
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.kernel import TaskState
from workstation.model.commands import (
    Command,
    Flatten,
    PauseTask,
    Recover,
    RestartTask,
    ResumeTask,
    StopTask,
)
from workstation.model.requests import SubmitOrder


def after(folder: Path, *commands: Command) -> Session:
    """Return the run after one in which an operator did this."""
    first = on_account(folder)
    for command in commands:
        assert first.execute(command).accepted
    first.close()
    again = on_account(folder)
    assert again.execute(Recover(origin="engine")).accepted
    return again


def states(run: Session) -> dict[str, TaskState]:
    return {handle.name: handle.state for handle in run.engine.registry}


def test_what_an_operator_paused_or_stopped_stays_so(tmp_path: Path) -> None:
    again = after(
        tmp_path,
        PauseTask(task="executor", reason="do not trade"),
        StopTask(task="ema_cross", reason="it loses"),
    )
    assert again.executor.paused
    assert again.strategies[0].stopped
    found = states(again)
    assert found["executor"] is TaskState.PAUSED
    assert found["ema_cross"] is TaskState.STOPPED
    again.close()
    # Of the third run, too, and a replay does the same.
    third = on_account(tmp_path)
    outcome = third.execute(Recover(origin="engine"))
    assert "as they were: executor paused, ema_cross stopped" in outcome.detail
    third.close()
    replayed = replay_journal(tmp_path / "000002.sqlite")
    assert replayed.matches, replayed.first_difference
    replayed.session.close()


@pytest.mark.parametrize(
    "commands",
    [
        (PauseTask(task="executor"), ResumeTask(task="executor")),
        (StopTask(task="ema_cross"), RestartTask(task="ema_cross")),
        (PauseTask(task="ema_cross"), RestartTask(task="ema_cross")),
        # A feed begins anew with its run.
        (PauseTask(task="market"),),
    ],
    ids=["resumed", "restarted", "restarted from a pause", "a feed"],
)
def test_what_went_on_goes_on(tmp_path: Path, commands: tuple[Command, ...]) -> None:
    again = after(tmp_path, *commands)
    assert not again.executor.paused
    assert not again.strategies[0].paused
    assert not again.strategies[0].stopped
    assert set(states(again).values()) == {TaskState.RUNNING}
    again.close()


# A journal that could not be written.


async def settle(run: Session) -> None:
    """Let the venue answer all that it was asked."""
    for _ in range(400):
        run.engine.take_arrivals()
        run.engine.catch_up()
        await asyncio.sleep(0)


async def test_ids_of_exits_that_are_not_on_record_are_given_to_no_other_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = Venue()
    first = on_account(tmp_path, venue)
    journal = first.engine.journal
    assert journal is not None
    (broker,) = first.engine.distant
    running = asyncio.ensure_future(broker.run())
    while not first.executor.ledger.open_positions():
        while broker.waiting or first.engine.has_arrivals:
            first.engine.take_arrivals()
            await asyncio.sleep(0)
        assert first.engine.step()

    def full(connection: sqlite3.Connection, rows: object) -> None:
        journal.failure = "disk full"
        journal.on_durable()

    monkeypatch.setattr(journal, "_commit", full)
    first.execute(Flatten(instrument="BTCUSDT", reason="out"))
    while first.executor.ledger.open_positions():
        await settle(first)
    sent = [r.order.id for r in venue.asked if isinstance(r, SubmitOrder)]
    broker.stop()
    await running
    first.close()

    # A start that came to nothing takes no account up, and no alarm away.
    on_account(tmp_path).close()
    second = on_account(tmp_path)
    second.execute(Recover(origin="engine"))
    orders = second.executor.desk.orders
    assert orders.next_id() not in sent
    assert orders.next_id().rsplit("-", 1)[0] != sent[-1].rsplit("-", 1)[0]
    assert orders.is_ours(sent[-1])
    assert orders.knew(sent[0])
    assert not orders.knew(sent[-1]), "it is as good as made by hand"
    alerts = second.frame(0, frozenset()).alerts
    assert any("000001.sqlite could not write all" in each.text for each in alerts)
    second.close()
    replayed = replay_journal(tmp_path / "000003.sqlite")
    assert replayed.matches, replayed.first_difference
    replayed.session.close()
    third = on_account(tmp_path)
    third.execute(Recover(origin="engine"))
    assert not [
        each
        for each in third.frame(0, frozenset()).alerts
        if "could not write all" in each.text
    ], "the run before it has said so"
    third.close()


def test_a_run_that_ended_in_order_leaves_its_mark_to_the_next(tmp_path: Path) -> None:
    first = on_account(tmp_path)
    first.execute(Recover(origin="engine"))
    mark = first.executor.desk.orders.mark
    first.close()
    second = on_account(tmp_path)
    assert second.executor.desk.orders.mark == mark
    second.close()
