"""Frames and a fake engine for the tests of dialogs: plain values, no run."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from textual.app import App
from textual.screen import Screen

from workstation.engine.frames import (
    Alert,
    FeedRow,
    Frame,
    Header,
    OrderRow,
    PositionRow,
    SymbolRow,
)
from workstation.kernel import TaskStats
from workstation.kernel.tasks import TaskKind, TaskState
from workstation.model.commands import Command
from workstation.model.instruments import Instrument, Side
from workstation.model.orders import Order, OrderRole, OrderStatus, OrderType
from workstation.model.positions import Position
from workstation.model.states import SymbolState
from workstation.ui.screens.ritual import Ritual
from workstation.ui.theming import default_variables, load_themes

D = Decimal
TS = 1_723_161_312_000_000_000
SEQ = 100

BTC = Instrument(
    id="BTCUSDT",
    venue="sim",
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size=D("0.01"),
    lot_size=D("0.001"),
)
ETH = msgspec.structs.replace(BTC, id="ETHUSDT", symbol="ETHUSDT", base="ETH")

HEADER = Header(
    mode="simulation",
    word="RUN",
    speed=4.0,
    account="demo",
    ts=TS,
    events=48_210,
    events_total=76_867,
    progress=0.63,
    feeds_ok=2,
    feeds=2,
    worst_age_ns=40_000_000,
    books_ok=7,
    books=8,
    unknown_orders=0,
    currency="USDT",
    equity=D("100412.10"),
    day_pnl=D("412.10"),
    day_percent=0.41,
    open_pnl=D("12.30"),
    fees=D("30.84"),
    exposure=D("61686"),
    exposure_percent=61.0,
    band="normal",
    limit_percent=61.0,
    positions=1,
    orders=2,
    hold_since_ns=None,
    kill=None,
    kill_reason="",
    held_protection=2,
    journal="runs/first.journal",
    journal_failure=None,
)


def header(**changes: object) -> Header:
    """Return the header with some figures changed."""
    return msgspec.structs.replace(HEADER, **changes)


def row(
    instrument: str = "BTCUSDT",
    state: SymbolState = SymbolState.WATCH,
    **changes: object,
) -> SymbolRow:
    """Return a row of ema_cross."""
    base = SymbolRow(
        key=f"ema_cross/{instrument}",
        instrument=instrument,
        symbol=instrument,
        strategy="ema_cross",
        decimals=2,
        state=state,
        manual=False,
        manual_until_ns=None,
        since_ns=134_000_000_000,
        last=61_685.99,
        mark=61_685.99,
        change_percent=0.41,
        spread_bps=0.1,
        age_ns=40_000_000,
        distrust=None,
        position=D(0),
        quantity_decimals=3,
        open_pnl=None,
        stop_percent=None,
        why_not="no signal",
        version=1,
    )
    return msgspec.structs.replace(base, **changes)


def order(
    id: str = "o-12",
    role: OrderRole = OrderRole.ENTRY,
    *,
    instrument: str = "BTCUSDT",
    owner: str = "ema_cross",
    price: str = "61600.00",
    quantity: str = "1",
) -> OrderRow:
    """Return a working order; stops and targets are held here."""
    guard = role in (OrderRole.STOP, OrderRole.TARGET)
    kind = {
        OrderRole.STOP: OrderType.STOP,
        OrderRole.TARGET: OrderType.TARGET,
    }.get(role, OrderType.LIMIT)
    return OrderRow(
        order=Order(
            id=id,
            instrument=instrument,
            owner=owner,
            role=role,
            side=Side.SELL if guard else Side.BUY,
            type=kind,
            quantity=D(quantity),
            price=None if guard else D(price),
            trigger=D(price) if guard else None,
            status=OrderStatus.HELD if guard else OrderStatus.ACCEPTED,
            created_ns=TS - 134_000_000_000,
        ),
        symbol=instrument,
        decimals=2,
        quantity_decimals=3,
        price=D(price),
        away_percent=-2.0,
        age_ns=134_000_000_000,
        held=guard,
        version=1,
    )


STOP = order("o-13", OrderRole.STOP, price="60452.00")
TARGET = order("o-14", OrderRole.TARGET, price="64770.00")


def position(
    quantity: str = "1", *, owner: str = "ema_cross", instrument: str = "BTCUSDT"
) -> PositionRow:
    """Return an open position."""
    return PositionRow(
        position=Position(
            owner=owner,
            instrument=instrument,
            quantity=D(quantity),
            average_price=D("61673.69"),
            opened_ns=TS - 134_000_000_000,
            fills=1,
        ),
        symbol=instrument,
        decimals=2,
        quantity_decimals=3,
        last=61_685.99,
        mark=61_685.99,
        closable=abs(D(quantity)),
        open_pnl=D("12.30"),
        stop_percent=-2.0,
        age_ns=134_000_000_000,
        version=1,
    )


FEED = FeedRow(
    name="spot",
    kind="simulated",
    state="running",
    events=48_210,
    rate=812.0,
    age_ns=40_000_000,
    gaps=1,
    skipped=0,
    shed=0,
    last_error="",
    symbols=8,
)


def task(name: str = "ema_cross", state: TaskState = TaskState.RUNNING) -> TaskStats:
    """Return a task's figures."""
    return TaskStats(
        id=1,
        name=name,
        kind=TaskKind.DRIVEN,
        state=state,
        state_since_ns=TS,
        events=48_210,
        errors=0,
        restarts=0,
        lost=0,
        withheld=0,
        lag_ns=40_000,
        cpu_ns=2_000_000_000,
        last_error="",
    )


def alert(id: int = 1, **changes: object) -> Alert:
    """Return an active alert about a book."""
    base = Alert(
        id=id,
        ts=TS - 32_000_000_000,
        last_ts=TS - 32_000_000_000,
        severity="warn",
        subject="SOLUSDT",
        instrument="SOLUSDT",
        text="SOLUSDT book untrusted: sequence gap, want 4711 got 4719. "
        "Will not trade.",
        remedy="The next snapshot of the feed mends it.",
        count=2,
        active=True,
    )
    return msgspec.structs.replace(base, **changes)


def frame(**changes: object) -> Frame:
    """Return a frame with one row in Watch and nothing held."""
    base = Frame(
        seq=SEQ,
        ts=TS,
        cursor=1_000,
        missed=0,
        header=HEADER,
        alerts=(),
        records=(),
        injected=frozenset(),
        symbols=(row(), row("ETHUSDT")),
        orders=(),
        positions=(),
        feeds=(FEED,),
        tasks=(task("spot"), task()),
    )
    return msgspec.structs.replace(base, **changes)


def in_trade(**changes: object) -> Frame:
    """Return a frame in which ema_cross holds 1.000 BTCUSDT with stop and target."""
    return frame(
        symbols=(
            row(state=SymbolState.IN_TRADE, position=D(1), open_pnl=D("12.30")),
            row("ETHUSDT"),
        ),
        orders=(STOP, TARGET),
        positions=(position(),),
        **changes,
    )


class Outcome(Struct, frozen=True):
    """What the fake engine answers."""

    accepted: bool
    detail: str
    seq: int


class FakeEngine:
    """Takes commands, keeps them, and refuses with ``refusal`` when it is set."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.refusal = ""
        self.seq = SEQ

    def execute(self, command: Command) -> Outcome:
        """Answer a command."""
        self.seq += 1
        self.commands.append(command)
        return Outcome(not self.refusal, self.refusal, self.seq)

    @property
    def last(self) -> Command:
        """The last command."""
        return self.commands[-1]


class Fuse:
    """A timer that fires when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, delay_s: float, callback: Callable[[], None]) -> None:
        """Keep the callback."""
        self.waiting.append(callback)

    def fire(self) -> None:
        """Call back all that wait."""
        waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback()


def lines_of(screen: Screen[Any]) -> list[str]:
    """Return the lines that a screen paints."""
    strips = screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


def text_of(screen: Screen[Any]) -> str:
    """Return what a screen shows, its lines joined by blanks, runs of them as one."""
    return " ".join(" ".join(lines_of(screen)).split())


class Host(App[None]):
    """An app that shows one dialog and keeps what it dismissed with."""

    # Any: each dialog dismisses with a type of its own.

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, dialog: Ritual[Any], theme: str = "harbor-dark") -> None:
        super().__init__()
        self.dialog = dialog
        self.answers: list[object] = []
        self._wanted = theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme our variables."""
        return default_variables(self.current_theme)

    def on_mount(self) -> None:
        """Open the dialog."""
        themes, _ = load_themes([Path(__file__).resolve().parents[3] / "themes"])
        for theme in themes:
            self.register_theme(theme)
        self.theme = self._wanted
        self.push_screen(self.dialog, self.answers.append)
