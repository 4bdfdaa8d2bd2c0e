"""Limits set while the run goes on: tightened at once, loosened when confirmed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.fakes import Hand, ticket
from tests.execution.test_breakers import at, codes, holding, rungs
from workstation.execution.limits import UNITS, loosens
from workstation.execution.settings import RiskSettings
from workstation.model.commands import Flatten, Rearm, SetLimit
from workstation.model.errors import CommandRefused
from workstation.model.events import PositionStateChanged
from workstation.model.records import BandRecord, LimitRecord

D = Decimal


def test_a_limit_is_tightened_at_once_and_recorded() -> None:
    hand = Hand()
    hand.give(SetLimit(name="max_order_value", value=D(100), reason="thin market"))
    (record,) = hand.core.kept(LimitRecord)
    assert (record.name, record.before, record.after) == (
        "max_order_value",
        D(25_000),
        D(100),
    )
    assert (record.who, record.reason) == ("operator", "thin market")
    hand.enter("1", strategy="a")
    assert codes(hand) == ["MAX_ORDER_VALUE"]


@pytest.mark.parametrize("value", [D(30_000), None])
def test_a_limit_is_loosened_only_when_that_is_confirmed(value: Decimal | None) -> None:
    hand = Hand()
    command = SetLimit(name="max_order_value", value=value)
    with pytest.raises(CommandRefused, match="must be confirmed"):
        hand.give(command)
    assert hand.core.kept(LimitRecord) == []
    hand.give(SetLimit(name="max_order_value", value=value, confirmed=True))
    assert hand.executor.limits.settings.max_order_value == value
    hand.enter("290", strategy="a")
    assert codes(hand) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_everything", D(1), "max_everything is no limit; limits: max_daily_loss"),
        ("max_order_value", D(25_000), "max_order_value is 25000 already"),
        ("max_order_value", D(0), "must be more than 0"),
        ("max_open_orders", D("1.5"), "must be a whole number"),
        ("max_open_orders", D(0), ">= 1"),
        ("max_drawdown", D(0), "must be more than 0"),
    ],
)
def test_what_is_no_limit_is_refused(name: str, value: Decimal, said: str) -> None:
    hand = Hand()
    with pytest.raises(CommandRefused, match=said):
        hand.give(SetLimit(name=name, value=value, confirmed=True))
    assert hand.executor.limits.settings == RiskSettings()
    assert hand.core.kept(LimitRecord) == []


def test_an_answer_to_an_old_picture_is_refused() -> None:
    hand = Hand()
    seen = hand.core.seq
    hand.give(SetLimit(name="max_open_orders", value=D(50), seen_seq=seen))
    with pytest.raises(CommandRefused, match="look again"):
        hand.give(SetLimit(name="max_open_orders", value=D(40), seen_seq=seen))
    hand.give(SetLimit(name="max_open_orders", value=D(40), seen_seq=hand.core.seq))
    assert hand.executor.limits.settings.max_open_orders == 40


@pytest.mark.parametrize("name", UNITS)
def test_every_limit_can_be_taken_away_and_put_back(name: str) -> None:
    hand = Hand()
    given = getattr(RiskSettings(), name)
    hand.give(SetLimit(name=name, value=None, confirmed=True))
    assert getattr(hand.executor.limits.settings, name) is None
    hand.give(SetLimit(name=name, value=D(given)))
    assert hand.executor.limits.settings == RiskSettings()


def test_a_tightened_loss_trips_with_the_next_event() -> None:
    hand = holding()
    at(hand, 95.0)
    hand.give(SetLimit(name="max_daily_loss", value=D(400)))
    at(hand, 95.0, 0.0)
    assert [level for level, _, _ in rungs(hand)] == ["cancel"]


def test_a_raised_loss_lets_entries_pass_again() -> None:
    hand = holding()
    at(hand, 89.0)
    hand.give(SetLimit(name="max_daily_loss", value=D(2000), confirmed=True))
    hand.give(Rearm())
    at(hand, 89.0)
    hand.enter("1", strategy="b")
    assert codes(hand) == []


def test_limits_in_force_are_part_of_the_digest() -> None:
    one, other = Hand(), Hand()
    other.give(SetLimit(name="max_open_orders", value=D(50)))
    one.core.seq = other.core.seq
    assert one.executor.digest() != other.executor.digest()


def test_more_room_or_none_is_looser() -> None:
    assert loosens(D(1), D(2))
    assert loosens(D(1), None)
    assert not loosens(D(2), D(1))
    assert not loosens(None, D(1))


@pytest.mark.parametrize("wild", ["NaN", "Infinity", "1e400", "1e3000000"])
def test_a_limit_that_is_no_figure_is_refused(wild: str) -> None:
    hand = Hand()
    with pytest.raises(CommandRefused, match="is no figure below"):
        hand.give(SetLimit(name="max_order_value", value=D(wild), confirmed=True))
    assert hand.core.kept(LimitRecord) == []


def test_bands_are_judged_anew_by_each_limit_that_is_set() -> None:
    hand = Hand(RiskSettings(max_position_value=D(1000), max_order_value=None))
    hand.give(ticket("9.9"))
    hand.fill("o-1", "9.9", "100")
    bands = [hand.executor.band("BTC").value]
    for value in (D(100_000), D(1000), None):
        hand.give(SetLimit(name="max_position_value", value=value, confirmed=True))
        bands.append(hand.executor.band("BTC").value)
    assert bands == ["critical", "normal", "critical", "normal"]
    kept = [(r.before, r.after, r.position) for r in hand.core.kept(BandRecord)]
    told = [(e.old, e.new, e.position) for e in hand.core.said(PositionStateChanged)]
    assert len(kept) == 4
    assert kept == told


def test_without_a_limit_no_position_is_beyond_it() -> None:
    hand = Hand(RiskSettings(max_position_value=None, max_order_value=None))
    hand.give(ticket("9.9"))
    hand.fill("o-1", "9.9", "100")
    assert hand.executor.band("BTC").value == "normal"
    hand.give(SetLimit(name="max_position_value", value=D(1000)))
    assert hand.executor.band("BTC").value == "critical"
    hand.give(Flatten(instrument="BTC"))
    hand.fill(hand.submitted()[-1], "9.9", "100")
    assert hand.executor.band("BTC").value == "normal"
