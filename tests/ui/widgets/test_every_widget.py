from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.widget import Widget

from tests.ui.widgets.host import Host, painted
from tests.ui.widgets.test_book_ladder import BOOK
from tests.ui.widgets.test_candles import walk
from tests.ui.widgets.test_line_table import table_of
from tests.ui.widgets.test_status_lines import KEYS, TRUST
from tests.ui.widgets.test_tail_log import lines
from workstation.ui.widgets.book_ladder import BookLadder
from workstation.ui.widgets.candles import CandleChart
from workstation.ui.widgets.chart_data import (
    ChartData,
    Level,
    Marker,
    Plot,
    PlotLine,
    Style,
)
from workstation.ui.widgets.inks import Inked
from workstation.ui.widgets.panel_frame import PanelFrame
from workstation.ui.widgets.status_lines import (
    AlertLine,
    FooterKeys,
    HeaderLines,
    TransportLine,
)
from workstation.ui.widgets.tail_log import TailLog
from workstation.ui.widgets.text_panel import RuleLine, TextPanel


def chart() -> Widget:
    widget, bars = CandleChart(), walk(100)
    closes = [bar.close for bar in bars]
    widget.show(
        ChartData(
            candles=bars,
            plots=[
                Plot("EMA 10", (PlotLine("value", closes),)),
                Plot("X", (PlotLine("x", closes, Style.HISTOGRAM),), pane=True),
            ],
            markers=[Marker(90, bars[90].high, True, "E")],
            levels=[Level("in", bars[-1].close), Level("stop", 1.0)],
            held=closes,
            stops=closes,
        )
    )
    return widget


def book() -> Widget:
    widget = BookLadder()
    widget.set_book(BOOK)
    return widget


def log() -> Widget:
    widget = TailLog()
    widget.extend(lines(0, 50))
    return widget


def text() -> Widget:
    widget = TextPanel()
    widget.set_lines(
        [[("● InTrade", "state-in-trade")], RuleLine("Gates"), "✓ feed −1"]
    )
    return widget


def header() -> Widget:
    widget = HeaderLines()
    widget.set_lines(TRUST, TRUST, TRUST)
    return widget


def alert() -> Widget:
    widget = AlertLine()
    widget.set_alert([("! gap … ×4", "bad")], [("1 of 2", "dim")], bad=True)
    return widget


def footer() -> Widget:
    widget = FooterKeys()
    widget.set_keys(KEYS)
    return widget


def transport() -> Widget:
    widget = TransportLine()
    widget.set_transport([("RUN ×4", "good")], 0.5, "50%", [0.1], KEYS)
    return widget


def table() -> Widget:
    widget = table_of([f"○ S{index}" for index in range(40)])
    widget.find_text = "S1"
    return widget


def frame() -> Widget:
    return PanelFrame(book(), title="Book", info="trusted ✓", divider=True)


MAKERS = [table, log, chart, book, text, header, alert, footer, transport, frame]
every = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


@every
async def test_it_paints_without_colours(
    make: Callable[[], Widget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Host(make())
    assert app.no_color
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.press("tab", "down", "end")
        await pilot.pause()
        assert any(line.strip() for line in app.lines())


@every
async def test_it_paints_in_ascii_cell_for_cell(make: Callable[[], Widget]) -> None:
    async def screen(ascii_only: bool) -> list[str]:
        app = Host(make(), ascii=ascii_only)
        async with app.run_test(size=(80, 12)) as pilot:
            await pilot.pause()
            return app.lines()

    rich, poor = await screen(False), await screen(True)
    assert all(line.isascii() for line in poor)
    assert [len(line) for line in rich] == [len(line) for line in poor]


@every
async def test_every_segment_has_a_style_and_every_ink_is_known(
    make: Callable[[], Widget],
) -> None:
    app = Host(make())
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        for widget in app.screen.walk_children(Widget):
            if not isinstance(widget, Inked):
                continue
            for y in range(widget.size.height):
                strip = widget.render_line(y)
                assert strip.cell_length == widget.size.width
                assert all(segment.style is not None for segment in strip)
            used = {name for names in widget._inked or () for name in names.split()}
            assert used <= widget.INKS


@every
async def test_text_from_outside_cannot_reach_the_terminal(
    make: Callable[[], Widget],
) -> None:
    app = Host(make())
    async with app.run_test(size=(80, 12)) as pilot:
        await pilot.pause()
        for widget in app.screen.walk_children(Widget):
            if isinstance(widget, Inked):
                strip = widget.strip([("a\x1b[2J\x07b", "")], 20)
                assert strip.text.isprintable()
                assert painted(widget) == painted(widget)


@every
async def test_no_widget_lets_text_be_selected(make: Callable[[], Widget]) -> None:
    app = Host(make())
    async with app.run_test(size=(80, 12)):
        for widget in app.screen.walk_children(Widget):
            if isinstance(widget, Inked):
                assert not widget.allow_select
