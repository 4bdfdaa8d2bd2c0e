"""Frames of figures: as the Aggregator answers, once a second, a few rows a frame."""

from __future__ import annotations

from tests.engine.runs import finish, frame_of, running, settings, small
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import FigureTable
from workstation.engine.session import Session

S = 1_000_000_000


def table_of(session: Session) -> FigureTable:
    table = frame_of(session, 0, "figures").figures
    assert table is not None
    return table


def test_the_table_has_what_the_chain_of_processors_gives() -> None:
    session = running()
    table = table_of(session)
    figures = session.aggregator.figures("BTCUSDT")
    assert [head.name for head in table.heads] == list(figures.names())
    assert [row.instrument for row in table.rows] == ["BTCUSDT", "ETHUSDT"]
    wanted = tuple(figures.get(name) for name in figures.names())
    assert table.rows[0].values == wanted
    assert any(value is not None for value in wanted)
    head = next(head for head in table.heads if head.name == "volatility_bps")
    assert (head.unit, head.processor) == ("bps/√s", "volatility")
    assert head.text
    assert head.none_when


def test_a_standing_run_makes_no_row() -> None:
    session = running()
    first = table_of(session)
    assert table_of(session) is first


def test_rows_are_made_again_after_a_second_of_the_run() -> None:
    session = running(2_000)
    first = table_of(session)
    began = session.engine.core.ts
    events = session.engine.delivered
    while session.engine.core.ts - began < S:
        assert table_of(session) is first
        events += 1
        run_backtest(session.engine, Until(events=events))
    assert table_of(session) is not first


def test_of_many_symbols_a_frame_makes_some_and_the_next_go_on() -> None:
    names = ", ".join(f'"S{n}USDT"' for n in range(40))
    session = assemble_session(
        settings(f"feeds.0.symbols=[{names}]", 'feeds.0.duration="1m"')
    )
    run_backtest(session.engine, Until(events=500))
    counts = [len(table_of(session).rows) for _ in range(4)]
    assert counts == [16, 32, 40, 40]


def test_without_processors_there_is_nothing() -> None:
    session = small("pipeline.processors=[]")
    finish(session)
    table = table_of(session)
    assert table.heads == ()
    assert all(row.values == () for row in table.rows)


def test_looking_changes_nothing_of_the_state() -> None:
    session = running()
    before = session.engine.state_hash()
    table_of(session)
    assert session.engine.state_hash() == before
