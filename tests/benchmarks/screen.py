"""The screen on a pty of 120×40, measured from outside; for the bench command only.

First paint and first price are times from the start of a process until its output
shows them, beside a bare Textual app in the same run. Lag is measured by a timer in
the app's own loop (``tests.benchmarks.lag``).
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

__all__ = ["first_ms", "idle_percent", "lag_ms"]

ROUNDS = 5
_GIVE_UP_S = 30.0
_IDLE_S = 4.0
_PAINTED = re.compile(rb"BTCUSDT")
# A price of the made-up BTCUSDT: five digits and a fraction, unlike the equity.
_PRICED = re.compile(rb"(?<![\d,.])\d\d,?\d{3}\.\d")
_BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("BTCUSDT")
Bare().run()
"""
BARE = (sys.executable, "-c", _BARE)
OURS = (sys.executable, "-m", "workstation")


class Screen:
    """A process on a pty that is read all the time."""

    def __init__(self, command: Sequence[str], home: str) -> None:
        self.output = b""
        self.begun = time.monotonic()
        self._fd, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environ |= {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}
        environ |= {"XDG_DATA_HOME": home, "XDG_CACHE_HOME": home}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ
        )
        os.close(theirs)

    def read(self, timeout_s: float) -> bool:
        """Take what has been written; False when the process has gone."""
        if not select.select([self._fd], [], [], timeout_s)[0]:
            return True
        try:
            self.output += os.read(self._fd, 65_536)
        except OSError:
            return False
        return True

    def shows(self, pattern: re.Pattern[bytes]) -> float | None:
        """Return the s from the start until the output matches, None if it ended."""
        while time.monotonic() - self.begun < _GIVE_UP_S:
            if pattern.search(self.output):
                return time.monotonic() - self.begun
            if not self.read(0.5):
                return None
        return None

    def drain(self, seconds: float) -> None:
        """Read for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and self.read(left):
            pass

    def wait(self) -> int:
        """Read until the process has gone; return its exit code."""
        while time.monotonic() - self.begun < _GIVE_UP_S and self.read(0.5):
            pass
        return self.process.wait(5)

    def cpu_s(self) -> float:
        """Return the CPU time of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the process."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.drain(3.0)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(5)
        os.close(self._fd)


@contextmanager
def _screen(command: Sequence[str]) -> Iterator[Screen]:
    with TemporaryDirectory() as home:
        screen = Screen(command, home)
        try:
            yield screen
        finally:
            screen.close()


def first_ms() -> dict[str, float]:
    """Return ms until a bare app, our names and our first price are seen, medians."""
    found: dict[str, list[float]] = {"bare": [], "names": [], "price": []}
    for _ in range(ROUNDS):
        with _screen(BARE) as screen:
            _keep(found["bare"], screen.shows(_PAINTED))
        with _screen(OURS) as screen:
            _keep(found["names"], screen.shows(_PAINTED))
            _keep(found["price"], screen.shows(_PRICED))
    return {name: statistics.median(each) * 1e3 for name, each in found.items() if each}


def _keep(found: list[float], seconds: float | None) -> None:
    if seconds is not None:
        found.append(seconds)


def idle_percent(seconds: float = _IDLE_S) -> float | None:
    """Return the share of a core that the paused app takes, in %; None if it ended."""
    with _screen((*OURS, "run", "--paused")) as screen:
        if screen.shows(_PAINTED) is None:
            return None
        screen.drain(3.0)
        wall, cpu = time.monotonic(), screen.cpu_s()
        screen.drain(seconds)
        return (screen.cpu_s() - cpu) / (time.monotonic() - wall) * 100


def lag_ms(which: str = "") -> tuple[float, float, float] | None:
    """Return p99 and worst lag of the app's loop in ms, and quotes a second it took.

    ``which`` is ``lua`` or ``twin`` for a strategy at bars of a second.
    """
    with TemporaryDirectory() as folder:
        report = Path(folder, "lag.json")
        command = (sys.executable, "-m", "tests.benchmarks.lag", str(report), which)
        with _screen(command) as screen:
            screen.wait()
        if not report.exists():
            return None
        found = json.loads(report.read_text())
        return found["p99"], found["worst"], found["quotes"]


if __name__ == "__main__":
    print(first_ms())
    print("idle", idle_percent())
    print("lag", lag_ms())
    print("lag with Lua", lag_ms("lua"))
