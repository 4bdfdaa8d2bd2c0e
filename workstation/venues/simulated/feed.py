"""The simulated feed: many made-up symbols merged by time, without end or network.

The driver pulls it like a recording. Everything follows from (seed, name, settings):
two feeds built alike give the same events, whatever the process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from heapq import heapify, heapreplace

import msgspec

from workstation.model.errors import ConfigError
from workstation.model.instruments import Instrument
from workstation.model.market import MarketEvent
from workstation.model.randomness import random_stream
from workstation.model.timeframes import NS_PER_MS, NS_PER_S, NS_PER_US, parse_span
from workstation.venues.instruments import start_price
from workstation.venues.simulated.market import NEVER, Market
from workstation.venues.simulated.price import Factor
from workstation.venues.simulated.settings import SimulatedFeedSettings
from workstation.venues.simulated.shared import SharedPath

__all__ = ["SimulatedFeed"]

# Raised when the same seed would give other events than before.
_MODEL = "2"

_RESYNC_S = (0.2, 3.0)  # from asking for a whole book to having it

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SimulatedFeed:
    """A ``Connector`` that makes its market up.

    ``instruments`` may hold more than ``settings.symbols``; those that match by symbol
    or id are used, of the feed's own venue first. Raises ConfigError for a symbol
    without an instrument, a symbol given twice, or a start, duration or timeframe that
    cannot be read.
    """

    def __init__(
        self,
        settings: SimulatedFeedSettings,
        instruments: Sequence[Instrument],
        seed: int,
    ) -> None:
        self.name = settings.name
        self.delivered = 0
        self.skipped = 0
        self.first_ts = _start_ns(settings)
        self._settings = settings
        self._seed = seed
        self._end_ns = _end_ns(settings, self.first_ts)
        self._instruments = _chosen(settings, instruments)
        base = f"simulated/{settings.name}/{settings.seed_offset}"
        self._index = {each.id: i for i, each in enumerate(self._instruments)}
        factor = Factor(random_stream(seed, f"{base}/factor"), self.first_ts)
        self._markets = [
            Market(
                settings,
                instrument,
                start_price(instrument.common_symbol),
                random_stream(seed, f"{base}/{instrument.symbol}"),
                factor,
                self.first_ts,
                # Snapshots arrive one after the other, as a client would ask for them.
                index * NS_PER_MS,
                self._shared(instrument),
            )
            for index, instrument in enumerate(self._instruments)
        ]
        self._heap = [(market.due, i) for i, market in enumerate(self._markets)]
        heapify(self._heap)
        # Of its own, so that the market goes the same way whoever asks.
        self._answers = random_stream(seed, f"{base}/resync")
        self._now = self.first_ts

    def _shared(self, instrument: Instrument) -> SharedPath | None:
        """Return the price it shares with other feeds, made of streams all have."""
        settings = self._settings
        if settings.shared_price is None:
            return None
        base = f"shared/{settings.shared_price}"
        market = instrument.common_symbol
        return SharedPath(
            random_stream(self._seed, f"{base}/{market}"),
            Factor(random_stream(self._seed, f"{base}/factor"), self.first_ts),
            self.first_ts,
            start_price(market) / float(instrument.tick_size),
            settings.volatility_bps,
            settings.correlation,
            settings.lag_ms * NS_PER_MS,
        )

    @property
    def lost(self) -> int:
        """Return how many book differences were lost on purpose."""
        return sum(market.lost for market in self._markets)

    def next(self) -> tuple[int, MarketEvent] | None:
        """Return the next event with its ``ts_recv``; None after the duration."""
        heap = self._heap
        while heap:
            ts, index = heap[0]
            if ts > self._end_ns:  # what closes at the end is still told
                heap.clear()
                return None
            market = self._markets[index]
            event = market.step()
            heapreplace(heap, (market.due, index))
            if event is not None:
                self._now = ts
                self.delivered += 1
                return ts, event
        return None

    def resync(self, instrument: str) -> None:
        """Send the whole book of an instrument as soon as a venue would.

        Who asks again before the answer is there gets no second one. Raises KeyError
        for an instrument of another feed.
        """
        index = self._index[instrument]
        market = self._markets[index]
        if not self._heap or market.is_answering:
            return
        wait_ns = int(self._answers.uniform(*_RESYNC_S) * NS_PER_S)
        market.answer(self._now + wait_ns)
        self._heap = [(each.due, i) for i, each in enumerate(self._markets)]
        heapify(self._heap)

    def identity(self) -> Mapping[str, str]:
        """Return seed, model and a digest of the settings and instruments."""
        # The same market, recorded or not.
        settings = msgspec.structs.replace(self._settings, record=False)
        content = msgspec.json.encode((settings, self._instruments))
        return {
            "type": "simulated",
            "model": _MODEL,
            "seed": str(self._seed),
            "settings": hashlib.blake2b(content, digest_size=16).hexdigest(),
        }

    def close(self) -> None:
        """End the market: ``next`` returns None from now on."""
        self._heap.clear()


def _chosen(
    settings: SimulatedFeedSettings, instruments: Sequence[Instrument]
) -> list[Instrument]:
    own = [item for item in instruments if item.venue == settings.venue_name]
    known = {instrument.id: instrument for instrument in instruments}
    known.update((instrument.symbol, instrument) for instrument in instruments)
    # The same symbol at another venue is another instrument.
    known.update((instrument.symbol, instrument) for instrument in own)
    missing = [symbol for symbol in settings.symbols if symbol not in known]
    if missing:
        raise ConfigError(
            f"feed {settings.name}: no instrument for {', '.join(missing)}; "
            f"there are {', '.join(known) or 'none'}"
        )
    chosen = {known[symbol].id: known[symbol] for symbol in settings.symbols}
    if len(chosen) != len(settings.symbols):
        raise ConfigError(f"feed {settings.name}: symbols names a symbol twice")
    return list(chosen.values())


def _start_ns(settings: SimulatedFeedSettings) -> int:
    try:
        start = datetime.fromisoformat(settings.start)
    except ValueError as error:
        raise ConfigError(
            f"feed {settings.name}: start = {settings.start!r} is not an ISO 8601 "
            "time such as 2024-08-08T00:00:00Z"
        ) from error
    if start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    return (start - _EPOCH) // timedelta(microseconds=1) * NS_PER_US


def _end_ns(settings: SimulatedFeedSettings, start_ns: int) -> int:
    try:
        if settings.bars is not None:
            parse_span(settings.bars)
        if settings.duration is None:
            return NEVER
        return start_ns + parse_span(settings.duration)
    except ValueError as error:
        raise ConfigError(f"feed {settings.name}: {error}") from error
