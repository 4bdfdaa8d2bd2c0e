"""Steps from working to desired orders, each with its reason and the numbers.

Made by ``requoting``, carried out by the quoting desk, written into records.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from workstation.model.instruments import Side

__all__ = ["Step", "StepKind", "Why"]


class StepKind(StrEnum):
    """What is done about one level or one order."""

    CANCEL = "cancel"
    MODIFY = "modify"
    PLACE = "place"
    KEEP = "keep"
    WAIT = "wait"
    DROP = "drop"


class Why(StrEnum):
    """The reason of a step; the words are stable, records and tests rely on them."""

    WITHIN = "within tolerance"
    PRICE = "price off"
    SIZE = "size off"
    MISSING = "not there"
    NOT_WANTED = "not wanted"
    TAKES = "would take"
    MEETS_OWN = "would meet own order"
    BELOW_MINIMUM = "below the minimum"
    ABOVE_MAXIMUM = "above the maximum"
    PRICE_RANGE = "price out of range"
    YOUNG = "too young to change"
    SENT = "not acknowledged yet"
    CHANGING = "being changed"
    LEAVING = "being canceled"
    FATE_UNKNOWN = "fate unknown"
    NO_ROOM = "side is full"
    IN_THE_WAY = "own order in the way"
    RATE_LIMITED = "rate budget used up"
    REFUSED = "refused too often"
    DENIED = "denied"


class Step(Struct, frozen=True, kw_only=True):
    """One decision. ``price`` and ``quantity`` are what is wanted, or what is there.

    ``quantity`` is what is left to fill. ``off_bps`` and ``off_size`` (a fraction) are
    how far an order is from its level, ``limit`` the number that decided, ``other`` an
    order that stands in the way, ``note`` what another part said of it; a WAIT may say
    from when on it is worth a look.
    """

    kind: StepKind
    side: Side
    why: Why
    order_id: str = ""
    level: int | None = None
    price: Decimal
    quantity: Decimal
    off_bps: float | None = None
    off_size: float | None = None
    limit: Decimal | float | None = None
    other: str = ""
    moved_from: Decimal | None = None
    not_before_ns: int | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """Return the decision in one line, with its numbers."""
        subject = self.order_id or "a new order"
        words = f"{self.kind} {subject} {self.side} {self.quantity} @ {self.price}"
        words += f": {self.why}"
        if self.off_bps is not None and self.why in (Why.PRICE, Why.WITHIN):
            words += f", {self.off_bps:.1f} bps"
        if self.off_size is not None and self.why in (Why.SIZE, Why.WITHIN):
            words += f", size by {self.off_size * 100:.0f} %"
        if self.limit is not None:
            words += f", {self.limit}"
        if self.other:
            words += f" ({self.other})"
        if self.moved_from is not None:
            words += f", moved from {self.moved_from}"
        return f"{words}, {self.note}" if self.note else words
