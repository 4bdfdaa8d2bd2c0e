"""Fills, trades, equity and sums: what they say, their keys, and what they export."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from tests.ui import fakes
from tests.ui.test_app import layout_of, opened, text_of
from workstation.engine.frames import FillTable, Focus, Frame, TradeTable
from workstation.engine.ledger_tables import EQUITY, FILLS, POSITIONS, SUMS, TRADES
from workstation.execution.statements import Grouping
from workstation.model.orders import (
    OrderEvent,
    OrderHistory,
    OrderMove,
    OrderStatus,
)
from workstation.ui.app import WorkstationApp
from workstation.ui.panels.table import TablePanel
from workstation.ui.screens.detail import DetailScreen

NARROW, WIDE, HUGE = (80, 24), (120, 40), (200, 60)


async def show(app: WorkstationApp, pilot: Pilot[int], panel: str) -> str:
    """Go to a panel of layout 3, and return the screen."""
    await pilot.press("3")
    await pilot.pause()
    layout_of(app).focus_panel(panel)
    await pilot.pause()
    app.bridge.pump_once()
    await pilot.pause()
    return text_of(app)


async def test_layout_3_has_limits_and_fills_below_positions_and_orders() -> None:
    async with opened(size=WIDE) as (app, pilot, session):
        await pilot.press("3")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        lines = text_of(app).split("\n")
        (rule,) = [at for at, line in enumerate(lines) if "─ Fills 5 ─" in line]
        assert "─ Risk 6 " in lines[rule]
        heads = lines[rule + 1].split("│")[1].split()
        assert heads[:5] == ["TIME", "SYMBOL", "SIDE", "QTY", "PRICE"]
        assert len(lines) - rule == 15
        assert "trades" not in session.asked[-1]
        assert "equity" not in session.asked[-1]
        assert "sums" not in session.asked[-1]


async def test_on_a_large_screen_equity_and_sums_stand_beside_them() -> None:
    async with opened(size=HUGE) as (app, pilot, session):
        await pilot.press("3")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        text = text_of(app)
        assert "Equity 100,200.00 USDT +200.00" in text
        assert "Sums by strategy 2" in text
        assert {"fills", "trades", "equity", "sums"} <= session.asked[-1]


async def test_a_trade_says_what_it_made_and_what_it_stood_at() -> None:
    async with opened(size=WIDE) as (app, pilot, _):
        text = await show(app, pilot, "trades")
        assert (
            "SYMBOL   SIDE      ENTRY      EXIT      NET     MAE     MFE HELD EXIT BY"
            in text
        )
        assert (
            "BTCUSDT  short 61,673.69 61,690.00   −17.41  −13.69  +26.31 2:14 stop"
            in text
        )
        assert (
            "BTCUSDT  long  61,673.69 61,685.99   +11.20  −13.69  +26.31 2:14 fast"
            in text
        )


async def test_enter_on_a_trade_tells_all_of_it() -> None:
    async with opened(size=WIDE) as (app, pilot, _):
        await show(app, pilot, "trades")
        await pilot.press("down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        text = text_of(app)
        assert "Trade 1" in text
        assert "worst (MAE)   −13.6900 USDT" in text
        assert "in price    −13.69  −2.2 bp of the entry" in text
        assert "because     fast EMA below slow" in text


async def test_enter_on_a_fill_tells_its_fee_and_its_ids() -> None:
    async with opened(size=WIDE) as (app, pilot, _):
        await show(app, pilot, "fills")
        await pilot.press("enter")
        await pilot.pause()
        text = text_of(app)
        assert "Fill 5" in text
        assert "fee           0.5500 USDT" in text
        assert "trade id      t-5" in text


async def test_enter_on_a_fill_tells_of_its_order_too() -> None:
    session = fakes.FakeSession()
    order = fakes.order_row(5, status=OrderStatus.FILLED).order
    move = OrderMove(fakes.NOW, OrderStatus.ACCEPTED, OrderEvent.FILL, order.status)
    session.histories["o-5"] = OrderHistory(order, (move,))
    async with opened(size=WIDE, session=session) as (app, pilot, _):
        await show(app, pilot, "fills")
        await pilot.press("enter")
        await pilot.pause()
        text = text_of(app)
    assert "─ Order ─" in text
    assert "status        filled" in text


@pytest.mark.parametrize("panel", ["fills", "trades", "denials"])
async def test_the_newest_row_is_in_sight_and_selected_until_the_hand_moves(
    panel: str,
) -> None:
    count = 3

    def make(focus: Focus | None) -> Frame:
        one, trip, no = fakes.fills().rows[0], fakes.trades().rows[0], fakes.risk()
        numbers = range(count, 0, -1)
        return fakes.frame(
            focus,
            fills=FillTable(count, tuple(replace(one, number=n) for n in numbers)),
            trades=TradeTable(
                count,
                tuple(
                    replace(trip, trade=replace(trip.trade, number=n)) for n in numbers
                ),
            ),
            risk=replace(
                no, denials=tuple(replace(no.denials[0], number=n) for n in numbers)
            ),
        )

    async with opened(size=HUGE, make=make) as (app, pilot, _):
        await pilot.press("3")
        await pilot.pause()
        app.bridge.pump_once()
        count = 90
        app.bridge.pump_once()
        await show(app, pilot, panel)
        shown = layout_of(app).panels[panel]
        assert isinstance(shown, TablePanel)
        table = shown.table
        assert (table.cursor_key, table.scroll_offset.y) == ("90", 0)
        count = 91
        app.bridge.pump_once()
        assert table.cursor_key == "91"
        await pilot.press("down")
        await pilot.pause()
        count = 95
        app.bridge.pump_once()
        assert table.cursor_key == "90", "a row that was chosen stays chosen"
        await pilot.press("home")
        await pilot.pause()
        count = 96
        app.bridge.pump_once()
        assert table.cursor_key == "96"


async def test_k_sums_by_strategy_symbol_and_day() -> None:
    async with opened(size=WIDE) as (app, pilot, _):
        text = await show(app, pilot, "sums")
        assert "Sums by strategy 2" in text
        assert "k kind" in text.split("\n")[-1]
        assert "operator        −17.41      0.00" in text
        assert "total            −6.21    +12.30" in text
        await pilot.press("k")
        await pilot.pause()
        assert "Sums by symbol 1" in text_of(app)
        await pilot.press("k")
        await pilot.pause()
        text = text_of(app)
        assert "Sums by day 2" in text
        assert "DAY                NET    CHANGE" in text
        assert "2024-08-08       −6.21   +412.10" in text
        await pilot.press("k")
        await pilot.pause()
        assert "Sums by strategy 2" in text_of(app)


async def test_the_equity_panel_draws_curve_drawdown_axis_and_times() -> None:
    async with opened(size=WIDE) as (app, pilot, _):
        text = await show(app, pilot, "equity")
        assert "drawdown max −150.00 −0.15%  23:51:12 to 23:52:32" in text
        assert "drawdown now none" in text
        assert "┤ 100,200" in text
        assert "┤    −100" in text
        assert " 23:50:12" in text
        assert "23:55:12 UTC" in text


async def test_in_ascii_no_other_glyph_is_left() -> None:
    async with opened('ui.glyphs="ascii"', size=WIDE) as (app, pilot, _):
        for panel in ("equity", "sums", "trades", "fills"):
            assert (await show(app, pilot, panel)).isascii()


async def test_an_empty_ledger_says_what_would_fill_it() -> None:
    frame = fakes.frame(
        fills=FillTable(0, ()),
        trades=TradeTable(0, ()),
        equity=replace(fakes.equity(), points=()),
        sums=replace(fakes.sums(), rows=dict.fromkeys(Grouping, ())),
    )
    async with opened(size=NARROW, make=lambda focus: frame) as (app, pilot, _):
        assert "No fills yet." in await show(app, pilot, "fills")
        assert "No closed trades." in await show(app, pilot, "trades")
        assert "No equity yet." in await show(app, pilot, "equity")
        assert "Nothing is booked yet." in await show(app, pilot, "sums")


async def exported(panel: str, tmp_path: Path) -> list[list[str]]:
    async with opened(size=WIDE) as (app, pilot, _):
        app.export_folder = tmp_path
        await show(app, pilot, panel)
        await pilot.press("e")
        await pilot.pause()
    return written(tmp_path, panel)


def written(folder: Path, panel: str) -> list[list[str]]:
    (path,) = folder.glob(f"{panel}-*.csv")
    with path.open(encoding="ascii", newline="") as stream:
        return list(csv.reader(stream))


async def test_e_exports_the_same_columns_as_the_command_line(tmp_path: Path) -> None:
    heads: dict[str, Sequence[str]] = {
        "fills": FILLS,
        "trades": TRADES,
        "equity": EQUITY,
        "positions": POSITIONS,
        "sums": SUMS[2:],
    }
    for panel, head in heads.items():
        rows = await exported(panel, tmp_path)
        if panel == "sums":
            assert rows[0][0] == "STRATEGY"
        else:
            assert rows[0] == list(head)
        assert len(rows) > 1


async def test_an_exported_trade_has_all_its_digits(tmp_path: Path) -> None:
    head, lost, won = await exported("trades", tmp_path)
    assert dict(zip(head, lost, strict=True))["net"] == "-17.41"
    assert dict(zip(head, won, strict=True))["mae_price"] == "-13.69"


async def test_dust_has_a_row_and_is_in_the_net_but_not_in_the_count() -> None:
    rows = (
        fakes.position_row(net=Decimal("1.00046")),
        fakes.position_row(
            position=replace(
                fakes.position_row().position,
                owner="dust",
                quantity=Decimal("0.00046"),
                cost=Decimal("28.37"),
            ),
            quantity_decimals=5,
            net=Decimal("1.00046"),
            open_pnl=Decimal("0.01"),
        ),
    )
    async with opened(
        size=WIDE, make=lambda focus: fakes.frame(positions=rows[::-1])
    ) as (
        app,
        pilot,
        _,
    ):
        text = await show(app, pilot, "positions")
        assert "Positions 1 " in text
        assert "BTCUSDT  ema_cross   +1.000" in text
        assert "BTCUSDT  dust      +0.00046" in text
        assert "BTCUSDT  net       +1.00046" in text


async def test_two_strategies_on_one_symbol_have_rows_and_a_net() -> None:
    rows = (
        fakes.position_row(net=Decimal("-2.000")),
        fakes.position_row(
            position=replace(
                fakes.position_row().position,
                owner="rsi",
                quantity=Decimal("-3.000"),
                cost=Decimal("-185021.07"),
            ),
            value=Decimal("-185057.97"),
            net=Decimal("-2.000"),
            open_pnl=Decimal("-36.90"),
        ),
    )
    frame = fakes.frame(positions=rows, header=fakes.header(open_pnl=Decimal("-24.60")))
    async with opened(size=WIDE, make=lambda focus: frame) as (app, pilot, _):
        text = await show(app, pilot, "positions")
        assert "BTCUSDT  ema_cross   +1.000" in text
        assert "BTCUSDT  rsi         −3.000" in text
        assert "BTCUSDT  net         −2.000" in text
        assert "−24.60" in text
