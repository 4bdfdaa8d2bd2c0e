"""Frames of the book, against books that are put together by hand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.runs import BINANCE, finish, settings, small
from workstation.engine.assembly import assemble_session
from workstation.engine.book_frames import gathered
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.frames import BookFrame, Focus
from workstation.engine.session import Session
from workstation.execution.tracked import Tracked
from workstation.model.instruments import Side
from workstation.model.market import BookDelta, BookSnapshot, Level
from workstation.model.orders import Order, OrderRole, OrderStatus, OrderType
from workstation.model.states import BookTrust

S = 1_000_000_000
FOCUS = Focus("ema_cross", "BTCUSDT", levels=3)
BIDS = ((99.98, 1.0), (99.97, 2.0), (99.91, 4.0), (99.90, 8.0), (99.50, 16.0))
ASKS = ((100.01, 1.0), (100.05, 2.0), (100.10, 4.0), (100.11, 8.0))


def book_of(session: Session, focus: Focus = FOCUS) -> BookFrame:
    frame = session.frame(0, frozenset({"book"}), focus).book
    assert frame is not None
    return frame


def started() -> Session:
    session = small()
    session.engine.start()
    session.engine.core.ts = S
    return session


def snapshot(session: Session, ts: int = S, last_id: int = 100) -> None:
    session.aggregator.handle_event(
        BookSnapshot("BTCUSDT", ts, last_id, bids=BIDS, asks=ASKS)
    )


def test_a_book_is_shown_from_the_best_prices_outwards() -> None:
    session = started()
    snapshot(session)
    frame = book_of(session)
    assert frame.bids == BIDS[:3]
    assert frame.asks == ASKS[:3]
    assert frame.spread == 100.01 - 99.98
    assert frame.group == 1
    assert frame.tick == 0.01
    assert frame.imbalance is not None


def test_coarse_steps_round_bids_down_and_asks_up() -> None:
    session = started()
    snapshot(session)
    frame = book_of(session, msgspec.structs.replace(FOCUS, group=10))
    assert frame.bids == ((99.90, 15.0), (99.50, 16.0))
    assert frame.asks == ((100.10, 7.0), (100.20, 8.0))
    # What is derived does not depend on how levels are drawn.
    assert frame.spread == 100.01 - 99.98


def test_gathered_levels_are_made_once_for_a_book_that_stands() -> None:
    session = started()
    snapshot(session)
    focus = msgspec.structs.replace(FOCUS, group=10)
    first = book_of(session, focus)
    assert book_of(session, focus).bids is first.bids
    session.aggregator.handle_event(
        BookDelta("BTCUSDT", 2 * S, 101, 101, bids=((99.98, 5.0),), asks=())
    )
    assert book_of(session, focus).bids[0] == (99.90, 19.0)


def test_a_gap_is_not_trusted_and_says_why_and_since_when() -> None:
    session = started()
    snapshot(session)
    session.engine.core.ts = 3 * S
    session.aggregator.handle_event(
        BookDelta("BTCUSDT", 3 * S, 150, 151, bids=((99.99, 1.0),), asks=())
    )
    session.engine.core.ts = 35 * S
    frame = book_of(session)
    assert frame.trust is BookTrust.UNTRUSTED
    assert frame.reason == "gap: expected update 101, got 150"
    assert frame.distrust is not None
    assert frame.distrust_ns == 32 * S
    # The last levels stay on the screen.
    assert frame.bids == BIDS[:3]


def test_a_proven_book_whose_quotes_are_old_is_stale() -> None:
    session = started()
    session.engine.core.ts = 2 * S
    snapshot(session, 2 * S)
    assert book_of(session).distrust is None
    session.engine.core.ts = 9 * S
    frame = book_of(session)
    assert frame.trust is BookTrust.TRUSTED
    assert frame.distrust == "quote 7.0 s old, limit 5.0 s"
    assert frame.distrust_ns == 7 * S


def test_a_book_that_waits_for_a_snapshot_is_not_trusted() -> None:
    session = started()
    session.aggregator.handle_event(
        BookDelta("BTCUSDT", S, 150, 151, bids=((99.99, 1.0),), asks=())
    )
    frame = book_of(session)
    assert frame.trust is BookTrust.SYNCING
    assert frame.distrust is not None
    assert frame.distrust_ns is None


def order(number: int, side: Side, price: str | None, **changes: object) -> Tracked:
    made = Order(
        id=f"o-{number}",
        instrument="BTCUSDT",
        owner="ema_cross",
        role=OrderRole.ENTRY,
        side=side,
        type=OrderType.LIMIT,
        quantity=Decimal("1.5"),
        price=None if price is None else Decimal(price),
        reduce_only=False,
        status=OrderStatus.ACCEPTED,
        created_ns=S,
    )
    return Tracked(msgspec.structs.replace(made, **changes))


def test_own_orders_stand_at_their_price_with_side_and_what_is_left() -> None:
    session = started()
    snapshot(session)
    orders = session.executor.desk.orders
    orders.add(order(1, Side.BUY, "99.90"))
    orders.add(order(2, Side.BUY, "99.90", filled=Decimal("0.5")))
    orders.add(order(3, Side.SELL, "101.00", status=OrderStatus.HELD))
    orders.add(order(4, Side.SELL, None))
    stop = {"type": OrderType.STOP, "trigger": Decimal("98.00")}
    orders.add(order(6, Side.SELL, None, status=OrderStatus.HELD, **stop))
    orders.add(order(5, Side.BUY, "1.00", instrument="ETHUSDT"))
    shown = [(m.price, m.side, m.quantity, m.held) for m in book_of(session).mine]
    assert shown == [
        (101.0, -1, 1.5, True),
        (99.9, 1, 2.5, False),
        (98.0, -1, 1.5, True),
    ]


levels = st.lists(
    st.tuples(st.integers(1, 400), st.integers(1, 9)), unique_by=lambda it: it[0]
)


@given(levels, st.sampled_from([1, 2, 5, 10, 100]), st.booleans())
def test_gathering_loses_no_size_and_never_looks_better(
    made: list[tuple[int, int]], group: int, up: bool
) -> None:
    book: Sequence[Level] = [
        (ticks / 100, float(size)) for ticks, size in sorted(made, reverse=not up)
    ]
    steps = gathered(book, 0.01, group, 1_000, up=up)
    assert sum(size for _, size in steps) == sum(size for _, size in book)
    assert [at for at, _ in steps] == sorted((at for at, _ in steps), reverse=not up)
    for at, _ in steps:
        assert round(at * 100) % group == 0
    if book:
        best = book[0][0]
        assert steps[0][0] >= best if up else steps[0][0] <= best


def test_only_the_best_steps_are_gathered() -> None:
    book = [(100.0 - n / 100, 1.0) for n in range(1_000)]
    steps = gathered(book, 0.01, 10, 4, up=False)
    assert [at for at, _ in steps] == [100.0, 99.9, 99.8, 99.7]
    assert [size for _, size in steps] == [1.0, 10.0, 10.0, 10.0]


def test_a_step_that_may_lack_levels_is_left_out() -> None:
    book = [(100.0 + n / 100, 1.0) for n in range(4_096)]
    steps = gathered(book, 0.01, 1_000, 50, up=True)
    assert [size for _, size in steps] == [1.0, 1_000.0, 1_000.0, 1_000.0, 1_000.0]


def test_a_real_book_has_as_much_size_in_any_step() -> None:
    session = assemble_session(settings(config=BINANCE))
    run_backtest(session.engine, Until(events=20_000))
    name = session.aggregator.instruments[0]
    focus = Focus("ema_cross", name, levels=4_000)
    plain = book_of(session, focus)
    coarse = book_of(session, msgspec.structs.replace(focus, group=100))
    assert abs(sum(s for _, s in plain.bids) - sum(s for _, s in coarse.bids)) < 1e-6
    assert coarse.bids[0][0] <= plain.bids[0][0]
    assert coarse.asks[0][0] >= plain.asks[0][0]
    finish(session)
