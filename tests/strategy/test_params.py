"""Parameters of symbols: from the config, and changed while the run goes on."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from tests.strategy.bench import Bench
from workstation.model.commands import SetParams
from workstation.model.errors import CommandRefused, ScriptError
from workstation.model.records import ParamsRecord
from workstation.strategy.script import ParamSpec, Script


def test_a_symbol_has_its_own_parameters_over_the_strategy_s() -> None:
    bench = Bench(
        params={"fast": 12, "stop": 0.05}, symbol_params={"BTC": {"fast": 20}}
    )
    assert bench.row.market.params == {"fast": 20, "stop": 0.05}
    assert bench.strategy.params == {"fast": 12, "stop": 0.05}


def test_parameters_change_between_inputs_and_are_on_record() -> None:
    bench = Bench()
    before = bench.strategy.digest()
    said = bench.set_params(fast=12)
    assert said == "s uses fast 12 in BTC from its next call on"
    (record,) = [r for r in bench.core.records if isinstance(r, ParamsRecord)]
    assert (record.before, record.after) == ({"fast": 10}, {"fast": 12})
    assert (record.who, record.strategy, record.instrument) == ("operator", "s", "BTC")
    assert bench.strategy.digest() != before
    seen: list[object] = []
    bench.bar(lambda market: seen.append(market.params["fast"]))
    assert seen == [12]


def test_what_is_refused_says_why_in_the_script_s_words_and_changes_nothing() -> None:
    bench = Bench()
    kept = len(bench.core.records)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"fats": 12}, "did you mean 'fast'"),
        ({"fast": 1}, "must be in 2 … 500"),
        ({"fast": "12"}, "must be int"),
        ({"fast": 10}, "s has these parameters already"),
        ({"stop": 0.1, "fast": 1000}, "must be in 2 … 500"),
    ]
    for values, said in cases:
        with pytest.raises(CommandRefused, match=said):
            bench.set_params(**values)
    with pytest.raises(CommandRefused, match="s has no row ETH; it has: BTC"):
        bench.set_params("ETH", fast=12)
    with pytest.raises(CommandRefused, match="no strategy t; known: s"):
        bench.do(SetParams(strategy="t", values={"fast": 12}))
    assert bench.row.market.params == {"fast": 10, "stop": 0.02}
    assert len(bench.core.records) == kept


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30])
def test_a_number_that_cannot_be_told_elsewhere_is_refused(value: int) -> None:
    here = Script(name="mine", path="", hash="", params=(ParamSpec("n", 1),))
    assert here.resolve({"n": value}) == {"n": value}
    elsewhere = structs.replace(here, texts_cross=True)
    assert elsewhere.resolve({"n": 2**63 - 1}) == {"n": 2**63 - 1}
    with pytest.raises(ScriptError, match="at most 64 bits"):
        elsewhere.resolve({"n": value})
