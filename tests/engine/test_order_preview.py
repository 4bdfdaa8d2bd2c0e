"""The preview of an order: the verdict of the command, its cost, nothing changed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.commands import do, holding, more
from tests.engine.runs import running, small
from tests.engine.test_order_commands import below, own, resting
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.order_preview import Preview, Touch
from workstation.engine.session import Session
from workstation.model.commands import AmendOrder, CancelOrders, Hold, PlaceOrder
from workstation.model.errors import CommandRefused
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType

D = Decimal


def market(
    side: Side = Side.BUY, quantity: str = "0.010", **rest: object
) -> PlaceOrder:
    given: dict[str, object] = {
        "instrument": "BTCUSDT",
        "side": side,
        "quantity": D(quantity),
    }
    return PlaceOrder(**(given | rest))  # type: ignore[arg-type]


def test_a_preview_changes_nothing_at_all() -> None:
    session = running(300)
    more(session, 10)
    do(session, resting(session))
    more(session, 100)
    (order,) = own(session)
    before = session.engine.state_hash(), session.engine.digest()
    seq, by_hand = session.engine.core.seq, session.control.by_hand
    for command in (
        market(),
        market(quantity="9"),
        resting(session, 5),
        AmendOrder(order_id=order.id, quantity=D("0.020"), price=below(session, 1)),
        AmendOrder(order_id=order.id, quantity=D("0.007"), price=below(session, 2)),
    ):
        session.preview_order(command)
    assert (session.engine.state_hash(), session.engine.digest()) == before
    assert (session.engine.core.seq, session.control.by_hand) == (seq, by_hand)


def test_a_run_with_previews_has_the_hash_of_one_without() -> None:
    hashes = []
    for looks in (False, True):
        session = small()
        for events in range(100, 1_500, 100):
            run_backtest(session.engine, Until(events=events))
            if looks:
                session.preview_order(market())
        hashes.append(session.engine.state_hash())
    assert hashes[0] == hashes[1]


def test_what_it_costs_is_in_numbers() -> None:
    session = running(300)
    command = resting(session, 2)
    found = session.preview_order(command)
    price, view = command.price, session.aggregator.instrument("BTCUSDT")
    assert price is not None
    assert found.passes
    assert found.notional == D("0.010") * price
    # The default broker takes 1.5 bps of resting orders and 4.5 of those that take.
    assert found.fee_maker == found.notional * D("1.5") / 10_000
    assert found.fee_taker == found.notional * D("4.5") / 10_000
    assert found.currency == "USDT"
    assert found.ties_up == found.notional
    value = session.executor.ledger.value()
    pending = session.executor.desk.orders.pending_value
    assert found.free == value.equity - value.exposure - pending - found.ties_up
    assert found.takes == 0
    assert view.mid is not None
    assert found.away_bps == pytest.approx((float(price) / view.mid - 1) * 10_000)
    touch = session.touch("BTCUSDT")
    assert (touch.bid, touch.ask, touch.mid) == (view.bid, view.ask, view.mid)
    assert next(gate.name for gate in found.gates) == "feed"


def test_what_it_takes_is_what_the_visible_book_gives() -> None:
    session = running(300)
    view = session.aggregator.instrument("BTCUSDT")
    book = view.book
    assert book is not None
    best = book.best_ask()
    assert best is not None
    first, second = book.asks(2)
    lots = session.instruments["BTCUSDT"].round_quantity(first[1] + second[1] / 2)
    found = session.preview_order(market(quantity=str(lots)))
    assert found.takes == lots
    rest = float(lots) - first[1]
    mean = (first[0] * first[1] + second[0] * rest) / float(lots)
    assert found.take_price == pytest.approx(mean, rel=1e-9)
    # At a limit of the best ask it takes that level and rests with the rest.
    price = session.instruments["BTCUSDT"].nearest_price(first[0])
    found = session.preview_order(resting(session, quantity=lots, price=price))
    assert found.takes == session.instruments["BTCUSDT"].round_quantity(first[1])
    assert found.take_price == pytest.approx(first[0])


def test_no_average_is_better_than_the_best_price_of_a_newer_quote() -> None:
    session = running(300)
    view = session.aggregator.instrument("BTCUSDT")
    instrument = session.instruments["BTCUSDT"]
    book = view.book
    assert book is not None
    levels = book.bids(4)
    # The quote has moved on below the two best levels of a book that is older.
    view.bid, view.bid_size = levels[2][0], 0.004
    lots = instrument.round_quantity(0.004 + levels[3][1] / 2)
    found = session.preview_order(market(Side.SELL, str(lots)))
    assert (found.takes, found.crosses) == (lots, True)
    rest = float(lots) - 0.004
    mean = (levels[2][0] * 0.004 + levels[3][0] * rest) / float(lots)
    assert found.take_price == pytest.approx(mean, rel=1e-12)
    assert found.take_price is not None
    assert found.take_price <= view.bid
    # At its price only what it shows is there, whatever the book says of better ones.
    at = instrument.nearest_price(view.bid)
    sell = market(Side.SELL, str(lots), order_type=OrderType.LIMIT, price=at)
    found = session.preview_order(sell)
    assert (found.takes, found.take_price) == (D("0.004"), view.bid)
    # Where the price above it was the best bid there is nothing left to take.
    above = market(
        Side.SELL,
        str(lots),
        order_type=OrderType.LIMIT,
        price=instrument.nearest_price(levels[0][0]),
    )
    found = session.preview_order(above)
    assert (found.takes, found.take_price, found.crosses) == (D(0), None, False)


def test_a_quote_without_a_size_is_met_with_nothing_known_to_take() -> None:
    session = running(300)
    view = session.aggregator.instrument("BTCUSDT")
    view.bid_size = 0.0
    found = session.preview_order(market(Side.SELL))
    assert (found.takes, found.take_price, found.crosses) == (D(0), None, True)
    view.bid = 0.0
    found = session.preview_order(market(Side.SELL))
    assert (found.takes, found.crosses) == (None, False)


def test_the_position_after_is_the_operators_and_the_accounts(tmp_path: Path) -> None:
    session = holding(tmp_path)
    held = session.executor.position("ema_cross", "BTCUSDT").quantity
    found = session.preview_order(market(Side.SELL))
    assert (found.position, found.position_after) == (D(0), D("-0.010"))
    assert (found.net, found.net_after) == (held, held - D("0.010"))
    # What takes the account's position down ties up nothing more.
    assert found.ties_up == 0


def test_the_verdict_is_that_of_the_command() -> None:
    session = running(300)
    for command in (market(quantity="9"), market(quantity="0.0000001"), market()):
        found = session.preview_order(command)
        outcome = session.execute(command)
        assert found.passes is outcome.accepted
        if not outcome.accepted:
            assert f"{found.code}: {found.denial}" == outcome.detail
    do(session, Hold(on=True))
    found = session.preview_order(market())
    assert (found.code, found.passes) == ("HOLD", False)
    closed = [gate.name for gate in found.gates if not gate.passed]
    assert closed == ["engine"]


def test_an_amend_is_previewed_in_the_place_of_its_order() -> None:
    session = running(300)
    do(session, resting(session, quantity=D("0.200")))
    more(session, 100)
    (order,) = own(session)
    assert order.price is not None
    same = preview_of(session, order.id, "0.200", order.price + D("0.1"))
    value = session.executor.ledger.value()
    assert same.notional == D("0.200") * (order.price + D("0.1"))
    assert same.free is not None
    # Counted once: the order itself is not pending any more.
    others = session.executor.desk.orders.pending_value - D("0.200") * order.price
    assert same.free == value.equity - value.exposure - others - (same.ties_up or 0)
    assert not same.keeps_queue
    assert preview_of(session, order.id, "0.100", order.price).keeps_queue
    bad = preview_of(session, order.id, "0.200", order.price)
    assert (bad.code, bad.passes) == ("NOTHING_CHANGED", False)
    do(session, CancelOrders(order_ids=(order.id,)))
    more(session, 50)
    assert own(session)[0].status is OrderStatus.CANCELED
    assert preview_of(session, order.id, "0.1", order.price).code == "NOT_AMENDABLE"


def preview_of(
    session: Session, order_id: str, quantity: str, price: Decimal
) -> Preview:
    command = AmendOrder(order_id=order_id, quantity=D(quantity), price=price)
    return session.preview_order(command)


def test_what_is_not_there_has_no_preview() -> None:
    session = running(300)
    assert session.touch("XRPUSDT") == Touch(None, None, None)
    assert session.touch("XRPUSDT").mid is None
    with pytest.raises(CommandRefused, match="o-99 is not known"):
        preview_of(session, "o-99", "1", D(1))
    with pytest.raises(CommandRefused, match="XRPUSDT is not in this run"):
        session.preview_order(market(instrument="XRPUSDT"))


def test_a_stop_is_worth_what_its_trigger_is_and_waits() -> None:
    session = running(300)
    view = session.aggregator.instrument("BTCUSDT")
    instrument = session.instruments["BTCUSDT"]
    at = instrument.nearest_price(view.ask * 1.01)
    stop = market(order_type=OrderType.STOP, trigger=at)
    found = session.preview_order(stop)
    assert found.passes
    assert (found.waits, found.held, found.takes) == (True, True, None)
    assert (found.price, found.notional) == (at, D("0.010") * at)
    assert found.ties_up is not None
    assert found.away_bps == pytest.approx(100, rel=0.05)
    done = do(session, stop)
    assert done.endswith(f"at market once {at} is met is held here"), done
    (order,) = own(session)
    moved = AmendOrder(
        order_id=order.id, quantity=D("0.020"), price=None, trigger=at + 1
    )
    found = session.preview_order(moved)
    assert (found.passes, found.waits, found.keeps_queue) == (True, True, False)
    # In the place of the old one, not on top of it.
    assert found.notional == D("0.020") * (at + 1)
    # What is said once it is done names all of what changed, numbered as on the screen.
    number = order.id.rsplit("-", 1)[-1].lstrip("0")
    said = do(session, moved)
    digits = max(0, -int(at.normalize().as_tuple().exponent))
    prices = f"trigger {at:,.{digits}f} to {at + 1:,.{digits}f}"
    assert said == f"entry {number}: 0.01 to 0.02, {prices}"
    back = AmendOrder(order_id=order.id, quantity=D("0.020"), price=None, trigger=at)
    assert do(session, back).endswith(
        f": trigger {at + 1:,.{digits}f} to {at:,.{digits}f}"
    )
    met = market(order_type=OrderType.STOP, trigger=instrument.nearest_price(view.bid))
    assert session.preview_order(met).code == "TRIGGER_MET"


def test_a_venue_that_keeps_stops_holds_none_of_them_here() -> None:
    session = small("brokers.0.native_stops=true")
    run_backtest(session.engine, Until(events=300))
    view = session.aggregator.instrument("BTCUSDT")
    at = session.instruments["BTCUSDT"].nearest_price(view.ask * 1.01)
    stop = market(order_type=OrderType.STOP, trigger=at)
    found = session.preview_order(stop)
    assert (found.waits, found.held) == (True, False)
    assert do(session, stop).endswith("was sent")
    more(session, 200)
    (order,) = own(session)
    assert (order.type, order.status) == (OrderType.STOP, OrderStatus.ACCEPTED)


def test_the_row_of_an_entry_has_the_stop_and_target_it_brings() -> None:
    session = running(300)
    stop, target = below(session, 50), below(session, -50)
    do(session, resting(session, stop=stop, target=target))
    more(session, 100)
    (order,) = own(session)
    rows = session.frame(0, frozenset({"orders"}), None).orders or ()
    row = next(each for each in rows if each.order.id == order.id)
    assert row.bracket == (stop, target)
