"""Acceptance: whatever comes in whatever order, the end agrees with the venue.

The rules are the words of ``interleaving``; the big run is its command line.
"""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from tests.execution.interleaving import CHOICES, Interleaving, play

# Words drawn as often as they are said: most of them only make sense with traffic.
_WORDS = st.sampled_from(CHOICES)
_TRAFFIC = st.sampled_from(["request arrives", "report arrives", "venue fills"])
EXAMPLES = int(os.environ.get("ORDER_EXAMPLES", "60"))
SEQUENCES = int(os.environ.get("ORDER_SEQUENCES", "400"))


class Orders(RuleBasedStateMachine):
    """Steps that hypothesis chooses, and shrinks when the end does not agree."""

    @initialize(keeps_stops=st.booleans(), in_kind=st.booleans())
    def begin(self, keeps_stops: bool, in_kind: bool) -> None:
        self.run = Interleaving(keeps_stops=keeps_stops, in_kind=in_kind)

    @rule(word=_WORDS | _TRAFFIC, numbers=st.lists(st.integers(0, 63), max_size=6))
    def step(self, word: str, numbers: list[int]) -> None:
        left = iter(numbers)
        self.run.step(word, lambda n: next(left, 0) % n)

    def teardown(self) -> None:
        self.run.settle()
        self.run.check()


def test_any_interleaving_ends_as_at_the_venue_or_says_that_it_is_unknown() -> None:
    run_state_machine_as_test(
        Orders,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_fixed_set_of_long_sequences_ends_as_at_the_venue() -> None:
    seen = sum((play(number, 7, 80).check() for number in range(SEQUENCES)), Counter())
    # They would prove nothing if nothing had happened in them.
    ends = ("filled", "canceled", "expired", "rejected", "open", "unknown")
    stops = ("woken", "waits at the venue")
    for outcome in (*ends, *stops, "replacements", "never arrived", "dust"):
        assert seen[outcome] > 0, outcome
