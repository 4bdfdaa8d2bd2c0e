"""Frames: immutable, made between inputs, new versions only where something changed."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.engine.runs import BINANCE, KLINES, PANELS, finish, settings, small
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import Focus, Frame
from workstation.engine.session import Session
from workstation.model.commands import Hold, Kill, KillLevel, PauseTask, Rearm
from workstation.model.states import BookTrust, SymbolState

FOCUS = Focus("ema_cross", "BTCUSDT", bars=50, levels=10)


def _frame(session: Session, cursor: int = 0, *panels: str) -> Frame:
    return session.frame(cursor, frozenset(panels) or PANELS, FOCUS)


def _running(events: int = 2_000) -> Session:
    session = small()
    run_backtest(session.engine, Until(events=events))
    return session


def test_all_panels_of_a_running_run_are_there() -> None:
    session = _running()
    frame = _frame(session)
    assert [p for p in sorted(PANELS) if getattr(frame, p) is None] == []
    assert frame.symbols is not None
    assert [row.symbol for row in frame.symbols] == ["BTCUSDT", "ETHUSDT"]
    assert frame.tasks is not None
    assert [task.name for task in frame.tasks] == [
        "market",
        "aggregator",
        "executor",
        "ema_cross",
        "paper",
    ]
    assert frame.feeds is not None
    assert frame.feeds[0].events == session.engine.delivered
    assert frame.indicators is not None
    # Two EMAs on each of two symbols.
    assert len(frame.indicators) == 4
    assert frame.chart is not None
    assert 0 < len(frame.chart.bars) <= 50
    assert all(
        high >= max(o, c) >= min(o, c) >= low > 0
        for _, o, high, low, c, _ in frame.chart.bars
    )
    assert frame.book is not None
    assert frame.book.trust is BookTrust.TRUSTED
    assert len(frame.book.bids) == len(frame.book.asks) == 10
    assert frame.book.bids[0][0] < frame.book.asks[0][0]
    assert frame.machine is not None
    assert frame.machine.gates
    assert frame.machine.calls == session.strategies[0].rows["BTCUSDT"].calls
    assert frame.seq == session.engine.core.seq


def test_a_panel_that_is_not_shown_is_not_made() -> None:
    session = _running()
    frame = session.frame(0, frozenset({"orders"}))
    shown = [name for name in PANELS if getattr(frame, name) is not None]
    assert shown == ["orders"]
    unfocused = session.frame(0, PANELS)
    for name in ("chart", "book", "machine"):
        assert getattr(unfocused, name) is None


def test_a_focus_on_what_is_not_there_shows_no_machine() -> None:
    session = _running()
    frame = session.frame(0, PANELS, Focus("nobody", "BTCUSDT"))
    assert frame.machine is None
    assert frame.chart is not None


@pytest.mark.parametrize("name", ["seq", "header", "symbols"])
def test_a_frame_cannot_be_changed(name: str) -> None:
    frame = _frame(_running())
    with pytest.raises(AttributeError):
        setattr(frame, name, None)


def test_a_frame_stays_as_it_was_while_the_run_goes_on() -> None:
    session = _running(1_000)
    frame = _frame(session)
    before = msgspec.json.encode(frame)
    finish(session)
    assert msgspec.json.encode(frame) == before
    assert msgspec.json.encode(_frame(session)) != before


def test_a_reader_gets_each_record_once_and_hears_how_many_it_missed() -> None:
    session = small("engine.history=100")
    cursor, numbers, missed = 0, [], 0
    for events in range(100, 3_000, 50):
        run_backtest(session.engine, Until(events=events))
        frame = _frame(session, cursor, "orders")
        numbers += [each.number for each in frame.records]
        missed += frame.missed
        cursor = frame.cursor
    assert missed == 0
    assert numbers == list(range(1, session.engine.store.number + 1))
    late = _frame(session, 0, "orders")
    assert len(late.records) == 100
    assert late.missed == session.engine.store.number - 100
    assert _frame(session, cursor, "orders").records == ()


def test_versions_change_only_with_what_is_shown() -> None:
    session = _running()
    first = _frame(session)
    again = _frame(session)
    for name in ("symbols", "orders", "positions"):
        assert getattr(first, name) == getattr(again, name)
    for _ in range(300):
        session.driver.step()
        later = _frame(session)
        for name in ("symbols", "orders", "positions"):
            known = {_key(row): row for row in getattr(again, name)}
            for row in getattr(later, name):
                old = known.get(_key(row))
                if old is None:
                    continue
                same = msgspec.structs.replace(old, version=0) == (
                    msgspec.structs.replace(row, version=0)
                )
                assert (old.version == row.version) is same
        again = later
    assert again.symbols is not None
    assert again.symbols != first.symbols


def test_orders_that_ended_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workstation.engine.framing._VERSIONS_KEPT", 3)
    session = small()
    engine = session.engine
    engine.start()
    while engine.step():
        frame = _frame(session, 0, "orders", "symbols")
    assert frame.orders is not None
    assert len(engine.store.snapshot().orders) > 6
    assert len(session.frames._versions) <= len(frame.orders) + 3 + 2


def _key(row: object) -> object:
    for name in ("key", "order", "position"):
        value = getattr(row, name, None)
        if value is not None:
            return getattr(value, "id", None) or (
                value if isinstance(value, str) else (value.owner, value.instrument)
            )
    raise AssertionError(row)


def test_the_word_of_the_header_is_the_worst_that_holds() -> None:
    session = small('feeds.0.duration="20s"')

    def word() -> str:
        return _frame(session, 0, "orders").header.word

    assert word() == "STARTING"
    session.driver.step()
    assert word() == "PAUSED"
    session.driver.play()
    assert word() == "RUN"
    session.execute(Hold(on=True))
    assert word() == "HOLD"
    session.execute(Kill(level=KillLevel.HOLD, reason="smoke"))
    assert word() == "HALTED"
    session.execute(Kill(level=KillLevel.FLATTEN, reason="smoke"))
    assert word() == "KILLED"
    header = _frame(session, 0, "orders").header
    assert (header.kill, header.kill_reason) == ("flatten", "smoke")
    assert header.hold_since_ns is not None
    session.execute(Rearm())
    session.execute(Hold(on=False))
    while session.driver.step():
        pass
    assert word() == "END"


def test_the_header_agrees_with_the_parts() -> None:
    session = _running()
    account = session.executor.account()
    header = _frame(session).header
    assert header.equity == account.equity
    assert header.day_pnl == account.equity - account.day_start
    assert header.fees == account.fees
    assert (header.feeds_ok, header.feeds, header.books_ok, header.books) == (
        1,
        1,
        2,
        2,
    )
    assert header.positions == len(session.executor.ledger.open_positions())
    assert header.events == session.engine.delivered
    assert header.progress is None
    session.execute(PauseTask(task="market"))
    paused = _frame(session).header
    assert (paused.feeds_ok, paused.books_ok) == (0, 0)


def test_positions_and_states_of_the_rows_are_those_of_the_ledger() -> None:
    session = small()
    seen = set()
    engine = session.engine
    engine.start()
    while engine.step():
        if engine.pulled % 20:
            continue
        frame = _frame(session, 0, "symbols", "positions")
        assert frame.symbols is not None
        assert frame.positions is not None
        for row in frame.symbols:
            held = session.executor.position(row.strategy, row.instrument)
            assert row.position == held.quantity
            assert row.state is not None
            seen.add(row.state)
            if row.state is not SymbolState.IN_TRADE:
                assert row.position == 0
                assert row.open_pnl is None
        worth = sum((row.open_pnl or Decimal(0) for row in frame.positions), Decimal(0))
        account = session.executor.account()
        assert abs(worth - account.unrealized) < Decimal("0.000001")
    assert seen == set(SymbolState)


def test_the_chart_shows_longer_bars_made_of_the_row_s_own() -> None:
    session = _running(2_400)
    second = 1_000_000_000
    plain = session.frame(0, PANELS, Focus("ema_cross", "BTCUSDT", bars=10_000))
    grouped = session.frame(
        0, PANELS, Focus("ema_cross", "BTCUSDT", timeframe_ns=15 * second, bars=10_000)
    )
    assert plain.chart is not None
    assert grouped.chart is not None
    assert grouped.chart.timeframe == "15s"
    for start, o, high, low, close, volume in grouped.chart.bars:
        assert start % (15 * second) == 0
        parts = [b for b in plain.chart.bars if start <= b[0] < start + 15 * second]
        assert parts
        assert (o, close) == (parts[0][1], parts[-1][4])
        assert high == max(b[2] for b in parts)
        assert low == min(b[3] for b in parts)
        assert volume == pytest.approx(sum(b[5] for b in parts))


@pytest.mark.parametrize("config", [BINANCE, KLINES], ids=["capture", "klines"])
def test_recordings_show_all_panels_and_how_far_they_are(config: object) -> None:
    session = assemble_session(settings(config=config))  # type: ignore[arg-type]
    run_backtest(session.engine, Until(events=1_000))
    frame = _frame(session)
    assert frame.header.progress is not None
    assert 0 < frame.header.progress <= 1
    assert frame.machine is not None
    assert (frame.book is None) is (config is KLINES)
    finish(session)
    assert _frame(session).header.progress == 1.0


def test_a_frame_before_the_first_event_is_empty_and_whole() -> None:
    session = small()
    frame = _frame(session)
    assert frame.header.ts is None
    assert frame.header.events == 0
    assert frame.records == ()
    assert session.engine.started is False
