"""The kill banner: what it keeps when there is little room, that it fills a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.ui.widgets.host import Host, painted
from workstation.ui.widgets.kill_banner import KillBanner, KillWords, lay_kill

WORDS = KillWords(
    mode="PAPER",
    level="KILLED (cancel)",
    meaning="entries canceled, no new orders",
    since="23:55:12",
    lasting=" UTC, 2:14",
    reason="three rejections in a second",
    way="ctrl+k re-arms",
    note="2 alerts: a",
)


def text(cells: int, *, with_mode: bool = False) -> str:
    return "".join(part for part, _ in lay_kill(WORDS, cells, with_mode=with_mode))


@pytest.mark.parametrize(
    ("cells", "start", "end"),
    [
        (
            140,
            " KILLED (cancel): entries canceled, no new orders  since 23:55:12 UTC, "
            "2:14: three rejections in a second  ",
            "  2 alerts: a  ctrl+k re-arms ",
        ),
        (
            80,
            " KILLED (cancel)  since 23:55:12 UTC, 2:14: three rejections i…  ",
            "ctrl+k re-arms ",
        ),
        (60, " KILLED (cancel)  since 23:55:12: three re…  ", "ctrl+k re-arms "),
        (50, " KILLED (cancel)  since 23:55:12  ", "ctrl+k re-arms "),
        (40, " KILLED (cancel)  ", "ctrl+k re-arms "),
    ],
)
def test_the_rung_and_the_way_back_stay_to_the_last(
    cells: int, start: str, end: str
) -> None:
    shown = text(cells)
    assert shown.startswith(start)
    assert shown.endswith(end)
    assert cell_len(shown) == cells


def test_the_mode_is_named_where_the_header_has_no_room_for_itself() -> None:
    assert text(60, with_mode=True).startswith(" PAPER KILLED (cancel)  since")


@given(st.integers(34, 200), st.booleans())
def test_it_never_leaves_its_line(cells: int, with_mode: bool) -> None:
    shown = text(cells, with_mode=with_mode)
    assert "KILLED (cancel)" in shown
    assert cell_len(shown) <= max(cells, 42)


async def test_it_is_blank_until_something_is_killed_and_reversed_then() -> None:
    banner = KillBanner()
    async with Host(banner).run_test(size=(80, 10)) as pilot:
        await pilot.pause()
        assert painted(banner)[0].strip() == ""
        banner.set_kill(WORDS)
        await pilot.pause()
        assert painted(banner)[0].startswith(" KILLED (cancel)")
        styles = {segment.style for segment in banner.render_line(0)}
        assert all(style is not None and style.reverse for style in styles)
        banner.set_kill(None)
        await pilot.pause()
        assert painted(banner)[0].strip() == ""
