"""An Aggregator with a chain of one's own, and events for it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.market.fakes import FakeCore, instrument
from workstation.market.aggregator import Aggregator
from workstation.market.live import LiveInstrument
from workstation.market.pipeline.chain import Plan
from workstation.market.pipeline.figures import Figure
from workstation.market.pipeline.script import ProcessorScript
from workstation.market.pipeline.settings import PipelineSettings
from workstation.market.settings import StorageSettings
from workstation.model.events import OrderFilled
from workstation.model.instruments import Side
from workstation.model.market import Quote, Trade
from workstation.model.orders import Fill, OrderRole
from workstation.model.timeframes import NS_PER_S, Timeframe

BTC = "BTCUSDT"
S = NS_PER_S


# Any: settings of whatever processors the test wants.
def chained(
    *processors: str, watch: tuple[str, ...] = (), **settings: Any
) -> tuple[Aggregator, FakeCore, LiveInstrument]:
    """Return an attached Aggregator of BTCUSDT with these processors."""
    return planned(Plan(PipelineSettings(processors=processors, **settings)), *watch)


def planned(
    plan: Plan, *watch: str, stale_ms: int = 5_000
) -> tuple[Aggregator, FakeCore, LiveInstrument]:
    """Return an attached Aggregator of BTCUSDT with this plan."""
    part = Aggregator(StorageSettings(stale_ms=stale_ms), [instrument(BTC)], plan=plan)
    core = FakeCore()
    part.attach(core)
    for word in watch:
        part.watch(BTC, Timeframe.parse(word))
    return part, core, part.instrument(BTC)


def quote(
    at_s: float, bid: float, ask: float, bid_size: float = 1.0, ask_size: float = 1.0
) -> Quote:
    """Return best prices at a second."""
    return Quote(BTC, round(at_s * S), bid, bid_size, ask, ask_size)


def at_mid(at_s: float, mid: float) -> Quote:
    """Return best prices around a mid, a hundredth apart."""
    return quote(at_s, mid - 0.005, mid + 0.005)


def trade(at_s: float, price: float, aggressor: int) -> Trade:
    """Return a public trade at a second."""
    return Trade(BTC, round(at_s * S), price, 1.0, aggressor)


def filled(at_s: float, side: int, price: float, *, maker: bool = True) -> OrderFilled:
    """Return the event of one of our fills; +1 = we bought."""
    ts = round(at_s * S)
    fill = Fill(
        order_id="o",
        trade_id=f"t{ts}",
        instrument=BTC,
        owner="s",
        side=Side.BUY if side > 0 else Side.SELL,
        quantity=Decimal(1),
        price=Decimal(repr(price)),
        fee=Decimal(0),
        fee_currency="USDT",
        maker=maker,
        ts=ts,
        role=OrderRole.ENTRY,
    )
    return OrderFilled(fill, ts)


def deliver(part: Aggregator, core: FakeCore, event: OrderFilled) -> None:
    """Tell of a fill at its time."""
    core.advance(max(event.ts, core.ts))
    part.handle_event(event)


def script(
    name: str,
    figures: tuple[str, ...],
    *,
    needs: tuple[str, ...] = (),
    on_quote: Callable[..., object] | None = None,
    on_trade: Callable[..., object] | None = None,
    on_bar: Callable[..., object] | None = None,
) -> ProcessorScript:
    """Return a script as the loader would."""
    return ProcessorScript(
        name=name,
        path=name,
        hash=name,
        gives=tuple(Figure(each, "bps", f"of {name}", "not set") for each in figures),
        needs=needs,
        on_quote=on_quote,
        on_trade=on_trade,
        on_bar=on_bar,
    )
