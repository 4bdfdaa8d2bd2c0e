"""The order table: what it allows, what it refuses, and that fills always add up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from workstation.execution.order_machine import TABLE, apply, fill_event, legal
from workstation.model.errors import IllegalTransition
from workstation.model.instruments import Side
from workstation.model.orders import (
    TERMINAL,
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
    OrderType,
)

S = OrderStatus
E = OrderEvent
D = Decimal
SENT = [s for s in S if s not in (S.INITIALIZED, S.DENIED, S.HELD)]


def order(status: OrderStatus = S.INITIALIZED, quantity: str = "1") -> Order:
    return Order(
        id="o-1",
        instrument="BTC",
        owner="s",
        role=OrderRole.ENTRY,
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=D(quantity),
        status=status,
    )


def stop(
    kind: OrderType = OrderType.STOP, status: OrderStatus = S.INITIALIZED
) -> Order:
    price = D("110.5") if kind is OrderType.STOP_LIMIT else None
    return structs.replace(
        order(status), type=kind, trigger=D(110), price=price, expires_ns=99
    )


def walk(start: Order, *events: OrderEvent) -> Order:
    for number, event in enumerate(events, 1):
        start = apply(start, event, number)
    return start


def test_every_status_has_a_row() -> None:
    assert set(TABLE) == set(S)


@pytest.mark.parametrize("status", SENT)
def test_a_fill_is_legal_in_every_status_of_a_sent_order(status: OrderStatus) -> None:
    after = apply(order(status), E.FILL, 1, quantity=D(1), price=D(10))
    assert after.filled == 1
    assert after.status is S.FILLED


@pytest.mark.parametrize("status", [S.INITIALIZED, S.DENIED, S.HELD])
def test_a_fill_of_an_order_that_was_never_sent_is_illegal(status: OrderStatus) -> None:
    with pytest.raises(IllegalTransition):
        apply(order(status), E.FILL, 1, quantity=D(1), price=D(10))


def test_the_error_names_the_legal_events() -> None:
    with pytest.raises(IllegalTransition, match="legal there: deny, hold, submit"):
        apply(order(), E.CANCEL, 1)


@pytest.mark.parametrize("status", [S.CANCELED, S.EXPIRED, S.REJECTED])
def test_a_late_partial_fill_is_booked_and_the_order_stays_final(
    status: OrderStatus,
) -> None:
    after = apply(order(status), E.PARTIAL_FILL, 1, quantity=D("0.4"), price=D(10))
    assert (after.status, after.filled) == (status, D("0.4"))


def test_a_fill_before_the_acknowledgement_survives_it() -> None:
    sent = walk(order(), E.SUBMIT)
    part = apply(sent, E.PARTIAL_FILL, 2, quantity=D("0.5"), price=D(10))
    acked = apply(part, E.ACCEPT, 3, venue_id="v")
    assert (acked.status, acked.filled, acked.venue_id) == (
        S.PARTIALLY_FILLED,
        D("0.5"),
        "v",
    )


def test_a_refused_cancel_restores_what_was_before() -> None:
    pending = walk(order(), E.SUBMIT, E.ACCEPT, E.REQUEST_CANCEL)
    assert pending.prior is S.ACCEPTED
    assert apply(pending, E.REJECT_CANCEL, 9).status is S.ACCEPTED


def test_a_partial_fill_while_canceling_changes_what_is_restored() -> None:
    pending = walk(order(), E.SUBMIT, E.ACCEPT, E.REQUEST_CANCEL)
    part = apply(pending, E.PARTIAL_FILL, 5, quantity=D("0.3"), price=D(10))
    assert part.status is S.PENDING_CANCEL
    assert apply(part, E.REJECT_CANCEL, 6).status is S.PARTIALLY_FILLED


def test_an_acknowledgement_while_canceling_changes_what_is_restored() -> None:
    pending = walk(order(), E.SUBMIT, E.REQUEST_CANCEL, E.ACCEPT)
    assert pending.status is S.PENDING_CANCEL
    assert apply(pending, E.REJECT_CANCEL, 6).status is S.ACCEPTED


def test_a_cancel_of_a_pending_replace_restores_the_open_order() -> None:
    pending = walk(order(), E.SUBMIT, E.ACCEPT, E.REQUEST_REPLACE, E.REQUEST_CANCEL)
    assert apply(pending, E.REJECT_CANCEL, 6).status is S.ACCEPTED


def test_a_refused_replace_restores_the_open_order() -> None:
    pending = walk(order(), E.SUBMIT, E.ACCEPT, E.REQUEST_REPLACE)
    assert apply(pending, E.REJECT_REPLACE, 6).status is S.ACCEPTED


def test_a_replace_down_to_what_is_filled_leaves_nothing_open() -> None:
    part = apply(
        walk(order(), E.SUBMIT), E.PARTIAL_FILL, 2, quantity=D("0.5"), price=D(1)
    )
    pending = apply(part, E.REQUEST_REPLACE, 3)
    assert apply(pending, E.REPLACE, 4, quantity=D("0.5")).status is S.FILLED


@pytest.mark.parametrize("status", [S.SUBMITTED, S.PENDING_CANCEL, S.PENDING_REPLACE])
def test_a_time_out_leads_to_unknown(status: OrderStatus) -> None:
    assert apply(order(status), E.TIME_OUT, 1).status is S.UNKNOWN


def test_a_time_out_never_ends_an_order() -> None:
    for status in S:
        target = TABLE[status].get(E.TIME_OUT)
        assert target is None or target is S.UNKNOWN


def test_unknown_is_only_reached_by_time_out_and_doubt_or_kept() -> None:
    for status, row in TABLE.items():
        for event, target in row.items():
            if target is S.UNKNOWN:
                assert event in (E.TIME_OUT, E.DOUBT) or status is S.UNKNOWN


@pytest.mark.parametrize("status", SENT)
def test_doubt_leads_to_unknown_from_every_status_of_a_sent_order(
    status: OrderStatus,
) -> None:
    assert apply(order(status), E.DOUBT, 1).status is S.UNKNOWN


def test_a_partial_fill_does_not_settle_an_unknown_order() -> None:
    lost = walk(order(), E.SUBMIT, E.TIME_OUT)
    part = apply(lost, E.PARTIAL_FILL, 3, quantity=D("0.5"), price=D(1))
    assert (part.status, part.filled) == (S.UNKNOWN, D("0.5"))


def test_an_inferred_end_is_marked_until_the_venue_says_something_of_it() -> None:
    lost = walk(order(), E.SUBMIT, E.TIME_OUT)
    ended = apply(lost, E.REJECT, 3, inferred=True)
    assert ended.inferred
    assert apply(ended, E.REJECT_CANCEL, 4).inferred
    assert not apply(ended, E.REJECT, 4).inferred


def test_a_held_order_can_be_moved_released_and_canceled() -> None:
    held = apply(stop(), E.HOLD, 1)
    moved = apply(held, E.REPLACE, 2, trigger=D(90), quantity=D(2))
    assert (moved.status, moved.trigger, moved.quantity) == (S.HELD, D(90), D(2))
    assert apply(moved, E.SUBMIT, 3).trigger == D(90)
    assert apply(moved, E.EXPIRE, 3).status is S.EXPIRED
    assert apply(moved, E.CANCEL, 3).status is S.CANCELED


@pytest.mark.parametrize(
    ("kind", "becomes", "ends"),
    [
        (OrderType.STOP, OrderType.MARKET, None),
        (OrderType.STOP_LIMIT, OrderType.LIMIT, 99),
        (OrderType.TARGET, OrderType.MARKET, None),
    ],
)
@pytest.mark.parametrize("at_venue", [False, True])
def test_a_stop_is_market_or_limit_once_it_is_woken(
    kind: OrderType, becomes: OrderType, ends: int | None, at_venue: bool
) -> None:
    start = walk(stop(kind), E.SUBMIT, E.ACCEPT) if at_venue else walk(stop(kind))
    waiting = start if at_venue else apply(start, E.HOLD, 3)
    assert waiting.is_untriggered
    woken = apply(waiting, E.TRIGGER if at_venue else E.SUBMIT, 4)
    # What ends the waiting of a market order does not end the order.
    assert (woken.type, woken.trigger, woken.expires_ns) == (becomes, D(110), ends)


def test_a_fill_proves_that_a_stop_at_the_venue_was_woken() -> None:
    part = apply(
        stop(OrderType.STOP_LIMIT, S.ACCEPTED),
        E.PARTIAL_FILL,
        5,
        quantity=D("0.5"),
        price=D(110),
    )
    assert part.type is OrderType.LIMIT


@pytest.mark.parametrize("status", SENT)
def test_a_trigger_says_what_an_order_is_and_not_whether_it_lives(
    status: OrderStatus,
) -> None:
    woken = apply(stop(status=status), E.TRIGGER, 5)
    # It proves only that an order arrived that nobody had heard of yet.
    assert woken.status is (S.ACCEPTED if status is S.SUBMITTED else status)
    assert not woken.is_untriggered


def test_an_order_that_was_sent_as_a_stop_is_one_until_it_is_woken() -> None:
    assert walk(stop(), E.SUBMIT, E.ACCEPT).type is OrderType.STOP


def test_the_average_price_weighs_by_quantity() -> None:
    part = apply(
        walk(order(), E.SUBMIT), E.PARTIAL_FILL, 2, quantity=D("0.25"), price=D(100)
    )
    done = apply(part, E.FILL, 3, quantity=D("0.75"), price=D(104))
    assert done.average_price == D(103)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(E)), st.integers(1, 4), st.integers(90, 110)),
        max_size=30,
    )
)
def test_any_path_keeps_the_sum_of_fills_and_finality(
    steps: list[tuple[OrderEvent, int, int]],
) -> None:
    now, booked, paid = order(quantity="5"), D(0), D(0)
    for ts, (wanted, quantity, price) in enumerate(steps):
        event = wanted
        size = None
        if event in (E.FILL, E.PARTIAL_FILL):
            size = D(quantity)
            event = fill_event(now, size)
        before = now
        if event not in legal(before.status):
            with pytest.raises(IllegalTransition):
                apply(before, event, ts, quantity=size, price=D(price))
            continue
        now = apply(before, event, ts, quantity=size, price=D(price))
        if size is not None:
            booked += size
            paid += size * price
        assert now.filled == booked
        if booked:
            assert now.average_price is not None
            assert abs(now.average_price * booked - paid) < D("1e-20")
        if before.status in TERMINAL and now.status is not before.status:
            assert (now.status is S.FILLED) is (size is not None)
            assert (now.status is S.UNKNOWN) is (event is E.DOUBT)
        if now.status is S.FILLED:
            assert now.filled >= now.quantity
