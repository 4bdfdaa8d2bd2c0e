"""An engine killed at any moment goes on where its venue says it is.

The venue is a process of its own that shares no code with the package and outlives the
kill. After each kill the engine is started again, takes the account up, and at its end
its orders, fills, position and fees are the venue's.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.crash.loopback import Loopback
from workstation.engine.replay import replay_journal

SYMBOL = "BTCUSDT"
SECONDS = 20
ALL = bool(os.environ.get("WORKSTATION_CRASH_ALL"))
"""Every boundary instead of some: minutes instead of seconds."""
ENDS = {
    "filled": "FILLED",
    "canceled": "CANCELED",
    "expired": "EXPIRED",
    "accepted": "NEW",
    "partially_filled": "PARTIALLY_FILLED",
}


class Engines:
    """Runs engines against one venue, each in a process that may be killed."""

    def __init__(self, venue: Loopback) -> None:
        self.venue = venue
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def run(self, folder: Path, **wanted: object) -> dict[str, Any]:
        """Run one engine to its end, or to its kill."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        asked = {
            "url": self.venue.url,
            "folder": str(folder),
            "seconds": SECONDS,
            **wanted,
        }
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        found: dict[str, Any] = json.loads(self._server.stdout.readline())
        return found

    @contextmanager
    def left_running(self, folder: Path, **wanted: object) -> Iterator[None]:
        """Run an engine of its own that may be stuck for ever; it is killed after."""
        asked = {"url": self.venue.url, "folder": str(folder), "seconds": SECONDS}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.engine"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        assert process.stdin is not None
        print(json.dumps({**asked, **wanted}), file=process.stdin, flush=True)
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def close(self) -> None:
        self._server.kill()
        self._server.communicate()


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Loopback() as venue:
        running = Engines(venue)
        yield running
        running.close()


@pytest.fixture
def fresh(engines: Engines) -> Engines:
    engines.venue.reset()
    engines.venue.price(SYMBOL, "61500")
    return engines


def assert_agreed(found: dict[str, Any], state: dict[str, Any]) -> None:
    """Check that the engine's end is the venue's: orders, fills, position, fees."""
    assert not found["killed"], found
    assert found["asked"] == []
    assert not found["reconciling"]
    assert found["unreconciled"] == {}
    there = {order["clientOrderId"]: order for order in state["orders"]}
    twice = Counter(order["clientOrderId"] for order in state["orders"])
    assert max(twice.values(), default=1) == 1, "an order was doubled"
    for order_id, order in there.items():
        status, filled = found["orders"][order_id]
        assert ENDS[status] == order["status"], order_id
        assert Decimal(filled) == Decimal(order["executedQty"]), order_id
    for order_id, (status, _) in found["orders"].items():
        sent = status not in ("held", "rejected", "denied")
        # A stop that was canceled while it was held here was never there.
        assert order_id in there or not sent or status == "canceled", order_id
    assert found["fills"] == len(state["trades"])
    assert Decimal(found["net"]) == Decimal(state["balances"].get("BTC", "0"))
    assert amounts(found["balances"]) == amounts(state["balances"])
    fees = sum((worth(each) for each in state["trades"]), Decimal(0))
    assert Decimal(found["fees"]) == fees


def worth(trade: dict[str, Any]) -> Decimal:
    """Return what was paid as commission, one in what was bought at its price."""
    price = 1 if trade["commissionAsset"] == "USDT" else Decimal(trade["price"])
    return Decimal(trade["commission"]) * price


def amounts(balances: dict[str, str]) -> dict[str, Decimal]:
    """Return what there is of each currency."""
    return {name: Decimal(each) for name, each in balances.items() if Decimal(each)}


def test_a_run_that_nobody_kills_agrees_with_its_venue(
    fresh: Engines, tmp_path: Path
) -> None:
    found = fresh.run(tmp_path)
    state = fresh.venue.state()
    assert_agreed(found, state)
    assert {order["status"] for order in state["orders"]} >= {"FILLED", "CANCELED"}
    assert len(state["trades"]) >= 3
    kinds = {order["type"] for order in state["orders"]}
    assert kinds >= {"MARKET", "LIMIT", "STOP_LOSS_LIMIT"}


@pytest.mark.parametrize("rows", [0, 15, 33, 42, 60, *(range(95) if ALL else ())])
def test_what_was_bought_less_its_fee_is_sold_again_and_nothing_is_refused(
    fresh: Engines, tmp_path: Path, rows: int
) -> None:
    # Half a lot of each purchase: what it leaves cannot be sold.
    fresh.venue.take_fees_in_kind("0.00075")
    if rows:
        assert fresh.run(tmp_path, kill_after=rows)["killed"]
    found = fresh.run(tmp_path, seconds=24)
    state = fresh.venue.state()
    assert_agreed(found, state)
    # An order that the kill kept here is rejected, too: the venue never had it.
    assert state["refused"] == []
    sold = [order for order in state["orders"] if order["side"] == "SELL"]
    assert len(sold) >= 2
    assert {order["status"] for order in sold} == {"FILLED"}
    assert {order["origQty"] for order in sold} == {"0.01998"}
    assert Decimal(found["dust"]) == len(sold) * Decimal("0.000005")
    held = sum(map(Decimal, found["open"].values()), Decimal(found["dust"]))
    assert held == Decimal(state["balances"]["BTC"])
    for path in sorted(tmp_path.glob("*.sqlite")):
        replayed = replay_journal(path)
        assert replayed.matches, replayed.first_difference


def boundaries() -> list[int]:
    """Return after how many durable rows a run is killed."""
    return list(range(1, 96)) if ALL else [1, 12, *range(15, 90, 6)]


@pytest.mark.parametrize("rows", boundaries())
def test_an_engine_killed_at_a_boundary_of_its_journal_goes_on(
    fresh: Engines, tmp_path: Path, rows: int
) -> None:
    killed = fresh.run(tmp_path, kill_after=rows)
    assert killed["killed"], killed
    found = fresh.run(tmp_path, seconds=12)
    assert_agreed(found, fresh.venue.state())


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("when", ["kill_before", "kill_answered"])
def test_an_engine_killed_around_a_request_goes_on(
    fresh: Engines, tmp_path: Path, when: str, number: int
) -> None:
    killed = fresh.run(tmp_path, **{when: number})
    assert killed["killed"], killed
    found = fresh.run(tmp_path, seconds=12)
    assert_agreed(found, fresh.venue.state())


def test_an_engine_killed_again_and_again_goes_on(
    fresh: Engines, tmp_path: Path
) -> None:
    for rows in (31, 44, 29, 52):
        assert fresh.run(tmp_path, kill_after=rows)["killed"]
    found = fresh.run(tmp_path, seconds=12)
    assert_agreed(found, fresh.venue.state())


@pytest.mark.parametrize(
    "fault",
    [
        ("POST order", "lost"),
        ("POST order", "unanswered"),
        ("POST order", "broken"),
        ("DELETE order", "lost"),
        ("DELETE order", "unanswered"),
        ("DELETE order", "broken"),
    ],
    ids=" ".join,
)
def test_an_answer_that_never_comes_is_asked_for(
    fresh: Engines, tmp_path: Path, fault: tuple[str, str]
) -> None:
    fresh.venue.fault(*fault)
    # "No such order" counts only of a question asked 30 s after the order left.
    found = fresh.run(tmp_path, seconds=50)
    assert_agreed(found, fresh.venue.state())
    unknown = [row for row in found["orders"].values() if row[0] == "unknown"]
    assert unknown == []


@pytest.mark.parametrize("stuck", [False, True], ids=["killed", "stuck"])
def test_the_watchdog_cancels_the_entries_of_a_dead_engine(
    fresh: Engines, tmp_path: Path, stuck: bool
) -> None:
    # After the question for the account, an entry and its exit one rests.
    resting = 4
    with fresh.left_running(
        tmp_path, kill_answered=resting, stuck=stuck, watchdog_s=1.0
    ):
        order = fresh.venue.wait_for("CANCELED")
    state = fresh.venue.state()
    assert order["type"] == "LIMIT"
    assert [o["status"] for o in state["orders"] if o is not order].count("NEW") == 0
    found = fresh.run(tmp_path, seconds=12)
    assert_agreed(found, fresh.venue.state())


def test_an_engine_that_ends_by_itself_leaves_its_orders_to_no_watchdog(
    fresh: Engines, tmp_path: Path
) -> None:
    # Eight seconds: the entry that rests is not given up yet.
    fresh.run(tmp_path, seconds=8, watchdog_s=0.2)
    state = fresh.venue.state()
    assert [order["status"] for order in state["orders"]][-1] == "NEW"


def test_a_new_account_begins_with_what_its_venue_has(
    fresh: Engines, tmp_path: Path
) -> None:
    # The config says 100,000 USDT and nothing else.
    fresh.venue.deposit("USDT", "-40000")
    fresh.venue.deposit("BTC", "0.75")
    found = fresh.run(tmp_path)
    state = fresh.venue.state()
    assert found["unreconciled"] == {}
    assert amounts(found["balances"]) == amounts(state["balances"])
    bought = Decimal(state["balances"]["BTC"]) - Decimal("0.75")
    assert Decimal(found["net"]) == bought, "what it began with is no position"


def test_an_engine_with_another_journal_takes_no_order_of_the_first_for_its_own(
    fresh: Engines, tmp_path: Path
) -> None:
    # Its journal was lost, say. Its last entry rests.
    first = fresh.run(tmp_path / "first", seconds=8)
    second = fresh.run(tmp_path / "second", seconds=14)
    state = fresh.venue.state()
    twice = Counter(order["clientOrderId"] for order in state["orders"])
    assert max(twice.values()) == 1
    marks = {order_id.partition("-")[0] for order_id in first["orders"]}
    own = {order_id for order_id in second["orders"] if order_id not in first["orders"]}
    assert len(own) >= 3
    assert marks.isdisjoint(order_id.partition("-")[0] for order_id in own)
    # What rests is heard of, and what is so new that the balances may not have it.
    heard = set(second["orders"]) - own
    assert heard
    assert heard == set(second["by_hand"])
    assert not second["reconciling"]
    assert second["unreconciled"] == {}
    assert amounts(second["balances"]) == amounts(state["balances"])
    made = [t for t in state["trades"] if t["clientOrderId"] in second["orders"]]
    assert second["fills"] == len(made)


def test_what_was_traded_by_hand_while_the_engine_was_dead_is_found(
    fresh: Engines, tmp_path: Path
) -> None:
    assert fresh.run(tmp_path, kill_after=40)["killed"]
    # One is over before anybody hears of it, the other waits.
    fresh.venue.by_hand(SYMBOL, "BUY", "0.5")
    fresh.venue.by_hand(SYMBOL, "BUY", "0.25", price="50000")
    found = fresh.run(tmp_path, seconds=20)
    state = fresh.venue.state()
    assert_agreed(found, state)
    by_hand = {order_id for order_id in found["orders"] if order_id.startswith("web")}
    assert len(by_hand) == 2
    assert Decimal(found["external"]) == Decimal("0.5")


def test_money_that_no_trade_explains_stops_entries_until_it_is_settled(
    fresh: Engines, tmp_path: Path
) -> None:
    assert fresh.run(tmp_path, kill_after=40)["killed"]
    fresh.venue.deposit("USDT", "-1234.5")
    found = fresh.run(tmp_path, seconds=12)
    assert set(found["unreconciled"]) == {"USDT"}
    assert "UNRECONCILED" in found["denials"]
    # Taken for what it is, entries go on; on the next start nothing is left of it.
    found = fresh.run(tmp_path, seconds=12, settles={"USDT": ["adopt"]})
    assert_agreed(found, fresh.venue.state())
    found = fresh.run(tmp_path, seconds=12)
    assert_agreed(found, fresh.venue.state())


SETTLES = {
    "web_1": ["adopt"],
    "web_2": ["cancel"],
    "web_3": ["ignore"],
    SYMBOL: ["attribute", "operator"],
    "BTC": ["attribute", "operator"],
    "USDT": ["adopt"],
}
"""What the operator makes of each order, position and balance."""
WIDE = ['risk.max_position_value="1000000"']
"""So that the script trades beside what is held by hand."""


def settled_rows() -> list[int]:
    """Return after how many durable rows a run is killed in which all that is done."""
    return list(range(1, 150)) if ALL else list(range(3, 150, 9))


@pytest.mark.parametrize("rows", settled_rows())
def test_what_the_operator_settles_is_settled_wherever_the_engine_was_killed(
    fresh: Engines, tmp_path: Path, rows: int
) -> None:
    venue = fresh.venue
    fresh.run(tmp_path, seconds=1)
    for price in ("50000", "49000", "48000"):
        venue.by_hand(SYMBOL, "BUY", "0.25", price=price)
    venue.by_hand(SYMBOL, "BUY", "0.5")
    venue.deposit("USDT", "-1234.5")
    venue.deposit("BTC", "0.125")
    wanted = {"seconds": 25, "settles": SETTLES, "overrides": WIDE}
    killed = fresh.run(tmp_path, kill_after=rows, **wanted)
    assert killed["killed"], killed
    found = fresh.run(tmp_path, **wanted)
    state = venue.state()
    assert found["unreconciled"] == {}
    assert not found["reconciling"]
    assert amounts(found["balances"]) == amounts(state["balances"])
    assert amounts(found["held"]) == {"operator": Decimal("0.625")}
    assert found["owners"]["web_1"] == "operator"
    assert found["ignored"] == ["web_3"]
    for order in state["orders"]:
        status, filled = found["orders"][order["clientOrderId"]]
        assert ENDS[status] == order["status"], order
        assert Decimal(filled) == Decimal(order["executedQty"]), order
    by_hand = {o["clientOrderId"]: o["status"] for o in state["orders"]}
    assert by_hand["web_2"] == "CANCELED"
    assert by_hand["web_1"] == by_hand["web_3"] == "NEW"
    for path in sorted(tmp_path.glob("*.sqlite")):
        replayed = replay_journal(path)
        assert replayed.matches, replayed.first_difference
