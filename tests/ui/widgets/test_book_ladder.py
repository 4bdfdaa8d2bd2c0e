from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from tests.ui.widgets.host import Host, painted
from workstation.ui.widgets.book_ladder import BookData, BookLadder, BookRow

BOOK = BookData(
    asks=(
        BookRow(61_686.00, 2.293, 2.293),
        BookRow(61_686.05, 0.844, 3.137),
        BookRow(61_686.12, 0.310, 3.447),
    ),
    bids=(
        BookRow(61_685.99, 1.009, 1.009),
        BookRow(61_685.90, 0.512, 1.521, "buy 1.000"),
        BookRow(61_685.71, 0.077, 1.598),
    ),
    spread="0.01  0.0 bp",
    facts=("imbalance −0.38", "micro 61,685.9931"),
    mine=("mine: none near",),
)


def deep(shift: float = 0.0, levels: int = 50) -> BookData:
    """Return a book of whole prices around 100, ``shift`` higher."""
    asks = tuple(BookRow(101.0 + shift + n, 1.0) for n in range(levels))
    bids = tuple(BookRow(100.0 + shift - n, 1.0) for n in range(levels))
    return BookData(asks, bids, decimals=0, spread="1", key="X/1")


def prices(ladder: BookLadder) -> list[str]:
    return [text[2:].split()[0] for text in painted(ladder) if text.strip()]


async def test_the_ladder_is_the_one_of_the_sketch() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(21, 12)) as pilot:
        ladder.set_book(BOOK)
        await pilot.pause()
        lines = [text.rstrip() for text in painted(ladder)]
        assert lines[0] == "  61,686.12  0.310 ▎"
        # A full bar is 3: the next round size above the largest.
        assert lines[2] == "  61,686.00  2.293 █▌"
        assert lines[3] == "  spread 0.01  0.0 bp"
        assert lines[4] == "  61,685.99  1.009 ▋"
        assert lines[5] == " ◆61,685.90  0.512 ▍"
        assert lines[7:] == [
            "",
            "  imbalance −0.38",
            "  micro 61,685.9931",
            "  mine: none near",
            "",
        ]


async def test_a_wide_ladder_has_sums_and_says_what_is_ours() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(80, 12)) as pilot:
        ladder.set_book(BOOK)
        await pilot.pause()
        lines = [text.rstrip() for text in painted(ladder)]
        head = "      PRICE   SIZE  TOTAL  SIZE, full 3"
        assert lines[0] == head.ljust(66) + "MINE"
        assert lines[1].startswith("  61,686.12  0.310  3.447  ███▉")
        assert lines[6] == (
            " ◆61,685.90  0.512  1.521  ██████▍".ljust(66) + "buy 1.000"
        )
        assert lines[9] == "  imbalance −0.38  micro 61,685.9931"


async def test_an_untrusted_book_says_so_and_keeps_no_derived_figure() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(24, 14)) as pilot:
        ladder.set_book(BOOK)
        await pilot.pause()
        bright = ladder.render_line(0)
        why = "gap: expected update 4711, got 4719"
        bad = replace(BOOK, trusted=False, flag="untrusted 32 s", why=why)
        ladder.set_book(bad)
        await pilot.pause()
        text = "\n".join(line.rstrip() for line in painted(ladder))
        assert "! untrusted 32 s" in text
        # Wrapped, never cut: the reason is what one looks for.
        assert "gap: expected update\n  4711, got 4719" in text
        assert "imbalance" not in text
        assert ladder.render_line(0).text == bright.text
        assert ladder.render_line(0) != bright


async def test_the_cursor_stays_on_its_price_and_enter_gives_it() -> None:
    ladder = BookLadder()
    app = Host(ladder)
    async with app.run_test(size=(24, 12)) as pilot:
        ladder.set_book(BOOK)
        ladder.focus()
        await pilot.press("down", "down")
        assert ladder.cursor_row == ("bid", BOOK.bids[1])
        # A better bid comes: the cursor does not slip to another price.
        better = replace(BOOK, bids=(BookRow(61_685.995, 1.0), *BOOK.bids))
        ladder.set_book(better)
        assert ladder.cursor_row == ("bid", BOOK.bids[1])
        # Its level goes: the nearest one of the side has the cursor.
        ladder.set_book(replace(BOOK, bids=(BOOK.bids[0], BOOK.bids[2])))
        assert ladder.cursor_row == ("bid", BOOK.bids[0])
        ladder.set_book(BOOK)
        await pilot.press("up", "up", "enter")
        await pilot.click(ladder, offset=(4, 0))
        assert ladder.cursor_row == ("ask", BOOK.asks[2])
        await pilot.double_click(ladder, offset=(4, 6))
        await pilot.pause()
        chosen = [
            (m.side, m.price)
            for m in app.heard
            if isinstance(m, BookLadder.PriceSelected)
        ]
        assert chosen == [("ask", "61,686.00"), ("bid", "61,685.71")]
        await pilot.press("home")
        assert ladder.cursor_row == ("ask", BOOK.asks[2])


async def test_prices_stand_still_from_the_first_move_until_it_follows() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(24, 11)) as pilot:
        ladder.set_book(deep())
        ladder.focus()
        await pilot.pause()
        assert prices(ladder)[:2] == ["105", "104"]
        ladder.set_book(deep(2.0))
        await pilot.pause()
        assert prices(ladder)[0] == "107"
        assert ladder.following
        await pilot.press("down")
        assert not ladder.following
        ladder.set_book(deep(5.0))
        await pilot.pause()
        assert prices(ladder)[0] == "107"
        ladder.following = True
        await pilot.pause()
        assert prices(ladder)[0] == "110"
        assert ladder.cursor_row is None


async def test_the_cursor_moves_the_window_over_levels_beyond_it() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(24, 11)) as pilot:
        ladder.set_book(deep())
        ladder.focus()
        await pilot.press("end")
        await pilot.pause()
        assert prices(ladder)[-1] == "51"
        await pilot.press("home")
        await pilot.pause()
        assert prices(ladder)[0] == "150"
        await pilot.press("pagedown")
        await pilot.pause()
        assert ladder.cursor_row is not None
        assert ladder.cursor_row[1].at == 140.0
        assert "140" in prices(ladder)


async def test_another_symbol_or_step_begins_anew() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(24, 11)) as pilot:
        ladder.set_book(deep())
        ladder.focus()
        await pilot.press("down")
        ladder.set_book(replace(deep(), key="Y/1"))
        assert ladder.following
        assert ladder.cursor_row is None


async def test_bars_keep_their_scale_while_sizes_breathe() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(30, 11)) as pilot:
        for size in (9.0, 5.0, 7.0, 4.0):
            rows = (BookRow(100.0, size),)
            ladder.set_book(BookData(asks=rows, bids=rows, key="X/1"))
            await pilot.pause()
            assert ladder.scale == 10.0
        rows = (BookRow(100.0, 11.0),)
        ladder.set_book(BookData(asks=rows, bids=rows, key="X/1"))
        await pilot.pause()
        assert ladder.scale == 15.0


@pytest.mark.parametrize(
    "size", [(21, 3), (21, 5), (10, 4), (60, 40), (1, 1), (80, 2), (56, 9)]
)
async def test_any_size_is_filled_in_its_width(size: tuple[int, int]) -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=size) as pilot:
        ladder.focus()
        for book in (BOOK, deep(), replace(BOOK, trusted=False, why="x" * 99)):
            ladder.set_book(book)
            await pilot.press("down", "end", "pageup", "home")
            assert {cell_len(text) for text in painted(ladder)} == {size[0]}


@pytest.mark.parametrize("side", ["asks", "bids"])
async def test_a_book_of_one_side_moves_and_draws(side: str) -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(24, 11)) as pilot:
        one = replace(BOOK, asks=()) if side == "asks" else replace(BOOK, bids=())
        ladder.set_book(one)
        ladder.focus()
        await pilot.press("down", "up", "end", "home", "pagedown")
        found = ladder.cursor_row
        assert found is not None
        assert found[0] == ("bid" if side == "asks" else "ask")


async def test_without_a_book_the_reason_is_shown() -> None:
    ladder = BookLadder(empty=("No book yet.",))
    async with Host(ladder).run_test(size=(40, 6)) as pilot:
        assert "No book yet." in painted(ladder)[1]
        ladder.set_book(
            BookData(trusted=False, flag="syncing", why="waiting for a snapshot")
        )
        await pilot.press("down", "enter")
        text = "\n".join(painted(ladder))
        assert "! syncing" in text
        assert "waiting for a snapshot" in text
