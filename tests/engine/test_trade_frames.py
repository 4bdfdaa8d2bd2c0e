"""Frames of the tape, against an engine that is given its trades one by one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tests.engine.runs import FOCUS, finish, small
from workstation.engine.frames import Focus, TapeFrame
from workstation.engine.session import Session
from workstation.model.instruments import Side
from workstation.model.market import Bar, Trade
from workstation.model.orders import Fill, OrderRole
from workstation.model.records import FillRecord
from workstation.model.timeframes import Timeframe

S = 1_000_000_000


def tape_of(session: Session, instrument: str = "BTCUSDT") -> TapeFrame:
    frame = session.frame(0, frozenset({"tape"}), Focus("ema_cross", instrument)).tape
    assert frame is not None
    return frame


def trade(session: Session, *sizes: float, side: int = 1, start: int = 0) -> None:
    # The Aggregator alone: no feed, so that the test says what has been traded.
    for place, size in enumerate(sizes, start=start):
        session.aggregator.on_trade(
            Trade("BTCUSDT", S + place * S, 100.0 + place, size, side)
        )


def fill(session: Session, number: int, instrument: str = "BTCUSDT") -> None:
    made = Fill(
        order_id=f"o-{number}",
        trade_id=f"t-{number}",
        instrument=instrument,
        owner="ema_cross",
        side=Side.SELL,
        quantity=Decimal("0.5"),
        price=Decimal("101.5"),
        fee=Decimal(0),
        fee_currency="USDT",
        maker=True,
        ts=number * S,
        role=OrderRole.ENTRY,
    )
    session.engine.store(FillRecord(1, number * S, made), b"")


def started(*overrides: str) -> Session:
    session = small(*overrides)
    session.engine.start()
    return session


def test_the_tape_has_the_last_trades_oldest_first_and_counts_all() -> None:
    session = started()
    trade(session, *[1.0] * 250)
    frame = tape_of(session)
    assert frame.total == 250
    assert len(frame.trades) == 200
    assert frame.trades[0] == (51 * S, 150.0, 1.0, 1)
    assert frame.trades[-1] == (250 * S, 349.0, 1.0, 1)
    assert frame.decimals == 2
    assert frame.is_kept
    assert not frame.bars_only


def test_mean_and_share_are_of_the_whole_window() -> None:
    session = started("storage.trades=100")
    trade(session, *[5.0] * 60)
    trade(session, *[1.0] * 60, side=-1, start=60)
    trade(session, *[2.0] * 20, side=0, start=120)
    frame = tape_of(session)
    # Kept: 20 bought of five, 60 sold of one, 20 of two whose side is not known.
    assert frame.mean_size == (20 * 5 + 60 * 1 + 20 * 2) / 100
    assert frame.buy_share == 100 / 160


def test_few_trades_have_no_mean() -> None:
    session = started()
    trade(session, *[1.0] * 19)
    assert tape_of(session).mean_size is None
    trade(session, 1.0, start=19)
    assert tape_of(session).mean_size == 1.0


def test_a_tape_is_made_only_when_something_has_traded() -> None:
    session = started()
    trade(session, 1.0)
    first = tape_of(session)
    assert tape_of(session) is first
    assert tape_of(session, "ETHUSDT") is tape_of(session, "ETHUSDT")
    trade(session, 2.0, start=1)
    assert tape_of(session) is not first
    second = tape_of(session)
    fill(session, 1)
    assert tape_of(session).fills != second.fills


def test_own_fills_are_numbered_through_the_run() -> None:
    session = started()
    fill(session, 1, "ETHUSDT")
    fill(session, 2)
    fill(session, 3)
    made = tape_of(session).fills
    assert [(each.number, each.side, each.price, each.size) for each in made] == [
        (2, -1, 101.5, 0.5),
        (3, -1, 101.5, 0.5),
    ]


def test_only_the_last_fifty_fills_are_brought() -> None:
    session = started()
    for number in range(1, 81):
        fill(session, number)
    assert [each.number for each in tape_of(session).fills] == list(range(31, 81))


def test_a_tape_without_trades_says_why() -> None:
    assert not tape_of(started("storage.trades=0")).is_kept
    session = started()
    assert tape_of(session).total == 0
    assert not tape_of(session).bars_only
    bar = Bar(
        "BTCUSDT",
        60 * S,
        Timeframe.parse("1s"),
        59 * S,
        *(1.0, 2.0, 0.5, 1.5, 3.0),
    )
    session.aggregator.on_bar(bar)
    assert tape_of(session).bars_only


def test_an_unknown_instrument_has_no_tape() -> None:
    session = started()
    frame = session.frame(0, frozenset({"tape"}), Focus("ema_cross", "NOTHING"))
    assert frame.tape is None


def test_the_tape_of_a_run_adds_up_to_what_was_traded() -> None:
    session = small()
    finish(session)
    frame = session.frame(0, frozenset({"tape"}), FOCUS).tape
    assert frame is not None
    live = session.aggregator.instrument("BTCUSDT")
    assert frame.total == live.trades
    assert frame.trades[-1][1] == live.last
    times: Sequence[int] = [row[0] for row in frame.trades]
    assert times == sorted(times)
