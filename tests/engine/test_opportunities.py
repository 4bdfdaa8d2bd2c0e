"""Opportunities in whole runs: strategies hear them, keys change them, runs repeat."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from tests.engine.runs import TWO_VENUES, Deaf, ListFeed, frame_of, kept, settings
from workstation.engine.assembly import assemble_session
from workstation.engine.builder import EngineBuilder
from workstation.engine.drivers import Until, run_backtest
from workstation.engine.replay import replay_journal
from workstation.engine.session import Session
from workstation.engine.settings import RunSettings
from workstation.market.aggregator import Aggregator
from workstation.market.opportunities import OpportunityDetector
from workstation.market.settings import OpportunitySettings, StorageSettings
from workstation.model.commands import PauseTask
from workstation.model.events import OpportunityClosed, OpportunityFound
from workstation.model.fees import VenueFees
from workstation.model.instruments import Instrument
from workstation.model.market import Quote
from workstation.model.opportunities import OpportunityEnd, OpportunityKind
from workstation.model.orders import OrderRole
from workstation.model.ports import Core
from workstation.model.records import FillRecord, OpportunityRecord

EVENTS = 3_000
S = 1_000_000_000


def two_venues(*overrides: str) -> RunSettings:
    return settings(*overrides, config=TWO_VENUES)


def session_of(*overrides: str) -> Session:
    return assemble_session(two_venues(*overrides), journal=False, paused=False)


def records(*overrides: str, events: int = EVENTS) -> list[OpportunityRecord]:
    session = session_of(*overrides)
    found = kept(session)
    run_backtest(session.engine, Until(events=events))
    session.close()
    return [record for record in found if isinstance(record, OpportunityRecord)]


class Crossing:
    """A strategy that notes what it is told of opportunities."""

    name = "crossing"
    subscriptions: tuple[type, ...] = (OpportunityFound, OpportunityClosed)

    def __init__(self) -> None:
        self.heard: list[tuple[int, str, object]] = []
        self._core: Core

    def attach(self, core: Core) -> None:
        self._core = core

    def handle_event(self, event: object) -> None:
        if isinstance(event, OpportunityFound):
            self.heard.append((self._core.seq, "found", event.opportunity.net_bps))
        elif isinstance(event, OpportunityClosed):
            self.heard.append((self._core.seq, "closed", event.end))


def of_venue(venue: str) -> Instrument:
    return Instrument(
        id=f"BTC.{venue}",
        venue=venue,
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.001"),
    )


def quoted(venue: str, ts: int, bid: float) -> Quote:
    return Quote(f"BTC.{venue}", ts, bid, 1.0, bid + 0.5, 1.0)


def test_a_strategy_part_hears_of_opportunities_through_the_builder() -> None:
    instruments = of_venue("a"), of_venue("b")
    fees = dict.fromkeys("ab", VenueFees(Decimal(0), Decimal(10)))
    detector = OpportunityDetector(OpportunitySettings(), instruments, fees)
    events = [
        quoted("a", S, 100.0),
        quoted("b", S, 101.0),
        quoted("b", 2 * S, 100.0),
    ]
    strategy = Crossing()
    engine = (
        EngineBuilder()
        .with_connector(ListFeed("feed", events))
        .with_aggregator(Aggregator(StorageSettings(), instruments, detector))
        .with_strategy(strategy)
        .with_executor(Deaf("executor"))
        .build()
    )
    published: list[object] = []
    for kind in (OpportunityFound, OpportunityClosed):
        engine.bus.subscribe(kind, published.append, name="observer")

    run_backtest(engine)

    net = (101.0 * 0.999 - 100.5 * 1.001) / 100.5 * 10_000
    (found, closed) = strategy.heard
    assert found == (2, "found", pytest.approx(net))
    assert closed == (3, "closed", OpportunityEnd.EDGE_GONE)
    assert [type(event) for event in published] == [OpportunityFound, OpportunityClosed]


def test_the_shipped_venues_cross_now_and_then_and_part_again() -> None:
    found = records()
    opened = [record for record in found if record.end is None]
    assert 5 <= len(opened) <= 60
    assert len({record.opportunity.market for record in opened}) == 3
    assert {r.opportunity.kind for r in opened} >= {OpportunityKind.ARBITRAGE}
    over = {r.opportunity.number for r in found if r.end is not None}
    assert len({r.opportunity.number for r in opened} - over) <= 2
    for record in found:
        # South sells in dollars on a coarser grid; both are kept.
        for name, price in (
            (record.opportunity.buy, record.opportunity.buy_price),
            (record.opportunity.sell, record.opportunity.sell_price),
        ):
            tick = Decimal("0.1") if name == "XBT-USD" else Decimal("0.01")
            assert price % tick == 0


def outcome(found: Sequence[OpportunityRecord]) -> list[tuple[object, ...]]:
    return [(r.ts, r.end, r.opportunity, r.best_bps) for r in found]


@pytest.fixture(scope="module")
def base() -> list[tuple[object, ...]]:
    """Return what the shipped config finds."""
    return outcome(records())


@pytest.mark.parametrize(
    "override",
    [
        "opportunities.enabled=false",
        "opportunities.min_edge_bps=1.5",
        "opportunities.max_age_ms=100",
        "opportunities.cooldown_ms=30000",
        'opportunities.min_notional="20000"',
        "opportunities.wide_spread_bps=0",
        "venues.0.taker_fee_bps=0.4",
        "venues.1.taker_fee_bps=2",
        "storage.stale_ms=100",
        "feeds.0.noise_bps=2",
        "feeds.1.lag_ms=900",
        'feeds.1.shared_price="elsewhere"',
        'instruments.0.market="XBTUSDT"',
    ],
)
def test_each_key_changes_what_is_found(
    override: str, base: list[tuple[object, ...]]
) -> None:
    assert outcome(records(override)) != base


def test_a_fee_of_a_venue_is_what_its_fills_cost() -> None:
    def fee_bps(venue: str, *overrides: str) -> set[float]:
        session = session_of(*overrides)
        found = kept(session)
        run_backtest(session.engine, Until(fills=8))
        session.close()
        ids = {i.id for i in session.run.instruments if i.venue == venue}
        return {
            round(float(r.fill.fee / (r.fill.price * r.fill.quantity)) * 10_000, 4)
            for r in found
            if isinstance(r, FillRecord)
            and r.fill.instrument in ids
            and r.fill.role is OrderRole.ENTRY
        }

    assert fee_bps("north") == {0.8}
    assert fee_bps("south") == {1.2}
    assert fee_bps("south", "venues.1.taker_fee_bps=3") == {3.0}


def test_a_paused_feed_closes_what_rests_on_it_and_opens_nothing() -> None:
    session = session_of()
    found = kept(session)
    for _ in range(20_000):
        session.engine.step()
        opened = [r for r in found if isinstance(r, OpportunityRecord)]
        if opened and opened[-1].end is None:
            break
    session.execute(PauseTask(task="south_market"))
    last = [r for r in found if isinstance(r, OpportunityRecord)][-1]
    assert last.end is OpportunityEnd.DISTRUSTED
    count = len(found)
    run_backtest(session.engine, Until(events=session.engine.delivered + 1_000))
    after = [r for r in found[count:] if isinstance(r, OpportunityRecord)]
    crossings = [r for r in after if r.opportunity.kind is OpportunityKind.ARBITRAGE]
    assert crossings == []
    session.close()


def test_a_journalled_run_of_two_venues_replays(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    run = settings(f'journal.path="{path}"', config=TWO_VENUES)
    session = assemble_session(run, paused=False)
    run_backtest(session.engine, Until(events=EVENTS))
    session.close()
    result = replay_journal(path)
    assert result.matches
    assert result.state_hash == session.engine.state_hash()


def test_a_frame_shows_what_is_open_and_what_has_just_ended(
    base: list[tuple[object, ...]],
) -> None:
    session = session_of()
    run_backtest(session.engine, Until(events=EVENTS))
    table = frame_of(session, 0, "opportunities").opportunities
    assert table is not None
    assert (table.enabled, table.markets, table.watches_spreads) == (True, 3, True)
    assert table.found == len([each for each in base if each[1] is None])
    assert table.rows
    for row in table.rows:
        assert row.seen >= 1
        assert row.best_bps >= row.opportunity.net_bps
        assert row.end in ("", *OpportunityEnd)
        assert {row.buy_venue, row.sell_venue} <= {"north", "south"}
    session.close()


def test_a_run_of_one_venue_says_that_there_is_nothing_to_compare() -> None:
    session = assemble_session(settings(), journal=False, paused=False)
    table = frame_of(session, 0, "opportunities").opportunities
    assert table is not None
    assert (table.markets, table.rows) == (0, ())
    assert session.aggregator.opportunities is not None
    assert session.aggregator.opportunities.pairs == ()
    session.close()
