"""What happens at the simulated venue by hand: its account differs, and is settled."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from tests.engine.commands import do, holder, more, refused, working
from tests.engine.runs import kept, small
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.model.commands import Inject, Reconcile, Resolve
from workstation.model.instruments import Side
from workstation.model.orders import OrderStatus, OrderType
from workstation.model.reconciliation import (
    BalanceLine,
    ReconciliationView,
    Resolution,
    Subject,
    Verdict,
)
from workstation.model.records import DifferenceRecord
from workstation.model.rehearsal import HandOrder, Happening, Transfer
from workstation.model.reports import (
    ExternalOrder,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    ReportsLost,
)

D = Decimal
NEVER = "return None"


def started(*overrides: str, journal: Path | None = None) -> Session:
    session = small(*overrides, journal=journal)
    run_backtest(session.engine, Until(events=400))
    return session


def view(session: Session) -> ReconciliationView:
    seen = session.frame(0, frozenset({"reconciliation"})).reconciliation
    assert seen is not None
    return seen


def balance(session: Session, currency: str) -> BalanceLine:
    return next(b for b in view(session).balances if b.currency == currency)


def inject(session: Session, event: Happening) -> str:
    return do(session, Inject(event=event))


def below(session: Session, share: str = "0.98") -> Decimal:
    """Return a price at which a buy of BTCUSDT rests."""
    bid = session.aggregator.instrument("BTCUSDT").bid
    return session.instruments["BTCUSDT"].nearest_price(bid * float(share))


def by_hand(session: Session, **changes: Decimal | None) -> HandOrder:
    values: dict[str, Decimal | None] = {"quantity": D("0.010"), **changes}
    if "price" not in values:
        values["price"] = below(session)
    quantity = values["quantity"]
    assert quantity is not None
    return HandOrder(
        instrument="BTCUSDT", side=Side.BUY, quantity=quantity, price=values["price"]
    )


def test_a_deposit_is_found_by_asking_twice_and_booked_as_put_in() -> None:
    session = started()
    before = session.executor.account().equity
    assert inject(session, Transfer(currency="USDT", amount=D(250))) == (
        "250 USDT was put in at the venue"
    )
    assert session.executor.account().equity == before, "the books hear of nothing"
    do(session, Reconcile())
    assert balance(session, "USDT").verdict is Verdict.ASKING
    more(session)
    do(session, Reconcile())
    line = balance(session, "USDT")
    assert (line.verdict, line.difference) == (Verdict.DIFFERS, D(250))
    before = session.executor.account().equity
    do(
        session,
        Resolve(
            kind=Subject.BALANCE,
            subject="USDT",
            resolution=Resolution.ADOPT,
            difference=line.difference,
        ),
    )
    assert session.executor.account().equity == before + 250
    do(session, Reconcile())
    assert balance(session, "USDT").verdict is Verdict.AGREES


def test_a_withdrawal_is_found_by_the_run_s_own_clock(tmp_path: Path) -> None:
    session = started("reconciliation.every_s=5", "reconciliation.confirm_ms=500")
    records = kept(session)
    inject(session, Transfer(currency="USDT", amount=D(-100)))
    more(session, 2_000)
    found = [r for r in records if isinstance(r, DifferenceRecord)]
    assert [(r.subject, r.after) for r in found] == [("USDT", Verdict.DIFFERS)]


def test_an_order_made_by_hand_is_external_and_fills_as_such(tmp_path: Path) -> None:
    session = holder(tmp_path, NEVER)
    run_backtest(session.engine, Until(events=200))
    said = inject(session, by_hand(session))
    more(session, 5)
    (order,) = session.executor.orders()
    assert order.owner == "external"
    assert order.status is OrderStatus.ACCEPTED
    assert said.startswith(f"order {order.id} was made at the venue: buy 0.01 BTCUSDT")
    do(session, Reconcile())
    (line,) = view(session).orders
    assert (line.verdict, line.here) == (Verdict.EXTERNAL, line.venue)
    inject(session, by_hand(session, price=None))
    more(session, 5)
    held = session.executor.position("external", "BTCUSDT")
    assert held.quantity == D("0.010")
    do(session, Reconcile())
    assert balance(session, "BTC").verdict is Verdict.AGREES
    assert [p.verdict for p in view(session).positions] == [Verdict.EXTERNAL]
    do(
        session,
        Resolve(kind=Subject.ORDER, subject=order.id, resolution=Resolution.CANCEL),
    )
    more(session, 5)
    assert view(session).orders == ()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Transfer(currency="XYZ", amount=D(1)), "no currency XYZ; known: USDT, BTC"),
        (Transfer(currency="USDT", amount=D(0)), "other than 0"),
        (Transfer(currency="USDT", amount=D("NaN")), "amount NaN is no figure"),
        (Transfer(currency="USDT", amount=D("1e400")), "1.000e+400 is no figure"),
        (Transfer(currency="USDT", amount=D(-1_000_000)), "less than 1000000"),
        (
            HandOrder(instrument="X", side=Side.BUY, quantity=D(1)),
            "no instrument X",
        ),
        (
            HandOrder(instrument="BTCUSDT", side=Side.BUY, quantity=D("NaN")),
            "quantity NaN is no figure",
        ),
        (
            HandOrder(instrument="BTCUSDT", side=Side.BUY, quantity=D("0.0000001")),
            "the venue refuses it: quantity 1E-7",
        ),
        (
            HandOrder(
                instrument="BTCUSDT",
                side=Side.BUY,
                quantity=D(1),
                price=D("60000.001"),
            ),
            "the venue refuses it: price 60000.001 is not on tick",
        ),
    ],
)
def test_what_no_account_could_have_is_refused(event: Happening, said: str) -> None:
    session = started()
    assert said in refused(session, Inject(event=event))


def test_a_rehearsal_replays_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    session = started(journal=path)
    inject(session, Transfer(currency="USDT", amount=D("12.5")))
    inject(session, by_hand(session))
    do(session, Reconcile())
    more(session, 300)
    do(session, Reconcile())
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference


# What is told and not so.


def filled(order_id: str, **changes: object) -> OrderFilledReport:
    values: dict[str, object] = {
        "order_id": order_id,
        "trade_id": "told-1",
        "quantity": D("0.001"),
        "price": D("61000.00"),
        "fee": D("0"),
        "fee_currency": "USDT",
        "maker": True,
        **changes,
    }
    return msgspec.convert(values, OrderFilledReport)


def status_of(session: Session, order_id: str) -> OrderStatus:
    history = session.executor.history(order_id)
    assert history is not None
    return history.order.status


def test_a_fill_that_the_venue_never_made_is_booked_and_found_out(
    tmp_path: Path,
) -> None:
    session, order_id = working(tmp_path)
    before = session.executor.position("ema_cross", "BTCUSDT").quantity
    report = filled(order_id)
    assert do(session, Inject(event=report)) == f"OrderFilledReport {order_id}"
    held = session.executor.position("ema_cross", "BTCUSDT").quantity
    assert held == before + D("0.001")
    assert status_of(session, order_id) is OrderStatus.PARTIALLY_FILLED
    for _ in range(2):
        do(session, Reconcile())
        more(session, 100)
    assert balance(session, "BTC").verdict is Verdict.DIFFERS
    assert session.executor.controls.unreconciled


def test_a_cancel_that_is_told_and_not_so_is_taken_back(tmp_path: Path) -> None:
    session, order_id = working(tmp_path)
    do(session, Inject(event=OrderCanceled(order_id, "told by hand")))
    assert status_of(session, order_id) is OrderStatus.CANCELED
    for _ in range(2):
        do(session, Reconcile())
        more(session, 100)
    assert status_of(session, order_id) is OrderStatus.ACCEPTED


def test_a_report_told_twice_is_counted_once(tmp_path: Path) -> None:
    session, order_id = working(tmp_path)
    for _ in range(2):
        do(session, Inject(event=filled(order_id)))
    assert session.executor.position("ema_cross", "BTCUSDT").quantity == D("0.001")


def test_reports_that_were_lost_make_every_order_asked_about(tmp_path: Path) -> None:
    session, order_id = working(tmp_path)
    assert (
        do(session, Inject(event=ReportsLost("rehearsal"))) == "ReportsLost rehearsal"
    )
    assert session.executor.desk.queries.asks(order_id)
    more(session, 100)
    assert not session.executor.desk.queries.asks(order_id)
    assert status_of(session, order_id) is OrderStatus.ACCEPTED


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"order_id": "o-99"}, "no order 'o-99'; OrderFilledReport takes the id of"),
        ({"quantity": D(0)}, "OrderFilledReport: quantity must be above 0"),
        ({"quantity": D(-1)}, "OrderFilledReport: quantity must not be below 0"),
        ({"price": D("NaN")}, "OrderFilledReport: price NaN is no figure below"),
        ({"price": D("Infinity")}, "price Infinity is no figure below"),
        ({"fee": D("1e400")}, "OrderFilledReport: fee 1.000e+400 is no figure"),
    ],
)
def test_a_report_of_nothing_is_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    session, order_id = working(tmp_path)
    report = filled(**{"order_id": order_id, **changes})  # type: ignore[arg-type]
    assert said in refused(session, Inject(event=report))
    assert session.executor.account().fills == 0


def test_an_order_told_of_in_another_market_is_refused(tmp_path: Path) -> None:
    session, _ = working(tmp_path)
    order = ExternalOrder(
        order_id="x",
        instrument="XYZ",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=D(1),
    )
    assert "no instrument XYZ; known: BTCUSDT" in refused(session, Inject(event=order))


def test_what_was_told_is_told_again_in_a_replay(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    session = started(journal=path)
    order = by_hand(session)
    inject(session, order)
    more(session, 20)
    (made,) = [o for o in session.executor.orders() if o.owner == "external"]
    do(session, Inject(event=filled(made.id)))
    do(session, Inject(event=OrderExpired(made.id, "told")))
    do(session, Inject(event=ReportsLost("told")))
    more(session, 200)
    session.close()
    result = replay_journal(path)
    assert result.matches, result.first_difference
