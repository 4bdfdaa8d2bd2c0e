"""The inject dialog: forms made from the types, checked as typed, sent as typed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import TextArea

from tests.ui.screens.dialogs import INSTRUMENTS
from tests.ui.screens.scenes import (
    BTC,
    TS,
    D,
    FakeEngine,
    Fuse,
    Host,
    frame,
    lines_of,
    row,
    text_of,
)
from workstation.model.commands import Inject
from workstation.model.instruments import Side
from workstation.model.market import Bar, Quote, Trade
from workstation.model.rehearsal import HandOrder, Transfer
from workstation.model.signals import Signal, SignalAction
from workstation.ui.screens.fields import ChoiceLine, NumberField
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.inject_form import (
    FORMS,
    EventKind,
    FormError,
    decode_raw,
    encode_raw,
    form_for,
    happening_words,
    receivers,
    to_event,
)
from workstation.ui.screens.ritual import Verb


def names(kind: EventKind) -> list[str]:
    return [entry.name for entry in form_for(kind, BTC, row())]


def test_a_form_has_the_fields_of_its_type() -> None:
    assert names(EventKind.QUOTE) == ["bid", "bid_size", "ask", "ask_size"]
    assert names(EventKind.TRADE) == ["price", "size", "aggressor"]
    assert names(EventKind.BAR) == [
        *("timeframe", "open", "high", "low", "close", "volume")
    ]
    assert "trailing_bps" in names(EventKind.SIGNAL)


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_starts_as_an_event_near_the_market(kind: EventKind) -> None:
    texts = {entry.name: entry.value for entry in form_for(kind, BTC, row())}
    texts |= {
        entry.name: entry.choices[0]
        for entry in form_for(kind, BTC, row())
        if entry.choices
    }
    event = to_event(kind, "BTCUSDT", "ema_cross", texts, TS)
    assert type(event) is FORMS[kind]
    if isinstance(event, Transfer):
        assert event == Transfer(currency="USDT", amount=D(1000))
        return
    assert event.instrument == "BTCUSDT"
    if isinstance(event, Quote):
        assert 0 < event.bid < event.ask
    if isinstance(event, Bar):
        assert event.ts_close == TS


def test_signals_are_decimal_and_market_events_float() -> None:
    texts = {"action": "enter_long", "quantity": "0.010", "stop": "60,000.00"}
    event = to_event(EventKind.SIGNAL, "BTCUSDT", "ema_cross", texts, TS)
    assert event == Signal(
        strategy="ema_cross",
        instrument="BTCUSDT",
        action=SignalAction.ENTER_LONG,
        quantity=D("0.010"),
        stop=D("60000.00"),
    )
    texts = {"price": "61700.5", "size": "1", "aggressor": "seller"}
    trade = to_event(EventKind.TRADE, "BTCUSDT", "", texts, TS)
    assert trade == Trade("BTCUSDT", TS, 61_700.5, 1.0, -1)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ({}, "price is missing"),
        ({"price": "x", "size": "1"}, "price: x is no number"),
        ({"price": "-1", "size": "1"}, "price must be above 0"),
        ({"price": "NaN", "size": "1"}, "price: NaN is no number"),
        ({"price": "1e30", "size": "1"}, "price: too large, or finer than"),
        ({"price": "1", "size": "0,1"}, "size: a decimal has a point: 0.1"),
    ],
)
def test_what_is_wrong_is_said(texts: dict[str, str], problem: str) -> None:
    with pytest.raises(FormError, match=problem):
        to_event(EventKind.TRADE, "BTCUSDT", "", texts, TS)


@given(st.text(max_size=40))
def test_any_text_is_an_event_or_a_form_error(text: str) -> None:
    try:
        decode_raw(text)
    except FormError:
        return


def test_raw_json_makes_the_way_there_and_back() -> None:
    event = Quote("BTCUSDT", TS, 1.0, 2.0, 3.0, 4.0)
    assert decode_raw(encode_raw(event)) == event


def test_receivers_are_those_who_ask_for_the_instrument() -> None:
    rows = (row(), row("ETHUSDT", strategy="other"))
    who = receivers(EventKind.QUOTE, "BTCUSDT", "", rows)
    assert who == ("the bars", "held stops and targets", "ema_cross")
    assert "risk stage" in receivers(EventKind.SIGNAL, "BTCUSDT", "ema_cross", rows)[0]


def test_what_happens_at_the_venue_is_said_with_who_hears_of_it() -> None:
    out = happening_words(Transfer(currency="USDT", amount=D("-250.50")))
    assert out.startswith("250.50 USDT leaves the account at the venue, by hand.")
    made = HandOrder(instrument="BTCUSDT", side=Side.SELL, quantity=D("0.010"))
    assert happening_words(made).startswith(
        "Somebody sells 0.010 BTCUSDT at market at the venue, by hand. The order is "
        "external's"
    )
    assert happening_words(Transfer(currency="USDT", amount=D("sNaN")))


def test_a_transfer_of_nothing_is_none() -> None:
    with pytest.raises(FormError, match="amount must not be 0"):
        to_event(
            EventKind.TRANSFER, "BTCUSDT", "", {"currency": "BTC", "amount": "0"}, TS
        )


def dialog() -> tuple[FakeEngine, Fuse, InjectScreen]:
    engine, fuse = FakeEngine(), Fuse()
    screen = InjectScreen(
        frame(), engine.execute, INSTRUMENTS, "BTCUSDT", "ema_cross", timer=fuse
    )
    return engine, fuse, screen


async def test_a_quote_is_sent_as_typed() -> None:
    engine, fuse, screen = dialog()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        bid = screen.query_one("#in-bid", NumberField)
        bid.entry.focus()
        bid.entry.value = "61000"
        await pilot.press("up", "up", "down")
        await pilot.pause()
        assert bid.text == "61000.01"
        assert "Quote BTCUSDT goes to the bars" in text_of(screen)
        screen.query_one("#go").focus()
        await pilot.press("enter")
    command = engine.last
    assert isinstance(command, Inject)
    assert isinstance(command.event, Quote)
    assert command.event.bid == 61_000.01


async def test_a_bad_number_is_named_and_cannot_be_sent() -> None:
    engine, fuse, screen = dialog()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        screen.query_one("#in-ask", NumberField).entry.value = "6x"
        await pilot.pause()
        text = text_of(screen)
        assert "Not an event yet: ask: 6x is no number." in text
        assert not screen.query_one("#go", Verb).ready
        assert engine.commands == []


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_form_fits(kind: EventKind, size: tuple[int, int]) -> None:
    _, fuse, screen = dialog()
    async with Host(screen).run_test(size=size) as pilot:
        await pilot.pause()
        screen.query_one("#kind", ChoiceLine).value = kind
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert screen.query_one("#ritual").region.bottom <= size[1] - 1
        assert "[ Inject 1 event ]" in text_of(screen)
        assert not any("…" in line for line in lines_of(screen))


async def test_another_instrument_brings_its_prices_and_units() -> None:
    _, _, screen = dialog()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.query_one("#instrument", ChoiceLine).value = "ETHUSDT"
        await pilot.pause()
        text = text_of(screen)
        assert "ETH" in text.split("bid size")[1]
        assert "Quote ETHUSDT" in text


async def test_f2_shows_the_event_as_json_and_takes_it() -> None:
    engine, fuse, screen = dialog()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("f2")
        await pilot.pause()
        area = screen.query_one("#raw", TextArea)
        event = decode_raw(area.text)
        assert isinstance(event, Quote)
        await pilot.press("y")
        assert engine.commands == [], "y is a letter in text"
        area.text = encode_raw(msgspec.structs.replace(event, bid=1.0))
        await pilot.pause()
        screen.query_one("#go").focus()
        await pilot.press("enter")
    assert isinstance(engine.last, Inject)
    assert isinstance(engine.last.event, Quote)
    assert engine.last.event.bid == 1.0


async def test_bad_json_says_what_is_wrong() -> None:
    _, _, screen = dialog()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("f2")
        screen.query_one("#raw", TextArea).text = '{"type": "quote"}'
        await pilot.pause()
        assert "Not an event yet" in text_of(screen)
        await pilot.press("f2")
        await pilot.pause()
        assert "Quote BTCUSDT goes to" in text_of(screen)


async def test_an_order_made_by_hand_is_sent_as_typed() -> None:
    engine, fuse, screen = dialog()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.query_one("#kind", ChoiceLine).value = EventKind.HAND_ORDER
        await pilot.pause()
        await pilot.pause()
        screen.query_one("#in-price", NumberField).entry.value = "61,000.00"
        fuse.fire()
        await pilot.pause()
        assert "buys 1.000 BTCUSDT at 61000.00 at the venue" in text_of(screen)
        screen.query_one("#go", Verb).action_press()
    event = HandOrder(
        instrument="BTCUSDT", side=Side.BUY, quantity=D("1.000"), price=D("61000.00")
    )
    assert engine.last == Inject(event=event, reason="injected by the operator")
