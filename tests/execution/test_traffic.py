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


@given(st.lists(st.integers(0, 20 * NS), max_size=20), st.integers(0, 20 * NS))
def test_what_is_later_than_the_clock_counts_as_of_now(
    times: list[int], ts: int
) -> None:
    window = Window(2.0)
    for each in sorted(times):
        window.add(each)
    since = max(times, default=0) - 2 * NS
    kept = [min(each, ts) for each in times if each > since]
    assert window.settle(ts) == max([0, *(each - ts for each in times)])
    for now in range(ts, ts + 3 * NS, NS // 2):
        assert window.count(now) == sum(each > now - 2 * NS for each in kept)
    assert window.settle(ts) == 0


def test_runs_that_overlap_by_their_clocks_are_put_in_order() -> None:
    window = Window(2.0)
    for ts in (5 * NS, 6 * NS, NS):
        window.add(ts)
    assert window.settle(2 * NS) == 4 * NS
    assert [window.count(now) for now in (2 * NS, 3 * NS, 4 * NS)] == [3, 2, 0]
