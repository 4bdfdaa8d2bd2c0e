"""What the tests of file feeds share: rows to write, and a feed over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from workstation.model.market import MarketEvent
from workstation.venues.file.feed import FileFeed
from workstation.venues.file.settings import FileFeedSettings

__all__ = ["KLINE", "RAW_START", "make_feed", "raw_lines", "take"]

RAW_START = 1_723_161_253_937_085_768

KLINE = (
    b"1730419200000,70292.01,70470.0,70146.8,70173.73,840.4529,"
    b"1730422799999,59096143.4,128807,448.8,31559502.4,0"
)


def make_feed(
    form: str, *paths: Path, symbols: Sequence[str] = ("BTCUSDT",), **fields: object
) -> FileFeed:
    settings = msgspec.convert(
        {
            "type": "file",
            "name": "recorded",
            "format": form,
            "files": [path.name for path in paths],
            "symbols": list(symbols),
            **fields,
        },
        FileFeedSettings,
    )
    return FileFeed(settings, paths, {symbol: f"{symbol}.id" for symbol in symbols})


def take(feed: FileFeed) -> list[MarketEvent]:
    events: list[MarketEvent] = []
    while (item := feed.next()) is not None:
        assert item[0] == item[1].ts_recv
        events.append(item[1])
    return events


def raw_lines(symbol: str = "BTCUSDT", start: int = RAW_START) -> list[bytes]:
    """Return one line of each kind a capture may have, a microsecond apart."""
    low = symbol.lower()
    messages = [
        f'{{"stream":"{low}@depth@100ms","data":{{"e":"depthUpdate","E":1723161255208,'
        f'"s":"{symbol}","U":101,"u":105,"b":[["61837.63","0.5"],["61730.17","0"]],'
        '"a":[["61837.64","1.25"]]}}',
        '{"lastUpdateId":105,"bids":[["61837.63","0.5"],["61837.62","2"]],'
        '"asks":[["61837.64","1.25"]]}',
        f'{{"stream":"{low}@bookTicker","data":{{"u":106,"s":"{symbol}",'
        '"b":"61837.63","B":"3.78826","a":"61837.64","A":"1.54698"}}',
        f'{{"stream":"{low}@trade","data":{{"e":"trade","E":1723161255343,'
        f'"s":"{symbol}","t":3735683259,"p":"61837.63","q":"0.02",'
        '"T":1723161255342,"m":true,"M":true}}',
        f'{{"stream":"{low}@aggTrade","data":{{"e":"aggTrade","E":1723161255400,'
        f'"s":"{symbol}","a":77,"p":"61837.64","q":"0.5","f":1,"l":3,'
        '"T":1723161255399,"m":false,"M":true}}',
        f'{{"stream":"{low}@depth@0ms","data":{{"e":"depthUpdate","E":1723161256299,'
        f'"T":1723161256298,"s":"{symbol}","U":108,"u":110,"pu":105,'
        '"b":[["58710.20","0.014"]],"a":[]}}',
    ]
    return [
        f"{start + 1_000 * index} {message}".encode()
        for index, message in enumerate(messages)
    ]
