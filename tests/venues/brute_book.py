"""A venue by brute force: one list of orders, scanned for every question.

Prices and quantities are whole ticks and lots. It shares no code with the package and
is slow on purpose; what it says is in plain tuples, in order.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Literal

__all__ = ["BruteBook", "BruteOrder"]

Event = tuple[object, ...]
Place = Literal["nowhere", "book", "waiting", "stop"]


@dataclass
class BruteOrder:
    """One order; ``sign`` is +1 for a buyer."""

    id: str
    account: str
    sign: int
    quantity: int
    price: int | None
    trigger: int | None = None
    lives: str = "GTC"
    post_only: bool = False
    reduce_only: bool = False
    expires: int | None = None
    left: int = 0
    number: int = 0
    born: int = 0
    place: Place = "nowhere"


class BruteBook:
    """One instrument of several accounts."""

    def __init__(self, policy: str) -> None:
        self.policy = policy
        self.orders: list[BruteOrder] = []
        self.used: set[str] = set()
        self.said: list[Event] = []
        self.positions: dict[str, int] = {}
        self.count = 0
        self.last: int | None = None

    def find(self, order_id: str) -> BruteOrder | None:
        found = [o for o in self.orders if o.id == order_id]
        return found[0] if found else None

    def submit(self, order: BruteOrder) -> None:
        is_plain = order.price is not None and order.trigger is None
        held = self.positions.get(order.account, 0)
        wrong = (
            order.id in self.used
            or (order.post_only and not is_plain)
            or (order.post_only and bool(self.against(order)))
            or (order.reduce_only and held * order.sign >= 0)
        )
        self.used.add(order.id)
        if wrong:
            self.said.append(("refused", order.id))
            return
        self.count += 1
        order.number = order.born = self.count
        order.left = order.quantity
        self.orders.append(order)
        self.said.append(("accepted", order.id, order.number))
        if order.trigger is not None:
            if not self.is_reached(order):
                order.place = "stop"
                return
            self.wake(order)
        self.enter(order)
        self.settle()

    def cancel(self, order_id: str) -> None:
        order = self.find(order_id)
        if order is None:
            self.said.append(("cancel refused", order_id))
        else:
            self.drop(order, "canceled")

    def tick(self, price: int) -> None:
        self.last = price
        self.settle()

    def amend(
        self, order_id: str, quantity: int, price: int | None, trigger: int | None
    ) -> None:
        order = self.find(order_id)
        if order is not None and trigger is not None:
            alike = (price is None) is (order.price is None)
            if order.place != "stop" or not alike:
                self.said.append(("amend refused", order_id))
                return
            order.quantity = order.left = quantity
            order.price, order.trigger = price, trigger
            self.said.append(
                ("amended", order_id, quantity, price, trigger, order.number)
            )
            self.settle()
            return
        if price is None:
            self.said.append(("amend refused", order_id))
            return
        if (
            order is None
            or order.price is None
            or order.place != "book"
            or quantity <= order.quantity - order.left
            or (
                order.post_only
                and price != order.price
                and self.against(order, price=price)
            )
        ):
            self.said.append(("amend refused", order_id))
            return
        stays = price == order.price and quantity <= order.quantity
        order.left -= order.quantity - quantity
        order.quantity, order.price = quantity, price
        if not stays:
            self.count += 1
            order.number = self.count
        self.said.append(("amended", order_id, quantity, price, None, order.number))
        if not stays:
            order.place = "nowhere"
            self.enter(order)
            self.settle()

    def expire(self, now: int) -> None:
        due = [o for o in self.orders if o.expires is not None and o.expires <= now]
        for order in sorted(due, key=lambda o: (o.expires or 0, o.born)):
            self.drop(order, "expired")

    # How it goes on.

    def enter(self, order: BruteOrder) -> None:
        if order.lives == "FOK" and self.on_offer(order) < order.left:
            self.drop(order, "expired")
            return
        self.trade(order)
        if order not in self.orders:
            return
        if order.lives in ("IOC", "FOK"):
            self.drop(order, "expired")
        else:
            order.place = "waiting" if order.price is None else "book"

    def settle(self) -> None:
        while True:
            for sign in (1, -1):
                waiting = [o for o in self.orders if o.place == "waiting"]
                for order in sorted(waiting, key=lambda o: o.number):
                    if order.sign == sign and order in self.orders:
                        self.trade(order)
            ready = [o for o in self.orders if o.place == "stop" and self.is_reached(o)]
            if not ready:
                return
            for order in sorted(ready, key=lambda o: o.number):
                order.place = "nowhere"
                self.count += 1
                order.number = self.count
                self.wake(order)
                self.enter(order)

    def wake(self, order: BruteOrder) -> None:
        if order.price is None:
            order.expires = None
        self.said.append(("triggered", order.id))

    def trade(self, order: BruteOrder) -> None:
        for other in self.against(order):
            if other.account == order.account:
                if order.place == "waiting":
                    continue
                if self.policy != "cancel_incoming":
                    self.drop(other, "canceled")
                if self.policy != "cancel_resting":
                    self.drop(order, "canceled")
                    return
                continue
            amount = min(self.room(order), self.room(other))
            if amount:
                self.last = other.price
                for each in (order, other):
                    each.left -= amount
                    held = self.positions.get(each.account, 0)
                    self.positions[each.account] = held + each.sign * amount
                buyer, seller = (order, other) if order.sign == 1 else (other, order)
                self.orders = [o for o in self.orders if o.left]
                self.said.append(
                    ("traded", buyer.id, seller.id, other.id, other.price, amount)
                )
            for each in (other, order):
                if each in self.orders and each.reduce_only and not self.room(each):
                    self.drop(each, "expired")
            if order not in self.orders:
                return

    def against(self, order: BruteOrder, price: int | None = None) -> list[BruteOrder]:
        limit = order.price if price is None else price
        found = [
            o
            for o in self.orders
            if o.place == "book"
            and o.sign == -order.sign
            and o.price is not None
            and (limit is None or (limit - o.price) * order.sign >= 0)
        ]
        return sorted(found, key=lambda o: ((o.price or 0) * order.sign, o.number))

    def on_offer(self, order: BruteOrder) -> int:
        if self.room(order) < order.left:
            return self.room(order)
        # What a copy of all this would do with it.
        copied, trial = copy.deepcopy((self, order))
        copied.trade(trial)
        return order.left - trial.left

    def room(self, order: BruteOrder) -> int:
        if not order.reduce_only:
            return order.left
        held = self.positions.get(order.account, 0)
        return min(order.left, max(0, -held * order.sign))

    def is_reached(self, order: BruteOrder) -> bool:
        if self.last is None or order.trigger is None:
            return False
        return (self.last - order.trigger) * order.sign >= 0

    def drop(self, order: BruteOrder, word: str) -> None:
        self.orders = [o for o in self.orders if o is not order]
        self.said.append((word, order.id))
