"""From an event in to its request at the edge: CPU time of one step of the engine.

The clock starts before ``Engine.step`` and stops where the core hands the request to
the broker's edge; only steps that submit an order count.
"""

from __future__ import annotations

import gc
import statistics
import time

from tests.benchmarks.budget import ROUNDS
from tests.benchmarks.test_core import session, trades
from workstation.model.requests import Request, SubmitOrder

TICKS = 60_000


def latencies_ns(count: int = TICKS) -> list[int]:
    """Return the ns from the step to each order's request, in order of the run."""
    built = session(trades(count), trade=True)
    engine = built.engine
    send = engine.core.send
    found: list[int] = []
    begun = 0

    def stamped(request: Request) -> None:
        if type(request) is SubmitOrder:
            found.append(time.thread_time_ns() - begun)
        send(request)

    engine.core.send = stamped
    engine.start()
    gc.collect()
    gc.freeze()
    try:
        more = True
        while more:
            begun = time.thread_time_ns()
            more = engine.step()
    finally:
        gc.unfreeze()
    return found


def percentiles_us(count: int = TICKS) -> tuple[float, float]:
    """Return p50 and p99 in µs, each the median of five runs."""
    cuts = [statistics.quantiles(latencies_ns(count), n=100) for _ in range(ROUNDS)]
    return (
        statistics.median(each[49] for each in cuts) / 1e3,
        statistics.median(each[98] for each in cuts) / 1e3,
    )


def test_each_order_of_the_run_has_a_latency() -> None:
    found = latencies_ns(6_000)
    assert len(found) > 10
    assert min(found) > 0


if __name__ == "__main__":
    print("p50 {:.1f} us, p99 {:.1f} us".format(*percentiles_us()))
