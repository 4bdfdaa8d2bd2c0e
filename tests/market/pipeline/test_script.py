"""Scripts as processors: what they may set, and what becomes of their errors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.market.fakes import FakeCore
from tests.market.pipeline.ground import BTC, planned, quote, script, trade
from tests.market.pipeline.test_chain import unguarded
from workstation.market.pipeline.chain import Plan
from workstation.market.pipeline.script import ScriptFunction, ScriptProcessor
from workstation.market.pipeline.settings import PipelineSettings
from workstation.model.errors import ScriptError, ScriptTimeout
from workstation.model.market import Bar
from workstation.model.records import FaultRecord


def guarded(
    call: str,
    instrument: str,
    function: ScriptFunction,
    arguments: tuple[object, ...],
) -> object:
    """Call a script as the engine's guard does, without a budget."""
    try:
        return unguarded(call, instrument, function, arguments)
    except ScriptTimeout:
        raise
    except Exception as error:
        raise ScriptError("mine.py", f"{type(error).__name__}: {error}", 3) from error


# Any: what a script's functions get and keep.
def alone(max_errors: int = 5, **functions: Any) -> tuple[Any, FakeCore, Any, Any]:
    plan = Plan(
        PipelineSettings(processors=("mine.py",), max_errors=max_errors),
        [script("mine.py", ("mine", "other"), **functions)],
        guarded,
    )
    part, core, live = planned(plan, "1s")
    processor = live.figures.processor("mine.py")
    assert isinstance(processor, ScriptProcessor)
    return part, core, live, processor


def faults(core: FakeCore) -> list[FaultRecord]:
    return [each for each in core.records if isinstance(each, FaultRecord)]


def test_each_function_hears_its_events_and_keeps_a_context() -> None:
    heard: list[object] = []

    def hear(figures: Any, event: Any, context: dict[str, Any]) -> None:
        context["n"] = context.get("n", 0) + 1
        heard.append(type(event).__name__)
        figures.mine = context["n"]

    part, core, live, processor = alone(on_quote=hear, on_trade=hear, on_bar=hear)
    core.feed(part, [quote(1, 99.0, 101.0), trade(1.5, 100.0, 1)])
    core.feed(part, [quote(2.5, 99.0, 101.0)])
    assert heard == ["Quote", "Trade", "Bar", "Quote"]
    assert live.figures.mine == 4.0
    assert live.figures.other is None
    assert processor.context == {"n": 4}


def test_a_bar_is_final_when_the_script_hears_of_it() -> None:
    closes: list[Bar] = []

    def keep(figures: Any, bar: Any, context: Any) -> None:
        closes.append(bar)
        figures.mine = bar.close

    part, core, live, _ = alone(on_bar=keep)
    core.feed(part, [trade(1.2, 100.0, 1), trade(1.4, 105.0, 1), trade(2.1, 1.0, 1)])
    assert [bar.close for bar in closes] == [105.0]
    assert live.figures.mine == 105.0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("mine", float("nan"), "must be finite"),
        ("mine", float("inf"), "must be finite"),
        ("mine", "much", "must be a number or None, not a str"),
        ("mine", True, "not a bool"),
        ("imbalance", 1.0, "imbalance is not in FIGURES; this script sets: mine"),
    ],
)
def test_a_figure_is_a_finite_number_of_its_own_or_none(
    name: str, value: object, said: str
) -> None:
    def wrong(figures: Any, event: Any, context: Any) -> None:
        figures.other = 1.0
        setattr(figures, name, value)

    part, core, live, _ = alone(on_quote=wrong)
    core.feed(part, [quote(1, 99.0, 101.0)])
    (fault,) = faults(core)
    assert said in fault.error
    assert (live.figures.mine, live.figures.other) == (None, None)


def test_an_error_is_counted_and_told_and_the_tick_goes_on() -> None:
    def fails(figures: Any, event: Any, context: Any) -> None:
        figures.mine = 1 / (event.bid - 99.0)

    part, core, live, processor = alone(on_quote=fails)
    core.feed(part, [quote(1, 98.0, 101.0)])
    assert live.figures.mine == -1.0
    core.feed(part, [quote(2, 99.0, 101.0)])
    assert live.figures.mine is None
    assert live.bid == 99.0
    (fault,) = faults(core)
    assert (fault.task, fault.instrument) == ("mine.py", BTC)
    assert fault.error.startswith("mine.py:3: ZeroDivisionError")
    core.feed(part, [quote(3, 98.0, 101.0)])
    assert live.figures.mine == -1.0
    assert (processor.errors, processor.off) == (1, False)


def test_too_many_errors_switch_it_off_for_the_instrument() -> None:
    calls: list[int] = []

    def fails(figures: Any, event: Any, context: Any) -> None:
        calls.append(1)
        raise ValueError("no")

    part, core, live, processor = alone(3, on_quote=fails, on_trade=fails)
    core.feed(part, [quote(1 + i, 99.0, 101.0) for i in range(9)])
    core.feed(part, [trade(20, 100.0, 1)])
    assert len(calls) == 3
    assert processor.off
    told = [fault.where for fault in faults(core)]
    assert told == ["processor", "processor", "processor off"]
    assert faults(core)[-1].error == "off for BTCUSDT: mine.py:3: ValueError: no"
    assert live.figures.mine is None


def test_a_runaway_call_switches_it_off_at_once_and_leaves_nothing_behind() -> None:
    def runs(figures: Any, event: Any, context: Any) -> None:
        context["half"] = 1
        figures.mine = 1.0
        raise ScriptTimeout("mine.py", "did not return", 2)

    part, core, live, processor = alone(on_quote=runs)
    core.feed(part, [quote(1, 99.0, 101.0), quote(2, 99.0, 101.0)])
    assert processor.off
    assert processor.context == {}
    assert live.figures.mine is None
    assert len(faults(core)) == 1


def test_crossed_and_one_sided_prices_do_not_reach_it() -> None:
    heard: list[object] = []
    part, core, _, _ = alone(on_quote=lambda f, event, c: heard.append(event))
    core.feed(part, [quote(1, 102.0, 101.0), quote(2, 0.0, 101.0)])
    assert heard == []


def test_what_it_keeps_is_in_the_digest() -> None:
    def keep(figures: Any, event: Any, context: Any) -> None:
        context["last"] = event.bid

    part, core, live, _ = alone(on_quote=keep)
    core.feed(part, [quote(1, 99.0, 101.0)])
    before = live.figures.digest()
    core.feed(part, [quote(2, 98.0, 101.0)])
    assert live.figures.digest() != before
