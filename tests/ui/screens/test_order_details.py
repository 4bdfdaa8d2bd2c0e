"""The detail of an order: its facts, its timeline, and the file it goes to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from tests.ui.screens.dialogs import BUSY, TIMELINE
from tests.ui.screens.scenes import STOP, TS, Fuse, Host, order, text_of
from workstation.model.orders import OrderType, TimeInForce
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.order_details import order_lines, timeline_rows
from workstation.ui.widgets.text_panel import Line, TextPanel


def plain(lines: Any) -> str:
    panel = TextPanel()
    panel.set_lines(list[Line](lines))
    return panel.plain()


def test_the_timeline_tells_times_since_the_order_was_made_and_fills() -> None:
    text = plain(order_lines(STOP, TIMELINE))
    assert "Timeline" in text
    assert "4 moves, 2 older in the journal" in text
    assert "+43s  replace @ 60452.00  trigger moved" in text
    assert "submit  held → submitted  stop 60452.00 met at 60451.9" in text
    assert "fill 0.400 @ 60451.50  submitted → partially filled" in text
    assert "it stops protecting when the engine ends" in text


def test_an_order_that_has_ended_keeps_its_timeline() -> None:
    text = plain(order_lines(None, TIMELINE))
    assert "o-13" in text
    assert "fill 0.4 @ 60451.50" in text
    assert "no longer kept here; the journal has" in plain(order_lines(None))


def test_an_order_on_paper_shows_its_place_in_the_queue() -> None:
    row = msgspec.structs.replace(STOP, queue=(Decimal("1.204"), Decimal("3.5")))
    assert "1.204 ahead of 3.500 shown, on paper" in plain(order_lines(row))


def test_a_detail_names_the_instrument_and_what_the_order_is() -> None:
    text = plain(order_lines(STOP))
    assert "BTCUSDT" in text
    assert "sell stop GTC" in text
    row = order("o-15")
    limited = msgspec.structs.replace(
        row.order,
        type=OrderType.STOP_LIMIT,
        time_in_force=TimeInForce.GTD,
        expires_ns=TS + 300_000_000_000,
    )
    text = plain(order_lines(msgspec.structs.replace(row, order=limited)))
    assert "buy entry stop-limit GTD" in text
    assert "2024-08-09 00:00:12 UTC" in text
    rests = msgspec.structs.replace(row.order, post_only=True)
    text = plain(order_lines(msgspec.structs.replace(row, order=rests)))
    assert "buy entry limit GTC post-only" in text


def test_a_detail_has_the_stop_and_target_of_what_an_entry_will_fill() -> None:
    bracket = (Decimal(60_000), Decimal(63_000))
    row = msgspec.structs.replace(order("o-15"), bracket=bracket)
    text = plain(order_lines(row))
    assert "60000.00, held here once it fills" in text
    assert "63000.00, held here once it fills" in text
    assert "held here" not in plain(order_lines(order("o-15")))


def test_the_file_has_plain_values_and_times_in_ns() -> None:
    head, *rows = timeline_rows(TIMELINE)
    assert head[:3] == ["time", "since_ns", "before"]
    assert rows[-1][1:] == [
        "129840000000",
        "submitted",
        "partial_fill",
        "partially_filled",
        "0.4",
        "60451.50",
        "",
    ]


async def test_e_exports_and_says_where() -> None:
    told = "5 rows of o-13 are in exports/order-o-13.csv."
    screen = DetailScreen(
        BUSY,
        "Order 13",
        lambda scene: order_lines(STOP, TIMELINE),
        export=lambda: told,
        timer=Fuse(),
    )
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert told not in text_of(screen)
        await pilot.press("e")
        await pilot.pause()
        assert told in text_of(screen)


async def test_a_detail_without_an_export_has_no_such_key() -> None:
    screen = DetailScreen(BUSY, "x", lambda scene: ["words"], timer=Fuse())
    assert all(hint.label != "export" for hint in screen.footer())
    async with Host(screen).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("e")
        await pilot.pause()
        assert "words" in text_of(screen)
