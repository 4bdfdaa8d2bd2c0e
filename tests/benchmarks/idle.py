"""CPU shares over a few seconds of real time; for the bench command, never in tests."""

from __future__ import annotations

import asyncio
import time

from tests.benchmarks.test_core import session, trades

__all__ = ["headless_percent"]

_SECONDS = 4.0


def headless_percent(seconds: float = _SECONDS) -> float:
    """Return the share of a core that a paused run takes without a screen, in %."""
    driver = session(trades(100), trade=False).driver
    driver.pause()

    async def rest() -> float:
        driving = asyncio.ensure_future(driver.run())
        await asyncio.sleep(0.2)
        wall, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(seconds)
        share = (time.process_time() - cpu) / (time.monotonic() - wall)
        driver.stop()
        await driving
        return share

    return asyncio.run(rest()) * 100


if __name__ == "__main__":
    print(f"{headless_percent():.3f} % of a core")
