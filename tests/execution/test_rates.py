"""Budgets of requests: windows that slide, shares that are kept, batches that weigh."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.execution.rates import RateBudgets
from workstation.model.rates import RateLimit, RequestKind

PLACE, MODIFY = RequestKind.PLACE, RequestKind.MODIFY
CANCEL, QUERY = RequestKind.CANCEL, RequestKind.QUERY
S = 1_000_000_000


def test_without_limits_everything_may_go_and_nothing_is_used() -> None:
    rates = RateBudgets()
    rates.spend(PLACE, 0, 1_000)
    assert rates.room(PLACE, 0) >= 1_000_000
    assert rates.refusal(PLACE, 0) is None
    assert rates.used(0) is None
    assert rates.free_at(PLACE, 7) == 7


def test_a_share_is_kept_and_the_refusal_has_the_numbers() -> None:
    rates = RateBudgets([RateLimit(window_s=60, weight=10)])
    for second in range(8):
        assert rates.refusal(PLACE, second * S) is None
        rates.spend(PLACE, second * S)
    assert rates.refusal(PLACE, 8 * S) == (
        "8 of 8 used in 60 s, 2 of 10 are kept for cancels; place weighs 1, free in "
        "52.00 s"
    )
    assert rates.room(PLACE, 8 * S) == 0
    assert rates.used(8 * S) == 0.8


def test_a_request_is_free_again_one_window_after_it_left() -> None:
    rates = RateBudgets([RateLimit(window_s=10, weight=1)], cancel_share=0)
    rates.spend(PLACE, 5 * S)
    assert rates.free_at(PLACE, 6 * S) == 15 * S
    assert rates.refusal(PLACE, 15 * S - 1) is not None
    assert rates.refusal(PLACE, 15 * S) is None


def test_kinds_have_their_own_weights() -> None:
    limit = RateLimit(window_s=1, weight=100, place=5, modify=10, cancel=1, query=20)
    rates = RateBudgets([limit])
    rates.spend(QUERY, 0)
    rates.spend(CANCEL, 0)
    assert rates.used(0) == 0.21
    assert rates.room(PLACE, 0) == (80 - 21) // 5
    assert rates.room(MODIFY, 0) == (80 - 21) // 10


def test_what_weighs_nothing_is_never_held_back() -> None:
    rates = RateBudgets([RateLimit(window_s=1, weight=1, modify=0)], cancel_share=0)
    rates.spend(PLACE, 0)
    assert rates.refusal(PLACE, 0) is not None
    assert rates.refusal(MODIFY, 0) is None
    assert rates.room(MODIFY, 0) > 1_000
    assert rates.free_at(MODIFY, 0) == 0


def test_the_tightest_window_decides() -> None:
    rates = RateBudgets(
        [RateLimit(window_s=1, weight=5), RateLimit(window_s=100, weight=10)], 0
    )
    rates.spend(PLACE, 0, 1)
    assert rates.room(PLACE, 0) == 4
    rates.spend(PLACE, 0, 4)
    rates.spend(PLACE, 2 * S, 4)
    assert rates.room(PLACE, 4 * S) == 1
    rates.spend(PLACE, 4 * S)
    assert rates.free_at(PLACE, 5 * S) == 100 * S


@pytest.mark.parametrize(
    ("used", "batch", "room"), [(0, 40, 320), (0, 1, 8), (0, 60, 240), (7, 40, 40)]
)
def test_batches_make_more_room_where_the_venue_says_so(
    used: int, batch: int, room: int
) -> None:
    rates = RateBudgets([RateLimit(window_s=1, weight=8, batch=40)], 0)
    for _ in range(used):
        rates.spend(PLACE, 0)
    assert rates.room(PLACE, 0, batch) == room


def test_reading_changes_nothing() -> None:
    rates = RateBudgets([RateLimit(window_s=1, weight=8)])
    rates.spend(PLACE, 0)
    before = rates.digest()
    rates.used(5 * S)
    rates.room(PLACE, 5 * S)
    rates.refusal(PLACE, 5 * S)
    rates.free_at(PLACE, 5 * S)
    assert rates.digest() == before


@pytest.mark.parametrize(("weight", "share", "kept"), [(100, 0.2, 20), (10, 0.25, 3)])
def test_the_share_is_rounded_up(weight: int, share: float, kept: int) -> None:
    limit = RateLimit(window_s=1, weight=weight)
    assert limit.ordinary(share) == weight - kept


def test_a_request_that_no_window_could_hold_is_refused_in_the_config() -> None:
    with pytest.raises(ValueError, match="place = 5 must be at most weight, 3"):
        RateLimit(window_s=1, weight=3, place=5)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=60),
    st.integers(1, 6),
    st.integers(5, 20),
)
def test_no_window_ever_holds_more_than_is_not_kept(
    asks: list[tuple[int, int]], batch: int, weight: int
) -> None:
    limit = RateLimit(window_s=10, weight=weight, batch=batch)
    rates = RateBudgets([limit], 0.2)
    now, sent = 0, []
    for seconds, wanted in asks:
        now += seconds * S
        count = min(wanted, rates.room(PLACE, now, wanted))
        if count:
            rates.spend(PLACE, now, count)
            sent.append((now, -(-count // batch)))
        else:
            # And it is not held back without need: one more would be too much.
            used = sum(w for at, w in sent if at > now - 10 * S)
            assert used + 1 > limit.ordinary(0.2)
            free = rates.free_at(PLACE, now)
            assert free > now
            assert rates.refusal(PLACE, free) is None
            assert rates.refusal(PLACE, free - 1) is not None
    for end, _ in sent:
        inside = sum(w for at, w in sent if end - 10 * S < at <= end)
        assert inside <= limit.ordinary(0.2)


def test_what_was_spent_later_than_the_clock_counts_as_spent_now() -> None:
    rates = RateBudgets([RateLimit(window_s=10, weight=4)], cancel_share=0)
    for second in (100, 101, 7):
        rates.spend(PLACE, second * S)
    assert rates.settle(8 * S) == 93 * S
    assert rates.used(8 * S) == 0.75
    assert rates.room(PLACE, 17 * S) == 2
    assert rates.free_at(PLACE, 8 * S) == 8 * S
    assert rates.room(PLACE, 18 * S) == 4
    assert rates.settle(8 * S) == RateBudgets().settle(8 * S) == 0
