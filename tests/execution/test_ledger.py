"""The ledger against an independent recomputation, and its day, trades and owners."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.execution.fakes import BTC, ETH, NS, FakeMarket
from workstation.execution.ledger import DAY_NS, Ledger
from workstation.model.instruments import Side
from workstation.model.orders import Fill, OrderRole
from workstation.model.positions import Position

D = Decimal
TINY = D("1e-18")


def ledger(market: FakeMarket | None = None, day_starts_minutes: int = 0) -> Ledger:
    return Ledger(
        "USDT", D(1000), (BTC, ETH), market or FakeMarket(), day_starts_minutes
    )


def fill(
    quantity: str | Decimal,
    price: str | Decimal,
    owner: str = "s",
    instrument: str = "BTC",
    fee: str = "0",
    currency: str = "USDT",
    ts: int = 0,
) -> Fill:
    signed = D(quantity)
    return Fill(
        order_id="o",
        trade_id="t",
        instrument=instrument,
        owner=owner,
        side=Side.BUY if signed > 0 else Side.SELL,
        quantity=abs(signed),
        price=D(price),
        fee=D(fee),
        fee_currency=currency,
        maker=False,
        ts=ts,
        role=OrderRole.ENTRY,
        reason="because",
    )


def state(position: Position) -> tuple[Decimal, Decimal, Decimal]:
    return position.quantity, position.average_price, position.realized


def test_reducing_keeps_the_entry_price() -> None:
    book = ledger()
    book.apply(fill("2", "100"))
    _, after = book.apply(fill("-1", "110"))
    assert (after.quantity, after.average_price, after.realized) == (
        D(1),
        D(100),
        D(10),
    )


def test_adding_averages_the_entry_price() -> None:
    book = ledger()
    book.apply(fill("1", "100"))
    _, after = book.apply(fill("3", "104"))
    assert after.average_price == 103


def test_crossing_zero_starts_again_at_the_fill() -> None:
    book = ledger()
    book.apply(fill("1", "100", ts=1))
    before, after = book.apply(fill("-3", "90", ts=2))
    assert before.quantity == 1
    assert (after.quantity, after.average_price, after.realized) == (
        D(-2),
        D(90),
        D(-10),
    )
    assert after.opened_ns == 2


def test_a_short_earns_when_the_price_falls() -> None:
    market = FakeMarket()
    market.views["BTC"].bid, market.views["BTC"].ask = 89.0, 91.0
    book = ledger(market)
    book.apply(fill("-2", "100"))
    assert book.account().unrealized == 20
    assert book.account().equity == 1020
    assert book.account().exposure == 180


def test_without_a_mark_a_position_is_at_cost() -> None:
    book = ledger()
    book.apply(fill("2", "100"))
    assert book.account().equity == 1000
    assert book.account().exposure == 200


def test_a_mark_in_the_middle_of_a_tick_is_exact() -> None:
    market = FakeMarket()
    market.views["BTC"].bid, market.views["BTC"].ask = 0.1, 0.2
    assert ledger(market).mark("BTC") == D("0.15")


def test_fees_are_kept_in_their_own_currency_and_valued() -> None:
    book = ledger()
    book.apply(fill("1", "100", fee="0.5"))
    book.apply(fill("1", "100", fee="0.01", currency="BTC"))
    book.apply(fill("1", "100", fee="3", currency="POINTS"))
    assert book.fees_by_currency == {"USDT": D("0.5"), "BTC": D("0.01"), "POINTS": D(3)}
    assert book.fees == D("1.5")
    assert book.unvalued_fees == {"POINTS": D(3)}
    assert book.position("s", "BTC").fees == D("1.5")


def test_a_round_trip_is_one_closed_trade_with_its_reason() -> None:
    book = ledger()
    book.apply(fill("1", "100", ts=1, fee="1"))
    book.apply(fill("1", "102", ts=2, fee="1"))
    book.apply(fill("-0.5", "110", ts=3, fee="1"))
    assert not book.trades
    book.apply(fill("-1.5", "104", ts=4, fee="1"))
    (trade,) = book.trades
    assert (trade.side, trade.quantity) == (Side.BUY, D(2))
    assert (trade.entry, trade.exit) == (D(101), D("105.5"))
    assert (trade.pnl, trade.fees, trade.net) == (D(9), D(4), D(5))
    assert (trade.reason, trade.opened_ns, trade.closed_ns) == ("because", 1, 4)


def test_crossing_zero_closes_one_trade_and_opens_the_next() -> None:
    book = ledger()
    book.apply(fill("1", "100"))
    book.apply(fill("-4", "110", fee="4"))
    book.apply(fill("3", "100", fee="1"))
    first, second = book.trades
    assert (first.side, first.pnl, first.fees) == (Side.BUY, D(10), D(1))
    assert (second.side, second.pnl, second.fees) == (Side.SELL, D(30), D(4))


def test_a_hand_over_keeps_cost_and_lets_the_trade_go_on() -> None:
    book = ledger()
    book.apply(fill("2", "100", ts=1))
    book.apply(fill("-1", "110", ts=2))
    (_, emptied), (_, joined) = book.transfer("s", "operator", "BTC", 3)
    assert (emptied.quantity, emptied.realized) == (D(0), D(10))
    assert (joined.quantity, joined.average_price, joined.realized) == (
        D(1),
        D(100),
        D(0),
    )
    assert book.net("BTC") == 1
    book.apply(fill("-1", "120", owner="operator", ts=4))
    (trade,) = book.trades
    assert (trade.owner, trade.quantity, trade.pnl) == ("operator", D(2), D(30))
    assert book.realized == 30


def test_opposite_owners_cannot_be_joined() -> None:
    book = ledger()
    book.apply(fill("2", "100"))
    book.apply(fill("-1", "100", owner="operator"))
    with pytest.raises(ValueError, match="opposite"):
        book.transfer("s", "operator", "BTC", 3)


def test_the_day_starts_again_at_its_hour() -> None:
    market = FakeMarket()
    book = ledger(market, day_starts_minutes=90)
    assert book.start_day(DAY_NS) == DAY_NS + 90 * 60 * NS
    assert book.start_day(DAY_NS + 90 * 60 * NS) == 2 * DAY_NS + 90 * 60 * NS
    book.apply(fill("1", "100"))
    market.views["BTC"].last = 150.0
    book.start_day(2 * DAY_NS + 90 * 60 * NS)
    assert book.account().day_start == 1050


def test_the_curve_keeps_one_point_per_moment() -> None:
    book = ledger()
    book.sample(1, D(1))
    book.sample(1, D(2))
    book.sample(2, D(3))
    assert list(book.curve) == [(1, D(2)), (2, D(3))]


FILLS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "operator"]),
        st.sampled_from(["BTC", "ETH"]),
        st.integers(-5000, 5000).filter(bool),
        st.integers(1, 20_000),
        st.integers(-10, 50),
    ),
    max_size=40,
)


@given(FILLS)
def test_the_ledger_equals_an_independent_recomputation(
    steps: list[tuple[str, str, int, int, int]],
) -> None:
    market = FakeMarket()
    market.views["BTC"].last, market.views["ETH"].last = 101.5, 33.25
    book = ledger(market)
    held: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    cash, fees, closed = Fraction(1000), Fraction(0), Fraction(0)
    lots: dict[tuple[str, str], tuple[Fraction, Fraction]] = {}
    for owner, name, lots_count, ticks, fee in steps:
        quantity, price = Fraction(lots_count, 1000), Fraction(ticks, 10)
        made = fill(
            D(lots_count) / 1000,
            D(ticks) / 10,
            owner,
            name,
            fee=str(D(fee) / 100),
        )
        book.apply(made)
        cash -= quantity * price + Fraction(fee, 100)
        fees += Fraction(fee, 100)
        before, average = lots.get((owner, name), (Fraction(0), Fraction(0)))
        after = before + quantity
        if before * quantity >= 0:
            average = (average * before + price * quantity) / after
        else:
            part = quantity if abs(quantity) <= abs(before) else -before
            closed += (average - price) * part
            if before * after < 0:
                average = price
        lots[(owner, name)] = (after, average)
        held[(owner, name)] += quantity
    marks = {"BTC": Fraction(203, 2), "ETH": Fraction(133, 4)}
    worth = sum((marks[name] * q for (_, name), q in held.items()), Fraction(0))
    account = book.account()
    assert abs(Fraction(account.equity) - (cash + worth)) < Fraction(TINY)
    assert abs(Fraction(account.realized) - closed) < Fraction(TINY)
    assert Fraction(account.fees) == fees
    for (owner, name), (quantity, average) in lots.items():
        position = book.position(owner, name)
        assert Fraction(position.quantity) == quantity
        if quantity:
            assert abs(Fraction(position.average_price) - average) < Fraction(TINY)
    for name in ("BTC", "ETH"):
        owners = [p.quantity for p in book.positions() if p.instrument == name]
        assert book.net(name) == sum(owners, D(0))
    total = sum((p.realized for p in book.positions()), D(0))
    assert abs(total - account.realized) < TINY
    ended = sum((t.pnl for t in book.trades), D(0))
    running = sum((life.pnl for life in book._lives.values()), D(0))
    assert abs(ended + running - account.realized) < TINY
