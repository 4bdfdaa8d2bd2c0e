"""The limits of entries: price, value, exposure, losses, cash, and how many there are.

The risk stage asks for what adds to a position; what only reduces never comes here.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.execution import margin
from workstation.execution.denials import Denial, DenialCode, Joining
from workstation.execution.ledger import Ledger
from workstation.execution.limits import Exposure, Limits
from workstation.execution.orders import Orders
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.limits import Gauge
from workstation.model.money import grouped
from workstation.model.orders import Order
from workstation.model.ports import InstrumentView, MarketView
from workstation.model.timeframes import NS_PER_S

__all__ = ["EntryLimits", "lost_text"]

ZERO, ONE = Decimal(0), Decimal(1)
BPS = Decimal(10_000)
# Bound once: looking a member up in its enum costs ten times a global (3.11).
_BUY, _REVERSE = Side.BUY, Joining.REVERSE
_SYMBOL = DenialCode.MAX_SYMBOL_EXPOSURE
_VENUE = DenialCode.MAX_VENUE_EXPOSURE
_TOTAL = DenialCode.MAX_TOTAL_EXPOSURE


class EntryLimits:
    """Compares one entry with the limits in force."""

    def __init__(
        self, limits: Limits, market: MarketView, ledger: Ledger, orders: Orders
    ) -> None:
        self.limits = limits
        self.market = market
        self.ledger = ledger
        self.orders = orders
        self.judged_at = ZERO
        """The price at which the last entry was valued."""

    def reference(self, order: Order) -> Decimal | None:
        """Return the price to value an order at: its own, else what it would meet."""
        if order.price is not None:
            return order.price
        if order.trigger is not None and order.is_untriggered:
            return order.trigger
        view = self.market.instrument(order.instrument)
        return _price(view, view.ask if order.side is _BUY else view.bid)

    def check(
        self, order: Order, instrument: Instrument, joining: Joining
    ) -> Denial | None:
        """Return the first limit that an entry of a good shape would break, if any."""
        price = self.reference(order)
        if price is None:
            return _no_price(instrument.id)
        self.judged_at = price
        equity = self.ledger.value().equity
        notional = order.quantity * price
        denial = None
        if self.limits.are_losses_near(equity):
            denial = self.lost(equity)
        if denial is None and order.price is not None:
            denial = self._collar(order)
        if denial is not None:
            return denial
        if notional < instrument.min_notional:
            return Denial(
                DenialCode.BELOW_MIN_NOTIONAL,
                f"value {grouped(notional)} is below min_notional "
                f"{grouped(instrument.min_notional)}",
            )
        limit = self.limits.settings.max_order_value
        if limit is not None and notional > limit:
            return Denial(
                DenialCode.MAX_ORDER_VALUE,
                f"value {grouped(notional)} is more than max_order_value "
                f"{grouped(limit)}",
            )
        # What it holds is closed before: the entry of a reversal starts without it.
        closed = ZERO
        if joining is _REVERSE:
            closed = self.ledger.position(order.owner, order.instrument).quantity
        limits = self.limits
        buys, sells = limits.sides(order.instrument, closed)
        own = (buys if order.side is _BUY else sells) + notional
        if own <= buys or own <= sells:
            # What takes the position back to zero adds nothing anywhere.
            return None
        exposure = limits.exposure(order.instrument, own)
        denial = self._exposed(order, exposure, closed)
        if denial is None and exposure.total > limits.carries(equity):
            denial = self._uncarried(order, instrument, exposure.total, price, equity)
        return denial

    def lost(self, equity: Decimal) -> Denial | None:
        """Return that too much was lost for any entry, if so."""
        limits = self.limits
        settings = limits.settings
        limit, lost = settings.max_daily_loss, limits.daily_loss(equity)
        if limit is not None and lost > limit:
            text = lost_text(limits.gauge("max_daily_loss", lost))
            return Denial(DenialCode.MAX_DAILY_LOSS, text)
        limit, lost = settings.max_drawdown, limits.drawdown(equity)
        if limit is not None and lost > limit:
            text = lost_text(limits.gauge("max_drawdown", lost))
            return Denial(DenialCode.MAX_DRAWDOWN, text)
        return None

    def _collar(self, order: Order) -> Denial | None:
        """Refuse a limit price far beyond what it meets, or far from its own side."""
        settings, price = self.limits.settings, order.price
        through, away = settings.collar_through_bps, settings.collar_away_bps
        if price is None or (through is None and away is None):
            return None
        buys = order.side is _BUY
        # A stop-limit meets the market that there is at its trigger.
        meets = rests = order.trigger if order.is_untriggered else None
        if meets is None:
            view = self.market.instrument(order.instrument)
            meets = _price(view, view.ask if buys else view.bid)
            rests = _price(view, view.bid if buys else view.ask)
        if meets is None or rests is None:
            return _no_price(order.instrument)
        beyond = price - meets if buys else meets - price
        if through is not None and beyond * BPS > meets * through:
            return Denial(
                DenialCode.PRICE_THROUGH_MARKET,
                f"price {grouped(price)} is {beyond * BPS / meets:.2f} bp beyond "
                f"{grouped(meets)}, more than collar_through_bps {through}",
            )
        short = rests - price if buys else price - rests
        if away is not None and short * BPS > rests * away:
            return Denial(
                DenialCode.PRICE_AWAY_FROM_MARKET,
                f"price {grouped(price)} is {short * BPS / rests:.2f} bp away from "
                f"{grouped(rests)}, more than collar_away_bps {away}",
            )
        return None

    def _exposed(
        self, order: Order, exposure: Exposure, closed: Decimal
    ) -> Denial | None:
        """Return the first exposure that is more than its limit, if any."""
        settings = self.limits.settings
        limit = settings.max_position_value
        if limit is not None and exposure.instrument > limit:
            net = self.ledger.net(order.instrument) - closed
            pending = self.orders.pending(order.instrument, order.side)
            return Denial(
                DenialCode.MAX_POSITION_VALUE,
                f"position {grouped(net)} with {grouped(pending)} pending and "
                f"{grouped(order.quantity)} more is "
                f"worth {grouped(exposure.instrument)}, more than max_position_value "
                f"{grouped(limit)}",
            )
        for code, name, value, limit in (
            (_SYMBOL, "symbol", exposure.symbol, settings.max_symbol_exposure),
            (_VENUE, "venue", exposure.venue, settings.max_venue_exposure),
            (_TOTAL, "total", exposure.total, settings.max_total_exposure),
        ):
            if limit is not None and value > limit:
                return Denial(
                    code,
                    f"{name} exposure would be {grouped(value)}, more than "
                    f"max_{name}_exposure {grouped(limit)}",
                )
        return None

    def ramp(self, rearmed_ns: int | None, ts: int) -> Decimal:
        """Return the share of its size that a strategy's entry has, at most 1.

        Once a breaker's kill was re-armed it grows from ``size_ramp_from`` to 1 in
        ``size_ramp_s``.
        """
        settings = self.limits.settings
        if rearmed_ns is None or not settings.size_ramp_s:
            return ONE
        passed = Decimal(ts - rearmed_ns) / round(settings.size_ramp_s * NS_PER_S)
        least = settings.size_ramp_from
        return min(ONE, least + (ONE - least) * passed)

    def throttle(self, now_ns: int) -> Denial | None:
        """Return that there are too many orders or messages for one more, if so."""
        limits = self.limits
        settings = limits.settings
        most = settings.max_open_orders
        if most is not None and limits.open_orders(1) > most:
            return Denial(
                DenialCode.MAX_OPEN_ORDERS,
                f"{limits.open_orders()} orders are open, max_open_orders is {most}",
            )
        most, rate = settings.max_order_rate, limits.order_rate(now_ns, 1)
        if most is not None and rate > most:
            return Denial(
                DenialCode.MAX_ORDER_RATE,
                f"{rate} orders in {settings.order_rate_s:g} s would be more than "
                f"max_order_rate {most}",
            )
        return self.messages(now_ns)

    def messages(self, now_ns: int) -> Denial | None:
        """Return that there are too many messages for one more, if so."""
        limits = self.limits
        settings = limits.settings
        limit, ratio = settings.max_message_ratio, limits.message_ratio(now_ns, 1)
        if limit is not None and ratio > limit:
            return Denial(
                DenialCode.MAX_MESSAGE_RATIO,
                f"{ratio:.1f} messages per fill in {settings.message_ratio_s:g} s "
                f"would be more than max_message_ratio {limit}",
            )
        return None

    def _uncarried(
        self,
        order: Order,
        instrument: Instrument,
        exposure: Decimal,
        price: Decimal,
        equity: Decimal,
    ) -> Denial:
        """Say that the equity could not carry it even without the buffer.

        ``exposure`` is all there would be with the order.
        """
        leverage = self.limits.settings.leverage
        without = exposure - order.quantity * price
        free = margin.available(equity, without / leverage, ZERO)
        fits = max(ZERO, margin.max_added(free, leverage, price))
        fits = instrument.round_quantity(fits)
        elsewhere = self.orders.pending_elsewhere(order.instrument)
        return Denial(
            DenialCode.INSUFFICIENT_CASH,
            f"exposure would be {grouped(exposure)} with {grouped(elsewhere)} pending "
            f"elsewhere, equity is {grouped(equity)} at leverage {leverage}; "
            f"{grouped(fits)} would fit",
        )


def lost_text(gauge: Gauge) -> str:
    """Return in words how much was lost, and the limit."""
    value, limit = gauge.value or ZERO, gauge.limit or ZERO
    lost = f"{value:.6f} of the highest equity lost"
    if gauge.name == "max_daily_loss":
        lost = f"{grouped(value)} lost since the day's start"
    return f"{lost}, more than {gauge.name} {grouped(limit)}"


def _price(view: InstrumentView, best: float) -> Decimal | None:
    """Return a best price, or what stands for it where only bars exist."""
    price = best if best > 0 else view.mark or view.last
    return to_decimal(price) if price > 0 else None


def _no_price(instrument: str) -> Denial:
    return Denial(DenialCode.DATA_STALE, f"there is no price of {instrument} yet")
