"""What was taken of the depth stays taken while the same size is shown."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.execution.fakes import BTC, FakeBook, FakeMarket
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.venues.paper.depth import Depth
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def order(side: Side) -> Order:
    return Order(
        id="o-1",
        instrument="BTC",
        owner="s",
        role=OrderRole.ENTRY,
        side=side,
        type=OrderType.MARKET,
        quantity=D(1),
    )


class Shown:
    """A market with a book on both sides, and the depth on top of it."""

    def __init__(self) -> None:
        self.market = FakeMarket()
        self.depth = Depth(PaperBrokerSettings(), self.market)

    def show(self, asks: list[float], bids: list[float]) -> None:
        view = self.market.views["BTC"]
        view.ask, view.ask_size, view.bid, view.bid_size = 101.0, asks[0], 99.0, bids[0]
        view.book = FakeBook(
            [(99.0 - n, size) for n, size in enumerate(bids)],
            [(101.0 + n, size) for n, size in enumerate(asks)],
        )
        self.depth.refresh("BTC")

    def take(self, side: Side, quantity: str) -> Decimal:
        got = D(0)
        for offer in self.depth.offers(BTC, order(side), D(quantity)):
            self.depth.take(order(side), offer)
            got += offer.quantity
        return got


def test_each_side_and_price_is_remembered_by_itself() -> None:
    shown = Shown()
    shown.show([1.0, 2.0], [1.0, 2.0])
    assert (shown.take(BUY, "9"), shown.take(SELL, "0.5")) == (D(3), D("0.5"))
    shown.show([1.0, 5.0], [1.0, 2.0])
    assert (shown.take(BUY, "9"), shown.take(SELL, "9")) == (D(5), D("2.5"))


def test_what_is_gone_is_forgotten() -> None:
    shown = Shown()
    shown.show([1.0], [1.0])
    empty = shown.depth.digest()
    shown.take(BUY, "1")
    assert shown.depth.digest() != empty
    shown.market.views["BTC"].ask = 102.0
    shown.depth.refresh("BTC")
    assert shown.depth.digest() == empty


SIZES = st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=3, max_size=3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(SIZES, st.integers(1, 40)), min_size=1, max_size=12))
def test_no_more_is_taken_than_each_shown_size_once(
    steps: list[tuple[list[float], int]],
) -> None:
    shown, before = Shown(), [0.0, 0.0, 0.0]
    taken = offered = D(0)
    for sizes, wanted in steps:
        shown.show(sizes, [1.0])
        offered += sum(
            D(str(new)) for new, old in zip(sizes, before, strict=True) if new != old
        )
        taken += shown.take(BUY, str(D(wanted) / 10))
        assert taken <= offered
        before = sizes
    taken += shown.take(BUY, "1000")
    assert taken <= offered
    assert shown.take(BUY, "1") == 0
