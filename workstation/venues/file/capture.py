"""Writes small recordings of our own in the formats the file feed reads.

The Makefile makes the shipped recording with it, from a simulated feed. Files appear
whole or not at all, and the same events give the same bytes.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from workstation.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    Level,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.roles import Connector
from workstation.model.timeframes import NS_PER_MS

__all__ = ["pull", "write_capture", "write_klines"]


def pull(feed: Connector, count: int | None = None) -> Iterator[MarketEvent]:
    """Yield the events of a feed: all, or the first ``count``."""
    while count is None or count > 0:
        item = feed.next()
        if item is None:
            return
        yield item[1]
        if count is not None:
            count -= 1


def write_capture(
    path: Path,
    events: Iterable[MarketEvent],
    symbol: str,
    *,
    instrument: str | None = None,
) -> int:
    """Write a ``binance-raw`` capture of one symbol and return the count of lines.

    ``instrument`` picks the events of one id out of many; without it all are taken as
    the symbol's. Packed where the name ends in ``.gz``. Bars are left out: a capture
    has none. Times of the venue keep whole milliseconds only.
    """
    lines = (
        f"{event.ts_recv} {message}\n"
        for event in events
        if instrument is None or event.instrument == instrument
        if (message := _message(event, symbol)) is not None
    )
    return _write(path, lines)


def write_klines(
    path: Path, events: Iterable[MarketEvent], *, instrument: str | None = None
) -> int:
    """Write the bars among ``events`` as a kline dump and return the count of rows.

    Times are ms. What takers bought is not known of a bar and written as 0.
    """
    rows = (
        _kline(event)
        for event in events
        if isinstance(event, Bar)
        if instrument is None or event.instrument == instrument
    )
    return _write(path, rows)


def _message(event: MarketEvent, symbol: str) -> str | None:
    """Return the venue's JSON of an event; None for kinds a capture does not have."""
    sent = (event.ts_recv if event.ts_event is None else event.ts_event) // NS_PER_MS
    match event:
        case BookSnapshot():
            return (
                f'{{"lastUpdateId":{event.last_id},"E":{sent},'
                f'"bids":{_levels(event.bids)},"asks":{_levels(event.asks)}}}'
            )
        case BookDelta():
            channel, kind = "depth", "depthUpdate"
            previous = ""
            if event.previous_id is not None:
                previous = f'"pu":{event.previous_id},'
            body = (
                f'"U":{event.first_id},"u":{event.last_id},{previous}'
                f'"b":{_levels(event.bids)},"a":{_levels(event.asks)}'
            )
        case Quote():
            channel = kind = "bookTicker"
            body = (
                f'"u":{event.update_id or 0},'
                f'"b":"{event.bid:.8f}","B":"{event.bid_size:.8f}",'
                f'"a":"{event.ask:.8f}","A":"{event.ask_size:.8f}"'
            )
        case Trade():
            channel = kind = "trade"
            maker = "true" if event.aggressor < 0 else "false"
            body = (
                f'"t":{event.trade_id},"p":"{event.price:.8f}",'
                f'"q":"{event.size:.8f}","T":{sent},"m":{maker}'
            )
        case _:
            return None
    return (
        f'{{"stream":"{symbol.lower()}@{channel}",'
        f'"data":{{"e":"{kind}","E":{sent},"s":"{symbol}",{body}}}}}'
    )


def _levels(levels: tuple[Level, ...]) -> str:
    return "[" + ",".join(f'["{p:.8f}","{size:.8f}"]' for p, size in levels) + "]"


def _kline(bar: Bar) -> str:
    prices = ",".join(f"{p:.8f}" for p in (bar.open, bar.high, bar.low, bar.close))
    return (
        f"{bar.ts_open // NS_PER_MS},{prices},{bar.volume:.8f},"
        f"{bar.ts_close // NS_PER_MS - 1},{bar.turnover:.8f},{bar.trades},0,0,0\n"
    )


def _write(path: Path, lines: Iterable[str]) -> int:
    """Write beside ``path`` and move into place; packing leaves no time or name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with beside.open("wb") as raw:
            if path.suffix == ".gz":
                with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                    for line in lines:
                        packed.write(line.encode())
                        count += 1
            else:
                for line in lines:
                    raw.write(line.encode())
                    count += 1
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    return count
