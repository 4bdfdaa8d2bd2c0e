"""Assembles a session from settings: the shipped parts, wired by the builder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import structs

from workstation import __version__, indicators
from workstation.engine.account_journal import AccountJournal
from workstation.engine.builder import EngineBuilder
from workstation.engine.control import Control
from workstation.engine.distant import DistantBroker
from workstation.engine.drivers import PlayDriver
from workstation.engine.engine import Engine
from workstation.engine.formats import FORMAT
from workstation.engine.framing import FrameSource
from workstation.engine.hashing import digest_of
from workstation.engine.heartbeat import Heartbeat
from workstation.engine.journal import Journal, journal_file
from workstation.engine.processor_scripts import load_processors
from workstation.engine.recorder import Recorder
from workstation.engine.reloading import Reloading
from workstation.engine.runaway import ScriptGuard
from workstation.engine.script_bench import Bench, Scene
from workstation.engine.script_loading import KeptScripts, ScriptLoader
from workstation.engine.session import Session
from workstation.engine.settings import FeedSettings, RunSettings
from workstation.engine.sources import Feed
from workstation.execution.executor import Executor
from workstation.kernel import Clock, RealClock
from workstation.market.aggregator import Aggregator
from workstation.market.opportunities import OpportunityDetector
from workstation.market.pipeline.chain import Plan
from workstation.market.pipeline.script import ProcessorScript
from workstation.market.pipeline.settings import PipelineSettings
from workstation.model.errors import JournalError
from workstation.model.instruments import Instrument
from workstation.model.orders import OrderStatus
from workstation.model.owners import EXTERNAL
from workstation.model.roles import Broker, Connector, Venue
from workstation.model.timeframes import NS_PER_MS, Timeframe
from workstation.strategy.host import DistantHost
from workstation.strategy.script import Script
from workstation.strategy.scripted import ScriptedStrategy
from workstation.strategy.settings import StrategySettings
from workstation.venues.file.feed import FileFeed
from workstation.venues.file.settings import FileFeedSettings
from workstation.venues.paper.broker import PaperBroker
from workstation.venues.recording.feed import RecordingFeed
from workstation.venues.recording.folder import FORMAT as RECORDING_FORMAT
from workstation.venues.recording.folder import Header, RecordedFeed
from workstation.venues.recording.settings import RecordingFeedSettings
from workstation.venues.settings import fees_by_venue
from workstation.venues.simulated.feed import SimulatedFeed

__all__ = ["assemble_session", "entries_at_venue"]


def assemble_session(
    run: RunSettings,
    *,
    journal: bool = True,
    speed: float | None = None,
    paused: bool | None = None,
    wall: Clock | None = None,
    tolerant: bool = False,
    record: bool = True,
    scripts: KeptScripts | None = None,
    venue: Venue | None = None,
    takes_up: Sequence[Path] = (),
    mark: str = "",
) -> Session:
    """Return a session ready to be driven; nothing has been read or started yet.

    The run is journalled where ``run.journal.path`` says (empty or None: nowhere),
    unless ``journal`` is False; feeds are recorded whose settings say so, unless
    ``record`` is False. With ``tolerant`` a strategy whose script cannot be
    loaded is there as failed, and the rest runs. ``scripts`` are those of a journal: a
    replay loads their texts, whatever has become of the files. With ``venue`` orders go
    there instead of to the paper broker, each once what led to it is on disk, and the
    journal's folder is the account's: what its runs left is taken up. ``takes_up`` are
    those runs for a replay, ``mark`` is what its client order ids have. Raises
    ScriptError, ConfigError, DataError or JournalError with what is wrong and where; no
    worker or thread is left then.
    """
    undo = ExitStack()
    try:
        return _assemble(
            run,
            undo,
            journal,
            speed,
            paused,
            wall,
            tolerant,
            record,
            scripts,
            venue,
            takes_up,
            mark,
        )
    except BaseException:
        undo.close()
        raise


def _assemble(
    run: RunSettings,
    undo: ExitStack,
    journal: bool,
    speed: float | None,
    paused: bool | None,
    wall: Clock | None,
    tolerant: bool,
    record: bool,
    scripts: KeptScripts | None,
    venue: Venue | None,
    takes_up: Sequence[Path],
    mark: str,
) -> Session:
    instruments = run.instruments
    engine_seq: Callable[[], int] = lambda: engine.core.seq  # noqa: E731
    guard = ScriptGuard(run.engine.script_budget_ms, seq=engine_seq)
    undo.callback(guard.close)
    pipeline = run.pipeline
    plan = Plan(pipeline, load_processors(pipeline, guard.load), guard.process)
    broker_settings = run.brokers[0]
    venues = {each.venue: None for each in instruments}
    fees = fees_by_venue(venues, run.venues, broker_settings)
    currency = run.account.currency
    aggregator = Aggregator(
        run.storage,
        instruments,
        OpportunityDetector(
            run.opportunities,
            instruments,
            fees,
            (currency, *run.account.equal_currencies),
        ),
        plan=plan,
    )
    executor = Executor(
        run.risk,
        # The paper broker loses no report, and silence there is no news.
        structs.replace(run.orders, check_ms=0) if venue is None else run.orders,
        instruments,
        aggregator,
        currency=currency,
        cash=broker_settings.cash.get(currency, Decimal(0)),
        day_starts_minutes=_minutes(run.account.day_starts),
        quoting=run.quoting,
        reconciliation=run.reconciliation,
        rates=broker_settings.rates,
        cancel_share=broker_settings.cancel_share,
        abilities=broker_settings.abilities if venue is None else venue.abilities,
    )
    # A paper account begins with what the config says; any other the venue knows.
    executor.reconciliation.opened = venue is None
    loader = ScriptLoader(run, guard, wall or RealClock(), plan.figures, kept=scripts)
    undo.callback(loader.edge.close)
    loaded = [loader.first(each, tolerant=tolerant) for each in run.strategies]
    if run.strategies:
        # The chart of a symbol that no strategy trades needs bars too.
        for each in instruments:
            aggregator.watch(each.id, Timeframe.parse(run.strategies[0].timeframe))
    strategies = tuple(
        _strategy(settings, script, instruments, aggregator, executor, loader)
        for settings, script in zip(run.strategies, loaded, strict=True)
    )
    builder = EngineBuilder(run.engine).with_aggregator(aggregator)
    for feed_settings in run.feeds:
        builder.with_connector(_connector(feed_settings, run))
    for strategy in strategies:
        builder.with_strategy(strategy)
    builder.with_executor(executor)
    broker: Broker
    if venue is None:
        paper = PaperBroker(
            broker_settings, instruments, aggregator, fees, seed=run.seed
        )
        # Within a bar a stop that is held here comes before what it closes.
        paper.heed(executor.triggers.precedes)
        broker = paper
    else:
        broker = DistantBroker(
            venue,
            heartbeat=_heartbeat(venue, executor),
            absent_after_ns=run.orders.absent_after_ms * NS_PER_MS,
        )
    builder.with_broker(broker)
    engine: Engine = builder.build()
    engine.rules = digest_of(_rules(run)).hex()
    if venue is None:
        assumed = broker_settings.assumptions
        words = ("fill_model", "latency_ms", "fees_bps")
        engine.start_notes[broker.name] = "; ".join(
            f"{word} {assumed[word]}" for word in words
        )
    for strategy in strategies:
        # On record: a run with another parameter differs from its first line on.
        given = ", ".join(f"{name} {value}" for name, value in strategy.params.items())
        for name, own in strategy.settings.symbol_params.items():
            given += f"; {name}: " + ", ".join(f"{n} {v}" for n, v in own.items())
        engine.start_notes[strategy.name] = f"{strategy.script.name} {given}".strip()
        if strategy.script.failure:
            strategy.stopped = True
            engine.failed_at_start[strategy.name] = strategy.script.failure
    for feed, feed_settings in zip(engine.sources.feeds, run.feeds, strict=True):
        feed.instruments = tuple(_ids(feed_settings, instruments).values())
    control = Control(
        engine,
        aggregator,
        strategies,
        executor,
        may_inject=run.mode in ("simulation", "recording"),
        version_of=loader.version_of,
        host_of=loader.host,
    )
    guard.on_interrupt = control.interrupted
    executor.desk.orders.mark = mark
    control.recovery.read(list(takes_up))
    account: AccountJournal | None = None
    if journal and venue is not None and not run.journal.path:
        raise JournalError(
            '[journal] path = "": real orders leave only once what led to them is on '
            "disk; name a folder"
        )
    if journal and run.journal.path:
        now_ns = (wall or RealClock()).now()
        path = journal_file(run.journal.path, run.mode, now_ns)
        earlier: list[Path] = []
        if venue is not None:
            account = AccountJournal(Path(run.journal.path))
            undo.callback(account.close)
            earlier, path = account.runs(), account.next_run()
            executor.desk.orders.mark = mark = account.mark(earlier)
            control.recovery.read(earlier)
        written = Journal(
            path,
            _header(run, loaded, plan.scripts, engine, earlier, mark),
            # Where real orders are at stake nothing runs without a journal.
            strict=run.mode in ("paper", "live") or venue is not None,
            synced=venue is not None,
        )
        undo.callback(written.close, {})
        if account is not None:
            account.begun(path)
        engine.journal_to(written)
    engine.on_hole = partial(_distrust, aggregator)
    engine.core.scripts.edge = loader.edge
    for strategy in strategies:
        if isinstance(strategy.host, DistantHost):
            strategy.host.attach(engine.core.scripts.ask)
    recorder = Recorder(
        engine,
        aggregator,
        run.recording,
        run.mode,
        partial(_recording_header, run, loaded, engine),
        wall or RealClock(),
    )
    if record:
        for feed, feed_settings in zip(engine.sources.feeds, run.feeds, strict=True):
            if feed_settings.record:
                recorder.begin(feed)
    reloading = Reloading(
        engine,
        control,
        strategies,
        Bench(loader, run.engine.script_budget_ms, _param_names),
        partial(_scene, aggregator, executor),
        loader.offer,
        wall or RealClock(),
    )
    driver = PlayDriver(
        engine,
        speed=run.engine.speed if speed is None else speed,
        paused=run.engine.start_paused if paused is None else paused,
        wall=wall,
    )
    frames = FrameSource(
        run,
        engine,
        aggregator,
        strategies,
        executor,
        control,
        driver,
        recorder,
        guard.times,
        reloading.report,
    )
    reloading.on_undone = frames.script_undone
    return Session(
        run=run,
        engine=engine,
        aggregator=aggregator,
        strategies=strategies,
        executor=executor,
        control=control,
        driver=driver,
        guard=guard,
        frames=frames,
        recorder=recorder,
        reloading=reloading,
        account=account,
    )


def entries_at_venue(executor: Executor) -> dict[str, str]:
    """Return what a watchdog is to cancel: ids of our entries there, by instrument.

    An end that was only concluded may be wrong for as long as it is asked about. What
    was made by hand is not ours: it may protect what nobody here knows of.
    """
    desk = executor.desk
    return {
        tracked.order.id: tracked.order.instrument
        for tracked in (*desk.orders.entries(), *desk.queries.doubtful())
        if tracked.order.may_open
        and tracked.order.owner != EXTERNAL
        and tracked.order.status is not OrderStatus.HELD
    }


def _heartbeat(venue: Venue, executor: Executor) -> Heartbeat | None:
    account = venue.account()
    if account is None:
        return None
    return Heartbeat(account, partial(entries_at_venue, executor))


def _scene(
    aggregator: Aggregator, executor: Executor, strategy: ScriptedStrategy
) -> Scene:
    """Return copies of what a shadow run of a strategy plays in."""
    rows = strategy.rows.items()
    own = {name: strategy.set_params_of(row) for name, row in rows}
    return Scene(
        # With what the operator has set: it is what the version would go on with.
        structs.replace(strategy.settings, symbol_params=own),
        tuple(row.instrument for row in strategy.rows.values()),
        {
            name: tuple(aggregator.bars(name, strategy.timeframe))
            for name in strategy.rows
        },
        executor.account(),
    )


def _rules(run: RunSettings) -> object:
    """Return the settings that decide something, without the places of files."""
    strategies = [
        msgspec.structs.replace(each, script=Path(each.script).name)
        for each in run.strategies
    ]
    parts = (
        run.seed,
        run.account,
        run.storage,
        _without_places(run.pipeline),
        run.opportunities,
        run.orders,
        run.quoting,
        run.reconciliation,
        run.risk,
        run.instruments,
        run.venues,
        run.brokers,
        strategies,
    )
    return [msgspec.to_builtins(part) for part in parts]


def _without_places(settings: PipelineSettings) -> PipelineSettings:
    names = tuple(Path(each).name for each in settings.processors)
    return msgspec.structs.replace(settings, processors=names)


def _strategy(
    settings: StrategySettings,
    script: Script,
    instruments: tuple[Instrument, ...],
    aggregator: Aggregator,
    executor: Executor,
    loader: ScriptLoader,
) -> ScriptedStrategy:
    wanted = set(settings.symbols)
    chosen = [
        each
        for each in instruments
        if "*" in wanted or each.id in wanted or each.symbol in wanted
    ]
    timeframe = Timeframe.parse(settings.timeframe)
    for each in chosen:
        aggregator.watch(each.id, timeframe)
    return ScriptedStrategy(
        settings,
        script,
        loader.host(script, tuple(each.id for each in chosen)),
        chosen,
        aggregator,
        executor.ledger,
        executor,
        _param_names,
    )


def _param_names(indicator: str) -> tuple[str, ...]:
    return tuple(param.name for param in indicators.get(indicator).params)


def _connector(settings: FeedSettings, run: RunSettings) -> Connector:
    if isinstance(settings, RecordingFeedSettings):
        return RecordingFeed(settings)
    if isinstance(settings, FileFeedSettings):
        paths = [Path(name) for name in settings.files]
        return FileFeed(settings, paths, _ids(settings, run.instruments))
    return SimulatedFeed(settings, run.instruments, run.seed)


def _ids(settings: FeedSettings, instruments: tuple[Instrument, ...]) -> dict[str, str]:
    """Return the instrument id of each of the feed's venue symbols."""
    if isinstance(settings, RecordingFeedSettings):
        return {name: name for name in settings.symbols}
    own = [each for each in instruments if each.venue == settings.venue_name]
    # An id may be another venue's symbol: the feed's own venue goes before.
    known = {each.id: each.id for each in instruments}
    known |= {each.symbol: each.id for each in own}
    return {name: known[name] for name in settings.symbols if name in known}


def _header(
    run: RunSettings,
    scripts: Sequence[Script],
    processors: Sequence[ProcessorScript],
    engine: Engine,
    takes_up: Sequence[Path],
    mark: str,
) -> dict[str, object]:
    return {
        "format": FORMAT,
        "version": __version__,
        "run": msgspec.to_builtins(run),
        "scripts": {
            settings.name: msgspec.to_builtins(script.for_journal())
            for settings, script in zip(run.strategies, scripts, strict=True)
        },
        "processors": {script.name: script.hash for script in processors},
        "venue": engine.distant[0].facts() if engine.distant else None,
        "takes_up": [path.name for path in takes_up],
        "mark": mark,
        "sources": {
            feed.name: dict(feed.connector.identity()) for feed in engine.sources.feeds
        },
    }


def _recording_header(
    run: RunSettings, scripts: list[Script], engine: Engine, name: str
) -> Header:
    content = msgspec.to_builtins(run)
    hashed = blake2b(
        f"{name}\n".encode() + msgspec.json.encode(content), digest_size=16
    )
    return Header(
        format=RECORDING_FORMAT,
        version=__version__,
        id=hashed.hexdigest(),
        mode=run.mode,
        run=content,
        feeds=tuple(
            RecordedFeed(
                name=feed.name,
                instruments=feed.instruments,
                identity=dict(feed.connector.identity()),
            )
            for feed in engine.sources.feeds
        ),
        scripts={script.name: script.hash for script in scripts},
    )


def _distrust(aggregator: Aggregator, feed: Feed, detail: str) -> None:
    for instrument in feed.instruments:
        aggregator.mark_untrusted(instrument, f"feed {feed.name}: {detail}")


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)
