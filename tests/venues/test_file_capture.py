from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.venues.recordings import make_feed, take
from workstation.model.market import Bar, MarketEvent, Quote, Trade
from workstation.venues.file.capture import pull, write_capture, write_klines
from workstation.venues.simulated.feed import SimulatedFeed
from workstation.venues.simulated.instruments import default_instrument
from workstation.venues.simulated.settings import SimulatedFeedSettings

SYMBOLS = ("BTCUSDT", "SHIBUSDT")


def simulated(bars: str | None = None, duration: str | None = None) -> SimulatedFeed:
    settings = SimulatedFeedSettings(
        name="sim", symbols=SYMBOLS, bars=bars, duration=duration
    )
    return SimulatedFeed(settings, [default_instrument(name) for name in SYMBOLS], 7)


@pytest.mark.parametrize("name", ["demo.gz", "demo.txt"])
@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_capture_reads_back_as_it_was(tmp_path: Path, name: str, symbol: str) -> None:
    events = [e for e in pull(simulated(), 4_000) if e.instrument == symbol]
    path = tmp_path / "new" / name
    written = write_capture(path, pull(simulated(), 4_000), symbol, instrument=symbol)

    feed = make_feed("binance-raw", path, symbols=[symbol])
    feed_events = take(feed)
    assert len(feed_events) == written == len(events)
    renamed = [strip(event) for event in feed_events]
    assert renamed == [strip(event) for event in events]


def strip(event: MarketEvent) -> tuple[object, ...]:
    """Return all fields but the instrument's id."""
    fields = (getattr(event, name) for name in event.__struct_fields__[1:])
    return (type(event), *fields)


def test_the_same_events_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.gz", tmp_path / "two.gz"
    for path in (one, two):
        write_capture(path, pull(simulated(), 1_000), "BTCUSDT", instrument="BTCUSDT")

    assert one.read_bytes() == two.read_bytes()


def test_klines_read_back_as_the_bars_that_were_closed(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    events = list(pull(simulated(bars="1m", duration="20m")))
    bars = [e for e in events if isinstance(e, Bar) and e.instrument == "BTCUSDT"]
    assert write_klines(path, events, instrument="BTCUSDT") == len(bars) == 20

    for written, read in zip(
        bars, take(make_feed("binance-klines", path)), strict=True
    ):
        assert isinstance(read, Bar)
        assert strip(read)[:8] == strip(written)[:8]
        assert read.volume == pytest.approx(written.volume)
        assert read.turnover == pytest.approx(written.turnover)
        assert read.trades == written.trades


def test_bars_are_left_out_of_a_capture(tmp_path: Path) -> None:
    events = list(pull(simulated(bars="1m", duration="3m")))
    kinds = {type(event) for event in events}
    path = tmp_path / "c.txt"
    write_capture(path, events, "BTCUSDT", instrument="BTCUSDT")

    read = take(make_feed("binance-raw", path))
    assert {type(event) for event in read} == kinds - {Bar}
    assert {Quote, Trade} < kinds


def test_a_capture_that_fails_midway_leaves_nothing_behind(tmp_path: Path) -> None:
    def failing() -> Iterator[MarketEvent]:
        yield from pull(simulated(), 10)
        raise RuntimeError("lost")

    path = tmp_path / "new" / "c.gz"
    with pytest.raises(RuntimeError, match="lost"):
        write_capture(path, failing(), "BTCUSDT")

    assert list(path.parent.iterdir()) == []
