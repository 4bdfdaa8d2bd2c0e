"""The chart's keys over a real engine that stands: what they show, ask for and keep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from tests.engine.runs import SMALL
from tests.ui import fakes
from tests.ui.test_app import footer, layout_of, text_of
from workstation.engine.assembly import assemble_session
from workstation.engine.session import Session
from workstation.indicators import Request, names
from workstation.model.timeframes import Timeframe
from workstation.ui.app import WorkstationApp
from workstation.ui.panels.chart import ChartPanel
from workstation.ui.screens.plots import PlotsScreen


@asynccontextmanager
async def charted(
    *overrides: str,
    size: tuple[int, int] = (120, 40),
    watch: tuple[str, ...] = (),
    saved: dict[str, object] | None = None,
) -> AsyncIterator[tuple[WorkstationApp, Pilot[int], Session]]:
    """Open the screen with the chart in focus on a paused run of 2,000 events."""
    config = fakes.config(*SMALL, *overrides)
    session = assemble_session(config.run, journal=False, paused=True)
    for word in watch:
        session.aggregator.watch("BTCUSDT", Timeframe.parse(word))
    for _ in range(2_000):
        session.driver.step()
    keep = {} if saved is None else saved
    app = WorkstationApp(
        config,
        session=session,
        themes=fakes.THEMES,
        environ={"TERM": "xterm"},
        save_setting=keep.__setitem__,
    )
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        layout_of(app).focus_panel("chart")
        await settle(pilot)
        app.bridge.pump_once()
        yield app, pilot, session


async def settle(pilot: Pilot[int]) -> None:
    await pilot.pause()
    await pilot.pause()


def panel_of(app: WorkstationApp, name: str = "chart") -> ChartPanel:
    panel = layout_of(app).panels[name]
    assert isinstance(panel, ChartPanel)
    return panel


def title(app: WorkstationApp, name: str = "chart") -> str:
    return "".join(text for text, _ in panel_of(app, name).rule._title)


def down_to(name: str) -> list[str]:
    """Return the keys from the first of the registry to another."""
    return ["down"] * names().index(name)


async def test_t_goes_through_every_timeframe_and_the_title_says_which() -> None:
    async with charted(watch=("2s", "20t")) as (app, pilot, _):
        seen = [title(app)]
        for _ in range(6):
            await pilot.press("t")
            await settle(pilot)
            seen.append(title(app))
    assert [text.split("  ")[0] for text in seen] == [
        "Chart BTCUSDT 1s",
        "Chart BTCUSDT 2s of 1s",
        "Chart BTCUSDT 5s of 1s",
        "Chart BTCUSDT 15s of 1s",
        "Chart BTCUSDT 1m of 1s",
        "Chart BTCUSDT 20t of 1s",
        "Chart BTCUSDT 1s",
    ]


async def test_t_says_so_where_there_is_one_timeframe_only() -> None:
    async with charted('strategies.0.timeframe="25v"') as (app, pilot, _):
        await pilot.press("t")
        assert "25v only" in footer(app)
        assert title(app).startswith("Chart BTCUSDT 25v")


async def test_a_chart_keeps_its_timeframe_when_the_layout_changes() -> None:
    async with charted() as (app, pilot, _):
        await pilot.press("t")
        await pilot.press("2")
        await settle(pilot)
        await pilot.press("1")
        await settle(pilot)
        app.bridge.pump_once()
        assert title(app).startswith("Chart BTCUSDT 5s of 1s")


async def test_the_second_chart_has_longer_bars_and_a_timeframe_of_its_own() -> None:
    async with charted(size=(200, 60)) as (app, pilot, _):
        assert title(app, "chart2").startswith("Chart BTCUSDT 5s of 1s")
        layout_of(app).focus_panel("chart2")
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        assert title(app, "chart2").startswith("Chart BTCUSDT 15s of 1s")
        assert title(app).startswith("Chart BTCUSDT 1s")


async def test_a_pinned_chart_stays_on_its_symbol_and_still_takes_t() -> None:
    async with charted() as (app, pilot, _):
        await pilot.press("w")
        layout_of(app).focus_panel("symbols")
        await settle(pilot)
        await pilot.press("down")
        layout_of(app).focus_panel("chart")
        await settle(pilot)
        await pilot.press("t")
        await settle(pilot)
        assert title(app).startswith("pinned Chart BTCUSDT 5s of 1s")


async def test_d_adds_an_indicator_with_its_parameters_and_remembers_it() -> None:
    saved: dict[str, object] = {}
    async with charted(saved=saved) as (app, pilot, session):
        before = session.engine.state_hash()
        await pilot.press("d")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, PlotsScreen)
        assert "script EMA 10, EMA 20" in text_of(app)
        await pilot.press(*down_to("rsi"), "enter")
        await settle(pilot)
        assert screen.definition.name == "rsi"
        await pilot.press("backspace", "backspace", "7")
        await settle(pilot)
        assert "Draws RSI 7 below." in text_of(app)
        screen.arm()
        # Over the words of its other parameter to the button.
        await pilot.press("enter", "enter", "enter")
        await settle(pilot)
        assert panel_of(app).plots == (Request.parse("rsi(7)"),)
        assert saved == {"ui.chart": ["rsi(7)"]}
        assert "RSI 7 is on the chart." in text_of(app)
        await pilot.press("escape")
        await settle(pilot)
        app.bridge.pump_once()
        text = text_of(app)
        assert "─ RSI 7 " in text
        assert session.engine.state_hash() == before


async def test_d_takes_an_indicator_off_again() -> None:
    saved: dict[str, object] = {}
    async with charted(
        'ui.chart=["rsi(7)", "sma(5)"]', size=(120, 40), saved=saved
    ) as (app, pilot, _):
        assert title(app).endswith("SMA 5")
        await pilot.press("d")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, PlotsScreen)
        screen.arm()
        await settle(pilot)
        screen.query_one("#remove").action_press()  # type: ignore[attr-defined]
        await settle(pilot)
        assert saved == {"ui.chart": ["sma(5)"]}
        screen.query_one("#remove").action_press()  # type: ignore[attr-defined]
        await settle(pilot)
        assert saved == {"ui.chart": []}
        assert "added       nothing" in text_of(app)
        await pilot.press("escape")
        await settle(pilot)
        app.bridge.pump_once()
        assert "SMA" not in title(app)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0", "must be a whole number from 2 to 5000"),
        ("9999", "must be a whole number from 2 to 5000"),
        ("x", "must be a whole number from 2 to 5000"),
        ("2.5", "must be a whole number from 2 to 5000"),
    ],
)
async def test_a_parameter_out_of_its_range_is_refused_as_it_is_typed(
    typed: str, said: str
) -> None:
    async with charted() as (app, pilot, _):
        await pilot.press("d")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, PlotsScreen)
        screen.arm()
        await pilot.press(*down_to("rsi"), "enter", "backspace", "backspace")
        await pilot.press(*["full_stop" if c == "." else c for c in typed])
        await settle(pilot)
        assert said in text_of(app)
        await pilot.press("enter", "enter", "enter")
        await settle(pilot)
        assert panel_of(app).plots == ()


async def test_parameters_that_do_not_go_together_are_refused_with_the_reason() -> None:
    async with charted() as (app, pilot, _):
        await pilot.press("d")
        await settle(pilot)
        await pilot.press(*down_to("macd"), "enter", "backspace", "9")
        await settle(pilot)
        assert "Draws MACD 9 26 9 below." in text_of(app)
        await pilot.press("9")
        await settle(pilot)
        assert "Cannot be drawn: macd: fast = 99 must be less than slow" in text_of(app)


async def test_a_parameter_that_is_a_word_is_chosen() -> None:
    async with charted() as (app, pilot, _):
        await pilot.press("d")
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, PlotsScreen)
        screen.arm()
        await pilot.press(*down_to("ema"), "enter", "tab", "right")
        await settle(pilot)
        assert "Draws EMA 20 tradingview on the price." in text_of(app)
        await pilot.press("tab", "tab", "enter")
        await settle(pilot)
        assert panel_of(app).plots == (Request.parse("ema(20, tradingview)"),)


async def test_every_indicator_of_the_registry_can_be_added_and_drawn() -> None:
    words = ", ".join(f'"{name}"' for name in names())
    async with charted(f"ui.chart=[{words}]") as (app, pilot, _):
        await pilot.press("z")
        await settle(pilot)
        app.bridge.pump_once()
        panel = panel_of(app)
        assert panel.fault == ""
        shown = panel.shown
        assert shown is not None
        assert {plot.key.partition("(")[0] for plot in shown.plots} == set(names())
        rows = panel.export_rows()
        assert {len(row) for row in rows} == {len(rows[0])}


async def test_arrows_read_a_bar_escape_puts_it_away_and_y_copies_it() -> None:
    async with charted('ui.chart=["rsi(7)"]') as (app, pilot, _):
        copied: list[str] = []
        app.copy_to_clipboard = copied.append  # type: ignore[assignment,method-assign]
        await pilot.press("left", "left", "left", "up")
        panel = panel_of(app)
        bar = panel.chart.crosshair
        assert bar is not None
        assert f"o {bar.open:,.2f}" in text_of(app)
        await pilot.press("y")
        cells = copied[0].split("\t")
        assert cells[1:5] == [str(p) for p in (bar.open, bar.high, bar.low, bar.close)]
        assert cells[6].startswith("EMA 10 6")
        assert cells[8].startswith("RSI 7 ")
        assert cells[-1].startswith("y 6")
        await pilot.press("z", "escape")
        assert panel.chart.crosshair is None
        assert layout_of(app).zoomed
        await pilot.press("escape")
        assert not layout_of(app).zoomed
        await pilot.press("y")
        assert copied[1].split("\t")[0] == panel.export_rows()[-1][0]


async def test_the_crosshair_stays_with_its_bar_while_the_run_goes_on() -> None:
    async with charted() as (app, pilot, session):
        await pilot.press("left", "left", "left")
        panel = panel_of(app)
        bar = panel.chart.crosshair
        for _ in range(300):
            session.driver.step()
        app.bridge.pump_once()
        assert panel.chart.crosshair == bar
        await pilot.press("t")
        await settle(pilot)
        longer = panel.chart.crosshair
        assert bar is not None
        assert longer is not None
        assert longer.ts_ns <= bar.ts_ns < longer.ts_ns + 5_000_000_000


async def test_entries_exits_and_stops_are_on_the_chart() -> None:
    async with charted() as (app, pilot, session):
        await pilot.press("z")
        await settle(pilot)
        for _ in range(700):
            session.driver.step()
        app.bridge.pump_once()
        panel = panel_of(app)
        letters = {marker.letter for marker in panel.chart.data.markers}
        assert "E" in letters
        assert letters & {"X", "S", "T"}
        assert any(value is not None for value in panel.chart.data.held)
        assert any(value is not None for value in panel.chart.data.stops)
        text = text_of(app)
        assert "▲" in text
        assert "▼" in text


async def test_the_export_has_the_indicators_beside_the_bars() -> None:
    async with charted('ui.chart=["macd"]') as (app, _, _session):
        rows = panel_of(app).export_rows()
        assert rows[0] == [
            *("TIME", "OPEN", "HIGH", "LOW", "CLOSE", "VOLUME"),
            *("ema(10)", "ema(20)"),
            *(f"macd(12, 26, 9) {name}" for name in ("macd", "signal", "histogram")),
        ]
        assert all(len(row) == 11 for row in rows)
        assert all(cell for cell in rows[-1])
