"""Commands to orders: flatten, cancel, hold and the kill ladder."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.engine.commands import (
    do,
    holder,
    holding,
    more,
    position_of,
    refused,
    working,
)
from tests.engine.runs import finish, kept, running, small
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.model.commands import (
    AmendOrder,
    CancelOrders,
    CloseUnknown,
    Flatten,
    Hold,
    Kill,
    KillLevel,
    PauseTask,
    PlaceOrder,
    Rearm,
)
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderStatus, OrderType
from workstation.model.records import CommandRecord, DenyRecord


def test_flatten_closes_what_is_held_and_says_so(tmp_path: Path) -> None:
    session = holding(tmp_path)
    said = do(session, Flatten(instrument="BTCUSDT", reason="enough"))
    assert said == "BTCUSDT of everybody is being closed: enough"
    do(session, PauseTask(task="ema_cross"))
    more(session)
    assert position_of(session).is_flat


def test_protection_is_canceled_only_by_name(tmp_path: Path) -> None:
    session = holding(tmp_path)
    (stop,) = session.executor.held_protection()
    do(session, Kill(level=KillLevel.CANCEL))
    assert len(session.executor.held_protection()) == 1
    said = do(session, CancelOrders(order_ids=(stop.id,)))
    assert said == "cancel of 1 order asked for"
    assert session.executor.held_protection() == []
    assert "nothing to cancel" in refused(session, CancelOrders(order_ids=(stop.id,)))


def test_hold_denies_entries_until_it_is_lifted(tmp_path: Path) -> None:
    session = holder(tmp_path)
    assert "on hold" in do(session, Hold(on=True, reason="lunch"))
    assert "already" in refused(session, Hold(on=True))
    records = kept(session)
    run_backtest(session.engine, Until(events=200))
    codes = {r.code for r in records if isinstance(r, DenyRecord)}
    assert len(codes) == 1
    assert position_of(session).is_flat
    assert do(session, Hold(on=False)) == "the hold is lifted"
    more(session)
    assert not position_of(session).is_flat


def test_the_kill_ladder_goes_up_only_and_a_rearm_ends_it(tmp_path: Path) -> None:
    session = holding(tmp_path)
    do(session, Kill(level=KillLevel.CANCEL, reason="smoke"))
    assert session.executor.kill_reason == "smoke"
    assert "killed at cancel already" in refused(session, Kill(level=KillLevel.HOLD))
    assert "killed at cancel already" in refused(session, Kill(level=KillLevel.CANCEL))
    do(session, Kill(level=KillLevel.FLATTEN))
    more(session)
    assert position_of(session).is_flat
    # Nothing is opened while killed.
    more(session)
    assert position_of(session).is_flat
    assert do(session, Rearm()) == "orders are allowed again"
    assert session.executor.kill_level is None
    more(session)
    assert not position_of(session).is_flat


def test_a_cancel_made_on_an_old_picture_is_refused(tmp_path: Path) -> None:
    session = holding(tmp_path)
    (stop,) = session.executor.held_protection()
    said = refused(session, CancelOrders(order_ids=(stop.id,), seen_seq=0))
    assert "changed at seq" in said
    assert session.executor.held_protection() == [stop]


def test_flatten_is_refused_after_the_end_of_the_run(tmp_path: Path) -> None:
    session = holding(tmp_path)
    while session.engine.step():
        if session.engine.delivered == 300:
            session.engine.sources.stop("market")
    assert "has ended" in refused(session, Flatten(instrument="BTCUSDT"))
    assert not position_of(session).is_flat


def test_only_an_unknown_order_can_be_closed_on_the_operators_word(
    tmp_path: Path,
) -> None:
    session, order_id = working(tmp_path)
    close = CloseUnknown(order_id=order_id, reason="asked the venue by phone")
    assert "not unknown" in refused(session, close).lower()
    assert "reason" in refused(session, CloseUnknown(order_id=order_id))


def below(session: Session, percent: int) -> Decimal:
    """Return a price on the tick so much below the best bid of BTCUSDT."""
    bid = session.aggregator.instrument("BTCUSDT").bid
    instrument = session.instruments["BTCUSDT"]
    return instrument.nearest_price(bid * (100 - percent) / 100)


def resting(session: Session, percent: int = 2, **rest: object) -> PlaceOrder:
    """Return a limit buy of BTCUSDT that rests."""
    given: dict[str, object] = {
        "instrument": "BTCUSDT",
        "side": Side.BUY,
        "quantity": Decimal("0.010"),
        "order_type": OrderType.LIMIT,
        "price": below(session, percent),
    }
    return PlaceOrder(**(given | rest))  # type: ignore[arg-type]


def own(session: Session) -> list[Order]:
    return [o for o in session.executor.orders() if o.owner == "operator"]


def test_a_ticket_is_sent_and_amended_and_says_what_that_does() -> None:
    session = running(200)
    command = resting(session, reason="cheap")
    said = do(session, command)
    assert said == f"buy 0.010 BTCUSDT at {command.price} was sent: cheap"
    more(session)
    (order,) = own(session)
    assert order.status is OrderStatus.ACCEPTED
    assert order.reason == "cheap"
    higher = below(session, 1)
    wanted = AmendOrder(order_id=order.id, quantity=Decimal("0.020"), price=higher)
    assert do(session, wanted) == (
        f"amend of {order.id} to 0.020 at {higher} asked for; "
        "it goes to the end of the queue"
    )
    more(session)
    (order,) = own(session)
    assert (order.quantity, order.price) == (Decimal("0.020"), higher)
    less = AmendOrder(order_id=order.id, quantity=Decimal("0.010"), price=higher)
    assert do(session, less).endswith(
        "keeps its place in the queue where the venue grants that"
    )
    more(session)
    assert own(session)[0].quantity == Decimal("0.010")
    do(session, CancelOrders(order_ids=(order.id,)))
    more(session)
    assert own(session)[0].status is OrderStatus.CANCELED


def test_a_ticket_that_is_denied_is_refused_with_its_code_and_on_record() -> None:
    session = running(200)
    records = kept(session)
    outcome = session.execute(resting(session, quantity=Decimal(9)))
    assert not outcome.accepted
    assert outcome.detail.startswith("MAX_ORDER_VALUE: value ")
    denied, taken = records
    assert isinstance(denied, DenyRecord)
    assert (denied.owner, denied.code) == ("operator", "MAX_ORDER_VALUE")
    assert isinstance(taken, CommandRecord)
    assert (taken.command, taken.subject) == ("PlaceOrder", "BTCUSDT")
    assert own(session) == []


def test_a_ticket_made_on_an_old_picture_is_refused() -> None:
    session = running(200)
    seen = session.engine.core.seq
    do(session, resting(session))
    old = resting(session, 3, seen_seq=seen)
    assert "look again and repeat" in refused(session, old)
    more(session)
    (order,) = own(session)
    amend = AmendOrder(
        order_id=order.id,
        quantity=Decimal("0.020"),
        price=below(session, 3),
        seen_seq=seen,
    )
    assert "look again and repeat" in refused(session, amend)
    assert "o-999 is not known" in refused(
        session, AmendOrder(order_id="o-999", quantity=Decimal(1), price=Decimal(1))
    )


def test_after_the_end_no_ticket_is_taken() -> None:
    session = small()
    run_backtest(session.engine)
    assert "the run has ended" in refused(session, resting(session))
    gone = AmendOrder(order_id="o-1", quantity=Decimal(1), price=Decimal(1))
    assert "no order is changed" in refused(session, gone)


def test_tickets_and_amends_of_a_journal_are_replayed_to_the_same_hash(
    tmp_path: Path,
) -> None:
    path = tmp_path / "j.sqlite"
    session = small(journal=path)
    run_backtest(session.engine, Until(events=300))
    mid = session.aggregator.instrument("BTCUSDT").bid
    stop = session.instruments["BTCUSDT"].nearest_price(mid * 0.95)
    do(
        session,
        PlaceOrder(
            instrument="BTCUSDT",
            side=Side.BUY,
            quantity=Decimal("0.010"),
            stop=stop,
            reason="by hand",
        ),
    )
    do(session, resting(session))
    more(session)
    (order,) = [o for o in own(session) if o.status is OrderStatus.ACCEPTED]
    assert position_of(session, "operator").quantity == Decimal("0.010")
    do(
        session,
        AmendOrder(
            order_id=order.id, quantity=Decimal("0.015"), price=below(session, 1)
        ),
    )
    refused_one = session.execute(resting(session, quantity=Decimal(9)))
    assert not refused_one.accepted
    made = finish(session)
    result = replay_journal(path)
    assert result.matches, result.first_difference
    assert result.state_hash == made
