"""The form of a report told by hand: what of an order, and the report from its texts.

Pure. It is told as if the venue had sent it, and the venue knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from workstation.engine.frames import SymbolRow
from workstation.model.instruments import Instrument
from workstation.model.orders import Order
from workstation.model.rehearsal import ToldReport
from workstation.model.reports import (
    ExternalOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilledReport,
    OrderRejected,
    ReportsLost,
)
from workstation.ui.screens.inject_form import Entry, FormError
from workstation.ui.typed_numbers import amount_of, wrong_amount
from workstation.ui.typeset import plain

__all__ = ["ReportKind", "report_form", "report_words", "to_report"]


class ReportKind(StrEnum):
    """What can be told of an order by a form; the rest is written as JSON."""

    FILLED = "filled"
    ACCEPTED = "accepted"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


_TAKER, _MAKER = "taker", "maker"
_ENDS: Mapping[ReportKind, type[OrderCanceled | OrderExpired | OrderRejected]] = {
    ReportKind.CANCELED: OrderCanceled,
    ReportKind.EXPIRED: OrderExpired,
    ReportKind.REJECTED: OrderRejected,
}
_TOLD = "told by hand"


def report_form(
    kind: ReportKind,
    order: Order | None,
    instrument: Instrument,
    row: SymbolRow | None,
    seq: int,
) -> tuple[Entry, ...]:
    """Return the fields of a report of ``order``, filled with what is left of it.

    ``seq`` makes ids that nothing else has; the same one again is a repeated report.
    """
    if kind is ReportKind.ACCEPTED:
        return (Entry(name="venue_id", unit="text", value=f"told-{seq}"),)
    if kind is not ReportKind.FILLED:
        return (Entry(name="reason", unit="text", value=_TOLD),)
    left = None if order is None else order.remaining
    price = None if order is None else order.price
    if price is None and row is not None and row.last is not None:
        price = instrument.nearest_price(row.last)
    return (
        Entry(name="trade_id", unit="text", value=f"told-{seq}"),
        Entry(name="quantity", unit="size", value=plain(left) if left else ""),
        Entry(name="price", unit="price", value="" if price is None else plain(price)),
        Entry(name="fee", unit="amount", value="0"),
        Entry(
            name="fee_currency",
            unit="word",
            choices=(instrument.quote, instrument.base),
        ),
        Entry(name="liquidity", unit="word", choices=(_TAKER, _MAKER)),
    )


def to_report(kind: ReportKind, order_id: str, texts: Mapping[str, str]) -> ToldReport:
    """Return the report of a filled form. Raises FormError for the first bad field."""
    if kind is ReportKind.ACCEPTED:
        return OrderAccepted(order_id, _text("venue_id", texts))
    if kind is not ReportKind.FILLED:
        return _ENDS[kind](order_id, texts.get("reason", "").strip())
    return OrderFilledReport(
        order_id,
        _text("trade_id", texts),
        _number("quantity", texts, positive=True),
        _number("price", texts, positive=True),
        _number("fee", texts),
        _text("fee_currency", texts),
        maker=texts.get("liquidity") == _MAKER,
    )


def _text(name: str, texts: Mapping[str, str]) -> str:
    text = texts.get(name, "").strip()
    if not text:
        raise FormError(f"{name.replace('_', ' ')} is missing")
    return text


def _number(name: str, texts: Mapping[str, str], *, positive: bool = False) -> Decimal:
    text = _text(name, texts)
    number = amount_of(text)
    if number is None:
        raise FormError(f"{name}: {wrong_amount(text)}")
    if positive and number <= 0:
        raise FormError(f"{name} must be above 0")
    return number


def report_words(report: ToldReport) -> str:
    """Return what the books take for the venue's word, and that it is not so."""
    after = "The venue has not said so: j shows what differs once it has been asked."
    if isinstance(report, ReportsLost):
        return (
            "The books hear that reports may be lost, and ask about every order at "
            "the venue."
        )
    if isinstance(report, ExternalOrder):
        said = f"an order {report.order_id} in {report.instrument} was made by hand"
    elif isinstance(report, OrderFilledReport):
        said = (
            f"{plain(report.quantity)} of {report.order_id} filled at "
            f"{plain(report.price)}"
        )
    else:
        said = f"{type(report).__name__} {report.order_id}"
        kind = _KIND_OF.get(type(report))
        if kind is not None:
            said = f"{report.order_id} was {kind}"
    return f"The books hear that {said}. {after}"


_KIND_OF: Mapping[type, ReportKind] = {
    OrderAccepted: ReportKind.ACCEPTED,
    **{type_: kind for kind, type_ in _ENDS.items()},
}
