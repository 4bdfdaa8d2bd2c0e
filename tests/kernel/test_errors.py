"""Errors: one tree, and messages that say what was wrong and what would be right."""

from __future__ import annotations

import pytest

from workstation.kernel import errors


def test_every_error_is_a_kernel_error_and_drawn_in_the_tree() -> None:
    kinds = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, Exception)
    ]
    assert len(kinds) == 15
    for each in kinds:
        assert issubclass(each, errors.KernelError)
        assert each.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.TaskNotFound("emma", ["ema", "rsi"]), ["'emma'", "ema, rsi"]),
        (errors.TaskNotFound(7, []), ["7", "none yet"]),
        (errors.InvalidChannel(int, [str]), ["int", "str", "add_channel"]),
        (errors.ChannelFull("Order", 2, ["journal"]), ["Order", "journal", "2 of 2"]),
        (
            errors.IllegalTaskState("ema", "stopped", "paused", ["initializing"]),
            ["ema", "stopped", "paused", "initializing"],
        ),
        (errors.MissingComponent("connector"), ["connector", "at least one"]),
        (
            errors.DuplicateComponent("aggregator", ["a", "b"]),
            ["aggregator", "a, b", "exactly one"],
        ),
        (errors.InvalidSetting("capacity", 0, "1 or more"), ["capacity", "0", "1 or"]),
        (errors.StartFailed("b", ValueError("no key"), ["a"]), ["b", "no key", "a"]),
        (errors.StopTimeout("a", "its loop", 1_500_000_000), ["a", "its loop", "1.5"]),
    ],
)
def test_a_message_names_the_wrong_value_and_what_would_be_right(
    error: errors.KernelError, words: list[str]
) -> None:
    for word in words:
        assert word in str(error)


def test_shutdown_errors_carry_every_error_with_its_task() -> None:
    first, second = ValueError("x"), OSError("y")
    group = errors.ShutdownErrors([("a", first), ("b", second)])
    assert group.exceptions == (first, second)
    assert "2 error(s)" in str(group)
    assert "a: ValueError: x; b: OSError: y" in str(group)
