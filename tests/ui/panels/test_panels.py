"""Panels one by one: designed when empty, plain when exported, whole when narrow."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest

from tests.ui import fakes
from tests.ui.test_app import layout_of, opened, text_of
from workstation.engine.frames import (
    FigureTable,
    Focus,
    Frame,
    OpportunityTable,
    PositionRow,
)
from workstation.model.orders import OrderRole, OrderStatus, OrderType
from workstation.model.owners import DUST
from workstation.model.records import LockRecord
from workstation.model.states import BookTrust, SymbolState
from workstation.ui.panels.log import WideLogPanel
from workstation.ui.panels.opportunities import OpportunitiesPanel
from workstation.ui.panels.table import TablePanel
from workstation.ui.screens.layout import SizeClass, size_class

EMPTY: dict[str, Any] = {
    "symbols": (),
    "orders": (),
    "positions": (),
    "feeds": (),
    "gaps": (),
    "tasks": (),
    "channels": (),
    "indicators": (),
    "opportunities": OpportunityTable(enabled=True, markets=1),
    "figures": FigureTable(heads=(), rows=()),
    "chart": None,
    "book": None,
    "tape": None,
    "machine": None,
    "strategies": (),
    "params": None,
    "risk": None,
    "fills": None,
    "script_log": None,
    "blocks": None,
}
PANELS = {
    "1": (
        *("symbols", "chart", "book", "machine", "orders", "positions", "log"),
        "tape",
    ),
    "2": (
        *("feeds", "tasks", "opportunities", "channels", "gaps", "indicators"),
        "figures",
    ),
    "3": ("book", "positions", "orders", "risk", "fills"),
    "4": ("strategies", "diagram", "why_not", "params", "script_log"),
    "7": ("log_all",),
}


@pytest.mark.parametrize("digit", PANELS)
async def test_an_empty_panel_says_what_would_fill_it(digit: str) -> None:
    bare = fakes.frame(**EMPTY)
    async with opened(make=lambda focus: bare) as (app, pilot, _):
        if digit != "1":
            await pilot.press(digit)
            await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        text = text_of(app)
        seen = layout_of(app).visible_panels()
        # Two are seen from 200×50 on; their own tests have their words.
        assert {panel.panel_id for panel in seen} == set(PANELS[digit]) - {
            "tape",
            "figures",
        }
        for panel in seen:
            assert panel.fault == ""
            assert panel.empty[0] in text, panel.panel_id


@pytest.mark.parametrize("digit", PANELS)
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_panel_is_whole_alone_and_exports_plain(
    digit: str, size: tuple[int, int]
) -> None:
    async with opened(size=size) as (app, pilot, _):
        if digit != "1":
            await pilot.press(digit)
            await pilot.pause()
        layout = layout_of(app)
        for name in PANELS[digit]:
            layout.focus_panel(name)
            await pilot.pause()
            app.bridge.pump_once()
            panel = layout.panels[name]
            assert panel.fault == "", name
            for row in panel.export_rows():
                assert not any("−" in cell or "###" in cell for cell in row), name
                # Prose keeps its glyphs; figures never do.
                prose = name in ("log", "log_all", "machine", "diagram", "why_not")
                assert prose or all(cell.isascii() for cell in row), row


async def test_the_machine_exports_the_history_of_its_row() -> None:
    lock = LockRecord(
        seq=95,
        ts=fakes.NOW,
        strategy="ema_cross",
        instrument="BTCUSDT",
        before=False,
        after=True,
        who="anna",
        reason="lunch",
    )
    history = (lock, *fakes.machine().history)
    shown = fakes.frame(machine=fakes.machine(history=history))
    async with opened(make=lambda focus: shown, size=(160, 50)) as (app, _, _):
        layout = layout_of(app)
        layout.focus_panel("machine")
        app.bridge.pump_once()
        head, move, locked = layout.panels["machine"].export_rows()
    assert head[2:] == ["seq", "before", "after", "trigger", "who", "reason"]
    assert move[2:] == [
        *("90", "CloseWatch", "InTrade", "enter_long", "script", "bullish_cross")
    ]
    assert locked[2:] == ["95", "", "", "lock", "anna", "lunch"]
    assert int(locked[1]) == fakes.NOW


def test_sizes_begin_where_both_measures_are_reached() -> None:
    assert size_class(39, 50) is SizeClass.TINY
    assert size_class(40, 10) is SizeClass.SMALL
    assert size_class(200, 23) is SizeClass.SMALL
    assert size_class(80, 24) is SizeClass.COMPACT
    assert size_class(119, 60) is SizeClass.COMPACT
    assert size_class(120, 36) is SizeClass.LARGE
    assert size_class(200, 49) is SizeClass.LARGE
    assert size_class(200, 50) is SizeClass.HUGE


async def test_unknown_orders_are_in_the_title() -> None:
    odd = fakes.frame(header=fakes.header(unknown_orders=1))
    async with opened(make=lambda focus: odd) as (app, _, _):
        assert "Orders 2  unknown 1" in text_of(app)


async def test_many_orders_widen_the_column_of_their_numbers() -> None:
    many = fakes.frame(orders=(fakes.order_row(12_345),))
    async with opened(make=lambda focus: many) as (app, _, _):
        assert " 12345 BTCUSDT  SELL" in text_of(app)


@pytest.mark.parametrize(
    ("size", "keys"), [((120, 40), ""), ((120, 40), "3"), ((80, 24), "")]
)
async def test_the_type_of_an_order_is_never_cut(
    size: tuple[int, int], keys: str
) -> None:
    market = fakes.order_row(14, type=OrderType.MARKET, price=None, version=1)
    at_venue = fakes.order_row(15, type=OrderType.TARGET, price=None, version=1)
    session = fakes.FakeSession()
    async with opened(session=session, size=size) as (app, pilot, _):
        await pilot.press(*keys)
        await pilot.pause()
        session.make = partial(_still, fakes.frame(orders=(market, at_venue)))
        app.bridge.pump_once()
        await pilot.pause()
        lines = text_of(app).split("\n")
        for number, kind in ((14, " market "), (15, " target ")):
            line = next(
                each for each in lines if re.search(rf" {number} +BTCUSDT", each)
            )
            assert kind in line
            assert " 2:14" in line
        # Later orders with shorter words do not move the columns back.
        heads = [each[:71] for each in lines if " TYPE " in each and not keys]
        session.make = fakes.frame
        app.bridge.pump_once()
        await pilot.pause()
        assert all(head in text_of(app) for head in heads)


async def test_an_untrusted_book_says_why_and_shows_no_derived_figures() -> None:
    bad = fakes.book(
        trust=BookTrust.UNTRUSTED, reason="gap at 4711", distrust="book untrusted"
    )
    async with opened(make=lambda focus: fakes.frame(book=bad)) as (app, _, _):
        text = text_of(app)
    assert "gap at 4711" in text
    assert "imbalance" not in text


async def test_a_position_without_a_stop_is_said() -> None:
    naked = fakes.machine(stop=None, target=None, stop_held=False)
    async with opened(make=lambda focus: fakes.frame(machine=naked)) as (app, _, _):
        assert "! 1.000 without a stop" in text_of(app)


async def test_a_position_without_any_stop_is_marked_and_dust_is_not() -> None:
    row = fakes.symbol_row(
        state=SymbolState.IN_TRADE,
        position=Decimal(1),
        stop_percent=None,
        has_stop=False,
    )
    bare = fakes.position_row(stop_percent=None, has_stop=False)
    dust = fakes.position_row(
        stop_percent=None,
        has_stop=False,
        position=msgspec.structs.replace(bare.position, owner=DUST),
    )
    made = fakes.frame(symbols=(row,), positions=(bare, dust))
    async with opened(make=lambda focus: made) as (app, _, _):
        lines = text_of(app).split("\n")
    assert "· none !  no signal" in lines[5]
    (held,) = (line for line in lines if line.startswith(" BTCUSDT  ema_cross  "))
    assert "+12.30 none !" in held
    (left,) = (line for line in lines if line.startswith(" BTCUSDT  dust"))
    assert "none" not in left[:71]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "A fill opens one; the log says why there is none yet."),
        ({"kill": "hold"}, "Nothing opens while killed; ctrl+k shows the way back."),
        ({"hold_since_ns": 1}, "Nothing opens while held; H lifts the hold."),
    ],
)
async def test_without_positions_it_says_what_would_open_one_or_what_does_not_let_it(
    changes: dict[str, Any], said: str
) -> None:
    made = fakes.frame(positions=(), header=fakes.header(**changes))
    async with opened(make=lambda focus: made) as (app, _, _):
        assert said in text_of(app)


@pytest.mark.parametrize(
    ("panel", "absent", "there"),
    [
        ("book", ("/ filter", "enter detail"), "w pin"),
        ("equity", ("/ filter", "enter detail", "w pin"), "tab panel"),
        ("risk", ("w pin",), "/ filter"),
        ("fills", ("w pin",), "enter detail"),
    ],
)
async def test_the_footer_names_no_key_that_does_nothing_in_the_panel(
    panel: str, absent: tuple[str, ...], there: str
) -> None:
    async with opened(size=(200, 60)) as (app, pilot, _):
        await pilot.press("3")
        await pilot.pause()
        layout_of(app).focus_panel(panel)
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        keys = text_of(app).split("\n")[-1]
    assert there in keys
    for hint in absent:
        assert hint not in keys


async def test_the_cursor_of_the_symbols_follows_the_symbol_in_focus() -> None:
    def held(name: str) -> PositionRow:
        row = fakes.position_row()
        position = msgspec.structs.replace(row.position, instrument=name)
        return msgspec.structs.replace(row, position=position, symbol=name)

    def make(focus: Focus | None) -> Frame:
        rows = (held("BTCUSDT"), held("BNBUSDT"))
        return fakes.frame(focus, positions=rows)

    async with opened(make=make) as (app, pilot, _):
        await pilot.press("3")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.press("down")
        await pilot.pause()
        assert app.symbol == "BNBUSDT"
        await pilot.press("1")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        table = layout_of(app).panels["symbols"]
        assert isinstance(table, TablePanel)
        assert table.choice is not None
        assert table.choice.instrument == "BNBUSDT"
        assert app.symbol == "BNBUSDT"
        # The hand is free again: the focus follows the cursor.
        await pilot.press("down")
        await pilot.pause()
        app.bridge.pump_once()
        assert app.symbol == table.choice.instrument == "DOGEUSDT"
        await pilot.press("3")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.press("up")
        await pilot.press("1")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert app.focus_row is not None
        assert table.choice.instrument == app.focus_row.instrument == "BTCUSDT"


async def test_open_and_stop_follow_from_the_mark_on_every_panel() -> None:
    row = fakes.symbol_row(
        state=SymbolState.IN_TRADE,
        position=Decimal(1),
        last=99_000.0,
        stop_percent=-2.0,
    )
    held = fakes.position_row(last=99_000.0)
    made = fakes.frame(symbols=(row,), positions=(held,), machine=fakes.machine(row))
    async with opened(make=lambda focus: made) as (app, _, _):
        lines = text_of(app).split("\n")
    place = next(line for line in lines if line.startswith(" BTCUSDT  ema_cross"))
    assert "61,685.99   +12.30  −2.00" in place
    assert any("60,452.00 −2.0% held" in line for line in lines)


async def test_a_total_says_what_it_leaves_out() -> None:
    rows = (
        fakes.position_row(),
        fakes.position_row(
            open_pnl=None,
            last=61_000.0,
            mark=None,
            position=msgspec.structs.replace(
                fakes.position_row().position, owner="operator"
            ),
        ),
    )
    async with opened(make=lambda focus: fakes.frame(positions=rows)) as (app, _, _):
        text = text_of(app)
    assert "1 unpriced" in text
    assert "operator" in text


async def test_left_and_right_choose_a_kind_of_the_log() -> None:
    from tests.ui.test_bridge import note

    session = fakes.FakeSession()
    async with opened(session=session) as (app, pilot, _):
        await pilot.press("7")
        await pilot.pause()
        session.record(note(1))
        app.bridge.pump_once()
        panel = layout_of(app).panels["log_all"]
        assert isinstance(panel, WideLogPanel)
        layout_of(app).focus_panel("log_all")
        await pilot.pause()
        await pilot.press("right")
        assert sorted(panel.tail.kinds or ()) == ["note"]
        await pilot.press("right")
        assert panel.tail.kinds is None
        await pilot.click(panel.rail, offset=(2, 1))
        assert sorted(panel.tail.kinds or ()) == ["order"]


async def test_markup_from_outside_stays_text() -> None:
    odd = fakes.feed_row(last_error="a[/]b [red]c[A-Z]")
    async with opened(make=lambda focus: fakes.frame(feeds=(odd,))) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert "a[/]b [red]" in text_of(app)


async def test_an_opportunity_that_is_over_is_dimmed_and_says_why() -> None:
    over = fakes.opportunity_row(end="stale", reason="BTCUSDT.south: quote 1.1 s old")
    turned = msgspec.structs.replace(
        over,
        opportunity=msgspec.structs.replace(
            over.opportunity, buy="BTCUSDT.south", sell="BTCUSDT.north"
        ),
    )
    table = OpportunityTable(
        enabled=True, markets=1, found=2, rows=(fakes.opportunity_row(), turned)
    )
    shown = fakes.frame(opportunities=table)
    async with opened(size=(120, 40), make=lambda focus: shown) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        panel = layout_of(app).panels["opportunities"]
        assert isinstance(panel, OpportunitiesPanel)
        live, ended = panel.table.rows
        assert (live.ink, ended.ink) == ("", "stale")
        head, first, second = panel.export_rows()
        assert dict(zip(head, first, strict=True)) == {
            "MARKET": "BTCUSDT",
            "KIND": "cross",
            "BUY AT": "north",
            "PAY": "61677.0",
            "SELL AT": "south",
            "GET": "61695.75",
            "SIZE": "0.0133",
            "GROSS": "3.0400311",
            "FEES": "2.0002432",
            "NET bp": "1.0397879",
            "BEST": "1.5",
            "FOR": "2.0s",
            "SEEN": "12",
            "STATE": "open",
        }
        assert second[-1] == "stale BTCUSDT.south: quote 1.1 s old"


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (OpportunityTable(enabled=False), "[opportunities] enabled = true"),
        (OpportunityTable(enabled=True), "No symbol of this run has two venues"),
        (OpportunityTable(enabled=True, apart=("BTC: a quotes",)), "BTC: a quotes"),
        (OpportunityTable(enabled=True, markets=1), "Prices of two venues that cross"),
        (
            OpportunityTable(enabled=True, watches_spreads=True),
            "Prices of two venues that cross",
        ),
    ],
)
async def test_without_opportunities_it_says_what_would_make_some(
    table: OpportunityTable, sentence: str
) -> None:
    bare = fakes.frame(opportunities=table)
    async with opened(size=(120, 40), make=lambda focus: bare) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert sentence in text_of(app)


def _still(shown: Frame, focus: Focus | None) -> Frame:
    return shown


async def test_the_note_on_held_orders_counts_them_where_their_ids_do_not_fit() -> None:
    def held(count: int) -> Frame:
        stop = fakes.orders()[1].order
        fields = {name: getattr(stop, name) for name in ("role", "type", "trigger")}
        return fakes.frame(
            orders=tuple(
                fakes.order_row(
                    40 + n, **fields, price=None, status=OrderStatus.HELD, version=n
                )
                for n in range(count)
            )
        )

    for count, note in ((2, "40 41 are held here:"), (30, "30 orders are held here:")):
        shown = held(count)
        async with opened(make=partial(_still, shown)) as (app, pilot, _):
            await pilot.press("3")
            await pilot.pause()
            layout_of(app).focus_panel("orders")
            await pilot.press("z")
            await pilot.pause()
            assert f"{note} they stop protecting when the engine stops" in text_of(app)


async def test_a_stop_order_of_ones_own_is_said_to_stop_working_with_the_engine() -> (
    None
):
    def entry(status: OrderStatus) -> Frame:
        return fakes.frame(
            orders=(
                fakes.order_row(
                    40,
                    role=OrderRole.ENTRY,
                    type=OrderType.STOP_LIMIT,
                    trigger=Decimal("64800.0"),
                    reduce_only=False,
                    status=status,
                ),
            )
        )

    note = "40 is held here: it stops working when the engine stops"
    for status, kind, held in (
        (OrderStatus.HELD, "stop!", True),
        (OrderStatus.ACCEPTED, "stop ", False),
    ):
        async with opened(make=partial(_still, entry(status))) as (app, pilot, _):
            await pilot.press("3")
            await pilot.pause()
            text = text_of(app)
            assert kind in text
            assert (note in text) is held
