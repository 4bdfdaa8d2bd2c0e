"""The engine's side of the watchdog: a pipe to a process that outlives it.

Before an entry leaves for the venue its id is in the pipe, so that whatever kills the
engine, the watchdog knows it. A watchdog that has ended is started again.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping

import msgspec

from workstation.model.requests import SingleRequest, SubmitOrder

__all__ = ["Heartbeat"]

# Three beats are missed before a silence of the shortest kind counts.
BEATS_PER_SILENCE = 4


class Heartbeat:
    """Keeps one watchdog; ``entries`` are the engine's at the venue, with instruments.

    ``account`` is the first line that the watchdog reads: it has the secrets of the
    account, which is why it goes through the pipe.
    """

    def __init__(
        self,
        account: Mapping[str, object],
        entries: Callable[[], Mapping[str, str]],
    ) -> None:
        self.starts = 0
        self.failure = ""
        self._account = msgspec.json.encode(account)
        silence_s = account["silence_s"]
        assert isinstance(silence_s, int | float)
        self._beat_s = silence_s / BEATS_PER_SILENCE
        self._entries = entries
        self._known: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = -1

    async def run(self) -> None:
        """Beat until canceled; must run in the loop that must not be stuck."""
        while True:
            self.beat()
            await asyncio.sleep(self._beat_s)

    def beat(self) -> None:
        """Say that the engine lives, and what is at the venue."""
        if self._has_ended():
            self._start()
        entries = self._entries()
        sent = {k: v for k, v in entries.items() if k not in self._known}
        gone = [order_id for order_id in self._known if order_id not in entries]
        if sent or gone:
            self._say({"sent": sent, "gone": gone})
        else:
            self._write(b"\n")
        self._known = dict(entries)

    def leaving(self, request: SingleRequest) -> None:
        """Let the watchdog know an entry before the venue does."""
        if isinstance(request, SubmitOrder) and not request.order.reduce_only:
            if self._has_ended():
                # The new one has to learn of all the others too.
                self.beat()
            order = request.order
            self._known[order.id] = order.instrument
            self._say({"sent": {order.id: order.instrument}})

    def dismiss(self) -> None:
        """Take leave: the entries that are open stay as they are."""
        if self._process is not None:
            self._say({"bye": True})
            os.close(self._pipe)
            self._process.wait()
            self._process = None

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _start(self) -> None:
        if self._process is not None:
            os.close(self._pipe)
        reading, self._pipe = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workstation.venues.watchdog"],
            stdin=reading,
            # Its own session: what ends the terminal's programs must not end it.
            start_new_session=True,
        )
        os.close(reading)
        # A watchdog that does not read must never hold up the engine.
        os.set_blocking(self._pipe, False)
        self.starts += 1
        self._known = {}
        self._write(self._account + b"\n")

    def _say(self, line: Mapping[str, object]) -> None:
        self._write(msgspec.json.encode(line) + b"\n")

    def _write(self, line: bytes) -> None:
        if self._process is None:
            return
        try:
            os.write(self._pipe, line)
        except OSError as error:
            # Full or broken: the next beat starts another one.
            self.failure = str(error)
            self._process.kill()
            self._process.wait()
