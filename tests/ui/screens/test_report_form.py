"""Reports told by hand: forms filled from an order, and the report as typed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from textual.widgets import TextArea

from tests.ui.screens.dialogs import INSTRUMENTS
from tests.ui.screens.scenes import (
    BTC,
    STOP,
    D,
    FakeEngine,
    Fuse,
    Host,
    frame,
    lines_of,
    order,
    row,
    text_of,
)
from workstation.engine.frames import OrderRow
from workstation.model.commands import Inject
from workstation.model.instruments import Side
from workstation.model.orders import Order, OrderRole, OrderType
from workstation.model.rehearsal import ToldReport
from workstation.model.reports import (
    CancelRejected,
    ExternalOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    ReportsLost,
)
from workstation.ui.screens.fields import ChoiceLine, NumberField
from workstation.ui.screens.inject import InjectScreen
from workstation.ui.screens.inject_form import EventKind, FormError, encode_raw
from workstation.ui.screens.report_form import (
    ReportKind,
    report_form,
    report_words,
    to_report,
)
from workstation.ui.screens.ritual import Verb

RESTS = Order(
    id="o-7",
    instrument="BTCUSDT",
    owner="ema_cross",
    role=OrderRole.ENTRY,
    side=Side.BUY,
    type=OrderType.LIMIT,
    quantity=D("0.030"),
    filled=D("0.010"),
    price=D("60000.00"),
)


def texts_of(kind: ReportKind, order: Order | None = RESTS) -> dict[str, str]:
    entries = report_form(kind, order, BTC, row(), 12)
    return {e.name: e.choices[0] if e.choices else e.value for e in entries}


@pytest.mark.parametrize(
    ("kind", "report"),
    [
        (ReportKind.ACCEPTED, OrderAccepted("o-7", "told-12")),
        (ReportKind.CANCELED, OrderCanceled("o-7", "told by hand")),
        (ReportKind.EXPIRED, OrderExpired("o-7", "told by hand")),
        (ReportKind.REJECTED, OrderRejected("o-7", "told by hand")),
        (
            ReportKind.FILLED,
            OrderFilledReport(
                "o-7",
                "told-12",
                D("0.020"),
                D("60000.00"),
                D(0),
                "USDT",
                maker=False,
            ),
        ),
    ],
)
def test_a_form_starts_as_the_rest_of_its_order(
    kind: ReportKind, report: ToldReport
) -> None:
    assert to_report(kind, "o-7", texts_of(kind)) == report


def test_a_market_order_fills_at_the_last_price() -> None:
    market = Order(
        id="o-8",
        instrument="BTCUSDT",
        owner="operator",
        role=OrderRole.MANUAL,
        side=Side.SELL,
        type=OrderType.MARKET,
        quantity=D("0.030"),
    )
    last = row().last
    assert last is not None
    price = Decimal(texts_of(ReportKind.FILLED, market)["price"])
    assert price == BTC.nearest_price(last)
    assert texts_of(ReportKind.FILLED, None)["quantity"] == ""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"quantity": ""}, "quantity is missing"),
        ({"quantity": "0"}, "quantity must be above 0"),
        ({"price": "x"}, "price: x is no number"),
        ({"price": "-1"}, "price must be above 0"),
        ({"fee": "NaN"}, "fee: NaN is no number"),
        ({"trade_id": " "}, "trade id is missing"),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, str], problem: str) -> None:
    with pytest.raises(FormError, match=problem):
        to_report(ReportKind.FILLED, "o-7", texts_of(ReportKind.FILLED) | change)


def test_a_rebate_and_a_maker_are_told_as_typed() -> None:
    texts = texts_of(ReportKind.FILLED) | {"fee": "−0.5", "liquidity": "maker"}
    report = to_report(ReportKind.FILLED, "o-7", texts)
    assert isinstance(report, OrderFilledReport)
    assert report.fee == D("-0.5")
    assert report.maker


def test_what_the_books_will_take_for_true_is_said() -> None:
    fill = to_report(ReportKind.FILLED, "o-7", texts_of(ReportKind.FILLED))
    assert report_words(fill) == (
        "The books hear that 0.020 of o-7 filled at 60000.00. The venue has not said "
        "so: j shows what differs once it has been asked."
    )
    assert "o-7 was canceled" in report_words(OrderCanceled("o-7"))
    assert "CancelRejected o-7" in report_words(CancelRejected("o-7", "x"))
    assert "ask about every order" in report_words(ReportsLost())
    made = ExternalOrder(
        order_id="web_1",
        instrument="BTCUSDT",
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=D(1),
    )
    assert "an order web_1 in BTCUSDT was made by hand" in report_words(made)


WORKING = (order("o-12"), order("o-13", price="61500.00"), order("x-1", instrument="X"))


def dialog(
    orders: tuple[OrderRow, ...] = WORKING,
) -> tuple[FakeEngine, Fuse, InjectScreen]:
    engine, fuse = FakeEngine(), Fuse()
    screen = InjectScreen(
        frame(orders=orders),
        engine.execute,
        INSTRUMENTS,
        "BTCUSDT",
        "ema_cross",
        timer=fuse,
    )
    return engine, fuse, screen


@pytest.mark.parametrize("kind", ReportKind)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_report_s_form_fits(
    kind: ReportKind, size: tuple[int, int]
) -> None:
    _, fuse, screen = dialog()
    async with Host(screen).run_test(size=size) as pilot:
        await pilot.pause()
        screen.query_one("#kind", ChoiceLine).value = EventKind.REPORT
        await pilot.pause()
        screen.query_one("#report", ChoiceLine).value = kind
        await pilot.pause()
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        assert screen.query_one("#ritual").region.bottom <= size[1] - 1
        assert "[ Inject 1 event ]" in text_of(screen)
        assert screen.query_one("#go", Verb).ready
        assert not any("…" in line for line in lines_of(screen))


async def test_a_fill_is_told_of_the_order_that_is_chosen() -> None:
    engine, fuse, screen = dialog()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.query_one("#kind", ChoiceLine).value = EventKind.REPORT
        await pilot.pause()
        orders = screen.query_one("#order", ChoiceLine)
        assert orders.options == ("o-12", "o-13")
        orders.value = "o-13"
        await pilot.pause()
        await pilot.pause()
        screen.query_one("#in-quantity", NumberField).entry.value = "0.004"
        fuse.fire()
        await pilot.pause()
        assert "0.004 of o-13 filled at 61500.00" in text_of(screen)
        assert "was sent" not in text_of(screen)
        screen.query_one("#go", Verb).action_press()
    assert isinstance(engine.last, Inject)
    assert isinstance(engine.last.event, OrderFilledReport)
    assert engine.last.event.order_id == "o-13"
    assert engine.last.event.quantity == D("0.004")


async def test_without_an_order_there_is_nothing_to_tell() -> None:
    _, fuse, screen = dialog((STOP,))
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        screen.query_one("#kind", ChoiceLine).value = EventKind.REPORT
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(screen)
        assert "none of BTCUSDT was sent" in text
        assert "Not an event yet: there is no order that a report could be of." in text
        assert not screen.query_one("#go", Verb).ready


async def test_the_rest_is_told_as_json() -> None:
    engine, fuse, screen = dialog()
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.press("f2")
        report = CancelRejected("o-13", "too late")
        screen.query_one("#raw", TextArea).text = encode_raw(report)
        await pilot.pause()
        assert "The books hear that CancelRejected o-13." in text_of(screen)
        screen.query_one("#go", Verb).action_press()
    assert engine.last == Inject(event=report, reason="injected by the operator")
