from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from textual.events import MouseScrollDown
from textual.pilot import Pilot
from textual.widget import Widget

from tests.ui.widgets.host import Host, painted
from workstation.ui.widgets.line_table import Column, LineTable, Row, SortSpec
from workstation.ui.widgets.rows import fit_columns, matches

COLUMNS = [
    Column("symbol", "SYMBOL", 8),
    Column("last", "LAST", 10, "right"),
    Column("for", "FOR", 5, "right", priority=2),
    Column("why", "WHY NOT", 8, flex=True, priority=1),
]


def rows(names: Sequence[str], version: int = 1) -> list[Row]:
    return [
        Row(name, version, (name, ("61,685.99", "up"), "2:14", f"why {name}"))
        for name in names
    ]


def table_of(names: Sequence[str]) -> LineTable:
    table = LineTable(COLUMNS, empty=("No symbols.", "S adds one"))
    table.set_rows(rows(names))
    return table


def heard(app: Host) -> list[tuple[str, str]]:
    return [
        (type(message).__name__, message.key)
        for message in app.heard
        if isinstance(message, LineTable.RowHighlighted)
    ]


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()


async def test_the_head_stays_while_the_rows_scroll() -> None:
    table = table_of([f"S{index}" for index in range(50)])
    app = Host(table)
    async with app.run_test(size=(60, 8)) as pilot:
        table.focus()
        await pilot.press("end")
        await settle(pilot)
        lines = painted(table)
        assert lines[0].startswith("  SYMBOL         LAST   FOR WHY NOT")
        assert lines[7].startswith("▸ S49       61,685.99  2:14 why S49")
        assert table.cursor_key == "S49"
        await pilot.press("home")
        await settle(pilot)
        assert painted(table)[1].startswith("▸ S0 ")


async def test_a_thousand_rows_cost_only_the_visible_that_changed() -> None:
    names = [f"S{index}" for index in range(1000)]
    table = table_of(names)
    async with Host(table).run_test(size=(60, 21)) as pilot:
        await settle(pilot)
        data = rows(names)
        assert table.renders == 20
        before, size = table.renders, table.virtual_size
        for tick in range(10):
            data = list(data)
            data[3] = Row("S3", 2 + tick, ("S3", f"{tick}", "", ""))
            data[700] = Row("S700", 2 + tick, ("S700", f"{tick}", "", ""))
            table.set_rows(data)
            await settle(pilot)
        assert table.renders - before == 10
        assert table.virtual_size is size
        table.set_rows(list(data))
        await settle(pilot)
        assert table.renders - before == 10


async def test_the_cursor_stays_with_its_row_when_the_order_changes() -> None:
    table = table_of("abcdef")
    app = Host(table)
    async with app.run_test(size=(60, 10)) as pilot:
        table.focus()
        await pilot.press("down", "down")
        assert table.cursor_key == "c"
        table.set_rows(rows("fcbade"))
        await settle(pilot)
        assert table.cursor_key == "c"
        assert painted(table)[2].startswith("▸ c")
        table.set_rows(rows("fbade"))
        await settle(pilot)
        assert table.cursor_key == "b"
        assert heard(app) == [("RowHighlighted", "b"), ("RowHighlighted", "c")]


async def test_only_the_operators_hand_sends_messages() -> None:
    table = table_of("abc")
    app = Host(table)
    async with app.run_test(size=(60, 10)) as pilot:
        table.cursor_key = "b"
        table.set_rows(rows("abc", 2))
        await settle(pilot)
        assert app.heard == []
        await pilot.click(table, offset=(5, 3))
        await settle(pilot)
        assert heard(app) == [("RowHighlighted", "c")]
        await pilot.double_click(table, offset=(5, 1))
        await settle(pilot)
        assert heard(app)[1:] == [("RowHighlighted", "a"), ("RowSelected", "a")]
        await pilot.click(table, offset=(5, 0))
        await pilot.click(table, offset=(5, 8))
        await settle(pilot)
        assert len(app.heard) == 3
        await pilot.press("enter")
        await settle(pilot)
        assert heard(app)[-1] == ("RowSelected", "a")


async def test_columns_leave_by_priority_and_the_flex_one_takes_the_rest() -> None:
    table = table_of(["BTCUSDT"])
    app = Host(table)
    async with app.run_test(size=(60, 4)) as pilot:
        assert [c.key for _, c, _ in fit_columns(COLUMNS, 58)] == [
            "symbol",
            "last",
            "for",
            "why",
        ]
        await pilot.resize_terminal(34, 4)
        await settle(pilot)
        assert painted(table)[0].split() == ["SYMBOL", "LAST", "WHY", "NOT"]
        await pilot.resize_terminal(24, 4)
        await settle(pilot)
        assert painted(table)[0].split() == ["SYMBOL", "LAST"]


@given(st.integers(1, 200))
def test_fitted_columns_never_leave_a_gap_or_overflow_without_need(cells: int) -> None:
    fitted = fit_columns(COLUMNS, cells)
    total = sum(width for _, _, width in fitted) + sum(
        column.gap for _, column, _ in fitted[1:]
    )
    assert total == cells or len(fitted) == 2


async def test_filter_find_and_the_empty_table_say_what_they_do() -> None:
    table = table_of(["BTCUSDT", "ETHUSDT", "SOLUSDT"])
    app = Host(table)
    async with app.run_test(size=(60, 8)) as pilot:
        table.filter_text = "usdt !eth"
        await settle(pilot)
        assert table.row_count == (2, 3)
        assert [row.key for row in table.rows] == ["BTCUSDT", "SOLUSDT"]
        table.filter_text = "nothing"
        await settle(pilot)
        assert "No row matches “nothing”." in painted(table)[2]
        assert "esc clears the filter" in painted(table)[3]
        table.filter_text = ""
        table.find_text = "sol"
        assert table.find_next() == 1
        assert table.cursor_key == "SOLUSDT"
        table.find_text = "usdt"
        assert table.find_next() == 3
        assert table.cursor_key == "BTCUSDT"
        assert table.find_previous() == 3
        assert table.cursor_key == "SOLUSDT"
        table.set_rows(())
        await settle(pilot)
        assert "No symbols." in painted(table)[2]
        assert "S adds one" in painted(table)[3]
        await pilot.press("down", "enter", "v")
        assert table.cursor_row is None


def test_filter_words_are_all_wanted_and_bang_words_unwanted() -> None:
    assert matches("btcusdt in trade", "btc trade")
    assert not matches("btcusdt in trade", "btc !trade")
    assert matches("anything", " ! ")


async def test_marks_follow_their_rows_and_are_copied_alone() -> None:
    table = table_of("abc")
    async with Host(table).run_test(size=(60, 8)) as pilot:
        table.focus()
        await pilot.press("v", "v")
        assert table.marked == {"a", "b"}
        table.set_rows(rows("cba", 2))
        await settle(pilot)
        assert painted(table)[2].startswith("* b")
        plain = table.plain_rows(marked_only=True)
        assert [row[0] for row in plain] == ["SYMBOL", "b", "a"]
        assert plain[1][1] == "61685.99"
        table.clear_marks()
        assert table.marked == frozenset()


async def test_a_note_belongs_to_its_row_and_the_cursor_passes_it() -> None:
    table = LineTable(COLUMNS, gutter=1, cursor="focus")
    note = Row("13n", 1, note=[("    13 is held here", "warn")])
    table.set_rows([*rows(["12", "13"]), note, *rows(["14"])])
    async with Host(table).run_test(size=(60, 8)) as pilot:
        await settle(pilot)
        assert painted(table)[3].startswith("     13 is held here")
        table.focus()
        await pilot.press("down", "down")
        assert table.cursor_key == "14"
        await pilot.press("up")
        assert table.cursor_key == "13"
        table.filter_text = "why 13"
        assert [row.key for row in table.rows] == ["13", "13n"]


async def test_the_head_points_at_the_sorted_column() -> None:
    table = table_of("ab")
    async with Host(table).run_test(size=(60, 4)) as pilot:
        table.sort = SortSpec("last", descending=True)
        await settle(pilot)
        assert "LAST↓" in painted(table)[0]


async def test_a_number_too_wide_is_not_cut_to_a_smaller_one() -> None:
    table = LineTable([Column("n", "N", 7, "right")], gutter=0)
    table.set_rows([Row("a", 1, ["61,685.9"]), Row("b", 1, ["1,661,685.9"])])
    async with Host(table).run_test(size=(20, 4)):
        assert painted(table)[1].rstrip() == "61685.9"
        assert painted(table)[2].rstrip() == "#######"


async def test_flag_cursor_and_mark_share_the_gutter() -> None:
    table = LineTable(COLUMNS)
    table.set_rows([Row("a", 1, ("a", "", "", ""), flag="!")])
    async with Host(table).run_test(size=(40, 4)) as pilot:
        assert painted(table)[1].startswith("▸!a")
        table.focus()
        await pilot.press("v")
        await settle(pilot)
        assert painted(table)[1].startswith("▸!a")


async def test_the_wheel_moves_the_view_and_leaves_the_cursor() -> None:
    table = table_of([f"S{index}" for index in range(50)])
    app = Host(table)
    async with app.run_test(size=(60, 8)) as pilot:
        app.animation_level = "none"
        await pilot._post_mouse_events([MouseScrollDown], widget=table, offset=(5, 5))
        await settle(pilot)
        assert table.scroll_offset.y > 0
        assert table.cursor_key == "S0"
        assert "SYMBOL" in painted(table)[0]
        assert painted(table)[1].strip().startswith(f"S{table.scroll_offset.y}")
        assert app.heard == []


async def test_a_bar_at_the_edge_shows_where_the_view_is() -> None:
    table = table_of([f"S{index}" for index in range(28)])
    async with Host(table).run_test(size=(60, 8)) as pilot:
        table.focus()
        assert [text[-1] for text in painted(table)[1:]] == ["▐", *" " * 6]
        await pilot.press("end")
        await settle(pilot)
        assert [text[-1] for text in painted(table)[1:]] == [*" " * 6, "▐"]


async def test_focus_and_theme_make_the_lines_anew() -> None:
    table = table_of("abc")
    app = Host(table)
    async with app.run_test(size=(40, 6)) as pilot:
        await settle(pilot)
        before = table.render_line(1)
        app.theme = "paper-light"
        await settle(pilot)
        assert table.render_line(1) != before
        assert isinstance(table, Widget)
