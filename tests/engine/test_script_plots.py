"""What scripts draw: along the bars, over the price or in a pane of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strategy.bench import Bench
from tests.strategy.fakes import Stand
from workstation.engine.frames import CandleRow
from workstation.engine.script_plots import script_plots
from workstation.indicators import Pane
from workstation.model.errors import ScriptError
from workstation.strategy.plots import Plots


def candle(ts_open: int) -> CandleRow:
    return (ts_open, 100.0, 101.0, 99.0, 100.0, 1.0)


BARS = [candle(ts) for ts in (0, 60, 120)]


def test_a_series_is_laid_along_the_bars() -> None:
    plots = Plots()
    plots.add("edge", 0, 99.0)
    plots.add("edge", 120, 101.0)
    plots.add("edge", 120, 102.0)
    (plot,) = script_plots(plots, BARS, None)
    assert (plot.key, plot.pane, plot.scripted) == ("edge", Pane.PRICE, True)
    assert plot.lines[0].values == (99.0, None, 102.0)


def test_what_is_far_from_the_price_has_a_pane_of_its_own() -> None:
    plots = Plots()
    plots.add("score", 60, 0.7)
    (plot,) = script_plots(plots, BARS, None)
    assert plot.pane is Pane.OWN


def test_longer_bars_show_the_last_value_in_them_and_older_ones_are_left_out() -> None:
    plots = Plots()
    for ts_open in range(-60, 240, 60):
        plots.add("n", ts_open, float(ts_open))
    (plot,) = script_plots(plots, [candle(0), candle(120)], None)
    assert plot.lines[0].values == (60.0, 180.0)
    early = Plots()
    early.add("n", -60, 1.0)
    assert script_plots(early, BARS, None) == ()
    assert script_plots(plots, [], None) == ()


def test_what_was_drawn_in_the_bar_that_forms_leaves_the_last_closed_one() -> None:
    plots = Plots()
    for ts_open in range(0, 360, 60):
        plots.add("n", ts_open, float(ts_open))
    (plot,) = script_plots(plots, [candle(0), candle(120)], candle(240))
    assert plot.lines[0].values == (60.0, 180.0)
    late = Plots()
    late.add("n", 240, 1.0)
    assert script_plots(late, BARS, candle(240)) == ()


def test_the_newest_names_and_points_are_kept() -> None:
    plots = Plots()
    for number in range(20):
        plots.add(f"s{number}", 0, 1.0)
    assert list(plots.series()) == [f"s{number}" for number in range(4, 20)]
    for ts_open in range(1_200):
        plots.add("s19", ts_open, 1.0)
    assert len(plots.series()["s19"]) == 1_000


def test_what_a_call_plots_is_kept_once_it_has_ended_well() -> None:
    bench = Bench()
    bench.bar(lambda market: market.plot("edge", market.close))
    assert bench.row.plots.series() == {"edge": ((0, 100.0),)}


def test_what_a_wrong_answer_plotted_is_dropped(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect="market.plot('edge', 1); return 3")
    with pytest.raises(ScriptError):
        stand.bar()
    assert stand.row.plots.series() == {}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("market.plot('x', float('nan'))", "plot 'x': nan is not finite"),
        ("market.plot('x', 'high')", "plot takes a number, not a str"),
        ("market.plot('x', True)", "plot takes a number, not a bool"),
        ("market.plot(1, 2)", "plot takes a name, not a int"),
        ("market.plot(' ', 2)", "plot takes a name that can be read"),
        ("[market.plot(f's{n}', 1) for n in range(17)]", "a call plots 16 names"),
    ],
)
def test_what_cannot_be_drawn_is_an_error_of_the_script(
    tmp_path: Path, call: str, said: str
) -> None:
    stand = Stand.of(tmp_path, detect=f"{call}; return None")
    with pytest.raises((TypeError, ValueError)) as caught:
        stand.bar()
    assert said in str(caught.value)


def test_none_draws_nothing(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect="market.plot('x', None); return None")
    stand.bar()
    assert stand.row.plots.series() == {}
