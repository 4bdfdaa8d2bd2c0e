"""What is taken of the depth stays taken; what stands ahead is what is shown."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.execution.fakes import BTC, FakeBook, FakeMarket
from workstation.model.instruments import Side
from workstation.venues.matching.orders import UNKNOWN
from workstation.venues.paper.depth import Depth
from workstation.venues.paper.settings import PaperBrokerSettings

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


class Shown:
    """A market with a book on both sides, and the depth on top of it."""

    def __init__(self) -> None:
        self.market = FakeMarket()
        self.depth = Depth(PaperBrokerSettings(), {"BTC": BTC}, self.market)
        self.market.views["BTC"].bars_only = False

    def show(self, asks: list[float], bids: list[float]) -> None:
        view = self.market.views["BTC"]
        view.ask, view.ask_size, view.bid, view.bid_size = 101.0, asks[0], 99.0, bids[0]
        view.book = FakeBook(
            [(99.0 - n, size) for n, size in enumerate(bids)],
            [(101.0 + n, size) for n, size in enumerate(asks)],
        )
        self.depth.refresh("BTC")

    def take(self, side: Side, quantity: str) -> Decimal:
        left = D(quantity)
        for offer in self.depth.offers("BTC", side):
            amount = min(left, offer.quantity)
            if amount > 0:
                self.depth.take("BTC", side, offer, amount)
                left -= amount
        return D(quantity) - left


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


def test_ahead_is_the_size_at_the_price_as_far_as_it_is_shown() -> None:
    shown = Shown()
    shown.show([1.0, 2.0, 4.0], [3.0, 5.0])

    def ahead(name: str, side: Side, price: Decimal) -> Decimal:
        return shown.depth.ahead(name, side, price).size

    assert [ahead("BTC", BUY, D(p)) for p in ("99.0", "98.0", "98.5")] == [3, 5, 0]
    assert [ahead("BTC", SELL, D(p)) for p in ("101.0", "103.0")] == [1, 4]
    # Nobody is in front of a better price; nobody knows what is deeper than the book.
    assert ahead("BTC", BUY, D("99.5")) == 0
    assert ahead("BTC", BUY, D("97.9")) == UNKNOWN
    view = shown.market.views["BTC"]
    view.book = None
    assert ahead("BTC", BUY, D("99.0")) == 3
    assert ahead("BTC", BUY, D("98.0")) == UNKNOWN
    view.bid_size = 0.0
    assert ahead("BTC", BUY, D("99.0")) == UNKNOWN
    view.bid_size, view.is_top_proven = 3.0, False
    assert ahead("BTC", BUY, D("99.0")) == UNKNOWN
