"""Injected events: seen by all, known as such, and none that no market could send."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.commands import do, more, refused, working
from tests.engine.runs import small
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.injection import Injections
from workstation.model.commands import Inject
from workstation.model.errors import CommandRefused
from workstation.model.market import Bar, BookDelta, BookSnapshot, Quote, Trade
from workstation.model.orders import OrderStatus
from workstation.model.signals import Signal, SignalAction
from workstation.model.timeframes import Timeframe

S = 1_000_000_000
SECOND = Timeframe.of_ns(S)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (Quote("BTCUSDT", 0, 2.0, 1.0, 1.0, 1.0), "0 < bid < ask"),
        (Quote("BTCUSDT", 0, 1.0, 0.0, 2.0, 1.0), "sizes above 0"),
        (Quote("BTCUSDT", 0, NAN, 1.0, 2.0, 1.0), "finite figures"),
        (Quote("BTCUSDT", 0, 1.0, 1.0, INF, 1.0), "finite figures"),
        (Trade("BTCUSDT", 0, 0.0, 1.0), "price and size above 0"),
        (Trade("BTCUSDT", 0, 1.0, INF), "finite figures"),
        (
            Bar("BTCUSDT", 0, SECOND, 0, 2.0, 1.0, 1.0, 2.0, 1.0),
            "low ≤ open",
        ),
        (
            Bar("BTCUSDT", 0, SECOND, 0, 2.0, 3.0, 1.0, NAN, 1.0),
            "finite figures",
        ),
        (
            Bar("BTCUSDT", 0, SECOND, 0, 2.0, 3.0, 1.0, 2.0, -1.0),
            "no negative volume",
        ),
        (BookDelta("BTCUSDT", 0, 1, 2, ((-1.0, 1.0),), ()), "prices above 0"),
        (BookSnapshot("BTCUSDT", 0, 1, (), ((1.0, NAN),)), "finite figures"),
        (Quote("XYZ", 0, 1.0, 1.0, 2.0, 1.0), "no instrument XYZ; known: BTCUSDT"),
        (
            Signal(strategy="who", instrument="BTCUSDT", action=SignalAction.EXIT),
            "no row who BTCUSDT; strategies: ema_cross",
        ),
        (
            Signal(strategy="ema_cross", instrument="X", action=SignalAction.EXIT),
            "no row ema_cross X",
        ),
    ],
)
def test_an_event_that_no_market_could_send_is_refused(
    event: Quote | Trade | Bar | BookDelta | BookSnapshot | Signal, said: str
) -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    assert said in refused(session, Inject(event=event))


def test_an_injected_event_is_seen_by_all_at_the_run_s_time(tmp_path: Path) -> None:
    session, order_id = working(tmp_path)
    (order,) = session.executor.working("ema_cross", "BTCUSDT")
    ts = session.engine.core.ts
    price = float(order.price or 0) * 0.99
    said = do(session, Inject(event=Quote("BTCUSDT", 1, price, 9.0, price + 1, 9.0)))
    assert said == "Quote for BTCUSDT"
    live = session.aggregator.instrument("BTCUSDT")
    assert live.ts_recv == ts
    more(session, 50)
    # The venue saw it too, and filled what rested above.
    assert session.engine.store.snapshot().orders[order_id].status is OrderStatus.FILLED


def test_an_injection_is_known_as_such() -> None:
    session = small()
    run_backtest(session.engine, Until(events=50))
    outcome = session.execute(Inject(event=Trade("BTCUSDT", 0, 61_000.0, 1.0)))
    assert session.frame(0, frozenset()).injected == {outcome.seq}


def test_nothing_is_injected_into_an_account_that_is_not_simulated() -> None:
    session = small()
    injections = Injections(
        session.engine, session.aggregator, {}, session.executor.history, allowed=False
    )
    inject = injections.handlers()[Inject]
    with pytest.raises(CommandRefused) as caught:
        inject(Inject(event=Trade("BTCUSDT", 0, 1.0, 1.0)))
    assert str(caught.value) == "inject works in simulation and recording only"
