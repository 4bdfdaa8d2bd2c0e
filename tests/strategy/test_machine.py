"""The symbol machine's table: every legal move, every other one refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.model.errors import IllegalTransition
from workstation.model.states import SymbolState
from workstation.strategy.machine import TABLE, Trigger, step

W, C, T = SymbolState.WATCH, SymbolState.CLOSE_WATCH, SymbolState.IN_TRADE

# Written out here a second time, so that a changed table fails.
EXPECTED = {
    (W, "opportunity"): C,
    (W, "fill"): T,
    (W, "override_close_watch"): C,
    (W, "override_in_trade"): T,
    (C, "commit"): T,
    (C, "cancel"): W,
    (C, "expire"): W,
    (C, "fill"): T,
    (C, "override_watch"): W,
    (C, "override_in_trade"): T,
    (T, "fill"): T,
    (T, "entry_ended"): W,
    (T, "flat"): W,
    (T, "override_watch"): W,
}
PAIRS = [(state, trigger) for state in SymbolState for trigger in Trigger]


def test_the_table_is_the_one_of_the_design() -> None:
    assert {(s, t.value): after for (s, t), after in TABLE.items()} == EXPECTED


@pytest.mark.parametrize(("state", "trigger"), PAIRS)
def test_every_pair_moves_as_the_table_says_or_is_refused(
    state: SymbolState, trigger: Trigger
) -> None:
    following = EXPECTED.get((state, trigger.value))
    if following is not None:
        assert step("s BTC", state, trigger) is following
        return
    with pytest.raises(IllegalTransition) as caught:
        step("s BTC", state, trigger)
    said = str(caught.value)
    assert said.startswith(f"s BTC: {trigger.value} is not legal in {state.value}")
    named = said.split("legal there: ")[1].split(", ")
    assert named == [legal for known, legal in EXPECTED if known is state]


@given(st.lists(st.sampled_from(list(Trigger)), max_size=40))
def test_no_sequence_of_triggers_leaves_the_three_states(
    triggers: list[Trigger],
) -> None:
    state = W
    entered = False
    for trigger in triggers:
        try:
            following = step("row", state, trigger)
        except IllegalTransition:
            assert (state, trigger.value) not in EXPECTED
            continue
        if following is T and state is not T:
            assert trigger.value in ("fill", "commit", "override_in_trade")
            entered = True
        if state is T and following is W:
            assert entered
            assert trigger.value in ("entry_ended", "flat", "override_watch")
        state = following
    assert state in SymbolState


def test_every_state_can_be_reached_and_left() -> None:
    assert set(TABLE.values()) == set(SymbolState)
    assert {before for before, _ in TABLE} == set(SymbolState)
    assert (T, Trigger.OVERRIDE_CLOSE_WATCH) not in TABLE
