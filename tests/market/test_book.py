"""The proof of sequence: spot and USD-M rules, buffering, gaps, crossings, recovery."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import reference
from workstation.market.book import BUFFER_LIMIT, Book, TrustChange
from workstation.model.instruments import Side
from workstation.model.market import BookDelta, BookSnapshot, Level
from workstation.model.ports import BookView
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


def test_snapshots_alone_replace_one_another_and_an_older_one_is_refused() -> None:
    book = synced(10)
    assert book.snapshot(snapshot(11, bids=((99.5, 2.0),))) is None
    assert (book.update_id, book.bids(9)) == (11, [(99.5, 2.0)])
    assert book.snapshot(snapshot(10)) is None
    assert (book.update_id, book.bids(9)) == (11, [(99.5, 2.0)])
    assert (book.trust, book.replaced, book.refused) == (BookTrust.TRUSTED, 2, 1)
    assert (book.applied, book.dropped, book.gaps) == (0, 0, 0)


def test_a_feed_that_numbers_its_own_messages_is_proven_by_the_same_rule() -> None:
    # Alpaca and Tardis have no ids: the reader counts, and leaves a hole for damage.
    book = synced(1)
    for number in (2, 3):
        assert book.delta(delta(number, number, bids=((99.0, 1.0 + number),))) is None
    assert book.best_bid() == (99.0, 4.0)
    change = book.delta(delta(5, 5, bids=((99.0, 7.0),)))
    assert change is not None
    assert change.reason == "gap: expected update 4, got 5"
    assert book.delta(delta(6, 6)) is None, "no update mends it, only a reset"
    assert book.trust is BookTrust.UNTRUSTED
    book.snapshot(snapshot(7))
    assert (book.trust, book.bids(9)) == (BookTrust.TRUSTED, list(BIDS))
    assert book.delta(delta(8, 8, bids=((99.0, 2.0),))) is None
    assert book.best_bid() == (99.0, 2.0)


@given(st.permutations(BIDS), st.permutations(ASKS))
def test_the_order_of_levels_in_a_snapshot_does_not_matter(
    bids: list[Level], asks: list[Level]
) -> None:
    book = Book()
    book.snapshot(snapshot(1, tuple(bids), tuple(asks)))
    assert (book.bids(9), book.asks(9)) == (list(BIDS), list(ASKS))


@pytest.mark.parametrize(
    ("bids", "asks", "reason"),
    [
        (((99.0, 1.0), (98.0, 2.0), (99.0, 4.0)), ASKS, "doubled price"),
        (BIDS, ((101.0, 1.0), (101.0, 1.0)), "doubled price"),
        ((), (), "no level"),
        (BIDS, ((101.0, -1.0),), "unreadable level"),
    ],
)
def test_a_snapshot_that_cannot_be_right_takes_the_trust_and_changes_no_level(
    bids: tuple[Level, ...], asks: tuple[Level, ...], reason: str
) -> None:
    book = synced(10)
    change = book.snapshot(snapshot(12, bids, asks))
    assert change == TrustChange(
        BookTrust.TRUSTED,
        BookTrust.UNTRUSTED,
        f"{reason} in snapshot 12",
        None,
        12,
    )
    assert (book.bids(9), book.asks(9), book.update_id) == (list(BIDS), list(ASKS), 10)
    assert (book.replaced, book.refused) == (1, 1)
    assert book.delta(delta(11, 11, bids=((99.0, 5.0),))) is None, "kept for later"
    book.snapshot(snapshot(10))
    assert (book.trust, book.update_id) == (BookTrust.TRUSTED, 11)
    assert book.best_bid() == (99.0, 5.0)


def test_a_side_may_be_empty() -> None:
    book = Book()
    book.snapshot(snapshot(1, asks=()))
    assert (book.trust, book.best_ask()) == (BookTrust.TRUSTED, None)
    assert book.imbalance(3) == 1.0


def test_an_empty_book_has_no_figures() -> None:
    empty = Book()
    assert (empty.imbalance(5), empty.microprice(), empty.best_ask()) == (None,) * 3
    assert empty.weighted_imbalance(5, 1.0) is None
    assert (empty.size_at(99.0), empty.size_of(Side.BUY, 5)) == (0.0, 0.0)
    assert empty.size_to(Side.SELL, 99.0) == 0.0
    assert empty.vwap_to(Side.BUY, 1.0) is None


@pytest.mark.parametrize("decay", [0.0, -1.0, float("nan")])
def test_a_weight_needs_a_distance(decay: float) -> None:
    with pytest.raises(ValueError, match="is no distance: give a price above 0"):
        synced().weighted_imbalance(3, decay)


@pytest.mark.reference
def test_imbalances_are_those_of_the_reference() -> None:
    text = reference("models", "market-making-ref.json").read_text()
    given_, expected = json.loads(text)["imbalance"].values()
    book = Book()
    book.snapshot(
        snapshot(
            1,
            tuple(zip(given_["bid_price"], given_["bid_size"], strict=True)),
            tuple(zip(given_["ask_price"], given_["ask_size"], strict=True)),
        )
    )
    decay = given_["decay_price"]
    assert book.imbalance(1) == pytest.approx(expected["top_signed"], rel=1e-12)
    assert book.imbalance(3) == pytest.approx(expected["deep3_signed"], rel=1e-12)
    assert book.microprice() == pytest.approx(expected["weighted_mid"], rel=1e-12)
    assert book.weighted_imbalance(3, decay) == pytest.approx(
        expected["exp_weighted_signed"], rel=1e-12
    )


# --- queries, beside a list that is searched from end to end

TICK = 0.5
CHANGES = st.lists(
    st.tuples(
        st.booleans(), st.integers(0, 20), st.sampled_from([0.0, 0.5, 1.0, 2.25, 8.0])
    ),
    max_size=60,
)


@given(CHANGES, st.integers(-1, 25), st.integers(-2, 60), st.floats(0.1, 90.0))
def test_every_question_has_the_answer_of_a_plain_list(
    changes: list[tuple[bool, int, float]], n: int, ticks: int, size: float
) -> None:
    book = Book()
    book.snapshot(snapshot(0, ((100.0, 1.0),), ((100.5, 1.0),)))
    plain: dict[bool, dict[float, float]] = {True: {100.0: 1.0}, False: {100.5: 1.0}}
    for index, (is_bid, distance, amount) in enumerate(changes, 1):
        price = 100.0 - distance * TICK if is_bid else 100.5 + distance * TICK
        level = ((price, amount),)
        book.delta(
            delta(index, index, level if is_bid else (), () if is_bid else level)
        )
        plain[is_bid][price] = amount
    bids, asks = (
        sorted(
            ((price, amount) for price, amount in plain[is_bid].items() if amount),
            reverse=is_bid,
        )
        for is_bid in (True, False)
    )
    view: BookView = book
    assert view.depth() == (len(bids), len(asks))
    assert view.best_bid() == (bids[0] if bids else None)
    assert view.best_ask() == (asks[0] if asks else None)
    few = max(n, 0)
    assert view.bids(n) == bids[:few]
    assert view.asks(n) == asks[:few]
    price = 90.0 + ticks * TICK
    assert view.size_at(price) == sum(s for p, s in bids + asks if p == price)
    for side, levels in ((Side.BUY, asks), (Side.SELL, bids)):
        assert view.size_of(side, n) == sum(s for _, s in levels[:few])
        assert view.size_to(side, price) == sum(
            s for p, s in levels if (p <= price if side is Side.BUY else p >= price)
        )
        assert view.vwap_to(side, size) == pytest.approx(naive_vwap(levels, size))
    assert view.imbalance(n) == naive_share(bids[:few], asks[:few])
    assert view.imbalance(n) is None or -1.0 <= (view.imbalance(n) or 0.0) <= 1.0
    decay = 2 * TICK
    weighted = [
        [(p, s * math.exp(-abs(p - side[0][0]) / decay)) for p, s in side[:few]]
        for side in (bids, asks)
    ]
    assert view.weighted_imbalance(n, decay) == pytest.approx(naive_share(*weighted))
    if bids and asks:
        (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
        expected = (bid * ask_size + ask * bid_size) / (bid_size + ask_size)
        assert view.microprice() == pytest.approx(expected)
        assert bid < (view.microprice() or 0.0) < ask
    else:
        assert view.microprice() is None


def naive_vwap(levels: list[Level], size: float) -> float | None:
    if sum(amount for _, amount in levels) < size:
        return None
    paid = 0.0
    left = size
    for price, amount in levels:
        paid += price * min(left, amount)
        left -= min(left, amount)
    return paid / size


def naive_share(bids: list[Level], asks: list[Level]) -> float | None:
    left, right = sum(s for _, s in bids), sum(s for _, s in asks)
    return (left - right) / (left + right) if left + right else None
