"""The bus: broadcast, keys, isolation, counters and history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.kernel.bus import ChannelConfig, EventBus, Overflow, Subscription
from workstation.kernel.errors import ChannelFull, InvalidChannel, InvalidSetting
from workstation.kernel.mailbox import Mailbox


class Quote(msgspec.Struct, frozen=True):
    symbol: str
    price: float = 0.0


class Signal(msgspec.Struct, frozen=True):
    side: str


def make_bus(**changes: Any) -> EventBus:
    config = ChannelConfig(4, "prices", key="symbol")
    return EventBus(
        {
            Quote: msgspec.structs.replace(config, **changes),
            Signal: ChannelConfig(2, ""),
        }
    )


def test_payloads_arrive_as_the_very_object_published() -> None:
    bus = make_bus()
    got: list[Quote] = []
    bus.subscribe(Quote, got.append)
    quote = Quote("A", 1.5)
    assert bus.publish(quote) == 1
    assert got[0] is quote


def test_a_subscriber_gets_only_what_is_published_after_it_subscribed() -> None:
    bus = make_bus()
    got: list[Quote] = []
    bus.publish(Quote("A", 1))
    bus.subscribe(Quote, got.append)
    bus.publish(Quote("A", 2))
    assert [quote.price for quote in got] == [2]


def test_handlers_are_called_in_order_of_subscription_before_mailboxes() -> None:
    bus = make_bus()
    order: list[str] = []
    bus.observe(Quote, wake=lambda: order.append("mailbox"))
    bus.subscribe(Quote, lambda _: order.append("first"))
    bus.subscribe(Quote, lambda _: order.append("keyed"), key="A")
    bus.subscribe(Quote, lambda _: order.append("last"))
    assert bus.publish(Quote("A")) == 4
    assert order == ["first", "keyed", "last", "mailbox"]


def test_publishing_to_nobody_is_counted_and_no_error() -> None:
    bus = make_bus()
    assert bus.publish(Quote("A")) == 0
    assert bus.stats()[0].unheard == 1


@pytest.mark.parametrize("call", ["publish", "subscribe", "observe", "last_of"])
def test_an_unknown_channel_is_an_error_that_lists_the_known_ones(call: str) -> None:
    bus = make_bus()
    calls: dict[str, Callable[[], object]] = {
        "publish": lambda: bus.publish("text"),
        "subscribe": lambda: bus.subscribe(str, print),
        "observe": lambda: bus.observe(str),
        "last_of": lambda: bus.last_of(str, 1),
    }
    with pytest.raises(InvalidChannel, match=r"str; known channels: Quote, Signal"):
        calls[call]()


def test_a_channel_can_be_added_once() -> None:
    bus = make_bus()
    bus.add_channel(str, ChannelConfig(1, "text"))
    assert bus.publish("x") == 0
    assert bus.channels == (Quote, Signal, str)
    with pytest.raises(InvalidSetting, match="Quote"):
        bus.add_channel(Quote, ChannelConfig(1, "again"))


def test_a_broken_handler_reaches_neither_the_others_nor_the_publisher() -> None:
    seen: list[tuple[str, str, str]] = []

    def hook(subscription: Subscription, event: Any, error: Exception) -> None:
        seen.append((subscription.name, event.symbol, str(error)))
        raise RuntimeError("the hook is broken too")

    bus = make_bus()
    bus.on_error = hook
    got: list[str] = []

    def broken(quote: Quote) -> None:
        raise ValueError("bad tick")

    bus.subscribe(Quote, lambda quote: got.append("before"))
    subscription = bus.subscribe(Quote, broken, name="broken")
    bus.subscribe(Quote, lambda quote: got.append("after"))
    box = bus.observe(Quote)
    assert bus.publish(Quote("A")) == 4
    assert bus.publish(Quote("B")) == 4
    assert got == ["before", "after"] * 2
    assert box.depth == 2
    assert seen == [("broken", "A", "bad tick"), ("broken", "B", "bad tick")]
    assert subscription.errors == bus.stats()[0].errors == 2


def test_without_a_hook_a_handlers_error_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus = make_bus()

    def broken(quote: Quote) -> None:
        raise ValueError("bad tick")

    bus.subscribe(Quote, broken, name="broken")
    bus.publish(Quote("A"))
    assert "subscriber broken failed on Quote" in caplog.text
    assert "bad tick" in caplog.text


def test_unsubscribing_works_at_once_even_for_an_event_on_its_way() -> None:
    bus = make_bus()
    got: list[str] = []
    later: list[Subscription] = []
    bus.subscribe(Quote, lambda _: later[0].unsubscribe())
    later.append(bus.subscribe(Quote, lambda _: got.append("later")))
    bus.publish(Quote("A"))
    bus.publish(Quote("A"))
    later[0].unsubscribe()
    assert got == []
    assert bus.stats()[0].subscribers == 1


def note(got: list[str], symbol: str, quote: Quote) -> None:
    got.append(symbol + quote.symbol)


def test_a_key_reaches_only_those_who_asked_for_it() -> None:
    bus = make_bus()
    got: list[str] = []
    for symbol in ("A", "B", "C"):
        bus.subscribe(Quote, partial(note, got, symbol), key=symbol)
    box = bus.observe(Quote, key="B")
    assert bus.publish(Quote("B")) == 2
    assert bus.publish(Quote("Z")) == 0
    assert got == ["BB"]
    assert box.drain() == [Quote("B")]
    assert bus.stats()[0].unheard == 1


def test_the_cost_of_a_key_is_its_subscribers_not_all() -> None:
    bus = make_bus()
    for n in range(1000):
        bus.subscribe(Quote, lambda _: None, key=f"S{n}")
    channel = bus._channels[Quote]
    assert channel.audience_of(Quote("S7")).size == 1
    assert channel.everyone.size == 0


def test_a_key_without_subscribers_leaves_nothing_behind() -> None:
    bus = make_bus()
    subscription = bus.subscribe(Quote, lambda _: None, key="A")
    box = bus.observe(Quote, key="B")
    subscription.unsubscribe()
    box.close()
    assert bus._channels[Quote].by_key == {}


def test_a_key_on_a_channel_without_one_is_refused() -> None:
    bus = make_bus()
    with pytest.raises(InvalidSetting, match="Signal has no key"):
        bus.subscribe(Signal, lambda _: None, key="A")
    with pytest.raises(InvalidSetting, match="no key"):
        bus.observe(Signal, overflow=Overflow.CONFLATE)
    with pytest.raises(InvalidSetting, match="attribute name"):
        ChannelConfig(1, "", overflow=Overflow.CONFLATE)
    with pytest.raises(InvalidSetting, match="capacity is 0"):
        ChannelConfig(0, "")


def test_a_stalled_observer_loses_only_its_own_oldest_and_is_told() -> None:
    bus = make_bus()
    stalled = bus.observe(Quote, name="stalled")
    quick = bus.observe(Quote, name="quick")
    got: list[float] = []
    for n in range(10):
        bus.publish(Quote("A", n))
        got += [quote.price for quote in quick.drain()]
    assert got == list(range(10))
    assert quick.take_lost() == 0
    assert stalled.take_lost() == 6
    assert [quote.price for quote in stalled.drain()] == [6, 7, 8, 9]
    bus.publish(Quote("A", 10))
    assert stalled.drain() == [Quote("A", 10)]
    assert stalled.take_lost() == 0


def test_conflation_keeps_the_newest_of_each_symbol() -> None:
    bus = make_bus(overflow=Overflow.CONFLATE)
    box = bus.observe(Quote)
    for n, symbol in enumerate("ABABA"):
        bus.publish(Quote(symbol, n))
    assert box.drain() == [Quote("A", 4), Quote("B", 3)]
    assert (box.lost, bus.stats()[0].conflated) == (0, 3)


def test_a_full_box_that_may_lose_nothing_refuses_but_the_others_have_it() -> None:
    bus = make_bus(overflow=Overflow.NEVER)
    full = bus.observe(Quote, capacity=1, name="journal")
    other = bus.observe(Quote)
    got: list[Quote] = []
    bus.subscribe(Quote, got.append)
    bus.publish(Quote("A"))
    with pytest.raises(ChannelFull, match="journal holds 1 of 1"):
        bus.publish(Quote("B"))
    assert len(got) == other.depth == 2
    assert full.drain() == [Quote("A")]
    stats = bus.stats()[0]
    assert (stats.refused, stats.dropped, stats.delivered) == (1, 0, 5)


async def test_an_edge_that_waits_for_room_is_never_refused() -> None:
    bus = make_bus(overflow=Overflow.NEVER)
    box = bus.observe(Quote, capacity=2)

    async def edge() -> None:
        for n in range(10):
            await bus.publish_wait(Quote("A", n))

    job = asyncio.ensure_future(edge())
    got = [(await box.get()).price for _ in range(10)]
    await job
    assert got == list(range(10))
    assert box.refused == 0


def test_history_answers_the_last_n_and_the_last_n_of_a_type() -> None:
    bus = EventBus({Quote: ChannelConfig(1, ""), Signal: ChannelConfig(1, "")}, 3)
    bus.publish(Signal("buy"))
    for n in range(5):
        bus.publish(Quote("A", n))
    assert bus.last(2) == [Quote("A", 3), Quote("A", 4)]
    assert bus.last(99) == [Quote("A", 2), Quote("A", 3), Quote("A", 4)]
    assert bus.last(0) == []
    assert bus.last_of(Signal, 5) == [Signal("buy")]
    assert len(bus.last_of(Quote, 5)) == 3
    with pytest.raises(InvalidSetting):
        bus.last(-1)
    with pytest.raises(InvalidSetting):
        EventBus(history=-1)


def test_stats_show_the_description_and_what_closed_observers_received() -> None:
    bus = make_bus()
    box = bus.observe(Quote)
    for n in range(6):
        bus.publish(Quote("A", n))
    live = bus.stats()[0]
    box.close()
    assert bus.publish(Quote("A")) == 0
    shown = bus.stats()[0]
    assert shown == msgspec.structs.replace(
        live, subscribers=0, published=7, unheard=1, depth=0
    )
    assert (shown.name, shown.description, shown.capacity) == ("Quote", "prices", 4)
    assert (shown.delivered, shown.dropped, shown.high_water) == (6, 2, 4)


@given(
    st.lists(st.sampled_from("pPoOcr"), max_size=60),
    st.sampled_from([Overflow.DROP_OLDEST, Overflow.CONFLATE]),
)
def test_what_was_delivered_was_taken_waits_or_is_accounted_for(
    moves: list[str], overflow: Overflow
) -> None:
    bus = make_bus(overflow=overflow)
    boxes: list[Mailbox[Quote]] = []
    delivered = taken = 0
    for move in moves:
        if move in "pP":
            delivered += bus.publish(Quote("A" if move == "p" else "B"))
        elif move in "oO":
            boxes.append(bus.observe(Quote, key=None if move == "o" else "A"))
        elif move == "r" and boxes:
            taken += len(boxes[0].drain(2))
        elif move == "c" and boxes:
            taken += len(boxes[-1].drain())
            boxes.pop().close()
    stats = bus.stats()[0]
    waiting = sum(box.depth for box in boxes)
    assert stats.delivered == delivered
    assert delivered == taken + waiting + stats.dropped + stats.conflated
