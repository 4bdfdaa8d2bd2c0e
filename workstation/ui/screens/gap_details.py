"""The lines of gaps: one in full, and the ledger of a feed. Pure.

A gap is a span in which a book could not be trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workstation.engine.frames import BookCount, GapRow
from workstation.ui.panels.cells import spaced_age
from workstation.ui.typeset import NONE, age, utc_clock, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine

__all__ = ["gap_lines", "ledger_lines"]

_LABEL = 14
_INDENT = " " * 12


def _fact(label: str, value: str, ink: str = "") -> Sequence[Part]:
    return [(label.ljust(_LABEL), "dim"), (value or NONE, ink)]


def _lasted(gap: GapRow, now: int) -> int:
    return (now if gap.until_ns is None else gap.until_ns) - gap.ts


def _mending(gap: GapRow) -> str:
    """Say what is done about a gap that is open."""
    if not gap.asked:
        return "its feed cannot be asked: the next whole book mends it"
    return "a whole book has been asked for" if gap.tries else "will be asked for"


def gap_lines(
    gap: GapRow | None, now: int, remedy: str = "", book: BookCount | None = None
) -> Sequence[Line]:
    """Return a gap: what was missing, for how long, and what mended it.

    ``remedy`` is the alert's word of the next try, ``book`` the book as it is now.
    """
    if gap is None:
        return ["The gap is no longer in the ledger: it keeps the newest."]
    still = gap.until_ns is None
    missing = None
    if gap.expected is not None and gap.got is not None and gap.got > gap.expected:
        missing = gap.got - gap.expected
    lines: list[Line] = [
        _fact("instrument", gap.instrument, "strong"),
        _fact("feed", gap.feed),
        _fact("state", "open" if still else "mended", "warn" if still else "good"),
        _fact("why", gap.reason),
        _fact("began", f"{utc_clock(gap.ts)} UTC, {age(now - gap.ts)} ago"),
        _fact("lasted", spaced_age(_lasted(gap, now)), "warn" if still else ""),
        _fact("wanted", "" if gap.expected is None else f"update {gap.expected}"),
        _fact("got", "" if gap.got is None else f"update {gap.got}"),
        _fact("missing", "" if missing is None else f"{missing:,} updates"),
        _fact("tries", str(gap.tries)),
    ]
    if still:
        lines.append(_fact("mending", remedy or _mending(gap), "warn"))
        lines.append([("Nothing trades on this book until it is whole again.", "dim")])
    else:
        lines.append(_fact("ended", f"{utc_clock(gap.until_ns)} UTC"))
        lines.append(_fact("mended by", gap.mended))
    if book is not None:
        lines += ["", RuleLine("Book now", book.trust.value)]
        lines.append(_fact("reason", book.reason))
        lines.append(_fact("update", str(book.update_id)))
        lines.append(_fact("applied", f"{book.applied:,}"))
        lines.append(_fact("gaps", f"{book.gaps:,}", "warn" if book.gaps else ""))
    return lines


def ledger_lines(gaps: Iterable[GapRow], now: int) -> Sequence[Line]:
    """Return the ledger of some gaps, open ones first: two lines for each."""
    gaps = tuple(gaps)
    still = sum(gap.until_ns is None for gap in gaps)
    info = f"open {still}"
    lines: list[Line] = ["", RuleLine(f"Gap ledger {len(gaps)}", info)]
    if not gaps:
        lines.append([("No book of this feed has lost anything.", "dim")])
    for gap in gaps:
        lines += _gap(gap, now)
    return lines


def _gap(gap: GapRow, now: int) -> list[Line]:
    still = gap.until_ns is None
    state = "open" if still else "mended after"
    figures = f"want {gap.expected} got {gap.got}  " if gap.expected else ""
    tries = f"tries {gap.tries}" if gap.tries else ""
    how = _mending(gap) if still else gap.mended
    return [
        [
            (f"{utc_time(gap.ts, 1)}  ", "dim"),
            (gap.instrument.ljust(_LABEL), "strong"),
            (f"{state} {spaced_age(_lasted(gap, now))}  ", "warn" if still else "dim"),
            (figures, ""),
            (tries, "dim"),
        ],
        [(_INDENT, ""), (gap.reason, "dim"), (f"; {how}" if how else "", "dim")],
    ]
