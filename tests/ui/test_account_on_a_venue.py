"""The screen on the account of a venue that is a process of its own.

What another screen at the venue does there (an order by hand, a transfer) is seen here,
and settled by keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from textual.pilot import Pilot

from tests.crash.loopback import SECRET, Loopback
from tests.engine.runs import SMALL, with_script
from tests.strategy.fakes import write_script
from tests.ui import fakes
from tests.ui.test_app import text_of as painted
from tests.ui.test_keys_act import settle
from workstation.engine.assembly import assemble_session
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.model.reconciliation import Verdict
from workstation.model.reports import AccountReport, Report
from workstation.model.requests import SingleRequest
from workstation.ui.app import WorkstationApp
from workstation.ui.screens.reconciliation import ReconciliationScreen
from workstation.ui.screens.resolve import ResolveScreen
from workstation.ui.screens.ritual import Verb
from workstation.venues.binance.settings import BinanceVenueSettings
from workstation.venues.binance.venue import BinanceVenue

NAME = "BTCUSDT"
CONFIRM_NS = 100_000_000


class Telling(BinanceVenue):
    """Says when it has answered for the account."""

    def __init__(self, url: str) -> None:
        settings = BinanceVenueSettings(
            base_url=url, key="k", secret=SECRET, watchdog_s=0
        )
        super().__init__(settings, {NAME: NAME})
        self.told = asyncio.Event()

    async def send(self, request: SingleRequest) -> Sequence[Report]:
        """Answer, and say so."""
        reports = await super().send(request)
        if any(isinstance(each, AccountReport) for each in reports):
            self.told.set()
        return reports


@asynccontextmanager
async def on_a_venue(
    tmp_path: Path, process: Loopback
) -> AsyncIterator[tuple[WorkstationApp, Pilot[int], Session, Telling]]:
    script = write_script(tmp_path, detect="return None")
    place = f'journal.path="{tmp_path / "account"}"'
    config = fakes.config(
        *SMALL, *with_script(script), place, "reconciliation.confirm_ms=100"
    )
    venue = Telling(process.url)
    session = assemble_session(config.run, venue=venue, paused=True)
    app = WorkstationApp(
        config, session=session, themes=fakes.THEMES, environ={"TERM": "xterm"}
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        yield app, pilot, session, venue


def said(app: WorkstationApp) -> str:
    return " ".join(painted(app).split())


async def answered(
    app: WorkstationApp, pilot: Pilot[int], session: Session, venue: Telling
) -> None:
    """Wait for the venue's answer, and for what is asked because of it."""
    await venue.told.wait()
    venue.told.clear()
    (broker,) = session.engine.distant
    for _ in range(1_000):
        await settle(pilot)
        if not broker.waiting and not session.engine.has_arrivals:
            break
    app.bridge_now()
    await settle(pilot)


async def ask(
    app: WorkstationApp, pilot: Pilot[int], session: Session, venue: Telling
) -> None:
    """Press y, once the run has gone on for a while."""
    due = session.engine.clock.now() + 2 * CONFIRM_NS
    while session.engine.clock.now() < due:
        assert session.driver.step()
    venue.told.clear()
    assert isinstance(app.screen, ReconciliationScreen)
    app.screen.arm()
    await pilot.press("y")
    await answered(app, pilot, session, venue)


async def test_an_account_is_taken_up_and_what_was_done_elsewhere_is_settled(
    tmp_path: Path,
) -> None:
    with Loopback() as process:
        process.price(NAME, "61500")
        process.deposit("USDT", "-40000")
        async with on_a_venue(tmp_path, process) as (app, pilot, session, venue):
            assert isinstance(app.screen, ReconciliationScreen), "it opens by itself"
            await answered(app, pilot, session, venue)
            assert session.executor.account().equity == 60_000
            assert not session.executor.reconciling
            assert "all agree" in said(app)

            process.by_hand(NAME, "BUY", "0.5", "50000")
            process.deposit("USDT", "-1000")
            await ask(app, pilot, session, venue)
            await ask(app, pilot, session, venue)
            await ask(app, pilot, session, venue)
            assert "web_1 BTCUSDT BUY external open 0/0.5" in said(app)
            assert session.executor.controls.unreconciled.keys() == {"USDT"}
            assert "59,000.00" in said(app)

            # What differs comes first in its section; the order by hand is above it.
            await pilot.press("down", "enter")
            await settle(pilot)
            assert isinstance(app.screen, ResolveScreen)
            app.screen.arm()
            app.screen.query_one("#back", Verb).focus()
            await settle(pilot)
            app.screen.action_go()
            await settle(pilot)
            assert session.executor.account().equity == 59_000
            assert not session.executor.controls.unreconciled
            await ask(app, pilot, session, venue)
            verdicts = {
                line.currency: line.verdict
                for line in session.executor.reconciliation_view().balances
            }
            assert verdicts["USDT"] is Verdict.AGREES
    result = replay_journal(tmp_path / "account" / "000001.sqlite")
    assert result.matches, result.first_difference
    assert result.session.executor.ledger.initial == Decimal(59_000)
    result.session.close()
