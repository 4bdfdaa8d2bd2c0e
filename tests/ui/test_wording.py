"""Every record has a line, and the lines read as the sketches do."""

from __future__ import annotations

import typing
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.ui import fakes
from workstation.model.instruments import Instrument, Side
from workstation.model.limits import BreakerState
from workstation.model.market import Bar
from workstation.model.opportunities import OpportunityEnd
from workstation.model.orders import (
    Fill,
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
    OrderType,
    order_number,
)
from workstation.model.positions import Position
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import (
    BalanceRecord,
    BandRecord,
    BarRecord,
    BookRecord,
    BreakerRecord,
    CommandRecord,
    ControlRecord,
    DenyRecord,
    DifferenceRecord,
    FaultRecord,
    FeedRecord,
    FillRecord,
    FlattenedRecord,
    LimitRecord,
    LockRecord,
    LossBaseRecord,
    NoteRecord,
    OpportunityRecord,
    OrderRecord,
    OwedRecord,
    OwnerRecord,
    ParamsRecord,
    PositionRecord,
    ProtectionRecord,
    Record,
    RequoteRecord,
    ResyncRecord,
    SignalRecord,
    StateRecord,
    TaskRecord,
    TradeRecord,
)
from workstation.model.signals import Signal, SignalAction
from workstation.model.states import BookTrust, PositionBand, SymbolState
from workstation.model.timeframes import Timeframe
from workstation.ui.wording import KINDS, log_line

TS = fakes.NOW
ROW = {"seq": 5, "ts": TS, "strategy": "ema_cross", "instrument": "BTCUSDT"}
SCALES = {
    "BTCUSDT": Instrument(
        id="BTCUSDT",
        venue="simulated",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.001"),
    )
}


EDGE = msgspec.structs.replace(
    fakes.opportunity_row().opportunity, buy="BTCUSDT", opened_ns=TS - 1_500_000_000
)


def order(**changes: Any) -> Order:
    return fakes.order_row(11, **changes).order


def fill(**changes: Any) -> Fill:
    values: dict[str, Any] = {
        "order_id": "o-11",
        "trade_id": "t-1",
        "instrument": "BTCUSDT",
        "owner": "ema_cross",
        "side": Side.BUY,
        "quantity": Decimal("1.000"),
        "price": Decimal("61673.69"),
        "fee": Decimal("1"),
        "fee_currency": "USDT",
        "maker": False,
        "ts": TS,
        "role": OrderRole.ENTRY,
    }
    return Fill(**{**values, **changes})


def position(quantity: str, realized: str = "0") -> Position:
    return Position(
        owner="ema_cross",
        instrument="BTCUSDT",
        quantity=Decimal(quantity),
        average_price=Decimal("61673.69"),
        realized=Decimal(realized),
    )


def _difference(**changes: Any) -> DifferenceRecord:
    values: dict[str, Any] = {
        "kind": Subject.BALANCE,
        "subject": "USDT",
        "before": Verdict.ASKING,
        "after": Verdict.DIFFERS,
    }
    return DifferenceRecord(seq=5, ts=TS, **{**values, **changes})


ENTRY = {
    "role": OrderRole.ENTRY,
    "side": Side.BUY,
    "type": OrderType.MARKET,
    "price": None,
}
SUBMIT, ACCEPT = OrderEvent.SUBMIT, OrderEvent.ACCEPT
NEW, SENT = OrderStatus.INITIALIZED, OrderStatus.SUBMITTED

MINUTE = Timeframe.parse("1m")

CASES: list[tuple[Record, str]] = [
    (
        BookRecord(
            5, TS, "BTCUSDT", BookTrust.TRUSTED, BookTrust.UNTRUSTED, "gap", 4711, 4719
        ),
        "gap   BTCUSDT want 4711 got 4719",
    ),
    (
        BookRecord(
            5, TS, "BTCUSDT", BookTrust.UNTRUSTED, BookTrust.TRUSTED, "snapshot"
        ),
        "book  BTCUSDT trusted, snapshot",
    ),
    (
        ResyncRecord(
            seq=5,
            ts=TS,
            instrument="BTCUSDT",
            attempt=2,
            again_ns=TS + 4_000_000_000,
            reason="gap",
        ),
        "book  BTCUSDT resync 2, next in 4 s",
    ),
    (
        StateRecord(
            before=SymbolState.WATCH,
            after=SymbolState.CLOSE_WATCH,
            trigger="opportunity",
            who="script",
            reason="bullish",
            **ROW,  # type: ignore[arg-type]
        ),
        "state BTCUSDT Watch > CloseWatch bullish",
    ),
    (
        StateRecord(
            before=SymbolState.IN_TRADE,
            after=SymbolState.IN_TRADE,
            trigger="first_fill",
            who="engine",
            reason="1 at 99",
            **ROW,  # type: ignore[arg-type]
        ),
        "state BTCUSDT InTrade first fill 1 at 99",
    ),
    (
        ParamsRecord(
            before={"fast": 10},
            after={"fast": 12},
            reason="calmer",
            **ROW,  # type: ignore[arg-type]
        ),
        "param BTCUSDT ema_cross fast 10 > 12 calmer",
    ),
    (FillRecord(5, TS, fill()), "fill  BTCUSDT buy 1.000 @ 61,673.69"),
    (
        FillRecord(5, TS, fill(side=Side.SELL, role=OrderRole.STOP)),
        "fill  BTCUSDT sell 1.000 @ 61,673.69 stop",
    ),
    (
        OrderRecord(5, TS, order(**ENTRY, status=SENT), NEW, SUBMIT),
        "order #11 BTCUSDT buy 1.000 market",
    ),
    (
        OrderRecord(5, TS, order(**ENTRY, status=OrderStatus.ACCEPTED), SENT, ACCEPT),
        "order #11 BTCUSDT open",
    ),
    (
        OrderRecord(
            5,
            TS,
            order(**ENTRY, status=OrderStatus.PARTIALLY_FILLED, filled=Decimal("0.4")),
            SENT,
            OrderEvent.PARTIAL_FILL,
        ),
        "order #11 BTCUSDT part filled 0.400 of 1.000",
    ),
    (
        OrderRecord(
            5,
            TS,
            order(
                role=OrderRole.STOP,
                type=OrderType.STOP,
                price=None,
                trigger=Decimal("60452"),
                status=OrderStatus.HELD,
            ),
            NEW,
            OrderEvent.HOLD,
        ),
        "order #11 BTCUSDT sell 1.000 stop @ 60,452.00 held",
    ),
    (
        OrderRecord(
            5,
            TS,
            order(
                type=OrderType.STOP_LIMIT,
                price=Decimal("60440"),
                trigger=Decimal("60452"),
                status=OrderStatus.HELD,
            ),
            NEW,
            OrderEvent.HOLD,
        ),
        "order #11 BTCUSDT sell 1.000 stop-limit 60,452.00 @ 60,440.00 held",
    ),
    (
        OrderRecord(
            5,
            TS,
            order(status=OrderStatus.REJECTED),
            SENT,
            OrderEvent.REJECT,
            "no margin",
        ),
        "order #11 BTCUSDT rejected no margin",
    ),
    (
        DenyRecord(
            seq=5,
            ts=TS,
            owner="ema_cross",
            instrument="BTCUSDT",
            role=OrderRole.ENTRY,
            code="SPREAD",
            text="3.1 > 2.0 bp",
        ),
        "deny  BTCUSDT SPREAD 3.1 > 2.0 bp",
    ),
    (
        SignalRecord(
            5,
            TS,
            Signal(
                strategy="ema_cross",
                instrument="BTCUSDT",
                action=SignalAction.ENTER_LONG,
                quantity=Decimal("1"),
                reason="bullish",
            ),
        ),
        "sig   BTCUSDT enter long 1.000 bullish",
    ),
    (
        RequoteRecord(
            seq=5,
            ts=TS,
            strategy="maker",
            instrument="BTCUSDT",
            cause="wish",
            bids=2,
            asks=1,
            kept=1,
            modified=1,
            waiting=1,
            denied=1,
            why=("modify o-7 buy 1 @ 61,680: price off, 3.1 bps",),
        ),
        "quote BTCUSDT maker 2×1 1 kept, 1 changed, 1 waiting "
        "modify o-7 buy 1 @ 61,680: price off, 3.1 bps",
    ),
    (
        RequoteRecord(
            seq=5,
            ts=TS,
            strategy="maker",
            instrument="BTCUSDT",
            cause="withdrawn",
            bids=0,
            asks=0,
        ),
        "quote BTCUSDT maker 0×0 nothing to do",
    ),
    (
        PositionRecord(5, TS, position("0"), position("1")),
        "pos   BTCUSDT flat > +1.000 @ 61,673.69",
    ),
    (
        PositionRecord(5, TS, position("1"), position("0", "-12.5")),
        "pos   BTCUSDT +1.000 > flat −12.50",
    ),
    (
        TradeRecord(5, TS, fakes.closed_trade(exit_reason="stop 60452.0 met")),
        "trade BTCUSDT long 2:14 net +11.20 stop 60452.0 met",
    ),
    (
        BandRecord(
            5,
            TS,
            "BTCUSDT",
            PositionBand.NORMAL,
            PositionBand.OVER_LIMIT,
            Decimal("1"),
        ),
        "band  BTCUSDT position 1 is over limit",
    ),
    (
        TaskRecord(
            seq=5, ts=TS, task="ema_cross", before="running", after="failed", reason="x"
        ),
        "task  ema_cross running > failed x",
    ),
    (
        FaultRecord(
            seq=5,
            ts=TS,
            task="ema_cross",
            instrument="BTCUSDT",
            error="ZeroDivisionError",
            where="line 3",
        ),
        "fault ema_cross BTCUSDT ZeroDivisionError (line 3)",
    ),
    (
        FeedRecord(seq=5, ts=TS, feed="market", what="ended"),
        "feed  market ended",
    ),
    (
        ControlRecord(seq=5, ts=TS, name="hold", before="off", after="on", reason="H"),
        "hold  on by operator H",
    ),
    (
        ControlRecord(seq=5, ts=TS, name="kill", before="", after="cancel"),
        "kill  cancel by operator",
    ),
    (
        CommandRecord(
            seq=5,
            ts=TS,
            command="PauseTask",
            subject="market",
            who="operator",
            accepted=False,
            detail="it is stopped",
        ),
        "cmd   pause task market refused it is stopped",
    ),
    (
        LockRecord(before=False, after=True, until_ns=TS + 60 * fakes.S, **ROW),  # type: ignore[arg-type]
        "lock  BTCUSDT ema_cross manual until 23:56",
    ),
    (
        LockRecord(before=True, after=False, reason="done", **ROW),  # type: ignore[arg-type]
        "lock  BTCUSDT ema_cross handed back done",
    ),
    (
        OpportunityRecord(
            seq=5, ts=TS, opportunity=EDGE, best_bps=EDGE.net_bps, end=None
        ),
        "edge  BTCUSDT @ 61,677.00 > BTCUSDT.south @ 61,695.75 +1.04 bp on 0.013",
    ),
    (
        OpportunityRecord(
            seq=5,
            ts=TS,
            opportunity=EDGE,
            best_bps=1.5,
            end=OpportunityEnd.STALE,
            reason="BTCUSDT: quote 1.1 s old",
        ),
        "edge  BTCUSDT > BTCUSDT.south stale after 1.5 s, best +1.50 bp "
        "BTCUSDT: quote 1.1 s old",
    ),
    (NoteRecord(text="looks high", **ROW), "note  BTCUSDT looks high"),  # type: ignore[arg-type]
    (
        BarRecord(
            5,
            TS,
            Bar(
                "BTCUSDT",
                TS,
                MINUTE,
                TS - 12 * fakes.S,
                1.0,
                3.0,
                1.0,
                2.0,
                5.0,
            ),
            0,
        ),
        "bar   BTCUSDT 23:55 1.00 > 2.00",
    ),
    (
        LimitRecord(
            seq=5,
            ts=TS,
            name="max_order_value",
            before=Decimal(25_000),
            after=None,
            reason="thin",
        ),
        "limit max_order_value 25000 > none by operator thin",
    ),
    (
        BreakerRecord(
            seq=5,
            ts=TS,
            name="max_daily_loss",
            before=BreakerState.CALM,
            after=BreakerState.WARNED,
            value=Decimal("4000.5"),
            limit=Decimal(5_000),
        ),
        "limit max_daily_loss warned 4000.5 of 5000",
    ),
    (
        LossBaseRecord(
            seq=5,
            ts=TS,
            day_ns=TS,
            day_start=Decimal("100412.1"),
            peak=Decimal(104_000),
            initial=Decimal(100_000),
        ),
        "limit losses from 100,412.10 at the day's start, highest 104,000.00",
    ),
    (
        OwnerRecord(
            seq=5,
            ts=TS,
            order_id="web_7",
            instrument="BTCUSDT",
            before="external",
            after="ema_cross",
            role=OrderRole.ENTRY,
            reason="given to ema_cross",
        ),
        "order #web_7 BTCUSDT external > ema_cross given to ema_cross",
    ),
    (
        ProtectionRecord(
            seq=5,
            ts=TS,
            owner="ema_cross",
            instrument="BTCUSDT",
            stop=Decimal("60100.5"),
            target=Decimal(62_000),
            trailing_bps=50.0,
            best=61_000.0,
        ),
        "order BTCUSDT ema_cross stop 60,100.50, target 62,000.00, trailing 50 bp",
    ),
    (
        ProtectionRecord(
            seq=5,
            ts=TS,
            owner="ema_cross",
            instrument="BTCUSDT",
            stop=None,
            target=None,
            trailing_bps=None,
            best=61_000.0,
        ),
        "order BTCUSDT ema_cross no stop or target",
    ),
    (
        FlattenedRecord(seq=5, ts=TS, order_ids=("o-7", "o-12"), reason="kill: x"),
        "order #7, #12 is closed as it fills kill: x",
    ),
    (
        OwedRecord(
            seq=5,
            ts=TS,
            owner="ema_cross",
            instrument="BTCUSDT",
            before=Decimal(0),
            after=Decimal("0.04"),
        ),
        "order BTCUSDT ema_cross 0.040 of late fills to close",
    ),
    (
        BalanceRecord(
            seq=5,
            ts=TS,
            currency="USDT",
            before=Decimal(100_000),
            after=Decimal("100250.5"),
            reason="top up",
        ),
        "money USDT 250.50 put in, 100,250.50 in all top up",
    ),
    (
        BalanceRecord(
            seq=5,
            ts=TS,
            currency="BTC",
            before=Decimal("0.5"),
            after=Decimal("0.48765"),
        ),
        "money BTC 0.01235 taken out, 0.48765 in all",
    ),
    (
        _difference(here="100000", venue="100250"),
        "venue USDT differs 100,000.00 here, 100,250.00 at the venue, +250.00",
    ),
    (
        _difference(
            before=Verdict.DIFFERS,
            after=Verdict.IGNORED,
            here="0.5",
            venue="0.48765",
            subject="BTC",
            who="operator",
            reason="a loan",
        ),
        "venue BTC ignored 0.50 here, 0.48765 at the venue, −0.01235 a loan",
    ),
    (
        _difference(before=Verdict.DIFFERS, after=Verdict.AGREES, here="9", venue="9"),
        "venue USDT agrees",
    ),
    (
        _difference(
            kind=Subject.ORDER,
            subject="web_7",
            before=Verdict.EXTERNAL,
            after=Verdict.IGNORED,
            reason="a friend's",
        ),
        "venue order #web_7 ignored a friend's",
    ),
    (
        _difference(
            kind=Subject.POSITION,
            subject="BTCUSDT",
            before=Verdict.EXTERNAL,
            after=Verdict.IGNORED,
            venue="0.01",
            reason="a long hold",
        ),
        "venue position BTCUSDT ignored a long hold",
    ),
]


@pytest.mark.parametrize(
    ("record", "text"),
    CASES,
    ids=[text.split()[0] + str(n) for n, (_, text) in enumerate(CASES)],
)
def test_a_record_reads_like_this(record: Record, text: str) -> None:
    line = log_line(record, SCALES)
    assert line.plain == f"23:55:12.0 {text}"
    assert "".join(part for part, _ in line.parts) == line.plain
    assert line.seq == 5
    assert line.kind in KINDS


def test_every_type_of_record_is_among_the_cases() -> None:
    covered = {type(record) for record, _ in CASES}
    assert covered == set(typing.get_args(Record))


def test_the_text_of_every_kind_begins_in_one_column() -> None:
    for record, _ in CASES:
        assert log_line(record, SCALES).plain[10] == " "
        assert log_line(record, SCALES).plain[16] == " "


def test_what_was_injected_says_so() -> None:
    line = log_line(FillRecord(5, TS, fill()), SCALES, injected=True)
    assert "fill  inj BTCUSDT buy" in line.plain


def test_markup_in_a_script_s_note_stays_text() -> None:
    text = "a[/]b [red]c"
    line = log_line(NoteRecord(text=text, **ROW), SCALES)  # type: ignore[arg-type]
    assert text in line.plain


def test_an_unknown_instrument_still_has_a_line() -> None:
    line = log_line(FillRecord(5, TS, fill(instrument="X")), {})
    assert "X buy 1.000 @ 61,673.69" in line.plain


@pytest.mark.parametrize(
    ("id", "short"), [("o-13", "13"), ("run-0007", "7"), ("abc", "abc"), ("o-0", "0")]
)
def test_an_order_is_called_by_its_number(id: str, short: str) -> None:
    assert order_number(id) == short
