"""Runs an engine against the independent venue, in a child for each run.

Started once with all of the package imported; each line on stdin is a run (JSON), each
line on stdout its result. A run may be told after how many durable rows of the journal
its process is killed; each row is then a commit of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tests.crash.loopback import SECRET
from workstation.config import load_config
from workstation.engine import journal as journal_module
from workstation.engine.assembly import assemble_session
from workstation.engine.session import Session
from workstation.model.commands import Recover, Resolve
from workstation.model.orders import Order
from workstation.model.reconciliation import Resolution, Subject, Verdict
from workstation.model.records import DenyRecord
from workstation.model.reports import Report
from workstation.model.requests import SingleRequest
from workstation.paths import shipped_folder
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.venue import BinanceVenue

SYMBOL = "BTCUSDT"
TRADER = """\
def detect_opportunity(market, context, indicators):
    count = context["count"] = context.get("count", 0) + 1
    context["rests"] = count % 2 == 0
    context["waits"] = count % 4 == 0
    return {"signal": "always"}


def filter_commitment(market, context, indicators):
    if context["waits"]:
        return {
            "action": "enter_long",
            "quantity": 0.01,
            "trigger": round(market.ask * 1.01, 2),
            "price": round(market.ask * 1.02, 2),
            "reason": "waits",
        }
    if context["rests"]:
        return {
            "action": "enter_long",
            "quantity": 0.01,
            "order_type": "limit",
            "price": round(market.bid * 0.99, 2),
            "reason": "rests",
        }
    return {
        "action": "enter_long",
        "quantity": 0.02,
        "stop": market.bid * 0.9,
        "target": market.ask * 1.1,
        "reason": "takes",
    }


def manage_position(market, context, indicators):
    age = context["age"] = context.get("age", 0) + 1
    if age % 3 == 0:
        if market.position:
            return {"action": "exit", "reason": "enough"}
        return {"action": "cancel_entry", "reason": "too far"}
    return None
"""
"""Enters by turns at market, far below it and at a stop far above it, which the venue
keeps, and leaves or gives up soon."""


def main() -> None:
    """Fork a child for each line of stdin."""
    for line in sys.stdin:
        wanted = json.loads(line)
        with tempfile.TemporaryFile("w+") as out:
            print(json.dumps(in_child(wanted, out)), flush=True)


def in_child(wanted: dict[str, Any], out: IO[str]) -> dict[str, Any]:
    """Return what became of a run in a process of its own."""
    child = os.fork()
    if child == 0:
        os.dup2(out.fileno(), 1)
        code = 1
        try:
            asyncio.run(run(wanted))
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    out.seek(0)
    found = out.read().strip()
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if not found or killed:
        return {"killed": killed, "status": status}
    result: dict[str, Any] = json.loads(found.splitlines()[-1])
    return result


async def run(wanted: dict[str, Any]) -> None:
    """Play the scripted market against the venue and print what is held then."""
    journal_module._BATCH = 1 if wanted.get("kill_after") else 2_000
    script = Path(wanted["folder"]).with_suffix(".py")
    script.write_text(TRADER)
    config = load_config(
        shipped_folder("config") / "default.toml",
        [
            f"journal.path={json.dumps(wanted['folder'])}",
            f'feeds.0.symbols=["{SYMBOL}"]',
            f'feeds.0.duration="{wanted["seconds"]}s"',
            f'strategies.0.script="{script}"',
            "strategies.0.params={}",
            'strategies.0.timeframe="1s"',
            'risk.max_order_value="1000000"',
            # The run is shorter than what an order may take to a real venue.
            "orders.absent_after_ms=2000",
            *wanted.get("overrides", ()),
        ],
    )
    settings = BinanceVenueSettings(
        base_url=wanted["url"],
        key="k",
        secret=SECRET,
        watchdog_s=wanted.get("watchdog_s", 0),
    )
    venue = _Killing(
        BinanceVenue(settings, {SYMBOL: SYMBOL}),
        before=wanted.get("kill_before", 0),
        after=wanted.get("kill_answered", 0),
        stuck=wanted.get("stuck", False),
    )
    session = assemble_session(config.run, venue=venue)
    kill_after = wanted.get("kill_after", 0)
    journal = session.engine.journal
    assert journal is not None
    told = journal.on_durable

    def durable() -> None:
        told()
        if kill_after and journal.durable_rows >= kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    journal.on_durable = durable
    (broker,) = session.engine.distant
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(broker.run())
        await play(session, wanted.get("settles", {}))
        broker.stop()
    print(json.dumps(told_of(session)))
    session.close()


class _Killing:
    """A venue whose nth request, or the answer to it, is the engine's last moment."""

    def __init__(
        self, venue: BinanceVenue, *, before: int, after: int, stuck: bool
    ) -> None:
        self.name = venue.name
        self.account = venue.account
        self.abilities = venue.abilities
        self._stuck = stuck
        self.news = venue.news
        self.close = venue.close
        self._venue = venue
        self._before = before
        self._after = after
        self._sent = 0

    async def send(self, request: SingleRequest) -> Sequence[Report]:
        """Send a request, if the time has not come."""
        self._sent += 1
        number = self._sent
        if number == self._before:
            os.kill(os.getpid(), signal.SIGKILL)
        reports = await self._venue.send(request)
        if number == self._after:
            if self._stuck:
                print(json.dumps({"stuck": os.getpid()}), file=sys.stderr, flush=True)
                sum(iter(int, 1))  # an endless call in C: no signal gets through
            os.kill(os.getpid(), signal.SIGKILL)
        return reports


async def play(session: Session, settles: dict[str, list[str]]) -> None:
    """Step to the end; the venue has answered all before the next step.

    ``settles`` says what the operator makes of orders, positions and balances that
    are not as they should be, by their names: a resolution and an owner.
    """
    engine = session.engine
    engine.waits = False
    engine.start()
    outcome = session.execute(Recover(origin="engine"))
    assert outcome.accepted, outcome.detail
    await settle(session)
    while engine.step():
        await settle(session)
        for kind, name in unsettled(session):
            if name in settles:
                resolve(session, kind, name, *settles[name])
                await settle(session)


def unsettled(session: Session) -> list[tuple[Subject, str]]:
    """Return what waits for the operator."""
    view = session.executor.reconciliation_view()
    return [
        *(
            (Subject.ORDER, each.order_id)
            for each in view.orders
            if each.verdict is Verdict.EXTERNAL
        ),
        *(
            (Subject.POSITION, each.instrument)
            for each in view.positions
            if each.verdict is Verdict.EXTERNAL
        ),
        *((Subject.BALANCE, name) for name in session.executor.controls.unreconciled),
    ]


def resolve(
    session: Session, kind: Subject, name: str, resolution: str, owner: str = ""
) -> None:
    """Do what the operator would."""
    command = Resolve(
        kind=kind,
        subject=name,
        resolution=Resolution(resolution),
        owner=owner,
        instrument=SYMBOL,
        reason="as agreed with the desk",
    )
    outcome = session.execute(command)
    assert outcome.accepted or "only once" in outcome.detail, outcome.detail


async def settle(session: Session) -> None:
    """Wait until the venue has answered, and take what it says."""
    engine = session.engine
    (broker,) = engine.distant
    while broker.waiting or engine.has_arrivals:
        engine.take_arrivals()
        await asyncio.sleep(0)


def told_of(session: Session) -> dict[str, Any]:
    """Return what the engine holds true at its end."""
    executor = session.executor
    engine = session.engine
    assert engine.journal is not None
    return {
        "killed": False,
        "rows": engine.journal.rows,
        "records": session.control.recovery.records,
        "net": str(executor.net(SYMBOL)),
        "fills": executor.ledger.fills,
        "realized": str(executor.ledger.realized),
        "fees": str(executor.ledger.fees.total),
        "asked": sorted(executor.controls.asked),
        "by_hand": [o.id for o in executor.orders() if o.owner == "external"],
        "external": str(executor.position("external", SYMBOL).quantity),
        "denials": sorted(
            {
                each.record.code
                for each in engine.store.since(0)
                if isinstance(each.record, DenyRecord)
            }
        ),
        "reconciling": executor.reconciling,
        "unreconciled": executor.controls.unreconciled,
        "balances": {k: str(v) for k, v in executor.ledger.balances().items()},
        "orders": {order.id: plain(order) for order in executor.orders()},
        "owners": {order.id: order.owner for order in executor.orders()},
        "ignored": sorted(name for _, name in executor.reconciliation.ignored),
        "held": {
            owner: str(executor.position(owner, SYMBOL).quantity)
            for owner in ("external", "operator")
        },
        "open": {
            each.owner: str(each.quantity)
            for each in executor.ledger.open_positions(SYMBOL)
        },
        "dust": str(executor.position("dust", SYMBOL).quantity),
    }


def plain(order: Order) -> list[str]:
    """Return status and filled quantity."""
    return [order.status.value, str(order.filled)]


if __name__ == "__main__":
    main()
