"""EMA cross trades, and its money is what the fills make of it, computed apart."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal

import pytest

from tests.engine.runs import BINANCE, KLINES, finish, kept, settings
from tests.reference import reference
from workstation.engine.assembly import assemble_session
from workstation.engine.drivers import Until
from workstation.engine.settings import RunSettings
from workstation.model.instruments import Side
from workstation.model.orders import Fill
from workstation.model.records import FillRecord

ZERO = Decimal(0)


class Account:
    """Average cost, written here on purpose and not taken from the ledger."""

    def __init__(self) -> None:
        self.quantity: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.cost: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.realized = ZERO
        self.fees = ZERO
        self.cash = ZERO

    def book(self, fill: Fill) -> None:
        """Book one fill."""
        key = (fill.owner, fill.instrument)
        signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
        held = self.quantity[key]
        self.fees += fill.fee
        self.cash -= signed * fill.price + fill.fee
        if held * signed >= 0:
            self.cost[key] += signed * fill.price
        else:
            closed = min(abs(signed), abs(held)) * (1 if held > 0 else -1)
            basis = self.cost[key] * closed / held
            self.realized += closed * fill.price - basis
            self.cost[key] -= basis
            opened = signed + closed
            if opened:
                self.cost[key] = opened * fill.price
        self.quantity[key] = held + signed


def _default() -> RunSettings:
    return settings()


def _klines() -> RunSettings:
    names = ("2024-11", "2024-12", "2025-01", "2025-02")
    files = [
        str(reference("data", "binance", "klines", f"BTCUSDT-1h-{name}.csv"))
        for name in names
    ]
    return settings(f"feeds.0.files={json.dumps(files)}", config=KLINES)


def _capture() -> RunSettings:
    files = [
        str(reference("data", "binance", "spot-ws", f"{name}_20240808.gz"))
        for name in ("btcusdt", "ethusdt")
    ]
    return settings(
        f"feeds.0.files={json.dumps(files)}",
        'strategies.0.timeframe="1s"',
        config=BINANCE,
    )


RUNS = [
    pytest.param(_default, Until(span_ns=900 * 10**9), id="simulated"),
    pytest.param(_klines, None, id="klines", marks=pytest.mark.reference),
    pytest.param(_capture, None, id="capture", marks=pytest.mark.reference),
]


@pytest.mark.parametrize(("run", "until"), RUNS)
def test_ema_cross_trades_and_the_ledger_equals_its_fills(
    run: object, until: Until | None
) -> None:
    assert callable(run)
    session = assemble_session(run())
    records = kept(session)
    finish(session, until)
    fills = [r.fill for r in records if isinstance(r, FillRecord)]
    assert len(fills) > 0
    assert len({(fill.order_id, fill.trade_id) for fill in fills}) == len(fills)
    mine = Account()
    for fill in fills:
        instrument = session.instruments[fill.instrument]
        assert instrument.is_on_tick(fill.price)
        assert instrument.is_on_lot(fill.quantity)
        mine.book(fill)
    executor = session.executor
    account = executor.account()
    worth = ZERO
    for (owner, name), quantity in mine.quantity.items():
        position = executor.position(owner, name)
        assert position.quantity == quantity
        mark = session.aggregator.instrument(name).mark
        assert mark is not None
        if quantity:
            average = mine.cost[owner, name] / quantity
            assert _near(position.average_price, average)
            worth += quantity * Decimal(repr(mark))
    for name in session.instruments:
        net = sum((q for (_, n), q in mine.quantity.items() if n == name), ZERO)
        assert executor.net(name) == net
    assert account.fills == len(fills)
    assert _near(account.realized, mine.realized)
    assert account.fees == mine.fees
    # Cash and what is held at the market: another road to the same equity. A mark is
    # the middle of two floats, which the ledger rounds to what prices can be.
    equity = account.initial + mine.cash + worth
    assert _near(account.equity, equity, Decimal("1e-6"))


def _near(one: Decimal, other: Decimal, by: Decimal = Decimal("1e-15")) -> bool:
    # Average prices have no end of decimals; both roads divide.
    return abs(one - other) < by
