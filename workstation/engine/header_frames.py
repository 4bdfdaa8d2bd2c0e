"""The header of a frame: the run in one line, its account, its health.

Called by ``FrameSource`` between two inputs; it only reads.
"""

from __future__ import annotations

from collections.abc import Mapping

from workstation.engine.drivers import PlayDriver, PlayState
from workstation.engine.engine import Engine
from workstation.engine.figures import age, percent
from workstation.engine.frames import Header
from workstation.engine.settings import RunSettings
from workstation.execution.executor import Executor
from workstation.kernel import TaskState
from workstation.market.aggregator import Aggregator
from workstation.model.commands import KillLevel
from workstation.model.instruments import Instrument
from workstation.model.states import BookTrust, PositionBand

__all__ = ["HeaderFrames"]


class HeaderFrames:
    """Headers of one session."""

    def __init__(
        self,
        run: RunSettings,
        engine: Engine,
        aggregator: Aggregator,
        executor: Executor,
        driver: PlayDriver,
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._run = run
        self._engine = engine
        self._aggregator = aggregator
        self._executor = executor
        self._driver = driver
        self._instruments = instruments

    def header(self) -> Header:
        """Return the header of this moment."""
        engine, executor = self._engine, self._executor
        account = executor.account()
        feeds = engine.sources.feeds
        now = engine.core.ts
        ages = [a for feed in feeds if (a := age(feed.last_ts, now)) is not None]
        healthy = sum(
            1
            for feed in feeds
            if engine.registry.get(feed.name).state is TaskState.RUNNING
        )
        books = [
            view.book
            for instrument in self._instruments
            if (view := self._aggregator.instrument(instrument)).book is not None
        ]
        trusted = len([b for b in books if b and b.trust is BookTrust.TRUSTED])
        orders = [order for order in executor.orders() if not order.is_terminal]
        day = account.equity - account.day_start
        kill = executor.kill_level
        return Header(
            mode=self._run.mode,
            word=self._word(),
            stands=self._driver.state is PlayState.PAUSED,
            speed=self._driver.speed,
            account=self._run.account.name,
            ts=now if engine.started else None,
            events=engine.delivered,
            events_total=None,
            progress=self._progress(),
            feeds_ok=healthy,
            feeds=len(feeds),
            worst_age_ns=max(ages, default=None),
            books_ok=trusted,
            books=len(books),
            unknown_orders=executor.unknown_count,
            currency=account.currency,
            equity=account.equity,
            day_pnl=day,
            day_percent=percent(day, account.day_start),
            open_pnl=account.unrealized,
            fees=account.fees,
            exposure=account.exposure,
            exposure_percent=percent(account.exposure, account.equity),
            band=self._worst_band(),
            limit_percent=self._nearest_limit(),
            positions=len(executor.ledger.open_positions()),
            orders=len(orders),
            hold_since_ns=executor.hold_since_ns if executor.hold else None,
            kill=None if kill is None else kill.value,
            kill_reason=executor.kill_reason,
            kill_since_ns=executor.killed_ns,
            held_protection=len(executor.held_protection()),
            journal="" if engine.journal is None else str(engine.journal.path),
            journal_failure=None if engine.journal is None else engine.journal.failure,
        )

    def _word(self) -> str:
        level = self._executor.kill_level
        if level is not None:
            return "HALTED" if level is KillLevel.HOLD else "KILLED"
        if not self._engine.started:
            return "STARTING"
        if self._driver.state is PlayState.ENDED:
            return "END"
        if self._executor.reconciling:
            return "RECONCILING"
        if self._executor.hold:
            return "HOLD"
        return "PAUSED" if self._driver.state is PlayState.PAUSED else "RUN"

    def _nearest_limit(self) -> float | None:
        """Return the fullest of the gauges in percent."""
        gauges = self._executor.limits.gauges(self._engine.core.ts)
        shares = [share for each in gauges if (share := each.share) is not None]
        return max((float(share) * 100 for share in shares), default=None)

    def _worst_band(self) -> str:
        order = tuple(PositionBand)
        bands = [self._executor.band(instrument) for instrument in self._instruments]
        return max(bands, key=order.index, default=PositionBand.NORMAL).value

    def _progress(self) -> float | None:
        read = total = 0
        for feed in self._engine.sources.feeds:
            size = int(getattr(feed.connector, "total_bytes", 0) or 0)
            if not size:
                return None
            total += size
            read += size if feed.ended else int(feed.connector.consumed_bytes)  # type: ignore[attr-defined]
        return read / total if total else None
