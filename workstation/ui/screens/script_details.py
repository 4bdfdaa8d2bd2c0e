"""The lines of a strategy and of a script's error, with the source around it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workstation.engine.frames import ScriptLine, ScriptLog, StrategyRow
from workstation.engine.script_source import ScriptSource
from workstation.ui.glyphs import UNICODE
from workstation.ui.typeset import NONE, number, utc_clock, utc_time
from workstation.ui.widgets.inks import Part
from workstation.ui.widgets.text_panel import Line, RuleLine

if TYPE_CHECKING:
    from workstation.engine.reloading import ReloadReport

__all__ = ["script_line_lines", "source_lines", "strategy_lines"]

_LABEL = 14
_AROUND = 2
# Lines of the source before and after the one that failed.
_VERSION = 8
_DIFFERENCES = 10
_ERRORS = 5
# The newest errors, each with its lines of source; the panel lists all that are kept.


def _fact(label: str, value: str, ink: str = "") -> Sequence[Part]:
    return [(label.ljust(_LABEL), "dim"), (value or NONE, ink)]


def source_lines(source: ScriptSource | None, line: int | None) -> list[Line]:
    """Return the source around a line, which is marked; or why there is none."""
    if source is None:
        return [[("The script is not there any more.", "dim")]]
    lines: list[Line] = []
    if source.note:
        lines.append([(f"! {source.note}", "warn")])
    if line is None:
        lines.append([("The error names no line of the script.", "dim")])
        return lines
    first = max(1, line - _AROUND)
    last = min(len(source.lines), line + _AROUND)
    cells = len(str(last))
    if source.lines and first > last:
        lines.append([(f"The file has no line {line} any more.", "warn")])
    for place in range(first, last + 1):
        here = place == line
        mark = UNICODE.cursor if here else " "
        text = source.lines[place - 1].expandtabs(4)
        lines.append(
            [
                (f"{mark} {place:>{cells}} ", "bad" if here else "dim"),
                (f" {text}", "strong" if here else ""),
            ]
        )
    return lines


def script_line_lines(
    line: ScriptLine | None, log: ScriptLog | None, source: ScriptSource | None
) -> Sequence[Line]:
    """Return one line of a script's log in full; for an error, its source too."""
    if line is None or log is None:
        return ["The line is no longer kept: the log holds the newest ones."]
    what = "error" if line.is_error else "wrote"
    where = "" if line.line is None else f" line {line.line}"
    lines: list[Line] = [
        _fact("strategy", log.strategy, "strong"),
        _fact("script", f"{log.script}{where}"),
        _fact("when", _when(line)),
        _fact("symbol", line.instrument),
        _fact(what, line.text, "bad" if line.is_error else ""),
    ]
    if line.is_error:
        lines += ["", RuleLine("Source", "" if source is None else source.path)]
        lines += source_lines(source, line.line)
    return lines


def strategy_lines(
    row: StrategyRow | None, log: ScriptLog | None, source: ScriptSource | None
) -> Sequence[Line]:
    """Return a strategy: its script, its rows, its calls, its last errors."""
    if row is None:
        return ["The strategy is no longer there."]
    cost = NONE if row.p99_ns is None else f"{number(row.p99_ns / 1_000, 0)} µs"
    memory = row.memory_bytes
    lines: list[Line] = [
        _fact("strategy", row.name, "strong"),
        _fact("script", f"{row.script}  {row.language}"),
        _fact("version", row.version),
        _fact("task", row.state),
        _fact("asked", f"at the close of each {row.timeframe} bar"),
        _fact("symbols", str(row.symbols)),
        [
            ("rows".ljust(_LABEL), "dim"),
            (f"{UNICODE.watch} {row.watch}  ", "state-watch"),
            (f"{UNICODE.close_watch} {row.close_watch}  ", "state-close-watch"),
            (f"{UNICODE.in_trade} {row.in_trade}  ", "state-in-trade"),
            (f"{UNICODE.manual} {row.manual}", "state-manual"),
        ],
        _fact("calls", f"{number(row.calls, 0)}, withheld now {row.withheld}"),
        _fact("calls/s", f"{number(row.rate, 2)} of the run's time, last minute"),
        _fact("p99 of a call", f"{cost} of the machine's time"),
        _fact("memory", NONE if memory is None else f"{number(memory, 0)} bytes"),
        _fact("restarts", str(row.restarts)),
        _fact("errors", str(row.errors), "bad" if row.errors else ""),
    ]
    if row.confinement:
        lines.insert(4, _fact("worker", row.confinement))
    lines += _reload_lines(row.reload)
    found = [] if log is None else [each for each in log.lines if each.is_error]
    shown = list(reversed(found))[:_ERRORS]
    info = f"{len(shown)} of {len(found)} kept" if found else "none"
    lines += ["", RuleLine("Last errors", info)]
    if not found:
        lines.append([("Nothing of this script has failed.", "dim")])
    for each in shown:
        lines += [_error_head(each), *source_lines(source, each.line), ""]
    return lines


def _reload_lines(report: ReloadReport | None) -> list[Line]:
    """Return what became of the version that was saved last."""
    if report is None:
        return []
    lines: list[Line] = ["", RuleLine("Last reload", report.version[:_VERSION])]
    lines.append([(f"{report.text}.", "" if report.accepted else "bad")])
    if not report.bars:
        return lines
    count = len(report.differences) + report.more
    if not count:
        lines.append([(f"It intends the same at the last {report.bars} bars.", "dim")])
        return lines
    shown = list(reversed(report.differences))[:_DIFFERENCES]
    said = f"Of the last {report.bars} bars it intends otherwise at {count}"
    said += "." if len(shown) == count else f"; the newest {len(shown)}:"
    lines.append([(said, "dim")])
    for each in shown:
        lines.append(
            [(f"{utc_time(each.ts)}  ", "dim"), (f"{each.instrument}  ", "strong")]
        )
        lines.append([("  was  ", "dim"), (each.before or "nothing", "")])
        lines.append([("  now  ", "dim"), (each.after or "nothing", "")])
    return lines


def _error_head(line: ScriptLine) -> Sequence[Part]:
    return [
        (f"{utc_time(line.ts) if line.ts else 'start'}  ", "dim"),
        (f"{line.instrument}  " if line.instrument else "", "strong"),
        (line.text, "bad"),
    ]


def _when(line: ScriptLine) -> str:
    return f"{utc_clock(line.ts)} UTC" if line.ts else "before the first event"
