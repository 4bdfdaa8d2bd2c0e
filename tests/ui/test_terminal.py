"""The program itself in a pseudo-terminal: keys, stall, signals, hang-up, resizes."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workstation.engine.replay import replay_journal
from workstation.paths import log_file, shipped_folder

SYMBOLS = ("BTC", "ETH", "SOL", "ADA", "XRP", "BNB", "DOGE", "LTC")
PATIENCE_S = 60.0
# A slow machine takes its time; whatever takes longer than this will not come.
STALL_S = 6.0
MOST_LAG_MS = 250
# Takes the terminal as its own, as a shell's child has it, then becomes the program.
START = (
    "import os, sys; os.login_tty(0); "
    "os.execv(sys.executable, [sys.executable, '-m', 'workstation', *sys.argv[1:]])"
)
# The same as the child of a leader that hears the hang-up alone, as make does.
START_BEHIND = (
    "import os, signal, sys; os.login_tty(0); "
    "signal.signal(signal.SIGHUP, lambda *_: None); child = os.fork(); "
    "child or os.execv(sys.executable, "
    "[sys.executable, '-m', 'workstation', *sys.argv[1:]]); "
    "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
)

pytestmark = pytest.mark.timeout(300)

_TOKEN = re.compile(
    r"\x1b\[(?P<args>[0-9;?<=>]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[P_^X][^\x1b]*\x1b\\"
    r"|\x1b[()*+].|\x1b[0-?@-OQ-WYZ\\a-~]"
    r"|(?P<text>[^\x00-\x1f\x1b]+)|(?P<control>[\x00-\x1a\x1c-\x1f])"
)


class Screen:
    """What a terminal would show: places and text, no colours."""

    def __init__(self, columns: int, rows: int) -> None:
        self._pending = ""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Begin anew at another size."""
        self._columns, self._rows = columns, rows
        self._cells = [[" "] * columns for _ in range(rows)]
        self._x = self._y = 0

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join("".join(row) for row in self._cells)

    @property
    def header(self) -> str:
        """The first line."""
        return "".join(self._cells[0])

    @property
    def events(self) -> int:
        """The event counter of the header, −1 before there is one."""
        found = re.search(r"event ([\d,]+)", self.header)
        return int(found[1].replace(",", "")) if found else -1

    def feed(self, data: bytes) -> None:
        """Take what the program wrote."""
        text, at = self._pending + self._decode(data), 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:  # the rest of a sequence is still to come
                break
            self._take(token)
            at = token.end()
        self._pending = text[at:]

    def _take(self, token: re.Match[str]) -> None:
        if token["text"]:
            self._write(token["text"])
        elif token["control"] == "\r":
            self._x = 0
        elif token["control"] == "\n":
            self._y += 1
        elif token["final"] in ("H", "f"):
            row, _, column = (token["args"] or "1;1").partition(";")
            self._y, self._x = int(row or 1) - 1, int(column or 1) - 1

    def _write(self, text: str) -> None:
        for sign in text:
            if 0 <= self._y < self._rows and 0 <= self._x < self._columns:
                self._cells[self._y][self._x] = sign
            self._x += 1


class Terminal:
    """A pseudo-terminal in which the program runs on the shipped default."""

    def __init__(
        self,
        journal: Path,
        *settings: str,
        columns: int = 120,
        rows: int = 40,
        start: str = START,
    ) -> None:
        self.journal = journal
        self.screen = Screen(columns, rows)
        self.written = bytearray()
        self.closed = False
        self.master, self.slave = pty.openpty()
        self.modes = termios.tcgetattr(self.slave)
        self.resize(columns, rows)
        environ = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"}
        # Unbuffered, Python itself drops what a signal cuts off a write.
        for name in ("COLUMNS", "LINES", "NO_COLOR", "PYTHONUNBUFFERED"):
            environ.pop(name, None)
        config = str(shipped_folder("config") / "default.toml")
        given = [f'journal.path="{journal}"', *settings]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", start, "run", config),
                *(word for each in given for word in ("--set", each)),
            ],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=environ,
        )

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; the system tells the program."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        self.screen.resize(columns, rows)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def read(self, seconds: float) -> None:
        """Take what comes within this time."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return
        try:
            data = os.read(self.master, 65_536)
        except OSError:  # the last one who had the terminal open has gone
            return
        self.written += data
        self.screen.feed(data)

    def wait(self, reached: Callable[[], bool], what: str) -> None:
        """Read until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            assert self.process.poll() is None, self._tell(f"it ended before: {what}")
            assert time.monotonic() < deadline, self._tell(f"never came: {what}")
            self.read(0.2)

    def wait_for_run(self) -> None:
        """Read until all symbols are seen and the counter runs."""
        self.wait(
            lambda: (
                all(f"{name}USDT" in self.screen.text for name in SYMBOLS)
                and self.screen.events > 0
            ),
            "eight symbols and a running counter",
        )

    def stall(self, seconds: float) -> int:
        """Read nothing for this long; return how late this process was itself, ms."""
        worst, last = 0.0, time.monotonic()
        deadline = last + seconds
        while last < deadline:
            select.select([], [], [], 0.01)
            now = time.monotonic()
            worst, last = max(worst, now - last - 0.01), now
        return int(worst * 1000)

    def wait_for_end(self) -> int:
        """Read until the program has ended by itself; return its code."""
        deadline = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self._tell("it did not end")
            if self.closed:
                select.select([], [], [], 0.05)
            else:
                self.read(0.05)
        while not self.closed and select.select([self.master], [], [], 0.1)[0]:
            before = len(self.written)
            self.read(0.1)
            if len(self.written) == before:
                break
        return self.process.returncode

    def hang_up(self) -> None:
        """Close the terminal under the program, as a lost connection does."""
        self.closed = True
        os.close(self.slave)
        os.close(self.master)

    def wait_unseen(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for something that no screen shows."""
        deadline = time.monotonic() + PATIENCE_S
        while not reached():
            assert self.process.poll() is None, f"it ended before: {what}"
            assert time.monotonic() < deadline, f"never came: {what}"
            select.select([], [], [], 0.05)

    def close(self) -> None:
        """End what is left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if not self.closed:
            os.close(self.slave)
            os.close(self.master)

    def _tell(self, problem: str) -> str:
        return f"{problem}\n{self.screen.text}\n{bytes(self.written[-600:])!r}"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Start the program at 120×40."""
    made = Terminal(tmp_path / "run.sqlite")
    yield made
    made.close()


def loop_lag() -> tuple[int, int]:
    """Return the worst lag in ms and the frames left out, from the program's log."""
    text = log_file().read_text(encoding="utf-8")
    found = re.search(r"loop lag worst (\d+) ms, (\d+) frames left out", text)
    assert found is not None, text
    return int(found[1]), int(found[2])


def assert_whole(journal: Path) -> None:
    """Replay it."""
    result = replay_journal(journal)
    assert result.matches, result.first_difference
    assert result.inputs > 0


def test_keys_a_stalled_terminal_and_sigterm(terminal: Terminal) -> None:
    screen = terminal.screen
    terminal.wait_for_run()

    terminal.press(" ")
    terminal.wait(lambda: " PAUSED " in screen.header, "the clock stands")
    at = screen.events
    for step in (1, 2):
        terminal.press(".")
        terminal.wait(lambda: screen.events != at + step - 1, "one event")  # noqa: B023
        assert screen.events == at + step
    assert " STEP " in screen.header
    terminal.press(" ")
    terminal.wait(
        lambda: " RUN " in screen.header and screen.events > at + 2, "the clock runs"
    )

    own_ms = terminal.stall(STALL_S)
    before = screen.events
    # More than a stall's worth: the frames that waited are read, and new ones come.
    terminal.wait(lambda: screen.events > before + 2_000, "it paints again")

    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait_for_end() == 0
    for restored in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l", b"\x1b[?2004l"):
        assert restored in terminal.written[-2_000:]
    assert termios.tcgetattr(terminal.slave) == terminal.modes

    lag_ms, left_out = loop_lag()
    assert left_out > 0, "the terminal took everything: there was no stall"
    assert lag_ms <= MOST_LAG_MS + own_ms
    assert_whole(terminal.journal)


def test_a_closed_terminal_ends_the_run_in_order(terminal: Terminal) -> None:
    terminal.wait_for_run()
    terminal.hang_up()
    # By itself and not by the signal; 120 is Python's word for last words unread.
    assert terminal.wait_for_end() in (0, 120)
    assert_whole(terminal.journal)


def test_a_terminal_whose_end_only_another_hears_of_ends_the_run(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "run.sqlite"
    terminal = Terminal(journal, start=START_BEHIND)
    try:
        terminal.wait_for_run()
        # Paused it writes nothing that could fail.
        terminal.press(" ")
        terminal.wait(lambda: "PAUSED" in terminal.screen.header, "a pause")
        terminal.hang_up()
        assert terminal.wait_for_end() in (0, 120)
    finally:
        terminal.close()
    assert_whole(journal)


def test_a_run_that_is_to_be_kept_goes_on_without_its_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "run.sqlite", 'engine.on_hangup="keep"')

    def written() -> int:
        return sum(each.stat().st_size for each in tmp_path.iterdir())

    def logged(words: str) -> bool:
        return words in log_file().read_text(encoding="utf-8")

    try:
        terminal.wait_for_run()
        terminal.hang_up()
        terminal.wait_unseen(lambda: logged("goes on without a screen"), "its word")
        before = written()
        terminal.wait_unseen(lambda: written() > before, "more of the journal")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.wait_for_end() in (0, 120)
    finally:
        terminal.close()
    assert logged("the run without a screen has ended")
    assert_whole(terminal.journal)


def test_a_storm_of_resizes_leaves_it_alive_and_painting(terminal: Terminal) -> None:
    terminal.wait_for_run()
    sizes = ((39, 9), (200, 60), (80, 24), (60, 15), (120, 36))
    for number in range(50):
        terminal.resize(*sizes[number % len(sizes)])
        terminal.process.send_signal(signal.SIGWINCH)
        terminal.read(0.02)
    terminal.resize(120, 40)
    terminal.wait_for_run()
    before = terminal.screen.events
    terminal.wait(lambda: terminal.screen.events > before + 50, "the counter runs")
    for panel in ("Symbols 8", "Chart", "Book", "Orders", "Log", "ctrl+k KILL"):
        terminal.wait(lambda: panel in terminal.screen.text, panel)  # noqa: B023
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait_for_end() == 0
    assert_whole(terminal.journal)
