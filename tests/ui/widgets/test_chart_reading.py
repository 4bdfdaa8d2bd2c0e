from __future__ import annotations

from rich.cells import cell_len

from workstation.ui.widgets.chart_data import Candle, ChartData, Plot, PlotLine
from workstation.ui.widgets.chart_reading import read_bar, reading_line

MINUTE = 60_000_000_000
DATA = ChartData(
    candles=[Candle(1_723_158_000_000_000_000, 100.5, 102, 99.25, 101, 1_234.5)],
    plots=[
        Plot("EMA 10", (PlotLine("value", [100.0]),)),
        Plot("BOLL 20 2", (PlotLine("upper", [103.0]), PlotLine("lower", [None]))),
        Plot("RSI 14", (PlotLine("value", [55.25]),), pane=True, bounds=(0, 100)),
        Plot("ROC 9", (PlotLine("value", [-0.012345]),), pane=True),
    ],
)
READ = read_bar(DATA, 0, 100.75, {"RSI 14": 1})


def test_time_prices_volume_indicators_and_the_crosshair_s_price_are_read() -> None:
    assert READ == [
        ("", "08-08 23:00"),
        ("o", "100.50"),
        ("h", "102.00"),
        ("l", "99.25"),
        ("c", "101.00"),
        ("v", "1,234.50"),
        ("EMA 10", "100.00"),
        ("BOLL 20 2 upper", "103.00"),
        ("lower", "·"),
        ("RSI 14", "55.2"),
        ("ROC 9", "−0.0123"),
        ("y", "100.75"),
    ]


def test_as_much_as_fits_is_shown_and_the_rest_leaves_an_ellipsis() -> None:
    whole = reading_line(READ, 200)
    assert whole.startswith(" 08-08 23:00  o 100.50  h 102.00")
    assert whole.endswith("ROC 9 −0.0123  y 100.75")
    assert reading_line(READ, len(whole)) == whole
    cut = reading_line(READ, 81)
    assert cut == (
        " 08-08 23:00  o 100.50  h 102.00  l 99.25  c 101.00  v 1,234.50"
        "  EMA 10 100.00 …"
    )


def test_a_narrow_chart_reads_closer_set_so_that_prices_and_volume_stay() -> None:
    assert reading_line(READ, 61) == (
        " 23:00  o 100.50  h 102.00  l 99.25  c 101.00  v 1,234.50 …"
    )
    assert reading_line(READ, 58) == (
        " 23:00 o 100.50 h 102.00 l 99.25 c 101.00 v 1,234.50 …"
    )
    assert reading_line(READ, 30) == " 23:00 o 100.50 h 102.00 …"


def test_no_reading_is_wider_than_its_line() -> None:
    for cells in range(12, 200):
        assert cell_len(reading_line(READ, cells)) <= cells
