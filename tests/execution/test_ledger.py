"""The ledger: average cost, fees, trades and what they saw, hand-overs, days, marks."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.execution.fakes import BTC, ETH, NS, FakeMarket, quote
from workstation.execution.ledger import DAY_NS, Ledger
from workstation.model.instruments import Side
from workstation.model.orders import Fill, OrderRole
from workstation.model.positions import Position

D = Decimal


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


def rows(book: Ledger, equity: Decimal) -> list[tuple[Decimal, Decimal]]:
    """Return of each day what became of the equity, and what was realized."""
    return [(d.end - d.start, d.sums.net) for d in book.statements.daily(equity)]


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
    assert book.fees.by_currency == {"USDT": D("0.5"), "BTC": D("0.01"), "POINTS": D(3)}
    assert book.fees.total == D("1.5")
    assert book.fees.unvalued == {"POINTS": D(3)}
    assert book.position("s", "BTC").fees == D("1.5")


def test_balances_are_what_a_spot_account_shows() -> None:
    book = ledger()
    book.apply(fill("1", "100", fee="0.001", currency="BTC"))
    book.apply(fill("2", "10", instrument="ETH", fee="0.01", currency="POINTS"))
    book.apply(fill("-0.5", "120", fee="0.06"))
    assert book.balances() == {
        "USDT": D("939.94"),
        "BTC": D("0.499"),
        "ETH": D(2),
        "POINTS": D("-0.01"),
    }
    assert book.position("s", "BTC").quantity == D("0.499")


def test_a_fee_in_base_shrinks_what_is_held() -> None:
    book = ledger()
    _, after = book.apply(fill("1", "100", fee="0.001", currency="BTC"))
    assert (after.quantity, after.cost, after.average_price, after.fees) == (
        D("0.999"),
        D("99.9"),
        D(100),
        D("0.1"),
    )
    assert book.balances() == {"USDT": D(900), "BTC": D("0.999")}
    assert book.account().equity == D("999.9")
    assert book.swept is None


def test_a_fee_in_base_takes_more_of_a_sale_from_what_is_held() -> None:
    book = ledger()
    book.apply(fill("2", "100"))
    _, after = book.apply(fill("-1", "110", fee="0.002", currency="BTC"))
    # 1.002 are gone for 110: what the fee was worth counts as received and paid.
    assert (after.quantity, after.realized) == (D("0.998"), D("10.02"))
    assert book.fees.total == D("0.22")
    assert book.balances() == {"USDT": D(910), "BTC": D("0.998")}


def test_what_a_sale_leaves_below_a_lot_is_dust_and_the_trade_is_over() -> None:
    market = FakeMarket()
    book = ledger(market)
    book.apply(fill("1", "100", fee="0.0015", currency="BTC", ts=1))
    before, after = book.apply(fill("-0.998", "110", ts=2))
    assert (before.quantity, after.quantity, after.cost) == (D("0.9985"), D(0), D(0))
    assert after.realized == D("9.985")
    dust = book.position("dust", "BTC")
    assert book.swept == (Position(owner="dust", instrument="BTC"), dust)
    assert (dust.quantity, dust.cost, dust.average_price) == (
        D("0.0005"),
        D("0.055"),
        D(110),
    )
    (trade,) = book.trades
    assert (trade.quantity, trade.entry, trade.exit) == (
        D("0.9985"),
        D(100),
        D(110),
    )
    assert (trade.pnl, trade.fees) == (D("9.985"), D("0.15"))
    assert book.open_positions() == []
    assert not book.is_holding
    assert book.dust() == [dust]
    assert (book.net("BTC"), book.exposed("BTC")) == (D("0.0005"), D(0))
    assert book.balances() == {"USDT": D("1009.78"), "BTC": D("0.0005")}
    market.views["BTC"].last = 200.0
    # In equity it is worth what it would bring.
    assert book.account().equity == D("1009.88")
    assert book.account().exposure == 0


def test_dust_of_the_other_side_is_netted_and_realizes() -> None:
    book = ledger()
    book.apply(fill("1", "100", fee="0.0005", currency="BTC"))
    book.apply(fill("-0.999", "110", fee="0.0002", currency="BTC"))
    assert book.position("dust", "BTC").quantity == D("0.0003")
    book.apply(fill("1", "100"))
    # More goes than was there: that is missing from now on.
    book.apply(fill("-1", "120", fee="0.0007", currency="BTC"))
    dust = book.position("dust", "BTC")
    assert (dust.quantity, dust.realized, dust.average_price) == (
        D("-0.0004"),
        D("0.003"),
        D(120),
    )
    assert not book.open_positions()
    assert book.balances()["BTC"] == D("-0.0004")
    assert book.statements.total().realized == book.realized


def test_what_a_fee_takes_beyond_zero_is_no_trade() -> None:
    book = ledger()
    book.put("BTC", D(1))
    book.apply(fill("2", "100"))
    # All of it is sold, and the fee paid with what was put in.
    _, after = book.apply(fill("-2", "110", fee="0.02", currency="BTC"))
    assert after.quantity == 0
    assert book.position("dust", "BTC").quantity == D("-0.02")
    (trade,) = book.trades
    assert (trade.pnl, trade.fees) == (D(20), D("2.2"))
    assert book.balances() == {"USDT": D(1020), "BTC": D("0.98")}
    book.apply(fill("1", "100"))
    # One who sells more than there is does trade beyond zero.
    _, after = book.apply(fill("-2", "110", fee="0.02", currency="BTC"))
    assert after.quantity == D("-1.02")


def test_an_entry_that_brings_less_than_a_lot_is_dust_at_once_and_no_trade() -> None:
    book = ledger()
    before, after = book.apply(fill("0.001", "100", fee="0.000001", currency="BTC"))
    assert (before.quantity, after.quantity, after.average_price) == (D(0), D(0), D(0))
    assert (after.fills, after.fees) == (1, D("0.0001"))
    assert book.position("dust", "BTC").quantity == D("0.000999")
    assert book.closed == 0
    assert not book.lives.by_key
    book.apply(fill("0.5", "100", fee="0.0005", currency="BTC"))
    assert book.position("s", "BTC").quantity == D("0.4995")


def test_whole_lots_of_dust_can_be_closed_and_count() -> None:
    book = ledger()
    for _ in range(3):
        book.apply(fill("0.001", "100", fee="0.000001", currency="BTC"))
    assert book.closable("dust", "BTC") == D("0.002")
    assert book.exposed("BTC") == D("0.002")
    assert list(book.held_instruments()) == ["BTC"]
    book.apply(fill("-0.002", "110", owner="dust"))
    dust = book.position("dust", "BTC")
    assert (dust.quantity, dust.realized) == (D("0.000997"), D("0.02"))
    assert book.closed == 0
    assert list(book.held_instruments()) == []


def test_what_can_be_closed_is_on_the_lot_and_never_more_than_is_held() -> None:
    book = ledger()
    book.apply(fill("1", "100", fee="1e-30", currency="BTC"))
    assert book.closable("s", "BTC") == D("0.999")
    book.apply(fill("-3", "100", owner="t", fee="0.0005", currency="BTC"))
    assert book.closable("t", "BTC") == D("3.000")
    assert book.closable("nobody", "BTC") == 0


def test_a_hand_over_moves_no_balance() -> None:
    book = ledger()
    book.apply(fill("3", "100"))
    book.apply(fill("-1", "110"))
    before = book.balances()
    book.transfer("s", "operator", "BTC", 3)
    assert book.balances() == before


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
    assert (trade.entry_reason, trade.exit_reason) == ("because", "because")
    assert (trade.opened_ns, trade.closed_ns) == (1, 4)


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
    ends = DAY_NS + 90 * 60 * NS
    assert book.start_day(DAY_NS) == ends
    # Its last moment is still of the day.
    assert book.start_day(ends) == ends
    assert book.start_day(ends + 1) == ends + DAY_NS
    book.apply(fill("1", "100"))
    market.views["BTC"].last = 150.0
    book.start_day(ends + DAY_NS + 1)
    assert book.account().day_start == 1050


def test_a_day_begins_with_what_was_last_seen_of_the_one_before() -> None:
    market = FakeMarket()
    book = ledger(market)
    book.wake(5 * NS)
    book.apply(fill("1", "100"))
    market.views["BTC"].last = 150.0
    assert book.wake(6 * NS) == (False, D(1050))
    market.views["BTC"].last = 120.0
    # What comes from outside is no profit of any day.
    book.put("USDT", D(7))
    assert book.wake(DAY_NS + NS) == (True, D(1027))
    assert [(d.day_ns, d.ts, d.equity) for d in book.statements.days] == [
        (0, 5 * NS, D(1000)),
        (DAY_NS, DAY_NS + NS, D(1057)),
    ]
    assert book.day_lost == D(-50)


def test_what_comes_at_the_last_moment_of_a_day_is_of_that_day() -> None:
    market = FakeMarket()
    book = ledger(market)
    book.wake(5 * NS)
    book.apply(fill("1", "100", ts=5 * NS))
    market.views["BTC"].last = 150.0
    # Each bar that ends with the day, not only the first.
    assert book.wake(DAY_NS) == (True, D(1050))
    market.views["BTC"].last = 140.0
    assert book.wake(DAY_NS) == (True, D(1040))
    book.apply(fill("-1", "130", ts=DAY_NS))
    book.sample(DAY_NS)
    market.views["BTC"].last = 50.0
    book.wake(2 * DAY_NS)
    assert [(d.day_ns, d.equity) for d in book.statements.days] == [
        (0, D(1000)),
        (DAY_NS, D(1030)),
    ]
    assert rows(book, D(1030)) == [(D(30), D(30)), (D(0), D(0))]


def test_a_fill_begins_the_day_where_nothing_has_done_so_before() -> None:
    market = FakeMarket()
    book = ledger(market)
    book.wake(5 * NS)
    book.apply(fill("1", "100", ts=5 * NS))
    market.views["BTC"].last = 150.0
    book.wake(6 * NS)
    book.apply(fill("-1", "130", fee="1", ts=DAY_NS + 1))
    # The 50 that were open are not any more, and 30 of them were had.
    assert rows(book, D(1029)) == [(D(50), D(0)), (D(-21), D(29))]
    assert book.day_lost == D(-50)


@pytest.mark.parametrize(("ts", "later"), [(DAY_NS + 1, 0), (DAY_NS - NS, NS)])
def test_only_a_day_that_has_not_begun_by_the_clock_is_of_another_clock(
    ts: int, later: int
) -> None:
    # The config said another hour at which days start.
    book = ledger(day_starts_minutes=60)
    book.resume(DAY_NS, DAY_NS, D(900), D(1000), D(1000))
    assert book.settle(ts) == later
    assert (book.day_start, book.day_ns == DAY_NS) == (D(900), not later)


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["mark", "mark", "fill"]),
        # The end of a day, the moments around it, and some or many hours.
        st.sampled_from(
            [0, NS, 3600 * NS, DAY_NS // 2, DAY_NS - NS, DAY_NS, 3 * DAY_NS]
        ),
        st.integers(1, 200),
        st.integers(-3, 3).filter(bool),
    ),
    max_size=40,
)


@given(MOVES, st.integers(0, 1439))
def test_what_became_of_a_day_is_what_was_booked_in_it_and_what_was_open(
    moves: list[tuple[str, int, int, int]], minutes: int
) -> None:
    market = FakeMarket()
    book = ledger(market, day_starts_minutes=minutes)
    offset = minutes * 60 * NS
    # What stood when, by day: the last moment of each is the end of it.
    seen: dict[int, tuple[Decimal, Decimal, Decimal]] = {}
    now = offset
    for what, later, price, lots in [("mark", 0, 100, 1), *moves]:
        # Within a second nobody looks twice, but at the end of a day.
        now += later or (NS if (now - offset) % DAY_NS else 0)
        if what == "fill":
            book.apply(fill(str(lots), str(price), fee="0.5", ts=now))
            book.sample(now)
        else:
            market.views["BTC"].last = float(price)
            if now >= book.due_ns:
                book.wake(now)
        day = -((offset - now) // DAY_NS) - 1
        seen[day] = (book.realized, book.fees.total, book.value().equity)
    days = book.statements.daily(book.value().equity)
    before = (D(0), D(0), D(1000))
    assert [(row.day_ns - offset) // DAY_NS for row in days] == list(seen)
    for row, after in zip(days, seen.values(), strict=True):
        realized, fees, equity = (a - b for a, b in zip(after, before, strict=True))
        assert (row.sums.realized, row.sums.fees) == (realized, fees)
        assert (row.start, row.end) == (before[2], after[2])
        opened = [e - 1000 - r + f for r, f, e in (before, after)]
        assert equity == realized - fees + (opened[1] - opened[0])
        before = after


def test_equity_is_sampled_by_the_clock_only_while_something_is_held() -> None:
    market = FakeMarket()
    book = ledger(market)
    book.wake(NS)
    assert book.due_ns == DAY_NS
    book.apply(fill("1", "100", ts=NS))
    assert book.due_ns == 2 * NS
    market.views["BTC"].last = 90.0
    book.wake(2 * NS)
    assert (book.curve.points[-1].ts, book.curve.equity) == (2 * NS, D(990))
    assert book.due_ns == 3 * NS
    book.apply(fill("-1", "90", ts=2 * NS))
    taken = book.curve.samples
    book.wake(3 * NS)
    assert (book.curve.samples, book.due_ns) == (taken, DAY_NS)


def test_an_uneven_share_of_the_cost_loses_nothing() -> None:
    book = ledger()
    book.apply(fill("1", "1"))
    book.apply(fill("2", "2"))
    _, after = book.apply(fill("-1", "2"))
    third = D("1.666666666666666667")
    assert after.average_price == third
    assert (after.realized, after.cost) == (2 - third, 5 - third)
    _, after = book.apply(fill("-2", "2"))
    assert (after.realized, after.cost) == (D(1), D(0))


def test_products_longer_than_28_digits_stay_whole() -> None:
    book = ledger()
    price, size = D("123456.123456789012"), D("987654.9876543210")
    book.apply(fill(size, price))
    _, after = book.apply(fill(-size, price + D("1e-12")))
    assert after.realized == D("9.876549876543210E-7")


def test_a_trade_says_how_far_the_price_went_against_it_and_with_it() -> None:
    market = FakeMarket()
    book = ledger(market)
    market.see(quote(1, 49.0, 51.0))  # before the entry: not the trade's
    book.apply(fill("2", "100", ts=1))
    market.see(quote(2, 97.0, 98.0))
    market.see(quote(3, 104.0, 105.0))
    book.apply(fill("-1", "103", ts=2))
    market.see(quote(4, 93.0, 94.0))
    book.apply(fill("-1", "99", ts=3))
    market.see(quote(5, 9.0, 11.0))  # after the exit
    (trade,) = book.trades
    assert (trade.lowest, trade.highest) == (D("93.5"), D("104.5"))
    assert (trade.worst, trade.best) == (D("-6.5"), D("4.5"))
    # 3 were won on the first half before the second lost 6.5; 2 × 4.5 at the best.
    assert (trade.mae, trade.mfe) == (D(-5), D(9))
    assert trade.fills == 3


def test_the_trade_of_a_short_turns_high_and_low_around() -> None:
    market = FakeMarket()
    book = ledger(market)
    book.apply(fill("-2", "100", ts=1))
    market.see(quote(2, 103.0, 103.2))
    book.apply(fill("2", "95", ts=3))
    (trade,) = book.trades
    assert (trade.worst, trade.best) == (D("-3.1"), D(5))
    assert (trade.mae, trade.mfe, trade.pnl) == (D("-6.2"), D(10), D(10))


def test_marks_are_followed_only_while_something_is_held() -> None:
    market = FakeMarket()
    book = ledger(market)
    assert not market.followers.get("BTC")
    book.apply(fill("1", "100"))
    book.apply(fill("1", "100", owner="t"))
    assert len(market.followers["BTC"]) == 1
    book.apply(fill("-1", "100"))
    assert len(market.followers["BTC"]) == 1
    book.transfer("t", "operator", "BTC", 1)
    assert len(market.followers["BTC"]) == 1
    book.apply(fill("-1", "100", owner="operator"))
    assert not market.followers["BTC"]
    assert not market.followers.get("ETH")


def test_two_owners_of_one_symbol_see_the_same_marks_apart() -> None:
    market = FakeMarket()
    book = ledger(market)
    book.apply(fill("1", "100"))
    book.apply(fill("-1", "100", owner="t"))
    market.see(quote(1, 110.0, 110.2))
    book.apply(fill("-1", "100"))
    book.apply(fill("1", "100", owner="t"))
    first, second = book.trades
    assert (first.mae, first.mfe) == (D(0), D("10.1"))
    assert (second.mae, second.mfe) == (D("-10.1"), D(0))
    assert book.net("BTC") == 0


def test_the_digest_knows_the_marks_that_an_open_trade_saw() -> None:
    market = FakeMarket()
    book = ledger(market)
    book.apply(fill("1", "100"))
    market.see(quote(1, 99.0, 101.0))
    before = book.digest()
    market.see(quote(2, 90.0, 92.0))
    market.see(quote(3, 99.0, 101.0))
    assert book.digest() != before
