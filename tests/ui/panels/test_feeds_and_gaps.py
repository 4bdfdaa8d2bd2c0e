"""Feeds and gaps: what is doubted is named, and enter drills down to the ledger."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.ui import fakes
from tests.ui.test_app import layout_of, opened, text_of
from workstation.engine.frames import BookCount, Frame, GapRow
from workstation.model.states import BookTrust
from workstation.ui.screens.detail import DetailScreen

S = fakes.S


def book(symbol: str, **changes: Any) -> BookCount:
    values: dict[str, Any] = {
        "symbol": symbol,
        "decimals": 2,
        "update_id": 4711,
        "bid": (1.0, 2.0),
        "ask": (2.0, 1.0),
        "bid_levels": 10,
        "ask_levels": 12,
        "trust": BookTrust.TRUSTED,
        "applied": 1_200,
        "dropped": 0,
        "gaps": 0,
        "crossed": 0,
    }
    return BookCount(**{**values, **changes})


def gap(symbol: str, ago_s: int, **changes: Any) -> GapRow:
    values: dict[str, Any] = {
        "ts": fakes.NOW - ago_s * S,
        "instrument": symbol,
        "feed": "market",
        "reason": "gap: expected update 4711, got 4719",
        "expected": 4711,
        "got": 4719,
        "until_ns": fakes.NOW - ago_s * S + 2 * S,
        "tries": 1,
        "asked": True,
        "mended": "snapshot 4720 and 3 buffered differences",
    }
    return GapRow(**{**values, **changes})


GAPS = (
    gap("SOLUSDT", 32, until_ns=None, tries=2, mended=""),
    gap("BTCUSDT", 600, feed="other"),
    gap("ADAUSDT", 900),
)
FEED = fakes.feed_row(
    gaps=3,
    worst_symbol="SOLUSDT",
    worst_ns=32 * S,
    books_ok=7,
    book_count=8,
    distrusted="SOLUSDT book untrusted: gap: expected update 4711, got 4719",
    books=(
        book("BTCUSDT"),
        book(
            "SOLUSDT",
            trust=BookTrust.UNTRUSTED,
            reason="gap: expected update 4711, got 4719",
            gaps=3,
        ),
    ),
)


def made(focus: object = None) -> Frame:
    return fakes.frame(feeds=(FEED,), gaps=GAPS)


@pytest.mark.parametrize("size", [(120, 40), (200, 50)])
async def test_a_feed_names_the_book_that_is_not_trusted_and_why(
    size: tuple[int, int],
) -> None:
    async with opened(make=made, size=size) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        text = text_of(app)
    assert "▸!market " in text
    assert "SOLUSDT 32s" in text
    assert "7/8" in text
    assert "SOLUSDT book unt" in text


async def test_a_feed_s_own_error_is_worse_than_a_book_s() -> None:
    bad = msgspec.structs.replace(FEED, last_error="line 7: text in a number")
    async with opened(make=lambda focus: fakes.frame(feeds=(bad,))) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        assert "line 7: text in" in text_of(app)


async def test_at_80_columns_a_feed_has_what_matters() -> None:
    async with opened(make=made, size=(80, 24)) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        lines = text_of(app).split("\n")
    head = next(line for line in lines if "FEED" in line)
    for word in ("STATE", "EVENTS/s", "AGE", "BOOKS", "GAPS", "LAST ERROR"):
        assert word in head


async def test_open_gaps_are_counted_in_the_title_and_marked() -> None:
    async with opened(make=made) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("gaps")
        await pilot.press("z")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        lines = text_of(app).split("\n")
    assert "━ Gaps 3  open 1 ━" in lines[3]
    assert lines[5].startswith(
        "▸!23:54:40.0 SOLUSDT   32s        4711        4719     2"
    )
    assert lines[6].rstrip().endswith("  gap; snapshot 4720 and 3 buffered differences")
    assert lines[6].startswith("  23:45:12.0 BTCUSDT  2.0s")


async def test_enter_on_a_gap_opens_it_and_focuses_its_symbol() -> None:
    async with opened(make=made) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("gaps")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        text = text_of(app)
        assert "Gap SOLUSDT 23:54:40.0" in text
        assert "missing       8 updates" in text
        assert "mending       Resync try 2 in 4 s." in text
        assert "Nothing trades on this book" in text
        assert "Book now" in text
        assert app.focus_row is not None
        assert app.focus_row.instrument == "SOLUSDT"
        await pilot.press("escape")
        await pilot.press("down", "enter")
        await pilot.pause()
        assert "mended by     snapshot 4720 and 3 buffered" in text_of(app)


async def test_enter_on_a_feed_drills_down_to_its_books_and_gaps() -> None:
    async with opened(make=made, size=(120, 50)) as (app, pilot, session):
        await pilot.press("2")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        lines = text_of(app).split("\n")
        text = "\n".join(lines)
        assert "books         7 of 8 trusted" in text
        assert "─ Books not trusted 1 ─" in text
        assert "─ Books trusted 1 ─" in text
        # What is wrong stands first.
        assert text.index("SOLUSDT       1.00") < text.index("BTCUSDT       1.00")
        untrusted = lines.index(next(n for n in lines if "  untrusted" in n))
        assert lines[untrusted + 1].strip() == "gap: expected update 4711, got 4719"
        # The ledger of this feed alone.
        assert "─ Gap ledger 2 ─" in text
        assert "open 32 s  want 4711 got 4719  tries 2" in text
        assert "mended after 2.0 s" in text
        app.bridge_now()
        assert {"feeds", "feed_books", "gaps"} <= session.asked[-1]
        # It follows the frames: the pump asks for what the detail shows.
        app.bridge.pump_once()
        app.bridge_now()
        assert {"feeds", "feed_books", "gaps"} <= session.asked[-1]


async def test_a_drill_down_is_filtered_scrolled_and_left_by_steps() -> None:
    many = msgspec.structs.replace(
        FEED, books=tuple(book(f"S{n}USDT") for n in range(40))
    )
    async with opened(make=lambda focus: fakes.frame(feeds=(many,), gaps=GAPS)) as (
        app,
        pilot,
        _,
    ):
        await pilot.press("2")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        first = text_of(app)
        await pilot.press("pagedown")
        await pilot.pause()
        assert text_of(app) != first
        await pilot.press("slash", *"s17")
        await pilot.pause()
        text = text_of(app)
        assert "S17USDT" in text
        assert "S16USDT" not in text
        assert "/s17" in text
        await pilot.press("enter")
        await pilot.pause()
        assert "S17USDT" in text_of(app)
        # Frames do not undo it.
        app.bridge.pump_once()
        await pilot.pause()
        assert "S16USDT" not in text_of(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "/s17" not in text_of(app)
        assert isinstance(app.screen, DetailScreen)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, DetailScreen)


async def test_escape_in_the_filter_of_a_detail_clears_it() -> None:
    async with opened(make=made) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("slash", *"sol", "escape")
        await pilot.pause()
        assert isinstance(app.screen, DetailScreen)
        assert app.screen.bar.value == ""
        assert "BTCUSDT" in text_of(app)


async def test_a_gap_that_the_ledger_has_let_go_says_so() -> None:
    session = fakes.FakeSession(made)
    async with opened(session=session) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("gaps")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        session.make = lambda focus: fakes.frame(feeds=(FEED,), gaps=())
        app.bridge.pump_once()
        await pilot.pause()
        assert "no longer in the ledger" in text_of(app)


async def test_a_gap_of_a_recording_says_that_its_feed_cannot_be_asked() -> None:
    alone = gap("LTCUSDT", 5, until_ns=None, asked=False, tries=0, mended="")
    frame = fakes.frame(feeds=(FEED,), gaps=(alone,))
    async with opened(make=lambda focus: frame) as (app, pilot, _):
        await pilot.press("2")
        await pilot.pause()
        layout_of(app).focus_panel("gaps")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        assert "its feed cannot be asked" in text_of(app)
