"""The operator's hand: what the table allows, and the fills still decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strategy.fakes import ENTER, SEEN, Stand, override_to
from workstation.model.commands import Disposition
from workstation.model.errors import CommandRefused
from workstation.model.states import SymbolState


def test_a_row_that_is_overridden_to_close_watch_has_an_opportunity_and_time(
    tmp_path: Path,
) -> None:
    filter_ = "context['saw'] = context['opportunity']['signal']; return None"
    stand = Stand.of(tmp_path, filter=filter_, settings={"close_watch_bars": 3})
    stand.bar()
    stand.strategy.override(override_to(SymbolState.CLOSE_WATCH))
    stand.bar()
    assert stand.row.context["saw"] == "override"
    assert stand.row.state is SymbolState.CLOSE_WATCH
    stand.bar()
    stand.bar()
    assert stand.core.moves[-1] == ("CloseWatch", "Watch", "expire")


def test_a_move_the_table_forbids_is_refused_with_those_it_allows(
    tmp_path: Path,
) -> None:
    stand = Stand.in_trade(tmp_path)
    with pytest.raises(CommandRefused) as caught:
        stand.strategy.check_override(override_to(SymbolState.CLOSE_WATCH))
    assert str(caught.value) == (
        "s BTC is in InTrade and cannot go to CloseWatch; it can go to: Watch"
    )


def test_a_row_that_holds_leaves_by_its_fills_with_the_operator_s_reason(
    tmp_path: Path,
) -> None:
    stand = Stand.in_trade(tmp_path)
    stand.strategy.override(
        override_to(SymbolState.WATCH, disposition=Disposition.FLATTEN)
    )
    assert stand.row.state is SymbolState.IN_TRADE
    stand.hold("0")
    assert stand.row.transitions[-1].reason == "override: mine"


def test_an_override_to_where_the_row_is_leaves_no_reason_behind(
    tmp_path: Path,
) -> None:
    stand = Stand.in_trade(tmp_path)
    stand.strategy.override(override_to(SymbolState.IN_TRADE, lock=True))
    stand.hold("0")
    assert stand.row.transitions[-1].reason == "position closed"


def test_a_row_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path,
) -> None:
    stand = Stand.of(tmp_path)
    with pytest.raises(CommandRefused, match="s has no row ETH; it has: BTC"):
        stand.strategy.hand_back("ETH", "x")


def test_a_commit_that_came_to_nothing_does_not_block_the_row(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    assert stand.row.committing
    stand.strategy.override(override_to(SymbolState.WATCH))
    assert not stand.row.committing
