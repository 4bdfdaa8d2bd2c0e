"""The dialog of a limit: checked as typed, what it lets pass, the command it sends."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.ui import fakes
from tests.ui.screens.scenes import FakeEngine, Fuse, Host, frame, text_of
from workstation.model.commands import SetLimit
from workstation.model.limits import Gauge, LimitUnit
from workstation.ui.screens.fields import TextField
from workstation.ui.screens.ritual import Verb
from workstation.ui.screens.set_limit import (
    SetLimitScreen,
    exact_limit,
    limit_sentence,
    wrong_limit,
)

D = Decimal
ORDER = fakes.gauge("max_order_value", value=None, limit=D(25_000))
POSITION = fakes.gauge("max_position_value", value=D(30_000), limit=D(50_000))
LOSS = fakes.gauge()


def dialog_on(name: str) -> tuple[FakeEngine, Fuse, SetLimitScreen]:
    engine, fuse = FakeEngine(), Fuse()
    base = frame(risk=fakes.risk())
    return engine, fuse, SetLimitScreen(base, engine.execute, name, timer=fuse)


@pytest.mark.parametrize(
    ("unit", "text", "wrong"),
    [
        (LimitUnit.MONEY, "25,000", ""),
        (LimitUnit.MONEY, "none", ""),
        (LimitUnit.MONEY, "", "a number, or none"),
        (LimitUnit.MONEY, "much", "a number, or none"),
        (LimitUnit.MONEY, "0", "must be more than 0"),
        (LimitUnit.BPS, "0", ""),
        (LimitUnit.BPS, "-1", "must be 0 or more"),
        (LimitUnit.MONEY, "-1", "must be more than 0"),
        (LimitUnit.MONEY, "1e-30", "too large, or finer than 18 decimals"),
        (LimitUnit.COUNT, "1.5", "must be a whole number"),
        (LimitUnit.SHARE, "1", ""),
        (LimitUnit.SHARE, "5", "must be a share, at most 1"),
    ],
)
def test_a_limit_is_checked_as_it_is_typed(
    unit: LimitUnit, text: str, wrong: str
) -> None:
    assert wrong_limit(unit, text) == wrong


@pytest.mark.parametrize(
    ("unit", "value", "said"),
    [
        (LimitUnit.MONEY, D("100000.00"), "100,000"),
        (LimitUnit.MONEY, D("0.4"), "0.4"),
        (LimitUnit.SHARE, D("0.1"), "10.0%"),
        (LimitUnit.SHARE, D("0.00012"), "0.012%"),
        (LimitUnit.RATIO, D(50), "50.0"),
        (LimitUnit.BPS, D(0), "0"),
        (LimitUnit.COUNT, None, "none"),
    ],
)
def test_a_limit_is_said_with_every_digit_it_has(
    unit: LimitUnit, value: Decimal | None, said: str
) -> None:
    assert exact_limit(unit, value) == said


async def test_a_limit_that_stays_offers_nothing() -> None:
    engine, fuse, dialog = dialog_on("max_position_value")
    async with Host(dialog).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert "max_position_value stays" in text
        assert "[ Tighten ]" in text
        go = dialog.query_one("#go", Verb)
        assert not go.ready
        go.focus()
        await pilot.press("enter", "y")
        assert engine.commands == []
        dialog.query_one("#limit", TextField).entry.value = "1"
        await pilot.pause()
        assert "[ Tighten to 1 ]" in text_of(dialog)
        assert go.ready


@pytest.mark.parametrize(
    ("gauge", "after", "said"),
    [
        (
            ORDER,
            D(40_000),
            "max_order_value goes from 25,000 to 40,000. It lets 15,000 more pass.",
        ),
        (
            ORDER,
            None,
            "max_order_value goes from 25,000 to none. Nothing bounds it any more.",
        ),
        (
            ORDER,
            D(10_000),
            "max_order_value goes from 25,000 to 10,000. It lets less pass.",
        ),
        (ORDER, D(25_000), "max_order_value stays 25,000."),
        (
            ORDER,
            D("1e-9"),
            "max_order_value goes from 25,000 to 0.000000001. It lets less pass.",
        ),
        (
            ORDER,
            D("25000.5"),
            "max_order_value goes from 25,000 to 25,000.5. It lets 0.5 more pass.",
        ),
        (
            POSITION,
            D(60_000),
            "max_position_value goes from 50,000 to 60,000. It lets 10,000 more pass. "
            "30,000 is 50% of it.",
        ),
        (
            POSITION,
            D(20_000),
            "max_position_value goes from 50,000 to 20,000. It lets less pass. 30,000 "
            "is more: entries are denied at once.",
        ),
        (
            LOSS,
            D(4_000),
            "max_daily_loss goes from 5,000 to 4,000. It lets less pass. 4,210 is "
            "more: the breaker trips at once and climbs to cancel.",
        ),
    ],
)
def test_the_sentence_says_what_passes(
    gauge: Gauge, after: Decimal | None, said: str
) -> None:
    assert limit_sentence(gauge, after, "cancel") == said


async def typed(text: str, name: str = "max_order_value") -> list[SetLimit]:
    """Type a limit, go on with ``y``, and return what was sent."""
    engine, fuse, dialog = dialog_on(name)
    async with Host(dialog).run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        entry = dialog.query_one("#limit", TextField).entry
        assert dialog.focused is entry
        entry.value = text
        await pilot.pause()
        fuse.fire()
        await pilot.press("tab", "tab", "y")
        await pilot.pause()
    return [each for each in engine.commands if isinstance(each, SetLimit)]


async def test_a_tighter_limit_is_sent_as_it_is() -> None:
    (sent,) = await typed("20,000")
    assert (sent.name, sent.value, sent.confirmed) == (
        "max_order_value",
        D(20_000),
        False,
    )
    assert sent.seen_seq is not None


@pytest.mark.parametrize(("text", "value"), [("30000", D(30_000)), ("none", None)])
async def test_a_looser_limit_is_confirmed_by_its_sentence(
    text: str, value: Decimal | None
) -> None:
    (sent,) = await typed(text)
    assert (sent.value, sent.confirmed) == (value, True)


@pytest.mark.parametrize("text", ["25000", "0", "x"])
async def test_what_changes_nothing_or_is_wrong_is_not_sent(text: str) -> None:
    assert await typed(text) == []


async def test_a_limit_is_tightened_where_there_is_none() -> None:
    (sent,) = await typed("1000", "max_venue_exposure")
    assert (sent.value, sent.confirmed) == (D(1000), False)


async def test_the_verb_says_which_way_and_how_far() -> None:
    _, fuse, dialog = dialog_on("max_drawdown")
    async with Host(dialog).run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        entry = dialog.query_one("#limit", TextField).entry
        entry.value = "0.2"
        await pilot.pause()
        fuse.fire()
        await pilot.pause()
        text = text_of(dialog)
        assert "[ Loosen to 20.0% ]" in text
        assert "Tighten" not in text
        assert "max_drawdown goes from 10.0% to 20.0%" in text
        entry.value = "0.05"
        await pilot.pause()
        assert "[ Tighten to 5.0% ]" in text_of(dialog)
        assert not dialog.query_one("#loosen", Verb).display
