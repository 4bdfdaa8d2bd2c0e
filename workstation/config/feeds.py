"""Checks feeds beyond their types: files, symbols, times; makes paths absolute."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from workstation.config.files import FileSearch
from workstation.config.problems import Key, Problems, did_you_mean
from workstation.config.recorded import check_recording
from workstation.config.tables import Checked
from workstation.config.values import show
from workstation.engine.settings import FeedSettings
from workstation.model.timeframes import FORMS, Timeframe, parse_span
from workstation.venues.file.extras import missing_package
from workstation.venues.file.settings import (
    CACHED_FORMATS,
    MAPPED_COLUMNS,
    FileFeedSettings,
    file_venue,
)
from workstation.venues.file.times import is_time_format
from workstation.venues.recording.settings import RecordingFeedSettings
from workstation.venues.simulated.settings import VENUE, SimulatedFeedSettings

__all__ = ["check_feed", "check_shared_prices", "check_timeframe", "feed_venue"]

_FIRST_START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Nanoseconds since 1970 have 63 bits, which end in 2262.
_LAST_START = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
_SHAPE_OF_PRICE = ("start", "volatility_bps", "correlation")
_FORBIDDEN = frozenset(" \t\n\"'*?,;:\\")


def feed_venue(feed: Checked[FeedSettings]) -> str:
    """Return the name of the venue whose instruments a feed brings."""
    named: str | None = feed.get("venue")
    if named is not None:
        return named
    if feed.settings is SimulatedFeedSettings:
        return VENUE
    return file_venue(feed.get("format"))


def check_feed(
    feed: Checked[FeedSettings], search: FileSearch, problems: Problems
) -> None:
    """Note what is wrong with a feed, and make its file names absolute."""
    if feed.settings is RecordingFeedSettings:
        check_recording(feed, search, problems)
        return
    _check_symbols(feed, problems)
    if feed.settings is SimulatedFeedSettings:
        _check_start(feed.get("start"), (*feed.key, "start"), problems)
        for name in ("duration", "bars"):
            _check_span(feed.get(name), (*feed.key, name), problems)
        return
    _check_interval(feed.get("interval"), (*feed.key, "interval"), problems)
    _check_reading(feed, problems)
    if (limit := feed.get("max_skipped")) is not None and limit < 0:
        problems.add((*feed.key, "max_skipped"), f"found {limit}; allowed: 0 or more")
    files, where = feed.get("files"), (*feed.key, "files")
    if files is None:
        return
    if not files:
        problems.add(where, "found an empty list; allowed: one file or more")
    found = [
        search.find(name, "config", (*where, index)) for index, name in enumerate(files)
    ]
    for index, path in enumerate(found):
        if path and (missing := missing_package(path)) is not None:
            problems.add((*where, index), f"found {show(path.name)}, which {missing}")
    feed.values["files"] = tuple(str(path) for path in found if path)


def check_shared_prices(
    feeds: Sequence[Checked[FeedSettings]], problems: Problems
) -> None:
    """Refuse feeds that share a price and would not make the same one of it."""
    first: dict[str, Checked[FeedSettings]] = {}
    for feed in feeds:
        shared = feed.get("shared_price")
        if shared is None:
            continue
        other = first.setdefault(shared, feed)
        for name in _SHAPE_OF_PRICE:
            here, there = feed.get(name), other.get(name)
            if here is not None and there is not None and here != there:
                problems.add(
                    (*feed.key, name),
                    f"found {show(here)}; allowed: {show(there)}, as feed "
                    f"{other.get('name')} has whose price it shares",
                )


def check_timeframe(text: str | None, key: Key, problems: Problems) -> None:
    """Note a problem unless ``text`` is a timeframe or none."""
    if text is not None:
        _attempt(Timeframe.parse, text, key, problems, FORMS)


def _check_interval(text: str | None, key: Key, problems: Problems) -> None:
    def parse(word: str) -> None:
        if not Timeframe.parse(word).is_clocked:
            raise ValueError(word)

    if text is not None:
        _attempt(parse, text, key, problems, "1s, 5m, 1h, 1d, 1w, 1M or 1d@13:30")


def _check_reading(feed: Checked[FeedSettings], problems: Problems) -> None:
    """Check how rows are understood, against the format that they are of."""
    form = feed.get("format")
    if form is None:
        return
    known = MAPPED_COLUMNS.get(form, ())
    tables = ", ".join(MAPPED_COLUMNS)
    columns, where = feed.get("columns") or {}, (*feed.key, "columns")
    if columns and not known:
        problems.add(where, f'found names for format "{form}"; allowed with {tables}')
    for name, header in columns.items() if known else ():
        if name not in known:
            problems.add(
                (*where, name),
                f"unknown column; known: {', '.join(known)}{did_you_mean(name, known)}",
            )
        elif not header.strip():
            problems.add((*where, name), 'found ""; allowed: a name of the header')
    time, where = feed.get("time_format"), (*feed.key, "time_format")
    if time is not None and not is_time_format(time):
        problems.add(
            where,
            f'found {show(time)}; allowed: "auto", "s", "ms", "us", "ns", or a pattern '
            'with year, month and day such as "%d.%m.%Y %H:%M"',
        )
    elif time not in (None, "auto") and not known:
        problems.add(where, f'found {show(time)} for format "{form}"; allowed: "auto"')
    if feed.get("cache") and form not in CACHED_FORMATS:
        problems.add(
            (*feed.key, "cache"),
            f'found true for format "{form}", which is as fast without; allowed: false',
        )


def _check_span(text: str | None, key: Key, problems: Problems) -> None:
    if text is not None:
        allowed = "a count and a unit: 1s, 5m, 1h, 1d, 1w"
        _attempt(parse_span, text, key, problems, allowed)


def _check_start(text: str | None, key: Key, problems: Problems) -> None:
    if text is not None:
        allowed = "a UTC time from 1970 to 2199 such as 2024-08-08T00:00:00Z"
        _attempt(_start, text, key, problems, allowed)


def _start(text: str) -> dt.datetime:
    start = dt.datetime.fromisoformat(text)
    if start.tzinfo is None:
        start = start.replace(tzinfo=dt.UTC)
    if not _FIRST_START <= start < _LAST_START:
        raise ValueError(text)
    return start


def _attempt(
    parse: Callable[[str], object],
    text: str,
    key: Key,
    problems: Problems,
    allowed: str,
) -> None:
    try:
        parse(text)
    except ValueError:
        problems.add(key, f"found {show(text)}; allowed: {allowed}")


def _check_symbols(feed: Checked[FeedSettings], problems: Problems) -> None:
    symbols, where = feed.get("symbols"), (*feed.key, "symbols")
    if symbols is None:
        return
    for index, symbol in enumerate(symbols):
        if not symbol or _FORBIDDEN & set(symbol):
            problems.add(
                (*where, index), f'found {show(symbol)}; allowed: like "BTCUSDT"'
            )
    if feed.settings is FileFeedSettings:
        files = feed.get("files")
        if not symbols:
            problems.add(
                where,
                "missing; allowed: the symbol of all files, or one for each file, "
                'such as ["BTCUSDT"]',
            )
        elif feed.get("format") == "binance-raw":
            return  # captures name the symbol of each message
        elif files and len(symbols) not in (1, len(files)):
            problems.add(
                where,
                f"found {len(symbols)} symbols; allowed: 1 for all files, or "
                f"{len(files)}, one for each file",
            )
        return
    if not symbols:
        problems.add(where, "found an empty list; allowed: one symbol or more")
    for index, symbol in enumerate(symbols):
        if symbol in symbols[:index]:
            problems.add(
                (*where, index), f"found {show(symbol)} twice; allowed: each once"
            )
