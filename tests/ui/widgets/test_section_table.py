"""A table of sections: heads of their own, one cursor, and a head that comes along."""

from __future__ import annotations

from collections.abc import Sequence

from tests.ui.widgets.host import Host
from workstation.ui.widgets.rows import Column, Row
from workstation.ui.widgets.section_table import Section, SectionTable

NAME = Column("name", "NAME", 6)


def section(
    name: str, keys: Sequence[str], *columns: Column, empty: str = "none"
) -> Section:
    rows = tuple(Row(key, 1, (key, f"{key}2")) for key in keys)
    return Section(name, (NAME, *columns), rows, empty)


def shown(*sections: Section) -> tuple[Host, SectionTable]:
    table = SectionTable()
    table.set_sections(sections)
    return Host(table), table


def lines(table: SectionTable) -> list[str]:
    shown = range(table.size.height)
    return [table.render_line(y).text.rstrip(" ▐") for y in shown]


async def test_each_section_has_its_own_head_and_columns() -> None:
    app, table = shown(
        section("a", ["one"]),
        section("b", ["two"], Column("more", "MORE", 4, gap=3)),
        section("c", [], empty="nothing here"),
    )
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        assert lines(table) == [
            *("  NAME", "▸ one", "", "  NAME     MORE", "  two      two2", ""),
            *("  NAME", "  nothing here", "", ""),
        ]


async def test_where_room_is_short_no_line_is_blank() -> None:
    app, table = shown(section("a", ["one"]), section("b", ["two"]))
    async with app.run_test(size=(40, 4)) as pilot:
        await pilot.pause()
        assert lines(table) == ["  NAME", "▸ one", "  NAME", "  two"]


async def test_the_cursor_passes_over_heads_and_brings_the_first_one_back() -> None:
    keys = [f"r{n}" for n in range(6)]
    app, table = shown(section("a", keys[:3]), section("b", keys[3:]))
    async with app.run_test(size=(40, 4)) as pilot:
        await pilot.pause()
        table.focus()
        for key in keys[1:]:
            await pilot.press("down")
            assert table.cursor_key == key
        await pilot.pause()
        assert lines(table) == ["  NAME", "  r3", "  r4", "▸ r5"]
        await pilot.press("home")
        await pilot.pause()
        assert lines(table) == ["  NAME", "▸ r0", "  r1", "  r2"]


async def test_a_column_that_grows_is_fitted_anew() -> None:
    app, table = shown(section("a", ["one"]))
    async with app.run_test(size=(40, 4)) as pilot:
        await pilot.pause()
        row = Row("one", 2, ("x" * 12,))
        table.set_sections([Section("a", (Column("n", "NAME", 12),), (row,), "")])
        await pilot.pause()
        assert lines(table)[1] == f"▸ {'x' * 12}"
