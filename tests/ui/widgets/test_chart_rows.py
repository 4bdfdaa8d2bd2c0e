from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workstation.ui.widgets.chart_rows import ChartRows, share_rows


def test_panes_get_what_the_price_can_spare() -> None:
    # The Monitor's chart at 120×40, a zoomed one at 120×40, one at 80×24.
    assert share_rows(13, 1, note=False) == ChartRows(9, 1, 2, 0)
    assert share_rows(33, 2, note=True) == ChartRows(19, 2, 5, 1)
    assert share_rows(19, 2, note=True) == ChartRows(9, 2, 3, 1)


def test_panes_without_room_are_left_out_and_a_note_is_made_for_them() -> None:
    assert share_rows(13, 3, note=False) == ChartRows(8, 1, 2, 1)
    assert share_rows(10, 1, note=False) == ChartRows(8, 0, 2, 1)
    assert share_rows(5, 1, note=True) == ChartRows(4, 0, 2, 0)


@given(st.integers(1, 120), st.integers(0, 9), st.booleans())
def test_the_lines_add_up_and_the_price_comes_first(
    rows: int, panes: int, note: bool
) -> None:
    share = share_rows(rows, panes, note=note)
    used = share.price + share.panes * (share.body + 1) + share.note + 1
    assert used == rows
    assert share.panes <= panes
    if share.panes:
        assert share.price >= 7
        assert share.body >= 2
