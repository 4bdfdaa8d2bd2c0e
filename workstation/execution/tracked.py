"""An order with what only the Executor knows of it.

The order desk makes and moves them; whoever closes, protects or reconciles reads them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from workstation.kernel.clock import Timer
from workstation.model.orders import Order, OrderEvent, OrderMove, OrderStatus
from workstation.model.reports import OrderReport
from workstation.model.signals import Signal

__all__ = ["KEEP_MOVES", "Ending", "Tracked", "worth_of"]

ZERO = Decimal(0)
KEEP_MOVES = 64
"""A quoted order may be replaced for hours; the journal has all of its moves."""


class Ending(NamedTuple):
    """An end the venue reported, with what it filled before, and why."""

    event: OrderEvent
    filled: Decimal
    reason: str


class Tracked:
    """An order with what only the Executor knows of it.

    ``trades`` are the trade ids already booked, ``intent`` the signal whose stop and
    target follow the fills, ``reason`` why the order was made, ``worth`` the price an
    entry without a limit was judged at. ``flattened`` says why its fills are to be
    closed as they come, however late; empty while nobody flattened it. ``withdrawn``
    says why all entries were to be canceled, and this one with them. ``moves``
    counts its transitions, which are records, ``history`` has the last of them.
    ``brought`` says that its stop and target have been installed, ``until_ns`` is the
    end it was made with.

    ``seen`` says that the venue once had it, ``reshaping`` that a replace is not
    answered, so that its quantity may be another, ``growth`` by how much more, in
    quantity and value, and ``asked`` the price it may have got; ``lost`` is the status
    in which an answer stayed away, ``ending`` the end the venue reported before all its
    fills were here. ``sent_ns`` is when it left, ``spoken_ns`` when the last request
    about it did, ``heard_ns`` when the venue last spoke of it (the run's clock);
    ``evidence_ns`` and ``shape_ns`` are venue times: of the newest report, and as of
    which quantity and price are known.
    ``newest`` has the last report of each kind, ``told`` is the sum of fills an alarm
    was given for.
    """

    __slots__ = (
        "asked",
        "brought",
        "ending",
        "evidence_ns",
        "flattened",
        "growth",
        "heard_ns",
        "history",
        "intent",
        "lost",
        "moves",
        "newest",
        "order",
        "reason",
        "reshaping",
        "seen",
        "sent_ns",
        "shape_ns",
        "spoken_ns",
        "timer",
        "told",
        "trades",
        "until_ns",
        "withdrawn",
        "worth",
    )

    def __init__(
        self, order: Order, intent: Signal | None = None, worth: Decimal = ZERO
    ) -> None:
        self.order = order
        self.intent = intent
        self.worth = worth
        self.flattened = self.withdrawn = ""
        self.reason = order.reason
        self.timer: Timer | None = None
        self.trades: dict[str, Decimal] = {}
        self.moves = 0
        # A list: an empty deque takes room for 64 moves, an order has three or four.
        self.history: list[OrderMove] = []
        self.seen = self.reshaping = False
        self.growth: tuple[Decimal, Decimal] | None = None
        self.asked: Decimal | None = None
        self.brought = False
        self.until_ns = order.expires_ns
        self.lost: OrderStatus | None = None
        self.ending: Ending | None = None
        self.sent_ns = self.spoken_ns = self.heard_ns = 0
        self.evidence_ns = self.shape_ns = 0
        self.newest: dict[type, OrderReport] | None = None
        self.told = ZERO


def worth_of(tracked: Tracked, order: Order) -> Decimal:
    """Return the price an order counts at: its own, else what it was judged at."""
    if order.price is not None:
        return order.price
    trigger = order.trigger
    return tracked.worth if trigger is None or not order.is_untriggered else trigger
