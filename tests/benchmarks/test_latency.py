"""From an event in to its request at the edge: CPU time of one step of the engine.

The clock starts before ``Engine.step`` and stops where the core hands the request to
the broker's edge; only steps that submit an order count. There are two kinds: a tick
that closes a bar, whose script enters or exits, and one that meets a held stop.
"""

from __future__ import annotations

import gc
import statistics
import time

import pytest

from tests.benchmarks.budget import ROUNDS
from tests.benchmarks.test_core import SCRIPT, session, trades
from workstation.model.orders import OrderRole
from workstation.model.requests import Request, SubmitOrder

TICKS = 60_000
DECIDED = (OrderRole.ENTRY, OrderRole.EXIT)
STOPPED = (OrderRole.STOP,)
# As the other one, with a stop so near that most positions end by it.
_STOPS = SCRIPT.replace(
    '"quantity": 0.1}', '"quantity": 0.1, "stop": round(market.close * 0.9997, 2)}'
)


def latencies_ns(
    count: int = TICKS, roles: tuple[OrderRole, ...] = DECIDED
) -> list[int]:
    """Return the ns from the step to each such order's request, in order of the run."""
    script = _STOPS if roles == STOPPED else SCRIPT
    built = session(trades(count), trade=True, script=script)
    engine = built.engine
    send = engine.core.send
    found: list[int] = []
    begun = 0

    def stamped(request: Request) -> None:
        if type(request) is SubmitOrder and request.order.role in roles:
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


def percentiles_us(
    count: int = TICKS, roles: tuple[OrderRole, ...] = DECIDED
) -> tuple[float, float]:
    """Return p50 and p99 in µs, each the median of five runs."""
    found = (latencies_ns(count, roles) for _ in range(ROUNDS))
    cuts = [statistics.quantiles(each, n=100) for each in found]
    return (
        statistics.median(each[49] for each in cuts) / 1e3,
        statistics.median(each[98] for each in cuts) / 1e3,
    )


@pytest.mark.parametrize("roles", [DECIDED, STOPPED], ids=["decided", "stopped"])
def test_each_order_of_the_run_has_a_latency(roles: tuple[OrderRole, ...]) -> None:
    found = latencies_ns(6_000, roles)
    assert len(found) > 10
    assert min(found) > 0


if __name__ == "__main__":
    for roles in (DECIDED, STOPPED):
        p50, p99 = percentiles_us(roles=roles)
        print(f"{', '.join(roles):>12}: p50 {p50:.1f} us, p99 {p99:.1f} us")
