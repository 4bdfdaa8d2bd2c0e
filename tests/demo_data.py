"""Makes the recordings that are shipped in ``config/``: ``make demo-data``.

From the simulated feed, in the formats of Binance, with a fixed seed: the same code
writes the same bytes. Nothing is lost on purpose, so that a newcomer's first recording
has no gaps.
"""

from __future__ import annotations

import sys
from pathlib import Path

from workstation.venues.file.capture import pull, write_capture, write_klines
from workstation.venues.instruments import default_instrument
from workstation.venues.simulated.feed import SimulatedFeed
from workstation.venues.simulated.settings import SimulatedFeedSettings

SEED = 20_240_808
CAPTURES = {"BTCUSDT": "demo-btcusdt.gz", "ETHUSDT": "demo-ethusdt.gz"}
KLINES = "demo-klines-btcusdt-1h.csv"

_CAPTURE = SimulatedFeedSettings(
    name="capture",
    symbols=tuple(CAPTURES),
    start="2024-08-08T23:50:00Z",
    duration="10m",
    gaps_per_hour=0.0,
)
# Few events a second are enough for the shape of an hour.
_CANDLES = SimulatedFeedSettings(
    name="candles",
    symbols=("BTCUSDT",),
    start="2024-06-01T00:00:00Z",
    duration="10w",
    quotes_per_s=0.01,
    trades_per_s=0.02,
    depth_interval_ms=60_000,
    depth_levels=1,
    gaps_per_hour=0.0,
    bursts_per_hour=0.2,
    bars="1h",
)


def make(folder: Path) -> list[Path]:
    """Write all files into ``folder`` and return their paths."""
    events = list(pull(_feed(_CAPTURE)))
    paths = []
    for symbol, name in CAPTURES.items():
        paths.append(folder / name)
        write_capture(paths[-1], events, symbol, instrument=symbol)
    paths.append(folder / KLINES)
    write_klines(paths[-1], pull(_feed(_CANDLES)))
    return paths


def _feed(settings: SimulatedFeedSettings) -> SimulatedFeed:
    instruments = [default_instrument(name, "simulated") for name in settings.symbols]
    return SimulatedFeed(settings, instruments, SEED)


if __name__ == "__main__":
    for path in make(Path(sys.argv[1])):
        print(f"{path}: {path.stat().st_size} bytes")
