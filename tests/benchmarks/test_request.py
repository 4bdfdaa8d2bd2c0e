"""From an event in to the bytes of its request, with a journal that must be on disk.

The whole way of an order to a distant venue: step, script, risk, journal, outbox, the
signed query of Binance's REST API. Wall time, because a disk is waited for; without a
journal the same way is measured beside it. The venue fills at once and takes no time.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.test_core import CONFIG, SCRIPT, Ticks, trades
from workstation.config import load_config
from workstation.engine.assembly import assemble_session
from workstation.engine.session import Session
from workstation.engine.sources import Sources
from workstation.kernel import RealClock
from workstation.model.rates import BrokerAbilities
from workstation.model.reports import OrderAccepted, OrderFilledReport, Report
from workstation.model.requests import Request, SubmitOrder
from workstation.venues.binance.messages import order_params
from workstation.venues.binance.signing import signed_query

TICKS = 20_000


class Venue:
    """Signs each new order, notes when, and fills it at 100."""

    name = "elsewhere"
    abilities = BrokerAbilities()

    def __init__(self) -> None:
        self.signed_ns: list[int] = []
        self.clock = RealClock()

    async def send(self, request: Request) -> Sequence[Report]:
        """Stop the clock at the request's last byte."""
        if not isinstance(request, SubmitOrder):
            return ()
        order = request.order
        signed_query("secret", order_params(order, "BTCUSDT"))
        self.signed_ns.append(self.clock.now())
        price, fee = Decimal(100), Decimal("0.01")
        fill = OrderFilledReport(
            order.id, order.id, order.quantity, price, fee, "USDT", maker=False
        )
        return OrderAccepted(order.id, "v"), fill

    async def news(self) -> Sequence[Report]:
        """Know nothing new."""
        return ()

    def account(self) -> None:
        """Have no watchdog."""

    async def close(self) -> None:
        """Have nothing open."""


async def latencies_ns(folder: Path | None, count: int = TICKS) -> list[int]:
    """Return the ns from each step to the bytes of its order's request."""
    venue = Venue()
    built = _session(folder, count, venue)
    engine, clock = built.engine, venue.clock
    (broker,) = engine.distant
    found: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        engine.start()
        gc.collect()
        gc.freeze()
        more = True
        while more:
            begun, before = clock.now(), len(venue.signed_ns)
            more = engine.step()
            while broker.waiting or engine.has_arrivals:
                engine.take_arrivals()
                await asyncio.sleep(0)
            found += [ns - begun for ns in venue.signed_ns[before : before + 1]]
        gc.unfreeze()
        broker.stop()
    built.close()
    return found


def _session(folder: Path | None, count: int, venue: Venue) -> Session:
    with TemporaryDirectory() as place:
        path = Path(place, "bench.toml")
        kept = CONFIG if folder is None else CONFIG.replace('""', f'"{folder}"')
        path.write_text(kept)
        Path(place, "bench.py").write_text(f"TRADE = True\n{SCRIPT}")
        built = assemble_session(
            load_config(path).run, journal=folder is not None, venue=venue
        )
    engine = built.engine
    end = engine.sources.on_end
    engine.sources = Sources([Ticks(trades(count))])
    engine.sources.on_end = end
    return built


def percentiles_us(*, durable: bool, count: int = TICKS) -> tuple[float, float, float]:
    """Return p50, p99 and p99.9 in µs."""
    with TemporaryDirectory() as folder:
        place = Path(folder) if durable else None
        found = asyncio.run(latencies_ns(place, count))
    cuts = statistics.quantiles(found, n=1_000)
    return cuts[499] / 1e3, cuts[989] / 1e3, cuts[998] / 1e3


async def test_each_order_has_a_latency_with_a_journal_and_without(
    tmp_path: Path,
) -> None:
    off = await latencies_ns(None, 2_000)
    on = await latencies_ns(tmp_path, 2_000)
    assert len(off) == len(on) > 5


if __name__ == "__main__":
    for durable in (False, True):
        found = percentiles_us(durable=durable)
        print(f"durable {durable}: " + ", ".join(f"{each:.0f}" for each in found))
