"""The header of a frame, and the alerts above the panels."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

__all__ = ["Alert", "Header"]


class Header(Struct, frozen=True, kw_only=True):
    """The four answers of the two header lines."""

    mode: str
    word: str
    speed: float
    account: str
    ts: int | None
    events: int
    events_total: int | None
    progress: float | None
    feeds_ok: int
    feeds: int
    worst_age_ns: int | None
    books_ok: int
    books: int
    unknown_orders: int
    currency: str
    equity: Decimal
    day_pnl: Decimal
    day_percent: float | None
    open_pnl: Decimal
    fees: Decimal
    exposure: Decimal
    exposure_percent: float | None
    band: str
    limit_percent: float | None
    positions: int
    orders: int
    hold_since_ns: int | None
    kill: str | None
    kill_reason: str
    held_protection: int
    journal: str
    journal_failure: str | None
    kill_since_ns: int | None = None
    stands: bool = False
    """Whether the clock stands, whatever ``word`` says."""


class Alert(Struct, frozen=True, kw_only=True):
    """Something an operator should know: cause, what it means, how often.

    ``kind`` and ``subject`` are the cause: what it is, and whose.
    """

    id: int
    ts: int
    last_ts: int
    severity: str
    subject: str
    instrument: str
    text: str
    remedy: str
    count: int
    active: bool
    kind: str = ""
