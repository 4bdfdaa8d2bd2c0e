"""The panels of limits and denials: figures, inks, and the key that sets one."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.ui import fakes
from tests.ui.test_app import opened, text_of
from workstation.execution.limits import UNITS
from workstation.model.commands import SetLimit
from workstation.model.limits import Gauge, LimitUnit
from workstation.ui.panels.risk import LIMIT_NAMES, limit_text
from workstation.ui.screens.detail import DetailScreen
from workstation.ui.screens.set_limit import SetLimitScreen

D = Decimal


async def to_risk(app: object, pilot: object) -> None:
    """Open layout 3 with the focus on the limits."""
    await pilot.press("3")  # type: ignore[attr-defined]
    await pilot.pause()  # type: ignore[attr-defined]
    app.layout_screen().focus_panel("risk")  # type: ignore[attr-defined]
    await pilot.pause()  # type: ignore[attr-defined]
    app.bridge.pump_once()  # type: ignore[attr-defined]


async def test_each_limit_says_what_is_used_of_it() -> None:
    async with opened(size=(120, 40)) as (app, pilot, _):
        await to_risk(app, pilot)
        text = text_of(app)
        assert "Risk 6  1 exceeded" in text
        assert "day loss      4,210   5,000 ━━━━─   84%" in text
        assert "drawdown       3.1%   10.0% ━────   31%" in text
        assert "position     61,686  50,000 ━━━━━  123%" in text
        assert "one order         ·  25,000           ·" in text
        assert "venue         4,210    none           ·" in text


async def test_denials_say_when_who_and_below_the_cursor_why() -> None:
    async with opened(size=(200, 50)) as (app, pilot, _):
        await to_risk(app, pilot)
        text = text_of(app)
        assert "Denied 7" in text
        assert "23:55:12 BTCUSDT  MAX_POSITION_VALUE" in text
        assert "position 1 with 0 pending is worth 61686" in text
        assert "23:54:12 ETHUSDT  PRICE_AWAY_FROM_MARKET" in text
        assert "2544 bp" not in text


async def test_on_a_small_screen_both_are_some_tabs_away() -> None:
    async with opened(size=(80, 24)) as (app, pilot, _):
        await pilot.press("3", "tab", "tab")
        seen = []
        for _ in range(7):
            await pilot.pause()
            app.bridge.pump_once()
            seen.append(text_of(app))
            await pilot.press("tab")
        assert any("AT MOST" in text for text in seen)
        assert any("DENIED" in text for text in seen)


async def test_u_opens_the_dialog_of_the_limit_below_the_cursor() -> None:
    async with opened(size=(120, 40)) as (app, pilot, session):
        await to_risk(app, pilot)
        await pilot.press("down", "u")
        await pilot.pause()
        assert isinstance(app.screen, SetLimitScreen)
        assert app.screen.limit == "max_drawdown"
        await pilot.press("escape")
        assert not any(isinstance(c, SetLimit) for c in session.executed)


async def test_what_equity_carries_cannot_be_set_and_u_says_so() -> None:
    async with opened(size=(120, 40)) as (app, pilot, _):
        await to_risk(app, pilot)
        await pilot.press("down", "down", "down", "u")
        await pilot.pause()
        assert not isinstance(app.screen, SetLimitScreen)
        assert "no limit that can be set is below the cursor" in text_of(app)


async def test_enter_on_a_locked_screen_sets_nothing() -> None:
    async with opened(size=(120, 40)) as (app, pilot, _):
        await to_risk(app, pilot)
        await pilot.press("L", "enter")
        await pilot.pause()
        assert not isinstance(app.screen, SetLimitScreen)
        assert "not set on a locked screen" in text_of(app)


async def test_enter_on_a_denial_tells_all_of_it() -> None:
    text = " ".join(f"word{number}" for number in range(30))
    table = msgspec.structs.replace(
        fakes.risk(),
        denials=(
            msgspec.structs.replace(fakes.risk().denials[0], text=text, role="entry"),
        ),
    )
    made = fakes.frame(risk=table)
    async with opened(size=(80, 24), make=lambda focus: made) as (app, pilot, _):
        await pilot.press("3")
        await pilot.pause()
        layout = app.layout_screen()
        assert layout is not None
        layout.focus_panel("denials")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert " ".join(text_of(app).split()).count("word29") == 1, "below the row"
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        told = " ".join(text_of(app).split())
        assert text in told
        assert "denied by MAX_POSITION_VALUE" in told
        assert "order for entry" in told


@pytest.mark.parametrize(
    ("value", "shown", "bar"),
    [
        ("39943", "99%", "━━━━─"),
        ("40000", "100%", "━━━━━"),
        ("40001", "101%", "━━━━━"),
        # Both are drawn as what they say.
        ("31844", "79%", "━━━──"),
        ("32000", "80%", "━━━━─"),
        ("32300", "80%", "━━━━─"),
        ("1", "0%", "━────"),
    ],
)
async def test_a_limit_is_full_when_it_is_and_the_bar_is_what_the_number_says(
    value: str, shown: str, bar: str
) -> None:
    gauge = Gauge(
        name="max_total_exposure",
        unit=LimitUnit.MONEY,
        value=D(value),
        limit=D(40_000),
    )
    table = msgspec.structs.replace(fakes.risk(), gauges=(gauge,))
    made = fakes.frame(risk=table)
    async with opened(size=(120, 40), make=lambda focus: made) as (app, pilot, _):
        await to_risk(app, pilot)
        (line,) = (each for each in text_of(app).split("\n") if "exposure  " in each)
        assert f"{bar} {shown:>5}" in line


def test_every_limit_has_a_name_here() -> None:
    assert set(LIMIT_NAMES) == {*UNITS, "leverage"}


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (LimitUnit.MONEY, D("61686.4"), "61,686"),
        (LimitUnit.MONEY, D(1_234_567), "1.2M"),
        (LimitUnit.SHARE, D("0.125"), "12.5%"),
        (LimitUnit.RATIO, D("3.25"), "3.2"),
        (LimitUnit.COUNT, D(12), "12"),
        (LimitUnit.BPS, None, "·"),
    ],
)
def test_a_figure_is_written_by_its_unit(
    unit: LimitUnit, value: Decimal | None, text: str
) -> None:
    assert limit_text(unit, value, 7) == text


def test_a_limit_of_nothing_is_full_as_soon_as_there_is_something() -> None:
    def share(value: int) -> Decimal | None:
        unit = LimitUnit.BPS
        return Gauge(name="x", unit=unit, value=D(value), limit=D(0)).share

    assert (share(0), share(1)) == (D(0), D(1))
    assert fakes.gauge(limit=None).share is None
