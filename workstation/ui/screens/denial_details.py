"""The lines of a denial: whose order, what it was for, and all of why not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from workstation.engine.frames import DenialRow
from workstation.ui.screens.details import fact
from workstation.ui.typeset import NONE, utc_clock, utc_time
from workstation.ui.widgets.text_panel import Line

__all__ = ["denial_lines"]

_CELLS = 60
"""What a fact has room for at 80 columns."""


def denial_lines(row: DenialRow | None) -> Sequence[Line]:
    """Return one denial with its whole text; side and size are part of that."""
    if row is None:
        return ["The denial is no longer among those kept; the journal has it."]
    first, *more = wrap(row.text, _CELLS) or [NONE]
    return [
        fact("time", f"{utc_clock(row.ts)[:10]} {utc_time(row.ts, 3)} UTC"),
        fact("instrument", row.instrument, "strong"),
        fact("owner", row.owner),
        fact("order for", row.role),
        fact("denied by", row.code, "warn"),
        fact("why", first),
        *(fact("", text) for text in more),
    ]
