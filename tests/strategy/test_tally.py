"""The tally: every evaluation of a row counts once, for what stopped it first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strategy.fakes import ENTER, SEEN, Stand, override_to
from workstation.model.errors import ScriptError
from workstation.model.events import OrderDenied
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.states import SymbolState
from workstation.strategy.tally import ENTERED, Stop, Tally


def counts(stand: Stand) -> dict[str, int]:
    return {cause: n for cause, n in stand.row.tally.counts.items() if n}


def deny(stand: Stand, code: str, role: OrderRole = OrderRole.ENTRY) -> None:
    stand.strategy.handle_event(
        OrderDenied(
            owner="s",
            instrument="BTC",
            role=role,
            code=code,
            text="because",
            ts=stand.core.ts,
        )
    )


def test_a_script_without_a_signal_stops_every_bar(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.bar()
    stand.bar()
    assert counts(stand) == {Stop.NO_SIGNAL: 2}


def test_an_opportunity_is_no_entry_yet_nor_is_waiting(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN)
    stand.bar()
    assert counts(stand) == {Stop.NOT_COMMITTED: 1}
    assert stand.row.willing
    stand.bar()
    assert counts(stand) == {Stop.NOT_COMMITTED: 2}
    assert not stand.row.willing


def test_giving_up_counts(tmp_path: Path) -> None:
    give_up = "return {'action': 'cancel_analysis', 'reason': 'dry'}"
    stand = Stand.of(tmp_path, detect=SEEN, filter=give_up)
    stand.bar()
    stand.bar()
    assert counts(stand) == {Stop.NOT_COMMITTED: 1, Stop.GIVEN_UP: 1}


def test_an_entry_counts_as_entered_and_while_it_is_on_its_way_the_row_is_taken(
    tmp_path: Path,
) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    assert counts(stand) == {Stop.NOT_COMMITTED: 1, ENTERED: 1}
    stand.bar()
    assert counts(stand)[Stop.IN_TRADE] == 1


def test_a_denied_entry_counts_under_its_code_and_not_as_entered(
    tmp_path: Path,
) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    deny(stand, "HOLD")
    assert counts(stand) == {Stop.NOT_COMMITTED: 1, "HOLD": 1}


def test_what_others_are_denied_is_no_evaluation_of_the_row(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.bar()
    deny(stand, "HOLD")
    assert counts(stand) == {Stop.NO_SIGNAL: 1}


def test_a_size_that_cannot_be_traded_counts_under_its_code(tmp_path: Path) -> None:
    settings = {"size_mode": "quantity", "size": 0.0001}
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER, settings=settings)
    stand.bar()
    stand.bar()
    assert counts(stand) == {Stop.NOT_COMMITTED: 1, "QUANTITY_ZERO": 1}


def test_bars_in_trade_count_whether_the_script_is_asked_or_not(
    tmp_path: Path,
) -> None:
    stand = Stand.in_trade(tmp_path)
    before = counts(stand).get(Stop.IN_TRADE, 0)
    stand.bar()
    assert counts(stand)[Stop.IN_TRADE] == before + 1
    stand.update(OrderStatus.ACCEPTED, OrderRole.FLATTEN)
    stand.bar()
    assert counts(stand)[Stop.IN_TRADE] == before + 2


def test_adding_to_a_position_is_no_entry_of_a_flat_row(tmp_path: Path) -> None:
    more = "{'action': 'enter_long', 'stop': 90.0, 'add': True, 'reason': 'more'}"
    stand = Stand.in_trade(tmp_path, manage=f"return {more}")
    before = counts(stand)[ENTERED]
    stand.bar()
    assert stand.core.signals[-1].add
    assert counts(stand)[ENTERED] == before
    deny(stand, "HOLD")
    assert "HOLD" not in counts(stand)


def test_a_script_error_counts(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect="return 1 / 0")
    with pytest.raises(ZeroDivisionError):
        stand.bar()
    stand = Stand.of(tmp_path, detect="return 5")
    with pytest.raises(ScriptError):
        stand.bar()
    assert counts(stand) == {Stop.SCRIPT_ERROR: 1}
    assert not stand.row.willing


def test_paused_stopped_and_locked_bars_count_without_a_call(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.strategy.paused = True
    stand.bar()
    stand.strategy.paused = False
    stand.strategy.override(override_to(SymbolState.WATCH, lock=True))
    stand.bar()
    stand.strategy.stopped = True
    stand.bar()
    assert counts(stand) == {Stop.PAUSED: 1, Stop.LOCKED: 1, Stop.STOPPED: 1}
    assert stand.strategy.calls == 0


def test_a_step_is_one_evaluation_more(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.strategy.paused = True
    stand.bar()
    stand.strategy.step()
    assert counts(stand) == {Stop.PAUSED: 1, Stop.NO_SIGNAL: 1}


def test_counts_are_no_part_of_the_state(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.bar()
    before = stand.strategy.digest()
    stand.row.tally.count(Stop.NO_SIGNAL)
    stand.row.willing = True
    assert stand.strategy.digest() == before


def test_an_override_to_close_watch_leads_towards_an_entry(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path)
    stand.bar()
    stand.strategy.override(override_to(SymbolState.CLOSE_WATCH))
    assert stand.row.willing
    assert stand.row.answer == "override: mine"


def test_an_entry_that_is_denied_leaves_nothing_entered() -> None:
    tally = Tally()
    tally.count(ENTERED)
    tally.deny("HOLD")
    assert tally.counts == {ENTERED: 0, "HOLD": 1}
