"""From working to desired orders: as few requests as can be, and never a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.execution.fakes import BTC
from workstation.execution.levels import Touch
from workstation.execution.requoting import requote
from workstation.execution.settings import QuotingSettings
from workstation.execution.steps import Step, StepKind, Why
from workstation.execution.working import Phase, Working
from workstation.model.desired import DesiredLevel, DesiredOrders
from workstation.model.instruments import Instrument, Side

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
K = StepKind
MS = 1_000_000
NOW = 10_000 * MS
# 10 bps of 100 are one tick of 0.1.
RULES = QuotingSettings(keep_bps=10, keep_size=0.1)
LOOSE = QuotingSettings(keep_bps=10, keep_size=0.1, overlap=10, min_lifetime_ms=0)
MARKET = Touch(D("100.0"), D("100.2"))
Pair = tuple[str, str]


def wish(
    bids: Sequence[Pair] = (), asks: Sequence[Pair] = (), post_only: bool = True
) -> DesiredOrders:
    return DesiredOrders(
        strategy="s",
        instrument="BTC",
        bids=tuple(DesiredLevel(D(p), D(q)) for p, q in bids),
        asks=tuple(DesiredLevel(D(p), D(q)) for p, q in asks),
        post_only=post_only,
    )


def order(
    order_id: str, side: Side, price: str, quantity: str = "1", **more: object
) -> Working:
    made = Working(order_id=order_id, side=side, price=D(price), quantity=D(quantity))
    return replace(made, **more)


def decide(
    desired: DesiredOrders,
    *working: Working,
    rules: QuotingSettings = RULES,
    touch: Touch = MARKET,
    can_modify: bool = True,
    instrument: Instrument = BTC,
) -> list[Step]:
    return requote(
        desired, working, rules, instrument, touch, can_modify=can_modify, now_ns=NOW
    )


def said(steps: list[Step]) -> list[tuple[str, str, Why]]:
    return [(step.kind.value, step.order_id, step.why) for step in steps]


def test_what_is_there_is_kept_and_nothing_is_sent() -> None:
    steps = decide(
        wish([("100", "1"), ("99", "2")], [("101", "1")]),
        order("a", BUY, "100"),
        order("b", BUY, "99", "2"),
        order("c", SELL, "101"),
    )
    assert {step.kind for step in steps} == {K.KEEP}
    assert {step.order_id for step in steps} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("price", "quantity", "kept"),
    [
        ("99.0", "1", True),
        ("99.1", "1", True),
        ("98.9", "1", True),
        ("99.2", "1", False),
        ("99.0", "1.1", True),
        ("99.0", "0.9", True),
        ("99.0", "1.101", False),
        ("99.0", "0.899", False),
    ],
)
def test_tolerances_hold_at_their_bounds_and_not_beyond(
    price: str, quantity: str, kept: bool
) -> None:
    # 10 bps of 99.0 are not a whole tick: with 10.2 they are.
    rules = replace(RULES, keep_bps=10.2)
    steps = decide(wish([("99", "1")]), order("a", BUY, price, quantity), rules=rules)
    assert [step.kind for step in steps] == [K.KEEP if kept else K.MODIFY]


def test_an_order_is_changed_with_the_numbers_that_say_why() -> None:
    (step,) = decide(wish([("99", "2")]), order("a", BUY, "98", "1"))
    assert step.kind is K.MODIFY
    assert (step.order_id, step.price, step.quantity) == ("a", D("99.0"), D(2))
    assert step.why is Why.PRICE
    assert step.off_bps == pytest.approx(101.01, abs=0.01)
    assert step.off_size == 0.5
    assert step.text == "modify a buy 2.000 @ 99.0: price off, 101.0 bps"


def test_what_the_venue_cannot_change_is_canceled_before_a_new_order_follows() -> None:
    works = order("a", BUY, "98")
    steps = decide(wish([("99", "1")]), works, can_modify=False)
    assert said(steps) == [("cancel", "a", Why.PRICE), ("wait", "", Why.NO_ROOM)]
    gone = replace(works, phase=Phase.LEAVING)
    steps = decide(wish([("99", "1")]), gone, can_modify=False)
    assert said(steps) == [("wait", "a", Why.LEAVING), ("wait", "", Why.NO_ROOM)]
    assert said(decide(wish([("99", "1")]))) == [("place", "", Why.MISSING)]


def test_with_overlap_both_go_at_once() -> None:
    steps = decide(
        wish([("99", "1")]),
        order("a", BUY, "98"),
        rules=replace(RULES, overlap=1),
        can_modify=False,
    )
    assert [step.kind for step in steps] == [K.CANCEL, K.PLACE]


def test_an_empty_wish_withdraws_young_and_old() -> None:
    steps = decide(
        wish(),
        order("a", BUY, "100", since_ns=NOW),
        order("b", SELL, "101"),
        order("c", BUY, "99", phase=Phase.SENT),
        order("d", BUY, "98", phase=Phase.CHANGING),
    )
    assert sorted(said(steps)) == [
        ("cancel", name, Why.NOT_WANTED) for name in ("a", "b", "c", "d")
    ]


def test_one_order_serves_one_level() -> None:
    steps = decide(wish([("99.0", "1"), ("98.9", "1")]), order("a", BUY, "99.0"))
    assert said(steps) == [("place", "", Why.MISSING), ("keep", "a", Why.WITHIN)]


def test_a_side_is_served_from_the_best_price_out() -> None:
    steps = decide(wish([("97", "1"), ("99", "1"), ("98", "1")], [("102", "1")]))
    assert [step.price for step in steps] == [D(99), D(102), D(98), D(97)]


def test_an_order_is_not_moved_before_its_time() -> None:
    born = NOW - 100 * MS
    (step,) = decide(wish([("99", "1")]), order("a", BUY, "98", since_ns=born))
    assert (step.kind, step.why) == (K.WAIT, Why.YOUNG)
    assert step.not_before_ns == born + 500 * MS
    (step,) = decide(
        wish([("99", "1")]), order("a", BUY, "98", since_ns=NOW - 500 * MS)
    )
    assert step.kind is K.MODIFY


def test_a_young_order_that_would_take_is_moved_at_once() -> None:
    rules = replace(RULES, keep_bps=50)
    (step,) = decide(
        wish([("100.1", "1")]), order("a", BUY, "100.2", since_ns=NOW), rules=rules
    )
    assert (step.kind, step.why, step.limit) == (K.MODIFY, Why.TAKES, D("100.2"))


def test_nothing_is_kept_where_it_would_meet_an_own_level() -> None:
    rules = replace(RULES, keep_bps=50)
    steps = decide(
        wish([("100.0", "1")], [("100.3", "1")]),
        order("a", BUY, "100.3"),
        rules=rules,
        touch=Touch(),
    )
    # The ask waits, too: the bid may still be where it was.
    assert said(steps) == [
        ("modify", "a", Why.MEETS_OWN),
        ("wait", "", Why.IN_THE_WAY),
    ]


def test_nothing_is_placed_across_an_own_order_that_may_still_work() -> None:
    for phase in Phase:
        steps = decide(
            wish([("101", "1")]),
            order("a", SELL, "100.5", phase=phase),
            touch=Touch(),
        )
        waits = [step for step in steps if step.side is BUY]
        assert said(waits) == [("wait", "", Why.IN_THE_WAY)]
        assert (waits[0].other, waits[0].limit) == ("a", D("100.5"))


def test_a_change_under_way_counts_at_both_its_prices() -> None:
    moving = order(
        "a",
        SELL,
        "102",
        phase=Phase.CHANGING,
        old_price=D("100.5"),
        old_quantity=D(1),
    )
    steps = decide(wish([("101", "1")], [("102", "1")]), moving, touch=Touch())
    assert said(steps) == [("wait", "", Why.IN_THE_WAY), ("keep", "a", Why.WITHIN)]


def test_a_change_under_way_counts_at_its_larger_size() -> None:
    shrinking = order(
        "a",
        BUY,
        "99",
        phase=Phase.CHANGING,
        old_price=D(99),
        old_quantity=D(3),
    )
    steps = decide(wish([("97", "1"), ("96", "2")]), shrinking)
    assert said(steps) == [("wait", "a", Why.CHANGING), ("wait", "", Why.NO_ROOM)]


def test_an_unknown_order_counts_as_working() -> None:
    lost = order("a", BUY, "99", phase=Phase.UNKNOWN)
    steps = decide(wish([("99", "1")]), lost)
    assert said(steps) == [("wait", "a", Why.FATE_UNKNOWN), ("wait", "", Why.NO_ROOM)]
    # Of a wish for two one may be placed beside it.
    steps = decide(wish([("99", "1"), ("98", "1")]), lost)
    assert [step.kind for step in steps] == [K.PLACE, K.WAIT, K.WAIT]


def test_an_unacknowledged_order_is_not_doubled() -> None:
    steps = decide(wish([("99", "1")]), order("a", BUY, "98", phase=Phase.SENT))
    assert said(steps) == [("wait", "a", Why.SENT)]


def test_what_the_venue_refused_to_change_is_canceled() -> None:
    steps = decide(wish([("99", "1")]), order("a", BUY, "98", rigid=True))
    assert [step.kind for step in steps] == [K.CANCEL, K.WAIT]


def test_growth_waits_for_what_leaves() -> None:
    steps = decide(
        wish([("99", "2")]),
        order("a", BUY, "99", "1"),
        order("b", BUY, "98", "1", phase=Phase.LEAVING),
    )
    assert sorted(said(steps)) == [
        ("wait", "a", Why.NO_ROOM),
        ("wait", "b", Why.LEAVING),
    ]


def test_an_order_at_its_price_is_the_one_that_changes_its_size() -> None:
    steps = decide(
        wish([("99", "2")]), order("a", BUY, "99.5"), order("b", BUY, "99", "3")
    )
    assert said(steps) == [("cancel", "a", Why.NOT_WANTED), ("modify", "b", Why.SIZE)]


def test_prices_round_away_from_the_market_and_sizes_down() -> None:
    steps = decide(wish([("99.09", "1.0009")], [("101.01", "1.0009")]))
    assert [(step.price, step.quantity) for step in steps] == [
        (D("99.0"), D("1.000")),
        (D("101.1"), D("1.000")),
    ]


def test_levels_below_the_minimum_are_left_out() -> None:
    steps = decide(wish([("99", "0.0001"), ("99", "0.05")]))
    assert said(steps) == [
        ("drop", "", Why.BELOW_MINIMUM),
        ("drop", "", Why.BELOW_MINIMUM),
    ]


def test_a_rest_below_the_minimum_stays_where_it_is() -> None:
    steps = decide(wish([("99", "0.05")]), order("a", BUY, "99", "0.05"))
    assert said(steps) == [("keep", "a", Why.WITHIN)]
    steps = decide(wish([("99", "0.05")]), order("a", BUY, "98", "0.05"))
    assert said(steps) == [
        ("cancel", "a", Why.NOT_WANTED),
        ("drop", "", Why.BELOW_MINIMUM),
    ]


def test_a_wish_that_crosses_itself_loses_the_levels_that_meet() -> None:
    steps = decide(
        wish([("101", "1"), ("99", "1")], [("100", "1"), ("102", "1")]), touch=Touch()
    )
    assert [(s.kind, s.price) for s in steps] == [
        (K.PLACE, D("99.0")),
        (K.PLACE, D("102.0")),
        (K.DROP, D("101.0")),
        (K.DROP, D("100.0")),
    ]


def test_a_level_that_would_take_goes_one_tick_behind_the_market() -> None:
    steps = decide(wish([("100.5", "1")]))
    assert [(s.kind, s.price, s.moved_from) for s in steps] == [
        (K.PLACE, D("100.1"), D("100.5"))
    ]
    steps = decide(wish([], [("99.5", "1")]))
    assert [(s.kind, s.price) for s in steps] == [(K.PLACE, D("100.1"))]


def test_a_market_off_the_grid_is_met_by_the_next_price_on_it() -> None:
    touch = Touch(D("100.03"), D("100.17"))
    steps = decide(wish([("100.5", "1")]), touch=touch)
    assert [step.price for step in steps] == [D("100.1")]
    steps = decide(wish([], [("99.5", "1")]), touch=touch)
    assert [step.price for step in steps] == [D("100.1")]


def test_or_is_left_out_by_config() -> None:
    steps = decide(wish([("100.5", "1")]), rules=replace(RULES, would_take="drop"))
    assert said(steps) == [("drop", "", Why.TAKES)]
    assert steps[0].limit == D("100.2")


def test_a_wish_that_may_take_is_left_as_it_is() -> None:
    steps = decide(wish([("100.5", "1")], post_only=False))
    assert [(s.kind, s.price) for s in steps] == [(K.PLACE, D("100.5"))]
    steps = decide(wish([("100.5", "1")], post_only=False), order("a", BUY, "100.5"))
    assert [step.kind for step in steps] == [K.KEEP]


# Properties.

TICKS = st.integers(985, 1015).map(lambda ticks: str(D(ticks) / 10))
LOTS = st.integers(8, 13).map(lambda lots: str(D(lots) / 10))
LEVELS = st.lists(st.tuples(TICKS, LOTS), max_size=4)


@st.composite
def works(draw: st.DrawFn, most: int = 4) -> list[Working]:
    made = []
    for index in range(draw(st.integers(0, most))):
        side = draw(st.sampled_from((BUY, SELL)))
        made.append(order(f"w-{index}", side, draw(TICKS), draw(LOTS)))
    return made


def near(level: DesiredLevel, each: Working) -> bool:
    """Say by hand, in exact decimals, what RULES let stay."""
    return (
        abs(level.price - each.price) * 10_000 <= 10 * level.price
        and abs(level.quantity - each.quantity) * 10 <= level.quantity
    )


def fewest(
    levels: Sequence[DesiredLevel], working: Sequence[Working], can_modify: bool
) -> int:
    """Return the fewest requests for one side, by trying every assignment."""
    if not levels:
        return len(working)
    first, rest = levels[0], levels[1:]
    best = 1 + fewest(rest, working, can_modify)
    for index, each in enumerate(working):
        others = [*working[:index], *working[index + 1 :]]
        cost = 0 if near(first, each) else 1 if can_modify else 2
        best = min(best, cost + fewest(rest, others, can_modify))
    return best


SENDS = (K.CANCEL, K.MODIFY, K.PLACE)


@settings(max_examples=150)
@given(LEVELS, works(), st.booleans())
def test_no_other_steps_need_fewer_requests(
    levels: list[Pair], working: list[Working], can_modify: bool
) -> None:
    # Only bids, no market: nothing else than churn decides.
    working = [each for each in working if each.side is BUY]
    desired = wish(levels)
    steps = decide(desired, *working, rules=LOOSE, touch=Touch(), can_modify=can_modify)
    sent = sum(step.kind in SENDS for step in steps)
    assert sent == fewest(desired.bids, working, can_modify)


@settings(max_examples=150)
@given(LEVELS, LEVELS, works(), st.booleans())
def test_every_order_and_every_level_is_decided_once(
    bids: list[Pair], asks: list[Pair], working: list[Working], can_modify: bool
) -> None:
    steps = decide(wish(bids, asks), *working, can_modify=can_modify)
    named = [
        step.order_id for step in steps if step.order_id and step.kind is not K.PLACE
    ]
    assert sorted(named) == sorted(each.order_id for each in working)
    for side, levels in ((BUY, bids), (SELL, asks)):
        places = [s.level for s in steps if s.side is side and s.level is not None]
        assert sorted(places) == list(range(len(levels)))


def carry_out(steps: list[Step], working: list[Working]) -> list[Working]:
    """Be an obedient venue: do at once what is asked."""
    book = {each.order_id: each for each in working}
    for step in steps:
        if step.kind is K.CANCEL:
            del book[step.order_id]
        elif step.kind is K.MODIFY:
            book[step.order_id] = replace(
                book[step.order_id], price=step.price, quantity=step.quantity
            )
        elif step.kind is K.PLACE:
            name = f"n-{len(book)}-{step.side}-{step.level}"
            assert name not in book
            book[name] = order(name, step.side, str(step.price), str(step.quantity))
    return list(book.values())


def test_two_orders_in_the_way_of_each_other_are_both_canceled() -> None:
    working = [order("w-0", SELL, "98.5", "0.8"), order("w-1", BUY, "98.6", "0.8")]
    desired = wish([("98.5", "0.8")], [("98.6", "0.8")])
    steps = decide(desired, *working, touch=Touch(), can_modify=True)
    assert {(s.kind, s.order_id) for s in steps} >= {
        (K.CANCEL, "w-0"),
        (K.CANCEL, "w-1"),
    }


@settings(max_examples=150)
@given(LEVELS, LEVELS, works(), st.booleans(), st.sampled_from((RULES, LOOSE)))
def test_an_obedient_venue_ends_with_what_is_desired(
    bids: list[Pair],
    asks: list[Pair],
    working: list[Working],
    can_modify: bool,
    rules: QuotingSettings,
) -> None:
    desired = wish(bids, asks)
    for _ in range(6):
        steps = decide(
            desired, *working, rules=rules, touch=Touch(), can_modify=can_modify
        )
        # As much as wanted and what is in the way to it, never more.
        placed = sum(step.kind is K.PLACE for step in steps)
        assert placed + sum(s.kind in (K.KEEP, K.MODIFY) for s in steps) <= (
            len(bids) + len(asks)
        )
        if not any(step.kind in SENDS for step in steps):
            break
        working = carry_out(steps, working)
    assert {step.kind for step in steps} <= {K.KEEP, K.DROP}
    low = min((level.price for level in desired.asks), default=None)
    high = max((level.price for level in desired.bids), default=None)
    for side, levels, other in (
        (BUY, desired.bids, low),
        (SELL, desired.asks, high),
    ):
        mine = [each for each in working if each.side is side]
        real = [
            level
            for level in levels
            if other is None
            or (level.price < other if side is BUY else level.price > other)
        ]
        assert len(mine) == len(real)
        assert fewest(real, mine, can_modify=True) == 0


@settings(max_examples=100)
@given(LEVELS, LEVELS, works(), st.booleans())
def test_no_side_may_ever_fill_more_than_was_wished(
    bids: list[Pair], asks: list[Pair], working: list[Working], can_modify: bool
) -> None:
    desired = wish(bids, asks)
    steps = decide(desired, *working, can_modify=can_modify)
    for side, levels in ((BUY, desired.bids), (SELL, desired.asks)):
        there = {each.order_id: each.quantity for each in working if each.side is side}
        before = sum(there.values(), D(0))
        after = before
        for step in steps:
            if step.side is not side:
                continue
            if step.kind is K.PLACE:
                after += step.quantity
            elif step.kind is K.MODIFY:
                after += max(D(0), step.quantity - there[step.order_id])
        wished = sum((level.quantity for level in levels), D(0))
        # What is kept may be as much larger as the tolerance lets it be.
        assert after == before or after <= wished * D("1.1")


@given(LEVELS, LEVELS, works())
def test_the_order_of_what_is_given_does_not_matter(
    bids: list[Pair], asks: list[Pair], working: list[Working]
) -> None:
    working = [replace(each, since_ns=index) for index, each in enumerate(working)]
    steps = decide(wish(bids, asks), *working)
    assert steps == decide(wish(bids, asks), *reversed(working))


BOUNDED = replace(
    BTC,
    min_quantity=D("0.5"),
    max_quantity=D(5),
    max_notional=D(400),
    min_price=D(90),
    max_price=D(110),
)


@pytest.mark.parametrize(
    ("price", "quantity", "why", "limit"),
    [
        ("80", "1", Why.PRICE_RANGE, D(90)),
        ("90", "1", None, None),
        ("99", "0.499", Why.BELOW_MINIMUM, None),
        ("99", "0.5", None, None),
        ("99", "4.041", Why.ABOVE_MAXIMUM, D("4.040")),
        ("99", "4.040", None, None),
    ],
)
def test_a_level_beyond_the_bounds_of_an_order_is_left_out_with_the_bound(
    price: str, quantity: str, why: Why | None, limit: Decimal | None
) -> None:
    (step,) = decide(wish([(price, quantity)]), instrument=BOUNDED)
    if why is None:
        assert step.kind is K.PLACE
    else:
        assert (step.kind, step.why, step.limit) == (K.DROP, why, limit)


def test_a_level_that_is_moved_behind_the_market_is_within_the_bounds_there() -> None:
    market = Touch(D("89.8"), D("90.0"))
    desired = wish([("91", "1")])
    (step,) = decide(desired, touch=market, instrument=BOUNDED)
    assert (step.why, step.price, step.limit) == (Why.PRICE_RANGE, D("89.9"), D(90))


def test_what_rests_below_the_minimum_may_stay() -> None:
    rest = order("a", BUY, "99", "0.3")
    (step,) = decide(wish([("99", "0.3")]), rest, instrument=BOUNDED)
    assert step.kind is K.KEEP
