"""The chain: order, names, needs, and what an instrument pays for it."""

from __future__ import annotations

import pytest

from tests.market.fakes import FakeCore
from tests.market.pipeline.ground import (
    BTC,
    at_mid,
    chained,
    planned,
    quote,
    script,
    trade,
)
from workstation.market.pipeline.chain import CATALOG, Plan
from workstation.market.pipeline.figures import RESERVED
from workstation.market.pipeline.script import ProcessorScript, ScriptFunction
from workstation.market.pipeline.settings import SHIPPED, PipelineSettings
from workstation.model.errors import ConfigError
from workstation.model.events import MarketDataUpdated
from workstation.model.market import MarketEvent


def unguarded(
    call: str,
    instrument: str,
    function: ScriptFunction,
    arguments: tuple[object, ...],
) -> object:
    """Call a script unguarded."""
    return function(*arguments)


def plan(*scripts: ProcessorScript, processors: tuple[str, ...]) -> Plan:
    """Return a plan of shipped processors and scripts."""
    return Plan(PipelineSettings(processors=processors), scripts, unguarded)


def test_the_catalog_has_all_shipped_names_and_every_figure_once() -> None:
    assert tuple(CATALOG) == SHIPPED
    names = [figure.name for each in CATALOG.values() for figure in each.gives]
    assert len(names) == len(set(names))
    assert not set(names) & RESERVED
    for name, each in CATALOG.items():
        assert each.name == name
        for figure in each.gives:
            # One unit and one convention, said where the figure is.
            doc = getattr(each, figure.name).__doc__
            assert doc is not None
            assert figure.unit
            assert figure.text
            assert figure.none_when


def test_the_default_is_what_document_003_lists() -> None:
    assert PipelineSettings().processors == (
        "imbalance",
        "volatility",
        "adverse_selection",
    )


@pytest.mark.parametrize("order", [("one.py", "two.py"), ("two.py", "one.py")])
def test_processors_hear_of_a_tick_in_the_order_of_the_config(
    order: tuple[str, ...],
) -> None:
    heard: list[str] = []
    scripts = [
        script(
            name,
            (name[:3],),
            on_quote=lambda figures, event, context, name=name: heard.append(name),
            on_trade=lambda figures, event, context, name=name: heard.append(name),
        )
        for name in ("one.py", "two.py")
    ]
    part, core, live = planned(plan(*scripts, processors=("flow", *order)))
    core.feed(part, [quote(1, 99.0, 101.0), trade(2, 100.0, 1)])
    assert heard == [*order, *order]
    assert part.plan.names == ("flow", *order)
    assert live.figures.names() == ("ofi", *(name[:3] for name in order))


def test_a_processor_reads_what_those_before_it_found_at_the_same_tick() -> None:
    seen: list[object] = []

    def first(figures: object, event: object, context: object) -> None:
        figures.one = event.bid  # type: ignore[attr-defined]

    def second(figures: object, event: object, context: object) -> None:
        seen.append((figures.one, figures.imbalance))  # type: ignore[attr-defined]

    part, core, _ = planned(
        plan(
            script("one.py", ("one",), on_quote=first),
            script("two.py", ("two",), needs=("one", "imbalance"), on_quote=second),
            processors=("imbalance", "one.py", "two.py"),
        )
    )
    core.feed(part, [quote(1, 99.0, 101.0, 3.0, 1.0), quote(2, 98.0, 101.0)])
    assert seen == [(99.0, 0.5), (98.0, 0.0)]


@pytest.mark.parametrize(
    ("processors", "said"),
    [
        (("volatilty",), "no processor 'volatilty'; .* did you mean \"volatility\""),
        (("flow", "flow"), "flow is listed twice"),
        (("two.py",), "two.py needs 'one', which no processor gives"),
        (("two.py", "one.py"), "needs 'one'; put one.py, which gives it, before"),
        (("three.py",), "three.py needs 'ofi'; put flow, which gives it, before"),
        (("four.py",), "four.py needs 'luck', which no processor gives"),
        (("five.py",), "five.py gives 'ofi', a figure of flow"),
        (("one.py", "six.py"), "six.py gives 'one', a figure of one.py"),
        (("seven.py",), "seven.py cannot call a figure 'names'"),
    ],
)
def test_a_chain_that_cannot_be_is_refused_with_what_would_be_right(
    processors: tuple[str, ...], said: str
) -> None:
    scripts = (
        script("one.py", ("one",)),
        script("two.py", ("two",), needs=("one",)),
        script("three.py", ("three",), needs=("ofi",)),
        script("four.py", ("four",), needs=("luck",)),
        script("five.py", ("ofi",)),
        script("six.py", ("one",)),
        script("seven.py", ("names",)),
    )
    with pytest.raises(ConfigError, match=said):
        plan(
            *(each for each in scripts if each.name in processors),
            processors=processors,
        )


def test_a_figure_without_its_processor_says_which_one_gives_it() -> None:
    _, _, live = chained("imbalance")
    with pytest.raises(AttributeError, match='add "flow" to processors in'):
        _ = live.figures.ofi
    with pytest.raises(AttributeError, match="there are: imbalance, weighted_"):
        _ = live.figures.luck
    assert live.figures.get("ofi") is None
    assert live.figures.get("luck") is None
    assert live.figures.processor("flow") is None


def test_without_processors_nothing_follows_the_ticks() -> None:
    _, _, bare = chained()
    assert bare.figures.names() == ()
    assert not any((bare.top_watchers, bare.trade_watchers))
    assert not any((bare.bar_watchers, bare.fill_watchers, bare.break_watchers))


def told(core: FakeCore) -> list[MarketDataUpdated]:
    return [e for e in core.published if isinstance(e, MarketDataUpdated)]


def test_market_data_tells_the_figures_of_document_003() -> None:
    part, core, live = chained("imbalance", "volatility", "adverse_selection")
    core.feed(part, [at_mid(1 + s / 4, 100.0 + s / 100) for s in range(20)])
    core.feed(part, [trade(6, 100.0, 1)])
    core.feed(part, [quote(6.5, 100.0, 100.2, 3.0, 1.0), at_mid(12, 101.0)])
    core.feed(part, [quote(12.5, 101.0, 101.2, 3.0, 1.0)])
    first, last = told(core)[0], told(core)[-1]
    assert first.instrument == BTC
    assert first.imbalance == 0.0
    assert (first.volatility_bps, first.vol_uncertainty_bps) == (None, None)
    assert first.adverse_selection is None
    assert (last.best_bid, last.best_ask, last.mid) == (101.0, 101.2, 101.1)
    assert last.spread_bps == pytest.approx(0.2 / 101.1 * 1e4)
    assert last.imbalance == 0.5
    assert last.volatility_bps == live.figures.volatility_bps
    assert last.vol_uncertainty_bps == live.figures.vol_uncertainty_bps
    assert last.adverse_selection == live.figures.adverse_selection
    assert None not in (last.volatility_bps, last.adverse_selection)


def test_market_data_tells_nothing_of_a_processor_that_is_not_there() -> None:
    part, core, _ = chained("flow")
    core.feed(part, [at_mid(1 + s, 100.0 + s) for s in range(9)])
    last = told(core)[-1]
    figures = (last.imbalance, last.volatility_bps, last.vol_uncertainty_bps)
    assert (*figures, last.adverse_selection) == (None, None, None, None)


def test_a_crossed_quote_is_no_market_data() -> None:
    part, core, _ = chained("imbalance")
    core.feed(part, [quote(1, 99.0, 101.0), quote(2, 102.0, 101.0)])
    assert [event.mid for event in told(core)] == [100.0]


def test_the_state_of_every_processor_is_in_the_digest() -> None:
    ticks: dict[str, list[MarketEvent]] = {
        "volatility": [at_mid(1, 100.0), at_mid(3, 100.0)],
        "adverse_selection": [at_mid(1, 100.0), trade(2, 100.0, 1)],
        "flow": [at_mid(1, 100.0), at_mid(2, 100.0)],
    }
    for name, events in ticks.items():
        part, core, live = chained(name)
        core.feed(part, events)
        (before,) = live.figures.digest()
        core.feed(part, [at_mid(5, 101.0), trade(6, 100.0, -1), at_mid(20, 102.0)])
        (after,) = live.figures.digest()
        assert before != after
