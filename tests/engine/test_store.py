"""The state store: pictures stay as they were, the bounded parts stay bounded."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

import pytest

from tests.engine.runs import finish, kept, small
from workstation.engine.store import StateStore
from workstation.model.instruments import Side
from workstation.model.orders import (
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
    OrderType,
)
from workstation.model.records import (
    FillRecord,
    NoteRecord,
    OrderRecord,
    PositionRecord,
    Record,
    StateRecord,
)


def _note(seq: int) -> NoteRecord:
    return NoteRecord(seq=seq, ts=seq, strategy="s", instrument="i", text=str(seq))


def _order(number: int, status: OrderStatus) -> OrderRecord:
    made = Order(
        id=f"o{number}",
        instrument="BTC",
        owner="s",
        role=OrderRole.ENTRY,
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal(1),
        status=status,
    )
    return OrderRecord(number, number, made, OrderStatus.SUBMITTED, OrderEvent.FILL)


def _store(*records: Record, keep: int = 3) -> StateStore:
    store = StateStore(keep)
    for record in records:
        store(record, b"")
    return store


@pytest.mark.parametrize(
    ("cursor", "seqs"),
    [(0, [3, 4, 5]), (2, [3, 4, 5]), (3, [4, 5]), (5, []), (9, []), (-4, [3, 4, 5])],
)
def test_a_reader_gets_what_came_after_its_cursor_and_is_still_kept(
    cursor: int, seqs: list[int]
) -> None:
    store = _store(*map(_note, range(1, 6)))
    assert [each.number for each in store.since(cursor)] == seqs
    assert [each.record.seq for each in store.since(cursor)] == seqs


def test_only_so_many_final_orders_are_kept_and_all_working_ones() -> None:
    working = [_order(n, OrderStatus.ACCEPTED) for n in range(10)]
    final = [_order(n, OrderStatus.FILLED) for n in range(10, 20)]
    orders = _store(*working, *final).snapshot().orders
    assert list(orders) == [f"o{n}" for n in (*range(10), 17, 18, 19)]


def test_an_order_that_ended_twice_is_counted_once() -> None:
    late = _order(1, OrderStatus.FILLED)
    others = [_order(n, OrderStatus.FILLED) for n in (2, 3)]
    store = _store(_order(1, OrderStatus.CANCELED), late, *others)
    assert list(store.snapshot().orders) == ["o1", "o2", "o3"]


def test_a_picture_is_not_touched_by_what_comes_later() -> None:
    session = small()
    engine = session.engine
    engine.start()
    for _ in range(2_000):
        engine.step()
    picture = engine.store.snapshot()
    before = repr(picture)
    orders, fills = dict(picture.orders), picture.fills
    finish(session)
    later = engine.store.snapshot()
    assert repr(picture) == before
    assert later.records > picture.records
    assert later.seq > picture.seq
    assert dict(picture.orders) == orders
    assert picture.fills == fills
    assert isinstance(picture.orders, MappingProxyType)
    with pytest.raises(TypeError):
        picture.orders["x"] = None  # type: ignore[index]


def test_the_store_holds_what_the_records_say_and_the_parts_agree() -> None:
    session = small()
    records = kept(session)
    finish(session)
    picture = session.engine.store.snapshot()
    fills = [r.fill for r in records if isinstance(r, FillRecord)]
    assert fills
    assert list(picture.fills) == fills
    assert session.engine.store.filled == len(fills)
    states = {
        (r.strategy, r.instrument): r.after
        for r in records
        if isinstance(r, StateRecord)
    }
    assert dict(picture.states) == states
    for (strategy, instrument), state in states.items():
        (owner,) = [s for s in session.strategies if s.name == strategy]
        assert owner.rows[instrument].state is state
    positions = {
        (r.after.owner, r.after.instrument): r.after
        for r in records
        if isinstance(r, PositionRecord)
    }
    assert dict(picture.positions) == positions
    for (owner_name, instrument), position in positions.items():
        assert session.executor.position(owner_name, instrument) == position


def test_what_was_touched_last_is_known_by_instrument() -> None:
    session = small()
    records = kept(session)
    finish(session)
    last = {}
    for record in records:
        if isinstance(record, OrderRecord):
            last[record.order.instrument] = record.seq
        elif isinstance(record, PositionRecord):
            last[record.after.instrument] = record.seq
        elif isinstance(record, StateRecord):
            last[record.instrument] = record.seq
    assert session.engine.store.touched == last
