"""What recording an event costs the core, and what it costs in all.

The core's side is its own thread's CPU time over a bare pass of the same events, with
the garbage collected before each slice: what a collection costs depends on all that
lives beside it. The whole is CPU time of the process, packing and writing counted.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.budget import ROUNDS, cpu_ns
from workstation.engine.recording_writer import RecordingWriter
from workstation.engine.settings import RecordingSettings
from workstation.engine.sources import Feed
from workstation.model.instruments import Instrument
from workstation.model.market import MarketEvent
from workstation.venues.instruments import default_instrument
from workstation.venues.recording.folder import FORMAT, Header
from workstation.venues.recording.index import End
from workstation.venues.simulated.feed import SimulatedFeed
from workstation.venues.simulated.settings import SimulatedFeedSettings

EVENTS = 60_000
SLICE = 4_096


def made(count: int = EVENTS) -> tuple[Feed, list[tuple[int, MarketEvent]]]:
    """Return a feed and events of its market."""
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "ADAUSDT")
    instruments: list[Instrument] = [
        default_instrument(symbol, "simulated") for symbol in symbols
    ]
    settings = SimulatedFeedSettings(name="market", symbols=symbols)
    source = SimulatedFeed(settings, instruments, 7)
    events: list[tuple[int, MarketEvent]] = []
    while len(events) < count:
        item = source.next()
        assert item is not None
        events.append(item)
    return Feed(source), events


def writer(folder: Path) -> RecordingWriter:
    """Return the writer of a new recording."""
    header = Header(
        format=FORMAT, version="", id="0" * 32, mode="simulation", run={}, feeds=()
    )
    return RecordingWriter(folder / "run", header, RecordingSettings())


def hand_over(feed: Feed, events: list[tuple[int, MarketEvent]]) -> None:
    """Do with each event what ``Engine.step`` does for the recorder."""
    for ts, event in events:
        tap = feed.tap
        if tap is not None:
            tap((feed.name, ts, event))


def _own_ns_drained(
    kept: RecordingWriter, feed: Feed, events: list[tuple[int, MarketEvent]]
) -> int:
    """Return the time of handing over as a run does it: the thread keeps up."""
    spent = 0
    for at in range(0, len(events), SLICE):
        part = events[at : at + SLICE]
        spent += _own_ns(lambda part=part: hand_over(feed, part))  # type: ignore[misc]
        while kept.queue:
            os.sched_yield()
    return spent


def _own_ns(work: Callable[[], object]) -> int:
    gc.collect()
    began = time.thread_time_ns()
    work()
    return time.thread_time_ns() - began


def ns_per_event(count: int = EVENTS) -> tuple[float, float]:
    """Return what recording adds per event: to the core's thread, and in all, ns."""
    feed, events = made(count)
    own, whole = [], []
    for _ in range(ROUNDS):
        feed.tap = None
        bare = _own_ns(lambda: hand_over(feed, events))
        with TemporaryDirectory() as folder:
            kept = writer(Path(folder))
            feed.tap = kept.queue.append
            own.append((_own_ns_drained(kept, feed, events) - bare) / count)
            kept.close(End(how="stopped"))
        with TemporaryDirectory() as folder:
            kept = writer(Path(folder))
            feed.tap = kept.queue.append

            def run(kept: RecordingWriter = kept) -> None:
                hand_over(feed, events)
                kept.close(End(how="stopped"))

            whole.append((cpu_ns(run) - bare) / count)
            assert kept.failure is None
    return statistics.median(own), statistics.median(whole)


def test_every_event_that_is_handed_over_is_recorded(tmp_path: Path) -> None:
    feed, events = made(2_000)
    kept = writer(tmp_path)
    feed.tap = kept.queue.append
    hand_over(feed, events)
    kept.close(End(how="stopped"))
    assert kept.failure is None
    assert kept.status["market"].events == 2_000


if __name__ == "__main__":
    print("{:.0f} ns on the core's side, {:.0f} ns in all".format(*ns_per_event()))
