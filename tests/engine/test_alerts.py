"""Alerts: one per cause, counted, mended, the worst on top, never without end."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from workstation.engine.alerts import Alerts
from workstation.engine.hashing import encode
from workstation.model.instruments import Side
from workstation.model.limits import BreakerState
from workstation.model.orders import (
    Order,
    OrderEvent,
    OrderRole,
    OrderStatus,
    OrderType,
)
from workstation.model.reconciliation import Subject, Verdict
from workstation.model.records import (
    BandRecord,
    BookRecord,
    BreakerRecord,
    ControlRecord,
    DenyRecord,
    DifferenceRecord,
    FaultRecord,
    FeedRecord,
    NoteRecord,
    OrderRecord,
    Record,
    ResyncRecord,
    TaskRecord,
)
from workstation.model.states import BookTrust, PositionBand

S = 1_000_000_000
T, U, N = BookTrust.TRUSTED, BookTrust.UNTRUSTED, BookTrust.NONE


def _alerts(*records: Record) -> Alerts:
    alerts = Alerts()
    for record in records:
        alerts(record, encode(record))
    return alerts


def _book(ts: int, after: BookTrust, instrument: str = "BTC") -> BookRecord:
    return BookRecord(ts, ts, instrument, T, after, "gap")


def _task(ts: int, after: str) -> TaskRecord:
    return TaskRecord(seq=ts, ts=ts, task="s", before="x", after=after, reason="why")


def _fault(ts: int) -> FaultRecord:
    return FaultRecord(
        seq=ts, ts=ts, task="s", instrument="BTC", error="ValueError: no"
    )


def _difference(ts: int, after: Verdict) -> DifferenceRecord:
    return DifferenceRecord(
        seq=ts,
        ts=ts,
        kind=Subject.BALANCE,
        subject="USDT",
        before=Verdict.ASKING,
        after=after,
        here="100",
        venue="350",
    )


@pytest.mark.parametrize("after", [Verdict.AGREES, Verdict.IGNORED])
def test_a_difference_is_bad_until_it_is_settled_and_tells_its_cause(
    after: Verdict,
) -> None:
    alerts = _alerts(_difference(1, Verdict.DIFFERS))
    (alert,) = alerts.all(0)
    assert (alert.kind, alert.subject, alert.severity) == ("difference", "USDT", "bad")
    assert alert.text == "USDT: 100.00 here, 350.00 at the venue. No entries in it."
    alerts(_difference(2, after), b"")
    assert not alerts.all(0)[0].active


def test_what_is_let_be_of_a_position_ends_no_alert_of_a_balance() -> None:
    differs = _difference(1, Verdict.DIFFERS)
    let_be = msgspec.structs.replace(
        differs, kind=Subject.POSITION, after=Verdict.IGNORED
    )
    (alert,) = _alerts(differs, let_be).all(0)
    assert alert.active


def test_a_cause_is_raised_counted_and_mended() -> None:
    alerts = _alerts(_book(1, U), _book(2, U))
    (alert,) = alerts.all(0)
    assert (alert.ts, alert.last_ts, alert.count, alert.active) == (1, 2, 2, True)
    assert alert.text == "BTC book untrusted: gap. Will not trade."
    alerts(_book(3, T), b"")
    (mended,) = alerts.all(0)
    assert (mended.id, mended.active, mended.last_ts) == (alert.id, False, 3)
    alerts(_book(4, U), b"")
    (again,) = alerts.all(0)
    assert again.id != alert.id
    assert (again.count, again.active, again.ts) == (1, True, 4)


def _tried(ts: int, attempt: int, wait_s: int) -> ResyncRecord:
    return ResyncRecord(
        seq=ts, ts=ts, instrument="BTC", attempt=attempt, again_ns=ts + wait_s * S
    )


def test_an_alert_counts_down_to_the_next_try_and_is_not_counted_up_by_it() -> None:
    alerts = _alerts(_book(S, U), _tried(S, 1, 1))
    assert _remedies(alerts, S) == ["Resync try 2 in 1 s."]
    alerts(_tried(2 * S, 2, 2), b"")
    assert _remedies(alerts, 2 * S) == ["Resync try 3 in 2 s."]
    assert _remedies(alerts, 2 * S + 1) == ["Resync try 3 in 2 s."]
    assert _remedies(alerts, 3 * S) == ["Resync try 3 in 1 s."]
    assert _remedies(alerts, 4 * S) == ["Resync try 3 in 0 s."]
    assert _remedies(alerts, 9 * S) == ["The next whole book mends it."], "paused"
    (alert,) = alerts.all(9 * S)
    assert (alert.count, alert.last_ts) == (1, S)
    alerts(_book(10 * S, T), b"")
    alerts(_book(11 * S, U), b"")
    assert [a.active for a in alerts.all(11 * S)] == [True]
    assert _remedies(alerts, 11 * S) == ["The next whole book mends it."]


def test_an_alert_says_that_a_recording_cannot_be_asked() -> None:
    alerts = Alerts(can_be_asked=lambda instrument: False)
    alerts(_book(S, U), b"")
    alerts(_tried(S, 1, 1), b"")
    text = "A recording can't be asked; its next snapshot mends it."
    assert _remedies(alerts, S) == [text]


def _remedies(alerts: Alerts, ts: int) -> list[str]:
    return [alert.remedy for alert in alerts.all(ts)]


def test_a_book_that_was_never_untrusted_mends_nothing() -> None:
    assert _alerts(_book(1, T), _book(2, N)).all(0) == ()


@pytest.mark.parametrize(
    ("record", "severity", "text"),
    [
        (_fault(1), "warn", "s: ValueError: no"),
        (_task(1, "failed"), "bad", "s failed: why"),
        (
            FeedRecord(seq=1, ts=1, feed="f", what="failed", detail="gone"),
            "bad",
            "feed f failed: gone",
        ),
        (
            ControlRecord(
                seq=1, ts=1, name="kill", before="armed", after="flatten", reason="x"
            ),
            "bad",
            "kill flatten by operator: x",
        ),
        (
            ControlRecord(seq=1, ts=1, name="hold", before="off", after="on"),
            "warn",
            "hold on by operator: ·",
        ),
        (
            BandRecord(
                1, 1, "BTC", PositionBand.NORMAL, PositionBand.CRITICAL, Decimal(5)
            ),
            "bad",
            "BTC position 5 is in band critical",
        ),
    ],
)
def test_each_cause_says_what_it_is_and_what_to_do(
    record: Record, severity: str, text: str
) -> None:
    (alert,) = _alerts(record).all(0)
    assert (alert.severity, alert.text, alert.active) == (severity, text, True)
    assert alert.remedy.endswith(".")


@pytest.mark.parametrize(
    ("record", "mend"),
    [
        (_task(1, "failed"), _task(2, "running")),
        (_fault(1), _task(2, "running")),
        (
            ControlRecord(seq=1, ts=1, name="kill", before="armed", after="hold"),
            ControlRecord(seq=2, ts=2, name="kill", before="hold", after="armed"),
        ),
        (
            ControlRecord(seq=1, ts=1, name="hold", before="off", after="on"),
            ControlRecord(seq=2, ts=2, name="hold", before="on", after="off"),
        ),
        (
            BandRecord(
                1, 1, "BTC", PositionBand.NORMAL, PositionBand.WARNING, Decimal(5)
            ),
            BandRecord(
                2, 2, "BTC", PositionBand.WARNING, PositionBand.NORMAL, Decimal(1)
            ),
        ),
    ],
)
def test_each_cause_can_be_mended(record: Record, mend: Record) -> None:
    (alert,) = _alerts(record, mend).all(0)
    assert not alert.active


def test_ordinary_records_and_ends_of_feeds_are_no_alerts() -> None:
    note = NoteRecord(seq=1, ts=1, strategy="s", instrument="i", text="x")
    ended = FeedRecord(seq=1, ts=1, feed="f", what="ended")
    assert _alerts(note, ended, _task(1, "paused"), _task(2, "stopped")).all(0) == ()


def test_the_active_and_bad_are_on_top_then_the_newest() -> None:
    alerts = _alerts(
        _book(1, U, "a"),
        _book(2, U, "b"),
        _task(3, "failed"),
        _book(4, U, "c"),
        _book(5, T, "c"),
    )
    assert [a.subject for a in alerts.all(0)] == ["s", "b", "a", "c"]


def test_there_are_never_more_than_two_hundred_and_mended_ones_go_first() -> None:
    alerts = _alerts(*(_book(n, U, f"i{n}") for n in range(200)))
    alerts(_book(900, T, "i150"), b"")
    for n in range(200, 300):
        alerts(_book(n, U, f"i{n}"), b"")
    subjects = {alert.subject for alert in alerts.all(0)}
    assert len(subjects) == 200
    assert "i150" not in subjects
    assert "i299" in subjects


def test_a_failed_feed_is_one_alert_and_no_restart_is_offered() -> None:
    alerts = Alerts(feeds=("f",))
    for record in (
        FeedRecord(seq=1, ts=1, feed="f", what="failed", detail="f.csv:3: cut"),
        TaskRecord(seq=1, ts=1, task="f", before="running", after="failed"),
    ):
        alerts(record, encode(record))
    (alert,) = alerts.all(0)
    assert "f.csv:3" in alert.text
    assert "restarts" not in alert.remedy


def test_bars_that_can_never_close_are_an_alert() -> None:
    detail = "BTC: 1m bars cannot be made of 1h"
    record = FeedRecord(seq=1, ts=1, feed="aggregator", what="timeframe", detail=detail)
    (alert,) = _alerts(record).all(0)
    assert (alert.severity, alert.active) == ("warn", True)
    assert detail in alert.text


def _breaker(
    ts: int, after: BreakerState, value: str, name: str = "max_daily_loss"
) -> BreakerRecord:
    return BreakerRecord(
        seq=ts,
        ts=ts,
        name=name,
        before=BreakerState.CALM,
        after=after,
        value=Decimal(value),
        limit=Decimal(5000),
    )


def test_a_loss_near_its_limit_is_warned_of_and_beyond_it_another_alert() -> None:
    alerts = _alerts(_breaker(1, BreakerState.WARNED, "4100"))
    (near,) = alerts.all(0)
    assert near.severity == "warn"
    assert near.text == "max_daily_loss 82% used at 00:00:00: 4,100.00 of 5,000.00"
    alerts(_breaker(2, BreakerState.TRIPPED, "5001.5"), b"")
    (beyond,) = alerts.all(0)
    assert (beyond.severity, beyond.count) == ("bad", 1)
    assert beyond.id != near.id
    assert beyond.text == (
        "max_daily_loss exceeded at 00:00:00: 5,001.50, limit 5,000.00"
    )
    alerts(_breaker(3, BreakerState.CALM, "0"), b"")
    assert not alerts.all(0)[0].active


def test_short_margin_is_warned_of_until_there_is_room() -> None:
    began = 86_080 * S
    alerts = _alerts(_breaker(began, BreakerState.WARNED, "9865.1299", "margin"))
    (alert,) = alerts.all(0)
    assert alert.text == (
        "margin short at 23:54:40: 9,865.13 free, less than 5,000.00"
    ), "the figures are those of the crossing, and say so"
    alerts(_breaker(began + S, BreakerState.CALM, "6000", "margin"), b"")
    assert not alerts.all(0)[0].active


def test_a_limit_is_used_up_when_it_is_and_not_before() -> None:
    (near,) = _alerts(_breaker(1, BreakerState.WARNED, "4999")).all(0)
    assert near.text.startswith("max_daily_loss 99% used")
    sunk = msgspec.structs.replace(
        _breaker(1, BreakerState.WARNED, "0.0851", "max_drawdown"), limit=Decimal("0.1")
    )
    (share,) = _alerts(sunk).all(0)
    assert share.text == "max_drawdown 85% used at 00:00:00: 8.5% of 10.0%"


@pytest.mark.parametrize(
    ("here", "venue", "said"),
    [
        ("78748.154485059135", "78749", "78,748.15 here, 78,749.00"),
        ("100.00004", "100", "100.00004 here, 100.00000"),
    ],
)
def test_balances_are_written_with_the_decimals_at_which_they_differ(
    here: str, venue: str, said: str
) -> None:
    differs = msgspec.structs.replace(
        _difference(1, Verdict.DIFFERS), here=here, venue=venue
    )
    (alert,) = _alerts(differs).all(0)
    assert alert.text == f"USDT: {said} at the venue. No entries in it."


def _rejected(ts: int, number: int = 234, owner: str = "operator") -> OrderRecord:
    order = Order(
        id=f"demo-{number:06d}",
        instrument="BTC",
        owner=owner,
        role=OrderRole.ENTRY,
        side=Side.BUY,
        type=OrderType.LIMIT,
        quantity=Decimal("0.01"),
        price=Decimal(100),
        status=OrderStatus.REJECTED,
    )
    why = "post_only: it would take 0.01 at once"
    return OrderRecord(ts, ts, order, OrderStatus.SUBMITTED, OrderEvent.REJECT, why)


def test_an_order_of_the_operators_that_was_rejected_says_so() -> None:
    (alert,) = _alerts(_rejected(1)).all(0)
    assert alert.text == "order 234 rejected: post_only: it would take 0.01 at once"
    assert (alert.severity, alert.kind, alert.subject, alert.instrument) == (
        *("warn", "rejected", "demo-000234", "BTC"),
    )
    assert alert.remedy == "Its buy of 0.01 BTC did not work."


def test_each_rejected_order_of_the_operators_is_an_alert_of_its_own() -> None:
    alerts = _alerts(_rejected(1), _rejected(2, 235))
    assert len(alerts.all(2)) == 2


def test_a_strategys_rejections_are_counted_and_seen_again_after_a_calm_minute() -> (
    None
):
    alerts = _alerts(_rejected(S, 1, "maker"), _rejected(2 * S, 2, "maker"))
    (alert,) = alerts.all(2 * S)
    assert (alert.severity, alert.count) == ("warn", 2)
    assert alert.text.startswith("maker order 2 rejected: post_only")
    alerts(_rejected(200 * S, 3, "maker"), b"")
    (again,) = alerts.all(200 * S)
    assert (again.count, again.id != alert.id) == (1, True), "it was acknowledged"


def _denied(ts: int, code: str = "MAX_TOTAL_EXPOSURE") -> DenyRecord:
    return DenyRecord(
        seq=ts,
        ts=ts,
        owner="s",
        instrument="BTC",
        role=OrderRole.ENTRY,
        code=code,
        text="61,000 > 60,000",
    )


def _sent(ts: int, *, reduce_only: bool = False) -> OrderRecord:
    order = msgspec.structs.replace(
        _rejected(ts, owner="s").order,
        status=OrderStatus.SUBMITTED,
        reduce_only=reduce_only,
    )
    before, event = OrderStatus.INITIALIZED, OrderEvent.SUBMIT
    return OrderRecord(ts, ts, order, before, event, "")


def test_denials_in_a_row_are_an_alert_that_counts_them() -> None:
    alerts = _alerts(_denied(1), _denied(2))
    assert alerts.all(2) == (), "one or two are the limits' daily work"
    for ts in range(3, 27):
        alerts(_denied(ts), b"")
    alerts(_sent(27, reduce_only=True), b"")
    (alert,) = alerts.all(27)
    assert (alert.severity, alert.count, alert.active) == ("warn", 26, True)
    assert alert.text == "s BTC denied: MAX_TOTAL_EXPOSURE, 61,000 > 60,000"


def test_an_entry_that_went_out_ends_the_row_of_denials() -> None:
    alerts = _alerts(*map(_denied, (1, 2, 3)), _sent(4))
    assert not alerts.all(4)[0].active
    alerts(_denied(5), b"")
    assert not alerts.all(5)[0].active


def test_what_a_hold_denies_is_no_alert() -> None:
    assert _alerts(*(_denied(ts, "HOLD") for ts in range(9))).all(9) == ()
