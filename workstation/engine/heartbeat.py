"""The engine's side of the watchdog: a pipe to a process that outlives it.

Before an entry leaves for the venue its id is in the pipe, so that whatever kills the
engine, the watchdog knows it. One that has ended, or that hears no more because it
acts, is followed by another; while none can be had no entry leaves. What it has to know
at first is in a file in memory: a pipe takes 64 KiB, and nobody reads there yet.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import msgspec

from workstation.model.requests import SingleRequest, SubmitOrder

__all__ = ["Heartbeat"]

# Three beats are missed before a silence of the shortest kind counts.
BEATS_PER_SILENCE = 4
# One that hears the farewell ends at once, even if it was only just started; one that
# does not has begun to cancel, and nobody waits for that.
LEAVE_S = 5.0
# Beats without a try once two in a row have ended before the next beat: what keeps one
# from living is seldom gone in a second, and a start takes 100 ms of CPU.
PAUSE_BEATS = 8
_WATCHDOG = (sys.executable, "-m", "workstation.venues.watchdog")


class Heartbeat:
    """Keeps one watchdog; ``entries`` are the engine's at the venue, with instruments.

    ``account`` is the first line that the watchdog reads: it has the secrets of the
    account, which is why it is on no disk and no command line.
    """

    def __init__(
        self,
        account: Mapping[str, object],
        entries: Callable[[], Mapping[str, str]],
    ) -> None:
        self.starts = 0
        self.failure = ""
        """Why no watchdog was there when last looked; empty once one has heard us."""
        self._account = msgspec.json.encode(account)
        silence_s = account["silence_s"]
        assert isinstance(silence_s, int | float)
        self._beat_s = silence_s / BEATS_PER_SILENCE
        self._entries = entries
        self._known: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = -1
        self._acting: list[subprocess.Popen[bytes]] = []
        # No beat has met the last one alive yet; and how many beats are waited for.
        self._in_vain = False
        self._pause = 0

    async def run(self) -> None:
        """Beat until canceled; must run in the loop that must not be stuck."""
        while True:
            try:
                self.beat()
            except OSError as error:
                # No process can be started now: a later beat tries again.
                self.failure = str(error)
            await asyncio.sleep(self._beat_s)

    def beat(self) -> None:
        """Say that the engine lives, and what is at the venue."""
        self._acting = [each for each in self._acting if each.poll() is None]
        self._pause = max(0, self._pause - 1)
        if self._has_ended() or not self._tell():
            self._restart(self._entries())
        else:
            self.failure = ""
            self._in_vain = False

    def leaving(self, request: SingleRequest) -> bool:
        """Let the watchdog know an entry before the venue does; tell whether it may go.

        What is no entry may always go.
        """
        if not isinstance(request, SubmitOrder) or request.order.reduce_only:
            return True
        order = request.order
        sent = {order.id: order.instrument}
        if self._has_ended() or not self._say({"sent": sent}):
            try:
                # The new one has to learn of all the others too.
                if not self._restart({**self._entries(), **sent}):
                    return False
            except OSError as error:
                self.failure = str(error)
                return False
        self._known |= sent
        return True

    def dismiss(self) -> None:
        """Take leave: the entries that are open stay as they are."""
        if self._process is not None:
            process = self._process
            self._say({"bye": True})
            if self._process is not None:
                self._leave()
                try:
                    process.wait(LEAVE_S)
                except subprocess.TimeoutExpired:
                    self._acting.append(process)

    def _has_ended(self) -> bool:
        """Tell whether there is none, and keep how it has ended."""
        if self._process is None:
            return True
        code = self._process.poll()
        if code is not None:
            self.failure = f"it has ended by itself, with code {code}"
        return code is not None

    def _restart(self, entries: Mapping[str, str]) -> bool:
        """Start another one, unless two in a row were in vain; tell whether it was."""
        if self._pause:
            return False
        if self._in_vain:
            self._pause = PAUSE_BEATS
        self._in_vain = True
        self._start(entries)
        return True

    def _start(self, entries: Mapping[str, str]) -> None:
        if self._process is not None:
            self._leave()
        with ExitStack() as undo, open(os.memfd_create("watchdog"), "w+b") as first:
            first.write(self._account + b"\n" + _line({"sent": entries}))
            first.seek(0)
            reading, writing = os.pipe()
            undo.callback(os.close, writing)
            try:
                self._process = subprocess.Popen(
                    [*_WATCHDOG, str(first.fileno())],
                    stdin=reading,
                    pass_fds=(first.fileno(),),
                    # Its own session: what ends the terminal's programs must not end
                    # it.
                    start_new_session=True,
                )
            finally:
                os.close(reading)
            undo.pop_all()
        self._pipe = writing
        # A watchdog that does not read must never hold up the engine.
        os.set_blocking(self._pipe, False)
        self.starts += 1
        self._known = dict(entries)

    def _tell(self) -> bool:
        """Say what has changed since the last time, and whether it got through."""
        entries = self._entries()
        sent = {k: v for k, v in entries.items() if k not in self._known}
        gone = [order_id for order_id in self._known if order_id not in entries]
        self._known = dict(entries)
        if sent or gone:
            return self._say({"sent": sent, "gone": gone})
        return self._write(b"\n")

    def _say(self, line: Mapping[str, object]) -> bool:
        return self._write(_line(line))

    def _write(self, line: bytes) -> bool:
        process = self._process
        if process is None:
            return False
        try:
            if os.write(self._pipe, line) == len(line):
                return True
            self.failure = "its pipe is full"
        except BrokenPipeError:
            # That goes on without us.
            self.failure = "it took this engine for dead and cancels what it knew"
            self._acting.append(process)
            self._leave()
            return False
        except OSError as error:
            self.failure = str(error)
        # It does not read.
        process.kill()
        process.wait()
        return False

    def _leave(self) -> None:
        os.close(self._pipe)
        self._process = None


def _line(said: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(said) + b"\n"
