"""Parameters changed while a run goes on: an input, replayed like all others."""

from __future__ import annotations

from pathlib import Path

from tests.engine.commands import do, refused, row_of
from tests.engine.runs import finish, kept, small
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.model.commands import SetParams
from workstation.model.records import CommandRecord, ParamsRecord


def test_parameters_are_changed_for_one_row_or_all_and_the_run_replays(
    tmp_path: Path,
) -> None:
    path = tmp_path / "j.sqlite"
    session = small(journal=path)
    run_backtest(session.engine, Until(events=300))
    records = kept(session)
    do(session, SetParams(strategy="ema_cross", values={"fast": 3, "slow": 7}))
    changed = [r for r in records if isinstance(r, ParamsRecord)]
    assert [r.instrument for r in changed] == list(session.strategies[0].rows)
    one = SetParams(strategy="ema_cross", instrument="BTCUSDT", values={"stop": 0.01})
    do(session, one)
    assert row_of(session).market.params["stop"] == 0.01
    (_, taken) = [r for r in records if isinstance(r, CommandRecord)]
    assert (taken.command, taken.subject) == ("SetParams", "BTCUSDT")
    finish(session)
    assert replay_journal(path).matches


def test_another_parameter_is_another_state() -> None:
    hashes = set()
    for fast in (None, 3):
        session = small()
        run_backtest(session.engine, Until(events=300))
        if fast is not None:
            do(session, SetParams(strategy="ema_cross", values={"fast": fast}))
        hashes.add(session.engine.state_hash())
    assert len(hashes) == 2


def test_what_the_script_does_not_take_is_refused_in_its_words() -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    said = refused(session, SetParams(strategy="ema_cross", values={"fats": 3}))
    assert "unknown parameter 'fats'; it declares: fast, slow" in said
    assert "did you mean 'fast'?" in said
