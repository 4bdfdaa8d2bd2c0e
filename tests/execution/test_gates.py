"""The gates: what fails first is what an entry would be denied for."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.execution.fakes import NS, FakeBook, Hand, signal
from workstation.execution.gates import gate_of
from workstation.execution.risk import DenialCode
from workstation.execution.settings import RiskSettings
from workstation.model.commands import Hold, Kill, KillLevel
from workstation.model.records import DenyRecord
from workstation.model.states import BookTrust

D = Decimal
GATE_OF = {
    "DATA_STALE": "feed",
    "BOOK_UNTRUSTED": "book",
    "TASK_STOPPED": "task",
    "ROW_LOCKED": "lock",
    "HOLD": "engine",
    "KILLED": "engine",
    "RECONCILING": "engine",
    "UNRECONCILED": "engine",
    "MAX_OPEN_ORDERS": "throttle",
    "MAX_ORDER_RATE": "throttle",
    "MAX_MESSAGE_RATIO": "throttle",
    "RATE_LIMITED": "throttle",
    "FATE_UNKNOWN": "broker",
}


def first_failure(hand: Hand, quantity: str, owner: str = "s") -> tuple[str, str]:
    gates = hand.executor.gates(owner, "BTC", D(quantity))
    return next(((g.name, g.detail) for g in gates if not g.passed), ("", ""))


def test_the_engine_gate_says_that_the_account_is_not_settled() -> None:
    hand = Hand()
    controls = hand.executor.controls
    controls.account_asked = True
    assert first_failure(hand, "1") == ("engine", "reconciling")
    controls.account_asked = False
    controls.unreconciled["USDT"] = "5 USDT here, 4 at the venue"
    name, detail = first_failure(hand, "1")
    hand.enter("1")
    (denied,) = hand.core.kept(DenyRecord)
    assert (name, detail) == ("engine", denied.text)


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ("0.0005", DenialCode.QUANTITY_OFF_LOT),
        ("0.001", DenialCode.BELOW_MIN_NOTIONAL),
        ("250", DenialCode.MAX_ORDER_VALUE),
        ("20", DenialCode.INSUFFICIENT_CASH),
        ("1", None),
    ],
)
def test_the_risk_gate_of_a_quantity_says_what_a_buy_would_hear(
    quantity: str, code: DenialCode | None
) -> None:
    hand = Hand(cash=D(1000))
    failed = first_failure(hand, quantity)
    hand.enter(quantity)
    denied = [(r.code, r.text) for r in hand.core.kept(DenyRecord)]
    assert denied == ([] if code is None else [(code, failed[1])])
    assert failed[0] == ("" if code is None else "risk")


def test_without_a_quantity_the_risk_gate_sums_up() -> None:
    hand = Hand(RiskSettings(max_position_value=D(1000)))
    hand.quote(100.0, 100.0)
    hand.fill(hand.enter("2", strategy="other"), "2", "100")
    risk = hand.executor.gates("s", "BTC")[5]
    assert (risk.passed, risk.detail) == (True, "20 % of position limit 1,000")
    assert "would be" not in risk.detail


def test_an_exit_of_unknown_fate_keeps_a_flat_row_out() -> None:
    hand = Hand()
    hand.fill(hand.enter("1"), "1")
    hand.give(signal("exit", "0.5"))
    hand.core.advance(hand.core.ts + 60 * NS)
    hand.give(signal("exit", "0.5"))
    hand.fill("o-3", "1")
    assert hand.position() == 0
    assert first_failure(hand, "1") == ("broker", "fate of o-2 is unknown")
    hand.enter("1")
    assert hand.core.kept(DenyRecord)[-1].code == "FATE_UNKNOWN"
    assert first_failure(hand, "1", "operator") == ("", "")


@settings(max_examples=200, deadline=None)
@given(
    flags=st.lists(st.booleans(), min_size=6, max_size=6),
    owner=st.sampled_from(["s", "operator"]),
    state=st.sampled_from(["running", "paused", "stopped", "failed"]),
    quantity=st.sampled_from(["1", "0", "250", "0.0005", "990"]),
    most=st.sampled_from([1, 100]),
)
def test_the_first_gate_that_fails_is_the_denial(
    flags: list[bool], owner: str, state: str, quantity: str, most: int
) -> None:
    paused, locked, hold, kill, stale, gap = flags
    hand = Hand(RiskSettings(max_open_orders=most))
    hand.enter("1", strategy="other")
    hand.executor.paused = paused
    hand.executor.strategy_state = lambda _: state
    hand.executor.row_locked = lambda *_: locked
    if hold:
        hand.give(Hold(on=True))
    if kill:
        hand.give(Kill(level=KillLevel.HOLD, reason="odd"))
    if stale or gap:
        hand.market.reasons["BTC"] = "something is wrong"
    if gap:
        hand.market.views["BTC"].book = FakeBook()
        hand.market.views["BTC"].book.trust = BookTrust.UNTRUSTED
    name, _ = first_failure(hand, quantity, owner)
    hand.enter(quantity, strategy=owner)
    denied = [str(r.code) for r in hand.core.kept(DenyRecord)]
    gates = GATE_OF | {"TASK_PAUSED": "engine" if paused else "task"}
    assert [name] == ([gates.get(code, "risk") for code in denied] or [""])


def test_the_gates_carry_their_number_and_its_limit() -> None:
    hand = Hand(RiskSettings(max_open_orders=3, max_position_value=D(1000)))
    hand.quote(100.0, 100.0)
    hand.core.advance(hand.core.ts + 40_000_000)
    hand.enter("1", strategy="other")
    gates = {g.name: g.detail for g in hand.executor.gates("s", "BTC")}
    assert gates == {
        "feed": "40 ms of 5 s",
        "book": "none in this feed",
        "engine": "takes entries",
        "task": "running",
        "lock": "automatic",
        "risk": "10 % of position limit 1,000",
        "throttle": "1 of 3 orders",
        "broker": "no fate unknown",
    }


@pytest.mark.parametrize("code", DenialCode)
def test_every_denial_belongs_to_a_gate(code: DenialCode) -> None:
    # The executor's pause has its own gate: a paused strategy is never asked. What is
    # too small or too large to trade is found out where the entry is sized.
    own = {
        "TASK_PAUSED": "engine",
        "QUANTITY_ZERO": "size",
        "QUANTITY_BELOW_MINIMUM": "size",
        "QUANTITY_ABOVE_MAXIMUM": "size",
        "BELOW_MIN_NOTIONAL": "size",
    }
    assert gate_of(code.value) == (GATE_OF | own).get(code.value, "risk")
