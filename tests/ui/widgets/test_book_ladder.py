from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.ui.widgets.host import Host, painted
from workstation.ui.widgets.book_ladder import BookData, BookLadder, BookRow


def level(price: str, amount: float, own: str = "") -> BookRow:
    return BookRow(price, f"{amount:.3f}", amount, own)


BOOK = BookData(
    asks=(
        level("61,686.00", 2.293),
        level("61,686.05", 0.844),
        level("61,686.12", 0.310),
    ),
    bids=(
        level("61,685.99", 1.009),
        level("61,685.90", 0.512, "1.000"),
        level("61,685.71", 0.077),
    ),
    spread="0.01  0.0 bp",
    facts=("imbalance −0.38", "micro 61,685.9931"),
    mine="mine: none near",
)


async def test_the_ladder_is_the_one_of_the_sketch() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(21, 12)) as pilot:
        ladder.set_book(BOOK)
        await pilot.pause()
        lines = [text.rstrip() for text in painted(ladder)]
        assert lines[0] == "  61,686.12  0.310 ▎"
        assert lines[2] == "  61,686.00  2.293 ██"
        assert lines[3] == "  spread 0.01  0.0 bp"
        assert lines[4] == "  61,685.99  1.009 ▉"
        assert lines[5] == " ◆61,685.90  0.512 ▌"
        assert lines[7:] == [
            "",
            "  imbalance −0.38",
            "  micro 61,685.9931",
            "  mine: none near",
            "",
        ]


async def test_an_untrusted_book_says_so_and_keeps_no_derived_figure() -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=(24, 12)) as pilot:
        ladder.set_book(BOOK)
        await pilot.pause()
        bright = ladder.render_line(0)
        bad = BookData(
            BOOK.asks, BOOK.bids, BOOK.spread, BOOK.facts, trusted=False, why="gap 32 s"
        )
        ladder.set_book(bad)
        await pilot.pause()
        text = "\n".join(painted(ladder))
        assert "! untrusted" in text
        assert "gap 32 s" in text
        assert "imbalance" not in text
        assert ladder.render_line(0).text == bright.text
        assert ladder.render_line(0) != bright


async def test_the_cursor_counts_from_the_touch_and_enter_gives_its_price() -> None:
    ladder = BookLadder()
    app = Host(ladder)
    async with app.run_test(size=(24, 12)) as pilot:
        ladder.set_book(BOOK)
        ladder.focus()
        await pilot.press("down", "down")
        assert ladder.cursor_row == ("bid", BOOK.bids[1])
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


@pytest.mark.parametrize("size", [(21, 3), (21, 5), (10, 4), (60, 40), (1, 1)])
async def test_any_size_shows_both_sides_in_its_width(size: tuple[int, int]) -> None:
    ladder = BookLadder()
    async with Host(ladder).run_test(size=size) as pilot:
        ladder.set_book(BOOK)
        await pilot.press("down", "end")
        assert {cell_len(text) for text in painted(ladder)} == {size[0]}


async def test_without_a_book_the_reason_is_shown() -> None:
    ladder = BookLadder(empty=("No book yet.",))
    async with Host(ladder).run_test(size=(40, 6)) as pilot:
        assert "No book yet." in painted(ladder)[1]
        ladder.set_book(BookData(trusted=False, why="waiting for a snapshot"))
        await pilot.press("down", "enter")
        assert "! waiting for a snapshot" in "\n".join(painted(ladder))
