"""Settings of the paper broker."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, field

from workstation.model.money import is_figure
from workstation.model.rates import BrokerAbilities, RateLimit
from workstation.model.settings import (
    Bps,
    Fraction,
    Milliseconds,
    Name,
    Settings,
)

__all__ = ["FillModel", "PaperBrokerSettings"]

# A negative spread would fill both sides better than the middle, at -10,000 for
# nothing at all.
Spread = Annotated[float, Meta(ge=0, le=10_000)]
Latency = Annotated[float, Meta(ge=0, le=86_400_000)]

FillModel = Literal["queue", "through", "touch", "optimistic"]
# A fixed latency, or its quantiles at 0, 50, 90, 99 and 100 %.
_QUANTILES = (1, 5)


class PaperBrokerSettings(
    Settings, frozen=True, kw_only=True, tag_field="type", tag="paper"
):
    """A simulated venue: a matching engine against the recorded or live market."""

    name: Name = "paper"
    cash: dict[str, Decimal] = field(default_factory=lambda: {"USDT": Decimal(100_000)})
    """What the account starts with, by currency."""
    fill_model: FillModel = "queue"
    """When a resting order fills: in its turn in the queue, only when a trade goes
    through it, when its price is touched, or then as a whole. docs/fills.md."""
    queue_shrinks: Literal["behind", "proportional"] = "behind"
    """Who left a queue that shrinks without a trade: those behind us first, or those
    ahead and behind by their share. For the model ``queue``."""
    self_trade: Literal["cancel_resting", "cancel_incoming", "cancel_both"] = (
        "cancel_resting"
    )
    """What is canceled where two orders of the account would trade with each other."""
    check_balance: bool = False
    """Refuse orders that the balances do not cover; nothing can be sold short then."""
    native_stops: bool = False
    """Keep stop orders at the venue, which wakes them up by the trades it sees; else
    they are held by the workstation, as where a venue has none."""
    maker_fee_bps: Bps = 1.5
    """Fee on fills of resting orders, bps of the notional; negative = rebate."""
    taker_fee_bps: Bps = 4.5
    """Fee on fills that take liquidity, bps of the notional."""
    latency_ms: Milliseconds = 40
    """One way to the venue; the same again for its reports (0 with bars only)."""
    place_ms: tuple[Latency, ...] = ()
    """The way of new orders and queries: one number, or five: the least, the median,
    what 90 % and 99 % stay below, the most. Empty = ``latency_ms``."""
    cancel_ms: tuple[Latency, ...] = ()
    """The same for cancels."""
    replace_ms: tuple[Latency, ...] = ()
    """The same for changes of price or quantity."""
    report_ms: tuple[Latency, ...] = ()
    """The same for reports, on their way back."""
    spread_bps: Spread = 1.0
    """Spread assumed around the open or last price where there are no quotes."""
    rates: tuple[RateLimit, ...] = ()
    """Limits that are kept as if it were a venue that has them; none = no limits."""
    cancel_share: Fraction = 0.2
    """Share of each limit that is kept for cancels and protection."""

    @property
    def abilities(self) -> BrokerAbilities:
        """Return what the broker can do: batches as large as any venue takes."""
        return BrokerAbilities(
            modify=True, batch=40, account=True, stops=self.native_stops
        )

    @property
    def assumptions(self) -> dict[str, str]:
        """Return in words what decides how orders fill, for who reads a result."""
        ways = {
            name: getattr(self, f"{name}_ms") or (self.latency_ms,)
            for name in ("place", "cancel", "replace", "report")
        }
        shrinks = f", shrinks {self.queue_shrinks}"
        return {
            "fill_model": self.fill_model
            + (shrinks if self.fill_model == "queue" else ""),
            "latency_ms": ", ".join(
                f"{name} {'/'.join(f'{ms:g}' for ms in given)}"
                for name, given in ways.items()
            ),
            "fees_bps": f"maker {self.maker_fee_bps:g}, taker {self.taker_fee_bps:g}",
            "spread_bps": f"{self.spread_bps:g} where nothing is quoted",
            "self_trade": self.self_trade,
            "check_balance": "yes" if self.check_balance else "no",
            "stops": "kept by the venue" if self.native_stops else "held here",
        }

    def __post_init__(self) -> None:
        """Refuse an empty account, cash that is no sum, and latencies that fall."""
        if not self.cash:
            raise ValueError("cash is empty; give it a currency: { USDT = '100000' }")
        for currency, amount in self.cash.items():
            if amount < 0:
                raise ValueError(f"cash.{currency} = {amount} must be 0 or more")
            if not is_figure(amount):
                raise ValueError(
                    f"cash.{currency} = {amount} must be below 10^15, with at most 18 "
                    "decimals"
                )
        for name in ("place_ms", "cancel_ms", "replace_ms", "report_ms"):
            given: tuple[float, ...] = getattr(self, name)
            if given and (len(given) not in _QUANTILES or [*given] != sorted(given)):
                raise ValueError(
                    f"{name} = {[*given]} must be one number, or five that never "
                    "fall: least, median, 90 %, 99 %, most"
                )
        for limit in self.rates:
            most = max(limit.place, limit.modify)
            room = limit.ordinary(self.cancel_share)
            if most > room:
                raise ValueError(
                    f"cancel_share = {self.cancel_share} must be small enough for an "
                    f"order beside it: of weight {limit.weight} it leaves {room}, an "
                    f"order weighs {most}"
                )
