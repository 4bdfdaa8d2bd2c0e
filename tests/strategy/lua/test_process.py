"""A worker's process is written and read without waiting, and ended for good."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from workstation.strategy.lua.process import Ended, Process

STARTED: list[Process] = []


@pytest.fixture(autouse=True)
def _all_are_ended() -> Iterator[None]:
    """End what a test has started."""
    yield
    for process in STARTED:
        process.kill()
    STARTED.clear()


def running(body: str) -> Process:
    """Return a process that runs a body."""
    code = f"import os, signal, sys, time\n{body}"
    process = Process((sys.executable, "-c", code))
    STARTED.append(process)
    return process


def everything(process: Process) -> bytes:
    """Return all that a process says until its end."""
    os.set_blocking(process.fileno(), True)
    said = b""
    while data := process.read():
        said += data
    return said


def test_it_is_told_who_its_parent_is() -> None:
    process = running("os.write(0, sys.argv[1].encode())")
    assert everything(process) == str(os.getpid()).encode()


def test_its_output_goes_nowhere() -> None:
    process = running(
        "print('x' * 10**6); print('y', file=sys.stderr); os.write(0, b'z')"
    )
    assert everything(process) == b"z"


def test_what_is_not_there_is_not_waited_for() -> None:
    process = running("time.sleep(1000)")
    assert process.read() is None


def test_what_the_socket_does_not_take_is_kept_and_sent_later() -> None:
    process = running(
        "seen = 0\nos.read(0, 1)\n"
        "while seen < 5_000_000: seen += len(os.read(0, 1 << 20))\n"
        "os.write(0, b'all')"
    )
    process.write(b"x" * 5_000_001)
    assert 0 < process.unsent < 5_000_001
    os.set_blocking(process.fileno(), True)
    process.flush()
    assert process.unsent == 0
    assert everything(process) == b"all"


def test_an_end_of_its_own_is_told_as_it_was() -> None:
    process = running("sys.exit(5)")
    everything(process)
    assert process.kill() == Ended(exit_code=5)
    assert str(process.kill()) == "ended with exit code 5"
    process = running("os.kill(os.getpid(), signal.SIGSEGV)")
    everything(process)
    assert str(process.kill()) == "ended by SIGSEGV"


def test_an_end_that_was_ours_is_a_signal() -> None:
    process = running("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)")
    assert process.kill() == Ended(signal="SIGKILL")
    assert process.fileno() == -1


def test_one_that_the_kernel_does_not_let_go_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = running("time.sleep(1000)")

    def stuck(popen: subprocess.Popen[bytes], timeout: float) -> int:
        raise subprocess.TimeoutExpired(popen.args, timeout)

    with monkeypatch.context() as patch:
        patch.setattr(subprocess.Popen, "wait", stuck)
        assert process.kill() == Ended(signal="SIGKILL")
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.kill() == Ended(signal="SIGKILL")
    with pytest.raises(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_memory_is_read_while_it_lives() -> None:
    process = running("held = bytearray(30 << 20)\nos.write(0, b'x'); time.sleep(1000)")
    os.set_blocking(process.fileno(), True)
    process.read()
    memory = process.memory()
    assert memory is not None
    assert memory > 30 << 20
    process.kill()
    assert process.memory() is None
