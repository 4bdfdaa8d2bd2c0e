"""What is there for an order: the same that it then takes, and all or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.venues.test_matching_engine import BUY, COIN, LOT, SELL, TICK, Venue
from workstation.model.instruments import Side
from workstation.model.orders import TimeInForce
from workstation.venues.matching import Front, MatchingEngine, Offer, SelfTrade, Terms
from workstation.venues.matching import events as told
from workstation.venues.matching.orders import UNKNOWN

D = Decimal
POLICIES = [each.value for each in SelfTrade]


class Shelf:
    """An outside that sells what lies on it, by ticks, and is gone once taken."""

    def __init__(self, sizes: dict[int, Decimal], ahead: dict[int, Decimal]) -> None:
        self.sizes = dict(sizes)
        self._ahead = ahead

    def offers(self, instrument: str, side: Side) -> Iterator[Offer]:
        if side is BUY:
            for ticks in sorted(self.sizes):
                if self.sizes[ticks] > 0:
                    yield Offer(ticks * TICK, self.sizes[ticks], ticks)

    def take(
        self, instrument: str, side: Side, offer: Offer, quantity: Decimal
    ) -> None:
        assert isinstance(offer.source, int)
        assert 0 < quantity <= self.sizes[offer.source]
        self.sizes[offer.source] -= quantity

    def ahead(self, instrument: str, side: Side, price: Decimal) -> Front:
        return Front(self._ahead.get(int(price / TICK), D(0)))


class Rest(NamedTuple):
    """An order that sells."""

    account: str
    lots: int
    ticks: int
    reduce_only: bool


class Scene(NamedTuple):
    """A book before a buyer comes."""

    policy: str
    holds_positions: bool
    positions: dict[str, int]
    shelf: dict[int, Decimal]
    ahead: dict[int, Decimal]
    resting: list[Rest]


class Hall:
    """An engine with an outside, set up twice alike."""

    def __init__(self, scene: Scene) -> None:
        self.heard: list[told.MatchingEvent] = []
        self.engine = MatchingEngine(
            [COIN],
            self.heard.append,
            outside=Shelf(scene.shelf, scene.ahead),
            self_trade=SelfTrade(scene.policy),
            holds_positions=scene.holds_positions,
        )
        for account, lots in scene.positions.items():
            self.engine.trading.positions[(account, "COIN")] = lots * LOT
        for number, rest in enumerate(scene.resting):
            self.engine.submit(
                Terms(
                    id=f"r{number}",
                    account=rest.account,
                    instrument="COIN",
                    side=SELL,
                    quantity=rest.lots * LOT,
                    price=rest.ticks * TICK,
                    reduce_only=rest.reduce_only,
                )
            )
        self.heard.clear()

    def filled(self) -> list[tuple[Decimal, Decimal]]:
        """Return price and quantity taken, those at one price as one."""
        return merged(
            (each.price, each.quantity)
            for each in self.heard
            if isinstance(each, told.Executed)
        )


def merged(
    fills: Iterator[tuple[Decimal, Decimal]],
) -> list[tuple[Decimal, Decimal]]:
    found: dict[Decimal, Decimal] = {}
    for price, quantity in fills:
        found[price] = found.get(price, D(0)) + quantity
    return [*found.items()]


def first(
    supply: Iterator[tuple[Decimal, Decimal]], wanted: Decimal
) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield so much of what is there as is wanted."""
    for price, most in supply:
        yield price, min(most, wanted)
        wanted -= min(most, wanted)
        if not wanted:
            return


TICKS = st.integers(8, 12)
SIZES = st.one_of(st.integers(1, 6).map(lambda lots: lots * LOT), st.just(UNKNOWN))
SCENES = st.builds(
    Scene,
    st.sampled_from(POLICIES),
    st.booleans(),
    st.dictionaries(st.sampled_from(["ann", "bob", "cid"]), st.integers(-8, 8)),
    st.dictionaries(TICKS, st.one_of(SIZES, st.just(LOT)), max_size=4),
    st.dictionaries(TICKS, SIZES, max_size=4),
    st.lists(
        st.builds(
            Rest,
            st.sampled_from(["ann", "bob", "bob", "cid"]),
            st.integers(1, 5),
            TICKS,
            st.booleans(),
        ),
        max_size=7,
    ),
)


@settings(max_examples=400, deadline=None)
@given(SCENES, st.integers(1, 15), st.one_of(TICKS, st.none()), st.booleans())
def test_fill_or_kill_is_filled_whole_or_not_at_all(
    scene: Scene, lots: int, ticks: int | None, reduce_only: bool
) -> None:
    asked = Terms(
        id="it",
        account="ann",
        instrument="COIN",
        side=BUY,
        quantity=lots * LOT,
        price=None if ticks is None else ticks * TICK,
        time_in_force=TimeInForce.IOC,
        reduce_only=reduce_only,
    )
    taker = Hall(scene)
    room = taker.engine.trading.positions.get(("ann", "COIN"), D(0))
    bound = -room if reduce_only and scene.holds_positions else asked.quantity
    there = taker.engine.trading.supply(asked)
    foreseen = merged(first(there, min(asked.quantity, max(D(0), bound))))
    taker.engine.submit(asked)
    if bound > 0:
        assert taker.filled() == foreseen
    took = sum((quantity for _, quantity in taker.filled()), D(0))

    killer = Hall(scene)
    before = killer.engine.digest()[1:]
    killer.engine.submit(
        Terms(
            id="it",
            account="ann",
            instrument="COIN",
            side=BUY,
            quantity=asked.quantity,
            price=asked.price,
            time_in_force=TimeInForce.FOK,
            reduce_only=reduce_only,
        )
    )
    if took == asked.quantity:
        # Whatever could be filled whole is: it is not killed in vain.
        assert killer.filled() == taker.filled()
        return
    assert killer.filled() == []
    assert killer.engine.digest()[1:] == before
    assert {type(each) for each in killer.heard} <= {
        told.Accepted,
        told.Expired,
        told.Refused,
    }


def test_what_stands_before_an_own_order_is_offered_once() -> None:
    scene = Scene(
        "cancel_incoming",
        True,
        {},
        {10: 5 * LOT},
        {10: 2 * LOT},
        [Rest("bob", 1, 10, False), Rest("ann", 1, 10, False)],
    )
    hall = Hall(scene)
    for order_id, lots in (("four", 4), ("three", 3)):
        hall.engine.submit(
            Terms(
                id=order_id,
                account="ann",
                instrument="COIN",
                side=BUY,
                quantity=lots * LOT,
                price=10 * TICK,
                time_in_force=TimeInForce.FOK,
            )
        )
    assert hall.heard[1] == told.Expired("four", "FOK: 0.03 of 0.04 on offer")
    assert hall.filled() == [(10 * TICK, 3 * LOT)]


@pytest.mark.parametrize("policy", POLICIES)
def test_what_is_offered_behind_an_own_order_counts_where_that_one_gives_way(
    policy: str,
) -> None:
    scene = Scene(
        policy,
        True,
        {},
        {8: LOT, 12: 9 * LOT},
        {},
        [Rest("ann", 5, 10, False)],
    )
    hall = Hall(scene)
    hall.engine.submit(
        Terms(
            id="it",
            account="ann",
            instrument="COIN",
            side=BUY,
            quantity=3 * LOT,
            price=12 * TICK,
            time_in_force=TimeInForce.FOK,
        )
    )
    if policy == "cancel_resting":
        assert hall.filled() == [(8 * TICK, LOT), (12 * TICK, 2 * LOT)]
    else:
        assert hall.heard[1:] == [told.Expired("it", "FOK: 0.01 of 0.03 on offer")]
        assert "r0" in hall.engine.orders


def test_reduce_only_orders_of_one_account_offer_its_position_once() -> None:
    venue = Venue()
    venue.order("bob", SELL, 5, 10)
    venue.order("cid", BUY, 5, 10)
    for _ in range(2):
        venue.order("cid", SELL, 5, 12, reduce_only=True)
    venue.heard.clear()
    order_id = venue.order("ann", BUY, 10, 12, lives="FOK")
    assert venue.heard[1:] == [told.Expired(order_id, "FOK: 0.05 of 0.10 on offer")]
    # An order that may also open takes from the same position before.
    venue.order("cid", SELL, 2, 11)
    order_id = venue.order("ann", BUY, 6, 12, lives="FOK")
    assert venue.heard[-1] == told.Expired(order_id, "FOK: 0.05 of 0.06 on offer")
    venue.order("ann", BUY, 5, 12, lives="FOK")
    assert venue.trades()[-2:] == [("o8", "o6", 11, 2), ("o8", "o3", 12, 3)]
