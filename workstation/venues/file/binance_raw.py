"""Raw captures of Binance streams: ``<receive time, ns> <JSON message>`` per line.

Understands spot and USD-M depth differences, trades, aggregate trades, book tickers
and the REST depth snapshot, which has neither envelope nor symbol. Messages of other
kinds and symbols are counted, not guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from workstation.model.market import (
    BookDelta,
    BookSnapshot,
    MarketEvent,
    Quote,
    Trade,
)
from workstation.model.timeframes import NS_PER_MS
from workstation.venues.file.damage import Damaged
from workstation.venues.file.format import Memory
from workstation.venues.file.times import raw_time

__all__ = ["BinanceRawReader", "stream_symbol"]

# Bounds cost nothing in C and refuse NaN, infinity and numbers no journal can hold.
_Price = Annotated[float, Meta(gt=0, le=1e15)]
_Size = Annotated[float, Meta(ge=0, le=1e18)]
_Traded = Annotated[float, Meta(gt=0, le=1e18)]
_Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Millis = Annotated[int, Meta(ge=0, le=9_000_000_000_000)]
_Levels = tuple[tuple[_Price, _Size], ...]


class _Depth(Struct, gc=False):
    s: str
    E: _Millis
    U: _Id
    u: _Id
    b: _Levels
    a: _Levels
    pu: _Id | None = None


class _Ticker(Struct, gc=False):
    s: str
    u: _Id
    b: _Price
    B: _Size
    a: _Price
    A: _Size
    E: _Millis | None = None


class _Trade(Struct, gc=False):
    s: str
    t: _Id
    p: _Size
    q: _Size
    m: bool
    T: _Millis
    X: str | None = None


class _AggTrade(Struct, gc=False):
    s: str
    a: _Id
    p: _Price
    q: _Traded
    m: bool
    T: _Millis


class _DepthLine(Struct, gc=False):
    data: _Depth


class _TickerLine(Struct, gc=False):
    data: _Ticker


class _TradeLine(Struct, gc=False):
    data: _Trade


class _AggTradeLine(Struct, gc=False):
    data: _AggTrade


class _Snapshot(Struct, gc=False):
    lastUpdateId: _Id
    bids: _Levels
    asks: _Levels
    E: _Millis | None = None


class _Loose(Struct, gc=False):
    """Any message: enough to tell what it is."""

    stream: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    e: str | None = None
    lastUpdateId: int | None = None


class _Kind(NamedTuple):
    """How to read one kind of message, inside a stream's envelope and bare."""

    # Any: line, data and build of one kind agree on the type of the message.
    line: msgspec.json.Decoder[Any]
    data: msgspec.json.Decoder[Any]
    build: Callable[[Any, int, str], MarketEvent | None]


class _Route(NamedTuple):
    """Where the messages of one stream go; ``kind`` None means they are ignored."""

    label: str
    symbol: str
    instrument: str
    kind: _Kind | None


def _decoder(of: type[Any]) -> msgspec.json.Decoder[Any]:
    # Not strict: prices are strings, and become floats in C.
    return msgspec.json.Decoder(of, strict=False)


def _depth(data: _Depth, ts: int, instrument: str) -> BookDelta:
    if data.u < data.U:
        raise Damaged(f"first update {data.U} is after the last {data.u}")
    sent = data.E * NS_PER_MS
    return BookDelta(instrument, ts, data.U, data.u, data.b, data.a, sent, data.pu)


def _ticker(data: _Ticker, ts: int, instrument: str) -> Quote:
    if data.b >= data.a:
        raise Damaged(f"bid {data.b} is not below ask {data.a}")
    sent = None if data.E is None else data.E * NS_PER_MS
    return Quote(instrument, ts, data.b, data.B, data.a, data.A, sent, data.u)


def _trade(data: _Trade, ts: int, instrument: str) -> Trade | None:
    if data.X is not None and data.X != "MARKET":
        return None  # USD-M: insurance fund and liquidation notes, often at price 0
    if not (data.p > 0 and data.q > 0):
        raise Damaged(f"trade of {data.q} at {data.p}")
    side = -1 if data.m else 1
    return Trade(instrument, ts, data.p, data.q, side, data.t, data.T * NS_PER_MS)


def _agg_trade(data: _AggTrade, ts: int, instrument: str) -> Trade:
    side = -1 if data.m else 1
    return Trade(instrument, ts, data.p, data.q, side, data.a, data.T * NS_PER_MS)


_KINDS = {
    "depth": _Kind(_decoder(_DepthLine), _decoder(_Depth), _depth),
    "bookTicker": _Kind(_decoder(_TickerLine), _decoder(_Ticker), _ticker),
    "trade": _Kind(_decoder(_TradeLine), _decoder(_Trade), _trade),
    "aggTrade": _Kind(_decoder(_AggTradeLine), _decoder(_AggTrade), _agg_trade),
}
_EVENT_KINDS = {"depthUpdate": "depth"}
_SNAPSHOT = _decoder(_Snapshot)
_LOOSE = msgspec.json.Decoder(_Loose)
_ENVELOPE = b'{"stream":"'


def stream_symbol(lines: Sequence[bytes]) -> str | None:
    """Return the first symbol that a capture's lines name, None if none does."""
    for line in lines:
        try:
            stream = _LOOSE.decode(line[20:]).stream
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
        if stream is not None and "@" in stream:
            return stream.partition("@")[0].upper()
    return None


class BinanceRawReader:
    """Reads one capture file."""

    def __init__(self, head: Sequence[bytes], memory: Memory) -> None:
        self._memory = memory
        self._routes: dict[bytes, _Route] = {}
        self._symbols: dict[str, None] = {}
        first = stream_symbol(head)
        if first is None and len(memory.names) == 1:
            first = next(iter(memory.names))
        if first is not None:
            self._symbols[first] = None

    def parse(self, line: bytes, number: int) -> MarketEvent | None:
        """Return the event of a line; None for other kinds, which are counted."""
        ts = raw_time(line[:19])
        if line[19:20] != b" ":
            raise Damaged("no space after a receive time of 19 digits")
        return self.message(line[20:], ts)

    def message(self, body: bytes, ts: int) -> MarketEvent | None:
        """Return the event of one message of a stream, or of a depth snapshot."""
        if body.startswith(_ENVELOPE):
            start = len(_ENVELOPE)
            route = self._routes.get(body[start : body.find(b'"', start)])
            if route is not None and route.kind is not None:
                data = route.kind.line.decode(body).data
                if data.s != route.symbol:
                    raise Damaged(f"stream {route.label} carries {data.s}")
                return self._built(route, route.kind, data, ts)
        return self._unusual(body, ts)

    def _built(
        self, route: _Route, kind: _Kind, data: object, ts: int
    ) -> MarketEvent | None:
        event = kind.build(data, ts, route.instrument)
        if event is None:
            self._memory.ignore(f"{route.label} of no market")
        return event

    def _unusual(self, body: bytes, ts: int) -> MarketEvent | None:
        """Read what is no envelope of a known stream, the first of each included."""
        message = _LOOSE.decode(body)
        if message.stream is not None:
            if not bytes(message.data):
                raise Damaged(f"stream {message.stream} without data")
            key = message.stream.encode()
            route = self._routes.get(key)
            if route is None:
                route = self._routes[key] = self._route(message.stream)
            if route.kind is None:
                self._memory.ignore(route.label)
                return None
            data = route.kind.data.decode(message.data)
            if data.s != route.symbol:
                raise Damaged(f"stream {message.stream} carries {data.s}")
            return self._built(route, route.kind, data, ts)
        if message.e is not None:
            return self._bare(body, message.e, ts)
        if message.lastUpdateId is not None:
            return self.snapshot(body, ts, self._only_symbol())
        self._memory.ignore("control")
        return None

    def _route(self, stream: str) -> _Route:
        if stream.startswith("!"):  # of all symbols at once
            return _Route(stream, "", "", None)
        symbol, _, channel = stream.partition("@")
        channel = channel.partition("@")[0] or stream
        symbol = symbol.upper()
        instrument = self._memory.names.get(symbol)
        kind = _KINDS.get(channel)
        if kind is not None:
            self._symbols[symbol] = None
        if instrument is None:
            return _Route(f"symbol {symbol}", symbol, "", None)
        return _Route(channel, symbol, instrument, kind)

    def _bare(self, body: bytes, event: str, ts: int) -> MarketEvent | None:
        kind = _KINDS.get(_EVENT_KINDS.get(event, event))
        if kind is None:
            self._memory.ignore(event)
            return None
        data = kind.data.decode(body)
        self._symbols[data.s] = None
        instrument = self._memory.names.get(data.s)
        if instrument is None:
            self._memory.ignore(f"symbol {data.s}")
            return None
        return self._built(_Route(event, data.s, instrument, kind), kind, data, ts)

    def snapshot(self, body: bytes, ts: int, symbol: str) -> BookSnapshot | None:
        """Return the depth snapshot of a symbol, None for a symbol not of the feed."""
        data = _SNAPSHOT.decode(body)
        instrument = self._memory.names.get(symbol)
        if instrument is None:
            self._memory.ignore(f"symbol {symbol}")
            return None
        bids, asks = data.bids, data.asks
        if bids and asks and max(bids)[0] >= min(asks)[0]:
            raise Damaged(f"snapshot is crossed at {max(bids)[0]}")
        sent = None if data.E is None else data.E * NS_PER_MS
        return BookSnapshot(instrument, ts, data.lastUpdateId, bids, asks, sent)

    def _only_symbol(self) -> str:
        if len(self._symbols) != 1:
            held = ", ".join(self._symbols) or "none"
            raise Damaged(
                f"a snapshot names no symbol; the file must have one, has {held}"
            )
        return next(iter(self._symbols))
