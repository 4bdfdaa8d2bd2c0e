"""A session made by hand: the figures of the sketches, and commands that are noted.

For tests of the screen alone; what keys do to an engine is tested with a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec

from workstation.config import Config, load_config
from workstation.engine.control import Outcome
from workstation.engine.drivers import SPEEDS, PlayDriver, PlayState
from workstation.engine.frames import (
    Alert,
    BlockRow,
    BlockTable,
    BookFrame,
    ChartFrame,
    DenialRow,
    EquityFrame,
    FeedRow,
    FigureHead,
    FigureRow,
    FigureTable,
    FillRow,
    FillTable,
    Focus,
    Frame,
    GapRow,
    Header,
    IndicatorRow,
    MachineFrame,
    Marker,
    OpportunityRow,
    OpportunityTable,
    OrderRow,
    OwnFill,
    ParamRow,
    ParamTable,
    Plot,
    PlotLine,
    PositionRow,
    RiskTable,
    ScriptLine,
    ScriptLog,
    StrategyRow,
    SumRow,
    SumTable,
    SymbolRow,
    TapeFrame,
    TradeTable,
    TripRow,
    Way,
)
from workstation.engine.order_preview import Preview, Touch
from workstation.engine.recorder import RecorderAnswer
from workstation.engine.reloading import ReloadAnswer, ReloadReport
from workstation.engine.script_source import ScriptSource
from workstation.engine.store import Numbered
from workstation.execution.curve import EquityCurve
from workstation.execution.statements import Grouping, Statement
from workstation.indicators import Request
from workstation.kernel import ChannelStats, TaskStats
from workstation.kernel.tasks import TaskKind, TaskState
from workstation.model.commands import AmendOrder, Command, PlaceOrder
from workstation.model.instruments import Side
from workstation.model.limits import Gauge, LimitUnit
from workstation.model.opportunities import Opportunity, OpportunityKind
from workstation.model.orders import (
    Fill,
    Order,
    OrderHistory,
    OrderRole,
    OrderStatus,
    OrderType,
)
from workstation.model.positions import Position
from workstation.model.records import Record, StateRecord
from workstation.model.states import BookTrust, Gate, SymbolState
from workstation.model.timeframes import Timeframe
from workstation.model.trades import ClosedTrade

S = 1_000_000_000
NOW = int(datetime(2024, 8, 8, 23, 55, 12, tzinfo=UTC).timestamp()) * S
"""The moment of the sketches."""


def config(*overrides: str) -> Config:
    """Return the shipped default, without a journal."""
    return load_config(None, ['journal.path=""', *overrides])


def header(**changes: Any) -> Header:
    """Return the header of the sketches."""
    values: dict[str, Any] = {
        "mode": "simulation",
        "word": "RUN",
        "speed": 4.0,
        "account": "demo",
        "ts": NOW,
        "events": 48_210,
        "events_total": 76_867,
        "progress": 0.63,
        "feeds_ok": 2,
        "feeds": 2,
        "worst_age_ns": 40_000_000,
        "books_ok": 7,
        "books": 8,
        "unknown_orders": 0,
        "currency": "USDT",
        "equity": Decimal("100412.10"),
        "day_pnl": Decimal("412.10"),
        "day_percent": 0.41,
        "open_pnl": Decimal("12.30"),
        "fees": Decimal("30.84"),
        "exposure": Decimal("61686"),
        "exposure_percent": 61.0,
        "band": "normal",
        "limit_percent": 61.0,
        "positions": 1,
        "orders": 2,
        "hold_since_ns": None,
        "kill": None,
        "kill_reason": "",
        "held_protection": 1,
        "journal": "",
        "journal_failure": None,
    }
    return Header(**{**values, **changes})


def symbol_row(symbol: str = "BTCUSDT", **changes: Any) -> SymbolRow:
    """Return a row of the symbols, by default the first of the sketches."""
    values: dict[str, Any] = {
        "key": f"{symbol}/ema_cross",
        "instrument": symbol,
        "symbol": symbol,
        "strategy": "ema_cross",
        "decimals": 2,
        "state": SymbolState.WATCH,
        "manual": False,
        "manual_until_ns": None,
        "since_ns": 134 * S,
        "last": 61_685.99,
        "mark": 61_685.99,
        "change_percent": 0.41,
        "spread_bps": 0.0,
        "age_ns": 40_000_000,
        "distrust": None,
        "position": Decimal(0),
        "quantity_decimals": 3,
        "open_pnl": None,
        "stop_percent": None,
        "why_not": "no signal",
        "version": 1,
    }
    return SymbolRow(**{**values, **changes})


def symbols() -> tuple[SymbolRow, ...]:
    """Return the eight rows of the sketches."""
    calm = [
        ("XRPUSDT", 0.6112, 4, 0.08),
        ("BNBUSDT", 512.40, 2, -0.31),
        ("DOGEUSDT", 0.10112, 5, 2.40),
        ("LTCUSDT", 61.93, 2, 0.02),
    ]
    return (
        symbol_row(
            state=SymbolState.IN_TRADE,
            position=Decimal(1),
            open_pnl=Decimal("12.30"),
            stop_percent=-2.0,
            why_not="in trade",
        ),
        symbol_row(
            "ETHUSDT",
            state=SymbolState.CLOSE_WATCH,
            since_ns=9 * S,
            last=2_682.50,
            change_percent=-0.12,
            spread_bps=3.1,
            why_not="spread 3.1 > 2.0 bp",
        ),
        symbol_row(
            "SOLUSDT",
            since_ns=591 * S,
            last=143.21,
            change_percent=1.02,
            spread_bps=0.7,
            age_ns=32 * S,
            distrust="sequence gap",
            why_not="book untrusted",
        ),
        symbol_row(
            "ADAUSDT",
            manual=True,
            manual_until_ns=NOW + 888 * S,
            since_ns=62 * S,
            last=0.3391,
            decimals=4,
            change_percent=-0.40,
            spread_bps=2.9,
            age_ns=41_000_000,
            why_not="locked in manual",
        ),
        *(
            symbol_row(name, last=last, decimals=digits, change_percent=change)
            for name, last, digits, change in calm
        ),
    )


def order_row(number: int = 12, **changes: Any) -> OrderRow:
    """Return a working order; fields of ``Order`` and of the row may be changed."""
    values: dict[str, Any] = {
        "id": f"o-{number}",
        "instrument": "BTCUSDT",
        "owner": "ema_cross",
        "role": OrderRole.TARGET,
        "side": Side.SELL,
        "type": OrderType.LIMIT,
        "quantity": Decimal("1.000"),
        "price": Decimal("64770.0"),
        "reduce_only": True,
        "status": OrderStatus.ACCEPTED,
        "created_ns": NOW - 134 * S,
    }
    row: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "decimals": 1,
        "quantity_decimals": 3,
        "away_percent": 5.0,
        "age_ns": 134 * S,
        "version": 1,
    }
    for name, value in changes.items():
        (row if name in row else values)[name] = value
    if "reduce_only" not in changes:
        opens = (OrderRole.ENTRY, OrderRole.QUOTE, OrderRole.MANUAL)
        values["reduce_only"] = values["role"] not in opens
    order = Order(**values)
    price = order.price if order.price is not None else order.trigger
    held = order.status is OrderStatus.HELD
    return OrderRow(order=order, price=price, held=held, **row)


def orders() -> tuple[OrderRow, ...]:
    """Return the two orders of the sketches; the second is held here."""
    return (
        order_row(),
        order_row(
            13,
            role=OrderRole.STOP,
            type=OrderType.STOP,
            price=None,
            trigger=Decimal("60452.0"),
            status=OrderStatus.HELD,
            away_percent=-2.0,
        ),
    )


def position_row(**changes: Any) -> PositionRow:
    """Return the position of the sketches."""
    values: dict[str, Any] = {
        "position": Position(
            owner="ema_cross",
            instrument="BTCUSDT",
            quantity=Decimal("1.000"),
            cost=Decimal("61673.69"),
            average_price=Decimal("61673.69"),
            opened_ns=NOW - 134 * S,
            fills=1,
        ),
        "symbol": "BTCUSDT",
        "decimals": 2,
        "quantity_decimals": 3,
        "last": 61_685.99,
        "mark": 61_685.99,
        "value": Decimal("61685.99"),
        "net": Decimal("1.000"),
        "closable": Decimal("1.000"),
        "open_pnl": Decimal("12.30"),
        "stop_percent": -2.0,
        "age_ns": 134 * S,
        "version": 1,
    }
    return PositionRow(**{**values, **changes})


def closed_trade(number: int = 1, **changes: Any) -> ClosedTrade:
    """Return a round trip of the sketches' symbol."""
    values: dict[str, Any] = {
        "owner": "ema_cross",
        "instrument": "BTCUSDT",
        "side": Side.BUY,
        "quantity": Decimal("1.000"),
        "entry": Decimal("61673.69"),
        "exit": Decimal("61685.99"),
        "pnl": Decimal("12.30"),
        "fees": Decimal("1.10"),
        "fills": 2,
        "lowest": Decimal("61660.00"),
        "highest": Decimal("61700.00"),
        "mae": Decimal("-13.69"),
        "mfe": Decimal("26.31"),
        "entry_reason": "bullish_cross",
        "exit_reason": "fast EMA below slow",
        "opened_ns": NOW - 134 * S,
        "closed_ns": NOW,
    }
    return ClosedTrade(number=number, **{**values, **changes})


def fills() -> FillTable:
    """Return the fills of two round trips, the newest first."""
    made = [
        FillRow(
            number,
            Fill(
                order_id=f"o-{number}",
                trade_id=f"t-{number}",
                instrument="BTCUSDT",
                owner="ema_cross",
                side=Side.BUY if number % 2 else Side.SELL,
                quantity=Decimal("1.000"),
                price=Decimal("61673.69") + number,
                fee=Decimal("0.55"),
                fee_currency="USDT",
                maker=False,
                ts=NOW - (9 - number) * S,
                role=OrderRole.ENTRY if number % 2 else OrderRole.EXIT,
                reason="bullish_cross" if number % 2 else "fast EMA below slow",
            ),
            2,
            3,
        )
        for number in range(5, 0, -1)
    ]
    return FillTable(5, tuple(made))


def trades() -> TradeTable:
    """Return a trade that won and a short one that lost, the newest first."""
    lost = closed_trade(
        2,
        side=Side.SELL,
        exit=Decimal("61690.00"),
        pnl=Decimal("-16.31"),
        exit_reason="stop 61690.0 met",
        owner="operator",
    )
    return TradeTable(2, (TripRow(lost, 2, 3), TripRow(closed_trade(), 2, 3)))


def equity() -> EquityFrame:
    """Return a curve of five minutes that rose, fell, and rose again."""
    walk = (0, 20, 60, 90, 80, 30, -40, -60, -20, 40, 100, 130, 120, 160, 200)
    curve = EquityCurve(Decimal(100_000))
    for number, step in enumerate(walk):
        curve.sample(NOW - (300 - 20 * number) * S, Decimal(100_000 + step))
    return EquityFrame(
        currency="USDT",
        initial=Decimal(100_000),
        equity=curve.equity,
        ts=NOW,
        points=tuple(curve.points),
        now=curve.standing(NOW, curve.equity),
        deepest=curve.deepest,
    )


def sums() -> SumTable:
    """Return the sums of two owners, two symbols and two days."""

    def row(name: str, realized: str, fees: str, **more: Any) -> SumRow:
        return SumRow(
            name=name,
            sums=Statement(
                key=name,
                fills=4,
                turnover=Decimal("123347.38"),
                realized=Decimal(realized),
                fees=Decimal(fees),
                trades=2,
                won=1,
                lost=1,
            ),
            **more,
        )

    up, flat = {"unrealized": Decimal("12.30")}, {"unrealized": Decimal(0)}
    return SumTable(
        currency="USDT",
        rows={
            Grouping.STRATEGY: (
                row("ema_cross", "12.30", "1.10", **up),
                row("operator", "-16.31", "1.10", **flat),
            ),
            Grouping.SYMBOL: (row("BTCUSDT", "-4.01", "2.20", **up),),
            Grouping.DAY: (
                row("2024-08-08", "-4.01", "2.20", change=Decimal("412.10")),
                row("2024-08-07", "0", "0", change=Decimal("-20")),
            ),
        },
        total=row("total", "-4.01", "2.20", **up),
    )


def machine(row: SymbolRow | None = None, **changes: Any) -> MachineFrame:
    """Return the machine of the sketches' first row."""
    row = symbols()[0] if row is None else row
    values: dict[str, Any] = {
        "row": row,
        "position": position_row().position,
        "stop": Decimal("60452.0"),
        "target": Decimal("64770.0"),
        "stop_held": True,
        "script": "ema_cross.py",
        "answer": "holds",
        "bars_left": 0,
        "ways": (
            Way("fill", SymbolState.IN_TRADE),
            Way("entry_canceled", SymbolState.WATCH),
            Way("flat", SymbolState.WATCH),
            Way("override_watch", SymbolState.WATCH),
        ),
        "gates": (
            Gate("feed", True, "40 ms < 2 s"),
            Gate("book", True, "trusted"),
            Gate("task", True, "running"),
            Gate("lock", True, "none"),
            Gate("state", False, "already in trade"),
            Gate("risk", True, "61% of limit"),
            Gate("venue", True, "12% of rate"),
        ),
        "history": (
            StateRecord(
                seq=90,
                ts=NOW - 134 * S,
                strategy="ema_cross",
                instrument="BTCUSDT",
                before=SymbolState.CLOSE_WATCH,
                after=SymbolState.IN_TRADE,
                trigger="enter_long",
                who="script",
                reason="bullish_cross",
            ),
        ),
        "params": (("fast", "10"), ("slow", "20")),
        "calls": 12,
    }
    return MachineFrame(**{**values, **changes})


def chart(instrument: str = "BTCUSDT", bars: int = 60) -> ChartFrame:
    """Return a chart of a price that goes up and down."""
    minute = 60 * S
    first = NOW // minute * minute - bars * minute
    rows = []
    for place in range(bars):
        base = 61_640.0 + 40 * ((place % 16) - 8) / 8
        rows.append((first + place * minute, base, base + 12, base - 9, base + 5, 3.5))
    mean: tuple[float | None, ...] = tuple(61_640.0 for _ in range(bars))
    return ChartFrame(
        instrument=instrument,
        symbol=instrument,
        decimals=2,
        timeframe=_MINUTE,
        own=_MINUTE,
        choices=(_MINUTE, _MINUTE.times(5), Timeframe.parse("500t")),
        bars=tuple(rows),
        forming=(first + bars * minute, 61_680.0, 61_690.0, 61_670.0, 61_686.0, 1.0),
        plots=(plot("ema(10)", mean), plot("ema(20)", mean)),
        markers=(Marker(NOW - 134 * S, 61_673.69, 1),),
        levels=(("last", 61_685.99), ("in", 61_673.69), ("stop", 60_452.0)),
    )


_MINUTE = Timeframe.parse("1m")


def plot(word: str, *values: tuple[float | None, ...], added: bool = False) -> Plot:
    """Return an indicator with these values for its outputs."""
    request = Request.parse(word)
    definition = request.definition
    return Plot(
        key=str(request),
        label=request.label,
        pane=definition.pane,
        bounds=definition.bounds,
        lines=tuple(
            PlotLine(name, definition.drawing(name), given)
            for name, given in zip(definition.outputs, values, strict=True)
        ),
        added=added,
    )


def gauge(name: str = "max_daily_loss", **changes: Any) -> Gauge:
    """Return a gauge of money, by default the day's loss, nearly used up."""
    values: dict[str, Any] = {
        "name": name,
        "unit": LimitUnit.MONEY,
        "value": Decimal(4_210),
        "limit": Decimal(5_000),
    }
    return Gauge(**{**values, **changes})


def risk(**changes: Any) -> RiskTable:
    """Return four limits, two that can be set and one exceeded, and two denials."""
    values: dict[str, Any] = {
        "gauges": (
            gauge(),
            gauge(
                "max_drawdown",
                unit=LimitUnit.SHARE,
                value=Decimal("0.0312"),
                limit=Decimal("0.1"),
            ),
            gauge(
                "max_position_value",
                value=Decimal(61_686),
                limit=Decimal(50_000),
                subject="BTCUSDT",
            ),
            gauge("leverage", value=Decimal(61_686), limit=Decimal(1_004_121)),
            gauge("max_order_value", value=None, limit=Decimal(25_000)),
            gauge("max_venue_exposure", limit=None),
        ),
        "denials": (
            DenialRow(
                number=2,
                ts=NOW,
                owner="ema_cross",
                instrument="BTCUSDT",
                code="MAX_POSITION_VALUE",
                text="position 1 with 0 pending is worth 61686",
            ),
            DenialRow(
                number=1,
                ts=NOW - 60 * S,
                owner="operator",
                instrument="ETHUSDT",
                code="PRICE_AWAY_FROM_MARKET",
                text="price 2000 is 2544 bp away from 2682.5",
            ),
        ),
        "denied": 7,
        "on_breach": "cancel",
        "cooling_until_ns": None,
        "ramp_share": 1.0,
        "settable": frozenset(
            (
                *("max_daily_loss", "max_drawdown", "max_position_value"),
                *("max_order_value", "max_venue_exposure"),
            )
        ),
    }
    return RiskTable(**{**values, **changes})


def book(**changes: Any) -> BookFrame:
    """Return the book of the sketches."""
    values: dict[str, Any] = {
        "instrument": "BTCUSDT",
        "symbol": "BTCUSDT",
        "decimals": 2,
        "quantity_decimals": 3,
        "trust": BookTrust.TRUSTED,
        "reason": "",
        "distrust": None,
        "distrust_ns": None,
        "remedy": "",
        "tick": 0.01,
        "group": 1,
        "bids": ((61_685.99, 1.009), (61_685.90, 0.512), (61_685.71, 0.077)),
        "asks": ((61_686.00, 2.293), (61_686.05, 0.844), (61_686.12, 0.310)),
        "spread": 0.01,
        "spread_bps": 0.0,
        "imbalance": -0.38,
        "microprice": 61_685.9931,
        "applied": 3_449,
        "gaps": 0,
        "mine": (),
    }
    return BookFrame(**{**values, **changes})


def tape(**changes: Any) -> TapeFrame:
    """Return forty trades a second apart, one of them big, and one own fill."""
    trades = tuple(
        (
            NOW - (40 - place) * S + 123_456_789,
            61_685.99 + 0.01 * (place % 3),
            0.1 if place != 35 else 1.25,
            1 if place % 2 else -1,
        )
        for place in range(40)
    )
    values: dict[str, Any] = {
        "instrument": "BTCUSDT",
        "symbol": "BTCUSDT",
        "decimals": 2,
        "quantity_decimals": 3,
        "total": 40,
        "trades": trades,
        "fills": (
            OwnFill(number=1, ts=NOW - 3 * S, price=61_673.69, size=1.0, side=1),
        ),
        "mean_size": 0.125,
        "buy_share": 0.54,
        "is_kept": True,
        "bars_only": False,
    }
    return TapeFrame(**{**values, **changes})


def figures(**values: float | None) -> FigureTable:
    """Return three figures of two symbols."""
    heads = tuple(
        FigureHead(
            name=name,
            unit=unit,
            processor=processor,
            text=f"what {name} is",
            none_when="too little has happened",
        )
        for name, unit, processor in (
            ("weighted_mid", "price", "imbalance"),
            ("imbalance", "−1 … 1", "imbalance"),
            ("volatility_bps", "bps/√s", "volatility"),
            ("my_edge", "bps", "own"),
        )
    )
    first = {"weighted_mid": 61_685.9931, "imbalance": -0.38, "volatility_bps": 1.08}
    first.update(values)  # type: ignore[arg-type]
    return FigureTable(
        heads=heads,
        rows=(
            FigureRow(
                instrument="BTCUSDT",
                decimals=2,
                values=tuple(first.get(head.name) for head in heads),
            ),
            FigureRow(instrument="ETHUSDT", decimals=2, values=(None,) * len(heads)),
        ),
    )


def feed_row(**changes: Any) -> FeedRow:
    """Return a feed that runs."""
    values: dict[str, Any] = {
        "name": "market",
        "kind": "simulated",
        "state": "running",
        "events": 48_210,
        "rate": 61.0,
        "age_ns": 40_000_000,
        "gaps": 1,
        "skipped": 0,
        "shed": 0,
        "last_error": "",
        "symbols": 8,
    }
    return FeedRow(**{**values, **changes})


def task_row(name: str = "ema_cross", **changes: Any) -> TaskStats:
    """Return a task that runs."""
    values: dict[str, Any] = {
        "id": 1,
        "name": name,
        "kind": TaskKind.DRIVEN,
        "state": TaskState.RUNNING,
        "state_since_ns": 0,
        "events": 900,
        "errors": 0,
        "restarts": 0,
        "lost": 0,
        "withheld": 0,
        "lag_ns": 0,
        "cpu_ns": 4_000_000,
        "last_error": "",
    }
    return TaskStats(**{**values, **changes})


def channel_row(name: str = "BarClosed", **changes: Any) -> ChannelStats:
    """Return a channel nobody has trouble with."""
    values: dict[str, Any] = {
        **dict.fromkeys(ChannelStats.__struct_fields__, 0),
        "name": name,
        "description": "a bar is final",
        "capacity": 1_000,
        "published": 520,
        "delivered": 520,
    }
    return ChannelStats(**{**values, **changes})


def opportunity_row(**changes: Any) -> OpportunityRow:
    """Return an edge between two venues that is open."""
    values: dict[str, Any] = {
        "opportunity": Opportunity(
            number=57,
            kind=OpportunityKind.ARBITRAGE,
            market="BTCUSDT",
            buy="BTCUSDT.north",
            sell="BTCUSDT.south",
            buy_price=Decimal("61677.0"),
            sell_price=Decimal("61695.75"),
            size=Decimal("0.0133"),
            gross_bps=3.0400311,
            fees_bps=2.0002432,
            net_bps=1.0397879,
            opened_ns=NOW - 2 * S,
        ),
        "buy_venue": "north",
        "sell_venue": "south",
        "buy_decimals": 1,
        "sell_decimals": 2,
        "quantity_decimals": 4,
        "age_ns": 2 * S,
        "best_bps": 1.5,
        "seen": 12,
        "end": "",
        "reason": "",
    }
    return OpportunityRow(**{**values, **changes})


def strategy_row(**changes: Any) -> StrategyRow:
    """Return a strategy of eight symbols that runs."""
    values: dict[str, Any] = {
        "name": "ema_cross",
        "language": "Python",
        "script": "ema_cross.py",
        "version": "7b555b94",
        "timeframe": "1m",
        "symbols": 8,
        "watch": 5,
        "close_watch": 1,
        "in_trade": 1,
        "manual": 1,
        "calls": 1_038,
        "rate": 0.13,
        "p99_ns": 26_400,
        "errors": 0,
        "memory_bytes": None,
        "state": "running",
        "restarts": 0,
        "withheld": 0,
        "last_error": "",
    }
    return StrategyRow(**{**values, **changes})


def param_row(name: str = "fast", **changes: Any) -> ParamRow:
    """Return a whole number that a script declares."""
    values: dict[str, Any] = {
        "kind": "int",
        "value": 10,
        "default": 10,
        "minimum": 2.0,
        "maximum": 500.0,
        "help": "bars of the fast EMA",
    }
    return ParamRow(name=name, **{**values, **changes})


def params(instrument: str = "BTCUSDT", **changes: Any) -> ParamTable:
    """Return the parameters of a row, one of them changed."""
    values: dict[str, Any] = {
        "strategy": "ema_cross",
        "instrument": instrument,
        "instruments": tuple(row.instrument for row in symbols()),
        "params": (
            param_row(),
            param_row("slow", value=30, default=20, help="bars of the slow EMA"),
            param_row(
                "stop",
                kind="float",
                value=0.02,
                default=0.02,
                minimum=0.0005,
                maximum=0.4,
                help="loss that ends it",
            ),
            param_row(
                "long_only",
                kind="bool",
                value=True,
                default=True,
                minimum=None,
                maximum=None,
                help="",
            ),
        ),
    }
    return ParamTable(**{**values, **changes})


def script_log() -> ScriptLog:
    """Return a line that a script wrote, and an error of it."""
    return ScriptLog(
        strategy="ema_cross",
        script="ema_cross.py",
        lines=(
            ScriptLine(
                number=1, ts=NOW - 60 * S, instrument="BTCUSDT", text="volume dried up"
            ),
            ScriptLine(
                number=2,
                ts=NOW - 9 * S,
                instrument="ETHUSDT",
                text="ZeroDivisionError: division by zero",
                is_error=True,
                line=3,
            ),
        ),
    )


def blocks() -> BlockTable:
    """Return what became of a row's evaluations, and of all rows'."""
    own = (
        BlockRow(gate="script", cause="no signal", count=116),
        BlockRow(gate="state", cause="in trade", count=7),
        BlockRow(gate="", cause="entered", count=2),
    )
    everywhere = (
        BlockRow(gate="script", cause="no signal", count=855),
        BlockRow(gate="state", cause="in trade", count=136),
        BlockRow(gate="", cause="entered", count=15),
        BlockRow(gate="lock", cause="locked", count=10),
    )
    return BlockTable(row=own, all=everywhere)


SOURCE = ScriptSource(
    "ema_cross.py",
    (
        "def detect_opportunity(market, context, indicators):",
        "    spread = 0",
        "    return 1 / spread",
        "",
        "# the end",
    ),
)


def alert(number: int = 1, **changes: Any) -> Alert:
    """Return the alert of the sketches."""
    values: dict[str, Any] = {
        "id": number,
        "ts": NOW - 32 * S,
        "last_ts": NOW - 32 * S,
        "severity": "warn",
        "subject": "SOLUSDT",
        "instrument": "SOLUSDT",
        "text": "SOLUSDT book untrusted: sequence gap. Will not trade.",
        "remedy": "Resync try 2 in 4 s.",
        "count": 1,
        "active": True,
    }
    return Alert(**{**values, **changes})


def frame(focus: Focus | None = None, **changes: Any) -> Frame:
    """Return a frame with every panel filled."""
    name = "BTCUSDT" if focus is None else focus.instrument
    values: dict[str, Any] = {
        "seq": 100,
        "ts": NOW,
        "cursor": 0,
        "missed": 0,
        "header": header(),
        "alerts": (alert(),),
        "records": (),
        "injected": frozenset(),
        "symbols": symbols(),
        "orders": orders(),
        "positions": (position_row(),),
        "risk": risk(),
        "fills": fills(),
        "trades": trades(),
        "equity": equity(),
        "sums": sums(),
        "feeds": (feed_row(),),
        "gaps": (
            GapRow(
                ts=NOW - 32 * S,
                instrument="SOLUSDT",
                reason="sequence gap",
                expected=4711,
                got=4719,
                until_ns=None,
            ),
        ),
        "tasks": (task_row("market"), task_row(), task_row("executor")),
        "channels": (channel_row(), channel_row("OrderUpdated")),
        "indicators": (
            IndicatorRow(
                key="BTCUSDT/1m/ema/10",
                instrument="BTCUSDT",
                timeframe="1m",
                name="ema",
                params="10",
                outputs=("ema",),
                values=(61_640.5,),
                before=(61_620.0,),
                trail=(61_600.0, 61_620.0, 61_640.5),
                bars=40,
                needed=10,
                decimals=4,
            ),
        ),
        "opportunities": OpportunityTable(
            enabled=True, markets=1, found=57, rows=(opportunity_row(),)
        ),
        "figures": figures(),
        "chart": chart(name),
        "book": book(instrument=name, symbol=name),
        "tape": tape(instrument=name, symbol=name),
        "machine": machine(),
        "strategies": (strategy_row(),),
        "params": params(name),
        "script_log": script_log(),
        "blocks": blocks(),
    }
    return Frame(**{**values, **changes})


_ALWAYS = ("seq", "ts", "cursor", "missed", "header", "alerts", "records", "injected")


class FakeEngine:
    """A run whose every event comes a second after the other and is recorded."""

    def __init__(self) -> None:
        self.number = 0
        self.awaiting = False
        self.store = self.clock = self.sources = self

    @property
    def pulled(self) -> int:
        """Count the events."""
        return self.number

    def now(self) -> int:
        """Return the run's time."""
        return NOW + self.number * S

    def peek_ts(self) -> int:
        """Return when the next event comes."""
        return self.now() + S

    def step(self) -> None:
        """Let one event happen."""
        self.number += 1

    @property
    def total(self) -> int:
        """Count the bars: one in seven events."""
        return self.number // 7

    def bars(self, instrument: str, timeframe: Timeframe) -> FakeEngine:
        """Return the window of bars."""
        return self


class FakeDriver:
    """Notes the words it is given; ``run`` waits for ``stop``, or fails as told."""

    def __init__(self) -> None:
        self.state = PlayState.PLAYING
        self.speed = 4.0
        self.goal_text = ""
        self.awaiting = False
        self.words: list[str] = []
        self.failure: Exception | None = None
        self.engine = FakeEngine()
        self._stopped: Any = None

    async def run(self) -> None:
        """Wait until told to stop."""
        import asyncio

        if self.failure is not None:
            raise self.failure
        self._stopped = asyncio.Event()
        await self._stopped.wait()
        self.words.append("ended")

    def stop(self) -> None:
        """End ``run``."""
        if self._stopped is not None:
            self._stopped.set()

    def play(self) -> None:
        """Note it."""
        self.words.append("play")
        self.state = PlayState.PLAYING

    def pause(self) -> None:
        """Note it."""
        self.words.append("pause")
        self.state = PlayState.PAUSED

    def toggle(self) -> None:
        """Note it."""
        (self.pause if self.state is PlayState.PLAYING else self.play)()

    def step(self) -> bool:
        """Note it."""
        self.state = PlayState.PAUSED
        self.words.append("step")
        self.engine.step()
        return True

    def change_speed(self, direction: int) -> float:
        """Note it."""
        place = SPEEDS.index(self.speed) + direction
        self.speed = SPEEDS[place]
        self.words.append(f"speed {self.speed:g}")
        return self.speed


class FakeReloading:
    """Hot reload that notes what it is asked; ``reports`` are its news."""

    def __init__(self) -> None:
        self.ticks = 0
        self.asked: list[tuple[str, str]] = []
        self.reports: list[ReloadReport] = []
        self.hashes: dict[str, tuple[str, ...]] = {"ema_cross": ("7b555b94",)}
        """Versions of each strategy's script, newest last."""

    def tick(self) -> None:
        """Count it."""
        self.ticks += 1

    def reload(self, strategy: str) -> ReloadAnswer:
        """Note it."""
        self.asked.append(("reload", strategy))
        return ReloadAnswer(True, f"{strategy}.py is tried in the shadow")

    def roll_back(self, strategy: str) -> ReloadAnswer:
        """Note it; refuse it where there is nothing to go back to."""
        self.asked.append(("roll_back", strategy))
        if len(self.versions(strategy)) < 2:
            return ReloadAnswer(False, f"{strategy}.py has no version before this one")
        return ReloadAnswer(True, f"{strategy}.py goes back to the one before")

    def versions(self, strategy: str) -> tuple[str, ...]:
        """Return ``hashes``."""
        return self.hashes.get(strategy, ())

    def news(self) -> tuple[ReloadReport, ...]:
        """Return the news once."""
        news, self.reports = tuple(self.reports), []
        return news


def preview(**changes: Any) -> Preview:
    """Return the preview of a buy of 0.100 BTCUSDT that rests at 61,680."""
    values: dict[str, Any] = {
        "seq": 100,
        "instrument": "BTCUSDT",
        "code": "",
        "denial": "",
        "currency": "USDT",
        "open": Decimal("0.100"),
        "price": Decimal("61680.0"),
        "notional": Decimal("6168.0000"),
        "fee_maker": Decimal("0.9252"),
        "fee_taker": Decimal("2.7756"),
        "ties_up": Decimal("6168.0"),
        "free": Decimal("32558.10"),
        "owner": "operator",
        "position": Decimal(0),
        "position_after": Decimal("0.100"),
        "net": Decimal(1),
        "net_after": Decimal("1.100"),
        "away_bps": -0.97,
        "takes": Decimal(0),
        "take_price": None,
        "keeps_queue": False,
        "waits": False,
        "held": False,
        "gates": (
            Gate("feed", True, "40 ms of 5 s"),
            Gate("risk", True, "61 % of position limit 100,000"),
        ),
    }
    return Preview(**{**values, **changes})


class FakeSession:
    """Frames by hand; ``frames`` makes each of them, ``executed`` notes commands."""

    def __init__(self, make: Callable[[Focus | None], Frame] = frame) -> None:
        self.make = make
        self.fake_driver = FakeDriver()
        self.asked: list[frozenset[str]] = []
        self.focuses: list[Focus | None] = []
        self.executed: list[Command] = []
        self.pending: list[Record] = []
        self.number = 0
        self.closed = False
        self.histories: dict[str, OrderHistory] = {}
        self.refusal = ""
        self.frame_failure: Exception | None = None
        self.fake_reloading = FakeReloading()

    @property
    def aggregator(self) -> FakeEngine:
        """Return what makes bars."""
        return self.fake_driver.engine

    def take_up(self) -> None:
        """Have no account."""

    async def drive(self) -> None:
        """Let the fake driver run."""
        await self.driver.run()

    @property
    def driver(self) -> PlayDriver:
        """Return the fake one."""
        return cast(PlayDriver, self.fake_driver)

    def record(self, *records: Record) -> None:
        """Let the next frame bring these."""
        self.pending.extend(records)

    def frame(
        self, cursor: int, panels: frozenset[str], focus: Focus | None = None
    ) -> Frame:
        """Return what ``make`` gives, cut down to the panels asked for."""
        if self.frame_failure is not None:
            raise self.frame_failure
        self.asked.append(panels)
        self.focuses.append(focus)
        made = self.make(focus)
        cut = {
            name: None
            for name in Frame.__struct_fields__
            if name not in _ALWAYS and name not in panels
        }
        fresh = self.pending if cursor <= self.number else []
        numbered = tuple(
            Numbered(self.number + place, each)
            for place, each in enumerate(fresh, start=1)
        )
        self.number += len(numbered)
        self.pending = []
        return msgspec.structs.replace(
            made, **cut, records=made.records + numbered, cursor=self.number
        )

    def execute(self, command: Command) -> Outcome:
        """Note a command; refuse it where told to."""
        self.executed.append(command)
        if self.refusal:
            return Outcome(False, self.refusal, 100)
        return Outcome(True, "done", 100)

    def preview_order(self, command: PlaceOrder | AmendOrder) -> Preview:
        """Let every order pass."""
        return preview()

    def touch(self, instrument: str) -> Touch:
        """Return the best prices of the sketches."""
        return Touch(61_685.99, 61_686.0, 61_685.99)

    def order_history(self, order_id: str) -> OrderHistory | None:
        """Return what a test has put there."""
        return self.histories.get(order_id)

    def script_source(self, strategy: str) -> ScriptSource | None:
        """Return a text of five lines."""
        return SOURCE

    @property
    def reloading(self) -> FakeReloading:
        """Return one that notes what it is asked."""
        return self.fake_reloading

    def toggle_recording(self, name: str) -> RecorderAnswer:
        """Refuse: nothing is written by hand-made frames."""
        return RecorderAnswer(False, f"{name} cannot be recorded")

    def close(self) -> None:
        """Note it."""
        self.closed = True


THEMES = (Path(__file__).parents[2] / "themes",)
"""The shipped themes only: a test never reads the user's."""
