"""The table of figures: columns of the run's chain, the rest in the detail."""

from __future__ import annotations

import pytest

from tests.ui import fakes
from tests.ui.test_app import layout_of, opened, text_of
from workstation.engine.frames import FigureTable
from workstation.ui.app import WorkstationApp
from workstation.ui.panels.figures import FiguresPanel
from workstation.ui.screens.detail import DetailScreen


def panel_of(app: WorkstationApp) -> FiguresPanel:
    panel = layout_of(app).panels["figures"]
    assert isinstance(panel, FiguresPanel)
    return panel


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_a_row_has_the_figures_of_its_symbol(size: tuple[int, int]) -> None:
    async with opened(size=size) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        for _ in range(20):
            if layout_of(app).current == "figures":
                break
            await pilot.press("tab")
            await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        table = panel_of(app).table
        lines = [table.render_line(y).text.rstrip() for y in range(3)]
    # Those one looks at first stand first, own ones at the end.
    assert lines[0] == " SYMBOL    IMBALANCE VOL bp/√s WEIGHTED_MID MY_EDGE"
    assert lines[1] == "▸BTCUSDT       −0.38      1.08  61,685.9931       ·"
    assert lines[2] == " ETHUSDT           ·         ·            ·       ·"


async def test_enter_shows_all_figures_with_units_and_why_there_is_none() -> None:
    async with opened(size=(120, 40)) as (app, pilot, session):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("figures")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        text = text_of(app)
        assert "Figures BTCUSDT" in text
        assert "─ volatility ─" in text
        assert "volatility_bps                    1.08  bps/√s" in text
        assert "what volatility_bps is" in text
        assert "none while: too little has happened" in text
        assert "figures" in session.asked[-1]


async def test_a_frame_without_a_change_makes_no_row() -> None:
    table = fakes.figures()
    session = fakes.FakeSession(lambda focus: fakes.frame(figures=table))
    async with opened(session=session, size=(200, 50)) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        items = panel_of(app)._items
        app.bridge.pump_once()
        assert panel_of(app)._items is items
        session.make = lambda focus: fakes.frame(figures=fakes.figures(imbalance=0.5))
        app.bridge.pump_once()
        await pilot.pause()
        assert "+0.50" in text_of(app)


async def test_figures_are_exported_exactly_and_sorted() -> None:
    async with opened(size=(200, 50)) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("figures")
        await pilot.pause()
        app.bridge.pump_once()
        rows = panel_of(app).export_rows()
        assert rows[0][1:] == ["imbalance", "volatility_bps", "weighted_mid", "my_edge"]
        assert rows[1] == ["BTCUSDT", "-0.38", "1.08", "61685.9931", ""]
        await pilot.press("S", "S")
        await pilot.pause()
        assert panel_of(app).sort_spec is not None


async def test_without_processors_it_says_what_would_fill_it() -> None:
    bare = FigureTable(heads=(), rows=())
    async with opened(make=lambda focus: fakes.frame(figures=bare), size=(200, 50)) as (
        app,
        pilot,
        _,
    ):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert "No figures." in text_of(app)
        assert "processors in [pipeline]" in text_of(app)
