"""A lock in manual: nobody asks the script, and it ends by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strategy.fakes import SEEN, Stand, hand_back, override_to
from workstation.model.errors import CommandRefused
from workstation.model.records import LockRecord
from workstation.model.states import SymbolState


def test_a_locked_row_is_not_asked(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN)
    stand.strategy.override(override_to(SymbolState.WATCH, lock=True))
    stand.bar()
    assert stand.row.calls == 0
    assert stand.row.answer == "locked in manual"
    assert stand.strategy.is_locked("BTC")
    stand.strategy.hand_back(hand_back())
    stand.bar()
    assert stand.row.calls == 1
    with pytest.raises(CommandRefused, match="is not locked"):
        stand.strategy.hand_back(hand_back())


def test_a_lock_ends_by_itself_and_says_so(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.bar()
    until = stand.core.ts + 5
    stand.strategy.override(override_to(SymbolState.WATCH, lock=True, expires_ns=until))
    timer = stand.core.clock.pop_due(until)
    assert timer is not None
    timer.callback()
    assert not stand.strategy.is_locked("BTC")
    last = stand.core.records[-1]
    assert isinstance(last, LockRecord)
    assert (last.before, last.after, last.reason) == (True, False, "lock expired")


def test_a_lock_that_is_renewed_does_not_end_at_the_old_time(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    for until in (5, 50):
        stand.strategy.override(
            override_to(SymbolState.WATCH, lock=True, expires_ns=until)
        )
    assert stand.core.clock.next_due() == 50
