"""Taking: how a position is closed now, and no further from the market than allowed.

``Closing`` drafts its flattens here. With a cap they are limit orders that end at once
(IOC); what is left is tried again at the best price of then, a bounded number of times,
and what is left after that is an alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from workstation.execution.desk import OrderDesk
from workstation.execution.settings import OrderSettings
from workstation.execution.tracked import Tracked
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.orders import Order, OrderRole, OrderType, TimeInForce
from workstation.model.ports import Core, MarketView
from workstation.model.timeframes import NS_PER_MS, NS_PER_S

__all__ = ["Taking"]

_BPS = Decimal(10_000)
_BLIND_NS = 60 * NS_PER_S
"""How long a price is waited for in which nothing is known of an instrument."""


class Taking:
    """Drafts orders that take, and follows them until all is closed or given up.

    ``again`` closes what such an order has left open, after so many tries.
    """

    def __init__(
        self,
        settings: OrderSettings,
        desk: OrderDesk,
        market: MarketView,
        again: Callable[[Tracked, int], None],
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._market = market
        self._again = again
        self._tries: dict[str, int] = {}
        # Ended in an earlier run with a rest, which was to be tried again.
        self._left: list[str] = []
        # What waits for the first price of an instrument, and since when.
        self._blind: dict[str, tuple[int, list[Callable[[], object]]]] = {}
        self._looks = 0
        self._core: Core

    def attach(self, core: Core) -> None:
        """Receive the way back into the core."""
        self._core = core

    def draft(
        self,
        owner: str,
        instrument: Instrument,
        role: OrderRole,
        side: Side,
        quantity: Decimal,
        price: Decimal | None,
        reason: str,
    ) -> Order:
        """Return an order that closes now.

        ``price`` is what ``worst`` says; without one it is a market order.
        """
        return self._desk.draft(
            owner,
            instrument.id,
            role,
            side,
            quantity,
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            price=price,
            time_in_force=TimeInForce.GTC if price is None else TimeInForce.IOC,
            reduce_only=True,
            reason=reason,
        )

    def note(self, order_id: str, tries: int) -> None:
        """Follow an order with a cap, the last of so many tries, to its end."""
        self._tries[order_id] = tries

    def take_up(self, tracked: Tracked) -> None:
        """Follow an order with a cap that an earlier run has left at work.

        How often it was tried before is not on record: it is taken for the first one.
        """
        order = tracked.order
        if _has_cap(order):
            self._tries[order.id] = 1

    def resume(self, until_ns: int) -> None:
        """Go on with what an earlier run, ended at ``until_ns``, was to try again."""
        pause_ns = self._settings.flatten_pause_ms * NS_PER_MS
        orders = self._desk.orders
        for order in orders.all():
            if (
                _has_cap(order)
                and order.is_terminal
                and order.remaining > 0
                and order.updated_ns + pause_ns >= until_ns
            ):
                self._left.append(order.id)

    def recover(self) -> None:
        """Try again what ``resume`` has found."""
        left, self._left = self._left, []
        for order_id in left:
            tracked = self._desk.orders.get(order_id)
            if tracked is not None:
                again = partial(self._again, tracked, 1)
                self.when_priced(tracked.order.instrument, again)

    def forget(self, order_id: str) -> None:
        """Follow an order no more: it was refused, or has closed all it was to."""
        self._tries.pop(order_id, None)

    def worst(self, instrument: Instrument, side: Side) -> Decimal | None:
        """Return the worst price to close at.

        None without a cap, or without a price to measure it from.
        """
        cap = self._settings.max_slippage_bps
        view = self._market.instrument(instrument.id)
        touch = view.ask if side is Side.BUY else view.bid
        if cap is None or not touch > 0:
            return None
        worst = to_decimal(touch) * (1 + side.sign * to_decimal(cap) / _BPS)
        # On the tick and within the cap; a tick wider than the cap still takes.
        price = instrument.round_price(worst, side)
        nearest = instrument.round_price(to_decimal(touch), side.opposite)
        price = max(price, nearest) if side is Side.BUY else min(price, nearest)
        price = instrument.within_prices(price)
        return price if price > 0 else None

    def when_priced(self, instrument: str, then: Callable[[], object]) -> None:
        """Call ``then`` once the cap has a price to be measured from: mostly now.

        A run that takes an account up has heard nothing of the market yet. Who waits
        for long is served without the cap, and everybody is told.
        """
        if not self._is_blind(instrument):
            then()
            return
        waiting = self._blind.get(instrument)
        if waiting is None:
            self._blind[instrument] = self._core.ts, [then]
            self._look_later(instrument)
        else:
            waiting[1].append(then)

    def _is_blind(self, instrument: str) -> bool:
        heard_ns = self._market.instrument(instrument).ts_recv
        return self._settings.max_slippage_bps is not None and not heard_ns

    def _look_later(self, instrument: str) -> None:
        self._looks += 1
        self._core.call_at(
            self._core.ts + self._settings.flatten_pause_ms * NS_PER_MS,
            f"{self._desk.name}.price{self._looks}",
            partial(self._look, instrument),
        )

    def _look(self, instrument: str) -> None:
        since_ns, waiting = self._blind[instrument]
        if self._is_blind(instrument):
            if self._core.ts < since_ns + _BLIND_NS:
                self._look_later(instrument)
                return
            self._desk.alarm(
                instrument,
                f"no price of {instrument} for {_BLIND_NS // NS_PER_S} s: it is closed "
                "at market, without max_slippage_bps",
                "flatten",
            )
        del self._blind[instrument]
        for then in waiting:
            then()

    def ended(self, tracked: Tracked) -> None:
        """See such an order end with a rest: try again, or say what is left."""
        order = tracked.order
        tried = self._tries.pop(order.id, None)
        if tried is None or order.remaining <= 0:
            return
        settings = self._settings
        if tried < settings.flatten_tries:
            self._core.call_at(
                self._core.ts + settings.flatten_pause_ms * NS_PER_MS,
                f"{self._desk.name}.{order.id}.again",
                partial(self._again, tracked, tried),
            )
            return
        tries = "1 try" if tried == 1 else f"{tried} tries"
        self._desk.alarm(
            order.instrument,
            f"{order.role.value} of {order.owner}: {order.remaining} left after "
            f"{tries} within {settings.max_slippage_bps:g} bps of the best price; "
            "flatten again, or raise [orders] max_slippage_bps",
            "flatten",
        )

    def digest(self) -> object:
        """Return how often each position was tried, and what waits for a price."""
        blind = ((name, since) for name, (since, _) in self._blind.items())
        return (*self._tries.items(), *blind)


def _has_cap(order: Order) -> bool:
    """Tell whether an order closes within the cap: it was drafted here."""
    return (
        order.role is OrderRole.FLATTEN
        and order.price is not None
        and order.time_in_force is TimeInForce.IOC
    )
