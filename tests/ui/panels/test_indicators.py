"""The table of indicators: values, changes, trails, warm-up; made only when seen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui import fakes
from tests.ui.test_app import layout_of, opened, text_of
from workstation.engine.frames import IndicatorRow
from workstation.ui.app import WorkstationApp
from workstation.ui.panels.indicators import IndicatorsPanel

NAN = float("nan")


def row(name: str = "ema", **changes: Any) -> IndicatorRow:
    values: dict[str, Any] = {
        "key": f"BTCUSDT/1m/{name}",
        "instrument": "BTCUSDT",
        "timeframe": "1m",
        "name": name,
        "params": "10",
        "outputs": (name,),
        "values": (61_640.5,),
        "before": (61_650.25,),
        "trail": tuple(float(n % 8) for n in range(24)),
        "bars": 40,
        "needed": 10,
        "decimals": 2,
    }
    return IndicatorRow(**{**values, **changes})


MACD = row(
    "macd",
    params="12 26 9",
    outputs=("macd", "signal", "histogram"),
    values=(-1.5, 2.25, NAN),
    before=(-2.5, 2.0, 0.5),
)
WARMING = row("rsi", values=None, before=None, bars=12, needed=33, trail=(NAN,) * 24)
ROWS = (row(), MACD, WARMING)


def panel_of(app: WorkstationApp) -> IndicatorsPanel:
    panel = layout_of(app).panels["indicators"]
    assert isinstance(panel, IndicatorsPanel)
    return panel


class Shown:
    """Frames with these rows, in layout 2."""

    def __init__(self, rows: tuple[IndicatorRow, ...] = ROWS) -> None:
        self.rows = rows
        self.session = fakes.FakeSession(lambda f: fakes.frame(indicators=self.rows))


def lines_of(app: WorkstationApp) -> list[str]:
    table = panel_of(app).table
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


async def zoomed(app: WorkstationApp, pilot: Any) -> None:
    await pilot.press("2")
    await pilot.pause()
    layout_of(app).focus_panel("indicators")
    await pilot.pause()
    await pilot.press("z")
    await pilot.pause()
    app.bridge.pump_once()
    await pilot.pause()


async def test_a_row_has_values_change_and_trail_of_all_outputs() -> None:
    async with opened(session=Shown().session) as (app, pilot, _):
        await zoomed(app, pilot)
        lines = lines_of(app)
        title = panel_of(app).rule.render_line(0).text
    assert "Indicators 3" in title
    assert "1 warming" in title
    assert lines[1] == (
        " BTCUSDT   1m   ema 10              61,640.50       −9.75"
        "  ▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█▁▂▃▄▅▆▇█"
    ).replace(" BTCUSDT", "▸BTCUSDT", 1)
    assert lines[2].startswith(
        " BTCUSDT   1m   macd 12 26 9            −1.50       +1.00"
    )
    # A NaN is no value, and no zero.
    assert lines[2].endswith("signal 2.25  histogram ·")
    assert lines[3].endswith("·           ·  warming 12/33")


async def test_in_the_layout_it_has_room_for_the_last_fifteen_bars() -> None:
    async with opened(session=Shown().session) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        lines = lines_of(app)
    assert lines[1].endswith("61,640.50 ▼  ▂▃▄▅▆▇█▁▂▃▄▅▆▇█")
    assert lines[2].endswith("−1.50 ▲  ▂▃▄▅▆▇█▁▂▃▄▅▆▇█")
    assert "…" not in "".join(lines)


async def test_missing_values_and_flat_trails_are_drawn() -> None:
    rows = (
        row("sma", trail=(NAN,) * 22 + (1.0, 2.0), before=None),
        row("wma", trail=(5.0,) * 24, before=(61_640.5,)),
        row("vwap", trail=(1.0,) * 24, bars=3, values=(NAN,), needed=1),
    )
    async with opened(session=Shown(rows).session) as (app, pilot, _):
        await zoomed(app, pilot)
        lines = lines_of(app)
    assert lines[1].endswith("·  " + "·" * 22 + "▁█")
    assert lines[2].endswith("0.00  " + "▄" * 24)
    assert lines[3].endswith(" ·           ·  ▄▄▄")


async def test_ascii_trails_have_steps_of_their_own() -> None:
    async with opened('ui.glyphs="ascii"', session=Shown().session) as (app, pilot, _):
        await zoomed(app, pilot)
        lines = lines_of(app)
    assert lines[1].endswith("_.-=+*%#" * 3)
    assert "".join(lines).isascii()


async def test_figures_are_exported_exactly() -> None:
    async with opened(session=Shown().session) as (app, pilot, _):
        await zoomed(app, pilot)
        head, first, second, third = panel_of(app).export_rows()
    assert head[3:] == ["VALUE", "CHANGE", "LAST 24 BARS", "OTHER OUTPUTS"]
    assert first[3:5] == ["61640.5", "-9.75"]
    assert first[5].split()[:3] == ["0", "1", "2"] or first[5].startswith("0.0 1.0")
    assert second[6] == "signal=2.25 histogram="
    assert third[3:6] == ["", "", ""]


async def test_rows_that_are_not_seen_are_never_laid_out() -> None:
    many = tuple(row(f"x{n}") for n in range(2_000))
    async with opened(session=Shown(many).session) as (app, pilot, _):
        await zoomed(app, pilot)
        panel = panel_of(app)
        made = [item for item in panel._items.values() if item.row.cells._make is None]  # type: ignore[attr-defined]
        assert 20 < len(made) < 100


async def test_a_frame_without_a_closed_bar_costs_no_row() -> None:
    shown = Shown()
    async with opened(session=shown.session) as (app, pilot, _):
        await zoomed(app, pilot)
        panel = panel_of(app)
        renders, items = panel.table.renders, panel._items
        for _ in range(3):
            app.bridge.pump_once()
            await pilot.pause()
        assert panel._items is items
        assert panel.table.renders == renders
        # One bar of one row: the others keep their lines.
        shown.rows = (row(bars=41, values=(61_700.0,)), *ROWS[1:])
        app.bridge.pump_once()
        await pilot.pause()
        assert panel.table.renders == renders + 1
        assert "61,700.00" in lines_of(app)[1]


@pytest.mark.parametrize("key", ["S", "slash"])
async def test_sorting_and_filtering_work_on_lazy_rows(key: str) -> None:
    async with opened(session=Shown().session) as (app, pilot, _):
        await zoomed(app, pilot)
        if key == "S":
            for _ in range(4):
                await pilot.press("S")
            await pilot.pause()
            assert [line.split()[2] for line in lines_of(app)[1:4]] == [
                "ema",
                "macd",
                "rsi",
            ]
            await pilot.press("S", "S", "S", "S")
        else:
            await pilot.press("slash", *"macd")
            await pilot.pause()
            assert "1 of 3" in text_of(app)


async def test_enter_opens_the_symbol() -> None:
    from workstation.ui.screens.detail import DetailScreen

    async with opened(session=Shown().session) as (app, pilot, _):
        await zoomed(app, pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
