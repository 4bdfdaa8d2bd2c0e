from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from workstation.ui.widgets.candle_grid import FINE, HOLLOW, SOLID, Grid
from workstation.ui.widgets.chart_data import Candle
from workstation.ui.widgets.price_axis import KeptRange, PriceAxis


def drawn(bars: list[Candle], rows: int) -> list[str]:
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    grid = Grid(PriceAxis(low, high, rows), len(bars), len(bars))
    grid.draw_bars(bars, HOLLOW, SOLID)
    return ["".join(line) for line in grid.glyphs]


def blank(columns: int = 6, low: float = 0.0, high: float = 7.0) -> Grid:
    return Grid(PriceAxis(low, high, 4), columns, columns)


def picture(grid: Grid) -> list[str]:
    return ["".join(line) for line in grid.glyphs]


def test_bodies_are_heavy_wicks_light_and_halves_are_told_apart() -> None:
    # Seven half-cell steps from 7 (top) to 0; four rows.
    falling = Candle(0, 5, 7, 0, 2)
    assert drawn([falling], 4) == ["│", "┃", "┃", "│"]
    assert drawn([Candle(0, 6, 7, 0, 3)], 4) == ["╽", "┃", "╿", "│"]


def test_rising_bodies_are_hollow_when_colour_cannot_tell() -> None:
    assert drawn([Candle(0, 2, 7, 0, 5)], 4) == ["│", "║", "║", "│"]


@given(
    st.lists(
        st.tuples(*[st.floats(1, 1e6, allow_nan=False)] * 4), min_size=1, max_size=30
    ),
    st.integers(2, 40),
)
@example(prices=[(252815.73661764766,) * 4], rows=2)
def test_every_bar_is_on_the_grid_from_its_high_to_its_low(
    prices: list[tuple[float, float, float, float]], rows: int
) -> None:
    bars = [
        Candle(i, four[0], max(four), min(four), four[1])
        for i, four in enumerate(prices)
    ]
    low, high = KeptRange().fit(min(b.low for b in bars), max(b.high for b in bars))
    axis = PriceAxis(low, high, rows)
    grid = Grid(axis, len(bars), len(bars))
    grid.draw_bars(bars, SOLID, SOLID)
    for column, bar in enumerate(bars):
        filled = [y for y in range(rows) if grid.glyphs[y][column] != " "]
        assert filled == list(range(axis.row(bar.high), axis.row(bar.low) + 1))


def test_a_line_has_four_heights_in_a_cell_and_gaps_where_it_has_no_value() -> None:
    grid = Grid(PriceAxis(0.0, 15.0, 4), 7, 7)
    grid.draw_line([15, 14, 13, 12, None, float("nan"), 0], FINE, "overlay-1")
    assert picture(grid) == ["⠉⠒⠤⣀   ", " " * 7, " " * 7, "      ⣀"]
    assert grid.inks[0][:4] == ["overlay-1"] * 4


def test_a_line_does_not_hide_a_candle_of_one_cell() -> None:
    grid = blank(2)
    grid.draw_bars([Candle(0, 7, 7, 6, 6), Candle(1, 7, 7, 0, 0)], SOLID, SOLID)
    grid.draw_line([7, 7], "+", "overlay-1")
    assert picture(grid)[0] == "┃+"


def test_a_histogram_stands_on_zero_and_hangs_from_it() -> None:
    grid = Grid(PriceAxis(-3.5, 3.5, 4), 5, 5)
    grid.draw_histogram([3.5, -3.5, 0.0, None, 9.0], SOLID)
    assert picture(grid) == ["┃   ┃", "┃   ┃", "╹┃╹ ╹", " ┃   "]
    assert [grid.inks[2][column] for column in (0, 1)] == ["up", "down"]


def test_a_histogram_whose_zero_is_not_seen_stands_on_the_edge() -> None:
    grid = blank(1, 10.0, 17.0)
    grid.draw_histogram([13.4], SOLID)
    assert picture(grid) == [" ", " ", "┃", "┃"]


def test_a_marker_has_its_letter_below_an_up_and_above_a_down() -> None:
    grid = blank(2)
    grid.draw_marker(0, 6.5, "▲", "E", "strong")
    grid.draw_marker(1, 0.5, "▼", "X", "accent")
    assert picture(grid) == ["▲ ", "E ", " X", " ▼"]
    # A second fill of the same bar needs no second letter.
    grid.draw_marker(1, 0.5, "▼", "X", "accent")
    assert picture(grid) == ["▲ ", "E ", " X", " ▼"]


def test_a_letter_goes_to_the_other_side_rather_than_over_a_candle() -> None:
    grid = blank(1)
    grid.draw_bars([Candle(0, 4, 4, 0, 0)], SOLID, SOLID)
    grid.draw_marker(0, 4.0, "▲", "E", "strong")
    assert picture(grid)[:2] == ["E", "▲"]


def test_trails_lie_below_and_the_crosshair_only_on_free_cells() -> None:
    grid = blank(4)
    grid.draw_trail([None, 4.0, 4.0, 99.0], "┈", "accent")
    grid.draw_bars([Candle(0, 7, 7, 0, 0)], SOLID, SOLID)
    grid.draw_cross(1, 4.0)
    assert picture(grid) == ["┃┊  ", "┃┼──", "┃┊  ", "┃┊  "]
    grid.draw_cross(2, None)
    assert picture(grid)[0] == "┃┊┊ "


def test_a_rule_crosses_the_whole_plot_where_its_value_is_seen() -> None:
    grid = blank(3)
    grid.draw_rule(0.0, "┈")
    grid.draw_rule(70.0, "┈")
    assert picture(grid) == ["   ", "   ", "   ", "┈┈┈"]
