"""Pictures of the whole screen over a run that stands still, compared byte for byte.

``pytest -n 0 tests/ui/test_snapshots.py --snapshot-update`` draws them again; look at
each one that has changed before it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from textual._doc import take_svg_screenshot
from textual.pilot import Pilot
from textual.widgets import Input

from docs.screenshots import (
    EVENTS,
    SEEN_FROM,
    Still,
    change_behind,
    make_app,
    press,
    read_config,
    settle,
)
from tests.ui.prepared import Drawn, draw_apart
from workstation.model.commands import Reconcile
from workstation.ui.app import WorkstationApp
from workstation.ui.panels.base import Panel
from workstation.ui.verbs import looking

Compare = Callable[..., bool]
Look = Callable[..., bool]

SMALL, LARGE = (80, 24), (120, 40)
SIZES = [pytest.param(SMALL, id="80x24"), pytest.param(LARGE, id="120x40")]

ORDERS, TASKS = ("1", "@orders"), ("2", "@tasks")
STRATEGY = (*TASKS, "down", "down", "down")
DIALOGS: dict[str, tuple[str, ...]] = {
    "override": ("1", "o"),
    "flatten": ("1", "F"),
    "cancel_one": (*ORDERS, "c"),
    "cancel_all": (*ORDERS, "C"),
    "ticket": ("1", "b", *["tab"] * 6, "0", "full_stop", "1"),
    "stop": (
        *("1", "b", *["tab"] * 3, *["right"] * 3, "tab", "a", *["up"] * 9),
        *("tab", "a", "tab", "tab", "0", "full_stop", "1"),
    ),
    "amend": (*ORDERS, "u", *["tab"] * 2, "up", "up"),
    "detail": (*ORDERS, "enter"),
    "stop_feed": ("2", "x"),
    "feed": ("2", "enter"),
    "gap": ("2", "@gaps", "enter"),
    "stop_strategy": (*STRATEGY, "x"),
    "inject": (*STRATEGY, "i"),
    "kill": ("1", "ctrl+k"),
    "quit": ("1", "ctrl+q"),
    "unlock": ("1", "L", "L"),
    "until": ("1", "g"),
    "alerts": ("1", "a"),
    "help": ("1", "question_mark"),
    "strategy": ("4", "enter"),
    "params": ("4", "@params", "down", "enter", "end", "5"),
    "limit": ("3", "@risk", "down", "u", "0", "full_stop", "2"),
    "trade": ("3", "@trades", "down", "enter"),
    "fill": ("3", "@fills", "enter"),
    "plots": ("1", "@chart", "d", "down", "down", "down", "enter"),
}
# To the choice: the field before the reason, which is before Back.
_CHOOSE = ("enter", "shift+tab", "shift+tab")
SETTLED: dict[str, tuple[str, ...]] = {
    "order": (*_CHOOSE, "right"),
    "position": ("down", *_CHOOSE),
    "money": (*["down"] * 6, *_CHOOSE),
    "as_position": (*["down"] * 7, *_CHOOSE, "right"),
}
"""From the first row to the dialog of one line, at one of its choices."""
PLOTS = 'ui.chart=["bollinger(20, 2)", "macd", "rsi(14)"]'
"""Three lines over the price and two panes below it."""
CROSSHAIR = ("1", "@chart", *["left"] * 4, "up")
MONITOR = (
    *("symbols", "chart", "book", "machine", "orders", "positions", "log"),
    "tape",
)
PLUMBING = (
    *("feeds", "tasks", "opportunities", "channels", "gaps", "indicators"),
    "figures",
)
TRADE = ("risk", "denials")
LEDGER = ("fills", "trades", "equity", "sums")
SCRIPTS = ("strategies", "diagram", "why_not", "params", "script_log")
DIGITS = (
    dict.fromkeys(MONITOR, "1")
    | dict.fromkeys(PLUMBING, "2")
    | dict.fromkeys(TRADE, "3")
    | dict.fromkeys(LEDGER, "3")
    | dict.fromkeys(SCRIPTS, "4")
)
"""The layout of each panel."""
HIDDEN_WHEN_SMALL = (
    *("chart", "book", "positions", "opportunities", "channels", "indicators"),
    *("tape", "figures", "params", *TRADE, *LEDGER),
)
MARKET = ("book", "tape", "feeds", "gaps", "indicators", "figures")
"""Panels of the market, which are drawn in each way a terminal may need."""
HUGE = (200, 50)
UNEASY = """\
def detect_opportunity(market, context, indicators):
    change = market.close - market.closes(1) if market.bars() > 1 else 0.0
    if market.symbol == "SOLUSDT" and market.bars() % 40 == 0:
        market.log("the last bar moved", round(change, 2))
    if market.symbol == "ADAUSDT" and market.bars() % 50 == 0:
        return {"signal": 1 / int(change)}
    return None


def filter_commitment(market, context, indicators):
    return None


def manage_position(market, context, indicators):
    return None
"""
"""A script that writes to the log and divides by zero, each now and then."""


async def do(pilot: Pilot[int], keys: Sequence[str], events: int) -> None:
    """Press keys at the moment; ``@name`` is tab until that panel has the focus."""
    # Pressed again, the digit of the layout that is there would be answered.
    await press(pilot, [key for key in keys[:1] if key != "1"], events=events)
    app = pilot.app
    assert isinstance(app, WorkstationApp)
    for key in keys[1:]:
        if not key.startswith("@"):
            await pilot.press(key)
            await pilot.pause()
            continue
        for _ in range(20):
            if panel_id(app.panel) == key[1:]:
                break
            await pilot.press("tab")
            await pilot.pause()
        assert panel_id(app.panel) == key[1:]
    for entry in app.screen.query(Input):
        entry.cursor_blink = False
    await settle(pilot)


def ask(still: Still) -> None:
    """Ask the venue what the account holds."""
    assert still.execute(Reconcile()).accepted


def panel_id(panel: Panel | None) -> str:
    """Return the id of the focused panel."""
    return "" if panel is None else panel.panel_id


@pytest.fixture(autouse=True)
def log_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name the log shortly: help wraps its path, and a test's home is a long one."""
    monkeypatch.setattr(looking, "log_file", lambda: Path("workstation.log"))


@pytest.fixture
def look(snap_compare: Compare) -> Look:
    """Return what compares the screen after these keys with its picture."""

    def compare(
        keys: Sequence[str] = ("1",),
        size: tuple[int, int] = LARGE,
        *,
        theme: str = "harbor-dark",
        overrides: Sequence[str] = (),
        since: int = SEEN_FROM,
        until: int = EVENTS,
        config: str = "default.toml",
        prepare: Callable[[Still], None] = lambda still: None,
    ) -> bool:
        read = read_config(theme, *overrides, config=config)

        async def before(pilot: Pilot[int]) -> None:
            await do(pilot, keys, until)

        def draw(still: Still) -> str:
            prepare(still)
            app = make_app(read, still)
            return take_svg_screenshot(app, terminal_size=size, run_before=before)

        return snap_compare(Drawn(draw_apart(read, since, draw)), terminal_size=size)

    return compare


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("digit", ["1", "2", "3", "4", "7"])
def test_a_layout(digit: str, size: tuple[int, int], look: Look) -> None:
    assert look((digit,), size)


@pytest.mark.parametrize(
    ("keys", "size"),
    [(("2",), LARGE), (("2", "@opportunities"), SMALL)],
    ids=["large", "small"],
)
def test_two_venues(keys: Sequence[str], size: tuple[int, int], look: Look) -> None:
    assert look(keys, size, config="two-venues.toml", since=9_800, until=10_000)


@pytest.mark.parametrize("panel", DIGITS)
def test_a_panel_zoomed(panel: str, look: Look) -> None:
    assert look((DIGITS[panel], f"@{panel}", "z"))


@pytest.mark.parametrize("panel", HIDDEN_WHEN_SMALL)
def test_a_panel_that_has_no_place_on_a_small_screen(panel: str, look: Look) -> None:
    assert look((DIGITS[panel], f"@{panel}"), SMALL)


@pytest.mark.parametrize("digit", ["1", "2", "3", "4"])
def test_a_layout_on_a_large_terminal(digit: str, look: Look) -> None:
    assert look((digit,), HUGE)


@pytest.mark.parametrize("panel", [*MARKET, "equity"])
def test_a_panel_of_the_market_in_ascii(panel: str, look: Look) -> None:
    assert look((DIGITS[panel], f"@{panel}", "z"), overrides=('ui.glyphs="ascii"',))


@pytest.mark.parametrize("panel", [*MARKET, "equity"])
def test_a_panel_of_the_market_without_colour(
    panel: str, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look((DIGITS[panel], f"@{panel}", "z"))


@pytest.mark.parametrize("size", SIZES)
def test_the_strategies_without_colour(
    size: tuple[int, int], look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(("4",), size)


@pytest.mark.parametrize("size", SIZES)
def test_the_strategies_in_ascii(size: tuple[int, int], look: Look) -> None:
    assert look(("4",), size, overrides=('ui.glyphs="ascii"',))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keys", [(), ("down", "enter")], ids=["listed", "opened"])
def test_a_script_that_fails_now_and_then(
    keys: Sequence[str], size: tuple[int, int], look: Look, tmp_path: Path
) -> None:
    path = tmp_path / "uneasy.py"
    path.write_text(UNEASY)
    overrides = (
        f"strategies.0.script={json.dumps(str(path))}",
        "strategies.0.params={}",
        "strategies.0.max_errors=1000",
    )
    assert look(("4", "@script_log", *keys), size, overrides=overrides)


def test_a_book_in_coarse_steps_whose_prices_stand(look: Look) -> None:
    assert look(("1", "@book", "z", "minus", "minus", "minus", "down", "down"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog(name: str, size: tuple[int, int], look: Look) -> None:
    assert look(DIALOGS[name], size)


@pytest.mark.parametrize("theme", ["okabe-dark", "paper-light"])
def test_a_theme(theme: str, look: Look) -> None:
    assert look(theme=theme)


@pytest.mark.parametrize("size", SIZES)
def test_without_colour(
    size: tuple[int, int], look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(size=size)


@pytest.mark.parametrize("size", SIZES)
def test_in_ascii(size: tuple[int, int], look: Look) -> None:
    assert look(size=size, overrides=('ui.glyphs="ascii"',))


@pytest.mark.parametrize("size", SIZES)
def test_a_chart_with_panes(size: tuple[int, int], look: Look) -> None:
    assert look(("1", "@chart", "z"), size, overrides=(PLOTS,))


def test_the_monitor_with_a_chart_whose_panes_do_not_fit(look: Look) -> None:
    assert look(overrides=(PLOTS,))


def test_two_charts_with_panes_of_their_own(look: Look) -> None:
    second = 'ui.chart2=["supertrend(10, 3)", "adx(14)"]'
    assert look(("1", "@chart2", "t"), (200, 50), overrides=(PLOTS, second))


@pytest.mark.parametrize("size", SIZES)
def test_a_crosshair(size: tuple[int, int], look: Look) -> None:
    assert look(CROSSHAIR, size, overrides=(PLOTS,))


@pytest.mark.parametrize("size", SIZES)
def test_a_chart_without_colour(
    size: tuple[int, int], look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look((*CROSSHAIR, "z"), size, overrides=(PLOTS,))


@pytest.mark.parametrize("size", SIZES)
def test_a_chart_in_ascii(size: tuple[int, int], look: Look) -> None:
    assert look((*CROSSHAIR, "z"), size, overrides=(PLOTS, 'ui.glyphs="ascii"'))


@pytest.mark.parametrize("size", [(60, 15), (39, 9)], ids=["60x15", "39x9"])
def test_the_monitor_at_an_unusual_size(size: tuple[int, int], look: Look) -> None:
    assert look(size=size)


@pytest.mark.parametrize("size", [*SIZES, pytest.param((60, 15), id="60x15")])
def test_a_kill_is_said_where_it_cannot_be_missed(
    size: tuple[int, int], look: Look
) -> None:
    assert look(("1", "ctrl+k", "ctrl+k", "escape"), size)


@pytest.mark.parametrize("size", [(60, 15), (40, 10)], ids=["60x15", "40x10"])
def test_a_ticket_on_a_small_terminal(size: tuple[int, int], look: Look) -> None:
    assert look(DIALOGS["ticket"], size)


def test_what_one_event_has_caused_stays_marked(look: Look) -> None:
    # The last key does nothing: it takes the message away, which a timer would.
    assert look(("1", "space", "comma", "full_stop", "f12"))


def test_a_filter_that_is_being_typed(look: Look) -> None:
    assert look(("1", "slash", "u", "s", "d"))


def test_the_letters_of_a_jump(look: Look) -> None:
    assert look(("1", "ctrl+o"))


@pytest.mark.parametrize(
    "size",
    [
        *SIZES,
        pytest.param(HUGE, id="200x50"),
        pytest.param((60, 15), id="60x15"),
    ],
)
def test_both_sides_of_an_account(size: tuple[int, int], look: Look) -> None:
    assert look(("1", "j"), size, prepare=change_behind)


def test_both_sides_in_ascii(look: Look) -> None:
    ascii = ('ui.glyphs="ascii"',)
    assert look(("1", "j"), SMALL, prepare=change_behind, overrides=ascii)


def test_both_sides_without_colour(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert look(("1", "j", "end"), SMALL, prepare=change_behind)


def test_an_account_with_nothing_open_and_nothing_held(look: Look) -> None:
    assert look(("1", "j"), SMALL, since=0, until=0, prepare=ask)


@pytest.mark.parametrize("size", [*SIZES, pytest.param((60, 15), id="60x15")])
@pytest.mark.parametrize("name", SETTLED)
def test_what_is_made_of_a_line(name: str, size: tuple[int, int], look: Look) -> None:
    assert look(("1", "j", *SETTLED[name]), size, prepare=change_behind)


def test_a_run_in_which_nothing_has_happened_yet(look: Look) -> None:
    assert look(since=0, until=0)
