"""What a jailed process can no longer do, tried inside of one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.strategy.lua.workers import PATIENCE_S
from workstation.strategy.lua.wire import ConfinementReport

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the jail is Linux's")

# Everything a probe uses is imported before the jail; what it prints goes to a pipe
# that was open before.
_PROBE = """
import ctypes, mmap, os, resource, signal, socket, sys, threading
import msgspec
from workstation.strategy.lua.jail import confine
first = open(sys.executable, "rb")
if UNPRIVILEGED and os.geteuid() == 0:
    os.setuid(65534)
report = confine(int(sys.argv[1]))
try:
    BODY
except (OSError, MemoryError, RuntimeError, ValueError) as error:
    print(type(error).__name__)
else:
    print("done")
"""


def probe(body: str, parent: int | None = None, *, unprivileged: bool = False) -> str:
    """Return what a probe in a jail says: the name of its error, or done."""
    code = _PROBE.replace("BODY", body.replace("\n", "\n    "))
    code = code.replace("UNPRIVILEGED", str(unprivileged))
    result = subprocess.run(
        [sys.executable, "-c", code, str(os.getpid() if parent is None else parent)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=ROOT,
        check=False,
    )
    return result.stdout.strip() or f"exit {result.returncode} {result.stderr[-300:]}"


def report(*, unprivileged: bool = False) -> ConfinementReport:
    """Return what the jail reaches on this machine."""
    body = "print(msgspec.json.encode(report).decode()); sys.exit()"
    told = probe(body, unprivileged=unprivileged)
    return msgspec.json.decode(told, type=ConfinementReport)


needs_landlock = pytest.mark.skipif(
    sys.platform != "linux" or report().landlock_abi == 0, reason="no Landlock here"
)
needs_scope = pytest.mark.skipif(
    sys.platform != "linux" or report().landlock_abi < 6, reason="Landlock is too old"
)


def test_the_report_names_what_was_reached_and_what_was_not() -> None:
    told = report(unprivileged=True)
    assert told.no_new_privs
    assert told.parent_death_signal
    assert told.not_dumpable
    assert told.address_space
    assert told.limits == ("fsize", "nproc", "core", "nofile")
    assert ("landlock" in told.missing) == (told.landlock_abi == 0)
    assert told.line().startswith("process, rlimits")


@pytest.mark.skipif(os.getuid() != 0, reason="of root alone")
def test_the_report_does_not_claim_of_root_that_it_can_start_no_process() -> None:
    told = report()
    assert told.limits == ("fsize", "core", "nofile")
    assert "nproc limit" in told.missing
    assert "missing: " in told.line()


def test_a_jailed_process_still_reads_and_writes_what_was_open() -> None:
    assert probe("first.read(10)") == "done"


@pytest.mark.parametrize(
    "body",
    [
        "open('/etc/passwd')",
        "open('/tmp/jailed', 'w')",
        "open('/proc/self/environ')",
        "os.listdir('/')",
        "os.pipe()",
        "os.dup(0)",
        "os.memfd_create('x')",
        "socket.socket()",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair()",
    ],
)
def test_no_file_or_socket_can_be_opened(body: str) -> None:
    assert probe(body) in ("OSError", "PermissionError")


@needs_landlock
@pytest.mark.parametrize(
    "body",
    [
        "os.execv('/bin/true', ['true'])",
        "os.mkdir('/tmp/jailed')",
        "os.symlink('/etc', '/tmp/jailed')",
    ],
)
def test_nothing_can_be_executed_or_changed_by_its_path(body: str) -> None:
    assert probe(body) == "PermissionError"


@needs_scope
def test_the_parent_cannot_be_signalled() -> None:
    assert probe("os.kill(os.getppid(), 0)") == "PermissionError"


@needs_landlock
@pytest.mark.parametrize("call", ["os.unlink", "os.rmdir", "os.chroot"])
def test_nothing_can_be_removed(call: str, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    if call == "os.unlink":
        path.write_text("here", encoding="utf-8")
    else:
        path.mkdir()
    assert probe(f"{call}({str(path)!r})") == "PermissionError"
    assert path.exists()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("os.fork()", "BlockingIOError"),
        ("threading.Thread(target=print).start()", "RuntimeError"),
    ],
)
def test_no_process_or_thread_can_be_started(body: str, error: str) -> None:
    # The limit does not bind root.
    assert probe(body, unprivileged=True) == error


def test_memory_beyond_the_spare_is_refused() -> None:
    assert probe("bytearray(48 << 20)") == "done"
    assert probe("bytearray(80 << 20)") == "MemoryError"
    assert probe("mmap.mmap(-1, 80 << 20)") == "OSError"


@pytest.mark.parametrize("limit", ["NOFILE", "FSIZE", "NPROC", "CORE", "AS"])
def test_no_limit_can_be_raised_again(limit: str) -> None:
    body = f"resource.setrlimit(resource.RLIMIT_{limit}, (1 << 30, 1 << 30))"
    assert probe(body) in ("PermissionError", "ValueError")


def test_a_process_whose_parent_is_gone_ends_at_once() -> None:
    assert probe("pass", parent=1 if os.getppid() != 1 else 2).startswith("exit 0")


def test_nothing_is_left_of_what_root_can_do() -> None:
    body = (
        "header, held = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()\n"
        "ctypes.CDLL(None).capget(header, held)\n"
        "print(list(held)); sys.exit()"
    )
    assert probe(body) == "[0, 0, 0, 0, 0, 0]"


def test_it_cannot_be_looked_into() -> None:
    body = "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)); sys.exit()"
    assert probe(body) == "0"


def test_no_new_privileges_can_be_had() -> None:
    body = "print(ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)); sys.exit()"
    assert probe(body) == "1"
