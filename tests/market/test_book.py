"""The proof of sequence: spot and USD-M rules, buffering, gaps, crossings, recovery."""

from __future__ import annotations

import pytest

from workstation.market.book import BUFFER_LIMIT, Book, TrustChange
from workstation.model.instruments import Side
from workstation.model.market import BookDelta, BookSnapshot, Level
from workstation.model.states import BookTrust

BIDS: tuple[Level, ...] = ((99.0, 1.0), (98.0, 2.0), (97.0, 3.0))
ASKS: tuple[Level, ...] = ((101.0, 3.0), (102.0, 2.0), (103.0, 1.0))


def snapshot(
    last_id: int,
    bids: tuple[Level, ...] = BIDS,
    asks: tuple[Level, ...] = ASKS,
) -> BookSnapshot:
    return BookSnapshot("X", 1, last_id, bids, asks)


def delta(
    first_id: int,
    last_id: int,
    bids: tuple[Level, ...] = (),
    asks: tuple[Level, ...] = (),
    previous_id: int | None = None,
) -> BookDelta:
    return BookDelta("X", 1, first_id, last_id, bids, asks, None, previous_id)


def synced(last_id: int = 100) -> Book:
    book = Book()
    assert book.snapshot(snapshot(last_id)) == TrustChange(
        BookTrust.NONE,
        BookTrust.TRUSTED,
        f"snapshot {last_id} and 0 buffered differences",
    )
    return book


def test_differences_wait_for_a_snapshot_and_the_old_ones_are_dropped() -> None:
    book = Book()
    assert book.trust is BookTrust.NONE
    change = book.delta(delta(90, 95))
    assert change is not None
    assert change.after is BookTrust.SYNCING
    assert book.delta(delta(96, 100)) is None
    assert book.delta(delta(101, 105, bids=((99.5, 4.0),))) is None
    change = book.snapshot(snapshot(102))
    assert change is not None
    assert (change.before, change.after) == (BookTrust.SYNCING, BookTrust.TRUSTED)
    assert (book.applied, book.dropped, book.update_id) == (1, 2, 105)
    assert book.best_bid() == (99.5, 4.0)


def test_a_snapshot_older_than_the_buffer_proves_nothing() -> None:
    book = Book()
    book.delta(delta(90, 95))
    assert book.snapshot(snapshot(88)) is None
    assert book.trust is BookTrust.SYNCING
    assert book.best_bid() is None
    assert book.snapshot(snapshot(89)) is not None
    assert (book.trust, book.update_id) == (BookTrust.TRUSTED, 95)


def test_a_hole_in_the_buffer_starts_it_anew() -> None:
    book = Book()
    book.delta(delta(90, 95))
    book.delta(delta(97, 99))
    assert book.gaps == 1
    assert book.snapshot(snapshot(92)) is None
    book.snapshot(snapshot(96))
    assert (book.trust, book.update_id, book.applied) == (BookTrust.TRUSTED, 99, 1)


def test_a_full_buffer_forgets_the_oldest_and_needs_a_newer_snapshot() -> None:
    book = Book()
    for index in range(BUFFER_LIMIT + 10):
        book.delta(delta(index + 1, index + 1))
    assert book.snapshot(snapshot(5)) is None
    book.snapshot(snapshot(20))
    assert book.trust is BookTrust.TRUSTED
    assert book.update_id == BUFFER_LIMIT + 10


def test_a_missing_difference_is_named_and_the_levels_stay() -> None:
    book = synced()
    assert book.delta(delta(101, 103, bids=((99.0, 9.0),))) is None
    change = book.delta(delta(106, 107, bids=((99.0, 1.0),)))
    assert change == TrustChange(
        BookTrust.TRUSTED,
        BookTrust.UNTRUSTED,
        "gap: expected update 104, got 106",
        104,
        106,
    )
    assert (book.gaps, book.update_id, book.applied) == (1, 103, 1)
    assert book.best_bid() == (99.0, 9.0)


def test_a_gap_is_mended_by_the_next_snapshot_and_what_came_since() -> None:
    book = synced()
    book.delta(delta(106, 107, bids=((99.25, 1.0),)))
    assert book.delta(delta(108, 110, asks=((100.5, 1.0),))) is None
    assert book.snapshot(snapshot(103)) is None, "lacks 104 and 105"
    assert book.trust is BookTrust.UNTRUSTED
    change = book.snapshot(snapshot(107))
    assert change is not None
    assert change.after is BookTrust.TRUSTED
    assert (book.update_id, book.best_ask()) == (110, (100.5, 1.0))
    assert book.best_bid() == (99.0, 1.0), "107 is in the snapshot already"


def test_a_doubled_difference_and_an_older_snapshot_change_nothing() -> None:
    book = synced()
    event = delta(101, 103, bids=((99.0, 9.0),))
    book.delta(event)
    assert book.delta(event) is None
    assert book.snapshot(snapshot(101)) is None
    assert (book.trust, book.dropped, book.update_id) == (BookTrust.TRUSTED, 1, 103)
    assert book.best_bid() == (99.0, 9.0)


def test_an_overlapping_difference_holds_absolute_sizes_and_is_applied() -> None:
    book = synced()
    book.delta(delta(101, 103))
    assert book.delta(delta(102, 105, bids=((99.0, 7.0),))) is None
    assert (book.update_id, book.best_bid()) == (105, (99.0, 7.0))


def test_usdm_differences_follow_the_id_before_them() -> None:
    book = synced()
    assert book.delta(delta(95, 110, previous_id=90)) is None, "first: around 100"
    assert book.delta(delta(140, 150, previous_id=110)) is None
    change = book.delta(delta(170, 180, previous_id=160))
    assert change is not None
    assert (change.expected, change.got) == (150, 160)
    assert change.reason == "gap: expected update 150, got 160"


def test_a_usdm_difference_that_steps_back_is_out_of_order() -> None:
    book = synced()
    book.delta(delta(101, 110, previous_id=100))
    change = book.delta(delta(105, 120, previous_id=104))
    assert change is not None
    assert change.reason == "out of order: expected update 110, got 104"


def test_reversed_ids_are_not_believed() -> None:
    book = synced()
    change = book.delta(delta(99, 101))
    assert change is None
    change = book.delta(BookDelta("X", 1, 200, 150, (), (), None, 101))
    assert change is not None
    assert change.reason == "ids reversed: expected update 200, got 150"


@pytest.mark.parametrize("bid", [101.0, 101.5])
def test_a_crossed_or_locked_book_is_not_trusted_until_a_newer_snapshot(
    bid: float,
) -> None:
    book = synced()
    change = book.delta(delta(101, 105, bids=((bid, 1.0),)))
    assert change is not None
    assert change.reason == (f"crossed: bid {bid} is not below ask 101.0 at update 105")
    assert (book.crossed, book.applied, book.gaps) == (1, 1, 0)
    assert book.snapshot(snapshot(104)) is None, "older than what crossed it"
    assert book.snapshot(snapshot(105)) is not None
    assert book.trust is BookTrust.TRUSTED


def test_a_crossed_snapshot_is_not_trusted() -> None:
    book = Book()
    change = book.snapshot(snapshot(1, bids=((102.0, 1.0),)))
    assert change is not None
    assert change.after is BookTrust.UNTRUSTED
    assert book.crossed == 1


@pytest.mark.parametrize(
    "level", [(float("nan"), 1.0), (99.0, float("nan")), (99.0, -1.0)]
)
def test_a_level_that_is_no_number_makes_the_book_untrusted(level: Level) -> None:
    book = synced()
    change = book.delta(delta(101, 102, bids=(level,)))
    assert change is not None
    assert change.reason == "unreadable level in update 102"
    book = Book()
    change = book.snapshot(snapshot(7, bids=(level,)))
    assert change is not None
    assert change.reason == "unreadable level in snapshot 7"


def test_after_a_restart_ids_may_begin_anew() -> None:
    book = synced(1_000)
    change = book.restart("feed paused")
    assert change is not None
    assert (change.after, change.reason) == (BookTrust.UNTRUSTED, "feed paused")
    assert book.restart("feed paused") is None
    book.delta(delta(5, 6))
    assert book.snapshot(snapshot(4)) is not None
    assert (book.trust, book.update_id) == (BookTrust.TRUSTED, 6)


def test_a_snapshot_whose_buffer_breaks_again_stays_untrusted() -> None:
    book = Book()
    book.delta(delta(101, 102, bids=((101.0, 1.0),)))
    book.delta(delta(103, 104))
    change = book.snapshot(snapshot(100))
    assert change is not None
    assert (change.before, change.after) == (BookTrust.SYNCING, BookTrust.UNTRUSTED)
    assert change.reason.startswith("crossed")
    assert book.snapshot(snapshot(103)) is not None
    assert (book.trust, book.update_id) == (BookTrust.TRUSTED, 104)


def test_figures_of_the_top_and_the_depth() -> None:
    book = synced()
    assert book.depth() == (3, 3)
    assert book.bids(2) == [(99.0, 1.0), (98.0, 2.0)]
    assert book.asks(9) == list(ASKS)
    assert book.imbalance(1) == pytest.approx(-0.5)
    assert book.imbalance(3) == 0.0
    assert book.microprice() == pytest.approx((99.0 * 3.0 + 101.0 * 1.0) / 4.0)
    assert book.vwap_to(Side.BUY, 4.0) == pytest.approx((3 * 101.0 + 102.0) / 4.0)
    assert book.vwap_to(Side.SELL, 2.0) == pytest.approx((99.0 + 98.0) / 2.0)
    assert book.vwap_to(Side.SELL, 6.5) is None
    empty = Book()
    assert (empty.imbalance(5), empty.microprice(), empty.best_ask()) == (None,) * 3
