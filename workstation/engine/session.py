"""A session: one run with its parts, driver, control and frames, as the UI holds it.

What the screen may touch of the engine, in one place: it pulls frames, executes
commands and gives words to the driver.
"""

from __future__ import annotations

import asyncio

from workstation.engine.account_journal import AccountJournal
from workstation.engine.control import Control, Outcome
from workstation.engine.drivers import PlayDriver
from workstation.engine.engine import Engine
from workstation.engine.frames import Focus, Frame
from workstation.engine.framing import FrameSource
from workstation.engine.order_preview import OrderPreview, Preview, Touch
from workstation.engine.recorder import Recorder, RecorderAnswer
from workstation.engine.reloading import Reloading
from workstation.engine.runaway import ScriptGuard
from workstation.engine.script_source import ScriptSource, read_source
from workstation.engine.settings import RunSettings
from workstation.execution.executor import Executor
from workstation.market.aggregator import Aggregator
from workstation.model.commands import AmendOrder, Command, PlaceOrder, Recover
from workstation.model.instruments import Instrument
from workstation.model.orders import OrderHistory
from workstation.strategy.scripted import ScriptedStrategy
from workstation.venues.settings import fees_by_venue

__all__ = ["Session"]


class Session:
    """A run under an operator's hand."""

    def __init__(
        self,
        *,
        run: RunSettings,
        engine: Engine,
        aggregator: Aggregator,
        strategies: tuple[ScriptedStrategy, ...],
        executor: Executor,
        control: Control,
        driver: PlayDriver,
        guard: ScriptGuard,
        frames: FrameSource,
        recorder: Recorder,
        reloading: Reloading,
        account: AccountJournal | None = None,
    ) -> None:
        self._taken_up = False
        self.run = run
        self.engine = engine
        self.aggregator = aggregator
        self.strategies = strategies
        self.executor = executor
        self.control = control
        self.driver = driver
        self.guard = guard
        self.frames = frames
        self.recorder = recorder
        self.reloading = reloading
        self._account = account
        self.instruments: dict[str, Instrument] = {i.id: i for i in run.instruments}
        venues = {each.venue: None for each in run.instruments}
        self._previews = OrderPreview(
            aggregator,
            executor,
            self.instruments,
            fees_by_venue(venues, run.venues, run.brokers[0]),
        )

    def frame(
        self, cursor: int, panels: frozenset[str], focus: Focus | None = None
    ) -> Frame:
        """Return what has changed since ``cursor`` for these panels."""
        return self.frames.frame(cursor, panels, focus)

    def take_up(self) -> None:
        """Take up the account of a distant venue, once; ``drive`` does it else.

        Nothing enters before the venue has answered.
        """
        if self.engine.distant and not self._taken_up:
            self._taken_up = True
            self.execute(Recover(origin="engine"))

    async def drive(self) -> None:
        """Drive the run until its driver is told to stop.

        The edge of a distant venue runs beside it.
        """
        distant = self.engine.distant
        if not distant:
            await self.driver.run()
            return
        async with asyncio.TaskGroup() as tasks:
            for broker in distant:
                tasks.create_task(broker.run())
            self.take_up()
            await self.driver.run()
            for broker in distant:
                broker.stop()

    def execute(self, command: Command) -> Outcome:
        """Take a command now, between two inputs."""
        return self.control.execute(command)

    def preview_order(self, command: PlaceOrder | AmendOrder) -> Preview:
        """Return what an order would do and cost now; changes nothing.

        Raises CommandRefused when it names an order or instrument that is not there.
        """
        return self._previews.preview(command, self.engine.core.seq)

    def touch(self, instrument: str) -> Touch:
        """Return the best prices of an instrument now."""
        return self._previews.touch(instrument)

    def order_history(self, order_id: str) -> OrderHistory | None:
        """Return an order's moves: the Executor's, or of its kept records.

        None where neither has any; then only the journal does.
        """
        kept = self.executor.history(order_id)
        return kept or self.engine.store.order_history(order_id)

    def script_source(self, strategy: str) -> ScriptSource | None:
        """Return the text of a strategy's script; None where there is no such one."""
        found = next((each for each in self.strategies if each.name == strategy), None)
        return None if found is None else read_source(found.script)

    def toggle_recording(self, name: str) -> RecorderAnswer:
        """Begin or end the recording of a feed; no input, so no decision changes."""
        feeds = self.engine.sources.feeds
        feed = next((feed for feed in feeds if feed.name == name), None)
        if feed is None:
            known = ", ".join(feed.name for feed in feeds)
            return RecorderAnswer(False, f"{name} is no feed; feeds: {known}")
        if feed.tap is None:
            return self.recorder.begin(feed)
        return self.recorder.halt(feed)

    def close(self) -> None:
        """End the run: journal and recording whole, files closed. Harmless again."""
        engine = self.engine
        if engine.closed:
            return
        self.reloading.close()
        engine.close()
        self.guard.close()
        is_kept = engine.journal is not None or self.recorder.folder is not None
        state_hash = engine.state_hash() if is_kept else ""
        self.recorder.close(state_hash, self.control.by_hand)
        if engine.journal is not None:
            engine.journal.close(
                {
                    "started": engine.started,
                    "inputs": engine.core.seq,
                    "events": engine.delivered,
                    "pulled": engine.pulled,
                    "records": engine.store.number,
                    "state_hash": state_hash,
                }
            )
        if self._account is not None:
            self._account.close()
