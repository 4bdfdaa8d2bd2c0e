"""The watchdog: a process of its own that cancels entries when the engine is silent.

``python -m workstation.venues.watchdog`` reads lines of JSON from its standard input:
first which account to reach, then which entries left for the venue and which are gone;
an empty line only says that the engine lives. Silence, or the end of the input without
a farewell, makes it cancel what it knows and end. Protection is left where it is.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from workstation.kernel.clock import RealClock
from workstation.model.errors import VenueSilent
from workstation.model.reports import CancelRejected, OrderCanceled
from workstation.model.requests import CancelOrder
from workstation.model.roles import Venue
from workstation.model.timeframes import NS_PER_S
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.venue import BinanceVenue

__all__ = ["Account", "Line", "Watchdog"]

# A venue that is silent is asked again, this often and for so long.
RETRY_S = 1.0
TRIES = 60


class Account(Struct, frozen=True):
    """Where the entries are; the first line."""

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

    def __init__(self, venue: Venue) -> None:
        self.entries: dict[str, str] = {}
        self.dismissed = False
        self._venue = venue

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
            if not line:
                return "gone without a word"
            self.take(line)
        return ""

    async def cancel(self) -> Mapping[str, str]:
        """Cancel every entry; return what became of each, by client order id."""
        fates = dict.fromkeys(self.entries, "the venue never answered")
        for _ in range(TRIES):
            for order_id, instrument in list(self.entries.items()):
                try:
                    reports = await self._venue.send(CancelOrder(order_id, instrument))
                except VenueSilent as silence:
                    fates[order_id] = str(silence)
                    continue
                del self.entries[order_id]
                fates[order_id] = _fate(reports)
            if not self.entries:
                break
            await asyncio.sleep(RETRY_S)
        await self._venue.close()
        return fates


def _fate(reports: Any) -> str:  # Any: whichever reports there are
    for report in reports:
        if isinstance(report, OrderCanceled):
            return "canceled"
        if isinstance(report, CancelRejected):
            return report.reason
    return "not canceled"


async def _main() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=2**20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    account = msgspec.json.decode(await lines.readline(), type=Account)
    watchdog = Watchdog(BinanceVenue(account.venue, account.symbols))
    why = await watchdog.watch(lines, account.silence_s)
    if not why:
        return
    clock = RealClock()
    began = clock.now()
    fates = await watchdog.cancel()
    took_s = (clock.now() - began) / NS_PER_S
    told = "; ".join(f"{order_id}: {fate}" for order_id, fate in fates.items())
    print(
        f"watchdog: the engine is {why}; {len(fates)} entries in {took_s:.1f} s. "
        f"{told}",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(_main())
