"""The watchdog: a process of its own that cancels entries when the engine is silent.

``python -m workstation.venues.watchdog FD`` reads lines of JSON: from that descriptor,
to its end, which account to reach and which entries are there; from its standard input
which entries left for the venue and which are gone. An empty line only says that the
engine lives. Silence, or the end of the input without a farewell, makes it cancel what
it knows until each is over, and end. It listens no more then: an engine that is back
starts another. Protection is left where it is. What it says on its standard error may
be heard by nobody: that fails and delays no cancel.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct

from workstation.kernel.clock import Clock, steady_clock
from workstation.model.errors import VenueSilent
from workstation.model.orders import TERMINAL
from workstation.model.reports import (
    CancelRejected,
    OrderCanceled,
    OrderStatusReport,
    Report,
)
from workstation.model.requests import CancelOrder
from workstation.model.roles import Venue
from workstation.model.timeframes import NS_PER_MS, NS_PER_S
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.venue import BinanceVenue

__all__ = ["Account", "Line", "Watchdog"]

# An entry that is not over is tried again this often: at first, and after a minute.
RETRY_NS = NS_PER_S
SLOW_RETRY_NS = 10 * NS_PER_S
HASTE_NS = 60 * NS_PER_S
# The longest it insists. A ban for too many requests lasts from two minutes to three
# days: after an hour somebody has to look.
LONGEST_NS = 3_600 * NS_PER_S
# How late the venue may still show an order that it has taken in.
SHOWS_WITHIN_NS = 10 * NS_PER_S
# How long the last words may take: nobody may be reading them.
LAST_WORDS_S = 1.0


class Account(Struct, frozen=True):
    """Where the entries are; the first line of what it is started with."""

    venue: BinanceVenueSettings
    symbols: dict[str, str]
    silence_s: float


class Line(Struct, frozen=True, omit_defaults=True):
    """What changed: entries by client order id with their instruments."""

    sent: dict[str, str] = {}
    gone: tuple[str, ...] = ()
    bye: bool = False


class Watchdog:
    """Knows the entries of one engine and cancels them at one venue."""

    def __init__(
        self,
        venue: Venue,
        *,
        recv_window_ms: int = 60_000,
        clock: Clock | None = None,
    ) -> None:
        """``recv_window_ms`` is how late a request of the engine may reach the venue.

        Until then, and until the venue shows what it has, "no such order" may only
        mean that the order is still on its way.
        """
        self.entries: dict[str, str] = {}
        self.dismissed = False
        self._venue = venue
        self._clock = clock or steady_clock()
        self._on_its_way_ns = recv_window_ms * NS_PER_MS + SHOWS_WITHIN_NS

    def take(self, line: bytes) -> None:
        """Take what the engine says; an empty line says nothing but that it lives."""
        if line.strip():
            said = msgspec.json.decode(line, type=Line)
            self.entries.update(said.sent)
            for order_id in said.gone:
                self.entries.pop(order_id, None)
            self.dismissed = said.bye

    async def watch(self, lines: asyncio.StreamReader, silence_s: float) -> str:
        """Return why the engine counts as dead; empty once it has taken leave."""
        while not self.dismissed:
            try:
                line = await asyncio.wait_for(lines.readline(), silence_s)
            except TimeoutError:
                return f"silent for {silence_s:g} s"
            if not line.endswith(b"\n"):
                # A kill may cut the last line off.
                return "gone without a word"
            self.take(line)
        return ""

    async def cancel(self) -> Mapping[str, str]:
        """Cancel every entry; return what became of each, by client order id.

        Those that are not over in the longest time are left in ``entries``.
        """
        clock = self._clock
        began = clock.now()
        fates = dict.fromkeys(self.entries, "the venue never answered")
        while True:
            for order_id, instrument in list(self.entries.items()):
                late = clock.now() - began >= self._on_its_way_ns
                is_over, fates[order_id] = await self._try(order_id, instrument, late)
                if is_over:
                    del self.entries[order_id]
            now = clock.now()
            if not self.entries or now - began >= LONGEST_NS:
                break
            hasty = now - began < HASTE_NS
            await clock.sleep_until(now + (RETRY_NS if hasty else SLOW_RETRY_NS))
        await self._venue.close()
        return fates

    async def _try(
        self, order_id: str, instrument: str, late: bool
    ) -> tuple[bool, str]:
        """Return whether an entry is over, and what was heard of it."""
        try:
            reports = await self._venue.send(CancelOrder(order_id, instrument))
        except VenueSilent as silence:
            return False, str(silence)
        except Exception as error:  # one entry's edge: the others are canceled still
            return False, f"{type(error).__name__}: {error}"
        return _fate(reports, late)


def _fate(reports: Sequence[Report], late: bool) -> tuple[bool, str]:
    fate = "not canceled"
    for report in reports:
        match report:
            case OrderCanceled():
                return True, "canceled"
            case CancelRejected(reason=reason):
                fate = reason
            case OrderStatusReport(status=status) if status in TERMINAL:
                return True, status.value
            case OrderStatusReport(status=status) if status is not None:
                # Refused while it is open: for a reason that may pass.
                return False, fate
    # The venue has no such order, or none of this account could ever be asked about.
    return late, fate


async def _main() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=2**20)
    pipe, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines),
        # Unlike ``sys.stdin`` this one can be closed.
        os.fdopen(sys.stdin.fileno(), "rb", 0),
    )
    with os.fdopen(int(sys.argv[1]), "rb") as first:
        account = msgspec.json.decode(first.readline(), type=Account)
        entries = first.readlines()
    watchdog = Watchdog(
        BinanceVenue(account.venue, account.symbols),
        recv_window_ms=account.venue.recv_window_ms,
    )
    for line in entries:
        watchdog.take(line)
    why = await watchdog.watch(lines, account.silence_s)
    # An engine that is back is to notice that nobody hears of its entries.
    pipe.close()
    await asyncio.sleep(0)  # the transport does it in the loop's next turn
    if not why:
        return
    count = len(watchdog.entries)
    _say(f"the engine is {why}; entries to cancel: {count}")
    clock = steady_clock()
    began = clock.now()
    fates = await watchdog.cancel()
    took_s = (clock.now() - began) / NS_PER_S
    told = "; ".join(f"{order_id}: {fate}" for order_id, fate in fates.items())
    given_up = len(watchdog.entries)
    _say(f"{count} entries in {took_s:.1f} s, given up: {given_up}. {told}").join(
        LAST_WORDS_S
    )


def _say(text: str) -> threading.Thread:
    """Begin to write a line to standard error, and wait for nothing.

    The engine's terminal may be closed or stopped, its log's reader gone or stuck. The
    descriptor is shared with others, so it cannot be made one that never blocks.
    """
    saying = threading.Thread(target=_write, args=(text,), daemon=True)
    saying.start()
    return saying


def _write(text: str) -> None:
    stderr = sys.__stderr__
    if stderr is not None:
        with suppress(OSError):
            # Unbuffered: a lock that is held here at the end would end in an abort.
            os.write(stderr.fileno(), f"watchdog: {text}\n".encode())


if __name__ == "__main__":
    asyncio.run(_main())
