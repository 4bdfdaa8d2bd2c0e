"""Instruments and start prices of well-known symbols, for feeds that bring none.

Simulated and file feeds share this table; a venue with a list of its own does not use
it. A symbol that is not in it gets a made-up but stable instrument.
"""

from __future__ import annotations

import hashlib
import math
from decimal import Decimal
from typing import NamedTuple

from workstation.model.instruments import Instrument, plain_symbol

__all__ = ["default_instrument", "is_known", "split_symbol", "start_price"]


class _Known(NamedTuple):
    tick: str
    lot: str
    start: float


# Grids are those of the spot venues, prices those of August 2024; AVAX has the finer
# tick of the futures venue so that recordings of both are on it.
_KNOWN = {
    "BTCUSDT": _Known("0.01", "0.00001", 61_700.0),
    "ETHUSDT": _Known("0.01", "0.0001", 2_683.8),
    "SOLUSDT": _Known("0.01", "0.001", 153.4),
    "BNBUSDT": _Known("0.01", "0.001", 510.2),
    "XRPUSDT": _Known("0.0001", "0.1", 0.6081),
    "ADAUSDT": _Known("0.0001", "0.1", 0.3342),
    "DOGEUSDT": _Known("0.00001", "1", 0.10032),
    "LTCUSDT": _Known("0.01", "0.001", 59.94),
    "AVAXUSDT": _Known("0.001", "0.01", 21.53),
    "LINKUSDT": _Known("0.01", "0.01", 10.21),
    "DOTUSDT": _Known("0.001", "0.01", 4.612),
    "TRXUSDT": _Known("0.0001", "0.1", 0.1268),
    "ATOMUSDT": _Known("0.001", "0.01", 5.104),
    "UNIUSDT": _Known("0.001", "0.01", 6.127),
    "XLMUSDT": _Known("0.0001", "1", 0.0986),
    "BCHUSDT": _Known("0.1", "0.001", 345.2),
    "NEARUSDT": _Known("0.001", "0.1", 3.958),
    "APTUSDT": _Known("0.01", "0.01", 5.93),
    "ETCUSDT": _Known("0.01", "0.01", 18.87),
    "FILUSDT": _Known("0.001", "0.01", 3.612),
    "ARBUSDT": _Known("0.0001", "0.1", 0.5604),
    "OPUSDT": _Known("0.001", "0.01", 1.447),
    "SUIUSDT": _Known("0.0001", "0.1", 0.9237),
    "SHIBUSDT": _Known("0.00000001", "1", 0.00001372),
    "BTCUSDC": _Known("0.01", "0.00001", 61_702.0),
    "ETHUSDC": _Known("0.01", "0.0001", 2_683.9),
    "BTCUSD": _Known("0.01", "0.00001", 61_695.0),
    "ETHUSD": _Known("0.01", "0.0001", 2_683.6),
    "BTCEUR": _Known("0.01", "0.00001", 56_480.0),
    "ETHEUR": _Known("0.01", "0.0001", 2_457.1),
    "ETHBTC": _Known("0.00001", "0.0001", 0.0435),
    "XRPETH": _Known("0.00000001", "1", 0.00022651),
    "EURUSD": _Known("0.00001", "1", 1.09180),
    "USDJPY": _Known("0.001", "1", 147.210),
    "GOOG": _Known("0.01", "0.001", 163.84),
}

# Longest first: BTCUSDT ends in USDT, not in an unknown "T".
_QUOTES = ("FDUSD", "USDT", "USDC", "USD", "BTC", "ETH", "EUR", "GBP", "JPY")

# Least notional by quote currency; about five dollars in each.
_MIN_NOTIONAL = {"BTC": "0.0001", "ETH": "0.001", "JPY": "500"}


def split_symbol(symbol: str) -> tuple[str, str]:
    """Return base and quote currency; without a known quote it is priced in USD."""
    for separator in ("/", "-", "_"):
        base, found, quote = symbol.partition(separator)
        if found and base and quote:
            return base, quote
    for quote in _QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol[: -len(quote)], quote
    return symbol, "USD"


def is_known(symbol: str) -> bool:
    """Tell whether the grid of a symbol is in the table, not made up."""
    return plain_symbol(symbol) in _KNOWN


def start_price(symbol: str) -> float:
    """Return where a made-up market of this symbol starts, in the quote currency."""
    known = _KNOWN.get(plain_symbol(symbol))
    return known.start if known else _invented(symbol).start


def default_instrument(
    symbol: str, venue: str, instrument_id: str | None = None
) -> Instrument:
    """Return the instrument of a symbol; ``instrument_id`` defaults to the symbol."""
    known = _KNOWN.get(plain_symbol(symbol)) or _invented(symbol)
    base, quote = split_symbol(symbol)
    return Instrument(
        id=instrument_id or symbol,
        venue=venue,
        symbol=symbol,
        base=base,
        quote=quote,
        tick_size=Decimal(known.tick),
        lot_size=Decimal(known.lot),
        min_notional=Decimal(_MIN_NOTIONAL.get(quote, "5")),
    )


def _invented(symbol: str) -> _Known:
    """Make up a price from the symbol's hash and a grid of four to five digits."""
    digest = hashlib.blake2b(plain_symbol(symbol).encode(), digest_size=4).digest()
    share = int.from_bytes(digest, "big") / 2**32
    _, quote = split_symbol(symbol)
    unit = {"BTC": 1e-5, "ETH": 3e-4, "JPY": 100.0}.get(quote, 1.0)
    price = unit * 300.0**share  # 1 … 300 dollars' worth, evenly in the logarithm
    digits = math.floor(math.log10(price))
    tick = Decimal(1).scaleb(max(-8, digits - 4))
    lot = Decimal(1).scaleb(-1 - math.floor(math.log10(price / unit)))
    start = float(round(Decimal(price) / tick) * tick)
    return _Known(f"{tick:f}", f"{lot:f}", start)
