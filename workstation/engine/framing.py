"""Makes frames: reads the parts between two inputs, for the panels a reader shows.

Rows get a new version only when what they show has changed, so that a table repaints
no more than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeVar

import msgspec

from workstation.engine.alerts import Alerts
from workstation.engine.control import Control
from workstation.engine.drivers import PlayDriver, PlayState
from workstation.engine.engine import Engine
from workstation.engine.focusing import FocusFrames
from workstation.engine.frames import (
    Alert,
    FeedRow,
    Focus,
    Frame,
    GapRow,
    Header,
    OrderRow,
    PositionRow,
    SymbolRow,
)
from workstation.engine.settings import RunSettings
from workstation.engine.sources import Feed
from workstation.execution.executor import Executor
from workstation.kernel import TaskState
from workstation.market.aggregator import Aggregator
from workstation.model.commands import KillLevel
from workstation.model.instruments import Instrument, to_decimal
from workstation.model.orders import Order, OrderStatus
from workstation.model.positions import Position
from workstation.model.states import BookTrust, PositionBand
from workstation.model.timeframes import NS_PER_MS, NS_PER_S
from workstation.strategy.row import Row
from workstation.strategy.scripted import ScriptedStrategy

__all__ = ["FrameSource"]

R = TypeVar("R", SymbolRow, OrderRow, PositionRow)

# A rate is taken over at least this much of the run's time.
_RATE_NS = NS_PER_S
# Versions of rows that are no longer shown, before they are swept out.
_VERSIONS_KEPT = 5_000


class FrameSource:
    """Frames of one session."""

    def __init__(
        self,
        run: RunSettings,
        engine: Engine,
        aggregator: Aggregator,
        strategies: tuple[ScriptedStrategy, ...],
        executor: Executor,
        control: Control,
        driver: PlayDriver,
    ) -> None:
        self._run = run
        self._engine = engine
        self._aggregator = aggregator
        self._strategies = strategies
        self._executor = executor
        self._control = control
        self._driver = driver
        self._instruments = {i.id: i for i in run.instruments}
        self._alerts = Alerts()
        self._told_failure = False
        engine.core.sinks.append(self._alerts)
        self._versions: dict[str, tuple[object, int]] = {}
        self._rates: dict[str, tuple[int, int, float]] = {}
        self._focus = FocusFrames(
            engine, aggregator, strategies, executor, self._instruments
        )
        self._makers: dict[str, Callable[[], object]] = {
            "orders": self._orders,
            "positions": self._positions,
            "feeds": self._feeds,
            "gaps": self._gaps,
            "tasks": lambda: tuple(handle.stats() for handle in engine.registry),
            "channels": engine.bus.stats,
            "indicators": self._focus.indicators,
        }

    def frame(
        self, cursor: int, panels: frozenset[str], focus: Focus | None = None
    ) -> Frame:
        """Return a frame; ``cursor`` is the ``cursor`` of the reader's last one."""
        engine = self._engine
        records = engine.store.since(cursor)
        number = engine.store.number
        parts: dict[str, object] = {
            name: make() for name, make in self._makers.items() if name in panels
        }
        rows = self._symbols() if panels & {"symbols", "machine"} else ()
        if "symbols" in panels:
            parts["symbols"] = rows
        if focus is not None:
            if "chart" in panels:
                parts["chart"] = self._focus.chart(focus)
            if "book" in panels:
                parts["book"] = self._focus.book(focus)
            if "machine" in panels:
                parts["machine"] = self._focus.machine(focus, rows)
        return Frame(
            seq=engine.core.seq,
            ts=engine.core.ts,
            cursor=number,
            missed=max(0, number - cursor - len(records)),
            header=self._header(),
            alerts=self.alerts(),
            records=tuple(records),
            injected=frozenset(self._control.injected),
            **parts,  # type: ignore[arg-type]
        )

    def alerts(self) -> tuple[Alert, ...]:
        """Return the alerts, the worst active one first."""
        journal = self._engine.journal
        if journal is not None and journal.failure and not self._told_failure:
            self._told_failure = True
            self._alerts.raise_(
                ("journal", "journal"),
                "bad",
                self._engine.core.ts,
                journal.failure,
                "Free some space and start a new run to journal again.",
            )
        return self._alerts.all()

    # Header.

    def _header(self) -> Header:
        engine, executor = self._engine, self._executor
        account = executor.account()
        feeds = engine.sources.feeds
        ages = [a for feed in feeds if (a := self._age(feed.last_ts)) is not None]
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
        band, limit = self._limits()
        return Header(
            mode=self._run.mode,
            word=self._word(),
            speed=self._driver.speed,
            account=self._run.account.name,
            ts=engine.core.ts if engine.started else None,
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
            day_percent=_percent(day, account.day_start),
            open_pnl=account.unrealized,
            fees=account.fees,
            exposure=account.exposure,
            exposure_percent=_percent(account.exposure, account.equity),
            band=band,
            limit_percent=limit,
            positions=sum(1 for position in self._held()),
            orders=len(orders),
            hold_since_ns=executor.hold_since_ns if executor.hold else None,
            kill=None if kill is None else kill.value,
            kill_reason=executor.kill_reason,
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
        if self._executor.hold:
            return "HOLD"
        return "PAUSED" if self._driver.state is PlayState.PAUSED else "RUN"

    def _limits(self) -> tuple[str, float | None]:
        limit = self._run.risk.max_position_value
        worst: float | None = None
        if limit is not None:
            for instrument in self._instruments:
                net = self._executor.net(instrument)
                mark = self._aggregator.instrument(instrument).mark
                used = 0.0 if mark is None else float(abs(net)) * mark / float(limit)
                worst = max(worst or 0.0, used * 100)
        return self._worst_band(), worst

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

    # Rows.

    def _symbols(self) -> tuple[SymbolRow, ...]:
        made: list[SymbolRow] = []
        managed: set[tuple[str, str]] = set()
        for instrument in self._instruments.values():
            rows = [
                (strategy, strategy.rows[instrument.id])
                for strategy in self._strategies
                if instrument.id in strategy.rows
            ]
            for strategy, row in rows:
                managed.add((strategy.name, instrument.id))
                made.append(self._symbol(instrument, strategy, row))
            for position in self._held():
                key = (position.owner, position.instrument)
                if position.instrument == instrument.id and key not in managed:
                    made.append(self._unmanaged(instrument, position))
            if not rows:
                made.append(self._unmanaged(instrument, None))
        return tuple(self._versioned("symbols", made))

    def _symbol(
        self, instrument: Instrument, strategy: ScriptedStrategy, row: Row
    ) -> SymbolRow:
        position = self._executor.position(strategy.name, instrument.id)
        blocked = next(
            (g for g in self._focus.gates(strategy, row) if not g.passed), None
        )
        return self._row(
            instrument,
            strategy.name,
            position,
            state=row.state,
            manual=row.locked,
            manual_until_ns=row.lock_until_ns,
            since_ns=self._engine.core.ts - row.since_ns if row.since_ns else None,
            stop=row.stop,
            why_not="ready" if blocked is None else blocked.detail,
        )

    def _unmanaged(
        self, instrument: Instrument, position: Position | None
    ) -> SymbolRow:
        owner = "" if position is None else position.owner
        held = position or Position(owner="", instrument=instrument.id)
        return self._row(
            instrument,
            owner,
            held,
            state=None,
            manual=bool(owner),
            manual_until_ns=None,
            since_ns=None,
            stop=None,
            why_not="nobody manages it" if owner else "no strategy",
        )

    def _row(
        self,
        instrument: Instrument,
        owner: str,
        position: Position,
        *,
        stop: Decimal | None,
        since_ns: int | None,
        **rest: object,
    ) -> SymbolRow:
        view = self._aggregator.instrument(instrument.id)
        last = view.last or view.mark
        mark = view.mark
        return SymbolRow(
            key=f"{instrument.id}/{owner}",
            instrument=instrument.id,
            symbol=instrument.symbol,
            strategy=owner,
            decimals=instrument.price_decimals,
            since_ns=None if since_ns is None else _coarse(since_ns),
            last=last,
            change_percent=_change(last, view.day_open),
            spread_bps=_spread_bps(view.bid, view.ask),
            age_ns=self._age(view.ts_recv),
            distrust=self._aggregator.distrust(instrument.id, self._engine.core.ts),
            position=position.quantity,
            quantity_decimals=instrument.quantity_decimals,
            open_pnl=_open_pnl(position, mark),
            stop_percent=_change(None if stop is None else float(stop), last),
            version=0,
            **rest,  # type: ignore[arg-type]
        )

    def _orders(self) -> tuple[OrderRow, ...]:
        rows = [self._order(o) for o in self._executor.orders() if not o.is_terminal]
        made = tuple(self._versioned("orders", rows))
        if len(self._versions) > len(made) + _VERSIONS_KEPT:
            # Orders that ended do not come back: a run of weeks has many of them.
            working = {f"orders/{row.order.id}" for row in made}
            self._versions = {
                key: known
                for key, known in self._versions.items()
                if not key.startswith("orders/") or key in working
            }
        return made

    def _order(self, order: Order) -> OrderRow:
        instrument = self._instruments[order.instrument]
        price = order.trigger if order.price is None else order.price
        mark = self._aggregator.instrument(order.instrument).mark
        return OrderRow(
            order=order,
            symbol=instrument.symbol,
            decimals=instrument.price_decimals,
            quantity_decimals=instrument.quantity_decimals,
            price=price,
            away_percent=_change(None if price is None else float(price), mark),
            age_ns=_coarse(self._engine.core.ts - order.created_ns),
            held=order.status is OrderStatus.HELD,
            version=0,
        )

    def _positions(self) -> tuple[PositionRow, ...]:
        rows = [self._position(position) for position in self._held()]
        return tuple(self._versioned("positions", rows))

    def _position(self, position: Position) -> PositionRow:
        instrument = self._instruments[position.instrument]
        view = self._aggregator.instrument(position.instrument)
        row = self._focus.row(position.owner, position.instrument)
        opened = position.opened_ns
        stop = None if row is None else row.stop
        return PositionRow(
            position=position,
            symbol=instrument.symbol,
            decimals=instrument.price_decimals,
            quantity_decimals=instrument.quantity_decimals,
            last=view.last or view.mark,
            open_pnl=_open_pnl(position, view.mark),
            stop_percent=_change(None if stop is None else float(stop), view.mark),
            age_ns=None if opened is None else _coarse(self._engine.core.ts - opened),
            version=0,
        )

    def _held(self) -> list[Position]:
        return self._executor.ledger.open_positions()

    # Feeds.

    def _feeds(self) -> tuple[FeedRow, ...]:
        return tuple(self._feed(feed) for feed in self._engine.sources.feeds)

    def _feed(self, feed: Feed) -> FeedRow:
        handle = self._engine.registry.get(feed.name)
        state = "ended" if feed.ended and not feed.error else handle.state.value
        return FeedRow(
            name=feed.name,
            kind=type(feed.connector).__name__.removesuffix("Feed").lower(),
            state=state,
            events=feed.delivered,
            rate=self._rate(feed),
            age_ns=self._age(feed.last_ts),
            gaps=sum(
                1
                for entry in self._aggregator.gap_ledger()
                if entry.instrument in feed.instruments
            ),
            skipped=feed.skipped,
            shed=feed.shed,
            last_error=feed.error
            or str(getattr(feed.connector, "last_error", "") or ""),
            symbols=len(feed.instruments),
        )

    def _rate(self, feed: Feed) -> float:
        now = self._engine.core.ts
        ts, events, rate = self._rates.get(feed.name, (now, feed.delivered, 0.0))
        if now - ts >= _RATE_NS:
            rate = (feed.delivered - events) * NS_PER_S / (now - ts)
            self._rates[feed.name] = (now, feed.delivered, rate)
        elif feed.name not in self._rates:
            self._rates[feed.name] = (now, feed.delivered, 0.0)
        return rate

    def _gaps(self) -> tuple[GapRow, ...]:
        return tuple(
            GapRow(
                ts=entry.when_ns,
                instrument=entry.instrument,
                reason=entry.reason,
                expected=entry.expected,
                got=entry.got,
                until_ns=entry.until_ns,
            )
            for entry in reversed(self._aggregator.gap_ledger())
        )

    # Versions.

    def _age(self, ts: int | None) -> int | None:
        if not ts:
            return None
        return _coarse(max(0, self._engine.core.ts - ts))

    def _versioned(self, panel: str, rows: Iterable[R]) -> Iterable[R]:
        for row in rows:
            key = f"{panel}/{row.order.id if isinstance(row, OrderRow) else _key(row)}"
            known, version = self._versions.get(key, (None, 0))
            if known != row:
                version += 1
                self._versions[key] = (row, version)
            yield msgspec.structs.replace(row, version=version)


def _key(row: SymbolRow | PositionRow) -> str:
    if isinstance(row, SymbolRow):
        return row.key
    return f"{row.position.instrument}/{row.position.owner}"


def _coarse(span_ns: int) -> int:
    # As fine as it is drawn: a figure that looks the same is the same.
    if span_ns < NS_PER_S:
        return span_ns // (10 * NS_PER_MS) * 10 * NS_PER_MS
    if span_ns < 10 * NS_PER_S:
        return span_ns // (100 * NS_PER_MS) * 100 * NS_PER_MS
    return span_ns // NS_PER_S * NS_PER_S


def _percent(part: Decimal, whole: Decimal) -> float | None:
    return None if whole <= 0 else float(part / whole) * 100


def _change(value: float | None, base: float | None) -> float | None:
    return None if not value or not base else (value / base - 1) * 100


def _spread_bps(bid: float, ask: float) -> float | None:
    return None if not bid or not ask else (ask - bid) / ((ask + bid) / 2) * 10_000


def _open_pnl(position: Position, mark: float | None) -> Decimal | None:
    if position.is_flat or mark is None:
        return None
    return position.open_pnl(to_decimal(mark))
