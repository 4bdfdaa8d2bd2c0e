"""Captures of the cryptofeed library: its ``.ws`` and ``.http`` files of Binance.

Chosen for a file of the raw format whose first line is an address. Messages are those
of the streams; only the times are written otherwise, and snapshots name their symbol
in the address that was asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from workstation.model.market import MarketEvent
from workstation.venues.file.binance_raw import BinanceRawReader
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory, Reader
from workstation.venues.file.times import time_reader

__all__ = ["is_cryptofeed", "raw_reader"]

_SCHEMES = (b"wss://", b"ws://", b"https://", b"http://")
_seconds = time_reader("s")


def is_cryptofeed(head: Sequence[bytes]) -> bool:
    """Tell whether the first line of a file is of cryptofeed."""
    return bool(head) and head[0].startswith(_SCHEMES)


def raw_reader(head: Sequence[bytes], memory: Memory) -> Reader:
    """Return the reader of a raw capture, by whichever program."""
    made = _CryptofeedReader if is_cryptofeed(head) else BinanceRawReader
    return made(head, memory)


class _CryptofeedReader:
    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._memory = memory
        self._messages = BinanceRawReader((), memory)

    def parse(self, line: bytes, number: int) -> MarketEvent | None:
        """Return the event of ``<time>: <JSON>`` or ``<address> -> <time>: <JSON>``."""
        if line.startswith(_SCHEMES):
            address, arrow, rest = line.partition(b" -> ")
            if not arrow:
                if b" <-> " in line:  # a connection was opened
                    return None
                raise Damaged("an address without an arrow and a time")
            ts, body = _timed(rest)
            return self._answer(address.decode(), ts, body)
        ts, body = _timed(line)
        return self._messages.message(body, ts)

    def _answer(self, address: str, ts: int, body: bytes) -> MarketEvent | None:
        """Return the snapshot that a request was answered with."""
        parts = urlsplit(address)
        if not parts.path.endswith("/depth"):
            self._memory.ignore(f"GET {parts.path}")
            return None
        symbols = parse_qs(parts.query).get("symbol", [])
        if len(symbols) != 1:
            raise Damaged(f"no one symbol in {address[:80]}")
        return self._messages.snapshot(body, ts, symbols[0])


def _timed(line: bytes) -> tuple[int, bytes]:
    stamp, colon, body = line.partition(b": ")
    if not colon:
        raise Damaged("no time with a colon before the message")
    return _seconds(stamp), body
