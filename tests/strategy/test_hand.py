"""The operator's hand: what the table allows, and the fills still decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.strategy.fakes import ENTER, SEEN, Stand, hand_back, override_to
from workstation.model.commands import Disposition
from workstation.model.errors import CommandRefused
from workstation.model.orders import OrderRole, OrderStatus
from workstation.model.states import SymbolState

S = OrderStatus


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


def test_a_row_that_holds_leaves_by_its_fills_with_the_operator_s_reason(
    tmp_path: Path,
) -> None:
    stand = Stand.in_trade(tmp_path)
    stand.strategy.override(
        override_to(SymbolState.WATCH, disposition=Disposition.FLATTEN)
    )
    assert stand.row.state is SymbolState.IN_TRADE
    stand.hold("0")
    assert stand.row.history[-1].reason == "override: mine"


def test_an_override_to_where_the_row_is_leaves_no_reason_behind(
    tmp_path: Path,
) -> None:
    stand = Stand.in_trade(tmp_path)
    stand.strategy.override(override_to(SymbolState.IN_TRADE, lock=True))
    stand.hold("0")
    assert stand.row.history[-1].reason == "position closed"


def _overridden_entry(tmp_path: Path) -> Stand:
    """Return a stand whose entry is being canceled by an override to Watch."""
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    stand.update(S.SUBMITTED)
    stand.strategy.override(override_to(SymbolState.WATCH))
    stand.update(S.PENDING_CANCEL, before=S.SUBMITTED)
    return stand


def test_an_entry_that_is_canceled_in_time_ends_with_the_operator_s_reason(
    tmp_path: Path,
) -> None:
    stand = _overridden_entry(tmp_path)
    stand.update(S.CANCELED, before=S.PENDING_CANCEL)
    assert stand.row.history[-1].reason == "override: mine"


def test_a_fill_that_was_faster_than_the_cancel_ends_the_override_s_reason(
    tmp_path: Path,
) -> None:
    stand = _overridden_entry(tmp_path)
    stand.hold("1")
    stand.update(S.FILLED, before=S.PENDING_CANCEL)
    stand.hold("0")
    assert stand.row.history[-1].reason == "position closed"


def test_a_cancel_that_is_refused_ends_the_override_s_reason(tmp_path: Path) -> None:
    stand = _overridden_entry(tmp_path)
    stand.update(S.ACCEPTED, before=S.PENDING_CANCEL)
    stand.update(S.EXPIRED, before=S.ACCEPTED)
    assert stand.row.history[-1].reason == "entry expired"


@pytest.mark.parametrize(
    ("end", "reason"),
    [(S.REJECTED, "position closed"), (S.PARTIALLY_FILLED, "override: mine")],
)
def test_a_flatten_that_failed_ends_the_override_s_reason(
    tmp_path: Path, end: OrderStatus, reason: str
) -> None:
    stand = Stand.in_trade(tmp_path)
    stand.strategy.override(
        override_to(SymbolState.WATCH, disposition=Disposition.FLATTEN)
    )
    stand.update(end, OrderRole.FLATTEN, before=S.SUBMITTED)
    stand.hold("0.5")
    stand.hold("0")
    assert stand.row.history[-1].reason == reason


def test_a_late_fill_that_is_flattened_too_keeps_the_override_s_reason(
    tmp_path: Path,
) -> None:
    stand = Stand.in_trade(tmp_path)
    stand.strategy.override(
        override_to(SymbolState.WATCH, disposition=Disposition.FLATTEN)
    )
    stand.update(S.SUBMITTED, OrderRole.FLATTEN)
    stand.hold("2")
    stand.hold("0")
    assert stand.row.history[-1].reason == "override: mine"


def test_a_row_that_is_not_there_is_refused_with_those_that_are(
    tmp_path: Path,
) -> None:
    stand = Stand.of(tmp_path)
    with pytest.raises(CommandRefused, match="s has no row ETH; it has: BTC"):
        stand.strategy.hand_back(hand_back("ETH"))


def test_a_commit_that_came_to_nothing_does_not_block_the_row(tmp_path: Path) -> None:
    stand = Stand.of(tmp_path, detect=SEEN, filter=ENTER)
    stand.bar()
    stand.bar()
    assert stand.row.committing
    stand.strategy.override(override_to(SymbolState.WATCH))
    assert not stand.row.committing
