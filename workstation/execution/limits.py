"""The figures of the limits: one source for what is compared and what is shown.

The risk stage and the breakers compare them, the gauges of the screen show them.
Exposure is the worst case: each entry on its way counts as filled at the price it was
judged at. Here are the limits in force; nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import msgspec
from msgspec import Struct, structs

from workstation.execution.ledger import Ledger
from workstation.execution.orders import Orders
from workstation.execution.settings import RiskSettings
from workstation.execution.traffic import Traffic
from workstation.model.instruments import Instrument, Side
from workstation.model.limits import Gauge, LimitUnit

__all__ = ["LOSSES", "UNITS", "Exposure", "Limits", "loosens"]

ZERO = Decimal(0)
# Breakers have nothing to say of a smaller share of a limit.
_NEAR = Decimal("0.75")
_BUY, _SELL = Side.BUY, Side.SELL
_MONEY, _COUNT = LimitUnit.MONEY, LimitUnit.COUNT

UNITS: dict[str, LimitUnit] = {
    "max_daily_loss": _MONEY,
    "max_drawdown": LimitUnit.SHARE,
    "max_total_exposure": _MONEY,
    "max_venue_exposure": _MONEY,
    "max_symbol_exposure": _MONEY,
    "max_position_value": _MONEY,
    "max_open_orders": _COUNT,
    "max_order_rate": _COUNT,
    "max_message_ratio": LimitUnit.RATIO,
    "max_order_value": _MONEY,
    "collar_through_bps": LimitUnit.BPS,
    "collar_away_bps": LimitUnit.BPS,
}
"""The limits that can be set while the run goes on, in the order of the gauges."""


LOSSES = ("max_daily_loss", "max_drawdown")
"""Those that breakers watch."""


class Exposure(Struct, frozen=True, gc=False):
    """Worst-case notional: of an instrument, its symbol, its venue, and of all."""

    instrument: Decimal
    symbol: Decimal
    venue: Decimal
    total: Decimal


class Limits:
    """The limits of one account; losses are measured from the bases of its ledger."""

    def __init__(
        self,
        settings: RiskSettings,
        instruments: Mapping[str, Instrument],
        ledger: Ledger,
        orders: Orders,
    ) -> None:
        self.settings = settings
        self.traffic = Traffic(settings.order_rate_s, settings.message_ratio_s)
        self.changed: dict[str, int] = {}
        """The seq at which a limit was last set."""
        self._ledger = ledger
        self._orders = orders
        self._symbols = {i.id: i.common_symbol for i in instruments.values()}
        self._venues = {i.id: i.venue for i in instruments.values()}

    # Loss.

    def daily_loss(self, equity: Decimal) -> Decimal:
        """Return what was lost since the day's start."""
        lost = self._ledger.day_start - equity
        return lost if lost > 0 else ZERO

    def drawdown(self, equity: Decimal) -> Decimal:
        """Return the loss from the peak as a share of it; 0 below the base."""
        peak = self._ledger.curve.peak
        if equity >= peak or peak < self.settings.drawdown_base:
            return ZERO
        return (peak - equity) / peak

    def are_losses_near(self, equity: Decimal) -> bool:
        """Tell whether any loss has used most of its limit, to look at it closely."""
        settings, ledger = self.settings, self._ledger
        limit, lost = settings.max_daily_loss, ledger.day_start - equity
        if limit is not None and lost > 0 and lost > limit * _NEAR:
            return True
        limit, peak = settings.max_drawdown, ledger.curve.peak
        lost = peak - equity
        return limit is not None and lost > 0 and lost > peak * limit * _NEAR

    def losses(self, equity: Decimal) -> tuple[Gauge, Gauge]:
        """Return the gauges that breakers watch."""
        return (
            self.gauge(LOSSES[0], self.daily_loss(equity)),
            self.gauge(LOSSES[1], self.drawdown(equity)),
        )

    # Exposure.

    def price(self, instrument: str) -> Decimal:
        """Return what a position is valued at: the mark, else its highest cost."""
        mark = self._ledger.mark(instrument)
        if mark is not None:
            return mark
        held = self._ledger.open_positions(instrument)
        return max((p.average_price for p in held), default=ZERO)

    def sides(self, instrument: str, closed: Decimal = ZERO) -> tuple[Decimal, Decimal]:
        """Return an instrument's notional if all its buys fill, and if all its sells.

        The account's position is in both, with opposite signs; ``closed`` is a signed
        quantity that is left out of it: it is closed before.
        """
        net = self._ledger.exposed(instrument) - closed
        held = net * self.price(instrument) if net else ZERO
        worth = self._orders.pending_worth
        return held + worth(instrument, _BUY), worth(instrument, _SELL) - held

    def gross(self, instrument: str) -> Decimal:
        """Return an instrument's worst case."""
        return max(self.sides(instrument))

    def exposure(self, instrument: str, own: Decimal) -> Exposure:
        """Return all exposures where the worst case of ``instrument`` is ``own``."""
        symbol = venue = total = own
        symbols, venues = self._symbols, self._venues
        for name in self._active():
            if name == instrument:
                continue
            gross = self.gross(name)
            total += gross
            if symbols[name] == symbols[instrument]:
                symbol += gross
            if venues[name] == venues[instrument]:
                venue += gross
        return Exposure(own, symbol, venue, total)

    def carries(self, equity: Decimal) -> Decimal:
        """Return the exposure that the equity carries at the leverage."""
        return max(ZERO, equity * self.settings.leverage)

    def _active(self) -> Iterable[str]:
        active = dict.fromkeys(self._ledger.held_instruments())
        active.update(dict.fromkeys(self._orders.pending_instruments()))
        return active

    # Traffic.

    def open_orders(self, more: int = 0) -> int:
        """Return how many orders work at the venue, and ``more``."""
        return self._orders.at_venue + more

    def order_rate(self, ts: int, more: int = 0) -> int:
        """Return how many orders were sent in the window, and ``more``."""
        return self.traffic.orders.count(ts) + more

    def message_ratio(self, ts: int, more: int = 0) -> Decimal:
        """Return messages per fill in the window; 0 while there are few messages."""
        messages = self.traffic.messages.count(ts) + more
        if messages < self.settings.message_ratio_least:
            return ZERO
        return Decimal(messages) / max(1, self.traffic.fills.count(ts))

    # What is shown.

    def gauges(self, ts: int) -> Iterator[Gauge]:
        """Yield every limit as of ``ts``; of instruments, symbols, venues the fullest.

        The last three have no value: they are for each order by itself. ``leverage``
        is the exposure that equity carries; it is no limit that can be set.
        """
        equity = self._ledger.value().equity
        yield from self.losses(equity)
        gross = {name: self.gross(name) for name in self._active()}
        total = sum(gross.values(), ZERO)
        yield self.gauge("max_total_exposure", total)
        for name, group in (
            ("max_venue_exposure", self._venues),
            ("max_symbol_exposure", self._symbols),
        ):
            sums: dict[str, Decimal] = {}
            for each, value in gross.items():
                sums[group[each]] = sums.get(group[each], ZERO) + value
            yield self._fullest(name, sums)
        yield self._fullest("max_position_value", gross)
        carried = self.carries(equity)
        yield Gauge(name="leverage", unit=_MONEY, value=total, limit=carried)
        yield self.gauge("max_open_orders", Decimal(self.open_orders()))
        yield self.gauge("max_order_rate", Decimal(self.order_rate(ts)))
        yield self.gauge("max_message_ratio", self.message_ratio(ts))
        for name in ("max_order_value", "collar_through_bps", "collar_away_bps"):
            yield self.gauge(name, None)

    def _fullest(self, name: str, values: Mapping[str, Decimal]) -> Gauge:
        subject = max(values, key=lambda each: values[each], default="")
        return self.gauge(name, values.get(subject, ZERO), subject)

    def gauge(self, name: str, value: Decimal | None, subject: str = "") -> Gauge:
        """Return the gauge of a figure beside the limit in force."""
        limit = getattr(self.settings, name)
        return Gauge(
            name=name,
            unit=UNITS[name],
            value=value,
            limit=limit if limit is None else Decimal(limit),
            subject=subject,
        )

    # What changes.

    def put(self, name: str, value: Decimal | None, seq: int) -> None:
        """Put a limit in force; ValueError names what it may be."""
        given = None if value is None else str(value)
        if value is not None and UNITS[name] is _COUNT:
            if value != value.to_integral_value():
                raise ValueError(f"{name} = {value} must be a whole number")
            given = str(int(value))
        try:
            # The settings' own rules, as for the config.
            after = msgspec.convert(
                structs.asdict(self.settings) | {name: given},
                RiskSettings,
                strict=False,
            )
        except msgspec.ValidationError as error:
            raise ValueError(str(error).partition(" - at")[0]) from error
        self.settings = after
        self.changed[name] = seq

    def digest(self, ts: int) -> object:
        """Return the limits in force, and the traffic that still counts."""
        in_force = tuple(
            None if value is None else str(value)
            for value in (getattr(self.settings, name) for name in UNITS)
        )
        return in_force, self.traffic.digest(ts)


def loosens(before: Decimal | None, after: Decimal | None) -> bool:
    """Tell whether a limit of ``after`` lets more pass than one of ``before``."""
    return before is not None and (after is None or after > before)
