"""A worker's process and its socket: started bare, read and written without waiting.

Owned by ``host.py``. Whatever happens, ``kill`` leaves no process, no zombie and no
open file behind.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

__all__ = ["COMMAND", "Ended", "Process"]

COMMAND = (sys.executable, "-I", "-m", "workstation.strategy.lua.worker")
"""Starts a worker; the parent's process id follows. ``-I``: no environment, no user's
site, no current directory on the path."""

_READ = 256 * 1024
# Seconds in which the kernel ends a killed process; it needs about a millisecond.
_REAP_S = 2.0


class Ended(Struct, frozen=True):
    """How a process ended: with an exit code, or by a signal's name."""

    exit_code: int | None = None
    signal: str | None = None

    def __str__(self) -> str:
        if self.signal is not None:
            return f"ended by {self.signal}"
        return f"ended with exit code {self.exit_code}"


class Process:
    """One running worker process."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._unsent = bytearray()
        self._ended: Ended | None = None
        ours.setblocking(False)
        try:
            with theirs:
                self._popen = subprocess.Popen(
                    [*command, str(os.getpid())],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={},
                    close_fds=True,
                    # Ctrl-C at the terminal is for the workstation, not for workers.
                    start_new_session=True,
                )
        except BaseException:
            ours.close()
            raise

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._popen.pid

    @property
    def unsent(self) -> int:
        """Return how many bytes wait for the worker to read."""
        return len(self._unsent)

    def fileno(self) -> int:
        """Return the socket's descriptor; -1 after the end."""
        return self._socket.fileno()

    def write(self, data: bytes) -> None:
        """Send what the socket takes now and keep the rest; OSError where it broke."""
        self._unsent += data
        self.flush()

    def flush(self) -> None:
        """Send of the rest what the socket takes now; OSError where it broke."""
        try:
            while self._unsent:
                sent = self._socket.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            pass

    def read(self) -> bytes | None:
        """Return what is there, b"" at the end of the stream, None where nothing is."""
        try:
            return self._socket.recv(_READ)
        except BlockingIOError:
            return None
        except ConnectionError:
            return b""

    def kill(self) -> Ended:
        """End the process with its children, close the socket; tell how it ended.

        One that had ended by itself tells of that end. Harmless when called again.
        """
        if self._ended is not None:
            self._popen.poll()
            return self._ended
        self._socket.close()
        self._unsent.clear()
        try:
            # It leads its own group, with whatever it may have started, which may live
            # on where it has ended: until it is reaped its number is nobody else's.
            os.killpg(self._popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._popen.kill()
        try:
            self._ended = _ended(self._popen.wait(_REAP_S))
        except subprocess.TimeoutExpired:
            # The kernel has it in a wait that nothing interrupts. It is as good as
            # dead; what it leaves is reaped when this is called again.
            self._ended = Ended(signal="SIGKILL")
        return self._ended

    def memory(self) -> int | None:
        """Return the bytes of memory that it holds now; None where unknown."""
        if self._ended is not None:
            return None
        try:
            text = Path(f"/proc/{self.pid}/statm").read_text(encoding="utf-8")
        except OSError:
            return None
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _ended(code: int) -> Ended:
    if code >= 0:
        return Ended(exit_code=code)
    try:
        return Ended(signal=signal.Signals(-code).name)
    except ValueError:
        return Ended(signal=f"signal {-code}")
