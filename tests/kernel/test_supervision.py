"""Supervision: back-off that grows, is spread, is bounded, and gives up."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.kernel.errors import InvalidSetting
from workstation.kernel.supervision import Failures, Supervision


def test_back_off_doubles_up_to_its_limit() -> None:
    policy = Supervision(
        backoff_ns=10, backoff_max_ns=50, jitter=0.0, max_restarts=9, window_ns=10**9
    )
    failures = Failures(policy, random.Random(1))
    assert [failures.add(n) for n in range(5)] == [10, 20, 40, 50, 50]


def test_success_starts_the_back_off_again_but_not_the_window() -> None:
    policy = Supervision(backoff_ns=10, jitter=0.0, max_restarts=2, window_ns=1000)
    failures = Failures(policy, random.Random(1))
    assert failures.add(0) == 10
    failures.succeeded()
    assert failures.add(1) == 10
    assert failures.add(2) is None


def test_failures_outside_the_window_are_forgiven() -> None:
    policy = Supervision(backoff_ns=10, jitter=0.0, max_restarts=1, window_ns=100)
    failures = Failures(policy, random.Random(1))
    assert failures.add(0) == 10
    assert failures.add(100) == 20
    assert failures.add(150) is None
    failures.forget()
    assert failures.add(151) == 10


def test_the_spread_comes_from_the_generator_handed_in() -> None:
    policy = Supervision(max_restarts=50)
    first, second = (Failures(policy, random.Random(7)) for _ in range(2))
    other = Failures(policy, random.Random(8))
    waits = [first.add(n) for n in range(10)]
    assert waits == [second.add(n) for n in range(10)]
    assert waits != [other.add(n) for n in range(10)]


@given(
    st.integers(0, 10**9),
    st.floats(1, 1e6),
    st.floats(0, 0.99),
    st.integers(1, 2000),
)
def test_a_back_off_is_never_negative_nor_above_its_limit(
    base: int, factor: float, jitter: float, errors: int
) -> None:
    policy = Supervision(
        backoff_ns=base,
        backoff_factor=factor,
        backoff_max_ns=10**10,
        jitter=jitter,
        max_restarts=errors,
    )
    failures = Failures(policy, random.Random(3))
    for _ in range(errors):
        wait = failures.add(0)
        assert wait is not None
        assert 0 <= wait <= 10**10
    assert failures.add(0) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"backoff_ns": -1},
        {"backoff_factor": 0.5},
        {"backoff_max_ns": 1},
        {"jitter": 1.0},
        {"max_restarts": -1},
        {"window_ns": 0},
    ],
)
def test_a_policy_that_cannot_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting, match=next(iter(wrong))):
        Supervision(**wrong)
