"""Sliding windows: what counts, for how long, and that looking changes nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workstation.execution.traffic import Traffic, Window

NS = 1_000_000_000
Steps = st.lists(st.tuples(st.integers(0, 3 * NS), st.booleans()), max_size=60)


@given(Steps)
def test_a_window_counts_what_a_list_would(steps: list[tuple[int, bool]]) -> None:
    window, times, ts = Window(2.5), list[int](), 0
    for wait, adds in steps:
        ts += wait
        if adds:
            window.add(ts)
            times.append(ts)
        assert window.count(ts) == sum(t > ts - 2_500_000_000 for t in times)


@given(Steps)
def test_looking_leaves_no_trace(steps: list[tuple[int, bool]]) -> None:
    seen, unseen, ts = Window(2.0), Window(2.0), 0
    for wait, adds in steps:
        ts += wait
        seen.count(ts)
        if adds:
            seen.add(ts)
            unseen.add(ts)
    assert seen.digest(ts) == unseen.digest(ts)


def test_an_order_is_a_message_and_a_cancel_is_no_order() -> None:
    traffic = Traffic(10, 60)
    traffic.sent(1, True)
    traffic.sent(2, False)
    assert traffic.digest(2) == ((1,), (1, 2), ())
