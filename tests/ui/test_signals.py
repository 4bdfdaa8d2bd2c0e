"""Signals reach the app, and cut escape sequences do not."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.ui.signals import Signals, SplitEscapes, is_remote, wait_for_escapes

MS = 1_000_000


@pytest.mark.parametrize("bracket", ["left_square_bracket", "O"])
def test_bracket_and_letter_behind_an_escape_are_dropped(bracket: str) -> None:
    split = SplitEscapes()
    assert not split.swallow("escape", 0)
    assert split.swallow(bracket, 10 * MS)
    assert split.swallow("C", 20 * MS)
    assert not split.swallow("C", 30 * MS)


def test_keys_typed_by_hand_after_an_escape_are_kept() -> None:
    split = SplitEscapes()
    split.swallow("escape", 0)
    assert not split.swallow("left_square_bracket", 51 * MS)
    split.swallow("escape", 100 * MS)
    assert not split.swallow("C", 110 * MS)
    split.swallow("escape", 200 * MS)
    assert split.swallow("left_square_bracket", 210 * MS)
    assert not split.swallow("tab", 220 * MS)


@given(st.lists(st.sampled_from(["O", "C", "o", "left_square_bracket", "down"])))
def test_without_an_escape_no_key_is_ever_dropped(keys: list[str]) -> None:
    split = SplitEscapes()
    assert not any(split.swallow(key, n) for n, key in enumerate(keys))


def test_ssh_is_known_by_its_variables() -> None:
    assert is_remote({"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"})
    assert is_remote({"SSH_TTY": "/dev/pts/3"})
    assert not is_remote({"TERM": "xterm", "SSH_TTY": ""})


def test_escapes_are_waited_for_over_ssh_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from textual import constants

    monkeypatch.setattr(constants, "ESCAPE_DELAY", 0.1)
    wait_for_escapes({})
    wait_for_escapes({"SSH_TTY": "/dev/pts/3", "ESCDELAY": "30"})
    assert constants.ESCAPE_DELAY == 0.1
    wait_for_escapes({"SSH_TTY": "/dev/pts/3"})
    assert constants.ESCAPE_DELAY == 0.5


async def test_each_signal_makes_its_own_call_until_it_is_removed() -> None:
    calls: list[str] = []
    signals = Signals(lambda: calls.append("term"), lambda: calls.append("hangup"))
    before = signal.getsignal(signal.SIGHUP)
    signals.install()
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        for _ in range(100):
            await asyncio.sleep(0)
    finally:
        signals.remove()
    assert sorted(calls) == ["hangup", "term"]
    assert signal.getsignal(signal.SIGHUP) == before
