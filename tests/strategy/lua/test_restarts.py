"""Workers that die are started again ever later, and at last not at all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workstation.strategy.lua.restarts import Restarts


def test_each_restart_in_the_window_waits_twice_as_long_up_to_a_bound() -> None:
    restarts = Restarts(first_ns=10, longest_ns=50, most=5, window_ns=1000)
    assert [restarts.died(now) for now in range(5)] == [10, 21, 42, 53, 54]


def test_one_death_too_many_in_the_window_is_the_last() -> None:
    restarts = Restarts(first_ns=10, most=2, window_ns=1000)
    assert restarts.died(0) == 10
    assert restarts.died(1) == 21
    assert restarts.died(999) is None
    assert restarts.gave_up
    assert restarts.died(10**9) is None


def test_deaths_that_have_left_the_window_do_not_count() -> None:
    restarts = Restarts(first_ns=10, most=2, window_ns=1000)
    restarts.died(0)
    restarts.died(1)
    assert restarts.died(1000) == 1020
    assert restarts.recent == 2


def test_the_operator_can_arm_it_again() -> None:
    restarts = Restarts(first_ns=10, most=1, window_ns=1000)
    restarts.died(0)
    restarts.died(1)
    restarts.rearm()
    assert not restarts.gave_up
    assert restarts.died(2) == 12


@given(st.lists(st.integers(0, 500), max_size=40), st.integers(1, 6))
def test_no_window_has_more_restarts_than_allowed(gaps: list[int], most: int) -> None:
    restarts = Restarts(first_ns=1, longest_ns=100, most=most, window_ns=1000)
    now, started = 0, []
    for gap in gaps:
        now += gap
        due = restarts.died(now)
        if due is None:
            break
        assert now < due <= now + 100
        started.append(now)
    for first in started:
        assert sum(first <= each < first + 1000 for each in started) <= most
