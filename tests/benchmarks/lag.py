"""The app with 100 symbols and 2,000 quotes a second, and how late its loop is.

Run by ``tests.benchmarks.screen`` in a process of its own on a pty; writes its figures
to the file it is given. A timer is due every 5 ms: lag is how much later it is called.
With a second word ``lua`` or ``twin`` a strategy, in Lua or the same in Python, is
asked at bars of a second, at 10 quotes a second and symbol.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.test_core import SCRIPT
from tests.benchmarks.test_crowd import LUA
from tests.benchmarks.test_symbols import names
from workstation.config import load_config
from workstation.ui.app import WorkstationApp

_CONFIG = """
mode = "simulation"
[[feeds]]
name = "market"
type = "simulated"
symbols = [{symbols}]
quotes_per_s = {rate}
trades_per_s = 2
[[brokers]]
name = "paper"
type = "paper"
[[strategies]]
name = "bench"
script = "{script}"
timeframe = "{timeframe}"
[journal]
path = ""
"""
_EVERY_S = 0.005
_WARM_S = 4.0
_MEASURED_S = 10.0


class Probe(WorkstationApp):
    """The app with a timer that notes how late it is."""

    report = Path()

    async def on_mount(self) -> None:
        """Start the timer with the app."""
        await super().on_mount()
        self.late: list[float] = []
        self.before = 0
        loop = asyncio.get_running_loop()
        loop.call_later(_WARM_S, self._begin)

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self.before = self._delivered()
        self.end = loop.time() + _MEASURED_S
        self._arm(loop)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + _EVERY_S
        loop.call_at(due, self._note, loop, due)

    def _note(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self.late.append(loop.time() - due)
        if loop.time() < self.end:
            self._arm(loop)
            return
        figures = {
            "p99": statistics.quantiles(self.late, n=100)[98] * 1e3,
            "worst": max(self.late) * 1e3,
            "quotes": (self._delivered() - self.before) / _MEASURED_S,
        }
        self.report.write_text(json.dumps(figures))
        self.leave(0)

    def _delivered(self) -> int:
        session = self.bridge.session
        frame = None if session is None else session.frame(0, frozenset())
        return 0 if frame is None else frame.header.events


def main(report: str, which: str = "") -> None:
    """Run the app until it has been measured."""
    listed = ", ".join(f'"{name}"' for name in names(100))
    with TemporaryDirectory() as folder:
        script = Path(folder, "bench.lua" if which == "lua" else "bench.py")
        script.write_text(LUA if which == "lua" else f"TRADE = False\n{SCRIPT}")
        path = Path(folder, "lag.toml")
        path.write_text(
            _CONFIG.format(
                symbols=listed,
                rate=10 if which else 20,
                script=script.name,
                timeframe="1s" if which else "1m",
            )
        )
        app = Probe(load_config(path), owns_process=True)
        app.report = Path(report)
        app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
