"""Commands: what applies is done and said, what does not is refused and said why."""

from __future__ import annotations

import pytest

from tests.engine.commands import C, T, override_to, refused
from tests.engine.runs import kept, small
from workstation.engine.drivers import Until, run_backtest
from workstation.model.commands import (
    CancelOrders,
    Command,
    Disposition,
    Flatten,
    HandBack,
    Hold,
    PauseTask,
    Rearm,
    RestartTask,
    ResumeTask,
    StepTask,
    StopTask,
)
from workstation.model.records import CommandRecord


def test_a_command_is_an_input_of_its_own_and_on_record() -> None:
    session = small()
    run_backtest(session.engine, Until(events=100))
    records = kept(session)
    seq = session.engine.core.seq
    outcome = session.execute(PauseTask(task="ema_cross", reason="look"))
    assert outcome.seq == session.engine.core.seq == seq + 1
    record = records[-1]
    assert isinstance(record, CommandRecord)
    assert (record.command, record.subject, record.who) == (
        "PauseTask",
        "ema_cross",
        "operator",
    )
    assert record.accepted


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (PauseTask(task="aggregator"), "aggregator aggregator cannot be paused"),
        (PauseTask(task="paper"), "broker paper cannot be paused"),
        (PauseTask(task="nobody"), "nobody"),
        (ResumeTask(task="ema_cross"), "running"),
        (StepTask(task="ema_cross"), "is running; pause it before stepping it"),
        (RestartTask(task="market"), "feed market cannot be restarted"),
        (RestartTask(task="executor"), "executor executor cannot be restarted"),
        (StopTask(task="executor"), "executor executor cannot be stopped alone"),
        (StopTask(task="paper"), "broker paper cannot be stopped alone"),
        (Hold(on=False), "there is no hold to lift"),
        (Rearm(), "nothing is killed"),
        (CancelOrders(order_ids=()), "nothing to cancel: no order was named"),
        (CancelOrders(order_ids=("x",)), "nothing to cancel: x is not known"),
        (Flatten(instrument="BTCUSDT"), "nobody holds BTCUSDT"),
        (
            HandBack(strategy="ema_cross", instrument="BTCUSDT"),
            "ema_cross BTCUSDT is not locked",
        ),
        (HandBack(strategy="who", instrument="BTCUSDT"), "no strategy who"),
        (override_to(C, strategy="who"), "no strategy who; known: ema_cross"),
        (override_to(C, instrument="XYZ"), "ema_cross has no row XYZ"),
        (override_to(C, reason="  "), "an override needs a reason"),
        (override_to(T), "into InTrade only by adopting"),
        (
            override_to(T, disposition=Disposition.ADOPT),
            "operator holds no BTCUSDT to give to ema_cross",
        ),
        (
            override_to(C, disposition=Disposition.ADOPT),
            "BTCUSDT adopts a position only on its way to InTrade",
        ),
        (
            override_to(T, disposition=Disposition.FLATTEN),
            "flatten leads out of InTrade",
        ),
        (
            override_to(T, disposition=Disposition.HAND_OVER),
            "hand_over leads out of InTrade",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_does_not_apply_is_refused_with_why(command: Command, said: str) -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    assert said in refused(session, command)
