"""Checks that bars of a strategy's timeframe can be made of the bars that come.

Called once feeds and strategies have been read. Where the length of a feed's bars is
not known before its file is read nothing is said: the run itself will tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from workstation.config.feeds import feed_venue
from workstation.config.problems import Problems
from workstation.config.tables import Checked
from workstation.config.values import show
from workstation.engine.settings import FeedSettings
from workstation.model.instruments import Instrument
from workstation.model.timeframes import Timeframe
from workstation.strategy.settings import StrategySettings
from workstation.venues.file.settings import FileFeedSettings
from workstation.venues.recording.settings import RecordingFeedSettings

__all__ = ["check_intervals"]

_BARS = ("binance-klines", "ohlcv")
# How Binance names the files of its archive: BTCUSDT-1h-2024-06.zip.
_NAMED = re.compile(r"-(1s|[135]m|15m|30m|[12468]h|12h|[13]d|1w|1M)(?=[-.])")


def check_intervals(
    strategies: Sequence[Checked[StrategySettings]],
    feeds: Sequence[Checked[FeedSettings]],
    instruments: Sequence[Instrument],
    problems: Problems,
) -> None:
    """Refuse a timeframe that is no multiple of the only bars of an instrument."""
    files = [feed for feed in feeds if feed.settings is FileFeedSettings]
    bars = [feed for feed in files if feed.get("format") in _BARS]
    # Where trades or prices come too, bars of any length are made of those.
    free = {
        name
        for feed in feeds
        if feed not in bars
        for name in _served(feed, instruments)
    }
    for strategy in strategies:
        text = strategy.get("timeframe")
        chosen = _timeframe(text)
        wanted = strategy.get("symbols") or ()
        for feed in bars:
            given = _interval(feed)
            served = [name for name in _served(feed, instruments) if name not in free]
            is_wanted = "*" in wanted or any(name in wanted for name in served)
            if not (given and chosen and is_wanted and served):
                continue
            if not chosen.is_made_of(given):
                problems.add(
                    (*strategy.key, "timeframe"),
                    f"found {show(text)}; allowed: a multiple of "
                    f"{given}, the bars of feed "
                    f"{feed.get('name')}",
                )


def _served(
    feed: Checked[FeedSettings], instruments: Sequence[Instrument]
) -> Iterator[str]:
    """Yield the ids of a feed's instruments."""
    if feed.settings is RecordingFeedSettings:
        yield from feed.get("symbols") or ()
        return
    symbols, venue = feed.get("symbols") or (), feed_venue(feed)
    for instrument in instruments:
        if instrument.venue == venue and instrument.symbol in symbols:
            yield instrument.id


def _interval(feed: Checked[FeedSettings]) -> Timeframe | None:
    """Return a feed's bars as stated, or as its files are named."""
    if feed.get("interval") is not None:
        return _timeframe(feed.get("interval"))
    if feed.get("format") != "binance-klines":
        return None
    found = {_NAMED.search(Path(name).name) for name in feed.get("files") or ()}
    lengths = {match[1] if match else None for match in found}
    return _timeframe(lengths.pop()) if len(lengths) == 1 else None


def _timeframe(text: str | None) -> Timeframe | None:
    """Return the timeframe of a word; None where it is wrong or missing."""
    try:
        return Timeframe.parse(text) if text else None
    except ValueError:
        return None
