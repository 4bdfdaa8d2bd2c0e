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
from workstation.model.timeframes import NS_PER_MS

__all__ = ["Taking"]

_BPS = Decimal(10_000)


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
        tried: int = 0,
    ) -> Order:
        """Return an order that closes now, after so many tries before it.

        ``price`` is what ``worst`` says; without one it is a market order.
        """
        order = self._desk.draft(
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
        if price is not None:
            self._tries[order.id] = tried + 1
        return order

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
        """Return how often each order's position was tried to be closed."""
        return tuple(self._tries.items())
