"""The book panel: trust in words, own orders, price steps, standing still."""

from __future__ import annotations

import msgspec
import pytest

from tests.ui import fakes
from tests.ui.test_app import layout_of, opened, text_of
from workstation.engine.frames import BookFrame, Focus, Frame, OwnLevel
from workstation.model.states import BookTrust
from workstation.ui.app import WorkstationApp
from workstation.ui.panels.book import BookPanel

S = fakes.S


def panel_of(app: WorkstationApp) -> BookPanel:
    panel = layout_of(app).panels["book"]
    assert isinstance(panel, BookPanel)
    return panel


class Books:
    """Frames with the book a test puts in, in the steps the focus asks for."""

    def __init__(self, book: BookFrame) -> None:
        self.book = book
        self.session = fakes.FakeSession(self.make)

    def make(self, focus: Focus | None) -> Frame:
        group = 1 if focus is None else focus.group
        return fakes.frame(book=msgspec.structs.replace(self.book, group=group))


UNTRUSTED = fakes.book(
    trust=BookTrust.UNTRUSTED,
    reason="gap: expected update 4711, got 4719",
    distrust="book untrusted: gap: expected update 4711, got 4719",
    distrust_ns=32 * S,
)
STALE = fakes.book(distrust="quote 7.0 s old, limit 5.0 s", distrust_ns=7 * S)


async def test_the_narrow_book_of_the_monitor_stands_as_sketched() -> None:
    async with opened() as (app, _, _):
        lines = [line[62:83].rstrip() for line in text_of(app).split("\n")[13:27]]
    assert lines[0] == "─ Book ──── trusted ─"
    assert lines[1] == "  61,686.12  0.310 ▎"
    assert lines[4] == "  spread 0.01  0.0 bp"
    assert lines[5] == "  61,685.99  1.009 ▋"
    assert lines[9:12] == ["  imbalance −0.38", "  micro 61,685.9931", "  mine: none"]


@pytest.mark.parametrize("size", [(120, 40), (200, 50), (80, 24)])
async def test_an_untrusted_book_says_in_words_why_and_since_when(
    size: tuple[int, int],
) -> None:
    books = Books(UNTRUSTED)
    async with opened(session=books.session, size=size) as (app, pilot, _):
        if size == (80, 24):
            layout_of(app).focus_panel("book")
            await pilot.pause()
            app.bridge.pump_once()
            await pilot.pause()
        ladder = panel_of(app).ladder
        rows = [ladder.render_line(y).text for y in range(ladder.size.height)]
        text = " ".join("\n".join(rows).split())
        title = panel_of(app).rule.render_line(0).text
    assert "! untrusted 32 s gap: expected update 4711, got 4719" in text
    assert "! Book" in title
    assert "imbalance" not in text
    # The last levels stay, dimmed.
    assert "61,685.99" in text


async def test_a_stale_book_is_not_shown_as_a_trusted_one() -> None:
    books = Books(STALE)
    async with opened(session=books.session, size=(200, 50)) as (app, _, _):
        text = text_of(app)
        assert "! Book ─" in text
        assert " stale ─" in text
        assert "! stale 7.0 s" in text
        assert "quote 7.0 s old" in text


async def test_a_book_that_waits_for_its_snapshot_says_so() -> None:
    waiting = fakes.book(
        trust=BookTrust.SYNCING,
        reason="waiting for a snapshot",
        distrust="book syncing: waiting for a snapshot",
        bids=(),
        asks=(),
    )
    async with opened(session=Books(waiting).session) as (app, _, _):
        assert "! syncing" in text_of(app)
        assert "waiting for a" in text_of(app)


OWN = (
    OwnLevel(price=64_770.0, side=-1, quantity=1.0, held=True),
    OwnLevel(price=61_685.90, side=1, quantity=0.25, held=False),
    OwnLevel(price=61_685.80, side=1, quantity=0.5, held=False),
)


async def test_own_orders_stand_at_their_price_with_side_and_quantity() -> None:
    books = Books(fakes.book(mine=OWN))
    async with opened(session=books.session) as (app, pilot, _):
        narrow = text_of(app)
        # One where nobody else stands has a level of its own.
        assert "◆61,685.90  0.512 " in narrow
        assert "◆61,685.80      ·" in narrow
        assert "  buy 0.250 0.0%" in narrow
        assert "  and 1 more" in narrow
        layout_of(app).focus_panel("book")
        await pilot.press("z")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        lines = text_of(app).split("\n")
    mine = [line.rstrip() for line in lines if line.rstrip().endswith("buy 0.250")]
    assert mine[0].startswith(" ◆61,685.90  0.512  1.521  ")
    assert "  mine: buy 0.250 @ 61,685.90  0.00%" in "\n".join(lines)


async def test_an_own_order_beyond_the_levels_is_a_line_with_its_distance() -> None:
    books = Books(fakes.book(mine=OWN[:1]))
    async with opened(session=books.session) as (app, _, _):
        text = text_of(app)
    assert "◆" not in text.split("Orders")[0].split("Book")[1]
    assert "  sell 1.000 held +5%" in text


async def test_plus_and_minus_scale_the_steps_and_the_symbol_keeps_them() -> None:
    books = Books(fakes.book())
    async with opened(session=books.session) as (app, pilot, session):
        layout_of(app).focus_panel("book")
        await pilot.pause()
        await pilot.press("minus", "minus", "minus")
        await pilot.pause()
        assert session.focuses[-1] is not None
        assert session.focuses[-1].group == 10
        assert "step 0.10" in text_of(app)
        await pilot.press("plus")
        assert session.focuses[-1] is not None
        assert session.focuses[-1].group == 5
        layout_of(app).focus_panel("symbols")
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        assert app.focus_row is not None
        assert app.focus_row.group == 1
        await pilot.press("up")
        await pilot.pause()
        assert app.focus_row.group == 5


async def test_the_finest_step_is_one_tick_and_says_so() -> None:
    async with opened(session=Books(fakes.book()).session) as (app, pilot, _):
        layout_of(app).focus_panel("book")
        await pilot.pause()
        await pilot.press("plus")
        await pilot.pause()
        assert "A step of the book is one tick already." in text_of(app)
        for _ in range(12):
            await pilot.press("minus")
        await pilot.pause()
        assert "A step of the book is 1,000 ticks already." in text_of(app)


async def test_a_pinned_book_has_its_own_steps() -> None:
    books = Books(fakes.book())
    async with opened(session=books.session) as (app, pilot, _):
        layout_of(app).focus_panel("book")
        await pilot.pause()
        await pilot.press("w")
        layout_of(app).focus_panel("symbols")
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        layout_of(app).focus_panel("book")
        await pilot.pause()
        await pilot.press("minus")
        await pilot.pause()
        pinned = panel_of(app).pinned
        assert pinned is not None
        assert (pinned.instrument, pinned.group) == ("BTCUSDT", 2)
        assert app.focus_row is not None
        assert (app.focus_row.instrument, app.focus_row.group) == ("ETHUSDT", 1)


async def test_moving_holds_the_prices_and_f_follows_again() -> None:
    books = Books(fakes.book())
    async with opened(session=books.session, size=(200, 50)) as (app, pilot, _):
        layout_of(app).focus_panel("book")
        await pilot.pause()
        await pilot.press("down")
        await pilot.pause()
        assert not panel_of(app).ladder.following
        assert " held ━" in text_of(app)
        assert panel_of(app).copy_text() == "bid\t61685.99\t1.009"
        await pilot.press("z")
        await pilot.pause()
        assert "held  f follows  trusted ━" in text_of(app)
        await pilot.press("f")
        await pilot.pause()
        assert panel_of(app).ladder.following
        assert "held" not in text_of(app).split("Orders")[0]


async def test_page_and_edge_keys_move_over_the_levels() -> None:
    async with opened(session=Books(fakes.book()).session) as (app, pilot, _):
        layout_of(app).focus_panel("book")
        await pilot.pause()
        await pilot.press("home")
        assert panel_of(app).copy_text().startswith("ask\t61686.12")
        await pilot.press("end")
        assert panel_of(app).copy_text().startswith("bid\t61685.71")
        await pilot.press("pageup")
        assert panel_of(app).copy_text().startswith("ask\t61686.12")
        await pilot.press("up", "down", "pagedown")
        assert panel_of(app).copy_text().startswith("bid\t61685.71")


async def test_a_wide_book_names_what_it_derives() -> None:
    async with opened(session=Books(fakes.book()).session) as (app, pilot, _):
        layout_of(app).focus_panel("book")
        await pilot.press("z")
        await pilot.pause()
        app.bridge.pump_once()
        await pilot.pause()
        text = text_of(app)
    assert "imbalance of 5 levels −0.38  microprice 61,685.9931" in text
    assert "PRICE   SIZE  TOTAL  SIZE, full 3" in text


async def test_a_stop_stands_where_its_price_is_not_where_its_side_is() -> None:
    stops = (
        OwnLevel(price=61_685.80, side=-1, quantity=1.0, held=True),
        OwnLevel(price=61_686.07, side=1, quantity=2.0, held=True),
        OwnLevel(price=60_209.12, side=-1, quantity=3.0, held=True),
    )
    books = Books(fakes.book(mine=stops))
    async with opened(session=books.session, size=(200, 50)) as (app, _, _):
        ladder = panel_of(app).ladder
        rows = [ladder.render_line(y).text[1:11] for y in range(9)]
    assert rows == [
        *(" 61,686.12", "◆61,686.07", " 61,686.05", " 61,686.00"),
        " spread 0.",
        *(" 61,685.99", " 61,685.90", "◆61,685.80", " 61,685.71"),
    ]


async def test_own_orders_inside_the_spread_stand_on_their_side() -> None:
    inside = (
        OwnLevel(price=61_685.995, side=-1, quantity=1.0, held=False),
        OwnLevel(price=61_685.992, side=1, quantity=2.0, held=False),
    )
    book = fakes.book(mine=inside, tick=0.001, decimals=3)
    async with opened(session=Books(book).session, size=(200, 50)) as (app, _, _):
        ladder = panel_of(app).ladder
        rows = [ladder.render_line(y).text[1:12] for y in range(9)]
    at = next(n for n, row in enumerate(rows) if "spread" in row)
    assert rows[at - 1] == "◆61,685.995"
    assert rows[at + 1] == "◆61,685.992"


async def test_in_coarse_steps_own_orders_fall_into_the_step_of_their_price() -> None:
    mine = (
        OwnLevel(price=61_685.74, side=1, quantity=1.0, held=False),
        OwnLevel(price=61_686.04, side=-1, quantity=1.0, held=False),
    )
    book = fakes.book(
        mine=mine,
        bids=((61_685.90, 1.5), (61_685.70, 0.1)),
        asks=((61_686.00, 2.0), (61_686.10, 1.0)),
    )
    books = Books(book)
    async with opened(session=books.session) as (app, pilot, _):
        layout_of(app).focus_panel("book")
        await pilot.pause()
        await pilot.press("minus", "minus", "minus")
        await pilot.pause()
        text = text_of(app)
    assert "◆61,685.70  0.100" in text
    assert "◆61,686.10  1.000" in text
