"""What the overrides of one row and of several have in common: lock, end, reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from workstation.model.commands import Disposition
from workstation.model.timeframes import NS_PER_S, parse_span
from workstation.ui.screens.fields import ChoiceLine, TextField
from workstation.ui.screens.ritual import Answer, Ritual

__all__ = ["DISPOSITIONS", "HANDED_BACK", "OverrideRitual"]

DISPOSITIONS = {
    Disposition.KEEP: "keep",
    Disposition.CANCEL: "cancel entries",
    Disposition.FLATTEN: "flatten",
    Disposition.HAND_OVER: "hand over",
    Disposition.ADOPT: "adopt",
}
HANDED_BACK = "handed back by the operator"
"""The reason of a hand-back for which none was typed."""

_EXPIRIES = (
    ("none", "none"),
    ("5m", "5 minutes"),
    ("1h", "1 hour"),
    ("custom", "other"),
)


class OverrideRitual(Ritual[Answer]):
    """A dialog with the fields of a manual lock and a reason."""

    PANELS: ClassVar[frozenset[str]] = frozenset({"symbols", "orders", "positions"})

    def lock_fields(self, *, locked: bool) -> Iterable[Widget]:
        """Ask for lock, its end and the reason."""
        yield ChoiceLine(
            "lock",
            [("yes", "manual"), ("no", "no")],
            chosen="yes" if locked else "no",
            id="lock",
        )
        yield ChoiceLine("until", _EXPIRIES, id="expiry")
        custom = TextField(
            "for", placeholder="30s 15m 2h 1d", check=_span, short=True, id="custom"
        )
        custom.display = False
        yield custom
        yield TextField(
            "reason",
            placeholder="why; it is journalled",
            check=lambda text: "" if text else "required",
            id="reason",
        )

    def offer_ends(self) -> None:
        """Offer an end to a lock alone."""
        expiry = self.query_one("#expiry", ChoiceLine)
        if self.locks:
            expiry.set_options(_EXPIRIES)
        else:
            expiry.set_options((), note="no lock, no end")
        self.query_one("#custom", TextField).display = expiry.value == "custom"

    @property
    def locks(self) -> bool:
        """Whether what is overridden is locked in manual."""
        return self.query_one("#lock", ChoiceLine).value == "yes"

    @property
    def reason(self) -> str:
        """The reason typed."""
        return self.query_one("#reason", TextField).text

    @property
    def until_ns(self) -> int | None:
        """When the lock ends; None = not by itself."""
        expiry = self.query_one("#expiry", ChoiceLine).value
        if not self.locks or expiry in ("", "none"):
            return None
        custom = self.query_one("#custom", TextField)
        text = custom.text if expiry == "custom" else expiry
        return None if _span(text) else self.basis.ts + parse_span(text)

    @property
    def is_filled(self) -> bool:
        """Whether there is a reason, and an end that can be read where one is typed."""
        custom = self.query_one("#custom", TextField)
        return bool(self.reason) and not (custom.display and custom.wrong)


def _span(text: str) -> str:
    try:
        span = parse_span(text)
    except ValueError:
        return "a count and a unit, such as 30s, 15m, 2h"
    return "at most a year" if span > 366 * 86_400 * NS_PER_S else ""
