"""What the engine would refuse is said in the form, with what would be right."""

from __future__ import annotations

from decimal import Decimal as D

import msgspec
import pytest

from tests.engine.runs import PANELS, small
from tests.ui.screens.dialogs import INSTRUMENTS
from tests.ui.screens.scenes import TS, FakeEngine, Fuse, Host, frame, row, text_of
from workstation.model.commands import Inject
from workstation.model.instruments import Side
from workstation.model.market import Quote, Trade
from workstation.model.rehearsal import HandOrder, Transfer
from workstation.model.reports import ReportsLost
from workstation.model.signals import Signal, SignalAction
from workstation.ui.screens.fields import ChoiceLine, NumberField
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.inject_check import refusal
from workstation.ui.screens.inject_form import EventKind, Injected
from workstation.ui.screens.ritual import Verb

BTC = msgspec.structs.replace(
    INSTRUMENTS["BTCUSDT"], min_notional=D(5), max_quantity=D(9000)
)
UNMANAGED = msgspec.structs.replace(row("ETHUSDT", strategy=""), state=None)
ROWS = tuple(row(each) for each in ("BTCUSDT", "LTCUSDT"))


def hand(quantity: str, price: str | None = None, **changes: str) -> HandOrder:
    return HandOrder(
        instrument=changes.get("instrument", "BTCUSDT"),
        side=Side.BUY,
        quantity=D(quantity),
        price=None if price is None else D(price),
    )


def signal(strategy: str, instrument: str) -> Signal:
    return Signal(
        strategy=strategy, instrument=instrument, action=SignalAction.ENTER_LONG
    )


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (hand("0.010"), ""),
        (hand("0.010", "61000.00"), ""),
        (hand("0.000001"), "quantity 0.000001: less than a lot of 0.001"),
        (hand("0.0105"), "quantity 0.0105: not on lot 0.001: 0.010 is"),
        (hand("9000.001"), "quantity 9000.001: at most 9000 in one order"),
        (
            hand("1", "61000.005"),
            "price 61000.005: not on tick 0.01: 61,000.00 is",
        ),
        (hand("0.001", "10"), "it is worth 0.010 USDT: at least 5 here"),
        (
            hand("1", instrument="XRPUSDT"),
            "no instrument XRPUSDT; known: BTCUSDT, ETHUSDT",
        ),
        (hand("1", instrument="ETHUSDT"), "no market data of ETHUSDT yet"),
        (signal("ema_cross", "BTCUSDT"), ""),
        (
            signal("ema_cross", "ETHUSDT"),
            "ema_cross has no row ETHUSDT; it has BTCUSDT and LTCUSDT",
        ),
        (signal("other", "BTCUSDT"), "no strategy other; strategies: ema_cross"),
        (Trade("BTCUSDT", TS, 1.0, 1.0, 1), ""),
        (
            Quote("BTCUSDT", TS, 2.0, 1.0, 1.0, 1.0),
            "Quote must have 0 < bid < ask and sizes above 0",
        ),
        (Transfer(currency="USDT", amount=D(1)), ""),
        (ReportsLost("no reason"), ""),
    ],
)
def test_what_would_be_refused_is_said_with_what_would_be_right(
    event: Injected, said: str
) -> None:
    unseen = msgspec.structs.replace(UNMANAGED, last=None, mark=None)
    instruments = {**INSTRUMENTS, "BTCUSDT": BTC}
    assert refusal(event, instruments, (*ROWS, unseen)) == said


def test_many_symbols_of_a_strategy_are_counted() -> None:
    rows = tuple(row(f"S{number}") for number in range(6))
    said = refusal(signal("ema_cross", "BTCUSDT"), INSTRUMENTS, rows)
    assert said.endswith("it has S0, S1, S2, S3 and 2 more")


def test_the_engine_refuses_what_is_called_wrong_and_takes_the_rest() -> None:
    session = small()
    try:
        session.engine.start()
        for _ in range(500):
            session.engine.step()
        shown = session.frame(0, PANELS)
        one = next(iter(session.instruments.values()))
        name = next(row.strategy for row in shown.symbols or () if row.strategy)
        events: list[Injected] = [
            *(
                HandOrder(instrument=one.id, side=Side.BUY, quantity=quantity)
                for quantity in (one.lot_size / 10, one.lot_size * 1000)
            ),
            HandOrder(
                instrument=one.id,
                side=Side.BUY,
                quantity=one.lot_size * 1000,
                price=one.tick_size / 2,
            ),
            *(signal(strategy, one.id) for strategy in (name, "nobody")),
            Quote(one.id, TS, 2.0, 1.0, 1.0, 1.0),
        ]
        said = []
        for event in events:
            expected = refusal(event, session.instruments, shown.symbols or ())
            answer = session.execute(Inject(event=event, reason="a test"))
            assert answer.accepted is (expected == ""), (event, answer.detail)
            said.append(bool(expected))
        assert said == [True, False, True, False, True, True]
    finally:
        session.close()


def opened() -> tuple[FakeEngine, Fuse, InjectScreen]:
    engine, fuse = FakeEngine(), Fuse()
    position = msgspec.structs.replace(UNMANAGED, strategy="operator")
    shown = frame(symbols=(position, row(), UNMANAGED))
    screen = InjectScreen(
        shown, engine.execute, INSTRUMENTS, "BTCUSDT", "ema_cross", timer=fuse
    )
    return engine, fuse, screen


async def test_an_order_off_the_lot_is_named_while_it_is_typed() -> None:
    engine, fuse, screen = opened()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.query_one("#kind", ChoiceLine).value = EventKind.HAND_ORDER
        await pilot.pause()
        fuse.fire()
        quantity = screen.query_one("#in-quantity", NumberField)
        quantity.entry.value = "0.000001"
        await pilot.pause()
        assert (
            "It would be refused: quantity 0.000001: less than a lot of 0.001."
        ) in text_of(screen)
        assert not screen.query_one("#go", Verb).ready
        await pilot.press("y")
        assert engine.commands == []
        quantity.entry.value = "0.001"
        await pilot.pause()
        assert "Somebody buys 0.001 BTCUSDT at 61685.99" in text_of(screen)
        assert screen.query_one("#go", Verb).ready


async def test_a_signal_of_a_symbol_the_strategy_has_not_is_named() -> None:
    engine, fuse, screen = opened()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.query_one("#kind", ChoiceLine).value = EventKind.SIGNAL
        await pilot.pause()
        fuse.fire()
        assert screen.query_one("#strategy", ChoiceLine).options == ("ema_cross",)
        screen.query_one("#instrument", ChoiceLine).value = "ETHUSDT"
        await pilot.pause()
        assert (
            "It would be refused: ema_cross has no row ETHUSDT; it has BTCUSDT."
        ) in text_of(screen)
        assert not screen.query_one("#go", Verb).ready
        screen.query_one("#instrument", ChoiceLine).value = "BTCUSDT"
        await pilot.pause()
        assert "as if ema_cross had sent it" in text_of(screen)
    assert engine.commands == []


@pytest.mark.parametrize("kind", EventKind)
async def test_a_label_leaves_a_blank_before_its_choices(kind: EventKind) -> None:
    _, _, screen = opened()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.query_one("#kind", ChoiceLine).value = kind
        await pilot.pause()
        for line in screen.query(ChoiceLine):
            drawn = line.draw(60, 1)[0].text
            assert drawn[13] == " ", drawn
        text = text_of(screen)
        if kind is EventKind.SIGNAL:
            assert " in force [GTC]" in text
        if kind is EventKind.REPORT:
            assert " fee in [USDT]" in text
