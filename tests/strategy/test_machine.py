"""The symbol machine's table: every legal move under its guard, every other refused."""

from __future__ import annotations

import itertools

import pytest

from workstation.model.errors import IllegalTransition
from workstation.model.states import SymbolState
from workstation.strategy.machine import TABLE, Facts, Guard, Trigger, step

W, C, T = SymbolState.WATCH, SymbolState.CLOSE_WATCH, SymbolState.IN_TRADE
# What is in trade: nothing; a position; an entry; both.
OUT, HELD, ENTERING = (False, False), (True, False), (False, True)
BOTH = (True, True)
ANY = (OUT, HELD, ENTERING, BOTH)
IN = (HELD, ENTERING, BOTH)

# Written out here a second time, by (held, entering), so that a changed table fails.
EXPECTED = {
    (W, "opportunity"): {OUT: C},
    (W, "enter_long"): {ENTERING: T, BOTH: T},
    (W, "enter_short"): {ENTERING: T, BOTH: T},
    (W, "first_fill"): {HELD: T, BOTH: T},
    (W, "override_close_watch"): {OUT: C},
    (W, "override_in_trade"): {HELD: T, BOTH: T},
    (C, "enter_long"): {ENTERING: T, BOTH: T},
    (C, "enter_short"): {ENTERING: T, BOTH: T},
    (C, "cancel"): {OUT: W},
    (C, "denied"): {OUT: W},
    (C, "expire"): {OUT: W},
    (C, "untrusted"): {OUT: W},
    (C, "kill"): {OUT: W},
    (C, "first_fill"): {HELD: T, BOTH: T},
    (C, "override_watch"): {OUT: W},
    (C, "override_in_trade"): {HELD: T, BOTH: T},
    (T, "enter_long"): dict.fromkeys(IN, T),
    (T, "enter_short"): dict.fromkeys(IN, T),
    (T, "denied"): dict.fromkeys(IN, T),
    (T, "first_fill"): {HELD: T, BOTH: T},
    (T, "partly_filled"): dict.fromkeys(IN, T),
    (T, "entry_rejected"): {OUT: W, **dict.fromkeys(IN, T)},
    (T, "entry_expired"): {OUT: W, **dict.fromkeys(IN, T)},
    (T, "entry_canceled"): {OUT: W, **dict.fromkeys(IN, T)},
    (T, "exit"): dict.fromkeys(IN, T),
    (T, "stop"): dict.fromkeys(IN, T),
    (T, "target"): dict.fromkeys(IN, T),
    (T, "trailing"): dict.fromkeys(IN, T),
    (T, "flat"): {OUT: W, ENTERING: T, BOTH: T},
    (T, "kill"): dict.fromkeys(IN, T),
    (T, "override_watch"): {OUT: W, **dict.fromkeys(IN, T)},
}
CASES = list(itertools.product(SymbolState, Trigger, ANY))


@pytest.mark.parametrize(("state", "trigger", "place"), CASES)
def test_every_trigger_moves_as_the_table_says_or_is_refused(
    state: SymbolState, trigger: Trigger, place: tuple[bool, bool]
) -> None:
    facts = Facts(*place)
    ways = EXPECTED.get((state, trigger.value))
    following = None if ways is None else ways.get(place)
    if following is not None:
        assert step(("s", "BTC"), state, trigger, facts) is following
        return
    with pytest.raises(IllegalTransition) as caught:
        step(("s", "BTC"), state, trigger, facts)
    said = str(caught.value)
    assert said.startswith(f"s BTC: {trigger.value} is not legal in {state.value}")
    named = said.split("legal there: ")[1]
    if ways is None:
        legal = [name for known, name in EXPECTED if known is state]
        assert sorted(named.split(", ")) == sorted(legal)
    else:
        guards = [way.guard.value for way in TABLE[state, trigger]]
        assert named == f"only if {' or '.join(guards)}"


def test_the_settings_may_keep_close_watch_on_broken_data() -> None:
    facts = Facts(held=False, entering=False, keeps=True)
    assert step(("s", "BTC"), C, Trigger.UNTRUSTED, facts) is C
    for trigger in (Trigger.CANCEL, Trigger.EXPIRE, Trigger.KILL):
        assert step(("s", "BTC"), C, trigger, facts) is W


@pytest.mark.parametrize("place", ANY)
def test_every_guard_is_what_its_name_says(place: tuple[bool, bool]) -> None:
    held, entering = place
    facts = Facts(held, entering)
    assert Guard.HELD.holds(facts) is held
    assert Guard.ENTERING.holds(facts) is entering
    assert Guard.IN.holds(facts) is (held or entering)
    assert Guard.OUT.holds(facts) is not (held or entering)


def test_every_state_can_be_reached_and_left() -> None:
    ways = [(before, way.after) for (before, _), all in TABLE.items() for way in all]
    assert {after for before, after in ways if after is not before} == set(SymbolState)
    assert {before for before, after in ways if after is not before} == set(SymbolState)
    assert (T, Trigger.OVERRIDE_CLOSE_WATCH) not in TABLE
