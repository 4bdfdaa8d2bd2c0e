"""How long a saved script takes to run, and for how long its reload holds the loop.

A run of many symbols in bars of a second stands while ``Reloading`` is called ten times
a second in an event loop, as the screen does it. Measured in wall time: its longest
piece of work, and the time from saving to the swap. Beside it stands what a bare load
of the script takes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from tests.benchmarks.markets import events
from tests.benchmarks.test_core import CONFIG, Ticks
from tests.benchmarks.test_symbols import names
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.session import Session
from workstation.engine.sources import Sources
from workstation.paths import shipped_folder
from workstation.strategy.script import load_script
from workstation.strategy.scripted import ScriptedStrategy

SYMBOLS = 100
BARS = 300
ROUNDS = 3
_EVERY_S = 0.1
_GIVE_UP_S = 60.0


class Reload(Struct, frozen=True):
    """One reload, in ms of wall time."""

    whole: float
    longest: float
    held: float
    """All its ticks together: what the loop has given for it."""


class Desk:
    """A run of ``ema_cross`` in a folder of its own, and a hand that saves it."""

    def __init__(self, folder: Path, language: str, symbols: int, bars: int) -> None:
        self.path = folder / f"bench.{language}"
        self._comment = "#" if language == "py" else "--"
        shipped = shipped_folder("strategies") / f"ema_cross.{language}"
        self._text = shipped.read_text()
        self.path.write_text(self._text)
        self.session = self._begun(folder, symbols, bars)
        self._saves = 0

    def _begun(self, folder: Path, symbols: int, bars: int) -> Session:
        listed = names(symbols)
        text = CONFIG.replace('"BTCUSDT"', ", ".join(f'"{name}"' for name in listed))
        config = folder / "bench.toml"
        config.write_text(text.replace("bench.py", self.path.name))
        built = assemble_session(load_config(config).run)
        engine = built.engine
        end = engine.sources.on_end
        engine.sources = Sources([Ticks(events(listed, bars, 1))])  # type: ignore[arg-type]
        engine.sources.on_end = end
        engine.start()
        while engine.step():
            pass
        return built

    def reload(self) -> Reload:
        """Save another version and pump until it runs."""
        self._saves += 1
        strategy = self.session.strategies[0]
        before = strategy.script.hash
        self.path.write_text(f"{self._text}\n{self._comment} {self._saves}\n")
        stamp = self._saves * 10**9
        os.utime(self.path, ns=(stamp, stamp))
        return asyncio.run(self._pumped(strategy, before))

    async def _pumped(self, strategy: ScriptedStrategy, before: str) -> Reload:
        reloading = self.session.reloading
        pieces: list[float] = []
        advance = reloading._advance

        def timed(until_ns: int) -> bool:
            tick = time.perf_counter()
            waits = advance(until_ns)
            pieces.append(time.perf_counter() - tick)
            if strategy.script.hash != before:
                swapped.set()
            return waits

        swapped = asyncio.Event()
        reloading._advance = timed  # type: ignore[method-assign]
        # As the app does it: a collection of all bars is no part of a reload.
        gc.collect()
        gc.freeze()
        begun = time.perf_counter()
        async with asyncio.timeout(_GIVE_UP_S):
            while not swapped.is_set():
                reloading.tick()
                with suppress(TimeoutError):
                    await asyncio.wait_for(swapped.wait(), _EVERY_S)
        whole = time.perf_counter() - begun
        gc.unfreeze()
        reloading._advance = advance  # type: ignore[method-assign]
        return Reload(whole * 1e3, max(pieces) * 1e3, sum(pieces) * 1e3)


def reloads(
    language: str, symbols: int = SYMBOLS, bars: int = BARS, rounds: int = ROUNDS
) -> Reload:
    """Return the median of some reloads."""
    with TemporaryDirectory() as folder:
        desk = Desk(Path(folder), language, symbols, bars)
        try:
            found = [desk.reload() for _ in range(rounds)]
        finally:
            desk.session.close()
    return Reload(
        statistics.median(each.whole for each in found),
        statistics.median(each.longest for each in found),
        statistics.median(each.held for each in found),
    )


def bare_ms() -> float:
    """Return what loading the Python script takes by itself, in ms."""
    path = shipped_folder("strategies") / "ema_cross.py"
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        load_script(path)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1e3


def test_a_saved_script_comes_to_run_and_no_tick_is_longer_than_all() -> None:
    for language in ("py", "lua"):
        found = reloads(language, symbols=2, bars=30, rounds=1)
        assert 0 < found.longest <= found.held <= found.whole


if __name__ == "__main__":
    print(f"bare {bare_ms():.2f} ms")
    for each in ("py", "lua"):
        for count in (2, SYMBOLS):
            print(each, count, reloads(each, count))
