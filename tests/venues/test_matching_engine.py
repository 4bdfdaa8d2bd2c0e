"""The matching engine against a venue by brute force, and what it promises."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from msgspec.structs import replace

from tests.venues.brute_book import BruteBook, BruteOrder
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import TimeInForce
from workstation.venues.matching import MatchingEngine, SelfTrade, Terms
from workstation.venues.matching import events as told

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
TICK, LOT = D("0.5"), D("0.01")
COIN = Instrument(
    id="COIN",
    venue="here",
    symbol="COIN",
    base="COIN",
    quote="USD",
    tick_size=TICK,
    lot_size=LOT,
)


class Venue:
    """An engine without an outside, and what it said."""

    def __init__(
        self, policy: str = "cancel_resting", instrument: Instrument = COIN
    ) -> None:
        self.heard: list[told.MatchingEvent] = []
        self.engine = MatchingEngine(
            [instrument], self.heard.append, self_trade=SelfTrade(policy)
        )
        self.count = 0

    def order(
        self,
        account: str,
        side: Side,
        lots: int,
        ticks: int | None = None,
        *,
        trigger: int | None = None,
        lives: str = "GTC",
        post_only: bool = False,
        reduce_only: bool = False,
        expires: int | None = None,
        order_id: str | None = None,
    ) -> str:
        self.count += 1
        terms = Terms(
            id=order_id or f"o{self.count}",
            account=account,
            instrument="COIN",
            side=side,
            quantity=lots * LOT,
            price=None if ticks is None else ticks * TICK,
            trigger=None if trigger is None else trigger * TICK,
            time_in_force=TimeInForce(lives),
            post_only=post_only,
            reduce_only=reduce_only,
            expires_ns=expires,
        )
        self.engine.submit(terms)
        return terms.id

    def said(self) -> list[tuple[object, ...]]:
        return [_plain(event) for event in self.heard]

    def trades(self) -> list[tuple[str, str, int, int]]:
        """Return buyer, seller, ticks and lots of each execution."""
        return [
            (
                e.buyer.order_id,
                e.seller.order_id,
                int(e.price / TICK),
                int(e.quantity / LOT),
            )
            for e in self.heard
            if isinstance(e, told.Executed)
        ]


def _plain(event: told.MatchingEvent) -> tuple[object, ...]:
    """Return an event in the words of the brute book."""
    match event:
        case told.Executed():
            sides = (event.buyer, event.seller)
            (rested,) = [party.order_id for party in sides if party.maker]
            buyer, seller = event.buyer.order_id, event.seller.order_id
            ticks, lots = event.price / TICK, event.quantity / LOT
            return "traded", buyer, seller, rested, ticks, lots
        case told.Accepted():
            return "accepted", event.order_id, event.number
        case told.Amended():
            prices = [
                None if price is None else price / TICK
                for price in (event.price, event.trigger)
            ]
            lots = event.quantity / LOT
            return "amended", event.order_id, lots, *prices, event.number
    words = {
        told.Refused: "refused",
        told.Canceled: "canceled",
        told.CancelRefused: "cancel refused",
        told.Expired: "expired",
        told.AmendRefused: "amend refused",
        told.Triggered: "triggered",
    }
    return words[type(event)], event.order_id


ACCOUNTS = st.sampled_from(["ann", "bob", "cid"])
SIGNS = st.sampled_from([1, -1])
LOTS = st.integers(1, 6)
TICKS = st.integers(8, 13)
LIVES = st.sampled_from(["GTC", "GTC", "GTC", "IOC", "FOK", "GTD"])


class AgainstBruteForce(RuleBasedStateMachine):
    """Whatever happens, both venues say the same and hold the same."""

    @initialize(policy=st.sampled_from([each.value for each in SelfTrade]))
    def open(self, policy: str) -> None:
        self.venue = Venue(policy)
        self.brute = BruteBook(policy)
        self.now = 0
        self.asked: dict[str, tuple[int, int | None]] = {}

    @rule(
        account=ACCOUNTS,
        sign=SIGNS,
        lots=LOTS,
        price=st.one_of(TICKS, TICKS, TICKS, st.none()),
        trigger=st.one_of(st.none(), st.none(), st.none(), TICKS),
        lives=LIVES,
        post_only=st.sampled_from([False, False, False, True]),
        reduce_only=st.sampled_from([False, False, True]),
        waits=st.integers(1, 5),
    )
    def submit(
        self,
        account: str,
        sign: int,
        lots: int,
        price: int | None,
        trigger: int | None,
        lives: str,
        post_only: bool,
        reduce_only: bool,
        waits: int,
    ) -> None:
        expires = self.now + waits if lives == "GTD" else None
        order_id = self.venue.order(
            account,
            BUY if sign == 1 else SELL,
            lots,
            price,
            trigger=trigger,
            lives=lives,
            post_only=post_only,
            reduce_only=reduce_only,
            expires=expires,
        )
        self.asked[order_id] = (sign, price)
        self.brute.submit(
            BruteOrder(
                order_id,
                account,
                sign,
                lots,
                price,
                trigger,
                lives,
                post_only,
                reduce_only,
                expires,
            )
        )

    @rule(which=st.integers(1, 60))
    def cancel(self, which: int) -> None:
        self.venue.engine.cancel(f"o{which}")
        self.brute.cancel(f"o{which}")

    @rule(ticks=TICKS)
    def tick(self, ticks: int) -> None:
        self.venue.engine.traded("COIN", ticks * TICK)
        self.brute.tick(ticks)

    @rule(
        pick=st.integers(0, 20),
        lots=LOTS,
        ticks=st.one_of(TICKS, TICKS, st.none()),
        trigger=st.one_of(st.none(), TICKS),
    )
    def amend(
        self, pick: int, lots: int, ticks: int | None, trigger: int | None
    ) -> None:
        working = [*self.venue.engine.orders] or ["o1"]
        order_id = working[pick % len(working)]
        heard = len(self.brute.said)
        prices = [None if each is None else each * TICK for each in (ticks, trigger)]
        self.venue.engine.amend(order_id, lots * LOT, *prices)
        self.brute.amend(order_id, lots, ticks, trigger)
        sign, limit = self.asked.get(order_id, (1, None))
        done = [event[:2] for event in self.brute.said[heard:]]
        if ("amended", order_id) in done and limit is not None and ticks is not None:
            # What was traded before was within the limit of then.
            worst = max(limit, ticks) if sign == 1 else min(limit, ticks)
            self.asked[order_id] = (sign, worst)

    @rule(later=st.integers(1, 3))
    def wait(self, later: int) -> None:
        self.now += later
        self.venue.engine.expire(self.now)
        self.brute.expire(self.now)

    @invariant()
    def both_say_the_same(self) -> None:
        assert self.venue.said() == self.brute.said

    @invariant()
    def both_hold_the_same(self) -> None:
        engine = self.venue.engine
        mine = {
            (o.terms.id, int(o.left / LOT), o.number) for o in engine.orders.values()
        }
        assert mine == {(o.id, o.left, o.number) for o in self.brute.orders}
        book = engine.book("COIN")
        for side, sign in ((BUY, 1), (SELL, -1)):
            levels: dict[int, int] = {}
            for order in self.brute.orders:
                if order.place == "book" and order.sign == sign:
                    assert order.price is not None
                    levels[order.price] = levels.get(order.price, 0) + order.left
            wanted = sorted(levels.items(), reverse=side is BUY)
            shown = [
                (int(price / TICK), int(quantity / LOT))
                for price, quantity in book.depth(side, 99)
            ]
            assert shown == wanted

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        positions = self.venue.engine.trading.positions
        assert sum(positions.values()) == 0
        cash: dict[str, Decimal] = {}
        for event in self.venue.heard:
            if isinstance(event, told.Executed):
                assert event.buyer.account != event.seller.account
                assert event.quantity > 0
                paid = event.price * event.quantity
                for party, sign in ((event.buyer, -1), (event.seller, 1)):
                    cash[party.account] = cash.get(party.account, D(0)) + sign * paid
                    _, limit = self.asked[party.order_id]
                    if limit is not None:
                        assert sign * (event.price / TICK - limit) >= 0
        assert sum(cash.values()) == 0

    @invariant()
    def the_book_is_never_crossed(self) -> None:
        book = self.venue.engine.book("COIN")
        bid, ask = book.buys.best(), book.sells.best()
        assert bid is None or ask is None or bid.price < ask.price


AgainstBruteForce.TestCase.settings = settings(
    max_examples=80, stateful_step_count=30, deadline=None
)
TestAgainstBruteForce = AgainstBruteForce.TestCase


def test_the_better_price_trades_first_then_the_older_order() -> None:
    venue = Venue()
    venue.order("ann", SELL, 2, 11)
    venue.order("bob", SELL, 2, 10)
    venue.order("cid", SELL, 2, 10)
    venue.order("dan", BUY, 5, 11)
    assert venue.trades() == [
        ("o4", "o2", 10, 2),
        ("o4", "o3", 10, 2),
        ("o4", "o1", 11, 1),
    ]


def test_less_at_the_same_price_keeps_the_place_and_more_loses_it() -> None:
    venue = Venue()
    for account in ("ann", "bob", "cid"):
        venue.order(account, SELL, 3, 10)
    venue.engine.amend("o1", 2 * LOT, 10 * TICK)
    venue.engine.amend("o2", 4 * LOT, 10 * TICK)
    venue.order("dan", BUY, 6, 10)
    assert venue.trades() == [
        ("o4", "o1", 10, 2),
        ("o4", "o3", 10, 3),
        ("o4", "o2", 10, 1),
    ]


@pytest.mark.parametrize(
    ("policy", "canceled", "traded"),
    [
        ("cancel_resting", ["o1"], [("o3", "o2", 10, 1)]),
        ("cancel_incoming", ["o3"], []),
        ("cancel_both", ["o1", "o3"], []),
    ],
)
def test_an_account_never_trades_with_itself(
    policy: str, canceled: list[str], traded: list[tuple[str, str, int, int]]
) -> None:
    venue = Venue(policy)
    venue.order("ann", SELL, 1, 10)
    venue.order("bob", SELL, 1, 10)
    venue.order("ann", BUY, 1, 10)
    ends = [e for e in venue.heard if isinstance(e, told.Canceled)]
    assert [e.order_id for e in ends] == canceled
    assert all("self-trade with" in e.reason for e in ends)
    assert venue.trades() == traded


def test_a_stop_limit_enters_the_book_at_its_trigger_only() -> None:
    venue = Venue()
    venue.order("ann", BUY, 1, 12, trigger=11)
    venue.order("bob", SELL, 1, 11)
    assert venue.trades() == []
    venue.order("cid", BUY, 1, 11)
    venue.order("bob", SELL, 1, 11)
    assert venue.trades() == [("o3", "o2", 11, 1), ("o1", "o4", 12, 1)]


def test_a_stop_is_woken_by_a_trade_of_the_outside_that_meets_nobody() -> None:
    venue = Venue()
    venue.order("bob", SELL, 2, 12)
    venue.order("ann", BUY, 1, None, trigger=11)
    venue.order("cid", SELL, 1, None, trigger=9)
    venue.engine.traded("COIN", 10 * TICK)
    assert venue.trades() == []
    venue.engine.traded("COIN", 11 * TICK)
    assert venue.trades() == [("o2", "o1", 12, 1)]
    assert venue.said()[-2:] == [
        ("triggered", "o2"),
        ("traded", "o2", "o1", "o1", 12, 1),
    ]


def test_where_no_trade_is_told_the_side_that_a_stop_would_take_wakes_it_up() -> None:
    venue = Venue()
    venue.order("ann", BUY, 1, 11, trigger=11)
    venue.order("bob", SELL, 1, 9, trigger=9)
    venue.engine.quoted("COIN", D(10) * TICK, D(10) * TICK)
    assert [word for word, *_ in venue.said()] == ["accepted", "accepted"]
    venue.engine.quoted("COIN", 9 * TICK, 10 * TICK)
    assert venue.said()[-1] == ("triggered", "o2")
    venue.engine.quoted("COIN", 9 * TICK, 11 * TICK)
    assert ("triggered", "o1") in venue.said()


def test_stops_that_are_met_together_go_in_the_order_in_which_they_came() -> None:
    venue = Venue()
    for account in ("ann", "cid"):
        venue.order(account, BUY, 1, 11, trigger=11)
    venue.order("bob", SELL, 1, 12)
    venue.engine.traded("COIN", 12 * TICK)
    venue.order("dan", SELL, 1, 11)
    assert venue.trades() == [("o1", "o4", 11, 1)]


def test_a_stop_that_was_moved_waits_for_its_new_trigger() -> None:
    venue = Venue()
    venue.order("ann", BUY, 1, 12, trigger=11)
    venue.engine.amend("o1", 2 * LOT, 13 * TICK, 12 * TICK)
    venue.engine.traded("COIN", 11 * TICK)
    venue.order("bob", SELL, 5, 12)
    assert venue.trades() == []
    venue.engine.traded("COIN", 12 * TICK)
    assert venue.trades() == [("o1", "o2", 12, 2)]
    venue.order("ann", BUY, 1, 8)
    venue.engine.amend("o3", LOT, 8 * TICK, 9 * TICK)
    assert isinstance(venue.heard[-1], told.AmendRefused)


@pytest.mark.parametrize("met", ["at arrival", "later"])
@pytest.mark.parametrize(("limit", "lasts"), [(None, True), (11, False)])
def test_a_stop_that_has_become_a_market_order_has_no_end_and_one_with_a_limit_has(
    met: str, limit: int | None, lasts: bool
) -> None:
    venue = Venue()
    if met == "at arrival":
        venue.engine.traded("COIN", 11 * TICK)
    venue.order("ann", BUY, 1, limit, trigger=11, lives="GTD", expires=5)
    venue.engine.traded("COIN", 11 * TICK)
    assert venue.said()[-1] == ("triggered", "o1")
    venue.engine.expire(5)
    assert ("o1" in venue.engine.orders) is lasts


def test_a_reduce_only_order_ends_with_the_position() -> None:
    venue = Venue()
    venue.order("ann", BUY, 2, 10)
    venue.order("bob", SELL, 2, 10)
    venue.order("ann", SELL, 5, 11, reduce_only=True)
    venue.order("cid", BUY, 5, 11)
    assert venue.trades()[1:] == [("o4", "o3", 11, 2)]
    assert "o3" not in venue.engine.orders
    venue.order("ann", SELL, 1, 11, reduce_only=True)
    assert isinstance(venue.heard[-1], told.Refused)


def test_a_digest_tells_two_queues_apart() -> None:
    first, second = Venue(), Venue()
    for venue in (first, second):
        venue.order("ann", SELL, 1, 10)
        venue.order("bob", SELL, 1, 10)
    assert first.engine.digest() == second.engine.digest()
    second.engine.amend("o1", 2 * LOT, 10 * TICK)
    second.engine.amend("o1", 1 * LOT, 10 * TICK)
    assert first.engine.digest() != second.engine.digest()


BOUNDED = replace(
    COIN,
    min_quantity=5 * LOT,
    max_quantity=20 * LOT,
    market_max_quantity=D("0.105"),
    min_price=10 * TICK,
    max_price=30 * TICK,
    max_notional=300 * TICK * LOT,
)


@pytest.mark.parametrize(
    ("lots", "ticks", "refused"),
    [
        (5, 15, ""),
        (4, 15, "quantity 0.04 is below the least of 0.05"),
        (20, 15, ""),
        (21, 14, "quantity 0.21 is above 0.20, the most of one at 7.0"),
        (15, 20, ""),
        (16, 20, "quantity 0.16 is above 0.15, the most of one at 10.0"),
        (10, None, ""),
        (11, None, "quantity 0.11 is above 0.105, the most of a market order"),
        (5, 10, ""),
        (5, 9, "price 4.5 is below the lowest of 5.0"),
        (5, 30, ""),
        (5, 31, "price 15.5 is above the highest of 15.0"),
    ],
)
@pytest.mark.parametrize("reduce_only", [False, True])
def test_a_venue_refuses_what_is_beyond_its_bounds(
    lots: int, ticks: int | None, refused: str, reduce_only: bool
) -> None:
    venue = Venue(instrument=BOUNDED)
    venue.order("bob", SELL, 20, 15)
    venue.order("ann", BUY, 20, 15)
    venue.order("cid", BUY, 20, 12)
    venue.heard.clear()
    order = venue.order("ann", SELL, lots, ticks, reduce_only=reduce_only)
    said = venue.heard[0]
    if refused:
        assert said == told.Refused(order, refused)
    else:
        assert isinstance(said, told.Accepted)


def test_an_amend_beyond_the_bounds_is_refused() -> None:
    venue = Venue(instrument=BOUNDED)
    order = venue.order("ann", BUY, 20, 12)
    venue.engine.amend(order, 21 * LOT, 12 * TICK)
    assert isinstance(venue.heard[-1], told.AmendRefused)
    venue.engine.amend(order, 20 * LOT, 9 * TICK)
    assert isinstance(venue.heard[-1], told.AmendRefused)
    venue.engine.amend(order, 20 * LOT, 15 * TICK)
    assert isinstance(venue.heard[-1], told.Amended)
