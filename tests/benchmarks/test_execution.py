"""What an order costs from signal to position, and the watch over held stops.

``timings`` is a plain function: CPU time, median of five rounds. An order is a signal,
the risk stage, the request, its acknowledgement and its fill with all records and
events; half of them are entries, half the exits that close them.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable
from decimal import Decimal
from time import process_time_ns

import pytest

from tests.benchmarks.effort import effort
from tests.execution.fakes import BTC, NS, FakeMarket, quote, signal
from workstation.execution.executor import Executor
from workstation.execution.settings import OrderSettings, RiskSettings
from workstation.kernel.clock import SimClock, Timer
from workstation.model.records import Record
from workstation.model.reports import OrderAccepted, OrderFilledReport
from workstation.model.requests import Request, SubmitOrder

ROUNDS = 5
SMALL, LARGE = 1_000, 50_000
WINDOW = 1_000


class Sink:
    """A core that takes everything and keeps only the last order's id."""

    def __init__(self) -> None:
        self.seq = 1
        self.ts = NS
        self.order_id = ""
        self.clock = SimClock(NS)

    def emit(self, event: object) -> None:
        """Take an event."""

    def publish(self, event: object) -> None:
        """Take an event for observers."""

    def record(self, record: Record) -> None:
        """Take a record."""

    def request(self, request: Request) -> None:
        if type(request) is SubmitOrder:
            self.order_id = request.order.id

    def call_at(self, due_ns: int, name: str, callback: Callable[[], None]) -> Timer:
        return self.clock.call_at(due_ns, callback)


# All limits are compared, and none is reached.
_MUCH = Decimal(100_000_000)
_WIDE = RiskSettings(
    max_position_value=_MUCH,
    max_symbol_exposure=_MUCH,
    max_venue_exposure=_MUCH,
    max_total_exposure=_MUCH,
    max_open_orders=1_000_000,
    max_daily_loss=_MUCH,
    max_order_rate=1_000_000,
    max_message_ratio=_MUCH,
)


def rig() -> tuple[Executor, Sink]:
    """Return an Executor with a quoted market, attached to a sink."""
    market = FakeMarket()
    sink = Sink()
    executor = Executor(
        _WIDE,
        OrderSettings(),
        (BTC,),
        market,
        currency="USDT",
        cash=Decimal(10_000_000),
    )
    executor.attach(sink)
    event = quote(1, 100.0, 100.2)
    market.see(event)
    executor.handle_event(event)
    return executor, sink


def trade(executor: Executor, sink: Sink, orders: int, stop: str | None = None) -> None:
    """Send ``orders`` orders, entry and exit by turns, each accepted and filled.

    With ``stop`` each entry also has a stop held, which its exit cancels.
    """
    handlers = executor.handlers()
    signals = [signal("enter_long", "1", stop=stop), signal("exit")]
    on_signal = handlers[type(signals[0])]
    on_accepted, on_filled = handlers[OrderAccepted], handlers[OrderFilledReport]
    one, price, fee = Decimal(1), Decimal("100.2"), Decimal("0.045")
    for number in range(orders):
        sink.seq += 1
        sink.ts += 1_000_000
        on_signal(signals[number % 2])
        order_id = sink.order_id
        on_accepted(OrderAccepted(order_id, "v"))
        on_filled(
            OrderFilledReport(order_id, order_id, one, price, fee, "USDT", maker=False)
        )


def rest(executor: Executor, sink: Sink, orders: int) -> None:
    """Leave ``orders`` accepted orders open, all of the operator."""
    handlers = executor.handlers()
    wish = signal("enter_long", "0.1", strategy="operator")
    for _ in range(orders):
        handlers[type(wish)](wish)
        handlers[OrderAccepted](OrderAccepted(sink.order_id, "v"))


def _cost(executor: Executor, sink: Sink, stop: str | None = None) -> float:
    gc.collect()
    begin = process_time_ns()
    trade(executor, sink, WINDOW, stop)
    return (process_time_ns() - begin) / WINDOW


def timings() -> dict[str, float]:
    """Return ns per order after and beside many others, and per watched quote."""
    figures = {}
    for count in (SMALL, LARGE):
        executor, sink = rig()
        trade(executor, sink, count)
        figures[f"after {count}"] = statistics.median(
            _cost(executor, sink) for _ in range(ROUNDS)
        )
        figures[f"after {count}, a stop each"] = statistics.median(
            _cost(executor, sink, "90") for _ in range(ROUNDS)
        )
        executor, sink = rig()
        rest(executor, sink, count)
        figures[f"beside {count} open"] = statistics.median(
            _cost(executor, sink) for _ in range(ROUNDS)
        )
    figures["watch, nothing held"] = _watch(None)
    figures["watch, a stop held"] = _watch("90")
    return figures


def _watch(stop: str | None, quotes: int = 50_000) -> float:
    executor, sink = rig()
    handlers = executor.handlers()
    wish = signal("enter_long", "1", stop=stop)
    handlers[type(wish)](wish)
    handlers[OrderFilledReport](
        OrderFilledReport(
            sink.order_id, "t", Decimal(1), Decimal(100), Decimal(0), "USDT", False
        )
    )
    event = quote(2, 100.0, 100.2)
    handler = handlers[type(event)]
    rounds = []
    for _ in range(ROUNDS):
        begin = process_time_ns()
        for _ in range(quotes):
            handler(event)
        rounds.append((process_time_ns() - begin) / quotes)
    return statistics.median(rounds)


@pytest.mark.parametrize("before", [SMALL, LARGE])
def test_one_order_from_signal_to_position(
    benchmark: Callable[..., None], before: int
) -> None:
    executor, sink = rig()
    trade(executor, sink, before)
    benchmark(trade, executor, sink, 2)


def test_an_order_takes_the_same_effort_after_twenty_thousand() -> None:
    executor, sink = rig()
    trade(executor, sink, SMALL)
    early = effort(lambda: trade(executor, sink, 100))
    trade(executor, sink, 20 * SMALL)
    late = effort(lambda: trade(executor, sink, 100))
    assert 0 < late <= 1.01 * early


if __name__ == "__main__":
    for name, cost in timings().items():
        print(f"{name:>26}: {cost:10.1f} ns")
