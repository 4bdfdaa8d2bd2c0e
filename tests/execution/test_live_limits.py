"""Limits set live: what of them holds in the next run, with whatever config."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.execution.limits import loosens
from workstation.execution.live_limits import LiveLimits, SetLive
from workstation.execution.settings import RiskSettings
from workstation.model.records import LimitRecord

D = Decimal
NAME = "max_order_value"


def of(value: str | None) -> Decimal | None:
    return None if value is None else D(value)


def put(value: str | None, reason: str = "") -> LimitRecord:
    return LimitRecord(
        seq=1, ts=1, name=NAME, before=None, after=of(value), reason=reason
    )


def now(value: str | None) -> RiskSettings:
    return RiskSettings(max_order_value=of(value))


def held(limits: LiveLimits, config: str | None) -> Decimal | None:
    """Return what is in force in a run that begins with this config."""
    found = limits.holding(now(config)).get(NAME)
    return of(config) if found is None else found.value


@pytest.mark.parametrize(
    ("then", "live", "config", "expected"),
    [
        # The config is as it was: what was set holds, tighter or looser.
        ("1000", "800", "1000", "800"),
        ("1000", "1200", "1000", "1200"),
        ("1000", None, "1000", None),
        (None, "800", None, "800"),
        # It was changed: the tighter of the two.
        ("1000", "800", "900", "800"),
        ("1000", "800", "700", "700"),
        ("1000", "800", None, "800"),
        ("1000", "1200", "1100", "1100"),
        ("1000", "1200", "1500", "1200"),
        ("1000", None, "1500", "1500"),
        (None, "800", "900", "800"),
        (None, "800", "700", "700"),
        ("1000", "800", "800", "800"),
    ],
)
def test_a_limit_set_live_holds_unless_the_config_became_tighter(
    then: str | None, live: str | None, config: str | None, expected: str | None
) -> None:
    limits = LiveLimits()
    limits.begins({NAME: then})
    limits.take(put(live))
    assert held(limits, config) == of(expected)


def test_a_word_of_the_config_that_was_overruled_is_not_asked_again() -> None:
    limits = LiveLimits()
    limits.begins({NAME: "1000"})
    limits.take(put("800"))
    # The operator tightens the file, and loosens the limit in the run after that.
    limits.begins({NAME: "700"})
    limits.take(put("900"))
    assert held(limits, "700") == 900


def test_what_a_tighter_config_replaced_does_not_come_back() -> None:
    limits = LiveLimits()
    limits.begins({NAME: "1000"})
    limits.take(put("800"))
    limits.begins({NAME: "700"})
    assert held(limits, "1000") == 1000


def test_a_limit_that_is_the_configs_again_is_no_limit_set_live() -> None:
    limits = LiveLimits()
    limits.begins({NAME: "1000"})
    limits.take(put("800"))
    limits.take(put("1000"))
    assert limits.holding(now("1000")) == {}


def test_the_reason_comes_along_and_the_config_stands_beside_it() -> None:
    limits = LiveLimits()
    limits.begins({NAME: 1000})
    limits.take(put("800", "thin market"))
    assert limits.holding(now("1000")) == {
        NAME: SetLive(D(1000), D(800), "thin market")
    }


@pytest.mark.parametrize("risk", [{}, {NAME: "much"}])
def test_a_run_that_does_not_say_its_config_lets_nothing_more_pass(
    risk: dict[str, object],
) -> None:
    for live, expected in (("800", "800"), ("1200", "1000")):
        limits = LiveLimits()
        limits.begins(risk)
        limits.take(put(live))
        assert held(limits, "1000") == of(expected)


amounts = st.one_of(st.none(), st.integers(1, 9).map(str))


@given(
    st.lists(st.tuples(amounts, st.lists(amounts, max_size=3)), min_size=1, max_size=4),
    amounts,
)
def test_a_restart_never_lets_more_pass_than_was_in_force_but_by_the_config(
    runs: list[tuple[str | None, list[str | None]]], config: str | None
) -> None:
    limits = LiveLimits()
    for began, puts in runs:
        limits.begins({NAME: began})
        for value in puts:
            limits.take(put(value))
    last, puts = runs[-1]
    force = held(limits, last)
    if puts:
        assert force == of(puts[-1])
    found = held(limits, config)
    if of(config) == of(last):
        assert found == force
    elif force == of(last):
        assert found == of(config)
    else:
        assert found in (force, of(config))
        assert not loosens(force, found)
        assert not loosens(of(config), found)
