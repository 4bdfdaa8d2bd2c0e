"""Instruments of a run: those the config describes, and defaults for the rest.

The id is the bare symbol when it is unique in the run, else ``SYMBOL.venue``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from msgspec import Meta, structs

from workstation.config.feeds import feed_venue
from workstation.config.problems import Key, Problems, did_you_mean
from workstation.config.recorded import recorded_instruments
from workstation.config.tables import Checked
from workstation.config.values import show
from workstation.engine.settings import FeedSettings
from workstation.model.instruments import Instrument
from workstation.model.settings import Settings, at_least_zero, more_than_zero
from workstation.strategy.settings import StrategySettings
from workstation.venues.file.settings import FileFeedSettings
from workstation.venues.instruments import (
    default_instrument,
    is_known,
    split_symbol,
)
from workstation.venues.recording.settings import RecordingFeedSettings
from workstation.venues.simulated.settings import SimulatedFeedSettings

__all__ = [
    "InstrumentSettings",
    "check_symbol_params",
    "check_venue",
    "resolve_instruments",
    "resolve_symbols",
]


_BOUNDS = (
    ("min_notional", "max_notional"),
    ("min_quantity", "max_quantity"),
    ("min_quantity", "market_max_quantity"),
    ("min_price", "max_price"),
)


class InstrumentSettings(Settings, frozen=True, kw_only=True):
    """One ``[[instruments]]`` entry; what it leaves out is read from the symbol."""

    symbol: Annotated[str, Meta(min_length=1)]
    """The venue's name of it, such as ``BTCUSDT``."""
    venue: str | None = None
    """Venue of the feed that brings it; none = of any feed."""
    market: Annotated[str, Meta(min_length=1)] | None = None
    """What the same thing is called at every venue; instruments with one market are
    compared. None = the symbol without its separators."""
    id: str | None = None
    """What the run calls it; none = the symbol."""
    base: str | None = None
    """Currency that is bought and sold."""
    quote: str | None = None
    """Currency of its prices."""
    tick_size: Decimal
    """Smallest step of a price."""
    lot_size: Decimal
    """Smallest step of a quantity."""
    min_notional: Decimal = Decimal(0)
    """Least price × quantity of an order; 0 = none."""
    max_notional: Decimal = Decimal(0)
    """Largest price × quantity of an order at a price; 0 = none."""
    min_quantity: Decimal = Decimal(0)
    """Least quantity of an order; 0 = a lot."""
    max_quantity: Decimal = Decimal(0)
    """Largest quantity of an order; 0 = none."""
    market_max_quantity: Decimal = Decimal(0)
    """Largest quantity of a market order, where that is less; 0 = none."""
    min_price: Decimal = Decimal(0)
    """Lowest price of an order, and of a trigger; 0 = a tick."""
    max_price: Decimal = Decimal(0)
    """Highest price of an order, and of a trigger; 0 = none."""

    def __post_init__(self) -> None:
        """Refuse steps that are not positive, and bounds that exclude all."""
        more_than_zero(self, "tick_size", "lot_size")
        at_least_zero(self, *dict.fromkeys(name for pair in _BOUNDS for name in pair))
        for least, most in _BOUNDS:
            low, high = getattr(self, least), getattr(self, most)
            if high and high < low:
                raise ValueError(
                    f"{most} = {high} must be {low} or more, as {least} is; or 0"
                )


def resolve_instruments(
    entries: Sequence[Checked[InstrumentSettings]],
    feeds: Sequence[Checked[FeedSettings]],
    currencies: Sequence[str],
    problems: Problems,
) -> tuple[Instrument, ...]:
    """Return every instrument that a feed brings, in order of the feeds.

    ``currencies`` are the account's and those that count as much as it.
    """
    _check_repeated_entries(entries, problems)
    wanted: dict[tuple[str, str], Key] = {}
    brought: dict[tuple[str, str], Checked[FeedSettings]] = {}
    recorded: dict[tuple[str, str], Instrument] = {}
    for feed in feeds:
        if feed.settings is RecordingFeedSettings:
            for each in recorded_instruments(feed):
                recorded.setdefault((each.symbol, each.venue), each)
                wanted.setdefault((each.symbol, each.venue), feed.key)
            continue
        for index, symbol in enumerate(feed.get("symbols") or ()):
            pair = (symbol, feed_venue(feed))
            where = (*feed.key, "symbols", index)
            other = wanted.setdefault(pair, where)
            brought.setdefault(pair, feed)
            if feed.settings is SimulatedFeedSettings and other[1] != where[1]:
                problems.add(
                    where,
                    f"found {show(symbol)}, which feeds.{other[1]} makes up already; "
                    f"allowed: each symbol of a venue in one simulated feed",
                )
    count = Counter(symbol for symbol, _ in wanted)
    found: list[Instrument] = []
    for (symbol, venue), where in wanted.items():
        key, instrument = _instrument(symbol, venue, where, entries)
        if (known := recorded.get((symbol, venue))) is not None:
            # Events bear the id they were recorded with; the rest may be corrected.
            instrument = (
                known if key == where else structs.replace(instrument, id=known.id)
            )
        elif key == where and not is_known(symbol):
            instrument = _as_recorded(instrument, brought[symbol, venue])
        if not instrument.id:
            name = symbol if count[symbol] == 1 else f"{symbol}.{venue}"
            instrument = structs.replace(instrument, id=name)
        if instrument.id in [other.id for other in found]:
            problems.add(
                (*key, "id"),
                f"found {show(instrument.id)} for two instruments; allowed: one each",
            )
        if instrument.quote not in currencies:
            problems.add(
                key,
                f"{symbol} is quoted in {instrument.quote}; allowed: {currencies[0]}, "
                f"the account's currency, or one that [account] equal_currencies "
                f"counts as much",
            )
        found.append(instrument)
    return tuple(found)


def check_venue(
    name: str | None,
    key: Key,
    feeds: Sequence[Checked[FeedSettings]],
    problems: Problems,
) -> None:
    """Note a problem unless a feed brings instruments of this venue, or none is."""
    venues = list(dict.fromkeys(each for feed in feeds for each in _venues(feed)))
    if name is not None and name not in venues:
        problems.add(
            key,
            f"found {show(name)}; allowed: {', '.join(venues)}, the venues of the "
            f"feeds{did_you_mean(name, venues)}",
        )


def resolve_symbols(
    symbols: Sequence[str],
    instruments: Sequence[Instrument],
    key: Key,
    problems: Problems,
) -> tuple[str, ...]:
    """Return the instrument ids of a strategy's symbols; ``*`` stays as it is."""
    known = [instrument.id for instrument in instruments]
    known += [item.symbol for item in instruments if item.symbol not in known]
    if not symbols:
        problems.add(key, 'found an empty list; allowed: ["*"] or symbols of the feeds')
    ids: dict[str, None] = {}
    for index, symbol in enumerate(symbols):
        found = [item.id for item in instruments if symbol in ("*", item.id)]
        found = found or [item.id for item in instruments if item.symbol == symbol]
        found = found or [item.id for item in instruments if item.market == symbol]
        if not found:
            problems.add(
                (*key, index),
                f'found {show(symbol)}; allowed: "*", {", ".join(known)}'
                f"{did_you_mean(symbol, known)}",
            )
        ids |= dict.fromkeys(found)
    return ("*",) if "*" in symbols else tuple(ids)


def check_symbol_params(
    strategy: Checked[StrategySettings],
    instruments: Sequence[Instrument],
    problems: Problems,
) -> None:
    """Refuse parameters of a symbol that the strategy does not have.

    To be called once ``symbols`` of the strategy are instrument ids.
    """
    ids = strategy.get("symbols") or ()
    own = [item for item in instruments if "*" in ids or item.id in ids]
    known = list(dict.fromkeys(n for item in own for n in (item.symbol, item.id)))
    for name in strategy.get("symbol_params") or ():
        if own and name not in known:
            problems.add(
                (*strategy.key, "symbol_params", name),
                f"found {show(name)}; allowed: {', '.join(known)}, the strategy's "
                f"symbols{did_you_mean(name, known)}",
            )


def _venues(feed: Checked[FeedSettings]) -> list[str]:
    if feed.settings is RecordingFeedSettings:
        return [each.venue for each in recorded_instruments(feed)]
    return [feed_venue(feed)]


def _instrument(
    symbol: str,
    venue: str,
    where: Key,
    entries: Sequence[Checked[InstrumentSettings]],
) -> tuple[Key, Instrument]:
    # An entry of this very venue goes before one of any.
    for entry in sorted(entries, key=lambda item: item.get("venue") is None):
        if entry.get("symbol") == symbol and entry.get("venue") in (None, venue):
            where = entry.key
            if entry.right:
                return where, _described(entry.build(), venue)
    return where, structs.replace(default_instrument(symbol, venue), id="")


def _as_recorded(instrument: Instrument, feed: Checked[FeedSettings]) -> Instrument:
    """Return an instrument that nobody describes on the grid of its recording."""
    if feed.settings is not FileFeedSettings:
        return instrument
    if not all(feed.get(name) for name in ("name", "format", "files")):
        return instrument
    # Late: only such an instrument needs the readers before the run.
    from workstation.venues.file.grid import recorded_grid

    grid = recorded_grid(feed.build(), instrument.symbol)  # type: ignore[arg-type]
    if grid is None:
        return instrument
    return structs.replace(instrument, tick_size=grid[0], lot_size=grid[1])


def _described(entry: InstrumentSettings, venue: str) -> Instrument:
    base, quote = split_symbol(entry.symbol)
    return Instrument(
        id=entry.id or "",
        venue=venue,
        symbol=entry.symbol,
        base=entry.base or base,
        quote=entry.quote or quote,
        tick_size=entry.tick_size,
        lot_size=entry.lot_size,
        min_notional=entry.min_notional,
        max_notional=entry.max_notional,
        min_quantity=entry.min_quantity,
        max_quantity=entry.max_quantity,
        market_max_quantity=entry.market_max_quantity,
        min_price=entry.min_price,
        max_price=entry.max_price,
        market=entry.market or "",
    )


def _check_repeated_entries(
    entries: Sequence[Checked[InstrumentSettings]], problems: Problems
) -> None:
    seen: set[tuple[str, str | None]] = set()
    for entry in entries:
        symbol = entry.get("symbol")
        if symbol is None:
            continue
        if (symbol, entry.get("venue")) in seen:
            problems.add(
                (*entry.key, "symbol"),
                f"found {show(symbol)} twice; allowed: each symbol of a venue once",
            )
        seen.add((symbol, entry.get("venue")))
