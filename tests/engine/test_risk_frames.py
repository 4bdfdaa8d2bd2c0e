"""The risk of frames: the gauges that are compared, denials, and limits set live."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.engine.commands import do, refused
from tests.engine.runs import finish, frame_of, kept, running, small
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.model.commands import SetLimit
from workstation.model.records import (
    BreakerRecord,
    CommandRecord,
    ControlRecord,
    DenyRecord,
    LimitRecord,
)

D = Decimal
TIGHT = 'risk.max_order_value="100"'


def test_a_frame_has_the_gauges_of_the_executor_and_the_header_the_fullest() -> None:
    session = running()
    frame = frame_of(session, 0, "risk")
    assert frame.risk is not None
    limits = session.executor.limits
    assert frame.risk.gauges == tuple(limits.gauges(session.engine.core.ts))
    shares = [float(each.share) for each in frame.risk.gauges if each.share is not None]
    assert frame.header.limit_percent == max(shares) * 100
    assert frame_of(session, 0, "orders").risk is None


def test_without_limits_the_header_shows_what_equity_carries() -> None:
    session = small()
    limits = session.executor.limits
    for name in frame_of(session, 0, "risk").risk.settable:  # type: ignore[union-attr]
        do(session, SetLimit(name=name, value=None, confirmed=True))
    assert frame_of(session).header.limit_percent == 0
    assert limits.settings.max_daily_loss is None


def test_denials_are_kept_newest_first() -> None:
    session = small(TIGHT)
    records = kept(session)
    run_backtest(session.engine, Until(events=3_000))
    denied = [r for r in records if isinstance(r, DenyRecord)]
    assert len(denied) == 2
    table = frame_of(session, 0, "risk").risk
    assert table is not None
    assert table.denied == len(denied)
    newest = table.denials[0]
    assert (newest.code, newest.text) == (denied[-1].code, denied[-1].text)
    assert newest.code == "MAX_ORDER_VALUE"
    assert newest.role == denied[-1].role == "entry"
    assert [row.number for row in table.denials[:2]] == [len(denied), len(denied) - 1]


def test_a_limit_set_on_the_way_is_recorded_and_the_run_replays(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    session = small(journal=path)
    records = kept(session)
    run_backtest(session.engine, Until(events=300))
    do(session, SetLimit(name="max_order_value", value=D(100), reason="thin"))
    said = refused(session, SetLimit(name="max_order_value", value=D(200)))
    assert said == (
        "max_order_value from 100 to 200 lets more pass; that must be confirmed"
    )
    run_backtest(session.engine, Until(events=3_000))
    (changed,) = [r for r in records if isinstance(r, LimitRecord)]
    assert (changed.after, changed.reason) == (D(100), "thin")
    taken = [r for r in records if isinstance(r, CommandRecord)]
    assert [(r.subject, r.accepted) for r in taken] == [
        ("max_order_value", True),
        ("max_order_value", False),
    ]
    assert any(isinstance(r, DenyRecord) for r in records)
    finish(session)
    assert replay_journal(path).matches


def test_a_breaker_trips_by_itself_and_the_run_replays(tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    session = small('risk.max_daily_loss="5"', journal=path)
    records = kept(session)
    run_backtest(session.engine, Until(events=6_000))
    (climbed,) = [r for r in records if isinstance(r, ControlRecord)]
    assert (climbed.after, climbed.who) == ("cancel", "breaker")
    assert climbed.reason.startswith("MAX_DAILY_LOSS: ")
    assert [r for r in records if isinstance(r, BreakerRecord)]
    header = frame_of(session).header
    assert (header.kill, header.word) == ("cancel", "KILLED")
    assert header.kill_reason == climbed.reason
    finish(session)
    assert replay_journal(path).matches
