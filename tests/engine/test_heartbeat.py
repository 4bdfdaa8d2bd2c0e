"""The engine's side of the watchdog: one process, started again when it has ended."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys

import pytest

from tests.engine.requests import submit
from workstation.engine.heartbeat import PAUSE_BEATS, Heartbeat

# A long silence: nothing is ever asked of the venue, which is not there.
ACCOUNT: dict[str, object] = {
    "venue": {"base_url": "http://127.0.0.1:9"},
    "symbols": {"BTCUSDT": "BTCUSDT"},
    "silence_s": 600.0,
}


def test_an_entry_never_leaves_beside_a_watchdog_that_has_ended() -> None:
    entries = {"a": "BTCUSDT"}
    heartbeat = Heartbeat(ACCOUNT, lambda: entries)
    heartbeat.beat()
    heartbeat.beat()
    assert heartbeat.starts == 1
    process = heartbeat._process
    assert process is not None
    process.kill()
    process.wait()
    entries["b"] = "BTCUSDT"
    heartbeat.leaving(submit("b"))
    assert heartbeat.starts == 2
    assert heartbeat._known == entries
    heartbeat.dismiss()


def test_a_watchdog_that_acts_is_left_to_it_and_followed_by_another() -> None:
    entries = {"a": "BTCUSDT"}
    heartbeat = Heartbeat(ACCOUNT, lambda: entries)
    heartbeat.beat()
    acting = heartbeat._process
    assert acting is not None
    # As if it had closed its end: it takes the engine for dead.
    reading, writing = os.pipe()
    os.close(reading)
    os.close(heartbeat._pipe)
    heartbeat._pipe = writing
    entries["b"] = "BTCUSDT"
    heartbeat.leaving(submit("b"))
    assert heartbeat.starts == 2
    assert heartbeat._known == entries
    assert acting.poll() is None
    heartbeat.dismiss()
    assert acting.poll() is None, "a farewell is no word to it"
    acting.kill()
    acting.wait()


def test_a_watchdog_that_reads_no_more_is_followed_by_another() -> None:
    entries: dict[str, str] = {}
    heartbeat = Heartbeat(ACCOUNT, lambda: entries)
    heartbeat.beat()
    stuck = heartbeat._process
    assert stuck is not None
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.close(heartbeat._pipe)
    heartbeat._pipe = writing
    # Filled but for a page: only a part of so many entries goes in.
    size = fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ)
    assert os.write(writing, bytes(size)) == size
    os.read(reading, 4_096)
    entries.update({f"order-{number}": "BTCUSDT" for number in range(300)})
    heartbeat.beat()
    os.close(reading)
    assert stuck.poll() is not None
    assert heartbeat.starts == 2
    heartbeat.dismiss()


def test_watchdogs_that_end_at_once_are_told_of_and_tried_after_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heartbeat = Heartbeat(ACCOUNT, dict)

    def beat() -> int:
        heartbeat.beat()
        assert heartbeat._process is not None
        heartbeat._process.wait()
        return heartbeat.starts

    with monkeypatch.context() as patch:
        ends = (sys.executable, "-c", "raise SystemExit(3)")
        patch.setattr("workstation.engine.heartbeat._WATCHDOG", ends)
        starts = [beat() for _ in range(1 + 1 + PAUSE_BEATS + 1)]
        assert starts == [1, *[2] * PAUSE_BEATS, 3, 3]
        assert heartbeat.failure == "it has ended by itself, with code 3"
        assert not heartbeat.leaving(submit("a"))
        assert heartbeat.starts == 3
    while heartbeat.starts == 3:
        heartbeat.beat()
    assert heartbeat.failure
    heartbeat.beat()
    assert heartbeat.failure == ""
    assert heartbeat.leaving(submit("a"))
    assert heartbeat.starts == 4
    heartbeat.dismiss()


async def test_a_process_that_cannot_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left(*args: object, **kwargs: object) -> None:
        raise BlockingIOError("no more processes")

    heartbeat = Heartbeat(ACCOUNT, dict)
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", none_left)
        assert not heartbeat.leaving(submit("a"))
        assert heartbeat.failure == "no more processes"
        assert heartbeat.leaving(submit("b", reduce_only=True))
    assert heartbeat.leaving(submit("a"))
    assert heartbeat.starts == 1
    heartbeat.beat()
    assert heartbeat.failure == ""
    heartbeat.dismiss()


def test_however_much_it_has_to_know_at_first_one_watchdog_is_enough() -> None:
    names = [f"BINANCE:SYM{number}USDT" for number in range(4_000)]
    account = {**ACCOUNT, "symbols": {name: name[8:] for name in names}}
    entries = {f"order-{number}": name for number, name in enumerate(names)}
    heartbeat = Heartbeat(account, lambda: entries)
    assert len(heartbeat._account) > 2**16
    heartbeat.beat()
    process = heartbeat._process
    assert process is not None
    for _ in range(3):
        heartbeat.beat()
    heartbeat.leaving(submit("a"))
    assert heartbeat.starts == 1
    assert heartbeat.failure == ""
    # It has read all that it has to: else it would not understand the farewell.
    heartbeat.dismiss()
    assert process.returncode == 0


async def test_no_process_at_the_first_beat_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left(*args: object, **kwargs: object) -> None:
        raise BlockingIOError("no more processes")

    entries = {"a": "BTCUSDT"}
    heartbeat = Heartbeat(ACCOUNT, lambda: entries)
    heartbeat._beat_s = 0.0
    before = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", none_left)
        beating = asyncio.create_task(heartbeat.run())
        for _ in range(3):
            await asyncio.sleep(0)
        assert heartbeat.failure == "no more processes"
        assert len(os.listdir("/proc/self/fd")) == before
    while not heartbeat.starts:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert heartbeat._known == entries
    beating.cancel()
    heartbeat.dismiss()
