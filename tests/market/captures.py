"""Read the recorded venue streams of the reference material, for tests only."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from workstation.model.market import (
    BookDelta,
    BookSnapshot,
    Level,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.timeframes import NS_PER_MS


@cache
def head(path: Path, lines: int) -> tuple[str, ...]:
    """Return the first lines of a capture."""
    with gzip.open(path, "rt") as file:
        return tuple(line for line, _ in zip(file, range(lines), strict=False))


def read(path: Path) -> Iterator[MarketEvent]:
    """Iterate over the events of a capture, in its order."""
    name = path.name.partition("_")[0].upper()
    with gzip.open(path, "rt") as file:
        for line in file:
            yield decode(line, name)


def cryptofeed(folder: Path) -> dict[str, list[str]]:
    """Return the cryptofeed capture as lines ``<ns> <json>`` by symbol, in time order.

    Books asked for over HTTP are in a file of their own, which names their symbols.
    """
    found: dict[str, list[str]] = {}
    for line in (folder / "BINANCE.http.0.0").read_text().split("\n"):
        if not line:
            continue
        address, _, rest = line.partition(" -> ")
        stamp, _, text = rest.partition(": ")
        symbol = address.partition("symbol=")[2].partition("&")[0]
        found.setdefault(symbol, []).append(f"{_ns(stamp)} {text}")
    for line in (folder / "BINANCE.ws.1.0").read_text().split("\n")[1:]:
        stamp, _, text = line.partition(": ")
        if text:
            symbol = text.partition('{"stream":"')[2].partition("@")[0].upper()
            found[symbol].append(f"{_ns(stamp)} {text}")
    return {symbol: sorted(lines) for symbol, lines in found.items()}


def _ns(seconds: str) -> int:
    return int(Decimal(seconds) * 1_000_000_000)


def decode(line: str, name: str) -> MarketEvent:
    """Return the event of one line ``<ns> <json>``; ValueError if it is damaged."""
    stamp, _, text = line.partition(" ")
    ts = int(stamp)
    message: dict[str, Any] = json.loads(text)
    if "lastUpdateId" in message:
        return BookSnapshot(
            name,
            ts,
            message["lastUpdateId"],
            _levels(message["bids"]),
            _levels(message["asks"]),
        )
    data = message["data"]
    ts_event = data["E"] * NS_PER_MS if "E" in data else None
    stream = message["stream"].partition("@")[2]
    if stream.startswith("depth"):
        return BookDelta(
            name,
            ts,
            data["U"],
            data["u"],
            _levels(data["b"]),
            _levels(data["a"]),
            ts_event,
            data.get("pu"),
        )
    if stream == "trade":
        return Trade(
            name,
            ts,
            float(data["p"]),
            float(data["q"]),
            -1 if data["m"] else 1,
            data["t"],
            ts_event,
        )
    assert stream == "bookTicker", stream
    return Quote(
        name,
        ts,
        float(data["b"]),
        float(data["B"]),
        float(data["a"]),
        float(data["A"]),
        ts_event,
        data["u"],
    )


def _levels(rows: list[list[str]]) -> tuple[Level, ...]:
    return tuple((float(price), float(size)) for price, size in rows)
