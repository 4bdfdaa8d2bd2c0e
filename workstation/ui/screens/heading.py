"""The header's fields: trust, money, and both in one line for narrow terminals.

Pure; dialogs repeat it so that nobody decides without seeing the run's state.
"""

from __future__ import annotations

from decimal import Decimal

from workstation.engine.frames import Header
from workstation.execution.margin import band
from workstation.model.commands import KillLevel
from workstation.model.states import PositionBand
from workstation.ui.panels.cells import used_text
from workstation.ui.typeset import (
    age,
    duration,
    money,
    number,
    percent,
    utc_clock,
    utc_compact,
    utc_time,
)
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.kill_banner import KillWords
from workstation.ui.widgets.status_lines import Field, field

__all__ = ["compact_line", "kill_words", "money_line", "trust_line"]

_MODES = {
    "simulation": ("SIM", "info"),
    "recording": ("REC", "info"),
    "paper": ("PAPER", "warn"),
    "live": ("LIVE", "bad"),
}
_WORDS = {
    "RUN": "good",
    "PAUSED": "accent",
    "STEP": "accent",
    "PAST": "warn",
    "HOLD": "warn",
    "HALTED": "bad",
    "KILLED": "bad",
    "STUCK": "bad",
    "LOCKED": "warn",
}
_DENYING = ("HOLD", "HALTED", "KILLED")
_RISK_INKS = {
    PositionBand.NORMAL: "",
    PositionBand.WARNING: "warn",
    PositionBand.CRITICAL: "warn",
    PositionBand.OVER_LIMIT: "bad",
}
_MEANINGS = {
    "hold": "no new orders",
    "cancel": "entries canceled, no new orders",
    "flatten": "flattened, no new orders",
}


def _meaning(header: Header, level: str) -> str:
    """Say what a rung has done, or is doing where the venue has not answered."""
    under_way = ""
    if level == "flatten" and header.positions:
        what = "position" if header.positions == 1 else "positions"
        under_way = f"flattening {header.positions} {what}"
    elif level == "cancel" and header.orders > header.held_protection:
        under_way = "canceling entries"
    if not under_way:
        return _MEANINGS.get(level, "no new orders")
    waits = " when the clock moves" if header.stands else ""
    return f"{under_way}{waits}, no new orders"


def kill_words(
    header: Header,
    *,
    key: str,
    locked: bool = False,
    read_only: bool = False,
    alerts: int = 0,
) -> KillWords | None:
    """Return what the banner of a kill says; None while orders are allowed.

    ``key`` opens the ladder, on which the way back is, unless the screen is
    ``read_only``; ``alerts`` wait behind it.
    """
    level = header.kill
    if level is None:
        return None
    since = header.kill_since_ns
    lasting = ""
    if since is not None and header.ts is not None:
        lasting = f" UTC, {duration(header.ts - since)}"
    way = "L unlocks, then re-arm" if locked else f"{key} re-arms"
    if read_only:
        way = "read-only: cannot re-arm"
    return KillWords(
        mode=_MODES.get(header.mode, (header.mode.upper(), ""))[0],
        level=f"{'HALTED' if level == 'hold' else 'KILLED'} ({level})",
        meaning=_meaning(header, level),
        since="the start" if since is None else utc_time(since),
        lasting=lasting,
        reason=header.kill_reason,
        way=way,
        note=f"{alerts} alert{'' if alerts == 1 else 's'}: a" if alerts else "",
    )


def _sign(value: float) -> str:
    return "up" if value > 0 else "down" if value < 0 else ""


def _mode(header: Header, *, locked: bool) -> Field:
    name, ink = _MODES.get(header.mode, (header.mode.upper(), "info"))
    parts: list[Part] = [(name, f"{ink} bold")]
    if header.mode in ("simulation", "recording"):
        parts.append((f" ×{header.speed:g}", ""))
    parts.extend(
        (f" {word}", f"{_WORDS.get(word, 'info')} bold")
        for word in _words(header, locked=locked)
    )
    return Field(tuple(parts))


def _words(header: Header, *, locked: bool) -> list[str]:
    """Return what denies orders, what the clock does, and whether keys act.

    None of them hides another: a hold is seen while one steps, and the other way round.
    """
    denies = ""
    if header.kill is not None:
        denies = "HALTED" if header.kill == KillLevel.HOLD else "KILLED"
    elif header.hold_since_ns is not None:
        denies = "HOLD"
    clock = header.word
    if denies and clock in (*_DENYING, "RUN"):
        clock = "PAUSED" if header.stands else ""
    words = (denies, clock, "LOCKED" if locked else "")
    return [word for word in words if word]


def _count(name: str, good: int, all: int, extra: str = "") -> Field:
    bad = good < all
    text = f" {good}/{all}{' !' if bad else ''}{extra}"
    return Field(((name, "dim"), (text, "warn" if bad else "")), priority=3)


def trust_line(header: Header, *, locked: bool = False) -> tuple[Field, ...]:
    """Return mode, words, account, clock, position, feeds, books, unknown orders.

    ``locked`` is said of the screen.
    """
    events = f"{header.events:,}"
    if header.events_total:
        events += f"/{header.events_total:,}"
    unknown = header.unknown_orders
    return (
        _mode(header, locked=locked),
        field(header.account, "strong", 1),
        field(f"{utc_clock(header.ts)} UTC", "", 0),
        Field((("event ", "dim"), (events, "")), priority=4),
        _count("feeds", header.feeds_ok, header.feeds, f" {age(header.worst_age_ns)}"),
        _count("books", header.books_ok, header.books),
        Field((("unknown ", "dim"), (str(unknown), "bad" if unknown else ""))),
    )


def money_line(header: Header) -> tuple[Field, ...]:
    """Return equity, day, open, fees, exposure, risk, positions, orders."""
    day = float(header.day_pnl)
    open_pnl = float(header.open_pnl)
    risk = _risk(header)
    word = risk.value.upper().replace("_", " ")
    used = used_text(header.limit_percent)
    exposed = percent(header.exposure_percent, 0, sign=False, unit=True)
    return (
        Field(
            (
                ("equity ", "dim"),
                (money(header.equity), "strong"),
                (f" {header.currency}", "dim"),
            )
        ),
        Field(
            (
                ("day ", "dim"),
                (money(header.day_pnl, sign=True), _sign(day)),
                (f" {percent(header.day_percent, unit=True)}", _sign(day)),
            ),
            priority=1,
        ),
        Field(
            (
                ("open ", "dim"),
                (money(header.open_pnl, sign=True), _sign(open_pnl)),
            ),
            priority=2,
        ),
        Field((("fees ", "dim"), (money(header.fees), "")), priority=4),
        Field(
            (("exposure ", "dim"), (f"{number(header.exposure, 0)} {exposed}", "")),
            priority=3,
        ),
        Field((("risk ", "dim"), (f"{word} {used}", _RISK_INKS[risk]))),
        Field((("pos ", "dim"), (str(header.positions), "")), priority=1),
        Field((("ord ", "dim"), (str(header.orders), "")), priority=1),
    )


def _risk(header: Header) -> PositionBand:
    """Return the band of the fullest limit, the one whose percentage is beside it.

    Not below that of the position limit, which a position leaves a little later.
    """
    used = Decimal(0)
    if header.limit_percent is not None:
        used = Decimal(repr(header.limit_percent)) / 100
    found = band(used, PositionBand.NORMAL)
    return max(found, PositionBand(header.band), key=tuple(PositionBand).index)


def _compact_risk(header: Header) -> Part:
    risk = _risk(header)
    used = used_text(header.limit_percent)
    if risk is PositionBand.OVER_LIMIT:
        used = f"OVER {used}"
    elif risk is not PositionBand.NORMAL:
        used = f"{used}!"
    return used, _RISK_INKS[risk]


def compact_line(header: Header, *, locked: bool = False) -> tuple[Field, ...]:
    """Return the one line of a narrow terminal; ``locked`` is said of the screen."""
    day = float(header.day_pnl)
    bad = header.books_ok < header.books
    unknown = header.unknown_orders
    first = _mode(header, locked=locked)
    return (
        Field((*first.parts, (f" {utc_compact(header.ts)}", "dim"))),
        Field(
            (
                ("day ", "dim"),
                (money(header.day_pnl, sign=True), _sign(day)),
            ),
            priority=2,
        ),
        field(percent(header.day_percent, unit=True), _sign(day), 3, gap=1),
        Field((("risk ", "dim"), _compact_risk(header)), priority=1),
        Field(
            (
                ("pos ", "dim"),
                (str(header.positions), ""),
                (" ord ", "dim"),
                (str(header.orders), ""),
                (" unk ", "dim"),
                (str(unknown), "bad" if unknown else ""),
                (" bk ", "dim"),
                (
                    f"{header.books_ok}/{header.books}{'!' if bad else ''}",
                    "warn" if bad else "",
                ),
            ),
            priority=1,
        ),
    )
