"""Injected events: what an operator may feed by hand, and what no market could send.

``Control`` calls the handler with a command and gets a sentence back, or
CommandRefused; the checks change nothing. What happens at a simulated venue its broker
carries out; a report is told to the Executor alone, as if the venue had sent it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import structs

from workstation.engine.engine import Engine
from workstation.market.aggregator import Aggregator
from workstation.model.commands import Inject
from workstation.model.desired import DesiredOrders
from workstation.model.errors import CommandRefused
from workstation.model.market import (
    Bar,
    BookDelta,
    BookSnapshot,
    Level,
    MarketEvent,
    Quote,
)
from workstation.model.money import figure_error
from workstation.model.orders import OrderHistory
from workstation.model.rehearsal import HandOrder, ToldReport, Transfer
from workstation.model.reports import ExternalOrder, OrderReport, ReportsLost
from workstation.model.roles import Rehearsing
from workstation.model.signals import Signal
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["Injections", "check_event", "check_report"]

# Inputs marked as injected on the screen: more than its log shows.
_INJECTED_KEPT = 1_000


class Injections:
    """Events of the operator's making; ``seqs`` are the inputs they were."""

    def __init__(
        self,
        engine: Engine,
        aggregator: Aggregator,
        strategies: Mapping[str, ScriptedStrategy],
        order: Callable[[str], OrderHistory | None],
        *,
        allowed: bool,
    ) -> None:
        """``order`` returns an order that the books have, by its client id."""
        self.seqs: deque[int] = deque(maxlen=_INJECTED_KEPT)
        self._engine = engine
        self._aggregator = aggregator
        self._strategies = strategies
        self._order = order
        self._allowed = allowed

    def handlers(self) -> dict[type, Callable[[Any], str]]:
        """Return the handler of each command."""
        return {Inject: self._inject}

    def _inject(self, command: Inject) -> str:
        if not self._allowed:
            raise CommandRefused("inject works in simulation and recording only")
        core = self._engine.core
        event = command.event
        if wrong := figure_error(structs.asdict(event)):
            raise CommandRefused(f"{type(event).__name__}: {wrong}")
        if isinstance(event, Transfer | HandOrder):
            said = self._simulated().happen(event)
            self.seqs.append(core.seq)
            return said
        if isinstance(event, ToldReport):
            self._simulated()
            check_report(event, self._aggregator.instruments, self._order)
            self.seqs.append(core.seq)
            core.emit(event)
            about = event.reason if isinstance(event, ReportsLost) else event.order_id
            return f"{type(event).__name__} {about}".rstrip()
        if isinstance(event, Signal | DesiredOrders):
            strategy = self._strategies.get(event.strategy)
            if strategy is None or event.instrument not in strategy.rows:
                raise CommandRefused(
                    f"no row {event.strategy} {event.instrument}; "
                    f"strategies: {', '.join(self._strategies)}"
                )
            self.seqs.append(core.seq)
            core.emit(event)
            if isinstance(event, Signal):
                return f"signal {event.action} for {event.instrument}"
            count = len(event.bids) + len(event.asks)
            return f"{count} desired orders for {event.instrument}"
        check_event(event, self._aggregator.instruments)
        self.seqs.append(core.seq)
        event = structs.replace(event, ts_recv=core.ts)
        # What fills at a bar's open is reported after this input, not before it.
        self._engine.before_market(event)
        core.emit(event)
        return f"{type(event).__name__} for {event.instrument}"

    def _simulated(self) -> Rehearsing:
        """Return the one broker, which must be simulated."""
        (broker,) = self._engine.brokers
        if not isinstance(broker, Rehearsing):
            raise CommandRefused(f"{broker.name} is no simulated account")
        return broker


def check_report(
    report: ToldReport,
    instruments: Sequence[str],
    order: Callable[[str], OrderHistory | None],
) -> None:
    """Raise CommandRefused, with what would be right, for a report of nothing.

    It may be wrong, late or told twice: to see what becomes of that is what it is for.
    """
    kind = type(report).__name__
    if isinstance(report, OrderReport) and order(report.order_id) is None:
        raise CommandRefused(
            f"no order {report.order_id!r}; {kind} takes the id of an order that was "
            "made in this run"
        )
    if isinstance(report, ExternalOrder) and report.instrument not in instruments:
        known = ", ".join(instruments)
        raise CommandRefused(f"no instrument {report.instrument}; known: {known}")
    for name, value in structs.asdict(report).items():
        if not isinstance(value, Decimal):
            continue
        if name != "fee" and value < 0:
            raise CommandRefused(f"{kind}: {name} must not be below 0")
        if name in ("quantity", "price", "trigger") and not value:
            raise CommandRefused(f"{kind}: {name} must be above 0")


def check_event(event: MarketEvent, instruments: Sequence[str]) -> None:
    """Raise CommandRefused, with what would be right, for an impossible event."""
    if event.instrument not in instruments:
        known = ", ".join(instruments)
        raise CommandRefused(f"no instrument {event.instrument}; known: {known}")
    figures = _figures(event)
    if not all(map(math.isfinite, figures)):
        raise CommandRefused(f"{type(event).__name__} must have finite figures")
    if isinstance(event, BookDelta | BookSnapshot):
        good = all(price > 0 and size >= 0 for price, size in _levels(event))
        rule = "prices above 0 and sizes of 0 or more"
    elif isinstance(event, Quote):
        good = 0 < event.bid < event.ask and min(event.bid_size, event.ask_size) > 0
        rule = "0 < bid < ask and sizes above 0"
    elif isinstance(event, Bar):
        good = 0 < event.low <= min(event.open, event.close) and (
            event.high >= max(event.open, event.close)
        )
        good = good and event.volume >= 0 and event.timeframe.size > 0
        rule = "low ≤ open, close ≤ high, all above 0, and no negative volume"
    else:
        good = event.price > 0 and event.size > 0
        rule = "price and size above 0"
    if not good:
        raise CommandRefused(f"{type(event).__name__} must have {rule}")


def _levels(event: BookDelta | BookSnapshot) -> tuple[Level, ...]:
    return (*event.bids, *event.asks)


def _figures(event: MarketEvent) -> tuple[float, ...]:
    if isinstance(event, BookDelta | BookSnapshot):
        return tuple(figure for level in _levels(event) for figure in level)
    return tuple(value for value in structs.astuple(event) if type(value) is float)
