"""What an order of the operator would do and cost, before it is sent: a pure read.

The session answers it for the ticket and the amend dialog. The verdict is that of the
code that would carry the command out; costs are in the account's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from workstation.execution import margin
from workstation.execution.executor import Executor
from workstation.execution.tickets import Judged, keeps_queue
from workstation.market.aggregator import Aggregator
from workstation.model.commands import AmendOrder, PlaceOrder
from workstation.model.errors import CommandRefused
from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument, Side, to_decimal
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.owners import OPERATOR
from workstation.model.states import Gate
from workstation.venues.paper.prices import crosses, visible_levels

__all__ = ["OrderPreview", "Preview", "Touch"]

ZERO = Decimal(0)


class _Taken(NamedTuple):
    """What would fill at once (None = not known), its mean price, whether it meets."""

    size: Decimal | None
    mean: float | None = None
    crosses: bool = False


class Touch(Struct, frozen=True):
    """The best prices of an instrument now; None = not known."""

    bid: float | None
    ask: float | None
    last: float | None

    @property
    def mid(self) -> float | None:
        """Return the middle of bid and ask."""
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) / 2


class Preview(Struct, frozen=True, kw_only=True):
    """What would become of an order; None = not known.

    ``code`` and ``denial`` are empty where it passes. ``price`` is what it is valued
    at, ``notional`` what is left to fill at that price; fees, margin and ``free`` are
    in ``currency``. ``ties_up`` is the margin its increase of the exposure takes,
    ``free`` what is left then, entries that work counted as filled. ``position`` is the
    owner's and ``net`` the account's, now and after. ``away_bps`` is the distance of
    its price from the middle, above it positive. ``takes`` would fill at once from the
    visible book, at ``take_price`` on average; it ``crosses`` where its price meets
    the best of the other side, whether or not that has a size. ``keeps_queue`` is for
    amends. It ``waits`` while its trigger is not met, and is ``held`` here then unless
    the venue keeps stops.
    """

    seq: int
    instrument: str
    code: str
    denial: str
    currency: str
    open: Decimal
    price: Decimal | None
    notional: Decimal | None
    fee_maker: Decimal | None
    fee_taker: Decimal | None
    ties_up: Decimal | None
    free: Decimal | None
    owner: str
    position: Decimal
    position_after: Decimal
    net: Decimal
    net_after: Decimal
    away_bps: float | None
    takes: Decimal | None
    take_price: float | None
    crosses: bool = False
    keeps_queue: bool
    waits: bool
    held: bool
    gates: tuple[Gate, ...]

    @property
    def passes(self) -> bool:
        """Tell whether the risk stage would let it through."""
        return not self.code


class OrderPreview:
    """Previews of one session."""

    def __init__(
        self,
        aggregator: Aggregator,
        executor: Executor,
        instruments: Mapping[str, Instrument],
        fees: Mapping[str, VenueFees],
    ) -> None:
        """``fees`` are by venue."""
        self._aggregator = aggregator
        self._executor = executor
        self._instruments = instruments
        self._fees = fees

    def touch(self, instrument: str) -> Touch:
        """Return the best prices; all None where there is no such instrument."""
        if instrument not in self._instruments:
            return Touch(None, None, None)
        view = self._aggregator.instrument(instrument)
        return Touch(view.bid or None, view.ask or None, view.last or None)

    def preview(self, command: PlaceOrder | AmendOrder, seq: int) -> Preview:
        """Return what would become of the command now.

        Raises CommandRefused when it names an order or instrument that is not there.
        """
        judged = self._executor.judge(command)
        order = judged.order
        instrument = self._instruments.get(order.instrument)
        if instrument is None:
            text = "" if judged.denial is None else judged.denial.text
            raise CommandRefused(text or f"{order.instrument} is not in this run")
        executor = self._executor
        # What waits is worth its trigger, unless it has a price.
        price = executor.risk.reference(order)
        is_leg = order.role is OrderRole.STOP or order.role is OrderRole.TARGET
        left = max(judged.open, ZERO)
        notional = None if price is None else left * price
        fees = self._fees.get(instrument.venue)
        signed = left * order.side.sign
        position = executor.position(order.owner, instrument.id).quantity
        net = executor.net(instrument.id)
        ties_up, free = self._margin(judged, price, net)
        taken = self._taken(order, left)
        view = self._aggregator.instrument(instrument.id)
        before = judged.before
        stays = before is not None and keeps_queue(before, order.quantity, order.price)
        return Preview(
            seq=seq,
            instrument=instrument.id,
            code="" if judged.denial is None else judged.denial.code.value,
            denial="" if judged.denial is None else judged.denial.text,
            currency=executor.ledger.currency,
            open=left,
            price=price,
            notional=notional,
            fee_maker=self._fee(
                instrument, notional, None if fees is None else fees.maker
            ),
            fee_taker=self._fee(
                instrument, notional, None if fees is None else fees.taker
            ),
            ties_up=ties_up,
            free=free,
            owner=order.owner,
            position=position,
            position_after=position + signed,
            net=net,
            net_after=net + signed,
            away_bps=_away(_asked(order), view.mid),
            takes=taken.size,
            take_price=taken.mean,
            crosses=taken.crosses,
            keeps_queue=stays,
            waits=order.is_untriggered,
            held=order.is_untriggered and (is_leg or not executor.risk.keeps_stops),
            gates=executor.gates(OPERATOR, instrument.id),
        )

    def _fee(
        self,
        instrument: Instrument,
        notional: Decimal | None,
        share: Decimal | None,
    ) -> Decimal | None:
        """Return the fee; None where the quote is not the account's currency."""
        if notional is None or share is None:
            return None
        if instrument.quote != self._executor.ledger.currency:
            return None
        return notional * share

    def _margin(
        self, judged: Judged, price: Decimal | None, net: Decimal
    ) -> tuple[Decimal | None, Decimal | None]:
        """Return the margin that the added exposure takes, and what is free then."""
        order, before = judged.order, judged.before
        is_leg = order.role is OrderRole.STOP or order.role is OrderRole.TARGET
        if price is None or is_leg:
            return None, None
        executor = self._executor
        value, orders = executor.ledger.value(), executor.desk.orders
        leverage = executor.risk.settings.leverage
        pending = orders.pending_value
        tracked = None if before is None else orders.get(before.id)
        if tracked is not None and not order.reduce_only:
            with orders.without(tracked):
                pending = orders.pending_value
        reached = abs(net + judged.open * order.side.sign) - abs(net)
        added = max(reached, ZERO) * price
        if order.reduce_only:
            added = ZERO
        ties_up = margin.initial_margin(added, leverage)
        used = margin.initial_margin(value.exposure + pending, leverage)
        return ties_up, margin.available(value.equity, used + ties_up, ZERO)

    def _taken(self, order: Order, left: Decimal) -> _Taken:
        """Return what would fill at once from what is visible, as paper fills it.

        The top is the quote's and only deeper levels are the book's: those of an older
        book that are better than the quote are gone, and no average is better than it.
        """
        view = self._aggregator.instrument(order.instrument)
        top = view.ask if order.side is Side.BUY else view.bid
        silent = not top > 0 or not view.is_top_proven
        if silent or view.bars_only or left <= 0 or order.is_untriggered:
            return _Taken(None)
        limit = order.price if order.type is OrderType.LIMIT else None
        if limit is not None and not crosses(limit, to_decimal(top), order.side):
            return _Taken(ZERO)
        levels = [
            (at, size)
            for at, size in visible_levels(view, order.side)
            if limit is None or crosses(limit, to_decimal(at), order.side)
        ]
        shown = self._instruments[order.instrument].round_quantity(
            sum(size for _, size in levels)
        )
        takes = min(left, shown)
        mean = _mean(levels, float(takes)) if takes else None
        return _Taken(takes, mean, crosses=True)


def _mean(levels: Iterable[tuple[float, float]], size: float) -> float:
    """Return the average price of taking ``size``, which the levels hold."""
    left, paid = size, 0.0
    for at, here in levels:
        part = min(left, here)
        paid += part * at
        left -= part
    return paid / size


def _asked(order: Order) -> Decimal | None:
    return order.trigger if order.is_untriggered else order.price


def _away(price: Decimal | None, mid: float | None) -> float | None:
    if price is None or not mid:
        return None
    return (float(price) / mid - 1) * 10_000
