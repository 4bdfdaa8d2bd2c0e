"""The grid of a recorded instrument that nobody describes, read from its file's head.

The config asks here before it resolves instruments: a made-up tick could be coarser
than the prices in the file and destroy them, a finer one never does.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from workstation.model.errors import ConfigError, DataError
from workstation.model.market import Bar, BookDelta, BookSnapshot, MarketEvent, Quote
from workstation.venues.file.feed import FileFeed
from workstation.venues.file.settings import FileFeedSettings

__all__ = ["recorded_grid"]

# Enough for every digit to have been other than zero once.
_EVENTS = 2_000
# What a price has digits for; more are noise of a float that was computed.
_DIGITS = 10


def recorded_grid(
    settings: FileFeedSettings, symbol: str
) -> tuple[Decimal, Decimal] | None:
    """Return tick and lot as fine as the first figures of a symbol, or None.

    None where the file cannot be read that far or has no figure of the symbol: what is
    wrong with it is said by the feed when it runs.
    """
    prices: set[float] = set()
    sizes: set[float] = set()
    try:
        feed = FileFeed(
            settings,
            [Path(name) for name in settings.files],
            {name: name for name in (*settings.symbols, symbol)},
        )
    except ConfigError:
        return None
    try:
        for _ in range(_EVENTS):
            found = feed.next()
            if found is None:
                break
            if found[1].instrument == symbol:
                for price, size in _figures(found[1]):
                    prices.add(price)
                    sizes.add(size)
    except DataError:
        pass  # the head before the damage has told what it can
    finally:
        feed.close()
    if not prices:
        return None
    return _step(prices), _step(sizes)


def _figures(event: MarketEvent) -> Iterator[tuple[float, float]]:
    if isinstance(event, Quote):
        yield event.bid, event.bid_size
        yield event.ask, event.ask_size
    elif isinstance(event, Bar):
        for price in (event.open, event.high, event.low, event.close):
            yield price, event.volume
    elif isinstance(event, BookSnapshot | BookDelta):
        yield from event.bids
        yield from event.asks
    else:
        yield event.price, event.size


def _step(figures: set[float]) -> Decimal:
    """Return the power of ten, at most 1, that all figures are multiples of."""
    exponents = [
        Decimal(f"{figure:.{_DIGITS}g}").normalize().as_tuple().exponent
        for figure in figures
        if figure
    ]
    least = min((each for each in exponents if isinstance(each, int)), default=0)
    return Decimal(1).scaleb(min(0, least))
