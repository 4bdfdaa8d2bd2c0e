"""The lines of a detail dialog: one maker for each kind of row. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workstation.engine.frames import (
    BookCount,
    FeedRow,
    GapRow,
    PositionRow,
)
from workstation.engine.store import Numbered
from workstation.kernel import TaskStats
from workstation.model.market import Level
from workstation.model.records import LockRecord, StateRecord, TaskRecord
from workstation.model.states import BookTrust
from workstation.ui.panels.cells import spaced_age
from workstation.ui.screens.gap_details import ledger_lines
from workstation.ui.screens.scene import Scene
from workstation.ui.typeset import (
    NONE,
    age,
    duration,
    money,
    number,
    percent,
    price,
    quantity,
    utc_clock,
    utc_time,
)
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine
from workstation.ui.wording import move_words

__all__ = ["fact", "feed_lines", "position_lines", "row_lines", "task_lines"]

_LABEL = 14


def fact(label: str, value: str, ink: str = "") -> Sequence[Part]:
    """Return a line that says what something is."""
    return [(label.ljust(_LABEL), "dim"), (value or NONE, ink)]


def row_lines(scene: Scene, strategy: str, instrument: str) -> Sequence[Line]:
    """Return a strategy's row: market, state, position, gates and moves."""
    row = scene.row(strategy, instrument)
    if row is None:
        return [f"{instrument} is not shown by any feed."]
    manual = "no"
    if row.manual:
        until = row.manual_until_ns
        manual = "until handed back" if until is None else f"until {utc_clock(until)}"
    lines: list[Line] = [
        fact("instrument", row.instrument, "strong"),
        fact("strategy", row.strategy),
        fact("state", row.state.value if row.state else NONE),
        fact("manual", manual),
        fact("last", price(row.last, row.decimals)),
        fact("mark", price(row.mark, row.decimals)),
        fact("change", percent(row.change_percent, unit=True)),
        fact("spread", f"{number(row.spread_bps, 1)} bp"),
        fact("age", age(row.age_ns)),
        fact("position", quantity(row.position, row.quantity_decimals, sign=True)),
        fact("open", money(row.open_pnl, sign=True)),
        fact("why not", row.why_not),
    ]
    machine = scene.machine
    if machine is None or machine.row.key != row.key:
        return lines
    held = " held here !" if machine.stop_held else ""
    lines += [
        fact("stop", f"{price(machine.stop, row.decimals)}{held}"),
        fact("target", price(machine.target, row.decimals)),
        fact("script", machine.script),
        fact("answer", machine.answer),
        fact("calls", number(machine.calls, 0)),
        "",
        RuleLine("Gates", f"{sum(not g.passed for g in machine.gates)} fail"),
    ]
    for gate in machine.gates:
        mark = ("✓", "good") if gate.passed else ("✗", "warn")
        lines.append([mark, (f" {gate.name:<10}", ""), (gate.detail, "dim")])
    lines += ["", RuleLine("Parameters")]
    lines += [fact(name, value) for name, value in machine.params]
    lines += ["", RuleLine("Moves", f"{len(machine.history)} kept")]
    lines += [_move(record) for record in machine.history]
    return lines


def _move(record: StateRecord | LockRecord) -> Sequence[Part]:
    parts: list[Part] = [(f"{utc_time(record.ts, 1)}  ", "dim")]
    if isinstance(record, StateRecord):
        stays = record.before is record.after
        states = f"{record.before}" if stays else f"{record.before} → {record.after}"
        parts.append((states, "" if stays else "strong"))
    else:
        parts.append(("lock", "state-manual"))
    return [*parts, (f"  {record.who}  {move_words(record)}", "dim")]


def position_lines(row: PositionRow | None) -> Sequence[Line]:
    """Return a position valued at the market."""
    if row is None:
        return ["The position is closed."]
    held = row.position
    return [
        fact("instrument", held.instrument, "strong"),
        fact("owner", held.owner),
        fact("quantity", quantity(held.quantity, row.quantity_decimals, sign=True)),
        fact("entry", price(held.average_price, row.decimals)),
        fact("mark", price(row.mark, row.decimals)),
        fact("open", money(row.open_pnl, sign=True)),
        fact("realized", money(held.realized, sign=True)),
        fact("stop away", percent(row.stop_percent, unit=True)),
        fact("fills", str(held.fills)),
        fact("opened", f"{utc_clock(held.opened_ns)} UTC"),
    ]


def task_lines(
    stats: TaskStats | None, records: Iterable[Numbered] = ()
) -> Sequence[Line]:
    """Return a task's counters and the changes of its state."""
    if stats is None:
        return ["The task is no longer there."]
    changes = [
        n.record
        for n in records
        if isinstance(n.record, TaskRecord) and n.record.task == stats.name
    ]
    lines: list[Line] = [
        fact("name", stats.name, "strong"),
        fact("kind", stats.kind.value),
        fact("state", stats.state.value),
        fact("events", number(stats.events, 0)),
        fact("errors", str(stats.errors), "warn" if stats.errors else ""),
        fact("restarts", str(stats.restarts)),
        fact("lost", str(stats.lost)),
        fact("withheld", str(stats.withheld)),
        fact("lag", age(stats.lag_ns)),
        fact("CPU", duration(stats.cpu_ns)),
        fact("last error", stats.last_error),
        "",
        RuleLine("Changes", f"{len(changes)} kept"),
    ]
    lines += [_change(change) for change in changes]
    return lines


def _change(record: TaskRecord) -> Sequence[Part]:
    return [
        (f"{utc_time(record.ts, 1)}  ", "dim"),
        (f"{record.before} → {record.after}", "strong"),
        (f"  {record.reason}", "dim"),
    ]


def feed_lines(
    row: FeedRow | None, gaps: Iterable[GapRow] = (), now: int = 0
) -> Sequence[Line]:
    """Return a feed's counters, the proof of each of its books, and their gaps."""
    if row is None:
        return ["The feed is no longer there."]
    lines: list[Line] = [
        fact("name", row.name, "strong"),
        fact("kind", row.kind),
        fact("state", row.state),
        fact("symbols", str(row.symbols)),
        fact("events", number(row.events, 0)),
        fact("rate", f"{number(row.rate, 1)} events/s of the run's time"),
        fact("age", age(row.age_ns)),
        fact("most silent", f"{row.worst_symbol} {spaced_age(row.worst_ns)}".strip()),
        fact("books", f"{row.books_ok} of {row.book_count} trusted"),
        fact("gaps", str(row.gaps), "warn" if row.gaps else ""),
        fact("skipped", str(row.skipped), "warn" if row.skipped else ""),
        fact("shed", str(row.shed), "warn" if row.shed else ""),
        fact("last error", row.last_error),
    ]
    lines += _recording(row)
    doubted = [book for book in row.books if book.trust is not BookTrust.TRUSTED]
    proven = [book for book in row.books if book.trust is BookTrust.TRUSTED]
    # What is wrong stands before what is right, of which there may be a thousand.
    if doubted:
        lines += ["", RuleLine(f"Books not trusted {len(doubted)}")]
    for book in doubted:
        lines += _book(book)
    lines += ledger_lines((gap for gap in gaps if gap.feed == row.name), now)
    if proven:
        lines += ["", RuleLine(f"Books trusted {len(proven)}")]
    for book in proven:
        lines += _book(book)
    return lines


def _recording(row: FeedRow) -> list[Line]:
    kept = row.recording
    if kept is None:
        return [fact("recorded", "no; W begins it")]
    return [
        fact("recorded", f"since {utc_clock(kept.since)} UTC", "good"),
        fact("  file", kept.file or "none yet"),
        fact("  on disk", f"{number(kept.bytes, 0)} bytes"),
        fact("  events", number(kept.events, 0)),
    ]


def _book(book: BookCount) -> list[Line]:
    trusted = book.trust is BookTrust.TRUSTED
    bad = "warn" if book.gaps or book.crossed else "dim"
    lines: list[Line] = [
        [
            (book.symbol.ljust(_LABEL), "strong"),
            (f"{_level(book.bid, book.decimals)} / ", ""),
            (_level(book.ask, book.decimals), ""),
            (f"  {book.trust.value}", "good" if trusted else "warn"),
        ],
        [
            (" " * _LABEL, ""),
            (f"update {book.update_id}  ", "dim"),
            (f"{book.bid_levels:,} + {book.ask_levels:,} levels", "dim"),
            (f"  replaced {book.replaced:,}  refused {book.refused:,}", "dim"),
        ],
        [
            (" " * _LABEL, ""),
            (f"applied {book.applied:,}  dropped {book.dropped:,}  ", "dim"),
            (f"gaps {book.gaps:,}  crossed {book.crossed:,}", bad),
        ],
    ]
    if not trusted:
        # A line of its own: cut short it would be no reason.
        lines.insert(1, [(" " * _LABEL, ""), (book.reason, "warn")])
    return lines


def _level(level: Level | None, decimals: int) -> str:
    return NONE if level is None else f"{price(level[0], decimals)} × {level[1]:g}"
