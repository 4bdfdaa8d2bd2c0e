"""Call times: the last calls of each strategy, and no part of any decision."""

from __future__ import annotations

from tests.engine.runs import finish, running, small
from workstation.engine.call_times import CallTimes


def test_without_calls_there_is_no_p99() -> None:
    assert CallTimes().p99_ns("s") is None


def test_p99_is_what_ninety_nine_of_a_hundred_calls_did_not_exceed() -> None:
    times = CallTimes()
    times["s"].extend(range(1, 101))
    assert times.p99_ns("s") == 99
    times["t"].append(7)
    assert times.p99_ns("t") == 7


def test_only_the_last_calls_are_kept() -> None:
    times = CallTimes()
    for ns in range(5_000):
        times["s"].append(ns)
    assert len(times["s"]) == 512
    assert min(times["s"]) == 5_000 - 512


def test_every_call_of_a_script_is_timed() -> None:
    session = running()
    calls = session.strategies[0].calls
    assert 0 < calls < 512
    assert len(session.guard.times["ema_cross"]) == calls
    assert min(session.guard.times["ema_cross"]) > 0


def test_what_a_call_took_does_not_show_in_the_hash() -> None:
    calm = small()
    expected = finish(calm)
    slow = small()
    # The most extreme times there could be.
    slow.guard.times["ema_cross"].extend([10**18] * 512)
    assert finish(slow) == expected
